//! Numbers as they are written: digits, a point, an exponent, a unit.

use super::error::{Fault, FilterErrorKind};
use super::token::{NAME_COLUMNS, Reader, Word};
use super::value::Number;
use crate::graph::text::shortened;

/// What a number with a unit is a number of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Nanoseconds,
    Bytes,
}

const UNITS: [(&str, Unit, i128); 15] = [
    ("ns", Unit::Nanoseconds, 1),
    ("us", Unit::Nanoseconds, 1_000),
    ("µs", Unit::Nanoseconds, 1_000),
    ("μs", Unit::Nanoseconds, 1_000),
    ("ms", Unit::Nanoseconds, 1_000_000),
    ("s", Unit::Nanoseconds, 1_000_000_000),
    ("min", Unit::Nanoseconds, 60_000_000_000),
    ("h", Unit::Nanoseconds, 3_600_000_000_000),
    ("B", Unit::Bytes, 1),
    ("KB", Unit::Bytes, 1_000),
    ("MB", Unit::Bytes, 1_000_000),
    ("GB", Unit::Bytes, 1_000_000_000),
    ("KiB", Unit::Bytes, 1 << 10),
    ("MiB", Unit::Bytes, 1 << 20),
    ("GiB", Unit::Bytes, 1 << 30),
];

/// Whether this is a unit that could follow a number.
pub(super) fn is_unit(name: &str) -> bool {
    UNITS.iter().any(|&(unit, ..)| unit == name)
}

impl Reader<'_> {
    pub(super) fn number(&mut self) -> Result<Word, Fault> {
        let start = self.at;
        self.take("-");
        let is_digit = |c: char| c.is_ascii_digit() || c == '_';
        self.skip(is_digit);
        let has_point = self.rest().starts_with('.');
        if has_point {
            self.at += 1;
            if self.skip(is_digit).is_empty() {
                return Err(self.fault(start, "digits are missing behind the point"));
            }
        }
        let has_exponent = self.exponent();
        let digits: String = self.text[start..self.at].replace('_', "");
        let unit_at = self.at;
        let unit = self.skip(|c| c.is_alphanumeric() || c == '_');
        let too_large = |reader: &Self| {
            let fault = reader.fault(start, "this number is too large");
            Fault {
                kind: FilterErrorKind::Limit,
                ..fault
            }
        };
        if unit.is_empty() {
            return if has_point || has_exponent {
                let float: f64 = digits.parse().map_err(|_| too_large(self))?;
                float
                    .is_finite()
                    .then_some(Word::Number(Number::Float(float), None))
                    .ok_or_else(|| too_large(self))
            } else {
                let whole = whole(&digits).ok_or_else(|| too_large(self))?;
                Ok(Word::Number(Number::Integer(whole), None))
            };
        }
        let Some(&(_, of, factor)) = UNITS.iter().find(|&&(name, ..)| name == unit) else {
            let shown = shortened(unit, NAME_COLUMNS);
            let near = UNITS
                .iter()
                .find(|(name, ..)| name.eq_ignore_ascii_case(unit));
            let fault = Fault::new(
                FilterErrorKind::UnknownName,
                unit_at..self.at,
                format!("no unit is called `{shown}`"),
            );
            return Err(fault.suggest(match near {
                Some((name, ..)) => format!("did you mean `{name}`?"),
                None => {
                    "times have ns, us, ms, s, min, h and sizes B, KB, MB, GB, KiB, MiB, GiB".into()
                }
            }));
        };
        if has_exponent {
            return Err(self.fault(start, "a number with an exponent takes no unit"));
        }
        let number = scaled(&digits, factor).ok_or_else(|| too_large(self))?;
        Ok(Word::Number(number, Some(of)))
    }

    /// Goes over `e5`, `E-5`; a letter without digits behind it is the beginning of a unit.
    fn exponent(&mut self) -> bool {
        let rest = self.rest();
        let Some(behind) = rest.strip_prefix(['e', 'E']) else {
            return false;
        };
        let digits = behind.strip_prefix(['+', '-']).unwrap_or(behind);
        let is_exponent = digits.starts_with(|c: char| c.is_ascii_digit());
        if is_exponent {
            self.at = self.text.len() - digits.len();
            self.skip(|c| c.is_ascii_digit());
        }
        is_exponent
    }
}

fn whole(digits: &str) -> Option<i128> {
    let whole: i128 = digits.parse().ok()?;
    (i128::from(i64::MIN)..=i128::from(u64::MAX))
        .contains(&whole)
        .then_some(whole)
}

/// The decimal number times `factor`: whole when it is, exactly, else the nearest float.
fn scaled(digits: &str, factor: i128) -> Option<Number> {
    let (before, behind) = digits.split_once('.').unwrap_or((digits, ""));
    let behind = behind.trim_end_matches('0');
    // More digits than these have no place in nanoseconds or bytes.
    if behind.len() <= 18 {
        let divisor = 10_i128.pow(behind.len() as u32);
        let all: i128 = format!("{before}{behind}").parse().ok()?;
        let product = all.checked_mul(factor)?;
        if product % divisor == 0 {
            return whole(&(product / divisor).to_string()).map(Number::Integer);
        }
    }
    let float = digits.parse::<f64>().ok()? * factor as f64;
    float.is_finite().then_some(Number::Float(float))
}
