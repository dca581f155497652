//! Attributes as token trees, and which of them are ours.

use proc_macro2::{Delimiter, Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;

use super::tokens::{as_group, is_punct, mention};

/// One outer attribute, kept as it was written.
#[derive(Clone)]
pub(crate) struct Attribute {
    trees: [TokenTree; 2],
    path: Vec<Ident>,
    /// What stands between the parentheses.
    arguments: Option<TokenStream>,
}

impl Attribute {
    /// Reads the attributes that stand at `at` and moves it behind them.
    pub(crate) fn read_all(trees: &[TokenTree], at: &mut usize) -> Vec<Attribute> {
        let mut attributes = Vec::new();
        while let (Some(pound), Some(group)) = (
            trees.get(*at),
            as_group(trees.get(*at + 1), Delimiter::Bracket),
        ) {
            if !is_punct(Some(pound), '#') {
                break;
            }
            attributes.push(Attribute::new(
                pound.clone(),
                TokenTree::Group(group.clone()),
                group.stream(),
            ));
            *at += 2;
        }
        attributes
    }

    fn new(pound: TokenTree, group: TokenTree, content: TokenStream) -> Self {
        let mut path = Vec::new();
        let mut arguments = None;
        for tree in content {
            match tree {
                TokenTree::Ident(ident) => path.push(ident),
                TokenTree::Punct(punct) if punct.as_char() == ':' => {}
                TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis => {
                    arguments = Some(group.stream());
                    break;
                }
                _ => break,
            }
        }
        Attribute {
            trees: [pound, group],
            path,
            arguments,
        }
    }

    /// `#[name]`, or the same behind a path to this crate. Other crates may own `#[their::name]`.
    pub(crate) fn is_ours(&self, name: &str) -> bool {
        match self.path.as_slice() {
            [only] => only == name,
            [first, .., last] => last == name && (first == "reflow_trace" || first == "crate"),
            [] => false,
        }
    }

    /// `#[renamed::name]` is `#[name]` where `renamed` is what the user calls this crate.
    pub(crate) fn understand(&mut self, crate_path: &[String]) {
        let (Some(last), false) = (self.path.last().cloned(), crate_path.is_empty()) else {
            return;
        };
        let before = &self.path[..self.path.len() - 1];
        if before
            .iter()
            .map(Ident::to_string)
            .eq(crate_path.iter().cloned())
        {
            self.path = vec![last];
        }
    }

    pub(crate) fn is(&self, name: &str) -> bool {
        matches!(self.path.as_slice(), [only] if only == name)
    }

    /// `#[name]`, `#[name::..]`
    pub(crate) fn begins_with(&self, name: &str) -> bool {
        self.path.first().is_some_and(|first| first == name)
    }

    /// `#[cfg_attr(.., name(..))]`, whose condition nobody knows when this macro runs.
    pub(crate) fn is_conditional(&self, name: &str) -> bool {
        self.is("cfg_attr")
            && self
                .arguments
                .as_ref()
                .is_some_and(|inside| mention(inside, name).is_some())
    }

    pub(crate) fn span(&self) -> Option<Span> {
        self.path.first().map(Ident::span)
    }

    pub(crate) fn arguments(&self) -> TokenStream {
        self.arguments.clone().unwrap_or_default()
    }
}

impl ToTokens for Attribute {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(self.trees.iter().cloned());
    }
}
