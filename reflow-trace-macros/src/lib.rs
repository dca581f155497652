//! The attribute macros of reflow-trace.
//!
//! | macro | stands on | says |
//! | --- | --- | --- |
//! | [`macro@traced_connector`] | an impl | its sends and receives are recorded |
//! | [`macro@traced_actor`] | an impl | its handlers and its life are recorded |
//! | [`macro@sample`] | a struct or enum | which of these messages are recorded, and what is known about them |
//! | [`macro@trace`] | a method or a field inside those | what this one is, where the name does not tell |
//!
//! Syntax in, syntax out: this crate knows the runtime only as a list of paths under `reflow_trace::__private`. The way
//! of an annotation is *front door* (this file) → *options* → *shape* (what the item looks like) → *select* and
//! *validate* → *expand*, or *fallback* when there is nothing to record.
//! Bodies are never opened, all mistakes are reported at once, and the user's item is always emitted.
//!
//! Without the feature `enable` the options are parsed and checked just the same, and the user's item is emitted without
//! our attributes (`#[sample]` still implements the message trait, because bounds may require it).

mod actor;
mod connector;
mod diagnostics;
mod expand;
mod fallback;
mod options;
mod sample;
mod select;
mod shape;
#[cfg(test)]
mod tests;
mod validate;

use proc_macro::TokenStream;
use quote::quote;

/// Whether recording is compiled in.
const ENABLED: bool = cfg!(feature = "enable");

