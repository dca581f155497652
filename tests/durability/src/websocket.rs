//! A stream of bytes cut into WebSocket messages (RFC 6455), so that faults can strike one whole message.
//!
//! Nothing is understood beyond where a message ends and how it is masked: a proxy has to pass on what it
//! does not know. Both ends write a message as one frame, and so does this.

use std::io::{self, BufRead, Read};

/// The head of an HTTP request or answer, with the empty line behind it.
const HEAD_BYTES_MAX: usize = 64 << 10;
/// Larger messages than either side sends.
const MESSAGE_BYTES_MAX: u64 = 64 << 20;

const BINARY: u8 = 2;
const FIN: u8 = 0x80;

/// One message as it lies on the line.
#[derive(Clone, Debug)]
pub struct RawMessage {
    /// Every byte of it, header and mask included.
    pub bytes: Vec<u8>,
    payload_at: usize,
}

impl RawMessage {
    /// Whether it is a whole binary message: the kind that holds a frame of ours.
    pub fn is_binary(&self) -> bool {
        self.bytes[0] == FIN | BINARY
    }

    /// What it holds, without the mask.
    pub fn payload(&self) -> Vec<u8> {
        let payload = &self.bytes[self.payload_at..];
        let is_masked = self.bytes[1] & 0x80 != 0;
        if !is_masked {
            return payload.to_vec();
        }
        let mask = &self.bytes[self.payload_at - 4..self.payload_at];
        let unmasked = payload.iter().zip(mask.iter().cycle());
        unmasked.map(|(byte, mask)| byte ^ mask).collect()
    }

    /// Bytes before what it holds.
    pub fn header_bytes(&self) -> usize {
        self.payload_at
    }
}

/// Reads the head with which each direction begins.
///
/// # Errors
///
/// When the line ends before, or the head does not.
pub fn read_head(line: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let before = head.len();
        line.read_until(b'\n', &mut head)?;
        if head.len() == before {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if head.len() > HEAD_BYTES_MAX {
            return Err(io::Error::other("a head without an end"));
        }
    }
    Ok(head)
}

/// Reads the next message.
///
/// # Errors
///
/// When the line ends or breaks, also within a message.
pub fn read_message(line: &mut impl Read) -> io::Result<RawMessage> {
    let mut bytes = vec![0; 2];
    line.read_exact(&mut bytes)?;
    let is_masked = bytes[1] & 0x80 != 0;
    let more = match bytes[1] & 0x7f {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    let payload_at = 2 + more + if is_masked { 4 } else { 0 };
    bytes.resize(payload_at, 0);
    line.read_exact(&mut bytes[2..])?;
    let length = match more {
        0 => u64::from(bytes[1] & 0x7f),
        _ => bytes[2..2 + more]
            .iter()
            .fold(0, |length, &byte| length << 8 | u64::from(byte)),
    };
    if length > MESSAGE_BYTES_MAX {
        return Err(io::Error::other("a message without measure"));
    }
    bytes.resize(payload_at + length as usize, 0);
    line.read_exact(&mut bytes[payload_at..])?;
    Ok(RawMessage { bytes, payload_at })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_masked_message_is_read_whole_and_unmasked() {
        // The example of RFC 6455, section 5.7, as a binary message.
        let line = [
            0x82, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58, 0xff,
        ];
        let mut rest = &line[..];
        let message = read_message(&mut rest).expect("it is whole");
        assert!(message.is_binary());
        assert_eq!(message.payload(), b"Hello");
        assert_eq!(message.bytes, line[..11]);
        assert_eq!(rest, [0xff]);
    }

    #[test]
    fn lengths_of_all_three_forms_are_understood() {
        for length in [0_usize, 125, 126, 65_535, 65_536] {
            let mut line = vec![0x82];
            match length {
                0..=125 => line.push(length as u8),
                126..=65_535 => {
                    line.push(126);
                    line.extend_from_slice(&(length as u16).to_be_bytes());
                }
                _ => {
                    line.push(127);
                    line.extend_from_slice(&(length as u64).to_be_bytes());
                }
            }
            let payload: Vec<u8> = (0..length).map(|at| at as u8).collect();
            line.extend_from_slice(&payload);
            let message = read_message(&mut &line[..]).expect("it is whole");
            assert_eq!(message.payload(), payload);
            assert_eq!(message.header_bytes(), line.len() - length);
        }
    }

    #[test]
    fn a_line_that_ends_within_is_an_error_and_a_head_ends_with_an_empty_line() {
        assert!(read_message(&mut &[0x82, 5, 1][..]).is_err());
        let mut line = &b"GET / HTTP/1.1\r\nHost: a\r\n\r\nrest"[..];
        assert_eq!(read_head(&mut line).expect("it ends").len(), 27);
        assert_eq!(line, b"rest");
        assert!(read_head(&mut line).is_err());
    }
}
