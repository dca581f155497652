//! Messages of another crate than the one that sends them.
//!
//! Nothing here refers to them, so that a linker sees no reason to keep what enters them but its own rules.

use reflow_trace::sample;

/// Never recorded.
#[sample(never, name = "Imported")]
pub struct Foreign(pub u32);

/// A type of the same name with another policy.
pub mod deeper {
    use reflow_trace::sample;

    /// Recorded always.
    #[sample(name = "Deeper")]
    pub struct Foreign(pub u32);
}