/// Records what flows through a connector: who sent what to whom, how long it took, and whether it arrived.
///
/// It stands on an impl block, inherent or of a trait, and records the methods that send and receive. Signatures,
/// results, drop order and whether a future is `Send` stay as they are.
///
/// # Examples
///
/// ```
/// use reflow_trace::traced_connector;
///
/// struct Connector {
///     from_actor: String,
///     from_port: String,
///     to_actor: String,
///     to_port: String,
///     channel: std::sync::mpsc::Sender<u32>,
/// }
///
/// #[traced_connector]
/// impl Connector {
///     fn send(&self, message: u32) -> Result<(), std::sync::mpsc::SendError<u32>> {
///         self.channel.send(message)
///     }
/// }
/// ```
///
/// Ends that are not four fields, and methods with names of their own:
///
/// ```
/// use reflow_trace::traced_connector;
/// # struct End { actor: String, port: String }
/// # struct Wire { from: End, to: End }
/// # struct Frame { priority: u8 }
///
/// #[traced_connector(from = "self.from", to = "self.to", protocol = "tcp", attributes(priority = "frame.priority"))]
/// impl Wire {
///     #[trace(send, ok = "*result == 200")]
///     async fn post(&self, frame: Frame) -> u16 {
///         // …
/// #       let _ = frame;
///         200
///     }
/// }
/// ```
///
/// # What it expands to
///
/// A synchronous method runs its untouched body in a closure between two calls of the runtime:
///
/// ```text
/// fn send(&self, mut message: u32) -> Result<(), SendError<u32>> {
///     let mut flow = Flow::idle();
///     if on() {
///         Probed(&mut message).begin_send(&mut flow, Names(&self.from_actor, …).ends(), Depth::UNKNOWN, Site::PLAIN);
///     }
///     let out = call(move || -> Result<(), SendError<u32>> { self.channel.send(message) });
///     flow.end(Judged(&out).outcome());
///     out
/// }
/// ```
///
/// An `async fn` awaits one wrapper future around an `async move` block with the body in it; the attempt begins inside
/// the first poll. A function that returns a future (`impl Future`, `Pin<Box<dyn Future>>`, `BoxFuture`, also what
/// `#[async_trait]` leaves) runs as it did, and the returned value is wrapped. A `#[track_caller]` method keeps its body
/// in place with a guard beside it. Of a batch, and of a send that returns `Poll`, only the end tells what there was: the
/// begin looks at the messages, and the end records them.
///
/// # Which methods
///
/// By exact name: the sends `send_message`, `send`, `send_async`, `try_send`, `send_timeout`, `send_deadline`,
/// `blocking_send`, `send_blocking`, `start_send`, the `broadcast`, the batches `send_batch`, `send_all`, `send_many`, and
/// the receives `recv_message`, `receive`, `recv`, `try_recv`, `recv_async`, `recv_timeout`, `blocking_recv`. Others by
/// `#[trace(send)]`, `#[trace(broadcast)]`, `#[trace(batch)]` and `#[trace(recv)]`.
///
/// The message is the argument called `message`, `msg`, `item`, `event`, `payload`, `data`, `value` or `packet` (also with
/// `_` in front; in a batch also `batch` and the plurals), else the only argument. An argument that is a pattern is
/// the message as a whole, and is named by what it binds.
///
/// A batch is understood where its messages can be looked at without taking them: `Vec`, `VecDeque`, `LinkedList`, arrays,
/// slices, `BTreeSet`, `BinaryHeap`, `HashSet`, `Cow` of a slice, iterators over slices and vectors, and all of them behind
/// `&`, `&mut`, `Box`, `Rc` and `Arc`. Anything else, such as an `impl IntoIterator` or a stream, is one send of its own
/// type. Bytes (`&[u8]`, `Vec<u8>`) are one message.
///
/// # Options
///
/// An *expression* is written as a string, `from = "self.from"`, or as it is, `from = self.from`. It sees `self` and
/// the arguments. A fixed name is a string in a string: `from_actor = "\"sensor\""`.
///
/// | option | meaning | default |
/// | --- | --- | --- |
/// | `from_actor`, `from_port`, `to_actor`, `to_port` | expressions for the four names: text, or anything that is `Display` | the fields of `self` of these names, all four text or all four `Display` |
/// | `from`, `to` | an expression whose fields `actor` and `port` are the names | |
/// | `edge` | an expression for a `reflow_trace::Edge`, which spares the look-up of the names | |
/// | `depth` | `false`, or an expression for how many messages are waiting | `self.channel`, if the impl mentions it, is asked by `len()` or `capacity()` |
/// | `protocol`, `compression` | strings | `"memory_channel"`, `"none"` |
/// | `send(a, b)`, `recv(..)`, `batch(..)`, `broadcast(..)`, `skip(..)` | methods by name | |
/// | `message` | name of the message argument, in methods that have one of this name | |
/// | `attributes(key = "expr", ..)` | values to record with each send that is no batch; computed only when it is recorded | |
/// | `crate` | where the runtime is, as a path from the root | `::reflow_trace` |
///
/// # What is recorded when
///
/// | what happened | event |
/// | --- | --- |
/// | a send returned `Ok`, or anything that is no `Result` | `DataFlow`, delivered |
/// | it returned `Err`, or `ok` was false | `MessageSent`, failed |
/// | it panicked | `MessageSent`, panicked |
/// | its future was dropped after the first poll | `MessageSent`, cancelled |
/// | its future was never polled, or it returned `Poll::Pending` | nothing |
/// | a receive returned a message | `MessageReceived` |
/// | a send that calls another send of the same edge | one event, the outer |
/// | a batch that calls another send of the same edge | the events of the inner sends |
/// | any other batch | one event per message, with the attribute `batch_size`; all have the time and outcome of the batch |
/// | a broadcast | one event, with the attribute `fan_out`: a returned `usize`, also in a `Result` or `Option`, or what the option says |
///
/// # What it does not do
///
/// - It does not see an impl that a macro inside the block makes, nor a body that is not in the block.
/// - A `Result` under another type's name is judged by what it is, but a type of your own that means failure is
///   delivered until `ok` says otherwise.
/// - In an impl that is generic over its messages, `impl<M> Connector<M>`, the policy of a message that is itself
///   generic is found only with the bound `M: reflow_trace::Message`; see [`macro@sample`].
/// - It does not select `poll_*` by name, because most of them send nothing.
/// - What a batch sends in tasks that it spawns, it does not see: mark such a batch `#[trace(skip)]`. A message
///   of a batch that is recorded by itself carries its trace, but does not name its event as the cause of what follows.
/// - Of a `#[track_caller]` method only returning and panicking are told apart.
/// - The message argument is bound as `mut` for the probe, so the compiler does not notice a missing `mut` on it while
///   recording is compiled in.
/// - An argument that only an option reads is unused where recording is compiled out, and the compiler says so.
/// - It does not see code that is no method: for a loop in a task there are `reflow_trace::send` and its kin.
#[proc_macro_attribute]
pub fn traced_connector(options: TokenStream, item: TokenStream) -> TokenStream {
    connector::traced_connector(options.into(), item.into(), ENABLED).into()
}

