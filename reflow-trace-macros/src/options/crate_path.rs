//! `crate = ::path`: where the runtime lives, for those who renamed or re-exported it.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::quote_spanned;

use super::{Setting, Value};
use crate::diagnostics::Diagnostics;
use crate::shape::tokens::{Trees, as_written, is_ident, is_punct};

/// The module that generated code may use.
pub(crate) type Private = Trees;

/// The root of every path in generated code.
#[derive(Clone)]
pub(crate) struct CratePath(TokenStream);

impl Default for CratePath {
    fn default() -> Self {
        CratePath(quote_spanned!(Span::mixed_site()=> ::reflow_trace))
    }
}

impl CratePath {
    pub(crate) fn read(setting: &Setting, diagnostics: &mut Diagnostics) -> CratePath {
        let Some(mut tokens) = setting.assigned("crate = ::reflow_trace", diagnostics) else {
            return CratePath::default();
        };
        if let Ok(literal) = syn::parse2::<syn::LitStr>(tokens.clone()) {
            tokens = literal.parse::<TokenStream>().unwrap_or_default();
        }
        let trees: Vec<TokenTree> = tokens.clone().into_iter().collect();
        let rooted = (is_punct(trees.first(), ':') && is_punct(trees.get(1), ':'))
            || is_ident(trees.first(), "crate")
            || is_ident(trees.first(), "$crate");
        let is_path = trees
            .iter()
            .all(|tree| matches!(tree, TokenTree::Ident(_)) || is_punct(Some(tree), ':'));
        if is_path && rooted {
            return CratePath(tokens);
        }
        let Value::Assigned(written) = &setting.value else {
            return CratePath::default();
        };
        let shown = as_written(&tokens);
        if is_path && !trees.is_empty() {
            let message = format!(
                "`{shown}` could mean something else where the generated code stands: write `crate = ::{shown}` or `crate = crate::{shown}`"
            );
            diagnostics.on(written, message);
        } else {
            diagnostics.on(
                written,
                "`crate` needs a path from the root: `crate = ::reflow_trace`",
            );
        }
        CratePath::default()
    }

    /// The names in it, as they stand in a path to one of our attributes.
    pub(crate) fn segments(&self) -> Vec<String> {
        let trees = self.0.clone().into_iter();
        let names = trees.filter_map(|tree| match tree {
            TokenTree::Ident(ident) => Some(ident.to_string()),
            _ => None,
        });
        names.collect()
    }

    /// The module that generated code may use.
    pub(crate) fn private(&self) -> Private {
        let path = &self.0;
        let path = quote_spanned!(Span::mixed_site()=> #path::__private);
        path.into_iter().collect()
    }

    /// The crate itself.
    pub(crate) fn root(&self) -> &TokenStream {
        &self.0
    }
}
