//! Every mistake of one annotation, collected before any is reported.
//!
//! A user who made three mistakes wants to see three errors, not one after the other.
//! So nothing here returns early: the parts of the crate note what is wrong, carry on with what they can, and the front
//! door asks once, at the end. A collector that nobody asked would swallow errors, therefore dropping one unread panics.

use std::fmt::Display;

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;

/// The mistakes found so far.
pub(crate) struct Diagnostics {
    found: Option<syn::Error>,
    read: bool,
}

impl Diagnostics {
    pub(crate) fn new() -> Self {
        Diagnostics {
            found: None,
            read: false,
        }
    }

    /// Notes a mistake at one place.
    pub(crate) fn at(&mut self, span: Span, message: impl Display) {
        self.add(syn::Error::new(span, message));
    }

    /// Notes a mistake that covers all of `tokens`.
    pub(crate) fn on(&mut self, tokens: impl ToTokens, message: impl Display) {
        self.add(syn::Error::new_spanned(tokens, message));
    }

    /// Notes a mistake that two places make together: one error from the first to the second where they stand side by
    /// side, which is what the compiler can show of two places.
    pub(crate) fn on_both(
        &mut self,
        earlier: &impl ToTokens,
        later: &impl ToTokens,
        message: impl Display,
    ) {
        let mut both = earlier.to_token_stream();
        both.extend(later.to_token_stream());
        self.on(both, message);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_none()
    }

    /// All of them as `compile_error!` calls, or nothing.
    pub(crate) fn finish(mut self) -> Option<TokenStream> {
        self.read = true;
        self.found.take().map(|error| error.to_compile_error())
    }

    fn add(&mut self, error: syn::Error) {
        match &mut self.found {
            Some(found) => found.combine(error),
            None => self.found = Some(error),
        }
    }
}

impl Drop for Diagnostics {
    fn drop(&mut self) {
        assert!(
            self.read || std::thread::panicking(),
            "diagnostics were dropped without being reported"
        );
    }
}

/// The place of our attribute as if the user's code stood there; otherwise the compiler adds that a macro wrote it.
pub(crate) fn attribute_span(item: &TokenStream) -> Span {
    let attribute = Span::call_site();
    item.clone()
        .into_iter()
        .next()
        .map_or(attribute, |tree| attribute.resolved_at(tree.span()))
}

/// `a`, `b` and `c`, the way a sentence lists code.
pub(crate) fn listed<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> String {
    let quoted: Vec<String> = names
        .into_iter()
        .map(|name| format!("`{}`", name.as_ref()))
        .collect();
    match quoted.split_last() {
        None => String::new(),
        Some((only, [])) => only.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

/// The known name that was probably meant, if one is near enough.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let most = (name.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|candidate| (edit_distance(name, candidate), candidate))
        .filter(|(distance, _)| *distance <= most)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Levenshtein's distance, counting a swap of neighbours as one slip.
fn edit_distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let mut rows = vec![vec![0; right.len() + 1]; left.len() + 1];
    for i in 0..=left.len() {
        for j in 0..=right.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let replaced = rows[i - 1][j - 1] + usize::from(left[i - 1] != right[j - 1]);
                let mut least = replaced.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
                if i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1] {
                    least = least.min(rows[i - 2][j - 2] + 1);
                }
                least
            };
        }
    }
    rows[left.len()][right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_finds_the_name_that_was_meant() {
        assert_eq!(nearest("protcol", ["from", "protocol"]), Some("protocol"));
        assert_eq!(nearest("form", ["from", "to"]), Some("from"));
        assert_eq!(nearest("banana", ["from", "protocol"]), None);
    }

    #[test]
    fn lists_read_like_a_sentence() {
        assert_eq!(listed(["a"]), "`a`");
        assert_eq!(listed(["a", "b", "c"]), "`a`, `b` and `c`");
    }

    #[test]
    #[should_panic(expected = "without being reported")]
    fn unread_diagnostics_cannot_be_forgotten() {
        drop(Diagnostics::new());
    }
}
