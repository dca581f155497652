//! A method: attributes, signature, and a body that stays closed.

use proc_macro2::{Delimiter, Group, Ident, Spacing, Span, TokenStream, TokenTree};
use quote::ToTokens;

use super::argument::Argument;
use super::attribute::Attribute;
use super::returned::{Returned, is_opaque};
use super::tokens::{Angles, Trees, as_group, is_ident, is_punct};

/// One method. Everything but argument patterns and the body is re-emitted as it was written.
pub(crate) struct Method {
    pub(crate) attributes: Vec<Attribute>,
    /// Visibility, qualifiers, `fn`, name and generics.
    front: Vec<TokenTree>,
    pub(crate) name: Ident,
    pub(crate) is_async: bool,
    /// The keyword of a `const fn`.
    pub(crate) constness: Option<Span>,
    pub(crate) arguments: Vec<Argument>,
    parentheses: Span,
    arrow: Vec<TokenTree>,
    /// The declared return type, if any.
    pub(crate) returned: Option<Trees>,
    /// Whether only the body tells what a part of that type is.
    pub(crate) is_opaque: bool,
    /// What kind of type that is.
    pub(crate) kind: Returned,
    where_clause: Vec<TokenTree>,
    pub(crate) body: Body,
}

/// What follows a signature.
pub(crate) enum Body {
    Braces(Group),
    /// A semicolon, or nothing at all while somebody is typing.
    Missing(Option<TokenTree>),
}

impl Method {
    /// Reads the method that stands at `at`, or leaves `at` where it is.
    pub(crate) fn read(
        attributes: Vec<Attribute>,
        trees: &[TokenTree],
        at: &mut usize,
    ) -> Option<Method> {
        let keyword = fn_keyword(trees, *at)?;
        let qualifiers = &trees[*at..keyword];
        let Some(TokenTree::Ident(name)) = trees.get(keyword + 1) else {
            return None;
        };
        let mut next = keyword + 2;
        let mut angles = Angles::default();
        if is_punct(trees.get(next), '<') {
            loop {
                angles.step(trees.get(next)?);
                next += 1;
                if angles.are_closed() {
                    break;
                }
            }
        }
        let parentheses = as_group(trees.get(next), Delimiter::Parenthesis)?;
        let front = trees[*at..next].to_vec();
        next += 1;

        let (mut arrow, mut returned, mut where_clause) = (Vec::new(), None, Vec::new());
        let mut opaque = false;
        if is_punct(trees.get(next), '-') && is_punct(trees.get(next + 1), '>') {
            arrow = trees[next..next + 2].to_vec();
            let start = next + 2;
            next = end_of_type(trees, start);
            opaque = is_opaque(&trees[start..next]);
            returned = Some(Trees::from(&trees[start..next]));
        }
        if is_ident(trees.get(next), "where") {
            let start = next;
            next = end_of_bounds(trees, start);
            where_clause = trees[start..next].to_vec();
        }
        let body = match trees.get(next) {
            Some(tree) if is_body(tree) => {
                next += 1;
                Body::read(tree)
            }
            Some(tree) if is_punct(Some(tree), ';') => {
                next += 1;
                Body::Missing(Some(tree.clone()))
            }
            _ => Body::Missing(None),
        };
        *at = next;
        Some(Method {
            attributes,
            front,
            name: name.clone(),
            is_async: qualifiers.iter().any(|tree| is_ident(Some(tree), "async")),
            constness: qualifiers
                .iter()
                .find(|tree| is_ident(Some(tree), "const"))
                .map(TokenTree::span),
            arguments: Argument::read_all(parentheses.stream()),
            parentheses: parentheses.span(),
            arrow,
            kind: Returned::of(returned.as_deref()),
            returned,
            is_opaque: opaque,
            where_clause,
            body,
        })
    }

    /// The `self` of the signature.
    pub(crate) fn receiver(&self) -> Option<&Ident> {
        self.arguments.iter().find_map(Argument::receiver)
    }

    /// Whether it is there in any case and needs nothing that only its signature gives: no `#[cfg]`, no generics, no
    /// `where`.
    pub(crate) fn has_no_conditions(&self) -> bool {
        let is_conditional =
            |attribute: &Attribute| attribute.is("cfg") || attribute.is("cfg_attr");
        self.where_clause.is_empty()
            && !self.front.iter().any(|tree| is_punct(Some(tree), '<'))
            && !self.attributes.iter().any(is_conditional)
            && !self.arguments.iter().any(Argument::is_conditional)
    }

    /// Whether any attribute is `#[name]`, or may be under a condition.
    pub(crate) fn may_have(&self, name: &str) -> bool {
        self.attributes
            .iter()
            .any(|attribute| attribute.is(name) || attribute.is_conditional(name))
    }

    /// Writes the same method with another signature's arguments and another body.
    pub(crate) fn with(
        &self,
        arguments: TokenStream,
        body: &impl ToTokens,
        tokens: &mut TokenStream,
    ) {
        for attribute in &self.attributes {
            attribute.to_tokens(tokens);
        }
        tokens.extend(self.front.iter().cloned());
        let mut parentheses = Group::new(Delimiter::Parenthesis, arguments);
        parentheses.set_span(self.parentheses);
        parentheses.to_tokens(tokens);
        tokens.extend(self.arrow.iter().cloned());
        self.returned.to_tokens(tokens);
        tokens.extend(self.where_clause.iter().cloned());
        body.to_tokens(tokens);
    }
}

