//! A running server: what producers have lost, and who has fallen silent.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use reflow_trace::api::{MetricsQuestion, ServerMetrics};

use super::report::Report;
use crate::command::asker::Asker;
use crate::command::failure::Failure;
use crate::command::show;
use crate::command::stats::ago;
use crate::store::embedded::{Finding, Findings, lost_by};

/// A producer that was heard of so recently may be silent because nothing flows.
const SILENT: TimeDelta = TimeDelta::minutes(15);
/// One that was not heard of for so long has most likely ended.
const ENDED: TimeDelta = TimeDelta::days(1);
/// Silent producers that are named.
const NAMED_MAX: usize = 10;

pub(super) async fn look(
    asker: &Asker,
    now: DateTime<Utc>,
    report: &mut Report,
) -> Result<(), Failure> {
    let metrics = asker.metrics(MetricsQuestion::default()).await?;
    report.about = "the server".to_owned();
    report.lines.push(format!(
        "{} in {}, {} on disk",
        show::counted(metrics.events, "event"),
        show::counted(metrics.segments, "segment"),
        show::bytes(metrics.disk_bytes)
    ));
    report.lines.push(format!(
        "{}, {:.0} events/s",
        show::counted(metrics.producers.len() as u64, "producer"),
        metrics.events_per_second
    ));
    producers(&metrics, now, &mut report.findings);
    Ok(())
}

fn producers(metrics: &ServerMetrics, now: DateTime<Utc>, findings: &mut Findings) {
    let mut silent = BTreeMap::new();
    for producer in &metrics.producers {
        for loss in &producer.losses {
            findings.push(lost_by(producer.producer.bits(), loss.reason, loss.count));
        }
        let Some(seen) = producer.last_seen else {
            continue;
        };
        let past = now - seen;
        if past > SILENT && past < ENDED {
            silent.insert(std::cmp::Reverse(seen), producer.producer);
        }
        if past < -TimeDelta::minutes(1) {
            findings.push(Finding::warning(
                "clock_future",
                format!("producer {:013x}", producer.producer.bits()),
                format!("its last batch was stored at {}, which is yet to come", show::moment(seen)),
                "the server's clock, or this machine's, is wrong: let them keep their clocks by NTP",
            ));
        }
    }
    if !silent.is_empty() {
        let mut named: Vec<String> = silent
            .iter()
            .take(NAMED_MAX)
            .map(|(seen, producer)| format!("{:013x} ({})", producer.bits(), ago(seen.0, now)))
            .collect();
        if silent.len() > NAMED_MAX {
            named.push(format!("and {} more", silent.len() - NAMED_MAX));
        }
        findings.push(Finding::note(
            "silent",
            show::counted(silent.len() as u64, "producer"),
            format!("not heard of for more than a quarter of an hour: {}", named.join(", ")),
            "they have ended, have nothing to say, or cannot reach this server; one that runs says something at least every few seconds while messages flow",
        ));
    }
}

#[cfg(test)]
mod tests {
    use reflow_trace::api::{LossSum, ProducerSummary};
    use reflow_trace::event::ProducerId;
    use reflow_trace::ledger::LossReason;

    use super::*;
    use crate::store::embedded::Level;

    #[test]
    fn losses_are_warned_of_and_silence_is_noted() {
        let now = Utc::now();
        let producer = |bits, minutes, losses| ProducerSummary {
            producer: ProducerId::from_bits(bits),
            last_seen: Some(now - TimeDelta::minutes(minutes)),
            events: 1,
            messages: None,
            losses,
        };
        let lost = LossSum {
            reason: LossReason::RingFull,
            count: 7,
        };
        let metrics = ServerMetrics {
            producers: vec![
                producer(1, 0, vec![lost]),
                producer(2, 20, vec![]),
                producer(3, 60 * 24 * 7, vec![]),
                producer(4, -5, vec![]),
            ],
            ..ServerMetrics::default()
        };
        let mut findings = Findings::default();
        producers(&metrics, now, &mut findings);
        let found: Vec<_> = findings.iter().map(|it| (it.level, it.code)).collect();
        assert_eq!(
            found,
            [
                (Level::Warning, "lost"),
                (Level::Warning, "clock_future"),
                (Level::Note, "silent"),
            ]
        );
    }
}
