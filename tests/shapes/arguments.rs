//! Every spelling of an argument, and which of them is the message.

use super::*;

struct Mark(u32);

struct Envelope {
    reading: Reading,
    #[expect(dead_code, reason = "the pattern leaves it out")]
    address: String,
    priority: u8,
}

struct Connector(Wire);

#[traced_connector(
    from_actor = self.0.from_actor, from_port = self.0.from_port, to_actor = self.0.to_actor, to_port = self.0.to_port,
    message = letter
)]
impl Connector {
    #[trace(message = reading)]
    fn send(
        &self,
        Envelope {
            reading, priority, ..
        }: Envelope,
        retries: u32,
    ) -> Result<u32, Full> {
        self.0.push(reading)?;
        Ok(u32::from(priority) + retries)
    }

    async fn send_async(
        &self,
        factor: u32,
        (message, (left, mut right)): (Reading, (u32, u32)),
    ) -> u32 {
        right += left * factor;
        let _ = self.0.push(message);
        right
    }

    fn try_send(&self, &Mark(value): &Mark) -> bool {
        self.0.push(Reading(value)).is_ok()
    }

    fn send_timeout(&self, _: Reading) -> usize {
        self.0.sent().len()
    }

    fn send_message(&self, ((0, b) | (b, _)): (u32, u32)) -> u32 {
        let _ = &self.0;
        b
    }

    fn blocking_send(&self, message: &mut Reading) {
        let _ = self.0.push(message.clone());
        message.0 += 1;
    }

    fn start_send(&self, message: &[Reading]) -> usize {
        self.0.sent().len() + message.len()
    }

    fn send_blocking<'a>(&self, message: &'a str, mut topic: &'a str) -> &'a str {
        let _ = &self.0;
        if topic.is_empty() {
            topic = message;
        }
        topic
    }

    fn send_deadline(&self, letter: impl Into<Reading> + Clone, _value: u32, _packet: u32) -> bool {
        self.0.push(letter.clone().into()).is_ok() && self.0.push(letter.into()).is_ok()
    }

    #[trace(send)]
    fn post<M: Clone, const N: usize>(&self, items: u8, msg: [M; N]) -> Vec<M>
    where
        [M; N]: Sized,
    {
        let _ = (&self.0, items);
        msg.to_vec()
    }

    #[trace(send, message = "r#type")]
    fn raw(&self, r#type: Reading, message: u8) -> bool {
        let _ = message;
        self.0.push(r#type).is_ok()
    }

    // What the generated code is called is nothing to the user.
    #[trace(send)]
    #[expect(clippy::many_single_char_names, reason = "they are the point")]
    fn names(
        &self,
        flow: u32,
        out: u32,
        future: u32,
        size: u32,
        result: u32,
        message: Reading,
    ) -> u32 {
        let (a, b, c, d, e) = (flow, out, future, size, result);
        let _ = self.0.push(message);
        a + b + c + d + e
    }

    #[trace(send)]
    fn conditional(
        &self,
        #[cfg(any())] absent: There,
        #[cfg(not(any()))] present: u32,
        #[cfg_attr(all(), expect(unused_variables))] unused: u32,
        message: Reading,
    ) -> u32 {
        let _ = self.0.push(message);
        present
    }

    #[trace(send)]
    async fn bounded(&self, message: &dyn for<'b> Fn(&'b u32) -> &'b u32) -> u32 {
        let _ = &self.0;
        *message(&1)
    }
}

impl From<u32> for Reading {
    fn from(number: u32) -> Self {
        Reading(number)
    }
}

fn message_types(recording: &Recording) -> Vec<String> {
    let events = recording.events();
    let messages = events.iter().map(|event| event.data.message.as_ref());
    messages
        .map(|message| message.map_or_else(String::new, |message| message.message_type.clone()))
        .collect()
}

#[test]
fn the_message_is_the_whole_argument_however_it_is_taken_apart() {
    let recording = Recording::start();
    let connector = Connector(Wire::new());
    let envelope = |number| Envelope {
        reading: Reading(number),
        address: String::new(),
        priority: 3,
    };
    assert_eq!(connector.send(envelope(1), 4), Ok(7));
    assert_eq!(connector.send(envelope(101), 4), Err(Full(101)));
    assert_eq!(block_on(connector.send_async(1, (Reading(2), (3, 4)))), 7);
    assert!(connector.try_send(&Mark(3)));
    assert_eq!(connector.send_timeout(Reading(4)), 3);
    assert_eq!(connector.send_message((1, 2)), 1);
    assert_eq!(connector.0.sent(), [1, 2, 3]);
    assert_eq!(
        message_types(&recording),
        [
            "Envelope",
            "Envelope",
            "(shapes::Reading, (u32, u32))",
            "&shapes::arguments::Mark",
            "Reading",
            "(u32, u32)"
        ]
    );
}

#[test]
fn messages_behind_references_are_found() {
    let recording = Recording::start();
    let connector = Connector(Wire::new());
    let mut message = Reading(1);
    connector.blocking_send(&mut message);
    assert_eq!(message, Reading(2));
    assert_eq!(connector.start_send(&[Reading(1)]), 2);
    assert_eq!(connector.send_blocking("message", ""), "message");
    assert_eq!(
        message_types(&recording),
        ["Reading", "&[shapes::Reading]", "str"]
    );
}

#[test]
fn the_message_is_the_argument_that_was_named_or_is_called_like_one() {
    let recording = Recording::start();
    let connector = Connector(Wire::new());
    assert!(connector.send_deadline(1_u32, 0, 0));
    assert_eq!(connector.post(1, [2_u64, 3]), [2, 3]);
    assert!(connector.raw(Reading(1), 2));
    assert_eq!(connector.names(1, 2, 3, 4, 5, Reading(1)), 15);
    assert_eq!(connector.conditional(7, 0, Reading(1)), 7);
    assert_eq!(block_on(connector.bounded(&|number| number)), 1);
    let types = message_types(&recording);
    assert_eq!(
        types[..5],
        ["u32", "[u64; 2]", "Reading", "Reading", "Reading"]
    );
    assert!(types[5].contains("dyn"), "{types:?}");
}
