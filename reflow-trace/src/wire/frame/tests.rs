//! What is one frame, and what is not.

use super::*;

fn batch(payload: &[u8]) -> Frame {
    Frame::build(
        FrameKind::Batch,
        [7, 1],
        3,
        payload.len() as u32,
        false,
        payload,
    )
}

fn parse(bytes: &[u8]) -> Result<Frame, FrameError> {
    Frame::parse(Bytes::copy_from_slice(bytes), &FrameLimits::default())
}

/// The frame after a change of its header, with the checksum put right.
fn with(frame: &Frame, change: impl FnOnce(&mut [u8])) -> Vec<u8> {
    let mut bytes = frame.bytes().to_vec();
    change(&mut bytes);
    let crc = FrameHeader::checksum(&bytes);
    bytes[36..40].copy_from_slice(&crc.to_le_bytes());
    bytes
}

fn messages() -> Vec<Message> {
    vec![
        Message::Hello(Hello {
            protocol: 1,
            agent: "reflow-trace 0.1.0".into(),
            program: "app".into(),
            host: "h".into(),
            process_id: 1234,
            stream: u64::MAX,
            producer: 5,
        }),
        Message::Welcome(Welcome {
            protocol: 1,
            credit_total: u64::MAX,
            ..Welcome::default()
        }),
        Message::Batch(batch(b"any")),
        Message::Ack(Ack {
            stream: 1,
            number: 2,
            credit_total: 3,
        }),
        Message::Refusal(Refusal {
            batch: Some((1, 2)),
            code: RefusalCode::StoreFull,
            text: "no room".into(),
            retryable: true,
            retry_after_ms: Some(0),
        }),
        Message::Refusal(Refusal {
            batch: None,
            code: RefusalCode::Other(77),
            text: String::new(),
            retryable: false,
            retry_after_ms: None,
        }),
        Message::Goodbye(Goodbye {
            text: "done".into(),
            retry_after_ms: None,
        }),
        Message::Skip {
            stream: 5,
            number: 0,
            after: 0,
        },
        Message::Skip {
            stream: u64::MAX,
            number: 9,
            after: 7,
        },
        Message::Ping(0),
        Message::Pong(u64::MAX),
    ]
}

#[test]
fn a_message_is_read_as_it_was_written() {
    for message in messages() {
        let frame = message.encode();
        let read = parse(frame.bytes()).expect("a frame");
        assert_eq!(read, frame);
        assert_eq!(Message::decode(&read), Ok(message));
    }
}

#[test]
fn the_checksum_is_castagnolis() {
    // The check value of CRC-32C: RFC 3720, appendix B.4, and every catalogue of checksums.
    assert_eq!(crc32c::crc32c(b"123456789"), 0xe306_9283);
}

#[test]
fn every_flipped_bit_is_noticed() {
    for message in messages() {
        let frame = message.encode();
        for bit in 0..frame.bytes().len() * 8 {
            let mut bytes = frame.bytes().to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(parse(&bytes).is_err(), "{message:?}, bit {bit}");
        }
    }
}

#[test]
fn every_part_of_a_frame_is_too_short() {
    for message in messages() {
        let frame = message.encode();
        for length in 0..frame.bytes().len() {
            assert!(parse(&frame.bytes()[..length]).is_err());
        }
        let mut longer = frame.bytes().to_vec();
        longer.push(0);
        assert!(matches!(parse(&longer), Err(FrameError::Length { .. })));
    }
}

#[test]
fn what_a_later_version_may_say_is_refused_by_name() {
    let frame = batch(b"any");
    let version = with(&frame, |bytes| bytes[3] = b'2');
    assert_eq!(
        parse(&version),
        Err(FrameError::UnknownVersion { byte: b'2' })
    );
    let kind = with(&frame, |bytes| bytes[4] = 10);
    assert_eq!(parse(&kind), Err(FrameError::UnknownKind { byte: 10 }));
    let flags = with(&frame, |bytes| bytes[5] = 0b10);
    assert_eq!(parse(&flags), Err(FrameError::UnknownFlags { byte: 0b10 }));
}

