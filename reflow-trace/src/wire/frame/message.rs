//! What client and server say to each other beside batches.
//!
//! Each message is a frame. The fields of the payloads are protobuf; their numbers stand at the structs.

use prost::Message as _;

use super::{Frame, FrameError, FrameKind};

/// The version of the conversation that this crate speaks; see [`Hello::protocol`].
pub const PROTOCOL_VERSION: u32 = 1;

/// What a client says first.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Hello {
    /// The version of the conversation, now 1. A server that does not know it refuses.
    #[prost(uint32, tag = "1")]
    pub protocol: u32,
    /// The name and version of the client software, such as `reflow-trace 0.1.0`.
    #[prost(string, tag = "2")]
    pub agent: String,
    /// The name of the program, for people who look at the list of connections.
    #[prost(string, tag = "3")]
    pub program: String,
    /// The machine.
    #[prost(string, tag = "4")]
    pub host: String,
    /// The process.
    #[prost(uint32, tag = "5")]
    pub process_id: u32,
    /// The client's own stream; others may follow that it found in its spool.
    #[prost(fixed64, tag = "6")]
    pub stream: u64,
    /// Who records now, 52 bits; see [`ProducerId`](crate::event::ProducerId).
    #[prost(fixed64, tag = "7")]
    pub producer: u64,
}

/// What the server answers.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Welcome {
    /// The version of the conversation that the server goes on with: not above the client's.
    #[prost(uint32, tag = "1")]
    pub protocol: u32,
    /// The name and version of the server software.
    #[prost(string, tag = "2")]
    pub agent: String,
    /// Bytes of batch frames, headers included, that the client may send since the connection began.
    #[prost(uint64, tag = "3")]
    pub credit_total: u64,
    /// Largest payload as it lies in the frame; 0: not said.
    #[prost(uint32, tag = "4")]
    pub payload_bytes_max: u32,
    /// Largest payload before compression; 0: not said.
    #[prost(uint32, tag = "5")]
    pub plain_bytes_max: u32,
    /// Most events in a batch; 0: not said.
    #[prost(uint32, tag = "6")]
    pub events_max: u32,
    /// The server closes a connection on which it has heard nothing for so long, in milliseconds; 0: never.
    #[prost(uint32, tag = "7")]
    pub silence_max_ms: u32,
}

/// Everything of the stream that was sent on this connection up to `number` is durably committed, but for
/// batches that were refused for good before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ack {
    /// One run of one client.
    pub stream: u64,
    /// The last batch that is meant.
    pub number: u64,
    /// Bytes of batch frames that the client may send since the connection began.
    pub credit_total: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
struct AckBody {
    #[prost(uint64, tag = "1")]
    credit_total: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
struct SkipBody {
    #[prost(uint64, tag = "1")]
    after: u64,
}

/// A batch, or the connection, is not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Stream and number of the batch; `None`: the connection.
    pub batch: Option<(u64, u64)>,
    /// Why, for programs.
    pub code: RefusalCode,
    /// Why, for people.
    pub text: String,
    /// The same batch may be accepted later. If not, it is lost, and sending it again is of no use.
    pub retryable: bool,
    /// Not before so many milliseconds, where the server knows.
    pub retry_after_ms: Option<u32>,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct RefusalBody {
    #[prost(uint32, tag = "1")]
    code: u32,
    #[prost(string, tag = "2")]
    text: String,
    #[prost(bool, tag = "3")]
    retryable: bool,
    #[prost(uint32, optional, tag = "4")]
    retry_after_ms: Option<u32>,
}

/// Nothing more comes from this side; acks of what was sent may still come from the other.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Goodbye {
    /// Why, for people.
    #[prost(string, tag = "1")]
    pub text: String,
    /// When to come back, in milliseconds, where the sender knows.
    #[prost(uint32, optional, tag = "2")]
    pub retry_after_ms: Option<u32>,
}

/// Why something is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RefusalCode {
    /// The frame or the batch cannot be read.
    Malformed,
    /// Something is over a limit.
    TooLarge,
    /// A version that the server does not know.
    Unsupported,
    /// Messages in an order that makes no sense, or a number below one already sent on this connection.
    OutOfOrder,
    /// More bytes than the credit allows.
    OverCredit,
    /// The store has no room.
    StoreFull,
    /// The server has too much to do.
    Busy,
    /// The server is about to stop.
    ShuttingDown,
    /// A fault of the server.
    Internal,
    /// A reason of a later version. Whether to try again is said beside it.
    Other(u32),
}

impl RefusalCode {
    /// The reasons that have a name.
    pub const KNOWN: [Self; 9] = [
        Self::Malformed,
        Self::TooLarge,
        Self::Unsupported,
        Self::OutOfOrder,
        Self::OverCredit,
        Self::StoreFull,
        Self::Busy,
        Self::ShuttingDown,
        Self::Internal,
    ];

