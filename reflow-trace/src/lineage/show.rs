//! A lineage as lines of text, for the terminal.

use std::collections::HashSet;
use std::fmt;

use super::story::{Lineage, Role, Step, Subject};
use crate::event::{EventId, Outcome, TraceEvent};
use crate::graph::{numbers, text};

/// Most events that are shown.
const SHOWN_MAX: usize = 200;
/// How many of them are the first ones, when there are more than can be shown.
const BEGINNING: usize = 20;
/// Branches that are indented; deeper ones stay where they are.
const INDENTS_MAX: usize = 12;
/// The widest name, in columns.
const NAME_COLUMNS: usize = 36;
/// Causes and traces that are listed in one line.
const LISTED_MAX: usize = 4;

impl fmt::Display for Lineage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let events = counted(self.steps.len(), "event");
        match &self.subject {
            Subject::Event(id) => writeln!(f, "lineage of event {}: {events}", short(*id))?,
            Subject::Message(id) => {
                let id = text::shortened(&id.to_string(), NAME_COLUMNS);
                writeln!(f, "lineage of message {id}: {events}")?;
            }
            Subject::Trace(id) => writeln!(f, "lineage of trace {id}: {events}")?,
        }
        let limit = if f.alternate() { usize::MAX } else { SHOWN_MAX };
        self.write_tree(f, limit)?;
        self.write_critical_path(f)?;
        for (trace, completeness) in self.traces.iter().take(LISTED_MAX) {
            writeln!(f, "trace {trace}: {completeness}")?;
        }
        if self.traces.len() > LISTED_MAX {
            writeln!(f, "… {} more traces", self.traces.len() - LISTED_MAX)?;
        }
        Ok(())
    }
}

impl Lineage<'_> {
    /// What is shown of a long one is its beginning and what stands around the first event asked for.
    fn write_tree(&self, f: &mut fmt::Formatter<'_>, limit: usize) -> fmt::Result {
        let critical = self.critical_path.parts().iter();
        let critical: HashSet<usize> = critical.map(|part| part.step).collect();
        let rows = self.rows();
        let is_subject = |&(at, _): &(usize, String)| self.steps[at].role == Role::Subject;
        let subject = rows.iter().position(is_subject).unwrap_or(0);
        let window = limit.saturating_sub(BEGINNING);
        let start = subject.saturating_sub(window / 4 * 3);
        let start = start.min(rows.len().saturating_sub(window));
        let mut left_out = 0;
        for (place, (at, lead)) in rows.iter().enumerate() {
            let is_in_window = place >= start && place - start < window;
            if rows.len() > limit && place >= BEGINNING && !is_in_window {
                left_out += 1;
                continue;
            }
            write_left_out(f, std::mem::take(&mut left_out))?;
            let step = &self.steps[*at];
            let mark = match step.role {
                Role::Subject => '▶',
                _ if critical.contains(at) => '*',
                _ => ' ',
            };
            write!(f, "{mark} {lead}")?;
            self.write_step(f, step)?;
        }
        write_left_out(f, left_out)
    }

    /// The events with what stands before each: depth first, each under its first cause. Only where a
    /// way parts it is indented, so that the usual chain stays a column.
    fn rows(&self) -> Vec<(usize, String)> {
        let latest_first = |&at: &usize| std::cmp::Reverse(self.steps[at].event.timestamp);
        let mut children: Vec<Vec<usize>> = vec![Vec::new(); self.steps.len()];
        let mut first = Vec::new();
        for (at, step) in self.steps.iter().enumerate() {
            match step.causes.first() {
                Some(&cause) => children[cause].push(at),
                None => first.push(at),
            }
        }
        first.sort_by_key(latest_first);
        let mut open: Vec<(usize, String, String)> = first
            .into_iter()
            .map(|at| (at, String::new(), String::new()))
            .collect();
        let mut rows = Vec::with_capacity(self.steps.len());
        while let Some((at, lead, indent)) = open.pop() {
            rows.push((at, lead));
            let below = &mut children[at];
            below.sort_by_key(latest_first);
            let parts = below.len() > 1 && indent.chars().count() < 2 * INDENTS_MAX;
            for (place, &child) in below.iter().enumerate() {
                // The last one is written last, so it stands first here.
                let (lead, deeper) = match (parts, place) {
                    (false, _) => ("", ""),
                    (true, 0) => ("└ ", "  "),
                    (true, _) => ("├ ", "│ "),
                };
                open.push((
                    child,
                    format!("{indent}{lead}"),
                    format!("{indent}{deeper}"),
                ));
            }
        }
        rows
    }

    fn write_step(&self, f: &mut fmt::Formatter<'_>, step: &Step<'_>) -> fmt::Result {
        write!(f, "{}", headline(step.event))?;
        for (what, time) in [
            ("transfer", step.transfer()),
            ("waited", step.waiting()),
            ("handled", step.handling()),
        ] {
            if let Some(time) = time {
                write!(f, "  {what} {}", numbers::duration(time))?;
            }
        }
        if let Some(outcome) = step.event.outcome.filter(|&it| it != Outcome::Delivered) {
            write!(f, "  ✕ {outcome}")?;
        }
        let others = step.causes.iter().skip(1);
        let others: Vec<EventId> = others.map(|&at| self.steps[at].event.event_id).collect();
        write_ids(f, "also from", &others)?;
        write_ids(f, "missing:", &step.missing_causes)?;
        if step.is_cut() {
            f.write_str("  (a long trace was cut here)")?;
        }
        if step.is_unlinked() {
            f.write_str("  (what sent it is not known)")?;
        }
        writeln!(f, "  #{}", short(step.event.event_id))
    }

    fn write_critical_path(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = &self.critical_path;
        let bound = if path.is_lower_bound() {
            "at least "
        } else {
            ""
        };
        let length = numbers::duration(path.length());
        let events = counted(path.parts().len(), "event");
        write!(f, "critical path: {bound}{length} over {events}")?;
        if let Some(longest) = path.longest_part()
            && let Some(elapsed) = longest.elapsed
        {
            let longest = headline(self.steps[longest.step].event);
            write!(f, ", {} of it after {longest}", numbers::duration(elapsed))?;
        }
        writeln!(f)
    }
}