/// Records what an actor handles, what that causes, and the actor's life.
///
/// While a handler runs, what it sends through a [`macro@traced_connector`] is caused by the message it handles.
///
/// # Examples
///
/// ```
/// use reflow_trace::traced_actor;
///
/// struct Validator {
///     name: String,
/// }
///
/// #[traced_actor(actor = "self.name", port = "in")]
/// impl Validator {
///     async fn handle(&mut self, message: u32) -> Result<(), String> {
///         if message < 100 { Ok(()) } else { Err("too much".into()) }
///     }
///
///     async fn run(mut self, inbox: std::sync::mpsc::Receiver<u32>) -> Result<(), String> {
///         for message in inbox {
///             self.handle(message).await?;
///         }
///         Ok(())
///     }
/// }
/// ```
///
/// # What it expands to
///
/// The same shapes as [`macro@traced_connector`], with `begin_handling` or `begin_life` in place of `begin_send`.
///
/// # Which methods
///
/// Handlers are `handle`, `process`, `on_message`, `receive`, `run_message` and what is marked `#[trace(handler)]`; they
/// have a message argument, found as in a connector. The life of the actor is `run`, unless it is given a message, or
/// what is marked `#[trace(life)]`.
///
/// # Options
///
/// | option | meaning | default |
/// | --- | --- | --- |
/// | `actor` | an expression for the actor's name | what the message says of its edge, else the name of the type |
/// | `port` | the name of the port, `port = "in"`; a string that mentions `self`, and bare tokens, are an expression | `"in"` |
/// | `crate` | where the runtime is, as a path from the root | `::reflow_trace` |
///
/// # What is recorded when
///
/// | what happened | event |
/// | --- | --- |
/// | a handler ended | `MessageReceived` with its outcome, the handling time and, if the message carries a context, the waiting time |
/// | a life began | `ActorStarted` |
/// | it returned `Ok`, or anything that is no `Result` | `ActorCompleted` |
/// | it returned `Err`, panicked or was cancelled | `ActorFailed` |
///
/// # What it does not do
///
/// - It does not guess: a message that carries no context is caused by the last receive of this task, or by nothing.
/// - Two handlers of one message type are an error unless both are marked `#[trace(handler)]`, since one usually calls
///   the other and the message would be recorded twice.
#[proc_macro_attribute]
pub fn traced_actor(options: TokenStream, item: TokenStream) -> TokenStream {
    actor::traced_actor(options.into(), item.into(), ENABLED).into()
}

