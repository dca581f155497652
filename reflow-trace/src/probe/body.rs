//! What steers the compiler around a body and does nothing itself.

/// Runs a body.
///
/// A closure that is called where it stands is inferred as `FnMut`, which cannot hand out what it
/// captured, such as `&mut self`; passed to this function it is `FnOnce`.
#[inline(always)]
pub fn call<R>(body: impl FnOnce() -> R) -> R {
    body()
}

/// A value for `if false { return declared::<R>() }`, which tells an async block what it returns.
///
/// # Panics
///
/// Always: it is never called.
#[cold]
pub fn declared<R>() -> R {
    unreachable!("only the type of this call is wanted")
}
