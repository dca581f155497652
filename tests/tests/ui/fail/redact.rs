//! Fields that cannot be redacted, or not so.

#![allow(dead_code)]

use reflow_trace::{Context, sample};
use serde::Serialize;

// The derive has run before `#[sample]` is asked.
#[derive(Serialize)]
#[sample(capture)]
struct DeriveAbove {
    #[trace(redact)]
    secret: String,
}

// By hand.
#[sample(capture)]
struct ByHand {
    #[trace(redact)]
    secret: String,
    #[trace(redact)]
    another: String,
}

impl Serialize for ByHand {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.secret)
    }
}

#[sample(capture)]
#[derive(Serialize)]
struct Marks {
    #[trace(redact, id)]
    id: u64,
    #[trace(attribute)]
    #[trace(redact)]
    user: String,
    #[trace(context, redact)]
    context: Context,
    #[trace(redact = "***")]
    valued: String,
    #[trace(redacted)]
    typo: String,
}

#[sample(capture)]
#[derive(Clone, Serialize)]
#[serde(into = "String")]
struct Into {
    #[trace(redact)]
    secret: String,
}

impl From<Into> for String {
    fn from(into: Into) -> String {
        into.secret
    }
}

#[sample(capture)]
#[derive(Serialize)]
enum Variants {
    #[serde(serialize_with = "whole")]
    Whole(#[trace(redact)] String),
    Open(String),
}

fn whole<S: serde::Serializer>(secret: &String, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret)
}

#[sample(capture)]
#[derive(Serialize)]
struct Fields {
    #[trace(redact)]
    #[cfg_attr(unix, serde(serialize_with = "whole"))]
    conditional: String,
    #[trace(redact)]
    #[serde(serialize_with = "not a path")]
    no_path: String,
    #[cfg_attr(unix, trace(redact))]
    perhaps: String,
}

#[sample(rate = 0.1)]
#[trace(redact)]
struct OnType;

#[sample(rate = 0.1)]
enum OnVariant {
    #[trace(redact)]
    Variant(String),
}

fn main() {}