#[test]
fn fields_that_a_kind_does_not_have_are_zero() {
    let frames: Vec<_> = messages().iter().map(Message::encode).collect();
    let field = |bytes: Vec<u8>| match parse(&bytes) {
        Err(FrameError::Field { field, .. }) => Some(field),
        _ => None,
    };
    for frame in &frames {
        let kind = frame.header().kind;
        assert!(field(with(frame, |bytes| bytes[7] = 1)).is_some());
        assert!(field(with(frame, |bytes| bytes[12] ^= 1)).is_some());
        if kind != FrameKind::Batch {
            assert!(field(with(frame, |bytes| bytes[5] = 1)).is_some());
            assert!(field(with(frame, |bytes| bytes[32] = 1)).is_some());
        }
        let other_stream = with(frame, |bytes| {
            let is_named = bytes[16..24] != [0; 8];
            bytes[16..24].fill(if is_named { 0 } else { 1 });
        });
        assert!(field(other_stream).is_some(), "{kind:?}");
    }
}

#[test]
fn lengths_over_the_limits_are_refused_before_anything_else() {
    let limits = FrameLimits {
        payload_bytes_max: 10,
        ..FrameLimits::default()
    };
    let frame = batch(&[0; 11]);
    assert_eq!(
        Frame::read_header(&frame.bytes()[..40], &limits),
        Err(FrameError::PayloadTooLong { bytes: 11, max: 10 })
    );
    let huge = with(&batch(b""), |bytes| bytes[8..12].fill(0xff));
    assert!(matches!(
        parse(&huge),
        Err(FrameError::PayloadTooLong { .. })
    ));
    let plain = with(&batch(b""), |bytes| bytes[12..16].fill(0xff));
    assert!(matches!(
        parse(&plain),
        Err(FrameError::PlainTooLong { .. })
    ));
}

fn compressed(plain: &[u8]) -> Frame {
    let mut packed = Vec::new();
    assert!(Compressor::default().compress(plain, Level::FAST, &mut packed));
    Frame::build(
        FrameKind::Batch,
        [7, 1],
        3,
        plain.len() as u32,
        true,
        &packed,
    )
}

#[test]
fn a_compressed_payload_comes_out_as_it_was() {
    for length in [0, 1, 100, 60_000] {
        let plain: Vec<u8> = (0..length).map(|n: u32| n.wrapping_mul(n) as u8).collect();
        let frame = compressed(&plain);
        let read = parse(frame.bytes()).expect("a frame");
        assert_eq!(
            read.plain_payload(&FrameLimits::default()).as_deref(),
            Ok(&plain[..])
        );
    }
}

#[test]
fn a_bomb_is_refused_by_what_it_says_and_by_what_it_does() {
    let zeros = vec![0; 16 << 20];
    let honest = compressed(&zeros);
    assert!(matches!(
        parse(honest.bytes()),
        Err(FrameError::TooDense { .. })
    ));
    // It says that it is small.
    let liar = with(&honest, |bytes| {
        bytes[12..16].copy_from_slice(&1_000u32.to_le_bytes());
    });
    let frame = parse(&liar).expect("the header is in order");
    assert!(matches!(
        frame.plain_payload(&FrameLimits::default()),
        Err(FrameError::Zstd { .. })
    ));
}

#[test]
fn a_payload_that_is_not_exactly_one_zstd_frame_is_refused() {
    let plain: Vec<u8> = (0..3_000u32).map(|n| ((n * n) >> 3) as u8).collect();
    let whole = compressed(&plain).payload();
    let refused = |packed: &[u8], plain_len: u32| {
        let frame = Frame::build(FrameKind::Batch, [7, 1], 3, plain_len, true, packed);
        let frame = parse(frame.bytes()).expect("the header is in order");
        frame.plain_payload(&FrameLimits::default()).is_err()
    };
    let length = plain.len() as u32;
    assert!(!refused(&whole, length));
    for cut in 0..whole.len() {
        assert!(refused(&whole[..cut], length), "cut to {cut}");
    }
    assert!(refused(&whole, length - 1));
    assert!(refused(&whole, length + 1));
    assert!(refused(&[&whole[..], &whole[..]].concat(), 2 * length));
    // A skippable frame: RFC 8878, section 3.1.2.
    let skippable = [0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0];
    assert!(refused(&[&whole[..], &skippable[..]].concat(), length));
    assert!(refused(&skippable, 0));
}

#[test]
fn arbitrary_payloads_of_messages_are_read_without_panic() {
    use proptest::prelude::*;

    proptest!(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() },
        |(kind in 0..FrameKind::ALL.len(), payload in proptest::collection::vec(any::<u8>(), 0..64))| {
        let kind = FrameKind::ALL[kind];
        let frame = Frame::build(kind, [0, 0], 0, 0, false, &payload);
        // Whether they hold a message does not matter here.
        let _any_answer_will_do = Message::decode(&frame);
    });
}

mod scanning {
    use super::*;

