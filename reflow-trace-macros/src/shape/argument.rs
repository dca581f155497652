//! One argument of a method: a receiver, a plain name, or a pattern.

use proc_macro2::{Ident, Spacing, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};

use super::attribute::Attribute;
use super::tokens::{
    Trees, as_written, is_ident, is_punct, mention, split_at_commas, visible_trees,
};

/// Types whose values drop without effect.
const PLAIN: [&str; 14] = [
    "bool", "char", "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "f32",
    "f64",
];

/// One argument with its comma.
pub(crate) struct Argument {
    attributes: Vec<Attribute>,
    kind: Kind,
    comma: Option<TokenTree>,
}

enum Kind {
    /// Any spelling of `self`.
    Receiver { name: Ident, written: Trees },
    /// `name: Type` or `mut name: Type`.
    Named {
        mutable: Option<TokenTree>,
        name: Ident,
        colon_and_type: Trees,
    },
    /// Anything else before the colon. `name` is what the signature calls it once it is taken apart inside.
    Pattern {
        name: Ident,
        pattern: TokenStream,
        colon_and_type: Trees,
    },
    /// Not understood; left alone.
    Other(TokenStream),
}

impl Argument {
    pub(crate) fn read_all(stream: TokenStream) -> Vec<Argument> {
        split_at_commas(stream)
            .into_iter()
            .enumerate()
            .map(|(position, (trees, comma))| Argument::read(position, &trees, comma))
            .collect()
    }

    fn read(position: usize, trees: &[TokenTree], comma: Option<TokenTree>) -> Argument {
        let mut at = 0;
        let attributes = Attribute::read_all(trees, &mut at);
        let trees = &trees[at..];
        let whole = || trees.iter().cloned().collect::<TokenStream>();
        let colon = single_colon(trees);
        let before = &trees[..colon.unwrap_or(trees.len())];
        let kind = match (before, colon) {
            _ if is_ident(before.last(), "self") => match before.last() {
                Some(TokenTree::Ident(name)) => Kind::Receiver {
                    name: name.clone(),
                    written: Trees::from(trees),
                },
                _ => Kind::Other(whole()),
            },
            (_, None) => Kind::Other(whole()),
            ([TokenTree::Ident(name)], Some(colon)) if name != "_" => Kind::Named {
                mutable: None,
                name: name.clone(),
                colon_and_type: Trees::from(&trees[colon..]),
            },
            ([mutable, TokenTree::Ident(name)], Some(colon)) if is_ident(Some(mutable), "mut") => {
                Kind::Named {
                    mutable: Some(mutable.clone()),
                    name: name.clone(),
                    colon_and_type: Trees::from(&trees[colon..]),
                }
            }
            (pattern, Some(colon)) => Kind::Pattern {
                name: format_ident!("argument_{position}", span = Span::mixed_site()),
                pattern: pattern.iter().cloned().collect(),
                colon_and_type: Trees::from(&trees[colon..]),
            },
        };
        Argument {
            attributes,
            kind,
            comma,
        }
    }

    pub(crate) fn receiver(&self) -> Option<&Ident> {
        match &self.kind {
            Kind::Receiver { name, .. } => Some(name),
            _ => None,
        }
    }

    /// What the generated code calls this argument, unless it is the receiver.
    pub(crate) fn name(&self) -> Option<&Ident> {
        match &self.kind {
            Kind::Named { name, .. } | Kind::Pattern { name, .. } => Some(name),
            _ => None,
        }
    }

    /// The name the user gave it, without `_` in front and without `r#`.
    pub(crate) fn written_name(&self) -> Option<String> {
        match &self.kind {
            Kind::Named { name, .. } => Some(name.to_string().trim_start_matches("r#").to_owned()),
            _ => None,
        }
    }

    /// Whether it is a name and no other pattern.
    pub(crate) fn is_named(&self) -> bool {
        matches!(self.kind, Kind::Named { .. })
    }

    /// Whether an attribute may take it away.
    pub(crate) fn is_conditional(&self) -> bool {
        !self.attributes.is_empty()
    }

    /// Whether it is a pattern with this name in it.
    pub(crate) fn binds(&self, name: &str) -> bool {
        match &self.kind {
            Kind::Pattern { pattern, .. } => mention(pattern, name).is_some(),
            _ => false,
        }
    }

