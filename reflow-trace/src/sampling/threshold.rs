//! The threshold T of a policy.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Randomness;

/// Bits of R and T.
pub(super) const BITS: u32 = 56;
const ONE: u64 = 1 << BITS;

/// The threshold T of consistent probability sampling: keep if and only if R ≥ T.
///
/// T = (1 − p)·2⁵⁶ for a probability p, rounded to the precision that is written: four hexadecimal
/// digits and one more for each leading `f`, without trailing zeros. The rounded value is the one
/// that decides and that weights, so a reader of the text form computes the same.
/// Source: OpenTelemetry, *TraceState: Probability Sampling*.
///
/// # Examples
///
/// ```
/// use reflow_trace::sampling::Threshold;
///
/// let tenth = Threshold::from_rate(0.1);
/// assert_eq!(tenth.to_string(), "e666");
/// assert!((tenth.weight().unwrap() - 10.0).abs() < 0.001);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Threshold(u64);

impl Threshold {
    /// Keeps everything.
    pub const ALWAYS: Self = Self(0);
    /// Keeps nothing.
    pub const NEVER: Self = Self(ONE);

    /// The threshold of a probability. Values outside 0..=1 are clamped, NaN keeps nothing.
    ///
    /// A probability above 0 is never rounded down to nothing: the smallest is 2⁻⁵⁶.
    pub const fn from_rate(rate: f64) -> Self {
        if rate >= 1.0 {
            return Self::ALWAYS;
        }
        if rate <= 0.0 || rate.is_nan() {
            return Self::NEVER;
        }
        let kept = (rate * ONE as f64 + 0.5) as u64;
        Self::rounded(ONE - if kept == 0 { 1 } else { kept })
    }

    /// Rounds half up to the digits that the encoding keeps.
    const fn rounded(exact: u64) -> Self {
        let mut digits = 4;
        let mut nibble = BITS - 4;
        while nibble > 0 && (exact >> nibble) & 0xf == 0xf {
            digits += 1;
            nibble -= 4;
        }
        if digits >= 14 {
            return Self(exact);
        }
        let dropped = BITS - 4 * digits;
        let half = 1u64 << (dropped - 1);
        let rounded = ((exact + half) >> dropped) << dropped;
        Self(if rounded >= ONE { exact } else { rounded })
    }

    /// Takes T itself, 0 to 2⁵⁶; larger values keep nothing.
    pub const fn from_bits(bits: u64) -> Self {
        Self(if bits > ONE { ONE } else { bits })
    }

    /// T itself, 0 to 2⁵⁶.
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// The decision.
    #[inline]
    pub const fn keeps(self, randomness: Randomness) -> bool {
        randomness.bits() >= self.0
    }

    /// The probability p with which a message is kept.
    pub fn rate(self) -> f64 {
        (ONE - self.0) as f64 / ONE as f64
    }

    /// 1/p, the number of messages that a kept one stands for; `None` when nothing is kept.
    pub fn weight(self) -> Option<f64> {
        (self.0 < ONE).then(|| ONE as f64 / (ONE - self.0) as f64)
    }
}

impl fmt::Debug for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Threshold({self})")
    }
}

/// The `th` value: 1 to 14 hexadecimal digits without trailing zeros, or `never`.
impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("0"),
            ONE => f.write_str("never"),
            bits => {
                let digits = format!("{bits:014x}");
                f.write_str(digits.trim_end_matches('0'))
            }
        }
    }
}

/// A text that is no `th` value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no sampling threshold: write 1 to 14 lowercase hexadecimal digits, or `never`")]
pub struct InvalidThreshold(String);

impl FromStr for Threshold {
    type Err = InvalidThreshold;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "never" {
            return Ok(Self::NEVER);
        }
        let is_hex = text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if text.is_empty() || text.len() > 14 || !is_hex {
            return Err(InvalidThreshold(text.chars().take(40).collect()));
        }
        let bits = u64::from_str_radix(text, 16).map_err(|_| InvalidThreshold(text.to_owned()))?;
        Ok(Self(bits << (4 * (14 - text.len()))))
    }
}

impl Serialize for Threshold {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Threshold {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_written_as_opentelemetry_writes_them() {
        for (rate, text) in [
            (1.0, "0"),
            (0.5, "8"),
            (0.25, "c"),
            (0.1, "e666"),
            (0.01, "fd70a"),
            (0.001, "ffbe77"),
            (1.0 / 3.0, "aaab"),
            (0.0, "never"),
        ] {
            let threshold = Threshold::from_rate(rate);
            assert_eq!(threshold.to_string(), text, "rate {rate}");
            assert_eq!(text.parse(), Ok(threshold));
        }
    }

    #[test]
    fn odd_rates_are_clamped() {
        assert_eq!(Threshold::from_rate(f64::NAN), Threshold::NEVER);
        assert_eq!(Threshold::from_rate(-0.5), Threshold::NEVER);
        assert_eq!(Threshold::from_rate(1.5), Threshold::ALWAYS);
        assert_ne!(Threshold::from_rate(f64::MIN_POSITIVE), Threshold::NEVER);
        assert_ne!(Threshold::from_rate(1e-17), Threshold::NEVER);
    }

    #[test]
    fn what_is_no_threshold_is_refused() {
        for text in ["", "E666", "0x1", "123456789012345", "-1", " 8", "é"] {
            assert!(text.parse::<Threshold>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn lower_rates_nest_inside_higher_ones() {
        let (low, high) = (Threshold::from_rate(0.01), Threshold::from_rate(0.1));
        for bits in (0..ONE).step_by((ONE / 9973) as usize) {
            let randomness = Randomness::from_bits(bits);
            assert!(!low.keeps(randomness) || high.keeps(randomness));
        }
    }
}
