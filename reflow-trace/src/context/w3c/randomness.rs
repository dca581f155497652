//! The member `ot`: R and T as OpenTelemetry writes them.

use super::hex;
use super::members::VALUE_LENGTH_MAX;
use crate::sampling::{Randomness, Threshold};

/// Key of the member.
pub(super) const KEY: &str = "ot";
const RANDOMNESS: &str = "rv";
const THRESHOLD: &str = "th";

/// What it says. A value that is malformed is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sampling {
    pub(super) randomness: Option<Randomness>,
    pub(super) threshold: Option<Threshold>,
    pub(super) is_malformed: bool,
}

impl Sampling {
    pub(super) fn parse(value: &str) -> Self {
        let Some(pairs) = pairs(value) else {
            return Self {
                is_malformed: true,
                ..Self::default()
            };
        };
        let mut sampling = Self::default();
        for (key, value) in pairs {
            match key {
                RANDOMNESS => {
                    let digits = Some(value).filter(|value| value.len() == 14);
                    sampling.randomness = digits.and_then(hex).map(Randomness::from_bits);
                    sampling.is_malformed |= sampling.randomness.is_none();
                }
                THRESHOLD => {
                    // `never` is our own word for what has no digits.
                    let digits = hex(value).and_then(|_| value.parse().ok());
                    sampling.threshold = digits;
                    sampling.is_malformed |= digits.is_none();
                }
                _ => {}
            }
        }
        sampling
    }
}

/// The pairs; `None` when they are none or two have one key.
fn pairs(value: &str) -> Option<Vec<(&str, &str)>> {
    let mut pairs: Vec<(&str, &str)> = Vec::new();
    for pair in value.split(';') {
        let (key, value) = pair.split_once(':')?;
        let is_key = key.starts_with(|first: char| first.is_ascii_lowercase())
            && key
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        let is_value = value
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        if !is_key || !is_value || pairs.iter().any(|&(known, _)| known == key) {
            return None;
        }
        pairs.push((key, value));
    }
    Some(pairs)
}

/// The member with another threshold, or none; everything else as it was. `None` when nothing is left
/// to say. What is malformed is replaced.
pub(super) fn with_threshold(before: Option<&str>, threshold: Option<Threshold>) -> Option<String> {
    let mut pairs = before.and_then(pairs).unwrap_or_default();
    let at = pairs.iter().position(|&(key, _)| key == THRESHOLD);
    let digits = threshold.map(|threshold| threshold.to_string());
    match (at, &digits) {
        (Some(at), Some(digits)) => pairs[at].1 = digits,
        (Some(at), None) => drop(pairs.remove(at)),
        (None, Some(digits)) => pairs.insert(0, (THRESHOLD, digits)),
        (None, None) => {}
    }
    let text = join(&pairs);
    if text.len() > VALUE_LENGTH_MAX {
        // Where there is no room the threshold is not said, which means not known.
        pairs.retain(|&(key, _)| key != THRESHOLD);
        return Some(join(&pairs));
    }
    (!text.is_empty()).then_some(text)
}

fn join(pairs: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(key, value)| format!("{key}:{value}"))
        .collect();
    pairs.join(";")
}
