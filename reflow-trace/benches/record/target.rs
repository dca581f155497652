//! What a send may cost.

use std::fmt;

/// The most that a row may cost over the bare send.
#[derive(Clone, Copy)]
pub(crate) enum Target {
    TimesFloor(f64),
    Nanoseconds(f64),
    /// The same instructions as the bare send; the time differs by chance alone.
    Nothing,
}

/// What two measurements of the same instructions may differ by.
const CHANCE_NS: f64 = 0.5;

impl Target {
    pub(crate) fn of(row: &str) -> Option<Self> {
        Some(match row {
            "recorded, handle" => Self::TimesFloor(1.35),
            "recorded, names" => Self::TimesFloor(1.6),
            "not sampled, handle" => Self::TimesFloor(0.4),
            "not sampled, names" => Self::TimesFloor(0.8),
            "off" => Self::Nanoseconds(1.0),
            "compiled out" => Self::Nothing,
            _ => return None,
        })
    }

    pub(crate) fn is_met(self, over_bare_ns: f64, times_floor: f64) -> bool {
        match self {
            Self::TimesFloor(most) => times_floor <= most,
            Self::Nanoseconds(most) => over_bare_ns <= most,
            Self::Nothing => over_bare_ns <= CHANCE_NS,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `pad` heeds the width that the table asks for.
        match self {
            Self::TimesFloor(most) => f.pad(&format!("≤ {most:.2} ×")),
            Self::Nanoseconds(most) => f.pad(&format!("≤ {most} ns")),
            Self::Nothing => f.pad("0 ns"),
        }
    }
}
