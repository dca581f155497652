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
        let number = syn::parse2::<syn::LitInt>(expression.tokens())
            .ok()
            .filter(|number| matches!(number.suffix(), "" | "usize") && !shown.starts_with('-'));
        let wrong = match number.map(|number| number.base10_parse::<u64>()) {
            None => format!(
                "`{shown}` is not a number of bytes: write a whole number from 1 to {BYTES_MAX}"
            ),
            Some(_) if was_string => {
                format!("a cap is a number: write `capture = {shown}` without quotes")
            }
            Some(Ok(0)) if place == Place::Variant => {
                "a cap of 0 captures nothing: write `capture = false`".to_owned()
            }
            Some(Ok(0)) => "a cap of 0 captures nothing: leave `capture` out".to_owned(),
            Some(Ok(bytes)) if bytes <= BYTES_MAX => return on(Bytes::Literal(bytes)),
            Some(_) => format!(
                "{shown} bytes are too much to keep beside an event: write at most `capture = {BYTES_MAX}`"
            ),
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
