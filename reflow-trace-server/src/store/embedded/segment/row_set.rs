//! Some of the rows of a file, by their numbers: what is left to look at while pruning goes on.

use std::ops::Range;

use super::schema::PAGE_ROWS;

/// Rows, as stretches that ascend and neither touch nor overlap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RowSet(Vec<Range<usize>>);

impl RowSet {
    /// These stretches; they ascend and do not overlap.
    pub(crate) fn of(stretches: impl IntoIterator<Item = Range<usize>>) -> Self {
        let mut rows = Self::default();
        for stretch in stretches {
            rows.push(stretch);
        }
        rows
    }

    /// These rows; they ascend.
    pub(crate) fn of_rows(numbers: impl IntoIterator<Item = usize>) -> Self {
        Self::of(numbers.into_iter().map(|number| number..number + 1))
    }

    /// Adds a stretch behind the last, or one that overlaps with its end.
    pub(crate) fn push(&mut self, stretch: Range<usize>) {
        if stretch.is_empty() {
            return;
        }
        match self.0.last_mut() {
            Some(last) if stretch.start <= last.end => last.end = last.end.max(stretch.end),
            _ => self.0.push(stretch),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many rows.
    pub(crate) fn len(&self) -> usize {
        self.0.iter().map(Range::len).sum()
    }

    pub(crate) fn stretches(&self) -> &[Range<usize>] {
        &self.0
    }

    /// The numbers, ascending.
    pub(crate) fn rows(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().cloned().flatten()
    }

    /// What is in both.
    pub(crate) fn and(&self, other: &Self) -> Self {
        let (mut ours, mut theirs) = (self.0.iter(), other.0.iter());
        let (mut one, mut two) = (ours.next(), theirs.next());
        let mut both = Self::default();
        while let (Some(a), Some(b)) = (one, two) {
            both.push(a.start.max(b.start)..a.end.min(b.end));
            if a.end < b.end {
                one = ours.next();
            } else {
                two = theirs.next();
            }
        }
        both
    }

    /// What is in at least one of them.
    pub(crate) fn any(sets: impl IntoIterator<Item = Self>) -> Self {
        let mut all: Vec<_> = sets.into_iter().flat_map(|set| set.0).collect();
        all.sort_by_key(|stretch| stretch.start);
        Self::of(all)
    }

    /// What lies in one stretch.
    pub(crate) fn within(&self, stretch: Range<usize>) -> Self {
        self.and(&Self::of([stretch]))
    }

    /// The first `most` rows; they stay no longer.
    pub(crate) fn take_first(&mut self, most: usize) -> Self {
        let mut left = most;
        let mut taken = Self::default();
        let mut kept = Vec::new();
        for stretch in std::mem::take(&mut self.0) {
            let cut = stretch.start + left.min(stretch.len());
            left -= cut - stretch.start;
            taken.push(stretch.start..cut);
            if cut < stretch.end {
                kept.push(cut..stretch.end);
            }
        }
        self.0 = kept;
        taken
    }

    /// The last `most` rows; they stay no longer.
    pub(crate) fn take_last(&mut self, most: usize) -> Self {
        let before = self.len().saturating_sub(most);
        let kept = self.take_first(before);
        std::mem::replace(self, kept)
    }
}

impl RowSet {
    /// The rows of the first `most` pages, counted from that of the first row; they stay no longer.
    pub(crate) fn take_first_pages(&mut self, most: usize) -> Self {
        let first = self.0.first().map_or(0, |stretch| stretch.start);
        let end = (first / PAGE_ROWS + most) * PAGE_ROWS;
        let taken = self.within(0..end);
        *self = self.within(end..usize::MAX);
        taken
    }

    /// The rows of the last `most` pages, counted from that of the last row; they stay no longer.
    pub(crate) fn take_last_pages(&mut self, most: usize) -> Self {
        let end = self.0.last().map_or(0, |stretch| stretch.end);
        let start = end.div_ceil(PAGE_ROWS).saturating_sub(most) * PAGE_ROWS;
        let taken = self.within(start..usize::MAX);
        *self = self.within(0..start);
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_of_rows_are_sets_of_numbers() {
        let mut random = fastrand::Rng::with_seed(5);
        for _ in 0..2_000 {
            let mut draw = || -> Vec<usize> { (0..40).filter(|_| random.bool()).collect() };
            let (one, two) = (draw(), draw());
            let (a, b) = (
                RowSet::of_rows(one.iter().copied()),
                RowSet::of_rows(two.iter().copied()),
            );
            let numbers = |set: &RowSet| set.rows().collect::<Vec<_>>();
            let all = 0..40;
            let both = all
                .clone()
                .filter(|row| one.contains(row) && two.contains(row));
            assert_eq!(numbers(&a.and(&b)), both.collect::<Vec<_>>());
            let any = all.filter(|row| one.contains(row) || two.contains(row));
            assert_eq!(
                numbers(&RowSet::any([a.clone(), b.clone()])),
                any.collect::<Vec<_>>()
            );
            let most = random.usize(0..45);
            let (mut rest, mut rest_of_last) = (a.clone(), a.clone());
            let (first, last) = (rest.take_first(most), rest_of_last.take_last(most));
            let cut = most.min(one.len());
            assert_eq!(numbers(&first), one[..cut]);
            assert_eq!(numbers(&rest), one[cut..]);
            assert_eq!(numbers(&last), one[one.len() - cut..]);
            assert_eq!(numbers(&rest_of_last), one[..one.len() - cut]);
        }
    }
}
