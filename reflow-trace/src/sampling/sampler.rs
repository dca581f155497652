//! The sampler of the specification, by names of actors and changeable at run time.

use uuid::Uuid;

use super::{Randomness, Threshold, Verdict};

/// A rate, and the actors that are exempt from it.
///
/// The order is never, always, rate: an actor under `never_trace` is not traced even when the other
/// end of the edge is under `always_trace`.
///
/// # Examples
///
/// ```
/// use reflow_trace::DataFlowSampler;
///
/// let sampler = DataFlowSampler {
///     sample_rate: 0.0,
///     always_trace: vec!["alarm".to_owned()],
///     never_trace: vec!["debug_log".to_owned()],
/// };
/// assert!(sampler.should_trace("sensor", "alarm"));
/// assert!(!sampler.should_trace("alarm", "debug_log"));
/// assert!(!sampler.should_trace("sensor", "store"));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct DataFlowSampler {
    /// Probability for all other edges, 0.0 to 1.0.
    pub sample_rate: f64,
    /// Names of actors to always trace.
    pub always_trace: Vec<String>,
    /// Names of actors to never trace.
    pub never_trace: Vec<String>,
}

impl Default for DataFlowSampler {
    /// Traces everything.
    fn default() -> Self {
        Self {
            sample_rate: 1.0,
            always_trace: Vec::new(),
            never_trace: Vec::new(),
        }
    }
}

/// A rate that is no probability.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("sample rate {0} is no probability: choose a number from 0.0 to 1.0")]
pub struct InvalidSampleRate(f64);

impl DataFlowSampler {
    /// A sampler without exempt actors.
    ///
    /// # Errors
    ///
    /// When `sample_rate` is not from 0.0 to 1.0.
    pub fn new(sample_rate: f64) -> Result<Self, InvalidSampleRate> {
        let sampler = Self {
            sample_rate,
            ..Self::default()
        };
        sampler.validate()?;
        Ok(sampler)
    }

    /// Adds an actor that is always traced.
    #[must_use]
    pub fn always(mut self, actor: impl Into<String>) -> Self {
        self.always_trace.push(actor.into());
        self
    }

    /// Adds an actor that is never traced.
    #[must_use]
    pub fn never(mut self, actor: impl Into<String>) -> Self {
        self.never_trace.push(actor.into());
        self
    }

    pub(crate) fn validate(&self) -> Result<(), InvalidSampleRate> {
        if (0.0..=1.0).contains(&self.sample_rate) {
            Ok(())
        } else {
            Err(InvalidSampleRate(self.sample_rate))
        }
    }

    /// What the names of the two ends say; the rate is asked when they say nothing.
    pub fn verdict(&self, from_actor: &str, to_actor: &str) -> Verdict {
        let names_an_end = |names: &[String]| {
            names
                .iter()
                .any(|name| name == from_actor || name == to_actor)
        };
        if names_an_end(&self.never_trace) {
            Verdict::Never
        } else if names_an_end(&self.always_trace) {
            Verdict::Always
        } else {
            Verdict::ByRate
        }
    }

    /// The threshold for an edge.
    pub fn threshold(&self, from_actor: &str, to_actor: &str) -> Threshold {
        match self.verdict(from_actor, to_actor) {
            Verdict::Never => Threshold::NEVER,
            Verdict::Always => Threshold::ALWAYS,
            Verdict::ByRate => Threshold::from_rate(self.sample_rate),
        }
    }

    /// The decision of the specification, with a random number of its own at every call.
    ///
    /// Recording itself compares the trace's R with [`Self::threshold`] instead, so that lineages
    /// stay whole.
    pub fn should_trace(&self, from_actor: &str, to_actor: &str) -> bool {
        let randomness = Randomness::from_bits(Uuid::new_v4().as_u128() as u64);
        self.threshold(from_actor, to_actor).keeps(randomness)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_comes_before_always_before_rate() {
        let sampler = DataFlowSampler::new(0.0)
            .expect("0 is a rate")
            .always("a")
            .never("n");
        for (from, to, expected) in [
            ("a", "x", Verdict::Always),
            ("x", "a", Verdict::Always),
            ("n", "a", Verdict::Never),
            ("a", "n", Verdict::Never),
            ("x", "y", Verdict::ByRate),
        ] {
            assert_eq!(sampler.verdict(from, to), expected, "{from} to {to}");
        }
        assert!(!sampler.should_trace("x", "y"));
    }

    #[test]
    fn the_rate_is_met() {
        let sampler = DataFlowSampler::new(0.25).expect("a rate");
        let kept = (0..40_000)
            .filter(|_| sampler.should_trace("x", "y"))
            .count();
        // Ten standard deviations.
        assert!((9_134..=10_866).contains(&kept), "{kept} of 40000");
    }

    #[test]
    fn what_is_no_probability_is_refused() {
        for rate in [-0.1, 1.1, f64::NAN, f64::INFINITY, 10.0] {
            assert!(DataFlowSampler::new(rate).is_err(), "{rate}");
        }
    }
}
