//! The entry of a type into the list of those that have a policy, for where it is sent as an `M` without bounds.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::ext::IdentExt as _;

use crate::options::crate_path::CratePath;
use crate::shape::data::MessageType;

/// An item beside the type. The type of a generic message is not known here; its name is entered, and a type that
/// tells where it stands.
pub(crate) fn registration(message: &MessageType, crate_path: &CratePath) -> TokenStream {
    let span = Span::mixed_site();
    let p = crate_path.private();
    let name = &message.item.ident;
    if message.item.generics.params.is_empty() {
        return quote_spanned!(span=> #p::register! { #p::Registration::of::<#name>() });
    }
    let name = name.unraw().to_string();
    quote_spanned! {span=>
        const _: () = {
            enum Here {}
            #p::register! { #p::Registration::generic::<Here>(#name) }
        };
    }
}
