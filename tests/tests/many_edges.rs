//! More edges than can be told apart cost bounded memory, and their messages are counted as one.
//!
//! A binary of its own: the dictionary is that of the process and stays full.

#![cfg(target_os = "linux")]

use reflow_trace::{EDGES_MAX, OVERFLOW_NAME, sample, traced_connector};

#[sample(never)]
struct Note;

struct Connector {
    from_actor: String,
    from_port: &'static str,
    to_actor: &'static str,
    to_port: &'static str,
}

#[traced_connector]
impl Connector {
    fn send(&self, message: Note) -> Result<(), String> {
        let Note = message;
        Ok(())
    }
}

fn send_over_new_edges(numbers: std::ops::Range<usize>) {
    for number in numbers {
        let connector = Connector {
            from_actor: format!("{number:0>200}"),
            from_port: "out",
            to_actor: "b",
            to_port: "in",
        };
        connector.send(Note).expect("a traced send is the send");
    }
}

/// The resident size of this process, in pages.
fn resident_pages() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux tells");
    let pages = statm.split_whitespace().nth(1).expect("the second field");
    pages.parse().expect("a number")
}

#[test]
fn edges_beyond_the_limit_cost_no_memory_and_count_as_one() {
    let guard = reflow_trace::builder().start().expect("nobody records");
    send_over_new_edges(0..EDGES_MAX + 1_000);
    let before = resident_pages();
    send_over_new_edges(1_000_000..1_000_000 + EDGES_MAX);
    let grown = resident_pages().saturating_sub(before);
    // Each of them kept, they would take some 8 000 pages.
    // What the collector needs meanwhile to tell the counters of them all is some 1 300.
    assert!(grown < 4_000, "{grown} pages");

    let tracing = reflow_trace::global_tracing().expect("it is under way");
    let counters = tracing.edge_counters();
    assert_eq!(counters.edges.len(), EDGES_MAX);
    let rest = counters
        .edges
        .iter()
        .find(|edge| edge.from_actor == OVERFLOW_NAME);
    let told_apart = EDGES_MAX - 1;
    let sent = 2 * EDGES_MAX + 1_000;
    assert_eq!(
        rest.map(|edge| edge.messages),
        Some((sent - told_apart) as u64)
    );
    drop(guard);
}