/// The position of `fn` behind visibility and qualifiers.
fn fn_keyword(trees: &[TokenTree], start: usize) -> Option<usize> {
    const QUALIFIERS: [&str; 8] = [
        "pub", "default", "const", "async", "unsafe", "safe", "extern", "gen",
    ];
    for (at, tree) in trees.iter().enumerate().skip(start) {
        match tree {
            TokenTree::Ident(ident) if ident == "fn" => return Some(at),
            TokenTree::Ident(ident) if QUALIFIERS.iter().any(|qualifier| ident == qualifier) => {}
            TokenTree::Group(group)
                if group.delimiter() == Delimiter::Parenthesis && at > start => {}
            // `$vis` and `$abi` of a `macro_rules!`.
            TokenTree::Group(group) if group.delimiter() == Delimiter::None => {}
            TokenTree::Literal(_) if at > start => {}
            _ => return None,
        }
    }
    None
}

fn end_of_type(trees: &[TokenTree], start: usize) -> usize {
    let mut angles = Angles::default();
    let ends = |tree: &TokenTree| {
        is_ident(Some(tree), "where") || is_punct(Some(tree), ';') || is_body(tree)
    };
    for (at, tree) in trees.iter().enumerate().skip(start) {
        if angles.are_closed() && ends(tree) && at > start {
            return at;
        }
        angles.step(tree);
    }
    trees.len()
}

fn end_of_bounds(trees: &[TokenTree], start: usize) -> usize {
    let mut angles = Angles::default();
    for (at, tree) in trees.iter().enumerate().skip(start) {
        if angles.are_closed() && (is_punct(Some(tree), ';') || is_body(tree)) {
            return at;
        }
        angles.step(tree);
    }
    trees.len()
}

/// How many tokens the `#![..]` at the begin of a body are.
fn length_of_inner_attributes(body: &TokenStream) -> usize {
    let mut trees = body.clone().into_iter();
    let mut length = 0;
    while is_punct(trees.next().as_ref(), '#')
        && is_punct(trees.next().as_ref(), '!')
        && as_group(trees.next().as_ref(), Delimiter::Bracket).is_some()
    {
        length += 3;
    }
    length
}

fn runs_to_its_end(tokens: TokenStream) -> bool {
    let mut after_name = false;
    tokens.into_iter().all(|tree| {
        let was_after_name = std::mem::take(&mut after_name);
        match tree {
            TokenTree::Ident(ident) => {
                after_name = true;
                ["return", "yield", "become"]
                    .iter()
                    .all(|leaves| ident != leaves)
            }
            TokenTree::Punct(punct) => match punct.as_char() {
                '?' | '#' => false,
                // `name!`, which may also be the begin of `name != other`.
                '!' => !was_after_name || punct.spacing() == Spacing::Joint,
                _ => true,
            },
            TokenTree::Group(group) => runs_to_its_end(group.stream()),
            TokenTree::Literal(_) => true,
        }
    })
}

/// A brace group, or the invisible group around one that a `$body:block` leaves.
fn is_body(tree: &TokenTree) -> bool {
    match tree {
        TokenTree::Group(group) => match group.delimiter() {
            Delimiter::Brace => true,
            Delimiter::None => {
                let mut inside = group.stream().into_iter();
                matches!((inside.next(), inside.next()), (Some(only), None) if is_body(&only))
            }
            _ => false,
        },
        _ => false,
    }
}

impl Body {
    fn read(tree: &TokenTree) -> Body {
        match tree {
            TokenTree::Group(group) => Body::Braces(group.clone()),
            other => Body::Missing(Some(other.clone())),
        }
    }

    /// The body as an expression. Its braces count as ours, so that nobody calls them unused.
    pub(crate) fn as_block(&self) -> Option<TokenTree> {
        match self {
            Body::Braces(group) => {
                let inside = group.stream();
                let behind = length_of_inner_attributes(&inside);
                let mut block = match behind {
                    0 => group.clone(),
                    _ => Group::new(group.delimiter(), inside.into_iter().skip(behind).collect()),
                };
                block.set_span(group.span().resolved_at(Span::mixed_site()));
                Some(block.into())
            }
            Body::Missing(end) => end.clone(),
        }
    }

    /// Whether nothing in it can leave the method early. Where that cannot be seen, because a macro is called or an
    /// attribute may be one, it may.
    pub(crate) fn runs_to_its_end(&self) -> bool {
        match self {
            Body::Braces(group) => runs_to_its_end(group.stream()),
            Body::Missing(_) => false,
        }
    }

    /// Other statements in the braces of this body. The braces stay the user's: they decide whether the method counts
    /// as generated, and the compiler keeps silent about unused methods that were. Inner attributes stay in front,
    /// because an expression may not have any.
    pub(crate) fn holding(&self, statements: TokenStream) -> Group {
        let Body::Braces(group) = self else {
            return Group::new(Delimiter::Brace, statements);
        };
        let inside = group.stream();
        let content = match length_of_inner_attributes(&inside) {
            0 => statements,
            length => inside.into_iter().take(length).chain(statements).collect(),
        };
        let mut braces = Group::new(Delimiter::Brace, content);
        braces.set_span(group.span());
        braces
    }

    pub(crate) fn is_there(&self) -> bool {
        matches!(self, Body::Braces(_))
    }
}

impl ToTokens for Method {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let mut arguments = TokenStream::new();
        for argument in &self.arguments {
            argument.to_tokens(&mut arguments);
        }
        match &self.body {
            Body::Braces(group) => self.with(arguments, group, tokens),
            Body::Missing(end) => self.with(arguments, end, tokens),
        }
    }
}
