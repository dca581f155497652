//! Ids of messages that can travel as numbers.

use super::dictionary::BatchDictionary;
use crate::wire::format::id_form;

/// Prefixes in one batch. Ids that are a hash in hexadecimal look as if each had a prefix of its own;
/// once so many are known, what fits none of them travels as text.
const PREFIXES_MAX: usize = 32;
/// Digits that make less than 2⁶⁴.
const DIGITS_MAX: usize = 19;
/// Bytes of an id that is looked at; beyond it is text.
pub(super) const ID_BYTES_MAX: usize = 96;

/// An id as it goes into columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ColumnId {
    Uuid([u8; 16]),
    /// The form, see [`id_form`], and the number.
    Number(u64, u64),
}

/// The prefixes of a batch, and what was last seen of each; of plain numbers as well.
#[derive(Default)]
pub(super) struct MessageIds {
    prefixes: Vec<(Box<str>, u8)>,
    /// The one that was found last.
    recent: usize,
    /// By form less [`id_form::NUMBER`].
    last: Vec<u64>,
}

impl MessageIds {
    pub(super) fn clear(&mut self) {
        self.prefixes.clear();
        self.recent = 0;
        self.last.clear();
    }

    /// The number that was last seen in this form.
    #[inline]
    pub(super) fn last(&mut self, form: u64) -> &mut u64 {
        let place = (form - id_form::NUMBER) as usize;
        if place >= self.last.len() {
            self.last.resize(place + 1, 0);
        }
        &mut self.last[place]
    }

    /// What becomes of a text; `None`: it stays one.
    pub(super) fn of_text(
        &mut self,
        text: &[u8],
        dictionary: &mut BatchDictionary,
    ) -> Option<ColumnId> {
        if let Some(uuid) = uuid_of(text) {
            return Some(ColumnId::Uuid(uuid));
        }
        let digits = text
            .iter()
            .rev()
            .take(DIGITS_MAX)
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        if digits == 0 {
            return None;
        }
        let (prefix, digits) = text.split_at(text.len() - digits);
        let number = digits
            .iter()
            .fold(0u64, |number, digit| number * 10 + u64::from(digit - b'0'));
        let width = if digits[0] == b'0' { digits.len() } else { 1 } as u8;
        let place = self.place(prefix, width, dictionary)?;
        Some(ColumnId::Number(id_form::PREFIX + place as u64, number))
    }

    fn place(
        &mut self,
        prefix: &[u8],
        width: u8,
        dictionary: &mut BatchDictionary,
    ) -> Option<usize> {
        let is_it = |known: &(Box<str>, u8)| known.0.as_bytes() == prefix && known.1 == width;
        if self.prefixes.get(self.recent).is_some_and(is_it) {
            return Some(self.recent);
        }
        let place = match self.prefixes.iter().position(is_it) {
            Some(place) => place,
            None if self.prefixes.len() < PREFIXES_MAX => {
                let prefix = std::str::from_utf8(prefix).ok()?;
                dictionary.prefix(prefix, width);
                self.prefixes.push((prefix.into(), width));
                self.prefixes.len() - 1
            }
            None => return None,
        };
        self.recent = place;
        Some(place)
    }
}

/// Where the bytes of a UUID stand in its text.
const UUID_PLACES: [usize; 16] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];

/// What each character means as a hexadecimal digit in lower case; [`NO_DIGIT`] where it is none.
const DIGITS: [u8; 256] = {
    let mut digits = [NO_DIGIT; 256];
    let mut digit = 0;
    while digit < 16 {
        digits[b"0123456789abcdef"[digit] as usize] = digit as u8;
        digit += 1;
    }
    digits
};
const NO_DIGIT: u8 = 0xf0;

/// The bytes of a UUID that is written in lower case with hyphens.
fn uuid_of(text: &[u8]) -> Option<[u8; 16]> {
    let text: &[u8; 36] = text.try_into().ok()?;
    if [text[8], text[13], text[18], text[23]] != *b"----" {
        return None;
    }
    let mut seen = 0;
    let bytes = UUID_PLACES.map(|place| {
        let high = DIGITS[usize::from(text[place])];
        let low = DIGITS[usize::from(text[place + 1])];
        seen |= high | low;
        (high << 4) | low
    });
    (seen & NO_DIGIT == 0).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_become_numbers_only_where_the_text_comes_back() {
        let mut dictionary = BatchDictionary::default();
        let mut ids = MessageIds::default();
        let mut of = |text: &str| ids.of_text(text.as_bytes(), &mut dictionary);
        let number = |form, number| Some(ColumnId::Number(id_form::PREFIX + form, number));
        assert_eq!(of("msg-1"), number(0, 1));
        assert_eq!(of("msg-2"), number(0, 2));
        assert_eq!(of("msg-002"), number(1, 2));
        assert_eq!(of("msg-0"), number(0, 0));
        assert_eq!(of("7"), number(2, 7));
        assert_eq!(of("ü9"), number(3, 9));
        assert_eq!(of("msg-"), None);
        assert_eq!(of(""), None);
        // 2⁶⁴ and more: the last nineteen digits, behind a prefix that ends in digits.
        assert_eq!(
            of("18446744073709551616"),
            number(4, 8_446_744_073_709_551_616)
        );
        let uuid = "67e55044-10b1-426f-9247-bb680e5fe0c8";
        assert!(matches!(of(uuid), Some(ColumnId::Uuid(_))));
        for place in 0..36 {
            let mut broken = uuid.to_owned();
            broken.replace_range(place..=place, "g");
            assert!(!matches!(of(&broken), Some(ColumnId::Uuid(_))), "{broken}");
        }
        // Not as we would write it, so it is text that ends in a digit.
        assert!(!matches!(of(&uuid.to_uppercase()), Some(ColumnId::Uuid(_))));
    }

    #[test]
    fn prefixes_are_bounded() {
        let mut dictionary = BatchDictionary::default();
        let mut ids = MessageIds::default();
        let mut kept = 0;
        for n in 0..1_000 {
            let id = format!("{n}x1");
            kept += usize::from(ids.of_text(id.as_bytes(), &mut dictionary).is_some());
        }
        assert_eq!(kept, PREFIXES_MAX);
    }
}
