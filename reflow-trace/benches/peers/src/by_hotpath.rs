//! Rows of hotpath's channels: it counts messages and their delays, and keeps no events.
//!
//! Its own account is the report that it writes when it ends; a message that is missing there voids the
//! measurement.

use std::fs;
use std::hint::black_box;
use std::path::PathBuf;

use hotpath::{Format, HotpathGuardBuilder};

use crate::pairs::{BOUND, CROSSBEAM, STD, TOKIO, pair, plain};
use crate::shared::rows::{Account, Expect, Row, measure};
use crate::shared::work::{Load, Messages};
use crate::shared::{BURST, Failure};

/// Measures the pairs and reads the report.
pub(crate) fn rows(rounds: u32) -> Result<(), Failure> {
    let path = report_path();
    let guard = HotpathGuardBuilder::new("channels")
        .format(Format::Json)
        .output_path(&path)
        .build();
    let mut rows = vec![Row::bare(), Row::floor()];
    rows.extend(plain());
    rows.extend(pairs());
    measure(rows, rounds, |_| Ok(Account::default()))?;
    drop(guard);

    let report = fs::read_to_string(&path)?;
    fs::remove_file(&path)?;
    // One burst warms the caches.
    let sent = (u64::from(rounds) + 1) * (BURST / 2);
    let counts = format!("\"sent_count\":{sent},\"received_count\":{sent},");
    let report: String = report.chars().filter(|c| !c.is_whitespace()).collect();
    match report.matches(&counts).count() {
        3 => Ok(()),
        whole => Err(format!("hotpath has counted {whole} of 3 channels to the end").into()),
    }
}

fn report_path() -> PathBuf {
    let name = format!("reflow-trace-peers-{}.json", std::process::id());
    std::env::temp_dir().join(name)
}

fn pairs() -> Vec<Row<'static>> {
    let (std_sender, std_receiver) = hotpath::channel!(std::sync::mpsc::channel::<Load>());
    let (crossbeam_sender, crossbeam_receiver) =
        hotpath::channel!(crossbeam_channel::bounded::<Load>(BOUND));
    let (tokio_sender, mut tokio_receiver) =
        hotpath::channel!(tokio::sync::mpsc::channel::<Load>(BOUND));
    let (of_std, of_crossbeam, of_tokio) = (Messages::new(), Messages::new(), Messages::new());
    vec![
        pair(
            "std mpsc pair, hotpath",
            STD,
            Expect::Unseen,
            0,
            move |number| {
                let _sent = black_box(std_sender.send(of_std.nth(number)));
                let _received = black_box(std_receiver.try_recv());
            },
        ),
        pair(
            "crossbeam pair, hotpath",
            CROSSBEAM,
            Expect::Unseen,
            0,
            move |number| {
                let _sent = black_box(crossbeam_sender.try_send(of_crossbeam.nth(number)));
                let _received = black_box(crossbeam_receiver.try_recv());
            },
        ),
        pair(
            "tokio mpsc pair, hotpath",
            TOKIO,
            Expect::Unseen,
            0,
            move |number| {
                let _sent = black_box(tokio_sender.try_send(of_tokio.nth(number)));
                let _received = black_box(tokio_receiver.try_recv());
            },
        ),
    ]
}
