//! Tickets: how somebody proves who it is that cannot send a header.
//!
//! A browser sends no `Authorization` with a WebSocket. So its page fetches a ticket over HTTP, with its
//! token, and says it as the first message. A ticket is 32 random bytes, is good once and for half a minute,
//! and permits what the token does. There are few at one time; all are compared, in constant time, so that
//! the time of an answer tells nothing. Each bearer has a part of them: who draws more loses its own oldest.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use tokio::time::Instant;

use super::grant::Grant;
use super::token::{Scope, hex, random, unhex};
use super::{Refused, Shared};

/// How long one is good.
const GOOD_FOR: Duration = Duration::from_secs(30);
/// How many there may be that are good.
const TICKETS_MAX: usize = 1_024;
/// How many of them may be of one bearer.
const OF_ONE_MAX: usize = 64;

/// The tickets that are good.
#[derive(Debug, Default)]
pub(crate) struct Tickets {
    /// In the order in which they were drawn.
    entries: Mutex<Vec<Entry>>,
}

struct Entry {
    secret: [u8; 32],
    until: Instant,
    grant: Grant,
}

impl Tickets {
    /// Draws a ticket; `None` when there are too many, or the system has no randomness.
    pub(crate) fn issue(&self, grant: Grant) -> Option<String> {
        let mut secret = [0; 32];
        random().fill(&mut secret).ok()?;
        let now = Instant::now();
        let mut entries = self.entries();
        entries.retain(|entry| entry.until > now);
        let is_own = |entry: &Entry| entry.grant.bearer() == grant.bearer();
        if entries.iter().filter(|entry| is_own(entry)).count() >= OF_ONE_MAX
            && let Some(oldest) = entries.iter().position(is_own)
        {
            entries.remove(oldest);
        }
        if entries.len() >= TICKETS_MAX {
            return None;
        }
        entries.push(Entry {
            secret,
            until: now + GOOD_FOR,
            grant,
        });
        Some(hex(&secret))
    }

    /// What the ticket permits, once.
    pub(crate) fn redeem(&self, ticket: &str) -> Option<Grant> {
        let presented = unhex(ticket)?;
        let mut entries = self.entries();
        let mut found = u32::MAX;
        for (index, entry) in (0_u32..).zip(entries.iter()) {
            let same: Choice = entry.secret[..].ct_eq(&presented[..]);
            found.conditional_assign(&index, same);
        }
        let index = usize::try_from(found).ok()?;
        if index >= entries.len() {
            return None;
        }
        let entry = entries.remove(index);
        (entry.until > Instant::now()).then_some(entry.grant)
    }

    fn entries(&self) -> MutexGuard<'_, Vec<Entry>> {
        // Entries are whole whenever the lock is free.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A ticket is a secret as long as it is good.
impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entry")
            .field("grant", &self.grant)
            .finish_non_exhaustive()
    }
}

/// `POST /api/ticket`.
pub(super) async fn issue(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    let grant = shared.grant(&headers)?;
    if !grant.permits(Scope::Subscribe) && !grant.permits(Scope::Query) {
        return Err(Refused::WrongScope(Scope::Subscribe));
    }
    let ticket = shared.tickets.issue(grant).ok_or(Refused::TooManyTickets)?;
    // Hexadecimal digits need no escape.
    let body = format!(
        "{{\"ticket\":\"{ticket}\",\"expires_in_ms\":{}}}\n",
        GOOD_FOR.as_millis()
    );
    Ok(([(CONTENT_TYPE, "application/json")], body).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::token::{Caller, Scopes};

    fn grant(name: &str) -> Grant {
        Grant {
            caller: Caller::Bearer(name.to_owned()),
            scopes: Scopes::parse("subscribe").ok(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_ticket_is_good_once_and_for_its_bearer() {
        let tickets = Tickets::default();
        let one = tickets.issue(grant("one")).expect("room");
        let two = tickets.issue(grant("two")).expect("room");
        assert_ne!(one, two);
        assert_eq!(one.len(), 64);
        let bearer = |ticket: &str| Some(tickets.redeem(ticket)?.bearer().to_owned());
        assert_eq!(bearer(&one).as_deref(), Some("one"));
        assert_eq!(bearer(&one), None);
        assert_eq!(bearer(&two).as_deref(), Some("two"));
        for wrong in ["", "x", &"0".repeat(64), &"ü".repeat(32)] {
            assert_eq!(bearer(wrong), None, "{wrong}");
        }
        assert!(!format!("{tickets:?}").contains(&two));
    }

    #[tokio::test(start_paused = true)]
    async fn a_ticket_that_is_too_old_is_none_and_makes_room() {
        let tickets = Tickets::default();
        let old = tickets.issue(grant("0")).expect("room");
        for number in 1..TICKETS_MAX {
            assert!(tickets.issue(grant(&number.to_string())).is_some());
        }
        assert_eq!(tickets.issue(grant("one more")), None);
        tokio::time::advance(GOOD_FOR).await;
        assert!(tickets.redeem(&old).is_none());
        assert!(tickets.issue(grant("one more")).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn who_draws_too_many_loses_its_own_oldest_and_nobody_elses() {
        let tickets = Tickets::default();
        let another = tickets.issue(grant("another")).expect("room");
        let first = tickets.issue(grant("greedy")).expect("room");
        let second = tickets.issue(grant("greedy")).expect("room");
        for _ in 2..=OF_ONE_MAX {
            assert!(tickets.issue(grant("greedy")).is_some());
        }
        assert!(tickets.redeem(&first).is_none());
        assert!(tickets.redeem(&second).is_some());
        for _ in 0..TICKETS_MAX {
            assert!(tickets.issue(grant("greedy")).is_some());
        }
        assert!(tickets.redeem(&another).is_some());
    }
}