    /// The number on the wire, from 1.
    pub const fn number(self) -> u32 {
        match self {
            Self::Malformed => 1,
            Self::TooLarge => 2,
            Self::Unsupported => 3,
            Self::OutOfOrder => 4,
            Self::OverCredit => 5,
            Self::StoreFull => 6,
            Self::Busy => 7,
            Self::ShuttingDown => 8,
            Self::Internal => 9,
            Self::Other(number) => number,
        }
    }

    /// The reason with this number.
    pub fn from_number(number: u32) -> Self {
        Self::KNOWN
            .into_iter()
            .find(|code| code.number() == number)
            .unwrap_or(Self::Other(number))
    }
}

/// Any frame, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// From the client, first.
    Hello(Hello),
    /// The server's answer.
    Welcome(Welcome),
    /// Events. The frame is kept whole, for it is stored as it came.
    Batch(Frame),
    /// From the server.
    Ack(Ack),
    /// From the server.
    Refusal(Refusal),
    /// From either side, last.
    Goodbye(Goodbye),
    /// From either side.
    Ping(u64),
    /// In answer, with the same number.
    Pong(u64),
    /// From the client: of this stream, the batch after `number` comes next on this connection.
    ///
    /// It is sent before the first batch of a stream, and wherever numbers are left out knowingly. All
    /// other batches follow each other without a gap; so a batch that comes out of its order is found out,
    /// before a later one has made the server take it for a duplicate.
    Skip {
        /// One run of one client.
        stream: u64,
        /// The number before the next batch; 0: the stream begins.
        number: u64,
        /// The batch of the stream that was sent last on this connection; 0: none yet. Who has not received
        /// it knows that something was lost on the way, and must not take what follows for all there is.
        after: u64,
    },
}

impl Message {
    /// The frame of the message.
    pub fn encode(&self) -> Frame {
        let simple = |kind, place, payload: &[u8]| {
            Frame::build(kind, place, 0, payload.len() as u32, false, payload)
        };
        match self {
            Self::Hello(hello) => simple(FrameKind::Hello, [0, 0], &hello.encode_to_vec()),
            Self::Welcome(welcome) => simple(FrameKind::Welcome, [0, 0], &welcome.encode_to_vec()),
            Self::Batch(frame) => frame.clone(),
            Self::Ack(ack) => {
                let body = AckBody {
                    credit_total: ack.credit_total,
                };
                simple(
                    FrameKind::Ack,
                    [ack.stream, ack.number],
                    &body.encode_to_vec(),
                )
            }
            Self::Refusal(refusal) => {
                let body = RefusalBody {
                    code: refusal.code.number(),
                    text: refusal.text.clone(),
                    retryable: refusal.retryable,
                    retry_after_ms: refusal.retry_after_ms,
                };
                let (stream, number) = refusal.batch.unwrap_or_default();
                simple(FrameKind::Refusal, [stream, number], &body.encode_to_vec())
            }
            Self::Goodbye(goodbye) => simple(FrameKind::Goodbye, [0, 0], &goodbye.encode_to_vec()),
            Self::Ping(token) => simple(FrameKind::Ping, [0, *token], &[]),
            Self::Pong(token) => simple(FrameKind::Pong, [0, *token], &[]),
            Self::Skip {
                stream,
                number,
                after,
            } => {
                let body = SkipBody { after: *after };
                simple(FrameKind::Skip, [*stream, *number], &body.encode_to_vec())
            }
        }
    }

    /// Reads a frame. The payload of a batch is not looked at.
    ///
    /// # Errors
    ///
    /// [`FrameError::Payload`] when the payload is no protobuf message of this kind.
    pub fn decode(frame: &Frame) -> Result<Self, FrameError> {
        let header = frame.header();
        let kind = header.kind;
        let broken = |reason: prost::DecodeError| FrameError::Payload {
            kind,
            reason: reason.to_string(),
        };
        let payload = frame.payload();
        Ok(match kind {
            FrameKind::Hello => Self::Hello(Hello::decode(payload).map_err(broken)?),
            FrameKind::Welcome => Self::Welcome(Welcome::decode(payload).map_err(broken)?),
            FrameKind::Batch => Self::Batch(frame.clone()),
            FrameKind::Ack => Self::Ack(Ack {
                stream: header.stream,
                number: header.number,
                credit_total: AckBody::decode(payload).map_err(broken)?.credit_total,
            }),
            FrameKind::Refusal => {
                let body = RefusalBody::decode(payload).map_err(broken)?;
                Self::Refusal(Refusal {
                    batch: (header.stream != 0).then_some((header.stream, header.number)),
                    code: RefusalCode::from_number(body.code),
                    text: body.text,
                    retryable: body.retryable,
                    retry_after_ms: body.retry_after_ms,
                })
            }
            FrameKind::Goodbye => Self::Goodbye(Goodbye::decode(payload).map_err(broken)?),
            FrameKind::Ping => Self::Ping(header.number),
            FrameKind::Pong => Self::Pong(header.number),
            FrameKind::Skip => Self::Skip {
                stream: header.stream,
                number: header.number,
                after: SkipBody::decode(payload).map_err(broken)?.after,
            },
        })
    }
}
