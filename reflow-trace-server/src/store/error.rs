//! What can go wrong with a store.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// Why a store has not done what was asked of it.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no room on the disk, or no more than the configuration allows.
    #[error("no room to store {what}: {detail}; free some, or let retention keep less")]
    Full {
        /// What was to be stored.
        what: &'static str,
        /// In the words of whoever refused it.
        detail: String,
    },
    /// More is waiting to be sealed than may be held in memory.
    #[error("the store is behind: {waiting} {unit} wait to be sealed and {most} may; try again")]
    Behind {
        /// How many wait.
        waiting: u64,
        /// How many may.
        most: u64,
        /// Of what: `events`, or `bytes of memory`.
        unit: &'static str,
    },
    /// Whether the group was stored is not known; [`Store::last`](super::Store::last) tells.
    #[error(
        "the disk failed during a commit: {0}; whether it has happened shows when it is tried again"
    )]
    Unknown(String),
    /// The disk failed.
    #[error("cannot {what}: {source}")]
    Io {
        /// What was being done, with the file.
        what: String,
        /// What the system said.
        source: Arc<io::Error>,
    },
    /// The database refused.
    #[error("the database failed while {what}: {detail}")]
    Database {
        /// What was being done.
        what: &'static str,
        /// What SQLite said.
        detail: String,
    },
    /// What is on the disk is not what was written there.
    #[error("`{place}` is damaged: {detail}; it is set aside when the store is maintained next")]
    Damaged {
        /// The file, and where in it.
        place: String,
        /// What does not fit.
        detail: String,
    },
    /// The directory cannot be used.
    #[error(transparent)]
    Unusable(#[from] Box<UnusableDirectory>),
    /// The store is closing.
    #[error("the store is closing")]
    Closing,
    /// Who looked on has ended the work; see [`Watch`](super::Watch).
    #[error("looking for it was given up")]
    GivenUp,
}

/// Why a directory cannot be opened as a store.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnusableDirectory {
    /// Another server has it.
    #[error(
        "`{}` is in use by another server (process {holder}): stop that one, or give this one a directory of its own",
        directory.display()
    )]
    InUse {
        /// The directory.
        directory: PathBuf,
        /// The process, as it has written into the lock file; `unknown` when it has not yet.
        holder: String,
    },
    /// It cannot be written to.
    #[error("cannot write to `{}`: {detail}; give the server's user the right to, or name another directory", directory.display())]
    NotWritable {
        /// The directory.
        directory: PathBuf,
        /// What the system said.
        detail: String,
    },
    /// The database is somebody else's.
    #[error("`{}` is not a database of reflow-trace: name another directory; nothing was changed", file.display())]
    Foreign {
        /// The database.
        file: PathBuf,
    },
    /// A later version has written it.
    #[error(
        "`{}` has the format {found}, and this version knows formats up to {known}: run the version that wrote it, or a later one; nothing was changed",
        file.display()
    )]
    Newer {
        /// The database.
        file: PathBuf,
        /// Its format.
        found: i64,
        /// The newest that is known.
        known: i64,
    },
    /// The database is broken.
    #[error(
        "`{}` is damaged: {detail}; restore it, or move it away to begin anew (the segments beside it stay readable as Parquet); nothing was changed",
        file.display()
    )]
    Damaged {
        /// The database.
        file: PathBuf,
        /// What SQLite's check said first.
        detail: String,
    },
}

impl StoreError {
    /// Whether the same may succeed later without being changed.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Full { .. }
            | Self::Behind { .. }
            | Self::Unknown(_)
            | Self::Io { .. }
            | Self::Database { .. }
            | Self::Closing => true,
            Self::Damaged { .. } | Self::Unusable(_) | Self::GivenUp => false,
        }
    }

    /// One word for the kind of failure, for metrics and logs; it never changes.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Full { .. } => "full",
            Self::Behind { .. } => "behind",
            Self::Unknown(_) => "unknown",
            Self::Io { .. } => "io",
            Self::Database { .. } => "database",
            Self::Damaged { .. } => "damaged",
            Self::Unusable(_) => "unusable",
            Self::Closing => "closing",
            Self::GivenUp => "given_up",
        }
    }

    /// That of a disk which could not `what`, such as "write `x.parquet`": [`Full`](Self::Full) where it had no
    /// room, else [`Io`](Self::Io).
    pub fn io(what: impl Into<String>, source: io::Error) -> Self {
        let what = what.into();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full {
                what: "more",
                detail: format!("cannot {what}: {source}"),
            },
            _ => Self::Io {
                what,
                source: Arc::new(source),
            },
        }
    }

    /// That of something which is not what was written: the file, and where in it; and what does not fit.
    pub fn damaged(place: impl Into<String>, detail: impl ToString) -> Self {
        Self::Damaged {
            place: place.into(),
            detail: detail.to_string(),
        }
    }
}

impl From<UnusableDirectory> for StoreError {
    fn from(directory: UnusableDirectory) -> Self {
        Self::Unusable(Box::new(directory))
    }
}
