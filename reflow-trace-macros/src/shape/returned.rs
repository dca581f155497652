//! What a method gives back: a value, nothing, never, or a future.

use proc_macro2::{TokenStream, TokenTree};
use quote::{quote, quote_spanned};

use super::tokens::{Angles, is_ident, is_punct, mention, visible_trees};

/// The kind of a declared return type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Returned {
    Unit,
    /// `!`
    Never,
    Value,
    /// `impl Future<..>`
    OpaqueFuture,
    /// `Pin<Box<dyn Future<..>>>`, `BoxFuture<..>`
    BoxedFuture,
    /// A name of the user's that ends like a future: nobody but the user knows.
    PerhapsFuture,
    /// `Poll<..>`: that it is pending means that nothing has happened yet.
    Poll,
}

impl Returned {
    pub(crate) fn of(declared: Option<&[TokenTree]>) -> Returned {
        let Some(declared) = declared else {
            return Returned::Unit;
        };
        let trees = visible_trees(declared);
        match &*trees {
            [] => return Returned::Unit,
            [TokenTree::Group(group)] => {
                let parenthesised = group.delimiter() == proc_macro2::Delimiter::Parenthesis;
                return if parenthesised && group.stream().is_empty() {
                    Returned::Unit
                } else {
                    Returned::Value
                };
            }
            [only] if is_punct(Some(only), '!') => return Returned::Never,
            _ => {}
        }
        if is_ident(trees.first(), "impl") {
            let is_future = bounds(&trees[1..]).any(|bound| bound == "Future");
            return if is_future {
                Returned::OpaqueFuture
            } else {
                Returned::Value
            };
        }
        // References and tuples are values; a path is judged by its last segment.
        if is_punct(trees.first(), '&') {
            return Returned::Value;
        }
        let last = bounds(&trees).last().unwrap_or_default();
        let mentions = |name: &str| trees.iter().any(|tree| is_ident(Some(tree), name));
        match last.as_str() {
            "BoxFuture" | "LocalBoxFuture" => Returned::BoxedFuture,
            "Pin" if mentions("Box") && mentions("dyn") && mentions("Future") => {
                Returned::BoxedFuture
            }
            name if name.ends_with("Future") || name.ends_with("Fut") => Returned::PerhapsFuture,
            // Whether an alias such as `PollSend` is one is found out by its type.
            name if name.starts_with("Poll") => Returned::Poll,
            _ => Returned::Value,
        }
    }

    /// The name in `Self::Name` or `Self::Name<..>`.
    pub(crate) fn associated_type(declared: &[TokenTree]) -> Option<String> {
        let trees = visible_trees(declared);
        let is_path = is_ident(trees.first(), "Self")
            && is_punct(trees.get(1), ':')
            && is_punct(trees.get(2), ':');
        match (is_path, trees.get(3), trees.get(4)) {
            (true, Some(TokenTree::Ident(name)), next) if next.is_none() || is_punct(next, '<') => {
                Some(name.to_string())
            }
            _ => None,
        }
    }
}

/// The last path segment of each bound in `A<..> + b::C + 'static`.
fn bounds(trees: &[TokenTree]) -> impl Iterator<Item = String> {
    let mut angles = Angles::default();
    let mut found = Vec::new();
    let mut last = None;
    let mut after_quote = false;
    for tree in trees {
        let outside = angles.are_closed();
        angles.step(tree);
        match tree {
            TokenTree::Ident(ident) if outside && !after_quote => last = Some(ident.to_string()),
            tree if outside && is_punct(Some(tree), '+') => found.extend(last.take()),
            _ => {}
        }
        after_quote = is_punct(Some(tree), '\'');
    }
    found.extend(last);
    found.into_iter()
}

/// Whether `impl Trait` is a part of the type.
pub(crate) fn is_opaque(declared: &[TokenTree]) -> bool {
    declared.iter().any(|tree| match tree {
        TokenTree::Ident(ident) => ident == "impl",
        TokenTree::Group(group) => mention(&group.stream(), "impl").is_some(),
        _ => false,
    })
}

