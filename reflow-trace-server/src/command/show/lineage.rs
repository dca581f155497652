//! A lineage as a tree.

use reflow_trace::api::LineageAnswer;

/// The tree, the critical path, and whether all of each trace is there. `all`: also where it is long.
pub(in crate::command) fn lineage(answer: &LineageAnswer, all: bool) -> String {
    if all {
        format!("{answer:#}")
    } else {
        answer.to_string()
    }
}
