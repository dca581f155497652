//! The lines in which a process reports what it has measured.

use crate::shared::Failure;

/// One line.
pub(crate) enum Line {
    Row(RowLine),
    Memory(MemoryLine),
}

/// A row as one process has measured it.
pub(crate) struct RowLine {
    pub(crate) name: String,
    pub(crate) costs: Costs,
    pub(crate) recorded: u64,
    pub(crate) lost: u64,
    pub(crate) drained: u64,
    /// Why it is void.
    pub(crate) fault: Option<String>,
}

/// Nanoseconds of one send, and what they are a multiple of.
pub(crate) struct Costs {
    pub(crate) median_ns: f64,
    pub(crate) lowest_ns: f64,
    pub(crate) over_bare_ns: f64,
    pub(crate) times_floor: f64,
}

/// An amount of memory.
pub(crate) struct MemoryLine {
    pub(crate) name: String,
    pub(crate) bytes: f64,
    pub(crate) note: String,
}

impl Line {
    /// Reads what `shared/rows.rs` and `shared/resident.rs` print.
    pub(crate) fn parse(line: &str) -> Result<Self, Failure> {
        let fields: Vec<&str> = line.split('\t').collect();
        match fields[..] {
            [
                "row",
                name,
                median,
                lowest,
                over,
                times,
                recorded,
                lost,
                drained,
                fault,
            ] => Ok(Self::Row(RowLine {
                name: name.to_owned(),
                costs: Costs {
                    median_ns: median.parse()?,
                    lowest_ns: lowest.parse()?,
                    over_bare_ns: over.parse()?,
                    times_floor: times.parse()?,
                },
                recorded: recorded.parse()?,
                lost: lost.parse()?,
                drained: drained.parse()?,
                fault: (fault != "-").then(|| fault.to_owned()),
            })),
            ["memory", name, bytes, note] => Ok(Self::Memory(MemoryLine {
                name: name.to_owned(),
                bytes: bytes.parse()?,
                note: note.to_owned(),
            })),
            _ => Err(format!("a process said {line:?}, which is no row").into()),
        }
    }
}
