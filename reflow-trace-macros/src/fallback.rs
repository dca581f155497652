//! What is emitted when nothing is to be recorded: the user's item without our attributes.
//!
//! Used where the feature `enable` is off, and after an error: the item must survive, or one mistake in an option would
//! bury the user under errors about a type that lost its methods.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

use crate::diagnostics::Diagnostics;

/// The item with the errors in front, or `expanded` if there were none and recording is compiled in.
pub(crate) fn conclude(
    diagnostics: Diagnostics,
    enabled: bool,
    plain: impl ToTokens,
    expanded: impl FnOnce() -> TokenStream,
) -> TokenStream {
    match diagnostics.finish() {
        Some(errors) => quote!(#errors #plain),
        None if enabled => expanded(),
        None => plain.into_token_stream(),
    }
}
