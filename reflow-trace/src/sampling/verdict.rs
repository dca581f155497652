//! What a policy says of one message.

/// What the policy of a message type says of one message, before R is asked.
///
/// Ordered: of several verdicts the smallest holds, so never comes before always before rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verdict {
    /// Never recorded; still counted.
    Never,
    /// Always recorded.
    Always,
    /// Recorded when R reaches the threshold of the type.
    ByRate,
}
