//! The format of batches, version 1.
//!
//! The plain payload of a batch frame is one protobuf message (proto3), written here as a `.proto` file
//! would have it. It can be read alone: it brings the names of everything that it refers to.
//!
//! ```text
//! message Batch {
//!   uint64 version = 1;                     // 1; a reader refuses every other
//!   uint64 producer = 2;                    // who has recorded: 52 bits
//!   uint64 events = 3;                      // how many rows the columns have; the same as in the frame's header
//!   float  cpu_usage_percent = 4;           // of the process; absent: not known
//!
//!   // The dictionary. Everything below is named by its place in these lists, from 0.
//!   repeated string name = 5;               // at most 256 bytes each
//!   repeated uint64 edge = 6 [packed];      // 6 for each edge, names: from actor, from port, to actor, to port,
//!                                           //   protocol, compression
//!   repeated uint64 message_type = 7;       // packed: names
//!   repeated uint64 threshold = 8;          // packed: T, 0 to 2^56
//!   repeated uint64 other_producer = 9;     // packed: 52 bits each
//!   repeated uint64 ring = 10;              // packed: 2 for each ring: producer (0: this one, n: other_producer n - 1), ring (22 bits)
//!   repeated double throughput = 11;        // packed: for each edge, messages in the last second; all bits 1: not known.
//!                                           //   Absent: not known of any
//!   repeated uint64 prefix = 12;            // packed: 2 for each prefix of message ids: name, least number of digits
//!   repeated uint64 form = 13;              // packed: 9 for each form, see below
//!
//!   // The columns: one value for each event, all packed. A column of zeros alone is left out.
//!   // "sint" values are zigzag. What is a difference is added modulo 2^64.
//!   repeated uint64 form_of = 16;           // form; never left out
//!   repeated uint64 run = 17;               // 2 for each run: ring, how many events in a row are of it
//!   repeated sint64 sequence = 18;          // less that of the event before in the same ring (0 at first), less 1
//!   repeated sint64 start_ns = 19;          // since the epoch, less that of the row before (0 at first)
//!   repeated uint64 duration_ns = 20;
//!   repeated uint64 size_bytes = 21;
//!   repeated uint64 queue_depth = 22;
//!   repeated uint64 wide = 23;              // waiting time in ns, or memory in bytes
//!   repeated uint64 cause_ring = 24;        // ring
//!   repeated sint64 cause_sequence = 25;    // less that of the last cause in the same ring (0 at first)
//!   repeated uint64 root_ring = 26;         // ring
//!   repeated sint64 root_number = 27;       // less that of the last root in the same ring (0 at first)
//!   repeated sint64 message_number = 28;    // less the last one with the same id form (0 at first)
//!   bytes message_uuid = 29;                // 16 for each event whose form has a UUID, and none for the others
//!   repeated uint64 section_bytes = 30;     // how many of `sections` are of this event
//!   bytes sections = 31;
//!
//!   repeated Notice notice = 32;            // what the tracing says of itself; not counted as events
//! }
//! message Notice {
//!   bytes  event_id = 1;                    // 16
//!   sint64 seconds = 2;                     // since the epoch
//!   uint64 nanoseconds = 3;
//!   string loss_reason = 4;                 // present: a loss; a reason that is not known is read as `other`
//!   uint64 loss_count = 5;
//!   uint64 counters_producer = 6;           // present: exact counters since the recording began
//!   repeated uint64 counters_names = 7;     // packed: 5 for each line: from actor, from port, to actor, to port, message type
//!   repeated uint64 counters = 8;           // packed: 6 for each line: messages, bytes, failures, not sampled, received, dropped
//!   uint64 coverage_producer = 9;           // present: how much the events show
//!   uint64 coverage_threshold = 10;         // T
//!   repeated uint64 coverage_rings = 11;    // packed: 2 for each ring: ring, last number that was given
//!   uint64 lost_without_number = 12;
//!   uint64 by_hand = 13;
//!   uint64 by_hand_waiting = 14;
//!   uint64 clock_wander_ns = 15;
//! }
//! ```
//!
//! A packed field, and each of the `bytes`, is written once and in one piece; of several the last one
//! counts. Unknown fields are skipped, and so is a notice of which nothing is known.
//!
//! # Forms
//!
//! What events of the same edge mostly share is said once, in a form of nine numbers:
//!
//! | place | number |
//! | --- | --- |
//! | 0 | kind: 0 send (a `DataFlow` when delivered or built by hand, else `MessageSent`), 1 `MessageSent`, 2 `MessageReceived`, 3 `ActorCreated`, 4 `ActorStarted`, 5 `ActorCompleted`, 6 `ActorFailed`, 7 `StateChanged`, 8 `PortConnected`, 9 `PortDisconnected`, 10 `NetworkEvent`; others are refused: a new kind is a new version |
//! | 1 | outcome: 0 none, 1 delivered, 2 failed, 3 cancelled, 4 panicked, 5 dropped, 6 timed out; others, of a later version, are read as none, and `wide` as not there |
//! | 2 | flags, below; others are kept and mean nothing |
//! | 3 | columns that hold something for these events, below; others are skipped as unknown fields are |
//! | 4 | edge |
//! | 5 | message type + 1; 0: no message |
//! | 6 | threshold + 1; 0: not known, or not decided by probability |
//! | 7 | hops: messages between the root and this one |
//! | 8 | message id: 0 none here, 1 a UUID in `message_uuid`, 2 the number `message_number`, 3 + n: prefix n and the decimal digits of `message_number`, filled up with zeros on the left to the least number of digits |
//!
//! | flag | meaning |
//! | --- | --- |
//! | 2⁰ | the size is only that of the value itself |
//! | 2¹ | the event belongs to a trace |
//! | 2² | R is a hash of the message's id |
//! | 2³ | the trace was begun anew here, because the one before had become too long |
//! | 2⁴ | the cause is of the same process |
//! | 2⁵ | `hops` holds |
//! | 2⁶ | built by hand: the sections are the truth |
//! | 2⁷ | the message carried no context, so that what sent it is not known |
//! | 2⁸ | trace or cause are not of this process, or there are several causes |
//! | 2⁹ | the trace id is of another tracer's making |
//! | 2¹⁰ | R is not the low bits of the trace id |
//! | 2¹¹ | the cause is the span of another tracer |
//! | 2¹² | there are causes beside the first |
//! | 2¹³ | the maker of the trace id has not said that it is random |
//! | 2¹⁴ | the trace was begun by this attempt |
//!
//! | column | bit |
//! | --- | --- |
//! | `duration_ns` | 2⁰ |
//! | `size_bytes` | 2¹ |
//! | `queue_depth` | 2² |
//! | `wide`: a waiting time for a receive not built by hand and for a dropped message, else memory | 2³ |
//! | `cause_ring`, `cause_sequence` | 2⁴ |
//! | `root_ring`, `root_number` | 2⁵ |
//!
//! Where a form has not the bit, the value in the column is 0 and means nothing.
//!
//! # Ids
//!
//! An event's id is made of (producer of the ring, ring, sequence), a cause's likewise: see
//! [`EventId`](crate::EventId). A trace id is made of (producer of the root's ring, permuted root): R is
//! the root's number (48 bits) under the permutation that the producer and the ring are the key of, as in
//! `sampling/randomness.rs`; above R stand the upper 14 bits of the ring.
//!
//! # Sections
//!
//! What has no column: attributes, captured content, ids from elsewhere, everything of an event that was
//! built by hand. One after the other: tag (1 byte), length of the payload (varint), payload. The tags and
//! payloads are those of `record/sections.rs`, but for the attribute (tag 2), whose payload begins with
//! the length of its key (varint), and the home ring (tag 1), which is folded into the ring. Unknown tags
//! are kept and mean nothing. An attribute `message_id` in the sections takes precedence over the column.
//!
//! # What is refused
//!
//! Whatever is over [`BatchLimits`](super::BatchLimits); a column that has neither no value nor one for
//! each event; a place in a list that is not there; a number that has more bits than it can have; a name
//! that is not UTF-8; sections that cannot be read. Nothing of a refused batch is used.

