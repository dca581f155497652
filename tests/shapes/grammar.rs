//! Every option as a string and as it is, for the impl and for one method.

use reflow_trace::{AttributeValue, Message as _, TraceEvent, Verdict};

use super::*;

struct End {
    actor: &'static str,
    port: &'static str,
}

struct Parts {
    from: End,
    to: End,
    edge: Edge,
    waiting: Vec<u32>,
}

fn parts() -> Parts {
    Parts {
        from: End {
            actor: "a",
            port: "out",
        },
        to: End {
            actor: "b",
            port: "in1",
        },
        edge: Edge::new("x", "y", "z", "w"),
        waiting: vec![1, 2],
    }
}

/// The same impl twice, with the options in one spelling and in the other.
macro_rules! spelled {
    ($name:ident($envelope:ident, $other:ident, $target:ident, $text:ident, $many:ident), impl($($options:tt)*), send($($send:tt)*), batch($($batch:tt)*), broadcast($($broadcast:tt)*), recv($($recv:tt)*), future($($future:tt)*)) => {
        struct $name(Parts);

        #[traced_connector($($options)*)]
        impl $name {
            fn forward(&self, $envelope: Reading, $other: u32) -> bool {
                let _ = &self.0;
                $envelope.0 > $other
            }

            #[trace($($send)*)]
            fn post(&self, $target: &str, $text: String, $other: u32) -> Result<u32, u32> {
                let _ = (&self.0, $target);
                if $text.is_empty() { Err($other) } else { Ok($other) }
            }

            #[trace($($batch)*)]
            fn all(&self, $many: &[Reading], $other: u32) -> u32 {
                let _ = (&self.0, $many);
                $other
            }

            #[trace($($broadcast)*)]
            fn shout(&self, $envelope: Reading) -> u32 {
                let _ = &self.0;
                $envelope.0
            }

            #[trace($($recv)*)]
            fn take(&mut self) -> Option<u32> {
                self.0.waiting.pop()
            }

            #[trace($($future)*)]
            fn later(&self, $envelope: Reading) -> Later<'_> {
                Box::pin(async move { self.forward($envelope, 0) })
            }

            fn send(&self, first: u32, second: u32) -> u32 {
                let _ = &self.0;
                first + second
            }
        }

        impl $name {
            fn use_all(mut self) -> Vec<TraceEvent> {
                let recording = Recording::start();
                assert!(self.forward(Reading(3), 2));
                assert_eq!(self.post("c", "text".into(), 1), Ok(1));
                assert_eq!(self.post("c", "text".into(), 7), Ok(7));
                assert_eq!(self.all(&[Reading(1), Reading(2)], 1), 1);
                assert_eq!(self.shout(Reading(1)), 1);
                assert_eq!(self.take(), Some(2));
                assert!(block_on(self.later(Reading(1))));
                assert_eq!(self.send(1, 2), 3);
                recording.events()
            }
        }
    };
}

type Later<'a> = Pin<Box<dyn Future<Output = bool> + 'a>>;

spelled! {
    Strings(envelope, other, target, text, many),
    impl(
        from = "self.0.from", to = "self.0.to", depth = "self.0.waiting.len()", protocol = "tcp", compression = "zstd",
        send(forward), skip("send"), message = "envelope", attributes(other = "other * 2", "dotted.key" = "\"value\""),
        crate = "::reflow_trace"
    ),
    send(
        send, message = "text", ok = "result.as_ref().is_ok_and(|number| *number < 5)", size = "text.len() * 2",
        from_actor = "\"fixed\"", from_port = "self.0.from.port", to = "self.0.to", depth = "false", protocol = "udp",
        compression = "none", attributes(target = "target")
    ),
    batch(batch, message = "many", edge = "self.0.edge", attributes(other = "other")),
    broadcast(broadcast, fan_out = "self.0.waiting.len() + 1", attributes()),
    recv(recv, depth = "self.0.waiting.len() + 5"),
    future(send, returns = "future", attributes())
}

