//! Files and sums that no entry of the catalogue knows.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::finding::{Finding, Findings};
use crate::store::embedded::catalogue::{self, SegmentEntry};
use crate::store::embedded::directory::Layout;

/// Strays that are named; of more only the number is said.
const SHOWN_MAX: usize = 10;

pub(super) fn check(
    layout: &Layout,
    connection: &Connection,
    entries: &[SegmentEntry],
    findings: &mut Findings,
) {
    let known: HashSet<PathBuf> = entries
        .iter()
        .filter(|entry| entry.damage.is_none())
        .map(|entry| layout.segment(entry.id))
        .collect();
    let (mut orphans, mut foreign) = (Vec::new(), Vec::new());
    for path in files(&layout.segments()) {
        match Layout::segment_id(&path) {
            Some(_) if known.contains(&path) => {}
            Some(_) => orphans.push(path),
            None => foreign.push(path),
        }
    }
    if !orphans.is_empty() {
        findings.push(Finding::note(
            "orphans",
            "segments/",
            format!(
                "{} that no entry names, as a crash leaves them: {}",
                files_counted(orphans.len()),
                listed(&orphans)
            ),
            "nothing is lost; they are removed when the server starts next",
        ));
    }
    if !foreign.is_empty() {
        findings.push(Finding::note(
            "foreign_files",
            "segments/",
            format!(
                "{} that are none of ours: {}",
                files_counted(foreign.len()),
                listed(&foreign)
            ),
            "nobody reads or removes them",
        ));
    }
    let damaged = files(&layout.damaged());
    if !damaged.is_empty() {
        findings.push(Finding::note(
            "damaged_files",
            "damaged/",
            format!(
                "{} of segments that were set aside: {}",
                files_counted(damaged.len()),
                listed(&damaged)
            ),
            "nobody removes them but you; what can still be read of them, `reflow-trace import` reads",
        ));
    }
    match catalogue::orphaned_rollups(connection) {
        Ok(rollups) if rollups.is_empty() => {}
        Ok(rollups) => findings.push(Finding::note(
            "orphaned_sums",
            "store.sqlite, table rollups",
            format!(
                "sums of {} segments that are no longer there",
                rollups.len()
            ),
            "nothing is lost; they are removed when the server starts next",
        )),
        Err(error) => findings.push(Finding::fault(
            "database",
            "store.sqlite, table rollups",
            error.to_string(),
            "see what is said of the database",
        )),
    }
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    files.retain(|path| path.is_file());
    files.sort();
    files
}

fn files_counted(count: usize) -> String {
    if count == 1 {
        "a file".to_owned()
    } else {
        format!("{count} files")
    }
}

fn listed(files: &[PathBuf]) -> String {
    let name = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    };
    let mut names: Vec<String> = files.iter().take(SHOWN_MAX).map(name).collect();
    if files.len() > SHOWN_MAX {
        names.push(format!("and {} more", files.len() - SHOWN_MAX));
    }
    names.join(", ")
}
