//! A list that grows at its end and shrinks at its beginning, of which a copy is had for nothing.
//!
//! A view of the store is taken while commits wait, and there may be very many batches in the tail. So they
//! lie in pieces that are shared: a copy has the same pieces, and whoever changes the list afterwards copies the
//! one piece that it changes, now and then the list of pieces, and nothing else.
//!
//! What cannot happen: a copy changes; or one push copies more than a piece and the list of pieces.

use std::collections::VecDeque;
use std::sync::Arc;

/// Elements of a piece. A push after a copy was taken copies half as many on average.
const PIECE: usize = 256;

/// The list. All pieces but the first and the open one are full.
#[derive(Clone, Debug)]
pub(crate) struct Chain<T> {
    pieces: Arc<VecDeque<Arc<Vec<T>>>>,
    /// The last piece, never full.
    open: Arc<Vec<T>>,
    len: usize,
}

impl<T> Default for Chain<T> {
    fn default() -> Self {
        Self {
            pieces: Arc::default(),
            open: Arc::default(),
            len: 0,
        }
    }
}

impl<T: Clone> Chain<T> {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn front(&self) -> Option<&T> {
        self.get(0)
    }

    /// The element at a place, counted from the beginning as it is now.
    pub(crate) fn get(&self, place: usize) -> Option<&T> {
        let first = self.pieces.front().map_or(0, |piece| piece.len());
        let Some(behind) = place.checked_sub(first) else {
            return self.pieces.front()?.get(place);
        };
        // The first piece is behind us, where there is one.
        let piece = behind / PIECE + usize::from(first > 0);
        match self.pieces.get(piece) {
            Some(piece) => piece.get(behind % PIECE),
            None if piece == self.pieces.len() => self.open.get(behind % PIECE),
            None => None,
        }
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &T> + Clone {
        let pieces = self.pieces.iter().flat_map(|piece| piece.iter());
        pieces.chain(self.open.iter())
    }

    pub(crate) fn push_back(&mut self, element: T) {
        let open = Arc::make_mut(&mut self.open);
        open.push(element);
        self.len += 1;
        if open.len() == PIECE {
            let full = std::mem::take(&mut self.open);
            Arc::make_mut(&mut self.pieces).push_back(full);
        }
    }

    /// Takes away from the beginning as long as `is_gone` says so of what is there; never again true after it
    /// was false.
    pub(crate) fn shorten(&mut self, is_gone: impl Fn(&T) -> bool) {
        while let Some(first) = self.pieces.front() {
            let gone = first.partition_point(&is_gone);
            if gone == 0 {
                return;
            }
            self.len -= gone;
            let rest = first[gone..].to_vec();
            let pieces = Arc::make_mut(&mut self.pieces);
            pieces.pop_front();
            if !rest.is_empty() {
                pieces.push_front(Arc::new(rest));
                return;
            }
        }
        let gone = self.open.partition_point(is_gone);
        if gone > 0 {
            self.len -= gone;
            self.open = Arc::new(self.open[gone..].to_vec());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_is(chain: &Chain<u64>, model: &VecDeque<u64>, context: &str) {
        assert_eq!(chain.len(), model.len(), "{context}");
        assert_eq!(chain.front(), model.front(), "{context}");
        assert!(chain.iter().eq(model), "{context}");
        assert!(chain.iter().rev().eq(model.iter().rev()), "{context}");
        for place in [
            0,
            1,
            200,
            255,
            256,
            257,
            511,
            512,
            model.len() - model.len().min(1),
            model.len(),
        ] {
            assert_eq!(
                chain.get(place),
                model.get(place),
                "{context}, place {place}"
            );
        }
    }

    #[test]
    fn it_is_what_was_put_in_less_what_was_taken_away_and_copies_stay_as_they_are() {
        for seed in 0..50 {
            let mut random = fastrand::Rng::with_seed(seed);
            let (mut chain, mut model) = (Chain::default(), VecDeque::new());
            let mut copies: Vec<(Chain<u64>, VecDeque<u64>)> = Vec::new();
            let mut next = 0_u64;
            for step in 0..60 {
                match random.u8(0..4) {
                    0 | 1 => {
                        for _ in 0..random.usize(0..300) {
                            chain.push_back(next);
                            model.push_back(next);
                            next += 1;
                        }
                    }
                    2 => {
                        let oldest = next.saturating_sub(random.u64(0..700));
                        chain.shorten(|&element| element < oldest);
                        model.retain(|&element| element >= oldest);
                    }
                    _ => copies.push((chain.clone(), model.clone())),
                }
                assert_is(&chain, &model, &format!("seed {seed}, step {step}"));
            }
            for (copy, (chain, model)) in copies.iter().enumerate() {
                assert_is(chain, model, &format!("seed {seed}, copy {copy}"));
            }
        }
    }

    #[test]
    fn a_push_after_a_copy_copies_one_piece() {
        let mut chain = Chain::default();
        for element in 0..10_000 {
            chain.push_back(Arc::new(element));
        }
        let copy = chain.clone();
        chain.push_back(Arc::new(10_000));
        let doubled = copy.iter().filter(|element| Arc::strong_count(element) > 1);
        assert_eq!(doubled.count(), 10_000 % PIECE);
    }
}
