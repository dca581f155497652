//! Writes boxes, arrows and lines of text as elements.

use std::fmt::Write as _;

use super::super::label::{Line, Role};
use super::super::layout::{Layout, Point, Rect, Route, Step};
use super::super::model::FlowEdge;
use super::super::text;
use super::font::text_width;
use super::paint::{FONT, Paint, STYLE};
use super::{LINE_HEIGHT, MARGIN, PIECE_GAP, block_size};

const TIP_LENGTH: f64 = 9.0;

/// The body of the document, as far as it is written.
#[derive(Default)]
pub(super) struct Canvas {
    body: String,
    /// Where the layout's origin lies.
    pub(super) offset: Point,
}

impl Canvas {
    /// Writing to a `String` cannot fail.
    fn write(&mut self, text: std::fmt::Arguments<'_>) {
        let _infallible = self.body.write_fmt(text);
    }

    fn point(&self, point: Point) -> Point {
        Point {
            x: point.x + self.offset.x,
            y: point.y + self.offset.y,
        }
    }

    pub(super) fn node(
        &mut self,
        number: usize,
        name: &str,
        failed: bool,
        rect: Rect,
        lines: &[Line],
    ) {
        let Point { x, y } = self.point(Point {
            x: rect.x,
            y: rect.y,
        });
        let paint = if failed { Paint::FailedBox } else { Paint::Box };
        let (width, height) = (rect.width, rect.height);
        let title = escaped(&text::tooltip(name));
        self.write(format_args!(
            "<g data-node=\"{number}\"><title>{title}</title>\
             <rect {paint} x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"9\"/>"
        ));
        let block = block_size(lines);
        let top = y + (height - block.height) / 2.0;
        for (place, line) in lines.iter().enumerate() {
            let middle = x + width / 2.0;
            let baseline = top + place as f64 * LINE_HEIGHT + 11.5;
            for (role, piece) in &line.0 {
                let paint = match role {
                    Role::Failure => Paint::Failure,
                    _ => Paint::Actor,
                };
                self.write(format_args!(
                    "<text {paint} text-anchor=\"middle\" x=\"{middle:.1}\" y=\"{baseline:.1}\">{}</text>",
                    escaped(piece)
                ));
            }
        }
        self.body.push_str("</g>\n");
    }

    pub(super) fn edge(&mut self, number: usize, edge: &FlowEdge, route: &Route, lines: &[Line]) {
        let failures = edge.failures().value();
        let (line, tip) = match failures {
            0 => (Paint::Line, Paint::Tip),
            _ => (Paint::FailedLine, Paint::FailedTip),
        };
        let title = escaped(&edge_title(edge));
        let width = line_thickness(edge.count().value());
        self.write(format_args!(
            "<g data-edge=\"{number}\"><title>{title}</title><path {line} stroke-width=\"{width:.1}\" d=\""
        ));
        self.path(route);
        self.body.push_str("\"/>");
        let Point { x, y } = self.point(route.end());
        let length = TIP_LENGTH + width;
        let back = if route.points_left { length } else { -length };
        let half = 3.5 + width / 2.0;
        self.write(format_args!(
            "<path {tip} d=\"M{x:.1} {y:.1}l{back:.1} {half:.1}v{:.1}z\"/>",
            -2.0 * half
        ));
        let corner = self.point(Point {
            x: route.label.x,
            y: route.label.y,
        });
        for (place, line) in lines.iter().enumerate() {
            let y = corner.y + (place as f64 + 0.8) * LINE_HEIGHT;
            self.line(line, Point { x: corner.x, y }, Paint::of);
        }
        self.body.push_str("</g>\n");
    }

