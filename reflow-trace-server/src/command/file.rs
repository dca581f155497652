//! Files that appear whole or not at all.
//!
//! What is written goes into a neighbour of the file, is synced, and takes the file's name at the end. So
//! nobody ever reads half an answer, and whatever goes wrong leaves what was there before. A link stays one, and
//! what it leads to is written. A device or a pipe has nobody's name to take: it is written to as it is.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::failure::Failure;

/// A file that is being written. Dropped before [`finish`](Self::finish), it leaves nothing behind.
#[derive(Debug)]
pub(super) struct NewFile {
    path: PathBuf,
    neighbour: Neighbour,
    file: BufWriter<File>,
}

/// Removes itself, unless it has got its name.
#[derive(Debug)]
struct Neighbour(Option<PathBuf>);

/// The neighbours that there are, for an end without destructors.
static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Removes what is being written, when the process is about to end.
pub(super) fn remove_unfinished() {
    let unfinished = UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner);
    for path in unfinished.iter() {
        // Nobody is left to be told.
        let _unimportant = fs::remove_file(path);
    }
}

impl Neighbour {
    fn create(path: PathBuf) -> io::Result<(Self, File)> {
        let file = File::options().write(true).create_new(true).open(&path)?;
        let mut unfinished = UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner);
        unfinished.push(path.clone());
        Ok((Self(Some(path)), file))
    }

    /// Nothing is to be removed any more.
    fn let_go(&mut self) -> Option<PathBuf> {
        let path = self.0.take()?;
        let mut unfinished = UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner);
        unfinished.retain(|other| *other != path);
        Some(path)
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        if let Some(path) = self.let_go() {
            // What made us give up is the failure to report.
            let _unimportant = fs::remove_file(path);
        }
    }
}

impl NewFile {
    /// Begins. A directory in the way, or one that cannot be written to, is found out here.
    pub(super) fn create(path: &Path) -> Result<Self, Failure> {
        static NEXT: AtomicU64 = AtomicU64::new(0);

        if path.is_dir() {
            return Err(Failure::file(
                "write",
                path,
                io::ErrorKind::IsADirectory.into(),
            ));
        }
        let about = fs::metadata(path);
        if about.is_ok_and(|about| !about.is_file()) {
            let file = File::options().write(true).open(path);
            let file = file.map_err(|error| Failure::file("write", path, error))?;
            return Ok(Self {
                path: path.to_owned(),
                neighbour: Neighbour(None),
                file: BufWriter::with_capacity(1 << 18, file),
            });
        }
        let path = &behind_links(path);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!(".reflow-trace-{}-{number}.tmp", std::process::id());
        let neighbour = path.with_file_name(name);
        let (neighbour, file) =
            Neighbour::create(neighbour).map_err(|error| Failure::file("write", path, error))?;
        Ok(Self {
            path: path.to_owned(),
            neighbour,
            file: BufWriter::with_capacity(1 << 18, file),
        })
    }

    /// Gives the file its name, once the disk has it.
    pub(super) fn finish(mut self) -> Result<(), Failure> {
        let finished = self.file.flush().and_then(|()| match &self.neighbour.0 {
            Some(neighbour) => {
                self.file.get_ref().sync_all()?;
                fs::rename(neighbour, &self.path)
            }
            None => Ok(()),
        });
        finished.map_err(|error| Failure::file("write", &self.path, error))?;
        // It has another name now.
        let _renamed = self.neighbour.let_go();
        Ok(())
    }
}

/// Where a path leads, also where nothing is there yet.
fn behind_links(path: &Path) -> PathBuf {
    /// As many as Linux follows.
    const LINKS_MAX: usize = 40;

    let mut behind = path.to_owned();
    for _ in 0..LINKS_MAX {
        let Ok(to) = fs::read_link(&behind) else {
            break;
        };
        // An absolute one takes the place of all.
        behind = behind.parent().unwrap_or(Path::new("")).join(to);
    }
    behind
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).expect("is readable");
        let name = |entry: io::Result<fs::DirEntry>| entry.expect("an entry").file_name();
        entries
            .map(|entry| name(entry).to_string_lossy().into_owned())
            .collect()
    }

    #[test]
    fn a_file_appears_whole_or_not_at_all() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("x");
        let is_listed = || {
            let unfinished = UNFINISHED.lock().expect("nothing panics");
            unfinished
                .iter()
                .any(|path| path.starts_with(directory.path()))
        };
        let mut file = NewFile::create(&path).expect("begins");
        file.write_all(b"half").expect("writes");
        assert!(is_listed(), "a signal would remove it");
        drop(file);
        assert!(names(directory.path()).is_empty() && !is_listed());

        let mut file = NewFile::create(&path).expect("begins");
        file.write_all(b"whole").expect("writes");
        assert!(!path.exists());
        file.finish().expect("ends");
        assert_eq!(fs::read(&path).expect("is there"), b"whole");
        assert_eq!(names(directory.path()), ["x"]);
        assert!(!is_listed());
    }

    #[test]
    #[cfg(unix)]
    fn a_link_to_what_is_not_there_yet_stays_one() {
        let directory = tempfile::tempdir().expect("a directory");
        let place = |name: &str| directory.path().join(name);
        std::os::unix::fs::symlink("second", place("first")).expect("a link");
        std::os::unix::fs::symlink(place("file"), place("second")).expect("a link");
        let mut written = NewFile::create(&place("first")).expect("begins");
        written.write_all(b"new").expect("writes");
        written.finish().expect("ends");
        assert!(place("first").is_symlink() && place("second").is_symlink());
        assert!(!place("file").is_symlink());
        assert_eq!(fs::read(place("file")).expect("is there"), b"new");
    }

    #[test]
    #[cfg(unix)]
    fn a_link_stays_and_so_does_what_is_no_file() {
        let directory = tempfile::tempdir().expect("a directory");
        let (file, link) = (directory.path().join("x"), directory.path().join("link"));
        fs::write(&file, "before").expect("writes");
        std::os::unix::fs::symlink(&file, &link).expect("a link");
        let mut written = NewFile::create(&link).expect("begins");
        written.write_all(b"after").expect("writes");
        written.finish().expect("ends");
        assert!(link.is_symlink());
        assert_eq!(fs::read(&file).expect("is there"), b"after");

        let (mut read, write) = io::pipe().expect("a pipe");
        use std::os::fd::AsRawFd as _;
        let path = PathBuf::from(format!("/dev/fd/{}", write.as_raw_fd()));
        let mut written = NewFile::create(&path).expect("begins");
        written.write_all(b"through").expect("writes");
        written.finish().expect("ends");
        drop(write);
        let mut heard = String::new();
        io::Read::read_to_string(&mut read, &mut heard).expect("reads");
        assert_eq!(heard, "through");
    }

    #[test]
    fn what_cannot_be_written_is_found_out_before_anything_is_asked() {
        let directory = tempfile::tempdir().expect("a directory");
        for path in [
            directory.path().to_owned(),
            directory.path().join("no/such"),
        ] {
            let failure = NewFile::create(&path).expect_err("cannot be");
            assert!(
                failure.to_string().starts_with("cannot write `"),
                "{failure}"
            );
        }
    }
}
