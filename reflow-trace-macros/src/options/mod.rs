//! The arguments of the macros: `key = value`, `key(..)`, `key`.
//!
//! Every macro lists the keys it knows; everything else about reading them is shared: unknown keys and their nearest
//! neighbour, the same key twice, a missing `=`.
//! A value remembers the tokens that set it, so that a later rule can underline what the user wrote.

pub(crate) mod actor;
pub(crate) mod capture;
pub(crate) mod connector;
pub(crate) mod crate_path;
pub(crate) mod ends;
pub(crate) mod expression;
pub(crate) mod method;
pub(crate) mod sample;

use proc_macro2::{Delimiter, Group, Ident, Spacing, Span, TokenStream, TokenTree};
use quote::ToTokens;

use crate::diagnostics::{Diagnostics, listed, nearest};
use crate::shape::tokens::{is_punct, without_invisible_group};

/// One option as it was written.
pub(crate) struct Setting {
    pub(crate) name: String,
    pub(crate) key: TokenTree,
    pub(crate) value: Value,
}

/// What an option is set to.
pub(crate) enum Value {
    /// `key`
    None,
    /// `key = tokens`
    Assigned(TokenStream),
    /// `key(tokens)`
    Listed(Group),
}

/// Which keys a macro knows, and how errors call the macro.
pub(crate) struct Vocabulary {
    pub(crate) owner: &'static str,
    pub(crate) keys: &'static [&'static str],
    /// Where other keys belong that somebody may write here.
    pub(crate) elsewhere: &'static [&'static Vocabulary],
}

impl Vocabulary {
    /// Reads all settings; unknown and repeated ones are reported and left out.
    pub(crate) fn read(&self, stream: TokenStream, diagnostics: &mut Diagnostics) -> Vec<Setting> {
        let mut settings: Vec<Setting> = Vec::new();
        for piece in split_settings(stream) {
            let Some(setting) = Setting::read(piece, diagnostics) else {
                continue;
            };
            if !self.keys.contains(&setting.name.as_str()) {
                diagnostics.on(&setting.key, self.unknown(&setting.name));
            } else if let Some(earlier) =
                settings.iter().find(|earlier| earlier.name == setting.name)
            {
                let text = format!("`{}` is set twice, here and here", setting.name);
                diagnostics.on_both(&earlier.key, &setting.key, text);
            } else {
                settings.push(setting);
            }
        }
        settings
    }

    fn unknown(&self, name: &str) -> String {
        if let Some(other) = self
            .elsewhere
            .iter()
            .find(|other| other.keys.contains(&name))
        {
            return format!(
                "`{name}` is an option of {}, not of {}",
                other.owner, self.owner
            );
        }
        match nearest(name, self.keys.iter().copied()) {
            Some(near) => format!("unknown option `{name}`: did you mean `{near}`?"),
            None => format!(
                "unknown option `{name}`: {} understands {}",
                self.owner,
                listed(self.keys)
            ),
        }
    }
}

impl Setting {
    fn read(piece: Vec<TokenTree>, diagnostics: &mut Diagnostics) -> Option<Setting> {
        let mut trees = piece.into_iter();
        let key = trees.next()?;
        let name = match &key {
            TokenTree::Ident(ident) => ident.to_string().trim_start_matches("r#").to_owned(),
            other => {
                diagnostics.on(
                    other,
                    format!("expected the name of an option, found `{other}`"),
                );
                return None;
            }
        };
        let rest: Vec<TokenTree> = trees.collect();
        let value = match rest.as_slice() {
            [] => Value::None,
            [TokenTree::Group(group)] if group.delimiter() == Delimiter::Parenthesis => {
                Value::Listed(group.clone())
            }
            [equals] if is_punct(Some(equals), '=') => {
                diagnostics.on(equals, format!("`{name} =` needs a value behind it"));
                return None;
            }
            [equals, value @ ..] if is_punct(Some(equals), '=') => {
                Value::Assigned(without_invisible_group(value.iter().cloned().collect()))
            }
            [other, ..] => {
                diagnostics.on(
                    other,
                    format!("expected `=` or `,` after `{name}`, found `{other}`"),
                );
                return None;
            }
        };
        Some(Setting { name, key, value })
    }

