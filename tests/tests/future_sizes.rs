//! What a recorded future holds beside the user's own.

use std::mem::size_of_val;

use reflow_trace::{Edge, traced_connector};

/// The attempt between two polls, whether there was a first poll, the state of the future around the body, and what
/// aligning them costs. What the body keeps is kept once.
const MORE_BYTES_MAX: usize = 32;

struct Plain;
struct Traced {
    edge: Edge,
}

/// Goes on with the next poll.
async fn next_turn() {
    std::future::ready(()).await;
}

impl Plain {
    async fn send(&self, message: u32) -> Result<(), String> {
        next_turn().await;
        let _over_the_await = message;
        Ok(())
    }

    async fn send_message(&self, message: [u8; 1024]) -> Result<(), String> {
        next_turn().await;
        let _over_the_await = message;
        Ok(())
    }

    async fn send_async(&self, message: u32) -> [u8; 1024] {
        next_turn().await;
        [u8::try_from(message).unwrap_or(0); 1024]
    }
}

#[traced_connector(edge = "self.edge")]
impl Traced {
    async fn send(&self, message: u32) -> Result<(), String> {
        next_turn().await;
        let _over_the_await = message;
        Ok(())
    }

    async fn send_message(&self, message: [u8; 1024]) -> Result<(), String> {
        next_turn().await;
        let _over_the_await = message;
        Ok(())
    }

    async fn send_async(&self, message: u32) -> [u8; 1024] {
        next_turn().await;
        [u8::try_from(message).unwrap_or(0); 1024]
    }
}

#[test]
fn a_recorded_future_is_a_few_words_larger_and_holds_neither_message_nor_answer_twice() {
    let plain = Plain;
    let traced = Traced {
        edge: Edge::new("a", "out", "b", "in"),
    };
    let pairs = [
        (
            size_of_val(&plain.send(1)),
            size_of_val(&traced.send(1)),
            "a number",
        ),
        (
            size_of_val(&plain.send_message([0; 1024])),
            size_of_val(&traced.send_message([0; 1024])),
            "a kilobyte sent",
        ),
        (
            size_of_val(&plain.send_async(1)),
            size_of_val(&traced.send_async(1)),
            "a kilobyte returned",
        ),
    ];
    for (plain, traced, what) in pairs {
        assert!(
            traced <= plain + MORE_BYTES_MAX,
            "{what}: {traced} bytes, {plain} without the attribute"
        );
    }
}
