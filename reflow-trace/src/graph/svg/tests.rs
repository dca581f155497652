use proptest::prelude::*;
use roxmltree::{Document, Node};

use super::super::layout::Rect;
use super::super::model::{ActorNode, Count, FlowEdge, MessageFlow};
use super::super::tests::{counted, small_graph};
use super::*;
use crate::ledger::{Loss, LossReason};

fn number(node: Node<'_, '_>, attribute: &str) -> f64 {
    let text = node.attribute(attribute).expect(attribute);
    let number: f64 = text.parse().expect(text);
    assert!(number.is_finite());
    number
}

fn rect_of(node: Node<'_, '_>) -> Rect {
    Rect {
        x: number(node, "x"),
        y: number(node, "y"),
        width: number(node, "width"),
        height: number(node, "height"),
    }
}

fn all_text(node: Node<'_, '_>) -> String {
    let texts = node.descendants().filter(Node::is_text);
    texts
        .filter_map(|it| it.text())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Well-formed, complete, nothing outside, no two boxes on each other, nothing active or foreign.
fn assert_sound(graph: &DataFlowGraph) {
    let svg = graph.to_svg();
    let document = Document::parse(&svg).expect("well-formed XML");
    let root = document.root_element();
    let picture = Rect {
        width: number(root, "width"),
        height: number(root, "height"),
        ..Rect::default()
    };
    let view_box = format!("0 0 {} {}", picture.width, picture.height);
    assert_eq!(root.attribute("viewBox"), Some(view_box.as_str()));

    let mut boxes = Vec::new();
    for (place, _) in graph.nodes().iter().enumerate() {
        let group = root
            .children()
            .find(|it| it.attribute("data-node") == Some(&place.to_string()))
            .expect("every node has a group");
        let rect = group.children().find(|it| it.has_tag_name("rect"));
        boxes.push(rect_of(rect.expect("every node has a box")));
    }
    for (place, _) in graph.edges().iter().enumerate() {
        let group = root
            .children()
            .find(|it| it.attribute("data-edge") == Some(&place.to_string()))
            .expect("every edge has a group");
        assert_eq!(
            group
                .children()
                .filter(|it| it.has_tag_name("path"))
                .count(),
            2
        );
    }
    for (place, rect) in boxes.iter().enumerate() {
        assert!(rect.x >= 0.0 && rect.right() <= picture.width, "{rect:?}");
        assert!(rect.y >= 0.0 && rect.bottom() <= picture.height, "{rect:?}");
        let apart = |other: &Rect| {
            rect.x >= other.right()
                || other.x >= rect.right()
                || rect.y >= other.bottom()
                || other.y >= rect.bottom()
        };
        assert!(boxes[..place].iter().all(apart));
    }
    for element in root.descendants().filter(Node::is_element) {
        if element.has_tag_name("text") {
            assert!((0.0..=picture.width).contains(&number(element, "x")));
            assert!((0.0..=picture.height).contains(&number(element, "y")));
        }
        let known = [
            "svg", "title", "style", "g", "rect", "path", "text", "tspan",
        ];
        assert!(known.contains(&element.tag_name().name()));
        assert!(element.attributes().all(|it| !it.name().starts_with("on")));
    }
    for path in root.descendants().filter_map(|it| it.attribute("d")) {
        assert!(!path.contains("NaN") && !path.contains("inf"), "{path}");
    }
}

#[test]
fn a_picture_says_what_the_graph_knows() {
    let svg = small_graph().to_svg();
    let document = Document::parse(&svg).expect("well-formed XML");
    let text = all_text(document.root_element());
    for part in [
        "reader",
        "validator",
        "SensorReading",
        "out → in",
        "42",
        "✕ 3 failed",
        "p50 820 ns · p99 1.5 ms",
        "2 actors · 2 edges · 45 messages",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert_sound(&small_graph());
}

#[test]
fn an_empty_graph_is_a_picture_that_says_so() {
    let graph = DataFlowGraph::default();
    assert!(graph.to_svg().contains(">no data flow recorded<"));
    assert_sound(&graph);
}

#[test]
fn ordinary_shapes_are_sound() {
    for edges in [
        &[("a", "b", 1), ("a", "c", 1), ("b", "d", 1), ("c", "d", 1)][..],
        &[("a", "b", 1), ("b", "c", 1), ("c", "a", 1)],
        &[("a", "a", 1)],
        &[("a", "b", 1), ("b", "a", 1)],
        &[("a", "b", 1), ("c", "d", 1), ("e", "e", 1)],
        &[("a", "x", 1), ("b", "x", 1), ("x", "y", 1), ("x", "z", 1)],
    ] {
        assert_sound(&counted(edges));
    }
}

#[test]
fn losses_and_failed_actors_are_named() {
    let node = ActorNode {
        name: "a".into(),
        failures: 1,
    };
    let loss = Loss {
        reason: LossReason::RingFull,
        count: 37,
    };
    let graph = DataFlowGraph::from_parts(vec![node], vec![], vec![loss]);
    let svg = graph.to_svg();
    assert!(svg.contains("37 events lost: ring_full"));
    assert!(svg.contains("✕ actor failed"));
    assert_sound(&graph);
}

#[test]
fn names_that_could_break_a_picture_do_not() {
    let long = "x".repeat(10_000);
    let graph = counted(&[
        (&long, "", 1),
        ("", "\0\u{1}\u{1b}\u{7f}\u{fffe}\u{ffff}", 2),
        ("</text><script>alert(1)</script>", "]]>&amp;\"'<!--", 3),
        ("مرحبا", "עולם", 4),
        ("👩‍🚀", "漢字", 5),
        ("\u{202e}evil", "e\u{301}\u{301}", 6),
    ]);
    assert_sound(&graph);
    let svg = graph.to_svg();
    assert!(svg.contains("… (10000 characters)"));
    assert!(svg.len() < 20_000, "a long name is not repeated");
    assert!(!svg.contains('\u{202e}'));
}

#[test]
fn a_number_stays_behind_a_name_in_arabic() {
    let mut graph = counted(&[("a", "b", 7)]).edges().to_vec();
    graph[0].messages[0].message_type = "رسالة".into();
    let svg = DataFlowGraph::from_parts(vec![], graph, vec![]).to_svg();
    assert!(
        !svg.contains("رسالة</tspan><tspan"),
        "two texts, not one: {svg}"
    );
}

#[test]
fn a_large_graph_is_drawn() {
    // A fixed xorshift, so that the graph is the same in every run.
    let mut state = 0x9e37_79b9_u64;
    let mut name = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        format!("actor_{}", state % 2_000)
    };
    let edges = (0..5_000).map(|port| FlowEdge {
        from_actor: name(),
        from_port: format!("out_{port}"),
        to_actor: name(),
        ..FlowEdge::default()
    });
    let graph = DataFlowGraph::from_parts(vec![], edges.collect(), vec![]);
    let start = std::time::Instant::now();
    let svg = graph.to_svg();
    println!(
        "{} actors, 5 000 edges: {:?}",
        graph.nodes().len(),
        start.elapsed()
    );
    assert_eq!(svg.matches("data-edge").count(), 5_000);
    assert!(!svg.contains("NaN"));
}

proptest! {
    #[test]
    fn any_names_make_a_sound_picture(
        edges in prop::collection::vec(
            (any::<[String; 5]>(), any::<u64>(), any::<u64>(), 0..6_usize, 0..6_usize),
            0..8,
        ),
    ) {
        // Few names, so that cycles, loops and parallel edges come about.
        let names: Vec<String> = edges.iter().map(|edge| edge.0[0].clone()).collect();
        let edges = edges.iter().map(|(texts, count, failures, from, to)| FlowEdge {
            from_actor: names[from % names.len()].clone(),
            from_port: texts[1].clone(),
            to_actor: names[to % names.len()].clone(),
            to_port: texts[2].clone(),
            messages: [&texts[3], &texts[4]].map(|name| MessageFlow {
                message_type: name.clone(),
                count: Count::Estimated(*count),
                failures: Count::AtLeast(*failures),
                ..MessageFlow::default()
            }).to_vec(),
        });
        let graph = DataFlowGraph::from_parts(vec![], edges.collect(), vec![]);
        assert_sound(&graph);
        let printable = |text: &str| text.chars().all(|c| !c.is_control() || c == '\n');
        prop_assert!(printable(&graph.edge_table()));
        prop_assert!(printable(&graph.to_dot()) && printable(&graph.to_mermaid()));
    }
}
