//! The calls that begin and end one attempt, whatever the shape of the method around them.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};

use super::shared::{Shared, Takes};
use crate::options::connector::Depth;
use crate::options::crate_path::Private;
use crate::options::ends::ResolvedEnds;
use crate::options::expression::Expression;
use crate::options::method::Returns;
use crate::select::Role;
use crate::shape::argument::Argument;
use crate::shape::returned::{Returned, is_opaque};
use crate::shape::tokens::{Trees, bind_self};

/// The attribute that says how many receivers a broadcast reached.
const FAN_OUT: &str = "fan_out";

/// Everything known about one recorded method.
pub(crate) struct Probe<'a> {
    pub(crate) role: Role,
    /// `::reflow_trace::__private`
    pub(crate) private: Private,
    pub(crate) place: Place<'a>,
    pub(crate) message: Option<&'a Argument>,
    pub(crate) ok: Option<&'a Expression>,
    pub(crate) size: Option<&'a Expression>,
    /// How many receivers a broadcast reaches, as the annotation says.
    pub(crate) fan_out: Option<&'a Expression>,
    pub(crate) returns: Option<Returns>,
    /// The hygiene of the method's `self`.
    pub(crate) receiver: Span,
    /// Whether the method itself says nothing of its edge.
    pub(crate) edge_is_of_the_impl: bool,
    /// What it leaves to functions that its impl shares.
    pub(crate) shared: Shared,
}

/// Where it happens.
pub(crate) enum Place<'a> {
    Edge {
        ends: ResolvedEnds,
        /// What to read the depth of the queue from.
        depth: QueueDepth<'a>,
        protocol: Option<&'a syn::LitStr>,
        compression: Option<&'a syn::LitStr>,
        attributes: &'a [(String, Expression)],
    },
    Actor {
        actor: Option<&'a Expression>,
        port: Option<&'a Expression>,
        type_name: String,
    },
}

/// The depth of the queue as generated code finds it.
pub(crate) enum QueueDepth<'a> {
    Unknown,
    /// Whatever `self.channel` can tell.
    Channel,
    Given(&'a Expression),
}

impl<'a> QueueDepth<'a> {
    pub(crate) fn of(depth: &'a Depth, channel_is_mentioned: bool) -> Self {
        match depth {
            Depth::Given(expression) => QueueDepth::Given(expression),
            Depth::Probed if channel_is_mentioned => QueueDepth::Channel,
            Depth::Probed | Depth::Unknown => QueueDepth::Unknown,
        }
    }
}

