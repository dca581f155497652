//! Stretches of time as people write them: `--last 1h`, `--from 2026-01-31 --to '2026-01-31 12:00'`.
//!
//! Times are UTC unless they say otherwise. A day stands for its beginning after `--from` and for its end
//! after `--to`, so that one day is asked for by naming it twice.

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use clap::{Arg, ArgMatches};

use super::failure::Failure;
use crate::config::parse_time;

/// From the first time to the second, both included.
pub(super) type Span = (DateTime<Utc>, DateTime<Utc>);

/// The flags.
pub(super) fn flags() -> [Arg; 3] {
    [
        Arg::new("last")
            .long("last")
            .value_name("TIME")
            .conflicts_with_all(["from", "to"])
            .help("Only so far back from now: `10min`, `1h`, `7d`"),
        Arg::new("from").long("from").value_name("WHEN").help(
            "Not before: `2026-01-31`, `'2026-01-31 12:00'` (UTC) or `2026-01-31T12:00:00+01:00`",
        ),
        Arg::new("to")
            .long("to")
            .value_name("WHEN")
            .help("Not after; a day is meant to its end"),
    ]
}

/// What the flags say; `None` is all of time.
pub(super) fn span(matches: &ArgMatches) -> Result<Option<Span>, Failure> {
    let text = |name: &str| matches.get_one::<String>(name).map(String::as_str);
    span_of(text("last"), text("from"), text("to"), Utc::now()).map_err(Failure::Usage)
}

fn span_of(
    last: Option<&str>,
    from: Option<&str>,
    to: Option<&str>,
    now: DateTime<Utc>,
) -> Result<Option<Span>, String> {
    if let Some(last) = last {
        let wrong = |reason: &str| format!("`--last {last}` is not understood: {reason}");
        let back = parse_time(last).map_err(|reason| wrong(&reason))?;
        let start = TimeDelta::from_std(back)
            .ok()
            .and_then(|back| now.checked_sub_signed(back))
            .ok_or_else(|| wrong("that is before any time there is"))?;
        return Ok(Some((start, now)));
    }
    if from.is_none() && to.is_none() {
        return Ok(None);
    }
    let start = match from {
        Some(text) => moment("--from", text, false)?,
        None => DateTime::from_timestamp_nanos(i64::MIN),
    };
    let end = match to {
        Some(text) => moment("--to", text, true)?,
        None => DateTime::from_timestamp_nanos(i64::MAX),
    };
    if end < start {
        return Err(format!(
            "`--to` is {end}, before `--from`, {start}: write the earlier time after `--from`"
        ));
    }
    Ok(Some((start, end)))
}

fn moment(flag: &str, text: &str, is_end: bool) -> Result<DateTime<Utc>, String> {
    let text = text.trim();
    if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        let next = day.checked_add_days(Days::new(1)).filter(|_| is_end);
        let midnight = |day: NaiveDate| day.and_time(chrono::NaiveTime::MIN).and_utc();
        return Ok(next.map_or(midnight(day), |next| {
            midnight(next) - TimeDelta::nanoseconds(1)
        }));
    }
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(time.to_utc());
    }
    for form in [
        "%Y-%m-%d %H:%M",
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%dT%H:%M",
        "%Y-%m-%dT%H:%M:%S%.f",
    ] {
        if let Ok(time) = NaiveDateTime::parse_from_str(text.trim_end_matches('Z'), form) {
            return Ok(time.and_utc());
        }
    }
    Err(format!(
        "`{flag} {text}` is no time: write `2026-01-31`, `2026-01-31 12:00` or `2026-01-31T12:00:00Z`"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-01-31T12:00:00Z".parse().expect("a time")
    }

    fn spans(from: &str, to: &str) -> [String; 2] {
        let (start, end) = span_of(None, Some(from), Some(to), now())
            .expect("is right")
            .expect("is there");
        [start, end].map(|time| time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true))
    }

    #[test]
    fn a_day_is_meant_from_its_beginning_to_its_end() {
        assert_eq!(
            spans("2026-01-31", "2026-01-31"),
            ["2026-01-31T00:00:00Z", "2026-01-31T23:59:59.999999999Z"]
        );
    }

    #[test]
    fn times_are_utc_unless_they_say_otherwise() {
        assert_eq!(
            spans("2026-01-31 12:00", "2026-01-31T14:00:00.5+01:00"),
            ["2026-01-31T12:00:00Z", "2026-01-31T13:00:00.500Z"]
        );
    }

    #[test]
    fn the_last_hour_ends_now() {
        let span = span_of(Some("1h"), None, None, now()).expect("is right");
        assert_eq!(span, Some((now() - TimeDelta::hours(1), now())));
        assert_eq!(span_of(None, None, None, now()), Ok(None));
    }

    #[test]
    fn what_is_no_time_is_refused_with_an_example() {
        for (last, from, to) in [
            (Some("1"), None, None),
            (Some("999999999d"), None, None),
            (None, Some("yesterday"), None),
            (None, Some("2026-13-01"), None),
            (None, None, Some("12:00")),
            (None, Some("2026-02-01"), Some("2026-01-01")),
        ] {
            let error = span_of(last, from, to, now()).expect_err("is wrong");
            assert!(error.contains('`'), "{error}");
        }
    }
}
