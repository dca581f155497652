//! What is sent: orders that go through five actors.

use std::convert::Infallible;
use std::sync::mpsc::channel;
use std::thread;

use reflow_trace::{Context, Edge, sample};

/// What travels.
#[derive(Debug)]
#[sample(always)]
pub struct Order {
    #[trace(id)]
    id: String,
    #[trace(context)]
    context: Context,
}

/// Sends of one order.
pub const HOPS: usize = 5;

/// Five actors behind one another.
#[derive(Debug)]
pub struct Line {
    edges: [Edge; HOPS],
    has_uuids: bool,
    dice: fastrand::Rng,
    number: u64,
}

impl Line {
    /// A line whose orders have UUIDs for ids, or else `order-00000001` and so on.
    pub fn new(has_uuids: bool) -> Self {
        let edges = [
            ["gateway", "orders", "validator", "in"],
            ["validator", "valid", "pricing", "in"],
            ["pricing", "priced", "inventory", "in"],
            ["inventory", "reserved", "payment", "in"],
            ["payment", "paid", "shipping", "in"],
        ];
        Self {
            edges: edges.map(|[from, out, to, into]| Edge::new(from, out, to, into)),
            has_uuids,
            dice: fastrand::Rng::with_seed(1),
            number: 0,
        }
    }

    /// So many orders, made beforehand: that is the program's own work.
    pub fn orders(&mut self, count: usize) -> Vec<Order> {
        let orders = (0..count).map(|_| {
            self.number += 1;
            let id = if self.has_uuids {
                let [a, b] = [self.dice.u64(..), self.dice.u64(..)];
                format!(
                    "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
                    a >> 32,
                    a >> 16 & 0xffff,
                    a & 0xffff,
                    b >> 48,
                    b & 0xffff_ffff_ffff
                )
            } else {
                format!("order-{:08}", self.number)
            };
            Order {
                id,
                context: Context::NONE,
            }
        });
        orders.collect()
    }

    /// Each order over all five edges, each of which has a thread of its own: the orders wait in between.
    pub fn send_by_threads(&self, orders: Vec<Order>) {
        thread::scope(|scope| {
            let (first, mut inbox) = channel();
            for edge in &self.edges {
                let (outbox, next) = channel();
                let from = std::mem::replace(&mut inbox, next);
                scope.spawn(move || {
                    for order in from {
                        let sent = reflow_trace::send(edge, order, |order| outbox.send(order));
                        // The next one is there as long as this one is.
                        drop(sent);
                    }
                });
            }
            for order in orders {
                // As above.
                drop(first.send(order));
            }
            drop(first);
            std::hint::black_box(inbox.into_iter().count());
        });
    }

    /// Each order over all five edges.
    pub fn send(&self, orders: Vec<Order>) {
        for mut order in orders {
            for edge in &self.edges {
                let sent = reflow_trace::send(edge, order, Ok::<_, Infallible>);
                order = sent.unwrap_or_else(|never| match never {});
            }
            std::hint::black_box(order.id);
        }
    }
}
