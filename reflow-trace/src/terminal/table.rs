//! Rows under heads, as wide as the terminal allows.
//!
//! A table that is wider than its place first shortens the widest texts, evenly and down to a least
//! width; numbers stay whole. When that is not enough, each row becomes a block of lines, so that nothing
//! runs over the edge and nothing is left out.

use std::fmt;

use crate::graph::text;

/// What stands between two columns.
const GAP: &str = "  ";
/// A text is not made narrower than this, unless its column says otherwise.
const LEAST_DEFAULT: usize = 8;
/// Two columns for a head, a gap, and one for a cell: nothing is shown in less.
const WIDTH_MIN: usize = 5;

/// Rows of cells under heads.
///
/// Cells and heads are made harmless for the terminal: see [`harmless`](super::harmless). Printing shows
/// everything; [`within`](Self::within) fits it into a width.
///
/// # Examples
///
/// ```
/// use reflow_trace::terminal::{Column, Table};
///
/// let mut table = Table::new([Column::text("actor"), Column::number("messages")]);
/// table.push(["reader", "12"]);
/// table.push(["a/very/long/name/of/an/actor", "7"]);
/// assert_eq!(
///     table.within(24),
///     "actor           messages\n\
///      reader                12\n\
///      a/very/lo…ctor         7\n"
/// );
/// ```
#[derive(Clone, Debug, Default)]
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
}

/// A column of a [`Table`].
#[derive(Clone, Debug, Default)]
pub struct Column {
    head: String,
    is_number: bool,
    least: usize,
    most: Option<usize>,
}

impl Column {
    /// Text, at the left, which may be shortened.
    pub fn text(head: impl AsRef<str>) -> Self {
        Self {
            head: shown(head.as_ref()),
            is_number: false,
            least: LEAST_DEFAULT,
            most: None,
        }
    }

    /// A number, at the right, which stays whole.
    pub fn number(head: impl AsRef<str>) -> Self {
        Self {
            is_number: true,
            ..Self::text(head)
        }
    }

    /// Not narrower than this, in columns.
    pub fn at_least(mut self, columns: usize) -> Self {
        self.least = columns;
        self
    }

    /// Not wider than this, in columns, whatever room there is.
    pub fn at_most(mut self, columns: usize) -> Self {
        self.most = Some(columns.max(1));
        self
    }
}

impl Table {
    /// A table without rows.
    pub fn new(columns: impl IntoIterator<Item = Column>) -> Self {
        Self {
            columns: columns.into_iter().collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row. Cells that are missing are empty; one more than there are columns makes a column of
    /// text without a head.
    pub fn push<Cell: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = Cell>) {
        let row: Vec<String> = cells.into_iter().map(|cell| shown(cell.as_ref())).collect();
        while self.columns.len() < row.len() {
            self.columns.push(Column::text(""));
        }
        self.rows.push(row);
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table in lines of at most `width` columns, each with its line end; 5 columns are the least.
    pub fn within(&self, width: usize) -> String {
        let width = width.max(WIDTH_MIN);
        let natural = self.natural_widths();
        match self.fitted(&natural, width) {
            Some(widths) => self.lines(&widths),
            None => self.blocks(width),
        }
    }

    /// What each column takes when there is room.
    fn natural_widths(&self) -> Vec<usize> {
        let widest = |(at, column): (usize, &Column)| {
            let cells = self.rows.iter().filter_map(|row| row.get(at));
            let cells = cells.map(|cell| text::columns(cell));
            let widest = cells.max().unwrap_or(0).max(text::columns(&column.head));
            widest.min(column.most.unwrap_or(usize::MAX))
        };
        self.columns.iter().enumerate().map(widest).collect()
    }

    /// The widths with the texts shortened evenly, or `None` when the least is still too wide.
    fn fitted(&self, natural: &[usize], width: usize) -> Option<Vec<usize>> {
        let gaps = GAP.len() * natural.len().saturating_sub(1);
        let room = width.checked_sub(gaps)?;
        let capped = |cap: usize| -> Vec<usize> {
            let columns = self.columns.iter().zip(natural);
            columns
                .map(|(column, &natural)| match column.is_number {
                    true => natural,
                    false => natural.min(cap.max(column.least)),
                })
                .collect()
        };
        let fits = |cap: usize| capped(cap).iter().sum::<usize>() <= room;
        if !fits(0) {
            return None;
        }
        // The widest cap that fits, by halving what is in question.
        let (mut fitting, mut beyond) = (0, natural.iter().copied().max().unwrap_or(0) + 1);
        while beyond - fitting > 1 {
            let middle = fitting + (beyond - fitting) / 2;
            if fits(middle) {
                fitting = middle;
            } else {
                beyond = middle;
            }
        }
        Some(capped(fitting))
    }

    fn lines(&self, widths: &[usize]) -> String {
        let heads: Vec<String> = self
            .columns
            .iter()
            .map(|column| column.head.clone())
            .collect();
        let mut lines = String::new();
        for row in std::iter::once(&heads).chain(&self.rows) {
            lines += self.line(row, widths).trim_end_matches(' ');
            lines.push('\n');
        }
        lines
    }

    fn line(&self, row: &[String], widths: &[usize]) -> String {
        let mut line = String::new();
        for (at, (column, &width)) in self.columns.iter().zip(widths).enumerate() {
            let cell = row.get(at).map_or("", String::as_str);
            let cell = text::shortened(cell, width);
            // Counted in columns, not in characters as `format!` would.
            let blanks = " ".repeat(width.saturating_sub(text::columns(&cell)));
            let gap = if at > 0 { GAP } else { "" };
            line += &match column.is_number {
                true => format!("{gap}{blanks}{cell}"),
                false => format!("{gap}{cell}{blanks}"),
            };
        }
        line
    }

    /// Each row as lines of head and cell, with an empty line between two rows.
    fn blocks(&self, width: usize) -> String {
        let heads = self
            .columns
            .iter()
            .map(|column| text::columns(&column.head));
        let head_width = heads.max().unwrap_or(0).min(width / 2);
        let cell_width = width.saturating_sub(head_width + GAP.len()).max(1);
        let mut blocks = String::new();
        for (place, row) in self.rows.iter().enumerate() {
            if place > 0 {
                blocks.push('\n');
            }
            for (column, cell) in self.columns.iter().zip(row) {
                let head = text::shortened(&column.head, head_width);
                let blanks = " ".repeat(head_width.saturating_sub(text::columns(&head)));
                let line = format!("{head}{blanks}{GAP}{}", text::shortened(cell, cell_width));
                blocks += line.trim_end_matches(' ');
                blocks.push('\n');
            }
        }
        blocks
    }
}

/// Everything, however wide.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lines(&self.natural_widths()))
    }
}

