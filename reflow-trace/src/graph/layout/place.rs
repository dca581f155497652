//! Chooses coordinates, once layers and their orders are settled.
//!
//! Lines end where they run straight, as far as the sides of their boxes allow. A layer is as wide as
//! its widest item, and a gap the wider the steeper its lines.

use super::Sketch;
use super::align::{Wish, align};
use super::lanes::{CORNER, Grid, Kind, LINE_DISTANCE};
use super::vertical::centres;

const GAP_MIN: f64 = 40.0;
const GAP_MAX: f64 = 120.0;

/// The coordinates of all items and line ends.
#[derive(Debug)]
pub(super) struct Places {
    /// The vertical centre of every item.
    pub(super) y_of_item: Vec<f64>,
    /// The left border and the width of every layer.
    pub(super) columns: Vec<(f64, f64)>,
    /// Per arrow where its line leaves the left box and where it enters the right one; for a loop,
    /// where it leaves and where it comes back.
    pub(super) ends: Vec<[f64; 2]>,
}

/// Where a line meets the side of a box.
#[derive(Clone, Copy, Debug)]
struct Contact {
    arrow: usize,
    /// 0 is the arrow's left or leaving end, 1 the other.
    end: usize,
    neighbour: usize,
}

pub(super) fn coordinates(grid: &Grid, sketch: &Sketch) -> Places {
    let contacts = contacts(grid, sketch.boxes.len());
    let mut offsets = vec![[0.0; 2]; grid.stops.len()];
    for sides in &contacts {
        for side in sides {
            for (place, contact) in side.iter().enumerate() {
                let middle = (side.len() - 1) as f64 / 2.0;
                offsets[contact.arrow][contact.end] = (place as f64 - middle) * LINE_DISTANCE;
            }
        }
    }
    let y_of_item = centres(grid, &offsets);
    let ends = line_ends(grid, &contacts, &y_of_item);
    let columns = columns(grid, &y_of_item, &ends);
    Places {
        y_of_item,
        columns,
        ends,
    }
}

/// Per box the line ends at its left and at its right side, from top to bottom.
fn contacts(grid: &Grid, boxes: usize) -> Vec<[Vec<Contact>; 2]> {
    let mut positions = vec![0; grid.items.len()];
    for layer in &grid.layers {
        for (position, &item) in layer.iter().enumerate() {
            positions[item] = position;
        }
    }
    let mut contacts = vec![[Vec::new(), Vec::new()]; boxes];
    for (arrow, stops) in grid.stops.iter().enumerate() {
        let (first, second) = (stops[0], stops[1]);
        let mut add = |at: usize, side: usize, end, neighbour| {
            contacts[at][side].push(Contact {
                arrow,
                end,
                neighbour,
            });
        };
        add(first, 1, 0, second);
        if grid.items[second].kind == Kind::Loop {
            add(first, 1, 1, second);
        } else if let [.., neighbour, last] = stops[..] {
            add(last, 0, 1, neighbour);
        }
    }
    for side in contacts.iter_mut().flatten() {
        side.sort_by_key(|it| (positions[it.neighbour], it.arrow, it.end));
    }
    contacts
}

/// Slides the line ends along the sides of their boxes to where the lines run straight.
fn line_ends(grid: &Grid, contacts: &[[Vec<Contact>; 2]], y: &[f64]) -> Vec<[f64; 2]> {
    let mut ends = vec![[0.0; 2]; grid.stops.len()];
    for (item, side) in contacts
        .iter()
        .enumerate()
        .flat_map(|(item, sides)| sides.iter().map(move |side| (item, side)))
    {
        let wish = |contact: &Contact| {
            let neighbour = &grid.items[contact.neighbour];
            let spread = match neighbour.kind {
                Kind::Loop => (contact.end as f64 - 0.5) * LINE_DISTANCE,
                Kind::Box | Kind::Lane => neighbour.line,
            };
            Wish {
                at: y[contact.neighbour] + spread,
                weight: 1.0,
                distance: LINE_DISTANCE,
            }
        };
        let wishes: Vec<_> = side.iter().map(wish).collect();
        // Cutting off at both ends what reaches beyond the box keeps order and distances.
        let half = grid.items[item].size.height / 2.0 - CORNER;
        let (top, bottom) = (y[item] - half, y[item] + half);
        for (place, (contact, at)) in side.iter().zip(align(&wishes)).enumerate() {
            let above = place as f64 * LINE_DISTANCE;
            let below = (side.len() - 1 - place) as f64 * LINE_DISTANCE;
            let at = at.min(bottom - below).max(top + above);
            ends[contact.arrow][contact.end] = at;
        }
    }
    ends
}

fn columns(grid: &Grid, y: &[f64], ends: &[[f64; 2]]) -> Vec<(f64, f64)> {
    let mut widths = vec![0.0_f64; grid.layers.len()];
    for item in &grid.items {
        widths[item.layer] = widths[item.layer].max(item.size.width);
    }
    let mut steepest = vec![0.0_f64; grid.layers.len()];
    for (stops, ends) in grid.stops.iter().zip(ends) {
        for pair in stops.windows(2) {
            let height = |item: usize, end: usize| match grid.items[item].kind {
                Kind::Box => ends[end],
                Kind::Lane | Kind::Loop => y[item] + grid.items[item].line,
            };
            let layer = grid.items[pair[0]].layer;
            let climb = (height(pair[0], 0) - height(pair[1], 1)).abs();
            steepest[layer] = steepest[layer].max(climb);
        }
    }
    let mut x = 0.0;
    let columns = widths.iter().zip(steepest).map(|(&width, climb)| {
        let column = (x, width);
        x += width + (GAP_MIN + 0.2 * climb).min(GAP_MAX);
        column
    });
    columns.collect()
}
