//! What can be asked, for people who look.

use std::fmt::Write as _;

use reflow_trace::api::{Question, SUBPROTOCOL};

use super::parameters;

/// The page of `GET /api`.
pub(super) fn page() -> String {
    let mut page = String::from(
        "Questions. POST /api/{question} with JSON, or GET /api/{question} with parameters:\n\n",
    );
    for name in Question::NAMES {
        // Writing into a `String` does not fail.
        let _written = writeln!(page, "  /api/{name}");
        for parameter in parameters::of(name) {
            let _written = writeln!(page, "      {:<22} {}", parameter.form, parameter.what);
        }
    }
    let _written = write!(
        page,
        "\nA WebSocket to /api with the subprotocol `{SUBPROTOCOL}` asks many at once and subscribes.\n"
    );
    page
}
