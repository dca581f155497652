//! Files as crashes, faulty disks and strangers leave them.

use super::*;
use crate::wire::frame::FrameKind;

const OWN: u64 = 7;
const DEAD: u64 = 3;

fn batch(stream: u64, number: u64, payload_bytes: usize) -> Frame {
    let payload = vec![number as u8; payload_bytes];
    let plain = payload_bytes as u32;
    Frame::build(
        FrameKind::Batch,
        [stream, number],
        10,
        plain,
        false,
        &payload,
    )
}

fn limits() -> FrameLimits {
    FrameLimits {
        payload_bytes_max: 2_000,
        ..FrameLimits::default()
    }
}

fn spool<D: Disk>(disk: D, own: u64) -> Spool<D> {
    Spool::new(disk, own, limits())
}

fn name(stream: u64, first: u64) -> FileName {
    FileName { stream, first }
}

fn write<D: Disk>(spool: &mut Spool<D>, name: FileName, offset: u64, frames: &[Frame]) {
    let command = DiskCommand::Write {
        name,
        offset,
        frames: frames.to_vec(),
    };
    match spool.carry_out(command) {
        DiskOutcome::Written(written) => written.expect("the disk is fine"),
        other => panic!("{other:?} to a write"),
    }
}

fn scan<D: Disk>(spool: &mut Spool<D>) -> Found {
    match spool.carry_out(DiskCommand::Scan) {
        DiskOutcome::Scanned(found) => found.expect("the disk is fine"),
        other => panic!("{other:?} to a scan"),
    }
}

/// Reads a file piece by piece, as the machine does.
fn read<D: Disk>(spool: &mut Spool<D>, name: FileName, length: u64, bytes_max: usize) -> Chunk {
    let mut whole = Chunk::default();
    loop {
        let command = DiskCommand::Read {
            name,
            offset: whole.next_offset,
            length,
            bytes_max,
            pass: 0,
        };
        let DiskOutcome::Read(Ok(chunk)) = spool.carry_out(command) else {
            panic!("the disk is fine");
        };
        assert!(chunk.is_end || chunk.next_offset > whole.next_offset);
        whole.frames.extend(chunk.frames);
        whole.corrupt_bytes += chunk.corrupt_bytes;
        whole.torn_bytes += chunk.torn_bytes;
        whole.next_offset = chunk.next_offset;
        whole.is_foreign |= chunk.is_foreign;
        if chunk.is_end || chunk.is_foreign {
            return whole;
        }
    }
}

/// A disk on which a process has died that had written these bytes.
fn left_behind(bytes: Vec<u8>) -> (SimulatedDisk, u64) {
    let length = bytes.len() as u64;
    let disk = SimulatedDisk::default();
    disk.change(|disk| disk.files.insert(name(DEAD, 1).to_string(), bytes));
    (disk, length)
}

fn three() -> (Vec<Frame>, Vec<u8>) {
    let frames: Vec<Frame> = [(1, 5), (2, 90), (5, 33)]
        .map(|(number, bytes)| batch(DEAD, number, bytes))
        .into();
    let parts: Vec<&[u8]> = frames.iter().map(|frame| &frame.bytes()[..]).collect();
    let bytes = parts.concat();
    (frames, bytes)
}

#[test]
fn a_file_cut_at_any_byte_gives_every_batch_before_the_cut_and_counts_the_rest() {
    let (frames, bytes) = three();
    for cut in 0..=bytes.len() {
        let (disk, length) = left_behind(bytes[..cut].to_vec());
        let mut spool = spool(disk, OWN);
        assert_eq!(scan(&mut spool).adopted, [(name(DEAD, 1), length)]);
        for bytes_max in [1, 64, 100_000] {
            let chunk = read(&mut spool, name(DEAD, 1), length, bytes_max);
            let mut end = 0;
            let whole: Vec<&Frame> = frames
                .iter()
                .take_while(|frame| {
                    end += frame.bytes().len();
                    end <= cut
                })
                .collect();
            assert_eq!(chunk.frames.iter().collect::<Vec<_>>(), whole, "{cut}");
            let whole_bytes: usize = whole.iter().map(|frame| frame.bytes().len()).sum();
            let rest = (cut - whole_bytes) as u64;
            assert_eq!(chunk.torn_bytes + chunk.corrupt_bytes, rest, "{cut}");
        }
    }
}

