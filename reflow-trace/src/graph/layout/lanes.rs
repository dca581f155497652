//! Cuts arrows into lanes, one per layer they pass.

use super::acyclic::Layers;
use super::{Size, Sketch};

/// The most lanes that one piece may have; see the module above.
const LANES_MAX: usize = 60_000;
/// Free space above the text of a label, between text and line, and below the line.
const LABEL_MARGIN: f64 = 7.0;
/// The height of a lane without a label.
const BARE_LANE_HEIGHT: f64 = 14.0;
/// How near to the corner of a box a line may end.
pub(super) const CORNER: f64 = 9.0;
/// The least distance of two lines at the side of a box.
pub(super) const LINE_DISTANCE: f64 = 12.0;
/// What a loop needs around its label.
pub(super) const LOOP_MARGIN: f64 = 10.0;

/// What takes up room in a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Box,
    Lane,
    /// A lane that is left where it was entered.
    Loop,
}

/// A box, or the part of an arrow that lies in one layer.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) kind: Kind,
    pub(super) layer: usize,
    pub(super) size: Size,
    /// Where a lane's line runs, below the lane's centre: a label stands on its line.
    pub(super) line: f64,
}

/// The layers with all that is in them.
#[derive(Debug)]
pub(super) struct Grid {
    /// The boxes, by their numbers, then the lanes.
    pub(super) items: Vec<Item>,
    /// The items of each layer from top to bottom.
    pub(super) layers: Vec<Vec<usize>>,
    /// Per arrow its items from left to right: a box, lanes, a box. A loop has a box and a lane.
    pub(super) stops: Vec<Vec<usize>>,
    /// Per arrow the item that holds its label.
    pub(super) label_items: Vec<usize>,
    pub(super) reversed: Vec<bool>,
}

impl Grid {
    pub(super) fn new(sketch: &Sketch, layers: &Layers) -> Self {
        let boxes = sketch.boxes.iter().zip(&layers.column_of_box);
        let items = boxes.map(|(&size, column)| Item {
            kind: Kind::Box,
            layer: 2 * column,
            size,
            line: 0.0,
        });
        let mut grid = Self {
            items: items.collect(),
            layers: Vec::new(),
            stops: vec![Vec::new(); sketch.arrows.len()],
            label_items: vec![0; sketch.arrows.len()],
            reversed: layers.reversed.clone(),
        };
        let span = |number: usize| {
            let arrow = &sketch.arrows[number];
            layers.column_of_box[arrow.from].abs_diff(layers.column_of_box[arrow.to])
        };
        let mut shortest_first: Vec<usize> = (0..sketch.arrows.len()).collect();
        shortest_first.sort_by_key(|&number| (span(number), number));
        let mut lanes_left = LANES_MAX;
        for number in shortest_first {
            let wanted = (2 * span(number)).saturating_sub(1);
            let in_full = wanted <= lanes_left;
            lanes_left = lanes_left.saturating_sub(wanted);
            grid.add_arrow(sketch, number, in_full);
        }
        grid.heighten_boxes(sketch.boxes.len());
        grid.layers = grid.initial_order();
        grid
    }

    fn add_arrow(&mut self, sketch: &Sketch, number: usize, in_full: bool) {
        let arrow = &sketch.arrows[number];
        if arrow.from == arrow.to {
            let layer = self.items[arrow.from].layer + 1;
            let lane = self.add(Item {
                kind: Kind::Loop,
                layer,
                size: Size {
                    width: arrow.label.width + 2.0 * LOOP_MARGIN,
                    height: arrow.label.height + 2.0 * LABEL_MARGIN + LINE_DISTANCE,
                },
                line: 0.0,
            });
            self.stops[number] = vec![arrow.from, lane];
            self.label_items[number] = lane;
            return;
        }
        let (left, right) = match self.reversed[number] {
            false => (arrow.from, arrow.to),
            true => (arrow.to, arrow.from),
        };
        let between = self.items[left].layer + 1..self.items[right].layer;
        // The label is near the sender: there the reader begins.
        let label_layer = match self.reversed[number] {
            false => between.start,
            true => between.end - 1,
        };
        let mut stops = vec![left];
        for layer in between.filter(|&layer| in_full || layer == label_layer) {
            if layer == label_layer {
                let height = arrow.label.height + 3.0 * LABEL_MARGIN;
                stops.push(self.add(Item {
                    kind: Kind::Lane,
                    layer,
                    size: Size {
                        width: arrow.label.width,
                        height,
                    },
                    line: height / 2.0 - LABEL_MARGIN,
                }));
                self.label_items[number] = self.items.len() - 1;
            } else {
                stops.push(self.add(Item {
                    kind: Kind::Lane,
                    layer,
                    size: Size {
                        width: 0.0,
                        height: BARE_LANE_HEIGHT,
                    },
                    line: 0.0,
                }));
            }
        }
        stops.push(right);
        self.stops[number] = stops;
    }

    /// Makes room for all lines that meet the fuller side of a box.
    fn heighten_boxes(&mut self, boxes: usize) {
        let mut lines = vec![[0usize; 2]; boxes];
        for stops in &self.stops {
            match stops[..] {
                // A loop leaves and comes back at the right.
                [from, _] => lines[from][1] += 2,
                [left, .., right] => {
                    lines[left][1] += 1;
                    lines[right][0] += 1;
                }
                _ => {}
            }
        }
        for (item, [at_left, at_right]) in self.items.iter_mut().zip(lines) {
            let distances = at_left.max(at_right).saturating_sub(1) as f64;
            let needed = distances * LINE_DISTANCE + 2.0 * CORNER;
            item.size.height = item.size.height.max(needed);
        }
    }

    fn add(&mut self, item: Item) -> usize {
        self.items.push(item);
        self.items.len() - 1
    }

    /// Pairs of items in neighbouring layers that a line connects, left one first.
    pub(super) fn links(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.stops
            .iter()
            .flat_map(|stops| stops.windows(2).map(|pair| (pair[0], pair[1])))
            .filter(|&(left, right)| self.items[left].layer + 1 == self.items[right].layer)
    }

    /// The neighbours of every item: those in the layer to the left, those in the one to the right.
    pub(super) fn neighbours(&self) -> [Vec<Vec<usize>>; 2] {
        let mut lefts = vec![Vec::new(); self.items.len()];
        let mut rights = vec![Vec::new(); self.items.len()];
        for (left, right) in self.links() {
            rights[left].push(right);
            lefts[right].push(left);
        }
        [lefts, rights]
    }

    /// Depth first along the arrows, so that what belongs together starts together.
    fn initial_order(&self) -> Vec<Vec<usize>> {
        let layer_count = self.items.iter().map(|item| item.layer + 1).max();
        let mut layers = vec![Vec::new(); layer_count.unwrap_or(0)];
        let [_, rights] = self.neighbours();
        let mut starts: Vec<usize> = (0..self.items.len()).collect();
        starts.sort_by_key(|&it| (self.items[it].layer, it));
        let mut seen = vec![false; self.items.len()];
        for start in starts {
            let mut open = vec![start];
            while let Some(at) = open.pop() {
                if !std::mem::replace(&mut seen[at], true) {
                    layers[self.items[at].layer].push(at);
                    open.extend(rights[at].iter().rev());
                }
            }
        }
        layers
    }
}
