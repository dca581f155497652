//! Places boxes and arrows from left to right, in layers.
//!
//! The method is Sugiyama's: break cycles, put every box to the right of what it receives from,
//! order each layer so that few arrows cross, then choose coordinates. One idea makes labels
//! simple: *a label is an item of a layer*. Boxes take the even layers; every arrow owns a *lane* in
//! each layer between its ends, and its label lies in the lane of an odd one. Items of a layer
//! never overlap, an arrow is straight inside its lanes and bends only between layers, so no
//! label meets a box, another label or another arrow. A loop from a box to itself is a lane with a
//! label in the next layer that the arrow goes around.
//!
//! The rarest arrow of a cycle is placed as if it ran from left to right, and drawn with its tip at
//! the left end.
//!
//! Time and space are bounded: the number of lanes and of ordering sweeps is limited. When the lanes
//! are used up, the longest arrows get one for their label only and cross the rest of the picture in
//! one curve; with a few hundred boxes this does not happen. Nothing here recurses, hashes or
//! draws random numbers: equal input gives equal output.
//!
//! # Why not a library
//!
//! Three crates were tried, optimised, with random graphs on a small machine. `rust-sugiyama` 0.4
//! panics on a loop, knows neither labels nor routes, and gave no answer within a minute for 100 boxes
//! and 250 arrows. `layout-rs` 0.1.3 took 24 s for them and reserves no room for labels. `dagre` 0.1.2
//! has all that is needed and took 1 s, but 34 s for 300 and 750; it compiles for 24 s, and not at
//! all without its default features. What is below takes half a second for 2 000 and 5 000.

mod acyclic;
mod align;
mod lanes;
mod order;
mod pack;
mod place;
mod route;
mod vertical;

/// A width and a height.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Size {
    pub(super) width: f64,
    pub(super) height: f64,
}

/// A place; y grows downwards.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
}

/// A rectangle by its upper left corner.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Rect {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Rect {
    pub(super) fn right(&self) -> f64 {
        self.x + self.width
    }

    pub(super) fn bottom(&self) -> f64 {
        self.y + self.height
    }
}

/// What is to be placed: boxes by number, and arrows between them.
#[derive(Clone, Debug, Default)]
pub(super) struct Sketch {
    /// The least sizes of the boxes; one with many arrows on a side becomes higher.
    pub(super) boxes: Vec<Size>,
    pub(super) arrows: Vec<Arrow>,
}

/// An arrow between two boxes, or from a box to itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrow {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) label: Size,
    /// How much it matters that the arrow runs to the right: the rarest of a cycle runs back.
    pub(super) weight: u64,
}

/// Where everything is, in the order of the sketch.
#[derive(Clone, Debug, Default)]
pub(super) struct Layout {
    pub(super) size: Size,
    pub(super) boxes: Vec<Rect>,
    pub(super) routes: Vec<Route>,
}

/// The way of an arrow.
#[derive(Clone, Debug, Default)]
pub(super) struct Route {
    /// Where the label goes.
    pub(super) label: Rect,
    /// Where the line begins.
    pub(super) start: Point,
    /// How it goes on, up to the tip.
    pub(super) steps: Vec<Step>,
    /// The tip points to the left, as at the end of a cycle or a loop.
    pub(super) points_left: bool,
}

/// A piece of a line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Step {
    /// Straight to a point.
    Line(Point),
    /// A cubic Bézier curve: two control points and the end.
    Curve(Point, Point, Point),
}

impl Step {
    pub(super) const fn end(&self) -> Point {
        match self {
            Self::Line(end) | Self::Curve(_, _, end) => *end,
        }
    }
}

/// Places every piece that hangs together on its own, then packs the pieces onto one sheet.
pub(super) fn lay_out(sketch: &Sketch) -> Layout {
    pack::pack(sketch, |piece| {
        let layers = acyclic::layers(piece);
        let mut grid = lanes::Grid::new(piece, &layers);
        order::reduce_crossings(&mut grid);
        let places = place::coordinates(&grid, piece);
        route::draw(&grid, piece, &places)
    })
}

#[cfg(test)]
mod tests;
