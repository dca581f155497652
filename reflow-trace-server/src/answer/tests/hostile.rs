//! Wrong questions and hostile events.