    /// The line ends under its tip, not in it: a thick line would stick out.
    fn path(&mut self, route: &Route) {
        let start = self.point(route.start);
        self.write(format_args!("M{:.1} {:.1}", start.x, start.y));
        for (place, step) in route.steps.iter().enumerate() {
            let is_last = place + 1 == route.steps.len();
            let short = |end: Point| Point {
                x: match (is_last, route.points_left) {
                    (false, _) => end.x,
                    (true, false) => end.x - TIP_LENGTH + 1.0,
                    (true, true) => end.x + TIP_LENGTH - 1.0,
                },
                ..end
            };
            match *step {
                Step::Line(end) => {
                    let end = self.point(short(end));
                    self.write(format_args!("L{:.1} {:.1}", end.x, end.y));
                }
                Step::Curve(a, b, end) => {
                    let [a, b, end] = [a, b, short(end)].map(|it| self.point(it));
                    self.write(format_args!(
                        "C{:.1} {:.1} {:.1} {:.1} {:.1} {:.1}",
                        a.x, a.y, b.x, b.y, end.x, end.y
                    ));
                }
            }
        }
    }

    /// Pieces side by side, as wide as they turn out to be.
    ///
    /// A name in a right-to-left script would draw the number after it to its left. Then every piece is
    /// a text of its own, at the place where it is expected to begin.
    fn line(&mut self, line: &Line, place: Point, paint_of: impl Fn(Role) -> Paint) {
        let Point { mut x, y } = place;
        let apart = line
            .0
            .iter()
            .any(|(_, piece)| text::has_right_to_left(piece));
        for (number, (role, piece)) in line.0.iter().enumerate() {
            let (paint, piece_width) = (paint_of(*role), text_width(piece, *role));
            let piece = escaped(piece);
            match (number, apart) {
                (0, _) => self.write(format_args!(
                    "<text x=\"{x:.1}\" y=\"{y:.1}\"><tspan {paint}>{piece}</tspan>"
                )),
                (_, true) => self.write(format_args!(
                    "</text><text x=\"{x:.1}\" y=\"{y:.1}\"><tspan {paint}>{piece}</tspan>"
                )),
                (_, false) => self.write(format_args!(
                    "<tspan {paint} dx=\"{PIECE_GAP}\">{piece}</tspan>"
                )),
            }
            x += piece_width + PIECE_GAP;
        }
        self.body.push_str("</text>");
    }

    /// Returns the height of the whole picture.
    pub(super) fn foot(&mut self, lines: &[(Line, Paint)], layout: &Layout) -> f64 {
        let gap = if layout.boxes.is_empty() { 0.0 } else { 26.0 };
        let top = self.offset.y + layout.size.height + gap;
        for (place, (line, paint)) in lines.iter().enumerate() {
            let baseline = top + (place as f64 + 0.8) * LINE_HEIGHT;
            let place = Point {
                x: MARGIN,
                y: baseline,
            };
            self.line(line, place, |role| match role {
                Role::Failure => Paint::Failure,
                _ => *paint,
            });
            self.body.push('\n');
        }
        top + lines.len() as f64 * LINE_HEIGHT + MARGIN * 0.75
    }

    pub(super) fn finish(self, width: f64, height: f64) -> String {
        let (width, height) = (width.ceil(), height.ceil());
        let background = Paint::Background;
        let body = self.body;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" {FONT}>\n<title>Data flow</title>\n<style>{STYLE}</style>\n\
             <rect {background} width=\"{width}\" height=\"{height}\"/>\n{body}</svg>\n"
        )
    }
}

fn edge_title(edge: &FlowEdge) -> String {
    let end = |actor: &str, port: &str| match port {
        "" => text::tooltip(actor),
        _ => format!("{} : {}", text::tooltip(actor), text::tooltip(port)),
    };
    let mut title = format!(
        "{} → {}",
        end(&edge.from_actor, &edge.from_port),
        end(&edge.to_actor, &edge.to_port)
    );
    // Tooltips of a thousand lines help nobody.
    for flow in edge.messages.iter().take(30) {
        let name = text::tooltip(&flow.message_type);
        let _infallible = write!(title, "\n{name} {}", flow.count);
    }
    title
}

/// A thousand times the messages, about twice the thickness.
fn line_thickness(messages: u64) -> f64 {
    (1.3 + 0.35 * (messages.max(1) as f64).log10()).min(4.0)
}

/// Safe in element content and in attributes; everything else was made harmless by [`text`].
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            _ => safe.push(c),
        }
    }
    safe
}