/// What happened where, to which message.
fn headline(event: &TraceEvent) -> String {
    let here = end(
        &event.actor_id,
        event.data.port.as_deref().unwrap_or_default(),
    );
    let what = match (super::times::is_send(event), event.destination()) {
        (true, Some((actor, port))) => format!("{here} → {}", end(actor, port)),
        (true, None) => format!("{here} → (unknown)"),
        (false, _) if super::times::is_receive(event) => format!("{here} takes up"),
        (false, _) => format!("{here} {}", event.event_type.name()),
    };
    let message = event.data.message.as_ref();
    let message_type = message.map_or_else(String::new, |message| {
        format!(
            " {}",
            text::message_type(&message.message_type, NAME_COLUMNS)
        )
    });
    let id = event.message_id().map_or_else(String::new, |id| {
        format!(" {}", text::shortened(&id.to_string(), NAME_COLUMNS))
    });
    format!("{what} {}", format!("{message_type}{id}").trim_start())
        .trim_end()
        .to_owned()
}

pub(super) fn end(actor: &str, port: &str) -> String {
    let actor = text::actor(actor, NAME_COLUMNS);
    match port {
        "" => actor,
        _ => format!("{actor}.{}", text::shortened(port, NAME_COLUMNS / 2)),
    }
}

/// Ring and number of an id of ours; the end of any other.
pub(super) fn short(id: EventId) -> String {
    match id.origin() {
        Some(origin) => format!("{}/{}", origin.ring, origin.sequence),
        None => format!("…{:08x}", id.0.as_u128() as u32),
    }
}

fn write_left_out(f: &mut fmt::Formatter<'_>, count: usize) -> fmt::Result {
    if count == 0 {
        return Ok(());
    }
    writeln!(f, "… {} more", numbers::grouped(count as u64))
}

fn write_ids(f: &mut fmt::Formatter<'_>, what: &str, ids: &[EventId]) -> fmt::Result {
    if ids.is_empty() {
        return Ok(());
    }
    let listed: Vec<String> = ids.iter().take(LISTED_MAX).map(|&id| short(id)).collect();
    write!(f, "  ({what} #{}", listed.join(", #"))?;
    if ids.len() > LISTED_MAX {
        write!(f, " and {} more", ids.len() - LISTED_MAX)?;
    }
    f.write_str(")")
}

pub(super) fn counted(count: usize, one: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {one}{plural}", numbers::grouped(count as u64))
}
