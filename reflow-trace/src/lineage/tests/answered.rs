//! What an answer says of a lineage is what the lineage says.

use super::*;
use crate::api::{LineageAnswer, LineageSubject};

fn answer(events: &[TraceEvent], of: LineageSubject, most: usize) -> (String, LineageAnswer) {
    let index = FlowIndex::new(events);
    let lineage = index.lineage(Subject::from(&of)).expect("it is there");
    (lineage.to_string(), lineage.to_answer(of, most))
}

#[test]
fn an_answer_reads_as_the_lineage_it_was_made_of() {
    let mut events = diamond();
    for event in &mut events[2..4] {
        *event = numbered(event.clone(), 42);
    }
    for of in [
        LineageSubject::EventId(id(6)),
        LineageSubject::MessageId(json!(42)),
        LineageSubject::TraceId(trace(1 << 55)),
    ] {
        let (text, answer) = answer(&events, of, usize::MAX);
        assert_eq!(answer.to_string(), text);
        let json = serde_json::to_string(&answer).expect("it is JSON");
        let read: LineageAnswer = serde_json::from_str(&json).expect("it is an answer");
        assert_eq!(read, answer);
        assert_eq!(read.to_string(), text, "over the wire");
    }
}

#[test]
fn what_has_no_room_is_farthest_away_and_the_answer_says_so() {
    let of = LineageSubject::EventId(id(6));
    let (_, answer) = answer(&diamond(), of, 3);
    let ids: Vec<EventId> = answer.events.iter().map(|event| event.event_id).collect();
    assert_eq!(ids, [id(4), id(6), id(8)], "its cause, itself, its effect");
    assert!(answer.is_cut);
    assert_eq!(
        answer.steps[0].causes,
        [],
        "of what is left out nothing is said"
    );
    assert!(
        answer.steps[0].missing_causes.is_empty(),
        "it is not missing"
    );
    assert!(answer.to_string().contains("more events than were allowed"));
    assert_eq!(answer.critical_path_ns, Some(547 + 20), "all of it");
}

#[test]
fn an_answer_that_was_made_up_is_shown_and_does_no_harm() {
    let (_, mut answer) = answer(&diamond(), LineageSubject::EventId(id(6)), usize::MAX);
    answer.of = None;
    answer.steps[0].causes = vec![id(12), id(99), id(1)];
    answer.events.pop();
    answer.events[1].actor_id = "\u{1b}[31m".into();
    let text = answer.to_string();
    assert!(text.contains("lineage of event 1/6"));
    assert!(!text.contains('\u{1b}'));
    assert_eq!(LineageAnswer::default().to_string().lines().count(), 2);
}
