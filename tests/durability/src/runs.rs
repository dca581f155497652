//! How long the tests run, and from which seeds.

/// Whether the long runs are asked for: `cargo xtask measure durability` does.
pub fn is_full() -> bool {
    std::env::var_os("DURABILITY_FULL").is_some()
}

/// The seed that is asked for, `DURABILITY_SEED`.
///
/// # Panics
///
/// When the variable holds no number.
pub fn asked_seed() -> Option<u64> {
    let seed = std::env::var("DURABILITY_SEED").ok()?;
    Some(seed.parse().expect("`DURABILITY_SEED` is a number"))
}

/// The seed that is asked for, or one that nobody has chosen; print it.
pub fn seed() -> u64 {
    asked_seed().unwrap_or_else(|| fastrand::u64(..1_000_000))
}
