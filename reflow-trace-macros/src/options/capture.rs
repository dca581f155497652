//! `capture`: whether the content of messages is captured, and how much of it.

use proc_macro2::{Span, TokenTree};

use super::expression::Expression;
use super::{Setting, Value};
use crate::diagnostics::Diagnostics;
use crate::shape::tokens::as_written;

/// The largest cap, in bytes. The runtime has the same number and checks constants against it.
const BYTES_MAX: u64 = 65_536;

const EXAMPLE: &str = "capture = 4096";

/// What one annotation says of content.
pub(crate) enum Capture {
    /// `capture = false`, on a variant of a type that captures.
    Off,
    On {
        /// The word itself, where errors about the type belong.
        key: TokenTree,
        bytes: Bytes,
    },
}

/// Most bytes of one content.
pub(crate) enum Bytes {
    Default,
    Literal(u64),
    Constant(Expression),
}

/// Where the option stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Type,
    Variant,
}

impl Capture {
    pub(crate) fn read(
        setting: &Setting,
        place: Place,
        diagnostics: &mut Diagnostics,
    ) -> Option<Capture> {
        let on = |bytes| {
            let key = setting.key.clone();
            Some(Capture::On { key, bytes })
        };
        match &setting.value {
            Value::None => return on(Bytes::Default),
            Value::Listed(group) => {
                let text = format!("`capture` takes a number of bytes: `{EXAMPLE}`");
                diagnostics.at(group.span(), text);
                return None;
            }
            Value::Assigned(_) => {}
        }
        let was_string =
            syn::parse2::<syn::LitStr>(setting.assigned(EXAMPLE, diagnostics)?).is_ok();
        let expression = Expression::read(setting, EXAMPLE, diagnostics)?;
        if expression.is_bool(true) {
            return on(Bytes::Default);
        }
        if expression.is_bool(false) {
            if place == Place::Variant {
                return Some(Capture::Off);
            }
            let text = "`capture = false` says nothing: leave it out";
            diagnostics.at(expression.span(), text);
            return None;
        }
        if expression.number().is_none() && !expression.is_literal() {
            return on(Bytes::Constant(expression));
        }
        let shown = as_written(&expression.tokens());
        let wrong = match (syn::parse2::<syn::LitInt>(expression.tokens()), was_string) {
            (Ok(_), true) => format!("a cap is a number: write `capture = {shown}` without quotes"),
            (Ok(number), false) => match (number.base10_parse::<u64>(), number.suffix()) {
                (Ok(0), _) if place == Place::Variant => {
                    "a cap of 0 captures nothing: write `capture = false`".to_owned()
                }
                (Ok(0), _) => "a cap of 0 captures nothing: leave `capture` out".to_owned(),
                (Ok(bytes), "" | "usize") if bytes <= BYTES_MAX => {
                    return on(Bytes::Literal(bytes));
                }
                (_, "" | "usize") => format!(
                    "{shown} bytes are too much to keep beside an event: write at most `capture = {BYTES_MAX}`"
                ),
                _ => not_bytes(&shown),
            },
            (Err(_), _) => not_bytes(&shown),
        };
        diagnostics.on(&expression, wrong);
        None
    }

    /// Where errors about the type belong.
    pub(crate) fn span(&self) -> Option<Span> {
        match self {
            Capture::Off => None,
            Capture::On { key, .. } => Some(key.span()),
        }
    }
}

fn not_bytes(shown: &str) -> String {
    format!("`{shown}` is not a number of bytes: write a whole number from 1 to {BYTES_MAX}")
}
