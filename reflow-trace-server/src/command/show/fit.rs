//! Tables that leave out what matters least before they become blocks.
//!
//! [`Table`] shows everything: where the columns have no room beside each other, each row becomes a block of
//! lines. That is right for five columns and tiresome for ten, on a terminal of 80. So the columns that
//! a reader misses least go first; which ones went is said, and `--json` has all of them.

use reflow_trace::terminal::{Column, Table, columns, harmless};

/// Narrower than this, names are not told apart: rather another column goes.
const TEXT_LEAST: usize = 12;

/// A table some columns of which may be left out.
pub(in crate::command) struct Fit {
    heads: Vec<Head>,
    rows: Vec<Vec<String>>,
}

/// The head of a column.
#[derive(Clone, Debug)]
pub(in crate::command) struct Head {
    pub(in crate::command) name: String,
    pub(in crate::command) is_number: bool,
    /// Which goes first where there is no room, the smallest; `None`: never.
    pub(in crate::command) goes: Option<u8>,
}

impl Head {
    pub(in crate::command) fn text(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            is_number: false,
            goes: None,
        }
    }

    pub(in crate::command) fn number(name: impl Into<String>) -> Self {
        Self {
            is_number: true,
            ..Self::text(name)
        }
    }

    pub(in crate::command) fn goes(mut self, place: u8) -> Self {
        self.goes = Some(place);
        self
    }
}

impl Fit {
    pub(in crate::command) fn new(heads: impl IntoIterator<Item = Head>) -> Self {
        Self {
            heads: heads.into_iter().collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row, a cell for each head.
    pub(in crate::command) fn push(&mut self, row: Vec<String>) {
        self.rows.push(row);
    }

    /// The text in lines of at most `width` columns, without the columns in which nothing stands, and the
    /// names of those that had no room.
    pub(in crate::command) fn within(&self, width: Option<usize>) -> (String, Vec<&str>) {
        let is_used = |at: &usize| self.rows.iter().any(|row| !row[*at].is_empty());
        let mut kept: Vec<usize> = (0..self.heads.len()).filter(is_used).collect();
        let Some(width) = width else {
            return (self.table(&kept).to_string(), Vec::new());
        };
        let whole = kept.clone();
        let mut left_out = Vec::new();
        while self.least(&kept) > width {
            let next = kept.iter().copied().filter_map(|at| {
                let goes = self.heads[at].goes?;
                Some((goes, at))
            });
            let Some((_, gone)) = next.min() else {
                // Not even that is enough: then nothing has to be left out.
                return (self.table(&whole).within(width), Vec::new());
            };
            kept.retain(|&at| at != gone);
            left_out.push(&*self.heads[gone].name);
        }
        (self.table(&kept).within(width), left_out)
    }

    /// How wide these columns are beside each other at least: numbers stay whole, texts are shortened.
    fn least(&self, kept: &[usize]) -> usize {
        let least = |&at: &usize| {
            let head = &self.heads[at];
            let cells = self.rows.iter().map(|row| columns(&harmless(&row[at])));
            let natural = cells.max().unwrap_or(0).max(columns(&head.name));
            match head.is_number {
                true => natural,
                false => natural.min(TEXT_LEAST),
            }
        };
        let gaps = 2 * kept.len().saturating_sub(1);
        kept.iter().map(least).sum::<usize>() + gaps
    }

    fn table(&self, kept: &[usize]) -> Table {
        let column = |&at: &usize| match &self.heads[at] {
            Head {
                name,
                is_number: true,
                ..
            } => Column::number(name),
            Head { name, .. } => Column::text(name).at_least(TEXT_LEAST),
        };
        let mut table = Table::new(kept.iter().map(column));
        for row in &self.rows {
            table.push(kept.iter().map(|&at| &row[at]));
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit() -> Fit {
        let heads = [
            Head::text("name"),
            Head::number("first to go").goes(1),
            Head::number("second").goes(2),
            Head::text("nothing"),
        ];
        let mut fit = Fit::new(heads);
        let cells = ["a", "1", "2", ""];
        fit.push(cells.map(str::to_owned).to_vec());
        fit
    }

    #[test]
    fn what_matters_least_goes_first_and_is_named() {
        let fit = fit();
        let whole = "name  first to go  second\na               1       2\n";
        assert_eq!(fit.within(None), (whole.to_owned(), vec![]));
        assert_eq!(fit.within(Some(25)), (whole.to_owned(), vec![]));
        let (text, left_out) = fit.within(Some(20));
        assert_eq!(text, "name  second\na          2\n");
        assert_eq!(left_out, ["first to go"]);
        let (text, left_out) = fit.within(Some(6));
        assert_eq!(text, "name\na\n");
        assert_eq!(left_out, ["first to go", "second"]);
    }

    #[test]
    fn where_even_that_is_not_enough_nothing_is_left_out() {
        let mut fit = Fit::new([
            Head::text("a"),
            Head::number("b").goes(1),
            Head::number("c"),
        ]);
        let cells = ["xxxxxxxxxx", "1", "12345678901"];
        fit.push(cells.map(str::to_owned).to_vec());
        let (text, left_out) = fit.within(Some(20));
        assert!(left_out.is_empty());
        assert_eq!(text.lines().count(), 3, "{text}");
    }
}
