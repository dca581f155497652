//! What the options say.

use super::*;

struct End {
    actor: &'static str,
    port: &'static str,
}

struct Connector {
    from: End,
    to: End,
}

#[derive(Debug, PartialEq)]
enum Answer {
    Accepted,
    Refused,
}

#[traced_connector(
    from = self.from,
    to = "self.to",
    protocol = "tcp",
    compression = "zstd",
    attributes(number = "message.0", r#type = "self.kind()", "dotted.key" = "\"v\""),
    skip(send)
)]
impl Connector {
    fn kind(&self) -> &'static str {
        self.from.port
    }

    fn send(&self, message: Reading) -> Answer {
        self.forward("b", message)
    }

    #[trace(send, ok = "*result == Answer::Accepted", to_actor = "target")]
    fn forward(&self, target: &str, message: Reading) -> Answer {
        let _ = target;
        if message.0 > 100 {
            Answer::Refused
        } else {
            Answer::Accepted
        }
    }
}

#[test]
fn options_say_where_and_what_and_whether_it_went_well() {
    let recording = Recording::start();
    let connector = Connector {
        from: End {
            actor: "a",
            port: "out",
        },
        to: End {
            actor: "x",
            port: "in1",
        },
    };
    assert_eq!(connector.send(Reading(1)), Answer::Accepted);
    assert_eq!(connector.send(Reading(101)), Answer::Refused);
    assert_eq!(recording.lines(), [DELIVERED, FAILED]);
    let attributes = &recording.events()[0].data.custom_attributes;
    for (key, value) in [
        ("protocol", "tcp"),
        ("compression", "zstd"),
        ("type", "out"),
        ("dotted.key", "v"),
    ] {
        assert_eq!(attributes[key], value, "{key}");
    }
    assert_eq!(attributes["number"], 1);
}
