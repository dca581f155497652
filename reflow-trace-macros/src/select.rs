//! Which methods are recorded, as what, and which argument is the message.

use proc_macro2::Ident;

use crate::diagnostics::{Diagnostics, listed};
use crate::options::method::MethodOptions;
use crate::shape::argument::Argument;
use crate::shape::method::Method;

/// What a method does with messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Moves one message over an edge.
    Send,
    /// Takes one message off an edge.
    Receive,
    /// Moves several messages over an edge, through other sends or by itself.
    Batch,
    /// Moves one message over an edge to several receivers.
    Broadcast,
    /// Handles one message inside an actor.
    Handler,
    /// Is the life of an actor: what happens before it returns, the actor did.
    Life,
    /// Not recorded.
    Skip,
}

/// Which names are recorded without being asked for, in the order in which errors list them.
/// `poll_*` is absent because being polled is no event.
const SENDS: [&str; 9] = [
    "send_message",
    "send",
    "send_async",
    "try_send",
    "send_timeout",
    "send_deadline",
    "blocking_send",
    "send_blocking",
    "start_send",
];
const BROADCAST: &str = "broadcast";
const BATCHES: [&str; 3] = ["send_batch", "send_all", "send_many"];
const RECEIVES: [&str; 7] = [
    "recv_message",
    "receive",
    "recv",
    "try_recv",
    "recv_async",
    "recv_timeout",
    "blocking_recv",
];
const HANDLERS: [&str; 5] = ["handle", "process", "on_message", "receive", "run_message"];
const LIFE: &str = "run";

/// What an argument is called when it is the message, whatever else there is.
const MESSAGE_NAMES: [&str; 8] = [
    "message", "msg", "item", "event", "payload", "data", "value", "packet",
];

impl Role {
    /// The role that `#[trace(name)]` gives.
    pub(crate) fn called(name: &str) -> Option<Role> {
        Some(match name {
            "send" => Role::Send,
            "recv" => Role::Receive,
            "batch" => Role::Batch,
            "broadcast" => Role::Broadcast,
            "handler" => Role::Handler,
            "life" => Role::Life,
            "skip" => Role::Skip,
            _ => return None,
        })
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Role::Send => "send",
            Role::Receive => "recv",
            Role::Batch => "batch",
            Role::Broadcast => "broadcast",
            Role::Handler => "handler",
            Role::Life => "life",
            Role::Skip => "skip",
        }
    }

    /// The role of a connector's method of this name.
    pub(crate) fn in_connector(name: &str) -> Option<Role> {
        let listed_in = |names: &[&str]| names.contains(&name);
        match () {
            () if listed_in(&SENDS) => Some(Role::Send),
            () if name == BROADCAST => Some(Role::Broadcast),
            () if listed_in(&BATCHES) => Some(Role::Batch),
            () if listed_in(&RECEIVES) => Some(Role::Receive),
            () => None,
        }
    }

    /// Whether it moves messages over an edge.
    pub(crate) fn sends(self) -> bool {
        matches!(self, Role::Send | Role::Batch | Role::Broadcast)
    }

    /// The role of an actor's method of this name. A `run` that is given a message is not the life of the actor.
    pub(crate) fn in_actor(method: &Method, name: &str) -> Option<Role> {
        let is_message = |argument: &Argument| Role::Handler.may_take(argument);
        let takes_message = || method.arguments.iter().any(is_message);
        match () {
            () if HANDLERS.contains(&name) => Some(Role::Handler),
            () if name == LIFE && !takes_message() => Some(Role::Life),
            () => None,
        }
    }

    pub(crate) fn needs_message(self) -> bool {
        self.sends() || self == Role::Handler
    }

    /// Whether the argument is called like the message of such a method.
    fn may_take(self, argument: &Argument) -> bool {
        let Some(name) = argument.written_name() else {
            return false;
        };
        let name = name.trim_start_matches('_');
        let is_plural = || {
            let one = name.strip_suffix('s').unwrap_or_default();
            name == "batch" || MESSAGE_NAMES.contains(&one)
        };
        MESSAGE_NAMES.contains(&name) || (self == Role::Batch && is_plural())
    }
}

pub(crate) fn names_in_connector() -> String {
    format!(
        "the sends {}, `{BROADCAST}`, the batches {} and the receives {}",
        listed(SENDS),
        listed(BATCHES),
        listed(RECEIVES)
    )
}

pub(crate) fn names_in_actor() -> String {
    format!(
        "{}, and `{LIFE}` for the life of the actor",
        listed(HANDLERS)
    )
}

/// The argument that is the message: the one that was named, else the one that is called like one, else the only one.
/// An argument that is a pattern is named by what it binds, and is the message as a whole.
pub(crate) fn message_of<'m>(
    method: &'m Method,
    role: Role,
    options: &MethodOptions,
    named_by_impl: Option<&Ident>,
    diagnostics: &mut Diagnostics,
) -> Option<&'m Argument> {
    let arguments: Vec<&Argument> = method
        .arguments
        .iter()
        .filter(|argument| argument.name().is_some())
        .collect();
    let find = |wanted: &Ident| {
        let wanted = wanted.to_string();
        let wanted = wanted.trim_start_matches("r#");
        let is_it = |argument: &&Argument| argument.written_name().as_deref() == Some(wanted);
        let holds_it = |argument: &&Argument| argument.binds(wanted);
        let mut all = arguments.iter().copied();
        all.clone().find(is_it).or_else(|| all.find(holds_it))
    };
    let all = || listed(arguments.iter().filter_map(|argument| argument.described()));
    let name = &method.name;
    if let Some(wanted) = &options.message {
        let found = find(wanted);
        if found.is_none() && arguments.is_empty() {
            diagnostics.at(
                wanted.span(),
                format!("`{name}` has no argument `{wanted}`: it has none at all"),
            );
        } else if found.is_none() {
            diagnostics.at(
                wanted.span(),
                format!("`{name}` has no argument `{wanted}`: it has {}", all()),
            );
        }
        return found;
    }
    if let Some(found) = named_by_impl.and_then(find) {
        return Some(found);
    }
    // Two arguments of one name stand under opposite `#[cfg]`s.
    let mut named: Vec<&Argument> = arguments
        .iter()
        .copied()
        .filter(|argument| role.may_take(argument))
        .collect();
    named.dedup_by_key(|argument| argument.written_name());
    if named.is_empty() && arguments.len() > 1 {
        let binds_one =
            |argument: &&Argument| MESSAGE_NAMES.iter().any(|name| argument.binds(name));
        named.extend(arguments.iter().copied().filter(binds_one));
    }
    match (named.as_slice(), arguments.as_slice()) {
        ([only], _) | ([], [only]) => Some(only),
        ([], []) => {
            let message = format!(
                "`{name}` has no message argument to record: leave it out with `#[trace(skip)]`"
            );
            diagnostics.at(name.span(), message);
            None
        }
        _ => {
            let candidates = if named.is_empty() {
                all()
            } else {
                listed(named.iter().filter_map(|a| a.described()))
            };
            let message = format!(
                "which argument of `{name}` is the message, {candidates}? say so with `#[trace(message = \"..\")]`, by its name or one in its pattern"
            );
            diagnostics.at(name.span(), message);
            None
        }
    }
}