/// The declared type where a body may name it: `impl Trait` becomes `_`, because only signatures may say it.
pub(crate) fn inside_a_body(declared: impl IntoIterator<Item = TokenTree>) -> TokenStream {
    let mut tokens = TokenStream::new();
    let mut trees = declared.into_iter().peekable();
    while let Some(tree) = trees.next() {
        match tree {
            TokenTree::Ident(ident) if ident == "impl" => {
                let span = ident.span();
                let mut angles = Angles::default();
                while let Some(next) = trees.peek() {
                    let ends = [',', '>', ';', '=']
                        .iter()
                        .any(|sign| is_punct(Some(next), *sign));
                    let arrow = is_punct(Some(next), '-');
                    if angles.are_closed() && ends {
                        break;
                    }
                    if let Some(next) = trees.next() {
                        angles.step(&next);
                    }
                    if arrow
                        && trees.peek().is_some_and(|head| is_punct(Some(head), '>'))
                        && let Some(head) = trees.next()
                    {
                        angles.step(&head);
                    }
                }
                tokens.extend(quote_spanned!(span=> _));
            }
            TokenTree::Group(group) => {
                let mut inside =
                    proc_macro2::Group::new(group.delimiter(), inside_a_body(group.stream()));
                inside.set_span(group.span());
                tokens.extend(quote!(#inside));
            }
            other => tokens.extend([other]),
        }
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trees(declared: &str) -> Vec<TokenTree> {
        let declared: TokenStream = declared.parse().expect("the test's type is made of tokens");
        declared.into_iter().collect()
    }

    fn kind(declared: &str) -> Returned {
        Returned::of(Some(&trees(declared)))
    }

    #[test]
    fn futures_are_told_from_values() {
        assert_eq!(kind("Result<(), E>"), Returned::Value);
        assert_eq!(kind("()"), Returned::Unit);
        assert_eq!(kind("!"), Returned::Never);
        assert_eq!(kind("&mut Future"), Returned::Value);
        assert_eq!(kind("(A, BoxFuture<'a, ()>)"), Returned::Value);
        assert_eq!(kind("impl Iterator<Item = Future> + 'a"), Returned::Value);
        assert_eq!(
            kind("impl Send + ::core::future::Future<Output = Result<A, B>>"),
            Returned::OpaqueFuture
        );
        assert_eq!(
            kind("Pin<Box<dyn Future<Output = ()> + Send + 'a>>"),
            Returned::BoxedFuture
        );
        assert_eq!(
            kind("futures::future::BoxFuture<'a, Result<(), E>>"),
            Returned::BoxedFuture
        );
        assert_eq!(kind("Self::Future"), Returned::PerhapsFuture);
        assert_eq!(kind("SendFut<'_>"), Returned::PerhapsFuture);
        assert_eq!(kind("task::Poll<Result<(), E>>"), Returned::Poll);
        assert_eq!(kind("Option<Poll<()>>"), Returned::Value);
    }

    #[test]
    fn associated_types_are_told_from_other_paths() {
        let name = |declared: &str| Returned::associated_type(&trees(declared));
        assert_eq!(name("Self::Future").as_deref(), Some("Future"));
        assert_eq!(name("Self::Future<'_>").as_deref(), Some("Future"));
        assert_eq!(name("Self"), None);
        assert_eq!(name("<Self as Service>::Future"), None);
        assert_eq!(name("Self::Future::Output"), None);
    }

    #[test]
    fn opaque_types_are_left_to_inference_inside() {
        let inside = |declared: &str| inside_a_body(trees(declared)).to_string().replace(' ', "");
        assert_eq!(
            inside("Result<impl Iterator<Item = u8> + 'a, E>"),
            "Result<_,E>"
        );
        assert_eq!(inside("impl Fn(u8) -> Vec<u8>"), "_");
        assert_eq!(inside("(impl Sized, u8)"), "(_,u8)");
        assert_eq!(inside("&'a mut [u8; 3]"), "&'amut[u8;3]");
    }
}