/// Says which messages of a type are recorded, and what is known about them.
///
/// It implements `reflow_trace::Message` for a struct or an enum.
///
/// # Examples
///
/// ```
/// use reflow_trace::{Message as _, Verdict, sample};
///
/// #[sample(rate = 0.1)]
/// enum Message {
///     #[sample(always)]
///     CriticalAlert(String),
///     #[sample(never)]
///     DebugInfo,
///     #[sample(always = "payload.len() > 1024")]
///     DataUpdate { #[trace(id)] id: u64, payload: Vec<u8> },
///     Heartbeat,
/// }
///
/// assert_eq!(Message::CriticalAlert("hot".into()).verdict(), Verdict::Always);
/// assert_eq!(Message::DebugInfo.verdict(), Verdict::Never);
/// assert_eq!(Message::DataUpdate { id: 1, payload: vec![0; 2000] }.verdict(), Verdict::Always);
/// assert_eq!(Message::Heartbeat.verdict(), Verdict::ByRate);
/// ```
///
/// # What it expands to
///
/// ```text
/// impl ::reflow_trace::Message for Message {
///     fn kind(&self) -> &'static MessageKind {
///         match self {
///             Self::CriticalAlert { .. } => {
///                 static KIND: MessageKind = MessageKind::new("CriticalAlert").rate(0.1);
///                 &KIND
///             }
///             // …
///         }
///     }
///     fn verdict(&self) -> Verdict { /* never, always, else by rate */ }
///     fn size(&self) -> Size { /* the type's own `size_bytes()`, else the shallow size */ }
///     fn id(&self) -> Option<AttributeValue<'_>> { /* the field marked `id` */ }
/// }
/// register! { Registration::of::<Message>() }
/// ```
///
/// # Options on the type
///
/// | option | meaning | default |
/// | --- | --- | --- |
/// | `rate` | the share of traces to record: a number from 0.0 to 1.0, or a constant (`Self` is not usable in a generic type) | 1.0 |
/// | `always`, `never` | alone: without a condition. `= "expression over self"`, or `= "path::to::predicate"` of type `fn(&Self) -> bool` | |
/// | `always_actors`, `never_actors` | lists of actors, `["audit"]`; messages from or to them are always or never recorded | |
/// | `name` | how a struct is called in records | the name of the type |
/// | `size` | an expression over `self` for the size in bytes | `self.size_bytes()`, else the shallow size |
/// | `capture` | the content is captured: alone up to 1 024 bytes, `= 4096` or `= CONSTANT` up to so many (at most 65 536) | nothing is captured |
/// | `crate` | where the runtime is, as a path from the root | `::reflow_trace` |
///
/// # Options on a variant
///
/// `rate`, `always`, `never`, `name` and `capture` (also `capture = false`, where the type captures). In an expression `self` is the whole enum, and the fields of the variant are
/// there by reference: under their names, or as `_0`, `_1` in a tuple variant.
///
/// *Never* is asked before *always*, and *always* before the rate. Conditions of the type hold for all variants; what
/// the type says without a condition, and its rate, hold for the variants that have no `rate`, `always` or `never` of
/// their own without a condition.
///
/// # Marks on fields
///
/// | mark | meaning |
/// | --- | --- |
/// | `#[trace(id)]` | the id of the message: recorded, and without a context its hops are sampled together by it |
/// | `#[trace(context)]` | room for the context that links a message to what caused it; of type `reflow_trace::Context` |
/// | `#[trace(attribute)]` | recorded under the name of the field |
/// | `#[trace(redact)]` | never shown in captured content |
///
/// # Content
///
/// With `capture` a message that is recorded is also written as JSON by its own `Serialize`, up to the cap, and stands
/// with a checksum in the event's `MessageSnapshot`. It is off unless a type asks for it, and a recording can only take
/// away from it: `ContentLimits` in the configuration, `REFLOW_TRACE_CONTENT=off` or `=256,-Login` from outside. What
/// is longer, or nested deeper than 128 levels, is cut and marked; a `Serialize` that fails or panics costs the content
/// and is counted in the metrics. Serialising takes its time, before the clock of the send starts.
///
/// ```
/// use reflow_trace::sample;
///
/// #[sample(capture)]                       // above the derive, which has to see what becomes of `password`
/// #[derive(serde::Serialize)]
/// struct Login {
///     user: String,
///     #[trace(redact)]
///     password: String,
/// }
/// // captured: {"user":"ada","password":"[redacted]"}
/// ```
///
/// A redacted field keeps its place and its name; its value becomes `"[redacted]"`. Where a text has no place, under
/// `flatten` and in a newtype variant of an enum with an inner tag, it is left out. This holds wherever a value of the
/// type is captured, also inside other messages, so that `redact` makes sense without `capture`. For everything else
/// the type serialises as before: the macro gives the field a `#[serde(serialize_with)]` that asks whether content is
/// being captured on this thread, and is otherwise what it was.
///
/// It is an error where this could not hold: without a `#[derive(Serialize)]` below, since a `Serialize` written by hand
/// goes its own ways; with `#[serde(into)]`, or `with` and `serialize_with` on a whole variant; and together with `id` or
/// `attribute`, which are recorded. A generic message says itself that its parts are `Serialize`:
/// `struct Envelope<T: Serialize>`.
///
/// # Connectors that are generic over their messages
///
/// In `impl<M> Connector<M>` nothing says that `M` has a policy. It is found there all the same, by the type, while
/// the program runs: that is what the `register!` above is for. It enters the type into a list before `main`, in a
/// function as well as in a module, without `unsafe` in your crate, and a message of this type, or one pointer to it
/// (`&`, `&mut`, `Box`, `Rc`, `Arc`), is then recorded as if the bound were there.
///
/// A type with parameters, lifetimes included, is many types, and nobody can enter them all. For those the impl
/// has to say `impl<M: reflow_trace::Message> Connector<M>`. Without the bound they are recorded under the name of the
/// Rust type, always, and that is noticed: `TracingMetrics::policies_not_found` names the type and counts its messages.
///
/// What runs before `main` is up to the loader. It does on Linux, macOS, Windows and their relatives. On WebAssembly it
/// does where the host calls the module's constructors (WASI commands do); else nothing is entered, and generic
/// connectors record all messages that they do not know to have a policy.
///
/// # What it does not do
///
/// - It does not know a secret by its look. What an option says, such as `attributes(user = "message.user")` on a
///   connector, is recorded whatever marks the field has; and so is what a `Serialize` of yours takes out of a redacted
///   field by hand, or has another thread serialise.
/// - It does not find the policy of a generic message through a generic connector without the bound
///   `M: reflow_trace::Message`; see above.
/// - A condition must not depend on chance: it is asked again wherever the message is recorded.
#[proc_macro_attribute]
pub fn sample(options: TokenStream, item: TokenStream) -> TokenStream {
    sample::sample(options.into(), item.into(), ENABLED).into()
}

