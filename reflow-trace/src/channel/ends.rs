//! What every end of every traced channel has beside the methods of its original.

/// The additions to a sending end with the fields `inner` and `outlet`.
macro_rules! sending_end {
    ($end:ident<$message:ident>, $original:ty) => {
        impl<$message> $end<$message> {
            /// Names the actor that sends through this handle, and its port.
            ///
            /// Clones made from now on have the same name. Give names before the first message: a new
            /// name is a new edge.
            #[must_use = "the handle with the name is what is returned"]
            pub fn named(mut self, actor: impl AsRef<str>, port: impl AsRef<str>) -> Self {
                self.outlet.set_name(actor.as_ref(), port.as_ref());
                self
            }

            /// Lets the whole channel follow what the message type says of itself: the policy, the size
            /// and the fields that `#[sample(…)]` knows of. Without it every message is recorded, under
            /// the name of its Rust type.
            #[must_use = "the handle is what is returned"]
            pub fn with_policy(self) -> Self
            where
                $message: $crate::Message,
            {
                self.outlet.use_policy();
                self
            }

            /// The original, which carries [`Parcel`](crate::channel::Parcel)s; what is sent through it
            /// is not recorded.
            pub fn as_inner(&self) -> &$original {
                &self.inner
            }

            /// The original; see [`Self::as_inner`].
            pub fn into_inner(self) -> $original {
                self.inner
            }
        }

        impl<$message> ::std::fmt::Debug for $end<$message> {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.debug_struct(stringify!($end)).finish_non_exhaustive()
            }
        }
    };
}

/// The additions to a receiving end with the fields `inner` and `inlet`.
macro_rules! receiving_end {
    ($end:ident<$message:ident>, $original:ty) => {
        impl<$message> $end<$message> {
            /// Names the actor that receives from this handle, and its port.
            ///
            /// Messages that are sent from now on go to this name. Give names before the first message:
            /// a new name is a new edge.
            #[must_use = "the handle with the name is what is returned"]
            pub fn named(mut self, actor: impl AsRef<str>, port: impl AsRef<str>) -> Self {
                self.inlet.set_name(actor.as_ref(), port.as_ref());
                self
            }

            /// Lets the whole channel follow what the message type says of itself: the policy, the size
            /// and the fields that `#[sample(…)]` knows of. Without it every message is recorded, under
            /// the name of its Rust type.
            #[must_use = "the handle is what is returned"]
            pub fn with_policy(self) -> Self
            where
                $message: $crate::Message,
            {
                self.inlet.use_policy();
                self
            }

            /// The original, which carries [`Parcel`](crate::channel::Parcel)s; give what it receives to
            /// [`Self::accept`].
            pub fn as_inner(&self) -> &$original {
                &self.inner
            }

            /// The original; open the [`Parcel`](crate::channel::Parcel)s that it receives.
            pub fn into_inner(self) -> $original {
                self.inner
            }

            /// Takes the message out of a parcel that [`Self::as_inner`] has received, and records that
            /// it was received here.
            pub fn accept(&self, parcel: $crate::channel::Parcel<$message>) -> $message {
                self.take(parcel)
            }
        }

        impl<$message> ::std::fmt::Debug for $end<$message> {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.debug_struct(stringify!($end)).finish_non_exhaustive()
            }
        }
    };
}

pub(super) use {receiving_end, sending_end};
