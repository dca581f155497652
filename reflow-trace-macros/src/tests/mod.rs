//! Expansions as files, and input that nobody wrote on purpose.

mod expansions;
mod half_written;
mod soup;
mod without_recording;

use proc_macro2::TokenStream;
use quote::ToTokens;

use crate::shape::attribute::Attribute;

/// Expands the first attribute of an item, which is one of ours.
fn expand(source: &str, enabled: bool) -> TokenStream {
    let tokens = source.parse().expect("the source is made of tokens");
    expand_tokens(tokens, enabled)
}

/// The same for tokens, which may hold invisible groups.
fn expand_tokens(tokens: TokenStream, enabled: bool) -> TokenStream {
    let trees: Vec<_> = tokens.into_iter().collect();
    let mut at = 0;
    let attributes = Attribute::read_all(&trees, &mut at);
    let (ours, others) = attributes
        .split_first()
        .expect("an item with an attribute of ours");
    let mut item: TokenStream = others.iter().map(ToTokens::to_token_stream).collect();
    item.extend(trees[at..].iter().cloned());
    let options = ours.arguments();
    match () {
        () if ours.is("traced_connector") => {
            crate::connector::traced_connector(options, item, enabled)
        }
        () if ours.is("traced_actor") => crate::actor::traced_actor(options, item, enabled),
        () if ours.is("sample") => crate::sample::sample(options, item, enabled),
        () => panic!("none of our attributes"),
    }
}