#[test]
fn a_bit_turned_anywhere_costs_its_own_batch_and_no_other() {
    let (frames, bytes) = three();
    for at in 0..bytes.len() {
        for bit in [0, 3, 7] {
            let mut turned = bytes.clone();
            turned[at] ^= 1 << bit;
            let mut end = 0;
            let hit = frames
                .iter()
                .position(|frame| {
                    end += frame.bytes().len();
                    at < end
                })
                .expect("it is in one of them");
            let (disk, length) = left_behind(turned);
            let mut spool = spool(disk, OWN);
            let chunk = read(&mut spool, name(DEAD, 1), length, 128);
            if chunk.is_foreign {
                // The digit of the version: whoever wrote it may know more than we do.
                assert_eq!(at, 3);
                continue;
            }
            let mut rest = frames.clone();
            let lost = rest.remove(hit);
            assert_eq!(chunk.frames, rest, "byte {at}, bit {bit}");
            let skipped = chunk.corrupt_bytes + chunk.torn_bytes;
            assert_eq!(skipped, lost.bytes().len() as u64, "byte {at}, bit {bit}");
        }
    }
}

#[test]
fn zeros_and_noise_give_nothing_and_are_counted() {
    let noise: Vec<u8> = (0..9_000_u32)
        .map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    for bytes in [vec![0; 9_000], vec![0xff; 3], noise, b"RTF1".repeat(2_000)] {
        let (disk, length) = left_behind(bytes);
        let mut spool = spool(disk, OWN);
        let chunk = read(&mut spool, name(DEAD, 1), length, 500);
        assert!(chunk.frames.is_empty() && !chunk.is_foreign);
        assert_eq!(chunk.corrupt_bytes + chunk.torn_bytes, length);
    }
}

#[test]
fn batches_behind_zeros_are_found() {
    let (frames, bytes) = three();
    let (disk, length) = left_behind([vec![0; 5_000], bytes].concat());
    let mut spool = spool(disk, OWN);
    let chunk = read(&mut spool, name(DEAD, 1), length, 500);
    assert_eq!(chunk.frames, frames);
    assert_eq!((chunk.corrupt_bytes, chunk.torn_bytes), (5_000, 0));
}

#[test]
fn an_empty_file_is_read_to_its_end_at_once() {
    let (disk, length) = left_behind(Vec::new());
    let mut spool = spool(disk, OWN);
    let chunk = read(&mut spool, name(DEAD, 1), length, 500);
    assert_eq!(
        chunk,
        Chunk {
            is_end: false,
            ..Chunk::default()
        }
    );
}

#[test]
fn what_a_later_version_wrote_is_left_alone() {
    let (_, mut bytes) = three();
    bytes[3] = b'2';
    let (disk, length) = left_behind(bytes);
    let mut spool = spool(disk, OWN);
    assert!(read(&mut spool, name(DEAD, 1), length, 500).is_foreign);
}

#[test]
fn a_batch_larger_than_what_is_read_at_once_is_read_whole() {
    let disk = SimulatedDisk::default();
    let mut spool = spool(disk, OWN);
    let frames = [
        batch(OWN, 1, 2_000),
        batch(OWN, 2, 10),
        batch(OWN, 3, 1_999),
    ];
    write(&mut spool, name(OWN, 1), 0, &frames);
    let length: usize = frames.iter().map(|frame| frame.bytes().len()).sum();
    for bytes_max in [1, 41, 2_000, 2_041] {
        let chunk = read(&mut spool, name(OWN, 1), length as u64, bytes_max);
        assert_eq!(chunk.frames, frames, "{bytes_max}");
    }
}

#[test]
fn foreign_files_are_counted_and_stay() {
    let disk = SimulatedDisk::default();
    let foreign = ["notes.txt", "0.frames", "x-y.frames", ".hidden"];
    disk.change(|disk| {
        for name in foreign {
            disk.files.insert(name.to_owned(), b"mine".to_vec());
        }
    });
    let mut spool = spool(disk.clone(), OWN);
    let found = scan(&mut spool);
    assert_eq!((found.foreign_files, found.adopted), (4, vec![]));
    let left = disk.change(|disk| foreign.iter().all(|&name| disk.files.contains_key(name)));
    assert!(left);
}

#[test]
fn a_stream_is_adopted_once_its_process_is_dead_and_by_one_only() {
    let disk = SimulatedDisk::default();
    let mut first = spool(disk.clone(), DEAD);
    write(&mut first, name(DEAD, 1), 0, &[batch(DEAD, 1, 10)]);
    write(&mut first, name(DEAD, 20), 0, &[batch(DEAD, 20, 20)]);
    let mut second = spool(disk.clone(), OWN);
    let mut third = spool(disk.clone(), OWN + 1);
    assert_eq!(scan(&mut second), Found::default(), "it lives");
    drop(first);
    assert_eq!(
        scan(&mut second).adopted,
        [(name(DEAD, 1), 50), (name(DEAD, 20), 60)]
    );
    assert_eq!(scan(&mut second), Found::default(), "it is known");
    assert_eq!(scan(&mut third), Found::default(), "it is taken");
    // Whoever adopted it may die as well.
    drop(second);
    assert_eq!(scan(&mut third).adopted.len(), 2);
}

