//! Expressions in options, as a string (`from = "self.from"`) or as they are (`from = self.from`).
//!
//! Both are checked to be expressions before anything is generated, so that the error underlines the option and not
//! the whole macro. All tokens of a string carry the span of the string.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::Expr;

use super::Setting;
use crate::diagnostics::Diagnostics;
use crate::shape::tokens::as_written;

/// A checked expression.
#[derive(Clone)]
pub(crate) struct Expression {
    tokens: TokenStream,
    parsed: Box<Expr>,
    /// Nobody wrote it.
    is_default: bool,
}

impl Expression {
    /// Reads the value of `setting`.
    pub(crate) fn read(
        setting: &Setting,
        example: &str,
        diagnostics: &mut Diagnostics,
    ) -> Option<Expression> {
        let tokens = setting.assigned(example, diagnostics)?;
        Expression::read_tokens(&setting.name, tokens, example, diagnostics)
    }

    pub(crate) fn read_tokens(
        key: &str,
        tokens: TokenStream,
        example: &str,
        diagnostics: &mut Diagnostics,
    ) -> Option<Expression> {
        let (written, tokens) = match syn::parse2::<syn::LitStr>(tokens.clone()) {
            Ok(literal) if literal.value().trim().is_empty() => {
                diagnostics.on(
                    &literal,
                    format!("`{key}` is empty: write for example `{example}`"),
                );
                return None;
            }
            Ok(literal) => match literal.parse::<TokenStream>() {
                Ok(inside) => (literal.value(), inside),
                Err(_) => {
                    diagnostics.on(&literal, not_an_expression(&literal.value(), key, example));
                    return None;
                }
            },
            Err(_) => (as_written(&tokens), tokens),
        };
        match syn::parse2::<Expr>(tokens.clone()) {
            Ok(parsed) => Some(Expression {
                tokens,
                parsed: Box::new(parsed),
                is_default: false,
            }),
            Err(_) => {
                diagnostics.on(tokens, not_an_expression(&written, key, example));
                None
            }
        }
    }

    /// An expression of ours, such as the default `self.from_actor`.
    pub(crate) fn ours(tokens: TokenStream) -> Expression {
        Expression {
            parsed: Box::new(Expr::Verbatim(TokenStream::new())),
            tokens,
            is_default: true,
        }
    }

    /// Whether nobody wrote it.
    pub(crate) fn is_default(&self) -> bool {
        self.is_default
    }

    /// `(expression).field`
    pub(crate) fn field(&self, field: &str) -> Expression {
        let span = self.span();
        let whole = self.in_parentheses();
        let name = proc_macro2::Ident::new(field, span);
        let tokens = quote::quote_spanned!(span=> #whole.#name);
        Expression {
            parsed: Box::new(Expr::Verbatim(tokens.clone())),
            tokens,
            is_default: false,
        }
    }

    /// The expression as one operand.
    pub(crate) fn in_parentheses(&self) -> TokenTree {
        let mut group = Group::new(Delimiter::Parenthesis, self.tokens.clone());
        group.set_span(self.span().resolved_at(Span::mixed_site()));
        TokenTree::Group(group)
    }

    pub(crate) fn span(&self) -> Span {
        self.tokens
            .clone()
            .into_iter()
            .next()
            .map_or_else(Span::call_site, |tree| tree.span())
    }

    /// Our hygiene at the place of the expression, for generated code whose mistakes are the expression's.
    pub(crate) fn place(&self) -> Span {
        Span::mixed_site().located_at(self.span())
    }

    /// The single lower-case name this is, if it is one: either an argument, or a string meant literally.
    pub(crate) fn bare_name(&self) -> Option<String> {
        let Expr::Path(path) = &*self.parsed else {
            return None;
        };
        let name = path.path.get_ident()?.to_string();
        (name != "self" && name.starts_with(|first: char| first.is_lowercase() || first == '_'))
            .then_some(name)
    }

    /// `path::to::function` or a closure: something to call rather than a value.
    pub(crate) fn is_callable(&self) -> bool {
        match &*self.parsed {
            Expr::Path(path) => !path.path.is_ident("self"),
            Expr::Closure(_) => true,
            _ => false,
        }
    }

    /// The number this is, if it is a literal one, with its sign.
    pub(crate) fn number(&self) -> Option<f64> {
        fn of(expression: &Expr) -> Option<f64> {
            match expression {
                Expr::Lit(syn::ExprLit {
                    lit: syn::Lit::Float(float),
                    ..
                }) => float.base10_parse().ok(),
                Expr::Lit(syn::ExprLit {
                    lit: syn::Lit::Int(int),
                    ..
                }) => int.base10_parse().ok(),
                Expr::Unary(syn::ExprUnary {
                    op: syn::UnOp::Neg(_),
                    expr,
                    ..
                }) => of(expr).map(|number| -number),
                Expr::Group(group) => of(&group.expr),
                Expr::Paren(paren) => of(&paren.expr),
                _ => None,
            }
        }
        of(&self.parsed)
    }

    /// Whether it is a number, a text or another literal, with its sign.
    pub(crate) fn is_literal(&self) -> bool {
        let mut expression = &*self.parsed;
        loop {
            expression = match expression {
                Expr::Unary(unary) => &unary.expr,
                Expr::Group(group) => &group.expr,
                Expr::Paren(paren) => &paren.expr,
                other => return matches!(other, Expr::Lit(_)),
            }
        }
    }

    pub(crate) fn is_bool(&self, value: bool) -> bool {
        matches!(&*self.parsed, Expr::Lit(syn::ExprLit { lit: syn::Lit::Bool(bool), .. }) if bool.value == value)
    }

    pub(crate) fn tokens(&self) -> TokenStream {
        self.tokens.clone()
    }
}

impl ToTokens for Expression {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(self.tokens.clone());
    }
}

fn not_an_expression(written: &str, key: &str, example: &str) -> String {
    let words = written.split_whitespace().all(|word| {
        word.chars()
            .all(|c| c.is_alphanumeric() || "_-.".contains(c))
    });
    if words && written.contains(char::is_whitespace) && !written.trim().is_empty() {
        return format!(
            "`{key}` is read as an expression, and `{written}` is none: for a fixed name write `{key} = \"\\\"{written}\\\"\"`"
        );
    }
    format!("`{written}` is not an expression: write for example `{example}`")
}