/// The version of the format that this crate reads and writes.
pub const BATCH_VERSION: u64 = 1;

/// Numbers of the fields of a batch.
pub(super) mod field {
    pub(in crate::wire) const VERSION: u32 = 1;
    pub(in crate::wire) const PRODUCER: u32 = 2;
    pub(in crate::wire) const EVENTS: u32 = 3;
    pub(in crate::wire) const CPU: u32 = 4;
    pub(in crate::wire) const NAME: u32 = 5;
    pub(in crate::wire) const EDGE: u32 = 6;
    pub(in crate::wire) const MESSAGE_TYPE: u32 = 7;
    pub(in crate::wire) const THRESHOLD: u32 = 8;
    pub(in crate::wire) const OTHER_PRODUCER: u32 = 9;
    pub(in crate::wire) const RING: u32 = 10;
    pub(in crate::wire) const THROUGHPUT: u32 = 11;
    pub(in crate::wire) const PREFIX: u32 = 12;
    pub(in crate::wire) const FORM: u32 = 13;
    pub(in crate::wire) const FORM_OF: u32 = 16;
    pub(in crate::wire) const RUN: u32 = 17;
    pub(in crate::wire) const SEQUENCE: u32 = 18;
    pub(in crate::wire) const START: u32 = 19;
    pub(in crate::wire) const DURATION: u32 = 20;
    pub(in crate::wire) const SIZE: u32 = 21;
    pub(in crate::wire) const DEPTH: u32 = 22;
    pub(in crate::wire) const WIDE: u32 = 23;
    pub(in crate::wire) const CAUSE_RING: u32 = 24;
    pub(in crate::wire) const CAUSE_SEQUENCE: u32 = 25;
    pub(in crate::wire) const ROOT_RING: u32 = 26;
    pub(in crate::wire) const ROOT_NUMBER: u32 = 27;
    pub(in crate::wire) const MESSAGE_NUMBER: u32 = 28;
    pub(in crate::wire) const MESSAGE_UUID: u32 = 29;
    pub(in crate::wire) const SECTION_BYTES: u32 = 30;
    pub(in crate::wire) const SECTIONS: u32 = 31;
    pub(in crate::wire) const NOTICE: u32 = 32;
    /// One above the last.
    pub(in crate::wire) const COUNT: usize = 33;
}

