//! Draws the lines through their lanes.

use super::lanes::{Grid, Kind, LOOP_MARGIN};
use super::place::Places;
use super::{Layout, Point, Rect, Route, Size, Sketch, Step};

/// How far a line runs straight at its ends, so that a tip sits on it without a kink.
const STRAIGHT_END: f64 = 12.0;
/// The radius of a loop's corners.
const LOOP_CORNER: f64 = 14.0;
/// Where the control points of a quarter of a circle lie, in radii before its corner.
const QUARTER: f64 = 0.45;

pub(super) fn draw(grid: &Grid, sketch: &Sketch, places: &Places) -> Layout {
    let rects: Vec<Rect> = (0..grid.items.len())
        .map(|item| rect(grid, places, item))
        .collect();
    let top = rects
        .iter()
        .map(|rect| rect.y)
        .fold(f64::INFINITY, f64::min);
    let bottom = rects.iter().map(Rect::bottom).fold(top, f64::max);
    let right = rects.iter().map(Rect::right).fold(0.0, f64::max);

    let mut routes: Vec<Route> = (0..grid.stops.len())
        .map(|arrow| {
            let mut route = match grid.items[grid.label_items[arrow]].kind {
                Kind::Loop => around(arrow, grid, places, &rects),
                Kind::Box | Kind::Lane => across(arrow, grid, places, &rects),
            };
            let lane = rects[grid.label_items[arrow]];
            let label = sketch.arrows[arrow].label;
            // Centred in a loop, standing on the line in a lane, both with the same margin above.
            let above = match grid.items[grid.label_items[arrow]].kind {
                Kind::Loop => (lane.height - label.height) / 2.0,
                Kind::Box | Kind::Lane => (lane.height - label.height) / 3.0,
            };
            route.label = Rect {
                x: lane.x + (lane.width - label.width) / 2.0,
                y: lane.y + above,
                width: label.width,
                height: label.height,
            };
            route
        })
        .collect();
    routes.iter_mut().for_each(|route| route.shift(0.0, -top));
    let boxes = rects.into_iter().take(sketch.boxes.len()).map(|rect| Rect {
        y: rect.y - top,
        ..rect
    });
    Layout {
        boxes: boxes.collect(),
        routes,
        size: Size {
            width: right,
            height: bottom - top,
        },
    }
}

/// An item stands in the middle of its column; a loop at the left, near its box.
fn rect(grid: &Grid, places: &Places, item: usize) -> Rect {
    let size = grid.items[item].size;
    let (left, width) = places.columns[grid.items[item].layer];
    Rect {
        x: match grid.items[item].kind {
            Kind::Loop => left,
            Kind::Box | Kind::Lane => left + (width - size.width) / 2.0,
        },
        y: places.y_of_item[item] - size.height / 2.0,
        width: size.width,
        height: size.height,
    }
}

/// From the left box through all lanes to the right one.
fn across(arrow: usize, grid: &Grid, places: &Places, rects: &[Rect]) -> Route {
    let stops = &grid.stops[arrow];
    let [leaves_at, enters_at] = places.ends[arrow];
    let mut pen = Pen::new(Point {
        x: rects[stops[0]].right(),
        y: leaves_at,
    });
    let column_end = |item: usize| {
        let (left, width) = places.columns[grid.items[item].layer];
        (left, left + width)
    };
    // A box may be narrower than its column: straight beyond the column's border first.
    pen.line_to(column_end(stops[0]).1 + STRAIGHT_END);
    if let [_, lanes @ .., last] = &stops[..] {
        for &lane in lanes {
            let (left, right) = column_end(lane);
            pen.curve_to(Point {
                x: left,
                y: places.y_of_item[lane] + grid.items[lane].line,
            });
            pen.line_to(right);
        }
        pen.curve_to(Point {
            x: column_end(*last).0 - STRAIGHT_END,
            y: enters_at,
        });
        pen.line_to(rects[*last].x);
    }
    if grid.reversed[arrow] {
        pen.route.reverse();
        pen.route.points_left = true;
    }
    pen.route
}

/// Out of a box, around the label and back.
fn around(arrow: usize, grid: &Grid, places: &Places, rects: &[Rect]) -> Route {
    let [from, lane] = [grid.stops[arrow][0], grid.stops[arrow][1]];
    let [leaves_at, returns_at] = places.ends[arrow];
    let lane = rects[lane];
    let (column_left, column_width) = places.columns[grid.items[from].layer];
    let (top, bottom) = (lane.y + 4.0, lane.bottom() - 4.0);
    let corner = LOOP_CORNER.min((bottom - top) / 2.0);
    let straight_until = lane.right() - corner;

    let mut pen = Pen::new(Point {
        x: rects[from].right(),
        y: leaves_at,
    });
    pen.line_to(column_left + column_width + STRAIGHT_END);
    pen.curve_to(Point {
        x: lane.x + LOOP_MARGIN,
        y: top,
    });
    pen.line_to(straight_until);
    let right = lane.right();
    let before = QUARTER * corner;
    let point = |x, y| Point { x, y };
    pen.route.steps.extend([
        Step::Curve(
            point(right - before, top),
            point(right, top + before),
            point(right, top + corner),
        ),
        Step::Line(point(right, bottom - corner)),
        Step::Curve(
            point(right, bottom - before),
            point(right - before, bottom),
            point(straight_until, bottom),
        ),
    ]);
    pen.line_to(lane.x + LOOP_MARGIN);
    pen.curve_to(Point {
        x: column_left + column_width + STRAIGHT_END,
        y: returns_at,
    });
    pen.line_to(rects[from].right());
    pen.route.points_left = true;
    pen.route
}

/// Draws a line piece by piece.
struct Pen {
    route: Route,
}

impl Pen {
    fn new(start: Point) -> Self {
        let route = Route {
            start,
            ..Route::default()
        };
        Self { route }
    }

    /// Horizontally to `x`.
    fn line_to(&mut self, x: f64) {
        let at = self.route.end();
        if at.x != x {
            self.route.steps.push(Step::Line(Point { x, y: at.y }));
        }
    }

    /// In an S that begins and ends horizontally.
    fn curve_to(&mut self, end: Point) {
        let at = self.route.end();
        let middle = f64::midpoint(at.x, end.x);
        self.route.steps.push(if at.y == end.y {
            Step::Line(end)
        } else {
            let control = |y| Point { x: middle, y };
            Step::Curve(control(at.y), control(end.y), end)
        });
    }
}

impl Route {
    /// The point of the tip.
    pub(in super::super) fn end(&self) -> Point {
        self.steps.last().map_or(self.start, Step::end)
    }

    fn reverse(&mut self) {
        let mut at = self.start;
        let mut steps = Vec::with_capacity(self.steps.len());
        for step in &self.steps {
            steps.push(match *step {
                Step::Line(_) => Step::Line(at),
                Step::Curve(a, b, _) => Step::Curve(b, a, at),
            });
            at = step.end();
        }
        steps.reverse();
        (self.start, self.steps) = (at, steps);
    }

    pub(super) fn shift(&mut self, x: f64, y: f64) {
        let moved = |point: Point| Point {
            x: point.x + x,
            y: point.y + y,
        };
        self.start = moved(self.start);
        self.label.x += x;
        self.label.y += y;
        for step in &mut self.steps {
            *step = match *step {
                Step::Line(end) => Step::Line(moved(end)),
                Step::Curve(a, b, end) => Step::Curve(moved(a), moved(b), moved(end)),
            };
        }
    }
}