    fn file(frames: &[Frame]) -> Vec<u8> {
        frames
            .iter()
            .flat_map(|frame| frame.bytes().clone())
            .collect()
    }

    fn scan(file: &[u8]) -> Vec<Scanned> {
        let pieces: Vec<_> =
            FrameScanner::new(Bytes::copy_from_slice(file), FrameLimits::default()).collect();
        let mut at = 0;
        for piece in &pieces {
            let (offset, bytes) = match piece {
                Scanned::Frame { offset, frame } => (*offset, frame.bytes().len()),
                Scanned::Broken { offset, bytes, .. } | Scanned::Tail { offset, bytes, .. } => {
                    (*offset, *bytes)
                }
            };
            assert_eq!(offset, at, "every byte is in exactly one piece");
            at += bytes;
        }
        assert_eq!(at, file.len());
        pieces
    }

    fn frames_in(pieces: &[Scanned]) -> Vec<Frame> {
        pieces
            .iter()
            .filter_map(|piece| match piece {
                Scanned::Frame { frame, .. } => Some(frame.clone()),
                _ => None,
            })
            .collect()
    }

    fn three() -> [Frame; 3] {
        [batch(b"one"), batch(b"RTF1RTF1"), batch(&[0; 50])]
    }

    #[test]
    fn whole_files_give_all_their_frames() {
        let frames = three();
        assert_eq!(frames_in(&scan(&file(&frames))), frames);
        assert!(scan(&[]).is_empty());
    }

    #[test]
    fn a_file_cut_anywhere_gives_the_frames_before_the_cut() {
        let frames = three();
        let whole = file(&frames);
        for cut in 0..whole.len() {
            let pieces = scan(&whole[..cut]);
            let mut end = 0;
            let expected: Vec<_> = frames
                .iter()
                .filter(|frame| {
                    end += frame.bytes().len();
                    end <= cut
                })
                .cloned()
                .collect();
            assert_eq!(frames_in(&pieces), expected, "cut at {cut}");
            if let Some(Scanned::Tail { is_torn, .. }) = pieces.last() {
                assert!(is_torn, "cut at {cut}");
            }
        }
    }

    #[test]
    fn a_flipped_bit_costs_one_frame() {
        let frames = three();
        let whole = file(&frames);
        for bit in 0..whole.len() * 8 {
            let mut damaged = whole.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let mut end = 0;
            let expected: Vec<_> = frames
                .iter()
                .filter(|frame| {
                    let start = end;
                    end += frame.bytes().len();
                    !(start..end).contains(&(bit / 8))
                })
                .cloned()
                .collect();
            assert_eq!(frames_in(&scan(&damaged)), expected, "bit {bit}");
        }
    }

    #[test]
    fn zeros_and_foreign_files_are_a_broken_tail() {
        for foreign in [
            vec![0; 500],
            b"RTF0RTF1RTF1".repeat(20),
            vec![0xff; 41],
            vec![0; 7],
        ] {
            let pieces = scan(&foreign);
            assert!(
                matches!(pieces[..], [Scanned::Tail { is_torn: false, .. }]),
                "{pieces:?}"
            );
        }
    }

    #[test]
    fn a_zero_filled_middle_is_skipped() {
        let frames = three();
        let mut whole = file(&frames[..1]);
        whole.extend([0; 4_096]);
        whole.extend(file(&frames[1..]));
        let pieces = scan(&whole);
        assert_eq!(frames_in(&pieces), frames);
        assert!(matches!(
            pieces[1],
            Scanned::Broken {
                bytes: 4_096,
                header: None,
                ..
            }
        ));
    }

    #[test]
    fn a_file_made_of_headers_is_given_up() {
        // Each header claims all that is behind it, so that every checksum is of nearly the whole file.
        let headers = 2_000;
        let mut foreign = Vec::new();
        for left in (0..headers).rev() {
            let mut header = batch(&[]).bytes().to_vec();
            let length = (left * 40u32).to_le_bytes();
            header[8..12].copy_from_slice(&length);
            header[12..16].copy_from_slice(&length);
            foreign.extend(header);
        }
        let pieces = scan(&foreign);
        assert!(
            matches!(pieces[..], [Scanned::Tail { is_torn: false, .. }]),
            "{} pieces",
            pieces.len()
        );
    }

    #[test]
    fn what_was_lost_says_what_it_was() {
        let frames = three();
        let mut damaged = file(&frames);
        damaged[40] ^= 1;
        let pieces = scan(&damaged);
        assert!(
            matches!(&pieces[0], Scanned::Broken { header: Some(header), .. } if header.events == 3)
        );
    }
}
