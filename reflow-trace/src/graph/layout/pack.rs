//! Lays out what hangs together, piece by piece, and puts the pieces on one sheet.

use super::{Arrow, Layout, Rect, Route, Size, Sketch};

/// Free space between two pieces: wider than any gap inside one.
const GUTTER: f64 = 56.0;
/// Width over height that the sheet strives for when there are many pieces.
const ASPECT: f64 = 1.8;

/// The pieces in rows, the one with the most boxes first.
pub(super) fn pack(sketch: &Sketch, lay_out: impl Fn(&Sketch) -> Layout) -> Layout {
    let mut pieces: Vec<(Piece, Layout)> = pieces(sketch)
        .into_iter()
        .map(|piece| {
            let layout = lay_out(&piece.sketch(sketch));
            (piece, layout)
        })
        .collect();
    pieces.sort_by_key(|(piece, _)| (std::cmp::Reverse(piece.boxes.len()), piece.boxes[0]));

    let widest = pieces.iter().map(|it| it.1.size.width).fold(0.0, f64::max);
    let area = |size: Size| (size.width + GUTTER) * (size.height + GUTTER);
    let total: f64 = pieces.iter().map(|it| area(it.1.size)).sum();
    let width_limit = widest.max((total * ASPECT).sqrt());

    let mut sheet = Layout {
        size: Size::default(),
        boxes: vec![Rect::default(); sketch.boxes.len()],
        routes: vec![Route::default(); sketch.arrows.len()],
    };
    let (mut x, mut y, mut row_height) = (0.0_f64, 0.0, 0.0_f64);
    for (piece, layout) in pieces {
        let size = layout.size;
        if x > 0.0 && x + size.width > width_limit {
            y += row_height + GUTTER;
            (x, row_height) = (0.0, 0.0);
        }
        for (&number, rect) in piece.boxes.iter().zip(layout.boxes) {
            sheet.boxes[number] = Rect {
                x: rect.x + x,
                y: rect.y + y,
                ..rect
            };
        }
        for (&number, mut route) in piece.arrows.iter().zip(layout.routes) {
            route.shift(x, y);
            sheet.routes[number] = route;
        }
        sheet.size.width = sheet.size.width.max(x + size.width);
        sheet.size.height = sheet.size.height.max(y + size.height);
        row_height = row_height.max(size.height);
        x += size.width + GUTTER;
    }
    sheet
}

/// The numbers of boxes and arrows that hang together.
#[derive(Default)]
struct Piece {
    boxes: Vec<usize>,
    arrows: Vec<usize>,
}

impl Piece {
    fn sketch(&self, whole: &Sketch) -> Sketch {
        // Boxes of a piece are in ascending order.
        let local = |number: usize| self.boxes.partition_point(|&it| it < number);
        let arrow = |&number: &usize| {
            let arrow = whole.arrows[number];
            Arrow {
                from: local(arrow.from),
                to: local(arrow.to),
                ..arrow
            }
        };
        Sketch {
            boxes: self.boxes.iter().map(|&it| whole.boxes[it]).collect(),
            arrows: self.arrows.iter().map(arrow).collect(),
        }
    }
}

fn pieces(sketch: &Sketch) -> Vec<Piece> {
    // Union-find: every box points to a box of its piece, at last to the one that stands for it.
    let mut leaders: Vec<usize> = (0..sketch.boxes.len()).collect();
    fn leader(leaders: &mut [usize], mut of: usize) -> usize {
        while leaders[of] != of {
            leaders[of] = leaders[leaders[of]];
            of = leaders[of];
        }
        of
    }
    for arrow in &sketch.arrows {
        let (a, b) = (
            leader(&mut leaders, arrow.from),
            leader(&mut leaders, arrow.to),
        );
        leaders[a.max(b)] = a.min(b);
    }
    let mut pieces: Vec<Piece> = Vec::new();
    pieces.resize_with(sketch.boxes.len(), Piece::default);
    for number in 0..sketch.boxes.len() {
        pieces[leader(&mut leaders, number)].boxes.push(number);
    }
    for (number, arrow) in sketch.arrows.iter().enumerate() {
        pieces[leader(&mut leaders, arrow.from)].arrows.push(number);
    }
    pieces.retain(|piece| !piece.boxes.is_empty());
    pieces
}
