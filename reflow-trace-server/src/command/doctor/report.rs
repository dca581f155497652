//! What was found, for people and for programs.

use reflow_trace::terminal::harmless;
use serde::Serialize;
use serde::ser::{SerializeStruct as _, Serializer};

use super::flows::Flow;
use crate::command::failure::Failure;
use crate::command::screen::{Screen, Tone};
use crate::command::show;
use crate::store::embedded::{Finding, Findings, Level, Sums};

/// Everything that a look has found.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// What was looked at.
    pub(super) about: String,
    /// How it is, a line each.
    pub(super) lines: Vec<String>,
    /// Where the events of a directory are.
    pub(super) sums: Option<Sums>,
    pub(super) findings: Findings,
    /// What was sent and did not flow; `None` when nobody asked.
    pub(super) flows: Option<Vec<Flow>>,
}

impl Report {
    /// Whether nothing is wrong; `strict`: and nothing wants somebody to look.
    pub(super) fn is_healthy(&self, strict: bool) -> bool {
        self.findings.count(Level::Fault) == 0
            && !(strict && self.findings.count(Level::Warning) > 0)
    }

    /// In a few words.
    pub(super) fn verdict(&self) -> String {
        let counted = |level, one: &str| show::counted(self.findings.count(level), one);
        let faults = counted(Level::Fault, "fault");
        format!("{faults}, {}", counted(Level::Warning, "warning"))
    }

    pub(super) fn print(&self, screen: &mut Screen) -> Result<(), Failure> {
        screen.wrapped("", &harmless(&self.about), 2)?;
        for line in &self.lines {
            screen.wrapped("  ", &harmless(line), 4)?;
        }
        let mut found: Vec<&Finding> = self.findings.iter().collect();
        found.sort_by_key(|finding| std::cmp::Reverse(finding.level));
        for finding in found {
            let (mark, tone) = match finding.level {
                Level::Fault => ("✕ ", Tone::Bad),
                Level::Warning => ("! ", Tone::Warning),
                Level::Note => ("· ", Tone::Faint),
            };
            let mark = screen.paint(tone, mark);
            let text = format!("{}: {}", finding.about, finding.text);
            // The colour of the mark takes no column.
            screen.marked(&mark, 2, &harmless(&text))?;
            screen.wrapped("  → ", &harmless(&finding.advice), 4)?;
        }
        if self.findings.left_out() > 0 {
            let more = show::counted(self.findings.left_out(), "more finding");
            screen.line(&format!("  … {more} of the same kinds"))?;
        }
        if let Some(flows) = &self.flows {
            super::flows::print(flows, screen)?;
        }
        if self.is_healthy(false) {
            let verdict = match self.findings.count(Level::Warning) {
                0 => "no fault".to_owned(),
                warnings => format!("no fault, {}", show::counted(warnings, "warning")),
            };
            screen.line(&screen.paint(Tone::Good, &verdict))?;
        }
        Ok(())
    }
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let findings: Vec<&Finding> = self.findings.iter().collect();
        let mut report = serializer.serialize_struct("report", 8)?;
        report.serialize_field("about", &self.about)?;
        report.serialize_field("healthy", &self.is_healthy(false))?;
        report.serialize_field("faults", &self.findings.count(Level::Fault))?;
        report.serialize_field("warnings", &self.findings.count(Level::Warning))?;
        report.serialize_field("sums", &self.sums)?;
        report.serialize_field("findings", &findings)?;
        report.serialize_field("left_out", &self.findings.left_out())?;
        report.serialize_field("missing_flows", &self.flows)?;
        report.end()
    }
}