spelled! {
    Tokens(envelope, other, target, text, many),
    impl(
        from = self.0.from, to = self.0.to, depth = self.0.waiting.len(), protocol = "tcp", compression = "zstd",
        send(forward), skip(send), message = envelope, attributes(other = other * 2, "dotted.key" = ("value")),
        crate = ::reflow_trace,
    ),
    send(
        send, message = text, ok = result.as_ref().is_ok_and(|number| *number < 5), size = text.len() * 2,
        from_actor = ("fixed"), from_port = self.0.from.port, to = self.0.to, depth = false, protocol = "udp",
        compression = "none", attributes(target = target),
    ),
    batch(batch, message = many, edge = self.0.edge, attributes(other = other)),
    broadcast(broadcast, fan_out = self.0.waiting.len() + 1, attributes()),
    recv(recv, depth = self.0.waiting.len() + 5),
    future(send, returns = "future", attributes())
}

#[test]
fn strings_and_tokens_say_the_same() {
    let told = |event: &TraceEvent| {
        let (from, to) = (
            event.data.port.clone(),
            event
                .destination()
                .map(|(actor, port)| format!("{actor}:{port}")),
        );
        let message = event
            .data
            .message
            .as_ref()
            .map(|message| (message.message_type.clone(), message.size_bytes));
        let depth = event.data.performance_metrics.queue_depth;
        let attributes: std::collections::BTreeMap<_, _> =
            event.data.custom_attributes.clone().into_iter().collect();
        format!(
            "{} {from:?} {to:?} {message:?} {:?} {depth:?} {attributes:?}",
            event.actor_id, event.outcome
        )
    };
    let strings: Vec<String> = Strings(parts()).use_all().iter().map(told).collect();
    let tokens: Vec<String> = Tokens(parts()).use_all().iter().map(told).collect();
    assert_eq!(strings, tokens);
    assert_eq!(strings.len(), 8, "{strings:#?}");
    let events = Tokens(parts()).use_all();
    let attribute = |at: usize, key: &str| events[at].data.custom_attributes.get(key).cloned();
    let depth = |at: usize| events[at].data.performance_metrics.queue_depth;

    assert_eq!(
        (attribute(0, "other"), attribute(0, "dotted.key")),
        (Some(4.into()), Some("value".into()))
    );
    assert_eq!(
        (attribute(0, "protocol"), attribute(0, "compression")),
        (Some("tcp".into()), Some("zstd".into()))
    );
    assert_eq!(depth(0), Some(2));

    assert_eq!(events[1].actor_id, "fixed");
    assert_eq!(
        (attribute(1, "target"), attribute(1, "other")),
        (Some("c".into()), None)
    );
    assert_eq!(attribute(1, "protocol"), Some("udp".into()));
    assert_eq!(depth(1), None);
    assert_eq!(
        events[1]
            .data
            .message
            .as_ref()
            .map(|message| message.size_bytes),
        Some(8)
    );
    let outcomes: Vec<String> = events[1..3]
        .iter()
        .filter_map(|event| event.outcome)
        .map(|o| o.to_string())
        .collect();
    assert_eq!(outcomes, ["delivered", "failed"]);

    assert_eq!(
        (events[3].actor_id.as_str(), events[4].destination()),
        ("x", Some(("z", "w")))
    );
    assert_eq!(
        (attribute(3, "other"), attribute(4, "batch_size")),
        (Some(1.into()), Some(2.into()))
    );
    assert_eq!(attribute(5, "fan_out"), Some(3.into()));
    assert_eq!(depth(6), Some(7));
    assert_eq!(
        events[7]
            .outcome
            .map(|outcome| outcome.to_string())
            .as_deref(),
        Some("delivered")
    );
}

struct Letter {
    to: String,
    port: u8,
    edge: Edge,
}

struct Post;

#[traced_connector(from_actor = ("a"), from_port = ("out"), to_actor = message.to, to_port = "format_args!(\"in{}\", message.port)")]
impl Post {
    #[trace(depth = "message.to.len()")]
    fn send(&self, mut message: Letter) -> String {
        let _ = self;
        message.to.push('!');
        message.to
    }

    async fn send_async(&self, message: Letter) -> u8 {
        let _ = self;
        message.port
    }

    #[trace(edge = message.edge)]
    fn try_send(&self, message: &mut Letter) {
        let _ = self;
        message.port += 1;
    }
}

