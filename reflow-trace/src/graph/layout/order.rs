//! Orders the items of each layer so that few lines cross.
//!
//! Sweeps over the layers, each time sorting one by the mean position (barycentre) of the
//! neighbours in the layer before, then exchanging neighbours that cross less the other way round.
//! The best order that was seen wins.

use super::lanes::Grid;

/// Sweeps for a small graph; each costs time in proportion to the items.
const SWEEPS_MAX: usize = 24;
/// Items times sweeps stay below this, so that a large graph gets fewer sweeps.
const SWEPT_ITEMS_MAX: usize = 600_000;
/// Sweeps without any gain after which no more are tried.
const PATIENCE: usize = 6;

pub(super) fn reduce_crossings(grid: &mut Grid) {
    let [lefts, rights] = grid.neighbours();
    let mut order = Order {
        positions: vec![0; grid.items.len()],
        layers: std::mem::take(&mut grid.layers),
        lefts,
        rights,
    };
    order.number_all();
    let mut best = (order.crossings(), order.layers.clone());
    let sweeps = (SWEPT_ITEMS_MAX / grid.items.len().max(1)).clamp(2, SWEEPS_MAX);
    let mut fruitless = 0;
    for sweep in 0..sweeps {
        if best.0 == 0 || fruitless == PATIENCE {
            break;
        }
        order.sweep(sweep % 2 == 0);
        let crossings = order.crossings();
        fruitless += 1;
        if crossings < best.0 {
            best = (crossings, order.layers.clone());
            fruitless = 0;
        }
    }
    grid.layers = best.1;
}

struct Order {
    /// The place of every item in its layer.
    positions: Vec<usize>,
    layers: Vec<Vec<usize>>,
    lefts: Vec<Vec<usize>>,
    rights: Vec<Vec<usize>>,
}

impl Order {
    fn number_all(&mut self) {
        for layer in &self.layers {
            for (position, &item) in layer.iter().enumerate() {
                self.positions[item] = position;
            }
        }
    }

    fn sweep(&mut self, rightwards: bool) {
        let count = self.layers.len();
        for step in 1..count {
            let layer = if rightwards { step } else { count - 1 - step };
            self.sort_by_barycentre(layer, rightwards);
            self.exchange_neighbours(layer);
        }
    }

    fn sort_by_barycentre(&mut self, layer: usize, rightwards: bool) {
        let neighbours = if rightwards {
            &self.lefts
        } else {
            &self.rights
        };
        let mut keyed: Vec<(f64, usize)> = Vec::with_capacity(self.layers[layer].len());
        // An item without neighbours stays behind the one before it.
        let mut before = -1.0;
        for &item in &self.layers[layer] {
            let found = &neighbours[item];
            if !found.is_empty() {
                let sum: usize = found.iter().map(|&it| self.positions[it]).sum();
                before = sum as f64 / found.len() as f64;
            }
            keyed.push((before, item));
        }
        keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
        self.layers[layer] = keyed.into_iter().map(|(_, item)| item).collect();
        self.number(layer);
    }

    fn number(&mut self, layer: usize) {
        for (position, &item) in self.layers[layer].iter().enumerate() {
            self.positions[item] = position;
        }
    }

    /// One pass of exchanges; it never adds a crossing.
    fn exchange_neighbours(&mut self, layer: usize) {
        for place in 1..self.layers[layer].len() {
            let (upper, lower) = (self.layers[layer][place - 1], self.layers[layer][place]);
            let crossings_if = |a: usize, b: usize| {
                self.crossings_between(&self.lefts[a], &self.lefts[b])
                    + self.crossings_between(&self.rights[a], &self.rights[b])
            };
            if crossings_if(lower, upper) < crossings_if(upper, lower) {
                self.layers[layer].swap(place - 1, place);
                self.positions.swap(upper, lower);
            }
        }
    }

    /// Crossings of the lines of two items, the first of which stands above the second.
    fn crossings_between(&self, upper: &[usize], lower: &[usize]) -> usize {
        // Two hubs side by side: the exchange is not worth the quadratic time.
        if upper.len() * lower.len() > 4_096 {
            return 0;
        }
        let crosses = |&&a: &&usize, &&b: &&usize| self.positions[a] > self.positions[b];
        let pairs = upper.iter().flat_map(|a| lower.iter().map(move |b| (a, b)));
        pairs.filter(|(a, b)| crosses(a, b)).count()
    }

    fn crossings(&self) -> usize {
        let pairs = self.layers.iter().zip(self.layers.iter().skip(1));
        pairs
            .map(|(left, right)| self.crossings_of_layers(left, right.len()))
            .sum()
    }

    /// Counts inversions with a Fenwick tree: for every line the earlier ones that end below it.
    fn crossings_of_layers(&self, left: &[usize], right_len: usize) -> usize {
        let mut tree = vec![0usize; right_len + 1];
        let (mut crossings, mut inserted) = (0, 0);
        for &item in left {
            let ends = || self.rights[item].iter().map(|&it| self.positions[it] + 1);
            // Lines that share their beginning do not cross: count all, then insert all.
            for end in ends() {
                let (mut not_below, mut at) = (0, end);
                while at > 0 {
                    not_below += tree[at];
                    at &= at - 1;
                }
                crossings += inserted - not_below;
            }
            for end in ends() {
                let mut at = end;
                while at <= right_len {
                    tree[at] += 1;
                    at += at & at.wrapping_neg();
                }
                inserted += 1;
            }
        }
        crossings
    }
}

#[cfg(test)]
mod tests {
    use super::super::acyclic::layers;
    use super::super::tests::sketch;
    use super::*;

    fn crossings(boxes: usize, arrows: &[(usize, usize)]) -> usize {
        let sketch = sketch(boxes, arrows);
        let mut grid = Grid::new(&sketch, &layers(&sketch));
        reduce_crossings(&mut grid);
        let [lefts, rights] = grid.neighbours();
        let mut order = Order {
            positions: vec![0; grid.items.len()],
            layers: grid.layers,
            lefts,
            rights,
        };
        order.number_all();
        order.crossings()
    }

    #[test]
    fn a_planar_graph_is_drawn_without_crossings() {
        for arrows in [
            &[(0, 1), (1, 2), (2, 0)][..],
            &[(0, 1), (0, 2), (1, 3), (2, 3)],
            &[(0, 3), (1, 2)],
            &[(0, 2), (0, 3), (1, 2), (2, 4), (3, 4), (0, 4)],
        ] {
            assert_eq!(crossings(5, arrows), 0, "{arrows:?}");
        }
    }

    #[test]
    fn a_complete_bipartite_graph_keeps_the_crossings_that_it_must_have() {
        let arrows = [(0, 3), (0, 4), (1, 3), (1, 4), (2, 3), (2, 4)];
        assert_eq!(crossings(5, &arrows), 3);
    }
}