/// An empty text stays empty; anything else is made harmless.
fn shown(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    text::visible(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn edges() -> Table {
        let columns = ["from", "to"].map(Column::text);
        let numbers = ["count", "p99"].map(Column::number);
        let mut table = Table::new(columns.into_iter().chain(numbers));
        table.push(["sensor_reader.data", "validator.in", "42", "1.5 ms"]);
        table.push(["a.out", "漢字の名前の長いアクター.in", "7", "820 ns"]);
        table
    }

    #[test]
    fn a_table_that_fits_is_shown_whole() {
        let whole = "\
from                to                           count     p99
sensor_reader.data  validator.in                    42  1.5 ms
a.out               漢字の名前の長いアクター.in      7  820 ns
";
        assert_eq!(edges().to_string(), whole);
        assert_eq!(edges().within(62), whole);
    }

    #[test]
    fn the_widest_texts_are_shortened_and_numbers_are_not() {
        let expected = "\
from            to              count     p99
sensor_re…data  validator.in       42  1.5 ms
a.out           漢字の名….in        7  820 ns
";
        assert_eq!(edges().within(46), expected);
    }

    #[test]
    fn rows_become_blocks_where_columns_have_no_room() {
        let expected = "\
from   sensor_re…data
to     validator.in
count  42
p99    1.5 ms

from   a.out
to     漢字の名….in
count  7
p99    820 ns
";
        assert_eq!(edges().within(21), expected);
    }

    #[test]
    fn a_row_may_have_fewer_cells_or_more() {
        let mut table = Table::new([Column::text("a"), Column::number("b")]);
        table.push(["1"]);
        table.push(["1", "2", "3"]);
        assert_eq!(table.to_string(), "a  b\n1\n1  2  3\n");
        assert_eq!(table.len(), 2);
        assert!(Table::default().is_empty());
        assert_eq!(Table::default().within(10), "\n");
    }

    #[test]
    fn a_column_is_no_wider_than_it_may_be() {
        let mut table = Table::new([Column::text("a").at_most(5), Column::text("b").at_least(2)]);
        table.push(["abcdefgh", "abcdefgh"]);
        assert_eq!(table.to_string(), "a      b\nabc…h  abcdefgh\n");
        assert_eq!(table.within(12), "a      b\nabc…h  abc…h\n");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 4 } else { 256 }, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn nothing_runs_over_the_edge_or_controls_the_terminal(
            heads in prop::collection::vec((any::<String>(), any::<bool>()), 1..5),
            rows in prop::collection::vec(prop::collection::vec(any::<String>(), 0..6), 0..4),
            width in 0_usize..80,
        ) {
            let columns = heads.iter().map(|(head, is_number)| match is_number {
                true => Column::number(head),
                false => Column::text(head),
            });
            let mut table = Table::new(columns);
            for row in &rows {
                table.push(row);
            }
            for text in [table.to_string(), table.within(width)] {
                prop_assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{:?}", text);
            }
            for line in table.within(width).lines() {
                prop_assert!(text::columns(line) <= width.max(WIDTH_MIN), "{} columns: {line:?}", text::columns(line));
            }
        }
    }
}
