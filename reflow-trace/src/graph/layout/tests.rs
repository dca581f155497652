//! What holds for every layout.

use proptest::prelude::*;

use super::*;

/// Boxes of one size and arrows with labels of one size.
pub(super) fn sketch(boxes: usize, arrows: &[(usize, usize)]) -> Sketch {
    let size = |width, height| Size { width, height };
    let arrow = |&(from, to): &(usize, usize)| Arrow {
        from,
        to,
        label: size(80.0, 30.0),
        weight: 1,
    };
    Sketch {
        boxes: vec![size(100.0, 40.0); boxes],
        arrows: arrows.iter().map(arrow).collect(),
    }
}

fn overlap(a: &Rect, b: &Rect) -> bool {
    // Neighbouring labels may touch.
    let slack = 1e-6;
    a.x + slack < b.right()
        && b.x + slack < a.right()
        && a.y + slack < b.bottom()
        && b.y + slack < a.bottom()
}

fn points(route: &Route) -> Vec<Point> {
    let mut points = vec![route.start];
    for step in &route.steps {
        match *step {
            Step::Line(end) => points.push(end),
            Step::Curve(a, b, end) => points.extend([a, b, end]),
        }
    }
    points
}

fn assert_sound(sketch: &Sketch, layout: &Layout) {
    assert_eq!(layout.boxes.len(), sketch.boxes.len());
    assert_eq!(layout.routes.len(), sketch.arrows.len());
    let inside = |point: Point| {
        point.x >= -1e-6
            && point.y >= -1e-6
            && point.x <= layout.size.width + 1e-6
            && point.y <= layout.size.height + 1e-6
    };
    let labels = layout.routes.iter().map(|route| route.label);
    let all: Vec<Rect> = layout.boxes.iter().copied().chain(labels).collect();
    for (number, rect) in all.iter().enumerate() {
        assert!(
            inside(Point {
                x: rect.x,
                y: rect.y
            }),
            "{rect:?}"
        );
        let corner = Point {
            x: rect.right(),
            y: rect.bottom(),
        };
        assert!(inside(corner), "{rect:?} in {:?}", layout.size);
        for other in &all[..number] {
            assert!(!overlap(rect, other), "{rect:?} {other:?}");
        }
    }
    for (arrow, route) in sketch.arrows.iter().zip(&layout.routes) {
        assert!(points(route).into_iter().all(inside), "{route:?}");
        let (from, to) = (layout.boxes[arrow.from], layout.boxes[arrow.to]);
        let touches = |rect: &Rect, point: Point| {
            (point.x == rect.x || point.x == rect.right())
                && (rect.y..=rect.bottom()).contains(&point.y)
        };
        assert!(touches(&from, route.start), "{route:?} leaves {from:?}");
        assert!(touches(&to, route.end()), "{route:?} enters {to:?}");
        assert_eq!(route.points_left, route.end().x == to.right());
    }
}

#[test]
fn a_chain_is_one_straight_line() {
    let sketch = sketch(5, &[(0, 1), (1, 2), (2, 3), (3, 4)]);
    let layout = lay_out(&sketch);
    assert_sound(&sketch, &layout);
    for route in &layout.routes {
        assert!(
            points(route).iter().all(|it| it.y == route.start.y),
            "{route:?}"
        );
    }
    assert!(layout.boxes.is_sorted_by(|a, b| a.right() < b.x));
}

#[test]
fn parallel_arrows_do_not_lie_on_each_other() {
    let sketch = sketch(2, &[(0, 1), (0, 1), (0, 1)]);
    let layout = lay_out(&sketch);
    assert_sound(&sketch, &layout);
    let starts: Vec<_> = layout.routes.iter().map(|it| it.start.y).collect();
    assert!(starts[0] != starts[1] && starts[1] != starts[2]);
}

#[test]
fn a_two_way_pair_is_two_arrows_in_opposite_directions() {
    let sketch = sketch(2, &[(0, 1), (1, 0)]);
    let layout = lay_out(&sketch);
    assert_sound(&sketch, &layout);
    assert!(!layout.routes[0].points_left && layout.routes[1].points_left);
}

#[test]
fn ordinary_shapes_are_sound() {
    for (boxes, arrows) in [
        (0, &[][..]),
        (1, &[]),
        (1, &[(0, 0)]),
        (1, &[(0, 0), (0, 0)]),
        (3, &[]),
        (4, &[(0, 1), (0, 2), (1, 3), (2, 3)]),
        (3, &[(0, 1), (1, 2), (2, 0)]),
        (5, &[(0, 1), (1, 2), (2, 3), (3, 4), (0, 4), (4, 0)]),
        (6, &[(0, 1), (2, 3)]),
        (
            9,
            &[
                (0, 1),
                (0, 2),
                (0, 3),
                (0, 4),
                (5, 0),
                (6, 0),
                (7, 0),
                (8, 0),
            ],
        ),
    ] {
        let sketch = sketch(boxes, arrows);
        assert_sound(&sketch, &lay_out(&sketch));
    }
}

#[test]
fn arrows_without_lanes_of_their_own_still_arrive() {
    // A chain that every box leaves for the last one: more lanes than there may be.
    let last = 299;
    let mut arrows: Vec<_> = (0..last).map(|it| (it, it + 1)).collect();
    arrows.extend((0..last - 1).map(|it| (it, last)));
    let sketch = sketch(last + 1, &arrows);
    let layout = lay_out(&sketch);
    let arrives = |route: &Route| route.end().x == layout.boxes[last].x;
    assert!(layout.routes[last..].iter().all(arrives));
}

proptest! {
    #[test]
    fn any_graph_is_sound(
        boxes in 1..9_usize,
        arrows in prop::collection::vec((0..9_usize, 0..9_usize), 0..20),
    ) {
        let arrows: Vec<_> = arrows.iter().map(|(a, b)| (a % boxes, b % boxes)).collect();
        let sketch = sketch(boxes, &arrows);
        assert_sound(&sketch, &lay_out(&sketch));
    }
}
