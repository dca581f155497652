//! Events as subscribers get them: made once, written once, in the forms that rights allow.

use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use reflow_trace::wire::WireBatch;
use reflow_trace::{TraceEvent, TraceEventType};
use serde_json::Value;

use crate::answer::Rights;

/// An event on its way to subscribers, who share it and its JSON.
#[derive(Debug)]
pub(crate) struct Shown {
    event: TraceEvent,
    json: OnceLock<Box<str>>,
}

/// One row as an event, in both forms.
#[derive(Debug)]
pub(super) struct Forms {
    whole: Arc<Shown>,
    /// The same one where nothing was captured.
    bare: Arc<Shown>,
}

/// A committed batch whose rows become events when somebody wants them.
#[derive(Debug)]
pub(super) struct SharedBatch {
    pub(super) offset: u64,
    pub(super) batch: Arc<WireBatch>,
    /// One for each row; there from the first row that is wanted.
    cells: OnceLock<Box<[OnceLock<Option<Forms>>]>>,
}

impl Shown {
    pub(crate) fn new(event: TraceEvent) -> Arc<Self> {
        Arc::new(Self {
            event,
            json: OnceLock::new(),
        })
    }

    /// The event as JSON; written the first time.
    pub(crate) fn json(&self) -> &str {
        self.json.get_or_init(|| {
            // An event has string keys and no failing `Serialize`; and if, a reader finds an empty object.
            let text = serde_json::to_string(&self.event).unwrap_or_else(|_| "{}".to_owned());
            text.into_boxed_str()
        })
    }

    /// Memory that it takes with its JSON, nearly.
    pub(super) fn bytes(&self) -> usize {
        /// Names, attributes and both in JSON, of the usual event.
        const USUAL_BYTES: usize = 2_560;
        /// Of that, what [`texts`](Self::texts) are.
        const USUAL_TEXTS: usize = 1_024;
        let data = &self.event.data;
        let captured = (data.message.as_ref()).map_or(0, |message| message.serialized_data.len());
        let changed = data.state_diff.as_ref().map_or(0, |diff| {
            diff.after.len() + diff.before.as_ref().map_or(0, Vec::len)
        });
        // A byte is up to four characters of a list in JSON.
        USUAL_BYTES + (captured + changed) * 5 + self.texts().saturating_sub(USUAL_TEXTS)
    }

    /// What whoever made the event may have written at any length, in memory and in JSON.
    fn texts(&self) -> usize {
        let (data, causality) = (&self.event.data, &self.event.causality);
        let ends = match &self.event.event_type {
            TraceEventType::DataFlow { to_actor, to_port } => to_actor.len() + to_port.len(),
            _ => 0,
        };
        let kind = data
            .message
            .as_ref()
            .map_or(0, |message| message.message_type.len());
        let port = data.port.as_ref().map_or(0, String::len);
        let error = data.error.as_ref().map_or(0, String::len);
        let texts = self.event.actor_id.len() + ends + kind + port + error;
        let attributes = data.custom_attributes.iter();
        let attributes = attributes.map(|(name, value)| name.len() * 2 + weight(value));
        // An id is 16 bytes, and 39 characters with quotes and a comma.
        let chain = (causality.dependency_chain.len() + causality.joined_event_ids.len()) * 55;
        texts * 2 + attributes.sum::<usize>() + chain
    }
}

/// Memory that a value takes with its JSON, nearly. It is as deep as the wire permits.
fn weight(value: &Value) -> usize {
    let within = match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 8,
        Value::String(text) => text.len() * 2,
        Value::Array(values) => values.iter().map(weight).sum(),
        Value::Object(members) => (members.iter())
            .map(|(name, value)| size_of::<String>() + name.len() * 2 + weight(value))
            .sum(),
    };
    size_of::<Value>() + within
}

impl Deref for Shown {
    type Target = TraceEvent;

    fn deref(&self) -> &TraceEvent {
        &self.event
    }
}

impl Forms {
    fn new(event: TraceEvent) -> Self {
        let has_content = event.data.state_diff.is_some()
            || (event.data.message.as_ref())
                .is_some_and(|message| !message.serialized_data.is_empty());
        let whole = Shown::new(event);
        let bare = if has_content {
            Shown::new(without_content(whole.event.clone()))
        } else {
            Arc::clone(&whole)
        };
        Self { whole, bare }
    }

    pub(super) fn event(&self) -> &TraceEvent {
        &self.whole
    }

    pub(super) fn shown(&self, rights: Rights) -> &Arc<Shown> {
        if rights.content {
            &self.whole
        } else {
            &self.bare
        }
    }
}

impl SharedBatch {
    pub(super) fn new(offset: u64, batch: Arc<WireBatch>) -> Self {
        Self {
            offset,
            batch,
            cells: OnceLock::new(),
        }
    }

    /// The row as an event, and the memory that it takes from now on; `None` where there is no such row.
    pub(super) fn event(&self, row: usize) -> Option<(&Forms, usize)> {
        let rows = self.batch.len();
        let cells = self
            .cells
            .get_or_init(|| (0..rows).map(|_| OnceLock::new()).collect());
        let cell = cells.get(row)?;
        let mut grown = 0;
        let forms = cell.get_or_init(|| {
            let forms = Forms::new(self.batch.event(row)?);
            grown = forms.whole.bytes();
            if !Arc::ptr_eq(&forms.whole, &forms.bare) {
                grown += forms.bare.bytes();
            }
            Some(forms)
        });
        Some((forms.as_ref()?, grown))
    }

    /// Memory that it takes without the events that were made of it.
    pub(super) fn bytes(&self) -> usize {
        self.batch.memory_bytes() + self.batch.len() * size_of::<OnceLock<Option<Forms>>>()
    }
}

/// The event without what was captured of a message or of a state.
pub(crate) fn without_content(mut event: TraceEvent) -> TraceEvent {
    if let Some(message) = &mut event.data.message {
        message.serialized_data = Vec::new();
    }
    event.data.state_diff = None;
    event
}
