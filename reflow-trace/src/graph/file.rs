//! Graphs on disk.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::model::DataFlowGraph;

/// Why a graph was not written to a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RenderError {
    /// The file's name does not say which format is wanted.
    #[error(
        "`{}` has no extension that names a graph format: use `.svg`, `.dot`, `.gv`, `.mmd` or `.mermaid`",
        path.display()
    )]
    UnknownFormat {
        /// The file that was asked for.
        path: PathBuf,
    },
    /// The file could not be written; what was there before is untouched.
    #[error("cannot write the graph to `{}`: check that the folder exists and is writable", path.display())]
    Write {
        /// The file that was asked for.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl DataFlowGraph {
    /// Writes the graph in the format that the extension names: `.svg`, `.dot` or `.gv`, `.mmd` or
    /// `.mermaid`, in small or capital letters.
    ///
    /// The file appears complete or not at all: a reader never sees half a picture, and a failure
    /// leaves the previous one in place.
    ///
    /// # Errors
    ///
    /// [`RenderError::UnknownFormat`] for any other extension, before anything is written;
    /// [`RenderError::Write`] when the system refuses.
    pub fn render_to_file(&self, path: impl AsRef<Path>) -> Result<(), RenderError> {
        let path = path.as_ref();
        let extension = path.extension().unwrap_or_default();
        let text = match extension.to_ascii_lowercase().to_str() {
            Some("svg") => self.to_svg(),
            Some("dot" | "gv") => self.to_dot(),
            Some("mmd" | "mermaid") => self.to_mermaid(),
            _ => {
                return Err(RenderError::UnknownFormat {
                    path: path.to_owned(),
                });
            }
        };
        replace(path, text.as_bytes()).map_err(|source| RenderError::Write {
            path: path.to_owned(),
            source,
        })
    }
}

/// Writes a neighbour of the file and gives it the file's name.
fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    static NEXT: AtomicU64 = AtomicU64::new(0);

    // Process and number keep apart all that write the same picture at once.
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!(".reflow-trace-{}-{number}.tmp", std::process::id());
    let neighbour = path.with_file_name(name);
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&neighbour)?;
    let written = file.write_all(content);
    drop(file);
    let replaced = written.and_then(|()| fs::rename(&neighbour, path));
    if replaced.is_err() {
        // The first failure is the one to report.
        let _unimportant = fs::remove_file(&neighbour);
    }
    replaced
}

#[cfg(test)]
mod tests {
    use super::super::tests::small_graph;
    use super::*;

    /// A folder of its own that goes away again.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("graph-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).expect("a folder for the test");
            Self(path)
        }

        fn names(&self) -> Vec<String> {
            let entries = fs::read_dir(&self.0).expect("the folder is readable");
            let name = |entry: io::Result<fs::DirEntry>| entry.expect("an entry").file_name();
            let mut names: Vec<_> = entries
                .map(|entry| name(entry).to_string_lossy().into_owned())
                .collect();
            names.sort();
            names
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _best_effort = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn the_extension_chooses_the_format() {
        let folder = Folder::new("format");
        for (name, beginning) in [
            ("x.svg", "<svg "),
            ("x.SVG", "<svg "),
            ("x.dot", "digraph "),
            ("x.gv", "digraph "),
            ("x.mmd", "flowchart LR"),
            ("x.mermaid", "flowchart LR"),
        ] {
            let path = folder.0.join(name);
            small_graph().render_to_file(&path).expect("is written");
            let text = fs::read_to_string(&path).expect("is there");
            assert!(text.starts_with(beginning), "{name}");
        }
    }

    #[test]
    fn another_extension_is_refused_and_nothing_written() {
        let folder = Folder::new("refused");
        for name in ["x.png", "x", "svg", ".svg"] {
            let error = small_graph().render_to_file(folder.0.join(name));
            assert!(
                matches!(error, Err(RenderError::UnknownFormat { .. })),
                "{name}"
            );
        }
        assert!(folder.names().is_empty());
    }

    #[test]
    fn a_file_is_replaced_and_nothing_left_over() {
        let folder = Folder::new("replaced");
        let path = folder.0.join("x.svg");
        fs::write(&path, "old").expect("is written");
        small_graph().render_to_file(&path).expect("is written");
        assert_ne!(fs::read_to_string(&path).expect("is there"), "old");
        assert_eq!(folder.names(), ["x.svg"]);
    }

    #[test]
    fn a_failure_leaves_nothing_behind() {
        let folder = Folder::new("failure");
        let taken = folder.0.join("taken.svg");
        fs::create_dir(&taken).expect("a folder in the way");
        let error = small_graph()
            .render_to_file(&taken)
            .expect_err("is a folder");
        assert!(matches!(error, RenderError::Write { .. }));
        assert_eq!(folder.names(), ["taken.svg"]);

        let missing = folder.0.join("missing").join("x.svg");
        assert!(small_graph().render_to_file(missing).is_err());
    }

    #[test]
    fn errors_say_what_to_do() {
        let unknown = RenderError::UnknownFormat {
            path: "flow.png".into(),
        };
        assert_eq!(
            unknown.to_string(),
            "`flow.png` has no extension that names a graph format: use `.svg`, `.dot`, `.gv`, `.mmd` or `.mermaid`"
        );
        let write = RenderError::Write {
            path: "a/flow.svg".into(),
            source: io::ErrorKind::NotFound.into(),
        };
        assert_eq!(
            write.to_string(),
            "cannot write the graph to `a/flow.svg`: check that the folder exists and is writable"
        );
    }
}
