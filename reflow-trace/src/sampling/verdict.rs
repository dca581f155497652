//! What a policy says of one message.

/// What the policy of a message type says of one message, before R is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Never recorded; still counted.
    Never,
    /// Always recorded.
    Always,
    /// Recorded when R reaches the threshold of the type.
    ByRate,
}