#[test]
fn the_message_may_say_where_it_goes() {
    let recording = Recording::start();
    let letter = || Letter {
        to: "b".into(),
        port: 1,
        edge: Edge::new("a", "out", "b", "in1"),
    };
    assert_eq!(Post.send(letter()), "b!");
    assert_eq!(block_on(Post.send_async(letter())), 1);
    Post.try_send(&mut letter());
    let lines = recording.lines();
    let expected = "DataFlow a:out -> b:in1 Letter delivered";
    assert_eq!(lines[..2], [expected; 2]);
    assert!(
        lines[2].starts_with("DataFlow a:out -> b:in1 "),
        "{lines:?}"
    );
    assert_eq!(
        recording.events()[0].data.performance_metrics.queue_depth,
        Some(1)
    );
}

macro_rules! sampled {
    ($module:ident, $type:tt, $flat:tt, $rate:tt, $when:tt, $predicate:tt) => {
        mod $module {
            use super::*;

            const RATE: f64 = 0.25;

            pub(super) fn is_zero(reading: &Measure) -> bool {
                reading.value == 0
            }

            #[sample $type]
            pub(super) struct Measure {
                #[trace(id)]
                pub(super) name: &'static str,
                #[trace(attribute)]
                pub(super) value: u32,
            }

            impl Measure {
                fn is_big(&self) -> bool {
                    self.value > 100
                }
            }

            #[sample(rate = RATE)]
            pub(super) enum Kind {
                #[sample $flat]
                Flat,
                #[sample $rate]
                Rated,
                #[sample $when]
                When { level: u8, noise: bool },
                #[sample $predicate]
                Tuple(u8),
                Plain,
            }

            impl Kind {
                fn is_loud(&self) -> bool {
                    matches!(self, Kind::Tuple(1..))
                }
            }
        }
    };
}

sampled!(
    strings,
    (
        rate = "RATE",
        always = "Self::is_big",
        never = "is_zero",
        always_actors = ["audit"],
        never_actors = ["debugger"],
        name = "Renamed",
        size = "self.name.len() + 4"
    ),
    (always, name = "Alarm"),
    (rate = 1.0),
    (always = "*level > 3", never = "*noise"),
    (never = "Self::is_loud")
);
sampled!(
    tokens,
    (
        rate = RATE,
        always = Self::is_big,
        never = is_zero,
        always_actors = ["audit"],
        never_actors = ["debugger",],
        name = "Renamed",
        size = self.name.len() + 4,
    ),
    (always = true, name = "Alarm"),
    (rate = 0.5 + 0.5),
    (always = *level > 3, never = *noise),
    (never = |kind| kind.is_loud())
);

macro_rules! says_the_same {
    ($module:ident) => {{
        use $module::{Kind, Measure};
        let measure = |value| Measure { name: "m", value };
        assert_eq!(measure(1).kind().name(), "Renamed");
        assert_eq!(
            measure(1).kind().threshold().to_string(),
            Kind::Plain.kind().threshold().to_string()
        );
        let verdicts = [0, 1, 101].map(|value| measure(value).verdict());
        assert_eq!(verdicts, [Verdict::Never, Verdict::ByRate, Verdict::Always]);
        assert!(matches!(measure(1).id(), Some(AttributeValue::Text("m"))));
        assert_eq!(measure(1).size(), reflow_trace::Size::known(5));
        assert_eq!(Kind::Flat.kind().name(), "Alarm");
        assert_eq!(
            (Kind::Flat.verdict(), Kind::Plain.verdict()),
            (Verdict::Always, Verdict::ByRate)
        );
        assert_eq!(
            Kind::Rated.kind().threshold(),
            reflow_trace::sampling::Threshold::ALWAYS
        );
        let when = |level, noise| Kind::When { level, noise }.verdict();
        assert_eq!(
            (when(4, false), when(4, true), when(1, false)),
            (Verdict::Always, Verdict::Never, Verdict::ByRate)
        );
        assert_eq!(
            (Kind::Tuple(0).verdict(), Kind::Tuple(1).verdict()),
            (Verdict::ByRate, Verdict::Never)
        );
    }};
}

#[test]
fn policies_in_strings_and_in_tokens_say_the_same() {
    says_the_same!(strings);
    says_the_same!(tokens);
}