/// Says how one method or field is recorded, inside an item with one of the other macros.
///
/// On a method of an impl with [`macro@traced_connector`] or [`macro@traced_actor`]:
///
/// | option | meaning |
/// | --- | --- |
/// | `send`, `recv` | this method of a connector sends, or receives |
/// | `batch`, `broadcast` | it sends several messages, or one message to several receivers |
/// | `handler`, `life` | this method of an actor handles a message, or is the actor's life |
/// | `skip` | not recorded, whatever its name |
/// | `message` | name of the message argument |
/// | `ok` | an expression over `result`, a reference to what was returned: whether it went well |
/// | `returns` | `"future"`: an alias hides a `Pin<Box<dyn Future>>`; `"value"`: what looks like a future is none. `Self::Future` is understood where the impl says that it is one |
/// | `size` | an expression over `self` and the arguments for the size in bytes |
/// | `fan_out` | an expression for how many receivers a broadcast reaches, computed before the body |
/// | `depth`, `protocol`, `compression`, `attributes(..)` | instead of what the impl says, as in [`macro@traced_connector`] |
/// | `from`, `to`, `from_actor`, `from_port`, `to_actor`, `to_port`, `edge` | ends of the edge, as in [`macro@traced_connector`] |
///
/// On a field of a type with [`macro@sample`]: `id`, `context`, `attribute` or `redact`.
///
/// # Examples
///
/// ```
/// use reflow_trace::traced_connector;
/// # struct Bus { name: String }
///
/// #[traced_connector(from_actor = "self.name", from_port = "\"out\"", to_port = "\"in\"")]
/// impl Bus {
///     #[trace(send, message = "text", to_actor = "subscriber", size = "text.len()")]
///     fn publish(&self, subscriber: &str, text: String) {
///         // …
/// #       let _ = (subscriber, text);
///     }
/// }
/// ```
///
/// It expands to nothing by itself. Where no annotated item is around it, it is an error that says so.
#[proc_macro_attribute]
pub fn trace(_: TokenStream, item: TokenStream) -> TokenStream {
    let text = "`#[trace]` works inside an annotated item: on a method of an impl with `#[traced_connector]` or \
                `#[traced_actor]`, or on a field of a type with `#[sample]`";
    let item = proc_macro2::TokenStream::from(item);
    let error = syn::Error::new(diagnostics::attribute_span(&item), text).to_compile_error();
    quote!(#error #item).into()
}
