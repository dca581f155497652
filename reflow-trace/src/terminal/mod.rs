//! Text for terminals: names that can do no harm, numbers that people read, tables that fit.
//!
//! What a program traced may be hostile: a name may hold an escape sequence that recolours the terminal,
//! a mark that turns the direction of writing, or ten thousand characters. Everything that is printed
//! goes through here; the rules are those of the [pictures](crate::graph#how-names-are-shown).

mod table;

pub use table::{Column, Table};

use std::time::Duration;

use crate::graph::{numbers, text};

/// The name on one line with everything in it visible and harmless.
///
/// Control characters appear as their symbols, what is invisible or turns the direction of writing as
/// `�`, and a name of nothing but blanks as `␣`.
///
/// ```
/// use reflow_trace::terminal::harmless;
///
/// assert_eq!(harmless("\u{1b}[31mred\u{202e}"), "␛[31mred\u{fffd}");
/// assert_eq!(harmless("  "), "␣␣");
/// ```
pub fn harmless(name: &str) -> String {
    text::visible(name)
}

/// The harmless name in at most `columns` columns; a longer one keeps its beginning and its end.
///
/// ```
/// use reflow_trace::terminal::shortened;
///
/// assert_eq!(shortened("pipeline/stage/worker-17", 13), "pipeline…r-17");
/// ```
pub fn shortened(name: &str, columns: usize) -> String {
    text::shortened(name, columns)
}

/// How many columns a text takes: a Chinese character or an emoji takes two, a combining mark none.
pub fn columns(text: &str) -> usize {
    text::columns(text)
}

/// A duration in three digits and the unit that suits: `820 ns`, `1.5 ms`, `2 min 5 s`.
pub fn duration(duration: Duration) -> String {
    numbers::duration(duration)
}

/// A count with its digits in groups of three from five digits on.
pub fn count(count: u64) -> String {
    numbers::grouped(count)
}
