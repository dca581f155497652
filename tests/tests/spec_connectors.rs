//! The two connectors of the specification, written with the macros.
//!
//! The specification sends `message.clone()` and traces by hand afterwards, with a `?` that lets a fault of the tracing
//! fail the send. Here the annotation records the send, and nothing else about the method changes.

#![deny(warnings)]
#![forbid(unsafe_code)]

use std::error::Error;

use reflow_trace::{Message as _, Verdict, sample, traced_connector};
use reflow_trace_tests::Recording;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// A bounded channel with an async `send`.
struct Channel<M>(futures::channel::mpsc::Sender<M>);

impl<M: Send + Sync + 'static> Channel<M> {
    async fn send(&self, message: M) -> Result<()> {
        self.0.clone().try_send(message)?;
        Ok(())
    }
}

fn connect<M>(places: usize) -> (Channel<M>, futures::channel::mpsc::Receiver<M>) {
    let (sender, receiver) = futures::channel::mpsc::channel(places);
    (Channel(sender), receiver)
}

mod zero_configuration {
    use super::*;

    #[derive(Clone, Debug, PartialEq)]
    #[sample(rate = 1.0)]
    struct Message {
        text: String,
    }

    impl Message {
        fn size_bytes(&self) -> usize {
            self.text.len()
        }
    }

    struct Connector {
        from_actor: String,
        from_port: String,
        to_actor: String,
        to_port: String,
        channel: Channel<Message>,
    }

    #[traced_connector]
    impl Connector {
        async fn send_message(&self, message: Message) -> Result<()> {
            // Send the actual message
            self.channel.send(message.clone()).await?;

            Ok(())
        }
    }

    #[test]
    fn the_connector_of_the_specification_records_its_sends() {
        let recording = Recording::start();
        let (channel, mut received) = connect(0);
        let connector = Connector {
            from_actor: "sensor_reader".into(),
            from_port: "data".into(),
            to_actor: "data_processor".into(),
            to_port: "input".into(),
            channel,
        };
        let message = Message {
            text: "x".repeat(256),
        };
        futures::executor::block_on(connector.send_message(message.clone()))
            .expect("there is room for one");
        assert_eq!(received.try_recv().expect("it was sent"), message);
        drop(received);
        futures::executor::block_on(connector.send_message(message))
            .expect_err("nobody receives any more");

        assert_eq!(
            recording.lines(),
            [
                "DataFlow sensor_reader:data -> data_processor:input Message delivered",
                "MessageSent sensor_reader:data -> data_processor:input Message failed"
            ]
        );
        let event = &recording.events()[0];
        assert_eq!(
            event
                .data
                .message
                .as_ref()
                .map(|message| message.size_bytes),
            Some(256)
        );
        let attribute = |name: &str| {
            event
                .data
                .custom_attributes
                .get(name)
                .and_then(|value| value.as_str())
        };
        assert_eq!(attribute("protocol"), Some("memory_channel"));
        assert_eq!(attribute("compression"), Some("none"));
    }
}

mod selective {
    use super::*;

    // The specification's `should_trace_message`, line by line:
    #[derive(Clone, Debug)]
    #[sample(rate = 0.1)] // Sample 10% of other messages
    enum Message {
        #[sample(always)] // Always trace alerts
        CriticalAlert(String),
        #[sample(never)] // Never trace debug info
        DebugInfo(String),
        #[sample(always = "self.size_bytes() > 1024")] // Large updates only
        DataUpdate(Vec<u8>),
        Heartbeat,
    }

    impl Message {
        fn size_bytes(&self) -> usize {
            match self {
                Message::CriticalAlert(text) | Message::DebugInfo(text) => text.len(),
                Message::DataUpdate(bytes) => bytes.len(),
                Message::Heartbeat => 0,
            }
        }
    }

    struct SelectiveConnector {
        from_actor: String,
        from_port: String,
        to_actor: String,
        to_port: String,
        channel: Channel<Message>,
    }

    #[traced_connector]
    impl SelectiveConnector {
        async fn send_message(&self, message: Message) -> Result<()> {
            self.channel.send(message.clone()).await?;

            Ok(())
        }
    }

    #[test]
    fn the_rules_of_the_specification_are_the_verdicts() {
        let verdict = |message: Message| message.verdict();
        assert_eq!(
            verdict(Message::CriticalAlert("hot".into())),
            Verdict::Always
        );
        assert_eq!(
            verdict(Message::DebugInfo("x".repeat(5000))),
            Verdict::Never
        );
        assert_eq!(verdict(Message::DataUpdate(vec![0; 1025])), Verdict::Always);
        assert_eq!(verdict(Message::DataUpdate(vec![0; 1024])), Verdict::ByRate);
        assert_eq!(verdict(Message::Heartbeat), Verdict::ByRate);
        assert_eq!(Message::Heartbeat.kind().name(), "Heartbeat");
    }

    #[test]
    fn the_selective_connector_of_the_specification_records_by_its_rules() {
        const EACH: usize = 1_000;
        let recording = Recording::start();
        let (channel, mut received) = connect(0);
        let connector = SelectiveConnector {
            from_actor: "a".into(),
            from_port: "out".into(),
            to_actor: "b".into(),
            to_port: "in".into(),
            channel,
        };
        let messages = [
            Message::CriticalAlert("hot".into()),
            Message::DebugInfo("x".into()),
            Message::DataUpdate(vec![0; 2000]),
            Message::Heartbeat,
        ];
        for _ in 0..EACH {
            for message in &messages {
                futures::executor::block_on(connector.send_message(message.clone()))
                    .expect("there is room for one");
                received.try_recv().expect("it was sent");
            }
        }
        let events = recording.events();
        let count = |name: &str| {
            events
                .iter()
                .filter(|event| {
                    event
                        .data
                        .message
                        .as_ref()
                        .is_some_and(|m| m.message_type == name)
                })
                .count()
        };
        assert_eq!(count("CriticalAlert"), EACH);
        assert_eq!(count("DebugInfo"), 0);
        assert_eq!(count("DataUpdate"), EACH);
        // A thousand draws at 10 %: eight standard deviations to either side.
        assert!(
            (25..=175).contains(&count("Heartbeat")),
            "{}",
            count("Heartbeat")
        );
    }
}
