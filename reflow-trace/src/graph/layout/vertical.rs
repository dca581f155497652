//! Chooses the heights of all items.
//!
//! Every item wants its lines to run straight on into the items left and right of it. Sweeps of
//! [`align`] settle who gets how much of that; then long arrows lose their small steps and boxes move
//! by the little that makes a line straight.

use super::align::{Wish, align};
use super::lanes::{Grid, Kind};

/// Sweeps over all layers, each time to the right and back.
const SWEEPS_MAX: usize = 24;
/// Items times sweeps stay below this.
const SWEPT_ITEMS_MAX: usize = 800_000;
/// The least vertical distance of two items of which one is a box.
const BOX_DISTANCE: f64 = 22.0;
/// How far a box is moved to make a line straight.
const SNAP_MAX: f64 = 12.0;

/// The vertical centre of every item, given how far below its box's centre each line ends.
pub(super) fn centres(grid: &Grid, offsets: &[[f64; 2]]) -> Vec<f64> {
    let [lefts, rights] = pulls(grid, offsets);
    let mut y = vec![0.0; grid.items.len()];
    for layer in &grid.layers {
        let mut bottom = 0.0;
        for (place, &item) in layer.iter().enumerate() {
            if place > 0 {
                bottom += distance(grid, layer[place - 1], item);
            }
            y[item] = bottom;
        }
        // All layers start out centred.
        layer.iter().for_each(|&item| y[item] -= bottom / 2.0);
    }
    let sweeps = (SWEPT_ITEMS_MAX / grid.items.len().max(1)).clamp(2, SWEEPS_MAX);
    for sweep in 0..sweeps {
        // Towards the end both sides pull, so that no side has the last word.
        let both = sweep >= sweeps / 2;
        for layer in &grid.layers {
            move_layer(grid, layer, &mut y, [Some(&lefts), both.then_some(&rights)]);
        }
        for layer in grid.layers.iter().rev() {
            move_layer(grid, layer, &mut y, [both.then_some(&lefts), Some(&rights)]);
        }
    }
    for layer in &grid.layers {
        straighten(grid, layer, &mut y, &lefts);
    }
    for layer in grid.layers.iter().rev() {
        straighten(grid, layer, &mut y, &rights);
    }
    for layer in &grid.layers {
        snap(grid, layer, &mut y, [&lefts, &rights]);
    }
    y
}

/// A line between two items: they want `y + offset` to be the same on both sides.
#[derive(Clone, Copy)]
struct Pull {
    to: usize,
    own_offset: f64,
    to_offset: f64,
    weight: f64,
}

/// Takes the small steps out of long arrows.
///
/// Means spread a climb evenly over all lanes of an arrow, like stairs. Here every lane takes over
/// the height of the one before it, so that the climb is left to the ends.
fn straighten(grid: &Grid, layer: &[usize], y: &mut [f64], pulls: &[Vec<Pull>]) {
    let wishes = layer.iter().enumerate().map(|(place, &item)| {
        let before = place.checked_sub(1).map(|place| layer[place]);
        let goes_on = pulls[item].iter().find(|pull| {
            grid.items[item].kind != Kind::Box && grid.items[pull.to].kind != Kind::Box
        });
        Wish {
            at: goes_on.map_or(y[item], |it| y[it.to] + it.to_offset - it.own_offset),
            weight: if goes_on.is_some() { 4.0 } else { 1.0 },
            distance: before.map_or(0.0, |before| distance(grid, before, item)),
        }
    });
    let wishes: Vec<_> = wishes.collect();
    for (&item, place) in layer.iter().zip(align(&wishes)) {
        y[item] = place;
    }
}

/// Moves a box by the little that makes one of its lines straight, where there is room.
fn snap(grid: &Grid, layer: &[usize], y: &mut [f64], pulls: [&Vec<Vec<Pull>>; 2]) {
    for (place, &item) in layer.iter().enumerate() {
        if grid.items[item].kind != Kind::Box {
            continue;
        }
        let missing = pulls
            .iter()
            .flat_map(|pulls| &pulls[item])
            .map(|pull| y[pull.to] + pull.to_offset - pull.own_offset - y[item])
            .min_by(|a, b| a.abs().total_cmp(&b.abs()));
        let Some(missing) = missing.filter(|it| it.abs() <= SNAP_MAX) else {
            continue;
        };
        let above = place.checked_sub(1).map(|place| layer[place]);
        let below = layer.get(place + 1).copied();
        let lowest = above.map_or(f64::NEG_INFINITY, |it| y[it] + distance(grid, it, item));
        let highest = below.map_or(f64::INFINITY, |it| y[it] - distance(grid, item, it));
        if (lowest..=highest).contains(&(y[item] + missing)) {
            y[item] += missing;
        }
    }
}

fn pulls(grid: &Grid, offsets: &[[f64; 2]]) -> [Vec<Vec<Pull>>; 2] {
    let mut lefts = vec![Vec::new(); grid.items.len()];
    let mut rights = vec![Vec::new(); grid.items.len()];
    for (arrow, stops) in grid.stops.iter().enumerate() {
        for pair in stops.windows(2) {
            let (left, right) = (pair[0], pair[1]);
            let offset = |item: usize, end: usize| match grid.items[item].kind {
                Kind::Box => offsets[arrow][end],
                Kind::Lane => grid.items[item].line,
                Kind::Loop => 0.0,
            };
            let boxes = [left, right]
                .iter()
                .filter(|&&it| grid.items[it].kind == Kind::Box)
                .count();
            // A bend in the middle of an arrow is uglier than one at its end.
            let weight = if boxes == 0 { 8.0 } else { 1.0 };
            let (own_offset, to_offset) = (offset(left, 0), offset(right, 1));
            rights[left].push(Pull {
                to: right,
                own_offset,
                to_offset,
                weight,
            });
            lefts[right].push(Pull {
                to: left,
                own_offset: to_offset,
                to_offset: own_offset,
                weight,
            });
        }
    }
    [lefts, rights]
}

fn move_layer(grid: &Grid, layer: &[usize], y: &mut [f64], pulls: [Option<&Vec<Vec<Pull>>>; 2]) {
    let mut wishes = Vec::with_capacity(layer.len());
    for (place, &item) in layer.iter().enumerate() {
        // Whoever nobody pulls stays where it is, unless another needs the place.
        let (mut sum, mut weight) = (y[item] * 1e-3, 1e-3);
        for pull in pulls.iter().flatten().flat_map(|pulls| &pulls[item]) {
            sum += pull.weight * (y[pull.to] + pull.to_offset - pull.own_offset);
            weight += pull.weight;
        }
        let before = place.checked_sub(1).map(|place| layer[place]);
        wishes.push(Wish {
            at: sum / weight,
            weight,
            distance: before.map_or(0.0, |before| distance(grid, before, item)),
        });
    }
    for (&item, place) in layer.iter().zip(align(&wishes)) {
        y[item] = place;
    }
}

/// The least distance of the centres of two items that stand one below the other.
fn distance(grid: &Grid, upper: usize, lower: usize) -> f64 {
    let (upper, lower) = (&grid.items[upper], &grid.items[lower]);
    let apart = match upper.kind == Kind::Box || lower.kind == Kind::Box {
        true => BOX_DISTANCE,
        false => 0.0,
    };
    (upper.size.height + lower.size.height) / 2.0 + apart
}
