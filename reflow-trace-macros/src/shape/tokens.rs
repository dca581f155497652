//! Walking over token trees where angle brackets matter.

use std::borrow::Cow;
use std::ops::Deref;
use std::rc::Rc;

use proc_macro2::{Delimiter, Group, Ident, Spacing, Span, TokenStream, TokenTree};
use quote::ToTokens;

/// Tokens that are written more than once. As single trees, because a compiler is asked whenever a stream is copied, read
/// or put into another one.
#[derive(Clone)]
pub(crate) struct Trees(Rc<[TokenTree]>);

impl Deref for Trees {
    type Target = [TokenTree];

    fn deref(&self) -> &[TokenTree] {
        &self.0
    }
}

impl From<&[TokenTree]> for Trees {
    fn from(trees: &[TokenTree]) -> Self {
        Trees(trees.into())
    }
}

impl FromIterator<TokenTree> for Trees {
    fn from_iter<I: IntoIterator<Item = TokenTree>>(trees: I) -> Self {
        Trees(trees.into_iter().collect())
    }
}

impl ToTokens for Trees {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(self.0.iter().cloned());
    }
}

pub(crate) fn is_ident(tree: Option<&TokenTree>, name: &str) -> bool {
    matches!(tree, Some(TokenTree::Ident(ident)) if ident == name)
}

pub(crate) fn is_punct(tree: Option<&TokenTree>, sign: char) -> bool {
    matches!(tree, Some(TokenTree::Punct(punct)) if punct.as_char() == sign)
}

pub(crate) fn as_group(tree: Option<&TokenTree>, delimiter: Delimiter) -> Option<&Group> {
    match tree {
        Some(TokenTree::Group(group)) if group.delimiter() == delimiter => Some(group),
        _ => None,
    }
}

/// Counts `<` and `>` while walking, and knows that the `>` of `->` and `=>` closes nothing.
#[derive(Default)]
pub(crate) struct Angles {
    depth: usize,
    after_arrow_shaft: bool,
}

impl Angles {
    pub(crate) fn are_closed(&self) -> bool {
        self.depth == 0
    }

    /// Takes one token into account.
    pub(crate) fn step(&mut self, tree: &TokenTree) {
        let mut shaft = false;
        if let TokenTree::Punct(punct) = tree {
            match punct.as_char() {
                '<' => self.depth += 1,
                '>' if !self.after_arrow_shaft => self.depth = self.depth.saturating_sub(1),
                '-' | '=' => shaft = punct.spacing() == Spacing::Joint,
                _ => {}
            }
        }
        self.after_arrow_shaft = shaft;
    }
}

/// Cuts at every `,` that is outside angle brackets. Each piece comes with its comma, if it had one.
pub(crate) fn split_at_commas(stream: TokenStream) -> Vec<(Vec<TokenTree>, Option<TokenTree>)> {
    let mut pieces = Vec::new();
    let mut piece = Vec::new();
    let mut angles = Angles::default();
    for tree in stream {
        if angles.are_closed() && is_punct(Some(&tree), ',') {
            pieces.push((std::mem::take(&mut piece), Some(tree)));
            continue;
        }
        angles.step(&tree);
        piece.push(tree);
    }
    if !piece.is_empty() {
        pieces.push((piece, None));
    }
    pieces
}

/// The content of invisible groups that hold everything there is: `macro_rules!` wraps a fragment in one.
pub(crate) fn without_invisible_group(stream: TokenStream) -> TokenStream {
    let mut trees = stream.clone().into_iter();
    match (trees.next(), trees.next()) {
        (Some(TokenTree::Group(group)), None) if group.delimiter() == Delimiter::None => {
            without_invisible_group(group.stream())
        }
        _ => stream,
    }
}

/// The tokens, out of the invisible group they may be in.
pub(crate) fn visible_trees(trees: &[TokenTree]) -> Cow<'_, [TokenTree]> {
    match trees {
        [TokenTree::Group(group)] if group.delimiter() == Delimiter::None => {
            let inside: Vec<TokenTree> = group.stream().into_iter().collect();
            Cow::Owned(visible_trees(&inside).into_owned())
        }
        _ => Cow::Borrowed(trees),
    }
}

/// Whether an identifier called `name` occurs at any depth, other than as a field or method.
pub(crate) fn mention(stream: &TokenStream, name: &str) -> Option<Ident> {
    let mut after_dot = false;
    for tree in stream.clone() {
        match &tree {
            TokenTree::Ident(ident) if !after_dot && ident == name => return Some(ident.clone()),
            TokenTree::Group(group) => {
                if let Some(found) = mention(&group.stream(), name) {
                    return Some(found);
                }
            }
            _ => {}
        }
        after_dot = is_punct(Some(&tree), '.');
    }
    None
}