    /// Where the setting stands: its value, or its key if it has none.
    pub(crate) fn span(&self) -> Span {
        match &self.value {
            Value::Assigned(tokens) => tokens
                .clone()
                .into_iter()
                .next()
                .map_or(self.key.span(), |tree| tree.span()),
            Value::Listed(group) => group.span(),
            Value::None => self.key.span(),
        }
    }

    /// The tokens behind `=`, or an error that shows how to write it.
    pub(crate) fn assigned(
        &self,
        example: &str,
        diagnostics: &mut Diagnostics,
    ) -> Option<TokenStream> {
        match &self.value {
            Value::Assigned(tokens) => Some(tokens.clone()),
            _ => {
                diagnostics.on(
                    &self.key,
                    format!("`{}` needs a value: `{example}`", self.name),
                );
                None
            }
        }
    }

    /// A string that is meant literally, such as a protocol.
    pub(crate) fn literal(
        &self,
        example: &str,
        diagnostics: &mut Diagnostics,
    ) -> Option<syn::LitStr> {
        let tokens = self.assigned(example, diagnostics)?;
        match syn::parse2::<syn::LitStr>(tokens.clone()) {
            Ok(literal) => Some(literal),
            Err(_) => {
                diagnostics.on(
                    tokens,
                    format!("`{}` needs a string: `{example}`", self.name),
                );
                None
            }
        }
    }

    /// A name, written bare or as a string.
    pub(crate) fn name(&self, example: &str, diagnostics: &mut Diagnostics) -> Option<Ident> {
        let tokens = self.assigned(example, diagnostics)?;
        let ident = match syn::parse2::<syn::LitStr>(tokens.clone()) {
            Ok(literal) => literal.parse::<Ident>(),
            Err(_) => syn::parse2::<Ident>(tokens.clone()),
        };
        match ident {
            Ok(ident) => Some(ident),
            Err(_) => {
                diagnostics.on(
                    tokens,
                    format!("`{}` needs the name of an argument: `{example}`", self.name),
                );
                None
            }
        }
    }

    /// The names in `key(a, b)`.
    pub(crate) fn names(&self, diagnostics: &mut Diagnostics) -> Vec<Ident> {
        let Value::Listed(group) = &self.value else {
            let message = format!(
                "`{0}` needs the names of methods: `{0}(forward, publish)`",
                self.name
            );
            diagnostics.on(&self.key, message);
            return Vec::new();
        };
        let mut names = Vec::new();
        for piece in split_settings(group.stream()) {
            let tokens: TokenStream = piece.into_iter().collect();
            let name = match syn::parse2::<syn::LitStr>(tokens.clone()) {
                Ok(literal) => literal.parse::<Ident>(),
                Err(_) => syn::parse2::<Ident>(tokens.clone()),
            };
            match name {
                Ok(name) => names.push(name),
                Err(_) => diagnostics.on(
                    &tokens,
                    format!("expected the name of a method, found `{tokens}`"),
                ),
            }
        }
        names
    }

    /// A key that takes nothing.
    pub(crate) fn must_be_bare(&self, diagnostics: &mut Diagnostics) {
        if !matches!(self.value, Value::None) {
            diagnostics.on(&self.key, format!("`{}` takes no value", self.name));
        }
    }
}

impl ToTokens for Setting {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.key.to_tokens(tokens);
        match &self.value {
            Value::None => {}
            Value::Assigned(value) => value.to_tokens(tokens),
            Value::Listed(group) => group.to_tokens(tokens),
        }
    }
}

/// Cuts at commas. A `<` opens only behind `::`, because elsewhere in an expression it compares.
pub(crate) fn split_settings(stream: TokenStream) -> Vec<Vec<TokenTree>> {
    let mut pieces = Vec::new();
    let mut piece: Vec<TokenTree> = Vec::new();
    let mut depth = 0_usize;
    for tree in stream {
        let opens = is_punct(Some(&tree), '<') && (depth > 0 || is_punct(piece.last(), ':'));
        let arrow = matches!(piece.last(), Some(TokenTree::Punct(last))
            if matches!(last.as_char(), '-' | '=') && last.spacing() == Spacing::Joint);
        if opens {
            depth += 1;
        } else if is_punct(Some(&tree), '>') && !arrow {
            depth = depth.saturating_sub(1);
        } else if depth == 0 && is_punct(Some(&tree), ',') {
            pieces.push(std::mem::take(&mut piece));
            continue;
        }
        piece.push(tree);
    }
    pieces.push(piece);
    pieces.retain(|piece| !piece.is_empty());
    pieces
}
