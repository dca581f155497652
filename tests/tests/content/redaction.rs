//! `#[trace(redact)]`: in no shape of type, at no depth, does the value show.

use std::collections::{BTreeMap, HashMap};
use std::marker::PhantomData;

use reflow_trace::sample;
use serde::{Deserialize, Serialize, Serializer};

use crate::Capturing;

const SECRET: &str = "hunter2";

fn secret() -> String {
    SECRET.to_owned()
}

#[sample(capture)]
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
struct Login {
    user_name: String,
    #[trace(redact)]
    pass_word: String,
    #[trace(redact)]
    #[serde(rename = "pin", skip_serializing_if = "Option::is_none", default)]
    number: Option<u32>,
    #[trace(redact)]
    #[serde(skip)]
    cached: String,
}

fn login() -> Login {
    Login {
        user_name: "ada".into(),
        pass_word: secret(),
        number: Some(1234),
        cached: secret(),
    }
}

const LOGIN: &str = r#"{"userName":"ada","passWord":"[redacted]","pin":"[redacted]"}"#;

/// A type that is never a message itself.
#[sample]
#[derive(Clone, Serialize)]
#[serde(transparent)]
struct Token(#[trace(redact)] String);

fn token() -> Token {
    Token(secret())
}

/// Knows nothing of tracing.
#[derive(Serialize)]
struct Plain {
    #[serde(flatten)]
    login: Login,
    token: Box<Token>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Either {
    Token(Token),
    Login { login: Box<Login> },
}

#[sample(capture)]
#[derive(Serialize)]
struct Outer<'a> {
    list: Vec<Login>,
    map: BTreeMap<&'a str, Option<Token>>,
    plain: Plain,
    either: [Either; 2],
    #[serde(flatten)]
    others: HashMap<String, Token>,
}

fn assert_hidden(content: &str, expected: &str) {
    assert!(
        !content.contains(SECRET) && !content.contains("1234"),
        "{content}"
    );
    assert_eq!(content, expected);
}

#[test]
fn a_redacted_field_keeps_its_name_and_loses_its_value() {
    let capturing = Capturing::start();
    assert_hidden(&capturing.content_of(login()), LOGIN);
}

#[test]
fn the_own_serialize_of_the_type_is_as_before() {
    let json = serde_json::to_string(&login()).expect("serialises");
    assert_eq!(
        json,
        r#"{"userName":"ada","passWord":"hunter2","pin":1234}"#
    );
    let back: Login = serde_json::from_str(&json).expect("parses");
    assert_eq!(back.pass_word, SECRET);
    let json = serde_json::to_value(Plain {
        login: login(),
        token: Box::new(token()),
    });
    assert_eq!(json.expect("serialises")["token"], SECRET);
}

#[test]
fn a_redacted_field_is_redacted_inside_other_messages() {
    let capturing = Capturing::start();
    let outer = Outer {
        list: vec![login(), login()],
        map: BTreeMap::from([("none", None), ("some", Some(token()))]),
        plain: Plain {
            login: login(),
            token: Box::new(token()),
        },
        either: [
            Either::Token(token()),
            Either::Login {
                login: Box::new(login()),
            },
        ],
        others: HashMap::from([("other".to_owned(), token())]),
    };
    let inner = LOGIN.trim_end_matches('}');
    let expected = format!(
        r#"{{"list":[{LOGIN},{LOGIN}],"map":{{"none":null,"some":"[redacted]"}},"plain":{inner},"token":"[redacted]"}},"either":["[redacted]",{{"login":{LOGIN}}}],"other":"[redacted]"}}"#
    );
    assert_hidden(&capturing.content_of(outer), &expected);
}

#[test]
fn a_copy_of_the_content_on_the_way_is_redacted_too() {
    #[sample(capture)]
    #[derive(Serialize)]
    struct Detour {
        #[serde(serialize_with = "as_text")]
        login: Login,
        #[serde(serialize_with = "as_value")]
        token: Token,
    }

    fn as_text<S: Serializer>(login: &Login, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&serde_json::to_string(login).expect("serialises"))
    }

    fn as_value<S: Serializer>(token: &Token, serializer: S) -> Result<S::Ok, S::Error> {
        serde_json::to_value(token)
            .expect("serialises")
            .serialize(serializer)
    }

    let capturing = Capturing::start();
    let content = capturing.content_of(Detour {
        login: login(),
        token: token(),
    });
    assert!(!content.contains(SECRET), "{content}");
    assert!(content.contains(r#""token":"[redacted]""#), "{content}");
}

#[test]
fn every_kind_of_enum() {
    #[sample(capture)]
    #[derive(Serialize)]
    enum External {
        Struct {
            #[trace(redact)]
            secret: String,
            open: u8,
        },
        Tuple(u8, #[trace(redact)] String),
        Newtype(#[trace(redact)] String),
        Unit,
    }

    #[sample(capture)]
    #[derive(Serialize)]
    #[serde(tag = "kind")]
    enum Internal {
        Struct {
            #[trace(redact)]
            secret: String,
        },
        Newtype(#[trace(redact)] BTreeMap<String, String>),
    }

    #[sample(capture)]
    #[derive(Serialize)]
    #[serde(tag = "kind", content = "of")]
    enum Adjacent {
        Struct {
            #[trace(redact)]
            secret: String,
        },
        Tuple(#[trace(redact)] String, u8),
        Newtype(#[trace(redact)] String),
    }

    #[sample(capture)]
    #[derive(Serialize)]
    #[serde(untagged, rename_all_fields = "SCREAMING-KEBAB-CASE")]
    enum Untagged {
        Struct {
            #[trace(redact)]
            secret_word: String,
        },
        Newtype(#[trace(redact)] String),
    }

    let capturing = Capturing::start();
    let check = |content: String, expected: &str| assert_hidden(&content, expected);
    check(
        capturing.content_of(External::Struct {
            secret: secret(),
            open: 1,
        }),
        r#"{"Struct":{"secret":"[redacted]","open":1}}"#,
    );
    check(
        capturing.content_of(External::Tuple(1, secret())),
        r#"{"Tuple":[1,"[redacted]"]}"#,
    );
    check(
        capturing.content_of(External::Newtype(secret())),
        r#"{"Newtype":"[redacted]"}"#,
    );
    check(capturing.content_of(External::Unit), r#""Unit""#);
    check(
        capturing.content_of(Internal::Struct { secret: secret() }),
        r#"{"kind":"Struct","secret":"[redacted]"}"#,
    );
    check(
        capturing.content_of(Internal::Newtype(BTreeMap::from([(secret(), secret())]))),
        r#"{"kind":"Newtype"}"#,
    );
    check(
        capturing.content_of(Adjacent::Struct { secret: secret() }),
        r#"{"kind":"Struct","of":{"secret":"[redacted]"}}"#,
    );
    check(
        capturing.content_of(Adjacent::Tuple(secret(), 1)),
        r#"{"kind":"Tuple","of":["[redacted]",1]}"#,
    );
    check(
        capturing.content_of(Adjacent::Newtype(secret())),
        r#"{"kind":"Newtype","of":"[redacted]"}"#,
    );
    check(
        capturing.content_of(Untagged::Struct {
            secret_word: secret(),
        }),
        r#"{"SECRET-WORD":"[redacted]"}"#,
    );
    check(
        capturing.content_of(Untagged::Newtype(secret())),
        r#""[redacted]""#,
    );
}

#[test]
fn every_kind_of_struct() {
    #[sample(capture)]
    #[derive(Serialize)]
    struct Tuple(u8, #[trace(redact)] String);

    #[sample(capture)]
    #[derive(Serialize)]
    struct Newtype(#[trace(redact)] String);

    #[sample(capture)]
    #[derive(Serialize)]
    #[serde(transparent)]
    struct Transparent {
        #[trace(redact)]
        only: String,
    }

    #[sample(capture)]
    #[derive(Serialize)]
    #[serde(tag = "kind", rename = "renamed")]
    struct Tagged {
        #[trace(redact)]
        secret: String,
        #[trace(redact)]
        #[serde(flatten)]
        more: BTreeMap<String, String>,
        #[cfg(unix)]
        #[trace(redact)]
        r#type: Vec<String>,
        #[cfg(not(unix))]
        #[trace(redact)]
        r#type: Vec<u8>,
    }

    let capturing = Capturing::start();
    assert_hidden(
        &capturing.content_of(Tuple(1, secret())),
        r#"[1,"[redacted]"]"#,
    );
    assert_hidden(&capturing.content_of(Newtype(secret())), r#""[redacted]""#);
    assert_hidden(
        &capturing.content_of(Transparent { only: secret() }),
        r#""[redacted]""#,
    );
    let tagged = Tagged {
        secret: secret(),
        more: BTreeMap::from([(secret(), secret())]),
        r#type: Default::default(),
    };
    assert_hidden(
        &capturing.content_of(tagged),
        r#"{"kind":"renamed","secret":"[redacted]","type":"[redacted]"}"#,
    );
}

mod shouted {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&text.to_uppercase())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<String, D::Error> {
        Ok(String::deserialize(deserializer)?.to_lowercase())
    }
}

#[test]
fn functions_of_the_users_stay_in_force_outside() {
    #[sample(capture)]
    #[derive(Serialize, Deserialize)]
    struct Shouted {
        #[trace(redact)]
        #[serde(with = "shouted")]
        with: String,
        #[trace(redact)]
        #[serde(rename = "by", serialize_with = "shouted::serialize")]
        serialize_with: String,
    }

    let message = || Shouted {
        with: secret(),
        serialize_with: secret(),
    };
    let json = serde_json::to_string(&message()).expect("serialises");
    assert_eq!(json, r#"{"with":"HUNTER2","by":"HUNTER2"}"#);
    let back: Shouted = serde_json::from_str(&json).expect("parses");
    assert_eq!(
        [back.with.as_str(), back.serialize_with.as_str()],
        ["hunter2", "HUNTER2"]
    );
    let capturing = Capturing::start();
    let content = capturing.content_of(message());
    assert!(!content.to_lowercase().contains(SECRET), "{content}");
    assert_eq!(content, r#"{"with":"[redacted]","by":"[redacted]"}"#);
}

#[test]
fn generic_messages_keep_their_bounds() {
    /// Not `Serialize`.
    struct Opaque;

    #[sample]
    #[derive(Serialize, Deserialize)]
    struct Part<T, U: Iterator, const N: usize>
    where
        U::Item: Clone,
    {
        #[trace(redact)]
        value: Option<T>,
        #[trace(redact)]
        #[serde(bound(deserialize = "U::Item: Deserialize<'de>"))]
        items: Vec<U::Item>,
        room: PhantomData<[(); N]>,
        #[trace(redact)]
        #[serde(skip)]
        _opaque: Option<U>,
    }

    #[sample(capture)]
    #[derive(Serialize)]
    struct Envelope<'a, T: Serialize> {
        #[trace(redact)]
        payload: &'a T,
        parts: Vec<Envelope<'a, T>>,
    }

    type Numbers = Part<String, std::vec::IntoIter<u8>, 0>;
    let capturing = Capturing::start();
    let part = Numbers {
        value: Some(secret()),
        items: vec![1],
        room: PhantomData,
        _opaque: None,
    };
    assert_eq!(
        serde_json::to_string(&part).expect("serialises"),
        r#"{"value":"hunter2","items":[1],"room":null}"#
    );
    let envelope = Envelope {
        payload: &part,
        parts: vec![Envelope {
            payload: &part,
            parts: Vec::new(),
        }],
    };
    assert_hidden(
        &capturing.content_of(envelope),
        r#"{"payload":"[redacted]","parts":[{"payload":"[redacted]","parts":[]}]}"#,
    );
    // A part that is not `Serialize` is still a message, with its policy.
    let opaque = Part::<Opaque, std::vec::IntoIter<u8>, 0> {
        value: Some(Opaque),
        items: Vec::new(),
        room: PhantomData,
        _opaque: None,
    };
    assert_eq!(capturing.content_of(opaque), "");
}

#[test]
fn a_derive_under_a_condition_is_heeded() {
    #[sample(capture)]
    #[cfg_attr(all(), derive(serde::Serialize))]
    struct Conditional {
        #[trace(redact)]
        #[cfg_attr(all(), serde(rename = "renamed"))]
        secret: String,
    }

    let capturing = Capturing::start();
    assert_hidden(
        &capturing.content_of(Conditional { secret: secret() }),
        r#"{"renamed":"[redacted]"}"#,
    );
}

#[test]
fn a_type_from_a_macro_finds_the_runtime_where_the_macro_says() {
    mod runtime {
        pub(super) use reflow_trace::*;
    }

    macro_rules! message {
        ($name:ident, $kind:ty) => {
            #[sample(capture, crate = crate::redaction::root)]
            #[derive(Serialize)]
            struct $name {
                #[trace(redact)]
                secret: $kind,
            }
        };
    }

    message!(Made, String);
    let _also_here = runtime::CONTENT_BYTES_MAX;
    let capturing = Capturing::start();
    assert_hidden(
        &capturing.content_of(Made { secret: secret() }),
        r#"{"secret":"[redacted]"}"#,
    );
}

/// The runtime under another name.
mod root {
    pub(crate) use reflow_trace::*;
}

#[test]
fn a_redacted_field_that_is_a_key_of_a_map() {
    #[sample]
    #[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
    struct Key(#[trace(redact)] String);

    #[sample(capture)]
    #[derive(Serialize)]
    struct Keyed {
        by_key: BTreeMap<Key, u8>,
    }

    let capturing = Capturing::start();
    let content = capturing.content_of(Keyed {
        by_key: BTreeMap::from([(Key(secret()), 1)]),
    });
    assert_hidden(&content, r#"{"by_key":{"[redacted]":1}}"#);
}
