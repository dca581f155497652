//! The table: of each row the middle one of all processes.

use std::fmt;

use crate::line::{Costs, Line, MemoryLine, RowLine};
use crate::shared::rows::median;
use crate::target::Target;

/// All that was reported.
#[derive(Default)]
pub(crate) struct Table {
    /// In the order in which they were reported first.
    rows: Vec<Row>,
    memory: Vec<MemoryLine>,
}

struct Row {
    name: String,
    /// One for each process.
    costs: Vec<Costs>,
    recorded: u64,
    lost: u64,
    drained: u64,
    fault: Option<String>,
}

impl Table {
    /// Adds what one process has measured.
    pub(crate) fn add(&mut self, lines: Vec<Line>) {
        for line in lines {
            match line {
                Line::Row(line) => self.add_row(line),
                Line::Memory(line) => self.memory.push(line),
            }
        }
    }

    /// Rows that every process measures are pooled: they are the same work.
    fn add_row(&mut self, line: RowLine) {
        let RowLine {
            name,
            costs,
            recorded,
            lost,
            drained,
            fault,
        } = line;
        match self.rows.iter_mut().find(|row| row.name == name) {
            Some(row) => {
                row.costs.push(costs);
                row.recorded += recorded;
                row.lost += lost;
                row.drained += drained;
                row.fault = row.fault.take().or(fault);
            }
            None => self.rows.push(Row {
                name,
                costs: vec![costs],
                recorded,
                lost,
                drained,
                fault,
            }),
        }
    }

    /// A row that does not count, and why.
    pub(crate) fn void(&self) -> Option<String> {
        let row = self.rows.iter().find(|row| row.fault.is_some())?;
        Some(format!("`{}` is void: {}", row.name, row.fault.as_deref()?))
    }
}

impl Row {
    fn middle(&self, part: impl Fn(&Costs) -> f64) -> f64 {
        median(&mut self.costs.iter().map(part).collect::<Vec<_>>())
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let over_bare_ns = self.middle(|costs| costs.over_bare_ns);
        let times_floor = self.middle(|costs| costs.times_floor);
        let lowest_ns = self.costs.iter().map(|costs| costs.lowest_ns);
        let target = Target::of(&self.name);
        let verdict = match (&self.fault, target) {
            (Some(fault), _) => format!("VOID: {fault}"),
            (None, Some(target)) if target.is_met(over_bare_ns, times_floor) => "met".to_owned(),
            (None, Some(_)) => "missed".to_owned(),
            (None, None) => String::new(),
        };
        let line = format!(
            "{:38} {:>9.2} {:>9.2} {:>10.2} {:>8.2} {:>9} {:>9} {:>6} {:>9}  {verdict}",
            self.name,
            self.middle(|costs| costs.median_ns),
            lowest_ns.fold(f64::INFINITY, f64::min),
            over_bare_ns,
            times_floor,
            target.map_or_else(String::new, |target| target.to_string()),
            self.recorded,
            self.lost,
            self.drained,
        );
        writeln!(f, "{}", line.trim_end())
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:38} {:>9} {:>9} {:>10} {:>8} {:>9} {:>9} {:>6} {:>9}",
            "ns per send",
            "median",
            "lowest",
            "over bare",
            "× floor",
            "target",
            "recorded",
            "lost",
            "drained"
        )?;
        self.rows.iter().try_for_each(|row| row.write(f))?;
        writeln!(f, "\n{:44} {:>15}", "memory", "bytes")?;
        for MemoryLine { name, bytes, note } in &self.memory {
            let decimals = if *bytes < 1e5 { 1 } else { 0 };
            let line = format!("{name:44} {bytes:>15.decimals$}  {note}");
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}
