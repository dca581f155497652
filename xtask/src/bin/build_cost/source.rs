//! The packages that are compiled: the same connectors, each time under other attributes.
//!
//! Standard library only, so that nothing but the attributes and what they expand to makes a difference.

use std::fmt::Write as _;
use std::path::Path;

/// How many methods carry an attribute, or would.
pub(crate) const METHODS: usize = CONNECTORS * METHODS_PER_CONNECTOR;
const CONNECTORS: usize = 250;
const METHODS_PER_CONNECTOR: usize = 4;
/// As in a real program, several connectors carry the same type of message.
const CONNECTORS_PER_MESSAGE: usize = 10;

/// One package.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Variant {
    Plain,
    Ours,
    Fastrace,
    Tracing,
}

impl Variant {
    pub(crate) const ALL: [Variant; 4] = [
        Variant::Plain,
        Variant::Ours,
        Variant::Fastrace,
        Variant::Tracing,
    ];

    pub(crate) fn package(self) -> &'static str {
        match self {
            Variant::Plain => "plain",
            Variant::Ours => "with-reflow-trace",
            Variant::Fastrace => "with-fastrace",
            Variant::Tracing => "with-tracing",
        }
    }

    /// The attribute of an impl.
    fn on_impl(self) -> &'static str {
        match self {
            Variant::Ours => "#[reflow_trace::traced_connector]\n",
            Variant::Plain | Variant::Fastrace | Variant::Tracing => "",
        }
    }

    /// The attribute of a method. The least of each: no arguments, no level, no fields of its own.
    fn on_method(self) -> &'static str {
        match self {
            Variant::Plain | Variant::Ours => "",
            Variant::Fastrace => "#[fastrace::trace]\n    ",
            Variant::Tracing => "#[tracing::instrument(skip_all)]\n    ",
        }
    }
}

pub(crate) fn workspace_manifest() -> String {
    let members: Vec<String> = Variant::ALL
        .iter()
        .map(|variant| format!("\"{}\"", variant.package()))
        .collect();
    format!(
        "[workspace]\nresolver = \"3\"\nmembers = [{}]\n",
        members.join(", ")
    )
}

pub(crate) fn manifest(variant: Variant, repository: &Path) -> String {
    let dependency = match variant {
        Variant::Plain => String::new(),
        Variant::Ours => {
            let path = repository.join("reflow-trace");
            format!(
                "reflow-trace = {{ path = {:?} }}\n",
                path.display().to_string()
            )
        }
        Variant::Fastrace => {
            "fastrace = { version = \"0.7\", features = [\"enable\"] }\n".to_owned()
        }
        Variant::Tracing => "tracing = \"0.1\"\n".to_owned(),
    };
    format!(
        "[package]\nname = \"{}\"\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\n[lib]\nname = \"connectors\"\n\n\
         [dependencies]\n{dependency}",
        variant.package()
    )
}

/// The library. `edition` is mentioned in the body of one method, so that another number is an edit.
pub(crate) fn library(variant: Variant, edition: u64) -> String {
    let mut text = String::from(PRELUDE);
    for number in 0..CONNECTORS {
        if number % CONNECTORS_PER_MESSAGE == 0 {
            let message = number / CONNECTORS_PER_MESSAGE;
            write!(text, "{}", message_type(message)).unwrap_or_default();
        }
        let edited = if number == CONNECTORS / 2 { edition } else { 1 };
        write!(text, "{}", connector(variant, number, edited)).unwrap_or_default();
    }
    text
}

const PRELUDE: &str = "\
use std::sync::mpsc::{Receiver, RecvError, SendError, SyncSender, TrySendError};

/// Hands the thread to others once.
async fn give_way() {
    let mut given = false;
    std::future::poll_fn(move |_| match std::mem::replace(&mut given, true) {
        true => std::task::Poll::Ready(()),
        false => std::task::Poll::Pending,
    })
    .await
}
";

fn message_type(number: usize) -> String {
    format!(
        "
pub struct Message{number} {{
    pub priority: u8,
    pub payload: Vec<u8>,
}}
"
    )
}

fn connector(variant: Variant, number: usize, edition: u64) -> String {
    let message = number / CONNECTORS_PER_MESSAGE;
    let (on_impl, on_method) = (variant.on_impl(), variant.on_method());
    format!(
        "
pub struct Connector{number} {{
    pub from_actor: String,
    pub from_port: String,
    pub to_actor: String,
    pub to_port: String,
    pub channel: SyncSender<Message{message}>,
    pub inbox: Receiver<Message{message}>,
}}

{on_impl}impl Connector{number} {{
    {on_method}pub fn send(&self, message: Message{message}) -> Result<(), SendError<Message{message}>> {{
        self.channel.send(message)
    }}

    {on_method}pub async fn send_message(&self, message: Message{message}) -> Result<(), SendError<Message{message}>> {{
        if message.payload.len() > {edition} {{
            return Err(SendError(message));
        }}
        give_way().await;
        self.channel.send(message)?;
        Ok(())
    }}

    {on_method}pub fn try_send(&self, message: Message{message}) -> Result<(), TrySendError<Message{message}>> {{
        match message.priority {{
            0 => Err(TrySendError::Full(message)),
            _ => self.channel.try_send(message),
        }}
    }}

    {on_method}pub fn recv(&self) -> Result<Message{message}, RecvError> {{
        self.inbox.recv()
    }}
}}
"
    )
}

/// A program that prints how many bytes each of its futures has, and what is in it.
pub(crate) fn sizes(variant: Variant) -> String {
    let (on_impl, on_method) = (variant.on_impl(), variant.on_method());
    let on_trait = match variant {
        Variant::Ours => "#[trace(send)]\n    ",
        other => other.on_method(),
    };
    format!(
        "
use std::mem::size_of_val;

pub struct Connector {{
    pub from_actor: String,
    pub from_port: String,
    pub to_actor: String,
    pub to_port: String,
}}

async fn pass<T>(value: T) -> T {{
    std::future::ready(()).await;
    value
}}

{on_impl}impl Connector {{
    {on_method}pub async fn send(&self, message: u32) -> Result<(), String> {{
        pass(()).await;
        drop(message);
        Ok(())
    }}

    {on_method}pub async fn send_message(&self, message: [u8; 256]) -> Result<(), String> {{
        pass(()).await;
        let _whole = message;
        Ok(())
    }}

    {on_method}pub async fn send_async(&self, mut message: [u8; 256]) -> Result<(), String> {{
        pass(()).await;
        message[0] = 1;
        pass(message).await;
        Ok(())
    }}

    {on_trait}pub async fn answer(&self, message: u32) -> [u8; 256] {{
        pass(message).await;
        [0; 256]
    }}
}}

fn main() {{
    let connector = Connector {{
        from_actor: String::new(),
        from_port: String::new(),
        to_actor: String::new(),
        to_port: String::new(),
    }};
    println!(\"{{}} a number, over one await\", size_of_val(&connector.send(1)));
    println!(\"{{}} 256 bytes, over one await\", size_of_val(&connector.send_message([0; 256])));
    println!(\"{{}} 256 bytes as `mut`, handed on by value\", size_of_val(&connector.send_async([0; 256])));
    println!(\"{{}} a number, answered with 256 bytes\", size_of_val(&connector.answer(1)));
}}
"
    )
}
