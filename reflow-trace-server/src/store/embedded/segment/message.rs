//! In which columns the id of a message is.
//!
//! A text with a number at its end is a prefix, a least number of digits and the number, and in one way only:
//! as many digits as fit, up to 19, and a least number of digits only where the first of them is a zero. What
//! a client divides otherwise is kept as text. So whoever looks for a text knows the columns where
//! it can be.

use reflow_trace::wire::MessageId;
use serde_json::Value;
use uuid::Uuid;

/// Digits that make less than 2⁶⁴.
const DIGITS_MAX: usize = 19;

/// Where an id can be.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct MessageForms {
    /// In `message_number`, with this prefix and least number of digits, or with neither.
    pub(crate) number: Option<(Option<(String, u8)>, u64)>,
    /// In `message_uuid`.
    pub(crate) uuid: Option<[u8; 16]>,
    /// In `message_text`.
    pub(crate) text: Option<String>,
    /// In `message_other`.
    pub(crate) other: Option<String>,
}

impl MessageForms {
    pub(crate) fn of(id: &Value) -> Self {
        let mut forms = Self::default();
        match id {
            Value::String(text) => {
                forms.number = divided(text)
                    .map(|(prefix, width, number)| (Some((prefix.to_owned(), width)), number));
                forms.uuid = Uuid::try_parse(text)
                    .ok()
                    .filter(|uuid| uuid.to_string() == *text)
                    .map(Uuid::into_bytes);
                // Also those above: a batch divides few prefixes, and an event built by hand none.
                forms.text = Some(text.clone());
            }
            other => match other.as_u64() {
                Some(number) => forms.number = Some((None, number)),
                None => forms.other = Some(other.to_string()),
            },
        }
        forms
    }
}

/// A text with a number at its end, divided in the usual way.
fn divided(text: &str) -> Option<(&str, u8, u64)> {
    let digits = text.bytes().rev().take(DIGITS_MAX);
    let digits = digits.take_while(u8::is_ascii_digit).count();
    let (prefix, digits) = text.split_at(text.len() - digits);
    let number = digits.parse().ok()?;
    let width = if digits.starts_with('0') {
        digits.len()
    } else {
        1
    };
    Some((prefix, width as u8, number))
}

/// Whether it is where somebody who knows its text looks for it.
pub(super) fn is_usual(id: &MessageId<'_>) -> bool {
    let MessageId::Numbered {
        prefix,
        width,
        number,
    } = *id
    else {
        return true;
    };
    let own = number.checked_ilog10().unwrap_or(0) as usize + 1;
    let digits = own.max(usize::from(width));
    // A number of itself has no zero in front of it, but for the zero.
    let least = if digits > own || number == 0 {
        digits
    } else {
        1
    };
    let takes_all = !prefix.ends_with(|last: char| last.is_ascii_digit()) || digits == DIGITS_MAX;
    digits <= DIGITS_MAX && usize::from(width) == least && takes_all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(prefix: &str, width: u8, number: u64) -> MessageId<'_> {
        MessageId::Numbered {
            prefix,
            width,
            number,
        }
    }

    #[test]
    fn a_text_is_divided_in_one_way() {
        for (text, due) in [
            ("order-00000001", Some(("order-", 8, 1))),
            ("17", Some(("", 1, 17))),
            ("0", Some(("", 1, 0))),
            ("a00", Some(("a", 2, 0))),
            ("größe9", Some(("größe", 1, 9))),
            (
                "x12345678901234567890",
                Some(("x1", 1, 2_345_678_901_234_567_890)),
            ),
            ("order-", None),
            ("", None),
        ] {
            assert_eq!(divided(text), due, "{text}");
            if let Some((prefix, width, number)) = due {
                let id = numbered(prefix, width, number);
                assert_eq!(id.to_string(), text);
                assert!(is_usual(&id), "{text}");
            }
        }
        let mut random = fastrand::Rng::with_seed(3);
        for _ in 0..10_000 {
            let prefix: String = (0..random.usize(0..4))
                .map(|_| random.char('0'..='2'))
                .collect();
            let prefix = if random.bool() {
                format!("{prefix}-")
            } else {
                prefix
            };
            let id = numbered(
                &prefix,
                random.u8(0..=20),
                random.u64(..) >> random.u32(0..64),
            );
            let text = id.to_string();
            let is_found = divided(&text)
                .is_some_and(|(prefix, width, number)| id == numbered(prefix, width, number));
            assert_eq!(is_usual(&id), is_found, "{id:?}");
        }
    }
}
