//! Where the time goes, edge by edge.
//!
//! What the time of an edge is stands in `rules.md`.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::index::FlowIndex;
use super::network::ends_of_send;
use super::show::end;
use super::times::{duration_ns, is_receive, waiting_ns};
use crate::event::TraceEvent;
use crate::graph::numbers;

/// The time that the messages of one edge took.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EdgeShare {
    /// The sending actor, its port, the receiving actor, its port.
    pub ends: [String; 4],
    /// Recorded sends.
    pub sends: u64,
    /// What the sends took in all.
    pub transfer: Duration,
    /// What the messages waited in all, transfer included.
    pub waiting: Duration,
    /// What their handling took in all.
    pub handling: Duration,
    /// Part of the time of all edges, 0.0 to 1.0.
    pub share: f64,
    /// Each event counts for the messages it stands for; else all count alike.
    pub is_weighted: bool,
}

impl FlowIndex<'_> {
    /// The edges by their share of time, the largest first.
    pub fn edge_shares(&self) -> Vec<EdgeShare> {
        let counts = |event: &&TraceEvent| ends_of_send(event).is_some() || is_receive(event);
        let mut counted = self.events().filter(counts);
        let is_weighted = counted.all(|event| event.weight().is_some());
        #[derive(Default)]
        struct Sums {
            sends: u64,
            transfer: f64,
            waiting: f64,
            handling: f64,
            /// Wait of each message, or its transfer.
            time: f64,
        }
        let mut edges: BTreeMap<[&str; 4], Sums> = BTreeMap::new();
        for place in 0..self.len() as u32 {
            let event = self.events[place as usize];
            let weight = event.weight().filter(|_| is_weighted).unwrap_or(1.0);
            if let Some(ends) = ends_of_send(event) {
                let sums = edges.entry(ends).or_default();
                let transfer = duration_ns(event).unwrap_or(0) as f64 * weight;
                let waits = |&effect: &u32| waiting_ns(self.events[effect as usize]).is_some();
                sums.sends += 1;
                sums.transfer += transfer;
                if !self.effects_of(place).iter().any(waits) {
                    sums.time += transfer;
                }
            } else if is_receive(event) {
                let cause = self.causes_of(place).first();
                let cause = cause.map(|&cause| self.events[cause as usize]);
                let Some(ends) = cause.and_then(ends_of_send) else {
                    continue;
                };
                let sums = edges.entry(ends).or_default();
                let waiting = waiting_ns(event).unwrap_or(0) as f64 * weight;
                let handling = duration_ns(event).unwrap_or(0) as f64 * weight;
                sums.waiting += waiting;
                sums.handling += handling;
                sums.time += waiting + handling;
            }
        }
        let total: f64 = edges.values().map(|sums| sums.time).sum();
        let duration = |ns: f64| Duration::from_nanos(ns as u64);
        let mut shares: Vec<EdgeShare> = edges
            .into_iter()
            .map(|(ends, sums)| EdgeShare {
                ends: ends.map(str::to_owned),
                sends: sums.sends,
                transfer: duration(sums.transfer),
                waiting: duration(sums.waiting),
                handling: duration(sums.handling),
                share: if total > 0.0 { sums.time / total } else { 0.0 },
                is_weighted,
            })
            .collect();
        shares.sort_by(|a, b| {
            b.share
                .total_cmp(&a.share)
                .then_with(|| a.ends.cmp(&b.ends))
        });
        shares
    }
}

impl fmt::Display for EdgeShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [from, from_port, to, to_port] = &self.ends;
        let [waiting, handling] = [self.waiting, self.handling].map(numbers::duration);
        write!(
            f,
            "{:>5.1} %  {} → {}  waited {waiting}, handled {handling}",
            self.share * 100.0,
            end(from, from_port),
            end(to, to_port),
        )
    }
}