#[test]
fn a_stream_that_is_given_up_leaves_nothing_but_its_neighbours() {
    let disk = SimulatedDisk::default();
    let mut own = spool(disk.clone(), OWN);
    write(&mut own, name(OWN, 1), 0, &[batch(OWN, 1, 10)]);
    for command in [
        DiskCommand::Remove(name(OWN, 1)),
        DiskCommand::Remove(name(OWN, 1)),
    ] {
        let DiskOutcome::Removed(Ok(())) = own.carry_out(command) else {
            panic!("gone is gone");
        };
    }
    for _ in 0..2 {
        let DiskOutcome::Released(Ok(())) = own.carry_out(DiskCommand::Release(OWN)) else {
            panic!("it is ours");
        };
    }
    let left: Vec<String> = disk.change(|disk| disk.files.keys().cloned().collect());
    assert_eq!(left, [DIRECTORY_LOCK]);
    // And it can begin again.
    write(&mut own, name(OWN, 9), 0, &[batch(OWN, 9, 10)]);
}

#[test]
fn locks_that_the_dead_left_without_files_are_removed() {
    let disk = SimulatedDisk::default();
    disk.change(|disk| {
        for stream in 1..=3 {
            disk.files.insert(FileName::lock_of(stream), Vec::new());
        }
        disk.locked.insert(FileName::lock_of(2));
    });
    let mut own = spool(disk.clone(), OWN);
    assert_eq!(scan(&mut own), Found::default());
    let left: Vec<String> = disk.change(|disk| disk.files.keys().cloned().collect());
    assert_eq!(left, [FileName::lock_of(2), DIRECTORY_LOCK.to_owned()]);
}

#[test]
fn no_more_streams_are_adopted_than_files_should_be_open_and_the_others_are_weighed() {
    let disk = SimulatedDisk::default();
    disk.change(|disk| {
        for stream in 100..100 + ADOPTED_MAX as u64 + 5 {
            disk.files.insert(name(stream, 1).to_string(), vec![1; 10]);
        }
    });
    let mut own = spool(disk, OWN);
    let found = scan(&mut own);
    assert_eq!(
        (found.adopted.len(), found.waiting_bytes),
        (ADOPTED_MAX, 50)
    );
    let DiskOutcome::Released(Ok(())) = own.carry_out(DiskCommand::Release(100)) else {
        panic!("it is ours");
    };
    let found = scan(&mut own);
    assert_eq!((found.adopted.len(), found.waiting_bytes), (1, 50));
}

#[test]
fn without_locks_there_is_a_spool_and_no_adoption() {
    let disk = SimulatedDisk::default();
    disk.change(|disk| disk.knows_no_locks = true);
    let mut own = spool(disk.clone(), OWN);
    let DiskOutcome::Scanned(Err(error)) = own.carry_out(DiskCommand::Scan) else {
        panic!("nobody can tell who lives");
    };
    assert_eq!(error.kind(), io::ErrorKind::Unsupported);
    write(&mut own, name(OWN, 1), 0, &[batch(OWN, 1, 10)]);
    assert_eq!(read(&mut own, name(OWN, 1), 50, 500).frames.len(), 1);
}

#[test]
fn a_write_that_fails_leaves_the_file_as_it_was() {
    let disk = SimulatedDisk::default();
    let mut own = spool(disk.clone(), OWN);
    write(&mut own, name(OWN, 1), 0, &[batch(OWN, 1, 10)]);
    let before = disk.change(|disk| disk.files.clone());
    for (first, offset) in [(1, 50), (2, 0)] {
        for tear in 0..60 {
            disk.change(|disk| disk.tear_after = Some(tear));
            let command = DiskCommand::Write {
                name: name(OWN, first),
                offset,
                frames: vec![batch(OWN, 2, 20)],
            };
            let DiskOutcome::Written(Err(_)) = own.carry_out(command) else {
                panic!("it was torn");
            };
            assert_eq!(disk.change(|disk| disk.files.clone()), before);
        }
    }
}

mod real {
    use super::*;
    use std::path::{Path, PathBuf};

