//! The picture.
//!
//! One file without scripts, fonts or references. Colours stand in attributes, so that the picture
//! also looks right where a content security policy forbids styles; a style sheet adds only the
//! dark variant for readers who prefer it, and the picture brings its own background for all
//! others. Every box is a `<g data-node="…">` and every arrow a `<g data-edge="…">` with the position
//! in [`DataFlowGraph::nodes`] and [`DataFlowGraph::edges`], for programs that want to find them, and a
//! `<title>` with the names in full, which browsers show as a tooltip.

mod canvas;
mod font;
mod paint;

use self::canvas::Canvas;
use self::font::text_width;
use self::paint::Paint;
use super::label::{self, Line, Role};
use super::layout::{self, Arrow, Point, Size, Sketch};
use super::model::DataFlowGraph;

/// Free space around everything.
const MARGIN: f64 = 24.0;
/// Free space between the name of a box and its border, left and right.
const BOX_PADDING: f64 = 16.0;
const BOX_SIZE_MIN: Size = Size {
    width: 88.0,
    height: 44.0,
};
const LINE_HEIGHT: f64 = 15.0;
/// Free space between two pieces of a line.
const PIECE_GAP: f64 = 8.0;

impl DataFlowGraph {
    /// The graph as an SVG picture, from left to right in layers.
    ///
    /// Names too wide for their place are shortened in the middle and stand in full, up to 1 000
    /// characters, in the tooltip; what XML forbids or nobody could see appears as a symbol.
    pub fn to_svg(&self) -> String {
        let node_lines: Vec<_> = self.nodes().iter().map(label::of_node).collect();
        let edge_lines: Vec<_> = self.edges().iter().map(label::of_edge).collect();
        let layout = layout::lay_out(&self.sketch(&node_lines, &edge_lines));

        let mut canvas = Canvas::default();
        let foot = self.foot();
        let foot_width = foot
            .iter()
            .map(|(line, _)| line_width(line))
            .fold(0.0, f64::max);
        let width = layout.size.width.max(foot_width).max(180.0);
        canvas.offset = Point {
            // A picture narrower than its foot stands in the middle.
            x: MARGIN + (width - layout.size.width) / 2.0,
            y: MARGIN,
        };
        for (number, edge) in self.edges().iter().enumerate() {
            canvas.edge(number, edge, &layout.routes[number], &edge_lines[number]);
        }
        for (number, node) in self.nodes().iter().enumerate() {
            let failed = node.failures > 0;
            canvas.node(
                number,
                &node.name,
                failed,
                layout.boxes[number],
                &node_lines[number],
            );
        }
        let height = canvas.foot(&foot, &layout);
        canvas.finish(width + 2.0 * MARGIN, height)
    }

    fn sketch(&self, node_lines: &[Vec<Line>], edge_lines: &[Vec<Line>]) -> Sketch {
        let boxes = node_lines.iter().map(|lines| {
            let text = block_size(lines);
            Size {
                width: (text.width + 2.0 * BOX_PADDING).max(BOX_SIZE_MIN.width),
                height: (text.height + 20.0).max(BOX_SIZE_MIN.height),
            }
        });
        // Every end of an edge is a node: `from_parts` sees to it.
        let index = |name: &str| self.node_index(name).unwrap_or_default();
        let arrows = self
            .edges()
            .iter()
            .zip(edge_lines)
            .map(|(edge, lines)| Arrow {
                from: index(&edge.from_actor),
                to: index(&edge.to_actor),
                label: block_size(lines),
                weight: edge.count().value(),
            });
        Sketch {
            boxes: boxes.collect(),
            arrows: arrows.collect(),
        }
    }

    fn foot(&self) -> Vec<(Line, Paint)> {
        let detail = |text| Line(vec![(Role::Detail, text)]);
        let losses = label::losses(self).map(|text| (detail(text), Paint::Loss));
        let legend = label::legend(self).map(|text| (detail(text), Paint::Detail));
        let summary = (label::summary(self), Paint::Detail);
        [Some(summary), losses, legend]
            .into_iter()
            .flatten()
            .collect()
    }
}

fn line_width(line: &Line) -> f64 {
    let pieces = line.0.iter().map(|(role, text)| text_width(text, *role));
    pieces.sum::<f64>() + PIECE_GAP * line.0.len().saturating_sub(1) as f64
}

fn block_size(lines: &[Line]) -> Size {
    Size {
        width: lines.iter().map(line_width).fold(0.0, f64::max),
        height: lines.len() as f64 * LINE_HEIGHT,
    }
}

#[cfg(test)]
#[cfg(test)]
mod tests;
