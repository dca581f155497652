//! What `#[sample]` makes of types, variants and fields.

#![deny(warnings)]
#![forbid(unsafe_code)]

use reflow_trace::sampling::Threshold;
use reflow_trace::{Message as _, Verdict, sample};

const HALF: f32 = 0.5;

#[sample(rate = HALF, never = "is_empty", always = "self.0.len() > 3", always_actors = ["audit"], name = "Text")]
struct Words(Vec<&'static str>);

fn is_empty(words: &Words) -> bool {
    words.0.is_empty()
}

#[sample(never)]
enum Selected {
    Silent,
    #[sample(always)]
    Loud,
    #[sample(rate = 0.25)]
    Sometimes,
    #[sample(always = "*level > 3 && !quiet", name = "Alarm")]
    Alert {
        level: u8,
        quiet: bool,
    },
    #[sample(
        never = "_1.is_empty()",
        always = "|message| matches!(message, Selected::Pair(9, _))"
    )]
    Pair(u8, String),
}

#[sample(always = "self.urgent()", never = "matches!(self, Self::Ping)")]
enum Conditional {
    #[sample(always)]
    Ping,
    #[sample(never = "number % 2 == 1")]
    Number {
        number: u32,
    },
    Other,
}

impl Conditional {
    fn urgent(&self) -> bool {
        matches!(self, Self::Number { number } if *number > 10) || matches!(self, Self::Ping)
    }
}

#[sample(rate = 1.0, size = "self.items.len() * 2")]
struct Generic<'a, T: Clone, const N: usize>
where
    T: Send,
{
    items: [&'a T; N],
}

#[test]
fn a_type_is_decided_by_never_before_always_before_rate() {
    let verdict = |words: &[&'static str]| Words(words.to_vec()).verdict();
    assert_eq!(verdict(&[]), Verdict::Never);
    assert_eq!(verdict(&["a"; 4]), Verdict::Always);
    assert_eq!(verdict(&["a"]), Verdict::ByRate);
    let kind = Words(Vec::new()).kind();
    assert_eq!(kind.name(), "Text");
    assert_eq!(kind.threshold(), Threshold::from_rate(0.5));
}

#[test]
fn what_a_variant_says_of_its_own_replaces_what_the_type_says_of_all() {
    assert_eq!(Selected::Silent.verdict(), Verdict::Never);
    assert_eq!(Selected::Loud.verdict(), Verdict::Always);
    assert_eq!(Selected::Sometimes.verdict(), Verdict::ByRate);
    let quarter = Threshold::from_rate(0.25);
    assert_eq!(Selected::Sometimes.kind().threshold(), quarter);
}

#[test]
fn the_rules_of_a_variant_may_name_its_fields() {
    assert_eq!(
        Selected::Alert {
            level: 4,
            quiet: false
        }
        .verdict(),
        Verdict::Always
    );
    assert_eq!(
        Selected::Alert {
            level: 4,
            quiet: true
        }
        .verdict(),
        Verdict::Never
    );
    assert_eq!(
        Selected::Alert {
            level: 0,
            quiet: false
        }
        .kind()
        .name(),
        "Alarm"
    );
    assert_eq!(Selected::Pair(9, String::new()).verdict(), Verdict::Never);
    assert_eq!(Selected::Pair(9, "x".into()).verdict(), Verdict::Always);
}

#[test]
fn conditions_of_the_type_hold_for_every_variant() {
    assert_eq!(Conditional::Ping.verdict(), Verdict::Never);
    assert_eq!(
        Conditional::Number { number: 12 }.verdict(),
        Verdict::Always
    );
    assert_eq!(Conditional::Number { number: 13 }.verdict(), Verdict::Never);
    assert_eq!(Conditional::Number { number: 2 }.verdict(), Verdict::ByRate);
    assert_eq!(Conditional::Other.verdict(), Verdict::ByRate);
}

#[test]
fn generic_messages_keep_their_bounds() {
    let generic = Generic { items: [&1, &2] };
    assert_eq!(generic.kind().name(), "Generic");
    assert_eq!(generic.size(), reflow_trace::Size::known(4));
}