impl Probe<'_> {
    pub(crate) fn is_message(&self, argument: &Argument) -> bool {
        match (self.message.and_then(Argument::name), argument.name()) {
            (Some(message), Some(name)) => message == name,
            _ => false,
        }
    }

    /// A call that gives the attempt, begun if recording is on, where a function of the impl does all of it.
    pub(super) fn begun(&self) -> Option<TokenStream> {
        let span = Span::mixed_site();
        let (begin, this) = (self.shared.begin.as_ref()?, self.this());
        let message = self.message.and_then(Argument::name);
        let (takes, begin) = (&begin.takes, &begin.name);
        Some(match (takes, message) {
            (Takes::MessageOrNone, Some(message)) => {
                quote_spanned!(span=> #this.#begin(::core::option::Option::Some(&mut #message)))
            }
            (Takes::MessageOrNone, None) => {
                quote_spanned!(span=> #this.#begin(::core::option::Option::None))
            }
            (_, Some(message)) => quote_spanned!(span=> #this.#begin(&mut #message)),
            (_, None) => quote_spanned!(span=> #this.#begin()),
        })
    }

    /// Statements that find out where it happens, and what then stands for the ends and the depth.
    pub(super) fn located(&self) -> (TokenStream, TokenStream, TokenStream) {
        let span = Span::mixed_site();
        match &self.shared.place {
            Some(place) => {
                let this = self.this();
                (
                    quote_spanned!(span=> let (ends, depth) = #this.#place();),
                    quote_spanned!(span=> ends),
                    quote_spanned!(span=> depth),
                )
            }
            None => (self.as_name(), self.ends(), self.depth()),
        }
    }

    /// Statements and behind them the attempt that begins at an edge; nothing for what an actor does.
    pub(super) fn begun_here(&self) -> Option<TokenStream> {
        let span = Span::mixed_site();
        let p = &self.private;
        if !matches!(self.place, Place::Edge { .. }) {
            return None;
        }
        let keep = self.keep();
        let ((located, ends, depth), site) = (self.located(), self.site());
        if self.role == Role::Receive {
            return Some(quote_spanned!(span=> #located #p::begin_receive(#ends, #depth, #site)));
        }
        // Selection reported a missing message, and nothing is expanded after an error.
        let name = self.message.and_then(Argument::name)?;
        let sending = match self.message_type() {
            Some(declared) => quote_spanned!(span=> #p::sending::<#declared>()),
            None => quote_spanned!(span=> #p::sending_of(&#name)),
        };
        Some(match self.size() {
            Some(size) => quote_spanned! {span=>
                #keep
                #located
                let size = #size;
                #sending.begin_sized(&mut #name, #ends, #depth, #site, size)
            },
            None => quote_spanned! {span=>
                #keep
                #located
                #sending.begin(&mut #name, #ends, #depth, #site)
            },
        })
    }

    /// The type of the message, where it can be named in a body.
    pub(super) fn message_type(&self) -> Option<Trees> {
        let declared = self.message.and_then(Argument::declared)?;
        (!is_opaque(declared)).then(|| Trees::from(declared))
    }

    /// Statements that begin what an actor does. `flow` evaluates to a `&mut Flow`.
    pub(crate) fn begin(&self, flow: &TokenStream) -> TokenStream {
        let span = Span::mixed_site();
        let p = &self.private;
        let message = self.message.and_then(Argument::name);
        let begin = match (&self.place, self.role, message) {
            (Place::Actor { .. }, Role::Life, _) => {
                let (as_name, actor, site) = (self.as_name(), self.actor(), self.site());
                quote_spanned!(span=> #as_name #p::begin_life(#flow, #actor, #site);)
            }
            (Place::Actor { .. }, _, Some(message)) => {
                let (as_name, to, site) = (self.as_name(), self.to_actor(), self.site());
                match self.size() {
                    Some(size) => quote_spanned! {span=>
                        #as_name
                        use #p::BeginHandling as _;
                        let size = #size;
                        (&mut #p::Probed(&mut #message)).begin_sized_handling(#flow, #to, #site, size);
                    },
                    None => quote_spanned! {span=>
                        #as_name
                        use #p::BeginHandling as _;
                        (&mut #p::Probed(&mut #message)).begin_handling(#flow, #to, #site);
                    },
                }
            }
            // Selection reported the missing message, and nothing is expanded after an error.
            _ => TokenStream::new(),
        };
        let keep = self.keep();
        quote_spanned!(span=> #keep #begin)
    }

    /// The trait by which single names are found, where some are.
    pub(super) fn as_name(&self) -> TokenStream {
        let p = &self.private;
        match &self.place {
            Place::Edge {
                ends: ResolvedEnds::Edge(_),
                ..
            } => TokenStream::new(),
            Place::Edge {
                ends: ResolvedEnds::Names(names),
                ..
            } if names.iter().all(Expression::is_default) => TokenStream::new(),
            _ => quote_spanned!(Span::mixed_site()=> use #p::AsName as _;),
        }
    }

    /// Statements that add what only a recorded attempt needs.
    pub(crate) fn details(&self) -> TokenStream {
        let span = Span::mixed_site();
        let p = &self.private;
        let attributes: &[(String, Expression)] = match &self.place {
            Place::Edge { attributes, .. } => attributes,
            Place::Actor { .. } => &[],
        };
        let given = attributes.iter().map(|(key, value)| (key.as_str(), value));
        let attributes: Vec<TokenStream> = given
            .chain(self.fan_out.map(|number| (FAN_OUT, number)))
            .map(|(key, value)| {
                let given = self.bound(value);
                let given = quote_spanned!(value.place()=> (&&&#p::Value(&#given)).value());
                quote_spanned!(span=> flow.attribute(#key, #given);)
            })
            .collect();
        if attributes.is_empty() {
            return TokenStream::new();
        }
        quote_spanned! {span=>
            if flow.wants_details() {
                use #p::AsValue as _;
                #(#attributes)*
            }
        }
    }

    /// The size that the annotation gives, computed before the message is borrowed for the probe.
    pub(super) fn size(&self) -> Option<TokenStream> {
        let p = &self.private;
        let size = self.bound(self.size?);
        Some(
            quote_spanned!(Span::mixed_site()=> ::core::option::Option::Some(#p::Size::known(#size))),
        )
    }

    /// What ends the attempt with what was returned and gives that back, where nothing else has to look at it:
    /// `judge::<Declared>()`, of which `end(flow, out)` is to be called. `declared` is the type, and nothing where only
    /// the value in `out` tells all of it.
    pub(super) fn closing(
        &self,
        returned: Returned,
        declared: Option<&Trees>,
    ) -> Option<TokenStream> {
        let span = Span::mixed_site();
        let p = &self.private;
        if self.role == Role::Receive {
            let Some(declared) = declared else {
                return Some(quote_spanned!(span=> #p::receive_of(&out)));
            };
            return Some(quote_spanned!(span=> #p::receive::<#declared>()));
        }
        let is_looked_at = self.ok.is_some() || self.probes_fan_out();
        if is_looked_at || self.is_known_at_the_end(returned) {
            return None;
        }
        if returned == Returned::Unit {
            // Nothing is nothing under every name.
            return Some(quote_spanned!(span=> #p::unjudged()));
        }
        Some(match declared {
            Some(declared) => quote_spanned!(span=> #p::judge::<#declared>()),
            None => quote_spanned!(span=> #p::judge_of(&out)),
        })
    }

    /// Whether what a broadcast returned is asked how many it reached.
    fn probes_fan_out(&self) -> bool {
        self.role == Role::Broadcast && self.fan_out.is_none()
    }

    /// Statements that end the attempt, where `flow` is held as a value or a `&mut` to it, and so is `out`.
    pub(crate) fn finish(&self, hold: Hold) -> TokenStream {
        let span = Span::mixed_site();
        let p = &self.private;
        let out = match hold {
            Hold::Values => quote_spanned!(span=> &out),
            Hold::References => quote_spanned!(span=> &*out),
        };
        let fan_out = self.probes_fan_out().then(|| {
            quote_spanned! {span=>
                flow.fan_out({
                    use #p::FanOut as _;
                    (&#p::Reached(#out)).reached()
                });
            }
        });
        let end = match self.ok {
            Some(ok) => {
                let result = Ident::new("result", ok.span());
                let ok = self.bound(ok);
                quote_spanned! {span=>
                    flow.end({
                        let #result = #out;
                        let _ = #result;
                        #p::outcome_if(#ok)
                    });
                }
            }
            None => quote_spanned!(span=> flow.end(#p::judge_of(#out).outcome(#out));),
        };
        quote_spanned!(span=> #fan_out #end)
    }

    pub(super) fn ends(&self) -> TokenStream {
        let span = Span::mixed_site();
        let p = &self.private;
        match &self.place {
            Place::Edge {
                ends: ResolvedEnds::Edge(edge),
                ..
            } => {
                let given = match self.keeps_edge() {
                    true => quote_spanned!(span=> kept_edge),
                    false => self.bound(edge),
                };
                let given = quote_spanned!(edge.place()=> &#given);
                quote_spanned!(span=> #p::edge(#given))
            }
            Place::Edge {
                ends: ResolvedEnds::Names(names),
                ..
            } => {
                // One look-up for the four fields of `self`. What was given stays apart: an error is to stand on it.
                if names.iter().all(Expression::is_default) {
                    let [a, b, c, d] = names.each_ref().map(Expression::tokens);
                    return quote_spanned!(span=> #p::names(&#a, &#b, &#c, &#d).ends());
                }
                let names = names.iter().map(|name| self.name_of(name));
                quote_spanned!(span=> #p::ends(#(#names),*))
            }
            Place::Actor { .. } => TokenStream::new(),
        }
    }

    pub(super) fn depth(&self) -> TokenStream {
        let span = Span::mixed_site();
        let p = &self.private;
        match &self.place {
            Place::Edge {
                depth: QueueDepth::Given(_),
                ..
            } if self.keeps_depth() => quote_spanned!(span=> kept_depth),
            Place::Edge {
                depth: QueueDepth::Given(expression),
                ..
            } => {
                let expression = self.bound(expression);
                quote_spanned!(span=> #p::Depth::of(#expression))
            }
            Place::Edge {
                depth: QueueDepth::Channel,
                ..
            } => {
                let this = self.this();
                quote_spanned! {span=> {
                    use #p::DepthFallback as _;
                    #p::Depth::probed(#this.channel.len(), #this.channel.capacity(), #this.channel.max_capacity())
                }}
            }
            _ => quote_spanned!(span=> #p::Depth::UNKNOWN),
        }
    }

    pub(super) fn site(&self) -> TokenStream {
        let span = Span::mixed_site();
        let p = &self.private;
        let (protocol, compression) = match &self.place {
            Place::Edge {
                protocol,
                compression,
                ..
            } => (*protocol, *compression),
            Place::Actor { .. } => (None, None),
        };
        let protocol = protocol.map(|protocol| quote_spanned!(span=> .protocol(#protocol)));
        let compression =
            compression.map(|compression| quote_spanned!(span=> .compression(#compression)));
        if protocol.is_none() && compression.is_none() {
            return quote_spanned!(span=> #p::Site::PLAIN);
        }
        // A static is checked faster than an inline constant, which is a body of its own. It is dear all the same.
        quote_spanned!(span=> { static SITE: #p::Site = #p::Site::new() #protocol #compression; &SITE })
    }

    /// The name of the actor whose impl this is.
    fn actor(&self) -> TokenStream {
        let span = Span::mixed_site();
        let p = &self.private;
        match &self.place {
            Place::Actor {
                actor: Some(actor), ..
            } => self.name_of(actor),
            Place::Actor { type_name, .. } => {
                quote_spanned!(span=> (&&#p::Text(&#type_name)).name())
            }
            Place::Edge { .. } => TokenStream::new(),
        }
    }

    /// Whom the message reached.
    fn to_actor(&self) -> TokenStream {
        let span = Span::mixed_site();
        let p = &self.private;
        match &self.place {
            Place::Actor {
                actor: None,
                port: None,
                type_name,
            } => {
                quote_spanned!(span=> #p::receiver_by_default(#type_name))
            }
            Place::Actor { port, .. } => {
                let actor = self.actor();
                let port = match port {
                    Some(port) => self.name_of(port),
                    None => quote_spanned!(span=> (&&#p::Text(&"in")).name()),
                };
                quote_spanned!(span=> #p::receiver(#actor, #port))
            }
            Place::Edge { .. } => TokenStream::new(),
        }
    }

    fn name_of(&self, expression: &Expression) -> TokenStream {
        let p = &self.private;
        if let Some(kept) = self.kept_name(expression) {
            return quote_spanned!(Span::mixed_site()=> #kept.name());
        }
        let given = self.bound(expression);
        quote_spanned!(expression.place()=> (&&#p::Text(&#given)).name())
    }

    /// The expression as one operand that can see the method's `self`.
    pub(super) fn bound(&self, expression: &Expression) -> TokenStream {
        let operand = expression.in_parentheses();
        bind_self(quote!(#operand), self.receiver)
    }
}

/// How generated code holds the returned value and the attempt when it ends.
#[derive(Clone, Copy)]
pub(crate) enum Hold {
    Values,
    References,
}