    /// A directory of this test alone, removed at its end.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(test: &str) -> Self {
            let unique = format!("reflow-trace-spool-{}-{test}", std::process::id());
            Self(std::env::temp_dir().join(unique))
        }

        fn path(&self) -> &Path {
            &self.0
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _already_gone = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_real_directory_is_made_written_adopted_and_emptied() {
        let scratch = Scratch::new("adopted");
        let directory = scratch.path().join("made").join("here");
        let disk = || RealDisk::new(&directory);
        let mut first = spool(disk(), DEAD);
        let frames = [batch(DEAD, 1, 100), batch(DEAD, 2, 200)];
        write(&mut first, name(DEAD, 1), 0, &frames[..1]);
        write(&mut first, name(DEAD, 1), 140, &frames[1..]);
        let mut second = spool(disk(), OWN);
        assert_eq!(scan(&mut second), Found::default(), "it lives");
        drop(first);
        assert_eq!(scan(&mut second).adopted, [(name(DEAD, 1), 380)]);
        assert_eq!(read(&mut second, name(DEAD, 1), 380, 100).frames, frames);
        second.carry_out(DiskCommand::Remove(name(DEAD, 1)));
        second.carry_out(DiskCommand::Release(DEAD));
        let left: Vec<_> = std::fs::read_dir(&directory)
            .expect("it was made")
            .map(|entry| entry.expect("it can be read").file_name())
            .collect();
        assert_eq!(left, [DIRECTORY_LOCK]);
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_sees_what_is_in_a_spool() {
        use std::os::unix::fs::PermissionsExt as _;
        let scratch = Scratch::new("private");
        let mut own = spool(RealDisk::new(scratch.path()), OWN);
        write(&mut own, name(OWN, 1), 0, &[batch(OWN, 1, 10)]);
        let mode = |path: &Path| {
            let metadata = std::fs::metadata(path).expect("it is there");
            metadata.permissions().mode() & 0o777
        };
        assert_eq!(mode(scratch.path()), 0o700);
        let file = scratch.path().join(name(OWN, 1).to_string());
        assert_eq!(mode(&file), 0o600);
    }

    #[test]
    fn what_cannot_be_a_directory_is_an_error_and_no_panic() {
        let scratch = Scratch::new("no-directory");
        std::fs::write(scratch.path(), b"a file").expect("the place is writable");
        let mut own = spool(RealDisk::new(scratch.path()), OWN);
        let DiskOutcome::Scanned(Err(_)) = own.carry_out(DiskCommand::Scan) else {
            panic!("it is a file");
        };
        let _gone = std::fs::remove_file(scratch.path());
    }
}

/// A disk on which something happens just before a lock is asked for.
struct Meanwhile {
    disk: SimulatedDisk,
    happens: Option<Box<dyn FnOnce() + Send>>,
}

impl Disk for Meanwhile {
    type Lock = SimulatedLock;

    fn list(&mut self) -> io::Result<Vec<(String, Option<u64>)>> {
        self.disk.list()
    }

    fn read(&mut self, name: &str, offset: u64, bytes_max: usize) -> io::Result<Vec<u8>> {
        self.disk.read(name, offset, bytes_max)
    }

    fn write(&mut self, name: &str, offset: u64, parts: &[&[u8]]) -> io::Result<()> {
        self.disk.write(name, offset, parts)
    }

    fn cut(&mut self, name: &str, length: u64) -> io::Result<()> {
        self.disk.cut(name, length)
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        self.disk.remove(name)
    }

    fn lock(&mut self, name: &str) -> io::Result<Option<SimulatedLock>> {
        if name == FileName::lock_of(DEAD)
            && let Some(happens) = self.happens.take()
        {
            happens();
        }
        self.disk.lock(name)
    }
}

#[test]
fn what_a_process_writes_last_before_it_dies_is_adopted_though_the_directory_was_read_before() {
    let disk = SimulatedDisk::default();
    let mut dying = spool(disk.clone(), DEAD);
    let first = batch(DEAD, 1, 100);
    let first_bytes = first.bytes().len() as u64;
    write(&mut dying, name(DEAD, 1), 0, &[first]);
    let happens = move || {
        write(
            &mut dying,
            name(DEAD, 1),
            first_bytes,
            &[batch(DEAD, 2, 100)],
        );
        write(&mut dying, name(DEAD, 3), 0, &[batch(DEAD, 3, 100)]);
        drop(dying);
    };
    let mut heir = spool(
        Meanwhile {
            disk,
            happens: Some(Box::new(happens)),
        },
        OWN,
    );
    let found = scan(&mut heir);
    let mut numbers = Vec::new();
    for (name, length) in found.adopted {
        let chunk = read(&mut heir, name, length, 4_000);
        numbers.extend(chunk.frames.iter().map(|frame| frame.header().number));
    }
    assert_eq!(
        numbers,
        [1, 2, 3],
        "a file is removed when what is known of it is settled"
    );
}

#[test]
fn a_lock_that_is_given_up_is_free_though_a_fork_has_its_file_open() {
    let directory = std::env::temp_dir().join(format!("reflow-trace-lock-{}", std::process::id()));
    let mut disk = RealDisk::new(&directory);
    let lock = disk.lock(DIRECTORY_LOCK).expect("a lock").expect("free");
    // What a child has of the files of its parent.
    let inherited = lock.inherited().expect("another handle");
    drop(lock);
    let again = disk.lock(DIRECTORY_LOCK).expect("a lock");
    assert!(again.is_some());
    drop((again, inherited));
    let _tidy = std::fs::remove_dir_all(&directory);
}