    /// How an error speaks of it.
    pub(crate) fn described(&self) -> Option<String> {
        match &self.kind {
            Kind::Named { name, .. } => Some(name.to_string()),
            Kind::Pattern {
                pattern,
                colon_and_type,
                ..
            } => Some(as_written(&quote!(#pattern #colon_and_type))),
            _ => None,
        }
    }

    /// The type behind the colon.
    pub(crate) fn declared(&self) -> Option<&[TokenTree]> {
        match &self.kind {
            Kind::Named { colon_and_type, .. } | Kind::Pattern { colon_and_type, .. } => {
                colon_and_type.get(1..)
            }
            _ => None,
        }
    }

    /// The argument in the new signature: `mut` moves inside, patterns get a name, and the probe may need `mut`.
    pub(crate) fn in_signature(&self, probed: bool, tokens: &mut TokenStream) {
        match &self.kind {
            Kind::Named {
                name,
                colon_and_type,
                ..
            }
            | Kind::Pattern {
                name,
                colon_and_type,
                ..
            } => {
                let mutable = match &self.kind {
                    Kind::Named {
                        mutable: Some(mutable),
                        ..
                    } if !self.must_be_rebound() => Some(mutable.clone()),
                    _ => probed.then(|| Ident::new("mut", Span::mixed_site()).into()),
                };
                for attribute in &self.attributes {
                    attribute.to_tokens(tokens);
                }
                mutable.to_tokens(tokens);
                name.to_tokens(tokens);
                colon_and_type.to_tokens(tokens);
                self.comma.to_tokens(tokens);
            }
            Kind::Receiver { .. } | Kind::Other(_) => self.to_tokens(tokens),
        }
    }

    /// A mention of the argument that makes a closure or an async block own it, in this position of the drop order.
    pub(crate) fn capture(&self) -> TokenStream {
        let cfg = self
            .attributes
            .iter()
            .filter(|attribute| attribute.is("cfg"));
        let name = match &self.kind {
            // A mention would be a use, and hide that the body has none.
            Kind::Named { .. } | Kind::Receiver { .. } if self.drops_without_effect() => {
                return TokenStream::new();
            }
            Kind::Named { name, .. } | Kind::Pattern { name, .. } | Kind::Receiver { name, .. } => {
                name
            }
            Kind::Other(_) => return TokenStream::new(),
        };
        let reference = quote_spanned!(Span::mixed_site()=> let _ = &);
        quote!(#(#cfg)* #reference #name;)
    }

    /// Whether the body knows it by something else than the name in the signature.
    pub(crate) fn must_be_rebound(&self) -> bool {
        match &self.kind {
            // What a `mut` reference is set to may live shorter than what it was called with.
            Kind::Named { mutable, .. } => mutable.is_some() && !self.has_no_lifetimes(),
            Kind::Pattern { pattern, .. } => pattern.to_string() != "_",
            Kind::Receiver { .. } | Kind::Other(_) => false,
        }
    }

    /// Whether nothing that was borrowed can be in it, as far as it is made of types that everybody knows.
    fn has_no_lifetimes(&self) -> bool {
        const OWNERS: [&str; 12] = [
            "String", "Vec", "VecDeque", "Box", "Option", "Arc", "Rc", "HashMap", "HashSet",
            "BTreeMap", "BTreeSet", "Duration",
        ];
        fn is_made_of_owners(tokens: impl IntoIterator<Item = TokenTree>) -> bool {
            tokens.into_iter().all(|tree| match tree {
                TokenTree::Ident(name) => PLAIN.iter().chain(&OWNERS).any(|known| name == known),
                TokenTree::Punct(sign) => "<>,;".contains(sign.as_char()),
                TokenTree::Group(group) => is_made_of_owners(group.stream()),
                TokenTree::Literal(_) => true,
            })
        }
        self.declared()
            .is_some_and(|declared| is_made_of_owners(declared.iter().cloned()))
    }

    /// Whether it is a reference or a number: when it drops, nothing happens.
    pub(crate) fn drops_without_effect(&self) -> bool {
        if let Kind::Receiver { written, .. } = &self.kind {
            return is_punct(written.first(), '&');
        }
        let Some(declared) = self.declared() else {
            return false;
        };
        match &*visible_trees(declared) {
            [TokenTree::Ident(only)] => PLAIN.iter().any(|plain| only == plain),
            [first, ..] => is_punct(Some(first), '&'),
            [] => false,
        }
    }

    /// What the body finds under the names it knows: `mut` arguments bound afresh, patterns taken apart.
    pub(crate) fn rebind(&self) -> TokenStream {
        let cfg = self
            .attributes
            .iter()
            .filter(|attribute| attribute.is("cfg"));
        match &self.kind {
            _ if !self.must_be_rebound() && self.drops_without_effect() => TokenStream::new(),
            Kind::Named { mutable, name, .. } => {
                let tokens = quote_spanned!(Span::mixed_site()=> let #mutable #name = #name;);
                quote!(#(#cfg)* #tokens)
            }
            Kind::Pattern { name, .. } if !self.must_be_rebound() => {
                let unused = format_ident!("_{name}");
                quote!(#(#cfg)* let #unused = #name;)
            }
            Kind::Pattern { pattern, name, .. } => quote!(#(#cfg)* let #pattern = #name;),
            Kind::Receiver { .. } | Kind::Other(_) => TokenStream::new(),
        }
    }
}

/// The colon between pattern and type, which is not half of a `::`.
fn single_colon(trees: &[TokenTree]) -> Option<usize> {
    let mut at = 0;
    while at < trees.len() {
        if let TokenTree::Punct(punct) = &trees[at]
            && punct.as_char() == ':'
        {
            if punct.spacing() == Spacing::Joint && is_punct(trees.get(at + 1), ':') {
                at += 2;
                continue;
            }
            return Some(at);
        }
        at += 1;
    }
    None
}

impl ToTokens for Argument {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        for attribute in &self.attributes {
            attribute.to_tokens(tokens);
        }
        match &self.kind {
            Kind::Receiver { written, .. } => written.to_tokens(tokens),
            Kind::Named {
                mutable,
                name,
                colon_and_type,
            } => {
                mutable.to_tokens(tokens);
                name.to_tokens(tokens);
                colon_and_type.to_tokens(tokens);
            }
            Kind::Pattern {
                pattern,
                colon_and_type,
                ..
            } => tokens.extend(quote!(#pattern #colon_and_type)),
            Kind::Other(other) => tokens.extend(other.clone()),
        }
        self.comma.to_tokens(tokens);
    }
}