/// Numbers of the fields of a notice.
pub(super) mod notice_field {
    pub(in crate::wire) const EVENT_ID: u32 = 1;
    pub(in crate::wire) const SECONDS: u32 = 2;
    pub(in crate::wire) const NANOSECONDS: u32 = 3;
    pub(in crate::wire) const LOSS_REASON: u32 = 4;
    pub(in crate::wire) const LOSS_COUNT: u32 = 5;
    pub(in crate::wire) const COUNTERS_PRODUCER: u32 = 6;
    pub(in crate::wire) const COUNTERS_NAMES: u32 = 7;
    pub(in crate::wire) const COUNTERS: u32 = 8;
    pub(in crate::wire) const COVERAGE_PRODUCER: u32 = 9;
    pub(in crate::wire) const COVERAGE_THRESHOLD: u32 = 10;
    pub(in crate::wire) const COVERAGE_RINGS: u32 = 11;
    pub(in crate::wire) const LOST_WITHOUT_NUMBER: u32 = 12;
    pub(in crate::wire) const BY_HAND: u32 = 13;
    pub(in crate::wire) const BY_HAND_WAITING: u32 = 14;
    pub(in crate::wire) const CLOCK_WANDER_NS: u32 = 15;
}

/// The bits of a form that say which columns hold something.
pub(super) mod column {
    pub(in crate::wire) const DURATION: u64 = 1 << 0;
    pub(in crate::wire) const SIZE: u64 = 1 << 1;
    pub(in crate::wire) const DEPTH: u64 = 1 << 2;
    pub(in crate::wire) const WIDE: u64 = 1 << 3;
    pub(in crate::wire) const CAUSE: u64 = 1 << 4;
    pub(in crate::wire) const ROOT: u64 = 1 << 5;
    pub(in crate::wire) const ALL: u64 = (1 << 6) - 1;
}

/// How a form says what the message's id is.
pub(super) mod id_form {
    pub(in crate::wire) const NONE: u64 = 0;
    pub(in crate::wire) const UUID: u64 = 1;
    pub(in crate::wire) const NUMBER: u64 = 2;
    /// And upwards: the prefixes.
    pub(in crate::wire) const PREFIX: u64 = 3;
}

/// Numbers of a form.
pub(super) const FORM_NUMBERS: usize = 9;
/// Names of an edge.
pub(super) const EDGE_NUMBERS: usize = 6;
/// Names of a line of counters.
pub(super) const COUNTERS_NAMES_NUMBERS: usize = 5;
/// Counts of a line of counters.
pub(super) const COUNTERS_NUMBERS: usize = 6;
/// The throughput of an edge that is not known.
pub(super) const UNKNOWN_THROUGHPUT: u64 = u64::MAX;
