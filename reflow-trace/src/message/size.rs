//! How large a message is, and how we know.

/// A size in bytes with its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    pub(crate) bytes: u64,
    pub(crate) source: SizeSource,
}

/// How a size came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SizeSource {
    /// The type says so.
    Told,
    /// The value with all that it owns.
    Deep,
    /// The value alone.
    Shallow,
}

impl Size {
    /// What the message holds in memory, where somebody has added it up.
    #[inline]
    pub(crate) fn memory(self) -> Option<u64> {
        (self.source == SizeSource::Deep).then_some(self.bytes)
    }

    /// As the type says.
    #[inline]
    pub const fn known(bytes: usize) -> Self {
        Self {
            bytes: bytes as u64,
            source: SizeSource::Told,
        }
    }

    /// The value with all that it owns.
    #[inline]
    pub const fn deep(bytes: usize) -> Self {
        Self {
            bytes: bytes as u64,
            source: SizeSource::Deep,
        }
    }

    /// The value alone, without what it points to.
    #[inline]
    pub const fn shallow(bytes: usize) -> Self {
        Self {
            bytes: bytes as u64,
            source: SizeSource::Shallow,
        }
    }

    /// What `size_bytes()` of the type said, else the shallow size of `value`.
    #[inline]
    pub fn measured<T: ?Sized>(told: impl ToldSize, value: &T) -> Self {
        match told.told() {
            Some(bytes) => Self {
                bytes,
                source: SizeSource::Told,
            },
            None => Self::shallow(size_of_val(value)),
        }
    }
}

/// What a method named `size_bytes` may give.
pub trait ToldSize {
    /// The number, where it is one.
    fn told(self) -> Option<u64>;
}

impl ToldSize for usize {
    #[inline]
    fn told(self) -> Option<u64> {
        Some(self as u64)
    }
}

impl ToldSize for u64 {
    #[inline]
    fn told(self) -> Option<u64> {
        Some(self)
    }
}

impl ToldSize for u32 {
    #[inline]
    fn told(self) -> Option<u64> {
        Some(u64::from(self))
    }
}

/// The type has no method named `size_bytes`.
#[derive(Clone, Copy, Debug)]
pub struct NotTold;

impl ToldSize for NotTold {
    #[inline]
    fn told(self) -> Option<u64> {
        None
    }
}

/// Stands in for a type's own `size_bytes`, which is found first: a method that takes `&self` of the
/// type is one reference nearer than this one, whether it is inherent or of a trait.
pub trait SizeFallback {
    /// Nothing is told.
    #[inline]
    fn size_bytes(&self) -> NotTold {
        NotTold
    }
}

impl<T: ?Sized> SizeFallback for &T {}