/// Whether the field `self.<field>` is read anywhere.
/// `#[async_trait]`, when it ran first, has renamed `self` to `__self`.
pub(crate) fn mentions_field_of_self(stream: &TokenStream, field: &str) -> bool {
    let trees: Vec<TokenTree> = stream.clone().into_iter().collect();
    trees.iter().enumerate().any(|(at, tree)| match tree {
        TokenTree::Group(group) => mentions_field_of_self(&group.stream(), field),
        TokenTree::Ident(ident) if ident == "self" || ident == "__self" => {
            is_punct(trees.get(at + 1), '.')
                && is_ident(trees.get(at + 2), field)
                && as_group(trees.get(at + 3), Delimiter::Parenthesis).is_none()
        }
        _ => false,
    })
}

/// The same tokens with every identifier `name` handed to `replace`.
pub(crate) fn replace_ident(
    stream: TokenStream,
    name: &str,
    replace: &dyn Fn(Ident) -> TokenTree,
) -> TokenStream {
    stream
        .into_iter()
        .map(|tree| match tree {
            TokenTree::Ident(ident) if ident == name => replace(ident),
            TokenTree::Group(group) => {
                let mut inside = Group::new(
                    group.delimiter(),
                    replace_ident(group.stream(), name, replace),
                );
                inside.set_span(group.span());
                TokenTree::Group(inside)
            }
            other => other,
        })
        .collect()
}

/// Tokens the way a person writes them, for error texts: the printer of the tokens would say `Vec < u8 >`.
pub(crate) fn as_written(stream: &TokenStream) -> String {
    let mut text = String::new();
    let mut glue = true;
    for tree in stream.clone() {
        let piece = match &tree {
            TokenTree::Group(group) => {
                let inside = as_written(&group.stream());
                match group.delimiter() {
                    Delimiter::Parenthesis => format!("({inside})"),
                    Delimiter::Bracket => format!("[{inside}]"),
                    Delimiter::Brace if inside.is_empty() => "{}".to_owned(),
                    Delimiter::Brace => format!("{{ {inside} }}"),
                    Delimiter::None => inside,
                }
            }
            other => other.to_string(),
        };
        let sign = match &tree {
            TokenTree::Punct(punct) => Some(punct.as_char()),
            _ => None,
        };
        let behind_a_name =
            text.ends_with(|last: char| last.is_alphanumeric() || "_)]".contains(last));
        let clings = match &tree {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => false,
            TokenTree::Group(_) => behind_a_name && !text.ends_with("mut"),
            _ => {
                matches!(sign, Some(',' | ';' | ':' | '?' | '!' | '<' | '>'))
                    || (sign == Some('.') && behind_a_name)
            }
        };
        if !text.is_empty() && !glue && !clings {
            text.push(' ');
        }
        // A lone `-` or `=` before `>` makes an arrow; both want air around them.
        let arrow = matches!(&tree, TokenTree::Punct(punct) if punct.spacing() == Spacing::Joint);
        let operator = behind_a_name && matches!(sign, Some('&' | '*' | '-'));
        glue = arrow
            || (!operator && matches!(sign, Some('&' | '<' | '.' | '!' | '#' | '*' | '-' | '\'')));
        if sign == Some(':') && !arrow {
            glue = text.ends_with(':');
        }
        text.push_str(&piece);
    }
    text
}

/// Gives every `self` the hygiene of the method's receiver, so that an expression from an option can use it.
pub(crate) fn bind_self(stream: TokenStream, receiver: Span) -> TokenStream {
    replace_ident(stream, "self", &|mut ident| {
        ident.set_span(ident.span().resolved_at(receiver));
        TokenTree::Ident(ident)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_texts_show_tokens_as_a_person_writes_them() {
        for written in [
            "Envelope { payload, .. }: Envelope<Vec<u8>, { N }>",
            "&'a mut [u8; 3]",
            "Pin<Box<dyn Future<Output = ()> + Send + 'a>>",
            "(a, _): (u8, u8)",
            "self.queue.len()",
            "f64::NAN",
            "impl Fn(u8) -> Vec<u8>",
            "*rate * 2",
            "-0.5 - 1",
        ] {
            assert_eq!(
                as_written(&written.parse().expect("the test is made of tokens")),
                written
            );
        }
    }
}
