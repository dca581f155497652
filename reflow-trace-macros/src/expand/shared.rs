//! What the methods of one impl have in common: where they send and what they send.
//!
//! A compiler pays for every look-up of a method and for every call, and these are the same in each method of a
//! connector. So an inherent impl gets private functions beside the user's: one that reads the ends of the edge and the
//! depth of its queue off `self`, and one for each type of message that begins a send. They are called after the first
//! method that uses them, so that several impls of one type do not clash; the underscores in front keep them out of
//! what the compiler says about unused methods.
//!
//! Nothing is shared where the functions might not fit: in the impl of a trait, which has room for nothing else; under
//! other attributes on the impl, which might do something with whatever they find; for methods with generics or
//! conditions of their own; for ends that a method gives itself or that are more than a path from `self`.

use std::collections::HashMap;

use proc_macro2::{Delimiter, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote_spanned};

use super::probe::{Place, Probe, QueueDepth};
use crate::options::ends::ResolvedEnds;
use crate::select::Role;
use crate::shape::implementation::Implementation;
use crate::shape::method::Method;
use crate::shape::returned::Returned;
use crate::shape::tokens::{is_ident, is_punct};

/// The functions that one probe calls instead of doing the same itself.
#[derive(Default)]
pub(crate) struct Shared {
    /// Gives the ends and the depth.
    pub(super) place: Option<Ident>,
    /// Begins the attempt.
    pub(super) begin: Option<Begin>,
}

/// A function that begins attempts.
#[derive(Clone)]
pub(super) struct Begin {
    pub(super) name: Ident,
    pub(super) takes: Takes,
}

/// What it is called with beside `self`.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Takes {
    Nothing,
    Message,
    /// No message where one is to be received.
    MessageOrNone,
}

/// Finds what the probes have in common, and gives the functions that they call from now on.
pub(crate) fn share(
    implementation: &Implementation,
    probes: &mut [Option<Probe<'_>>],
) -> TokenStream {
    if !implementation.has_room() {
        return TokenStream::new();
    }
    let methods: Vec<&Method> = implementation.methods().collect();
    let sharing: Vec<usize> = (0..methods.len())
        .filter(|at| {
            let probe = probes[*at].as_ref();
            probe.is_some_and(|probe| may_share(methods[*at], probe))
        })
        .collect();
    let Some(first) = sharing.first() else {
        return TokenStream::new();
    };
    let groups = groups(&sharing, &methods, probes);
    let grouped: usize = groups.iter().map(|group| group.members.len()).sum();
    // A single look is as cheap where it is needed.
    let has_place = sharing.len() - grouped + groups.len() > 1;
    let mut functions = TokenStream::new();
    if has_place {
        let name = name_for("place", methods[*first]);
        functions.extend(
            probes[*first]
                .as_ref()
                .map(|probe| probe.place_function(&name)),
        );
        for at in &sharing {
            if let Some(probe) = &mut probes[*at] {
                probe.shared.place = Some(name.clone());
            }
        }
    }
    for group in groups {
        let begin = Begin {
            name: name_for("begin", methods[group.members[0]]),
            takes: group.takes,
        };
        functions.extend(
            probes[group.members[0]]
                .as_ref()
                .map(|probe| probe.begin_function(&begin)),
        );
        for at in group.members {
            if let Some(probe) = &mut probes[at] {
                probe.shared.begin = Some(begin.clone());
            }
        }
    }
    functions
}

/// Those that begin by the same function.
struct Group {
    takes: Takes,
    members: Vec<usize>,
}

/// Those that begin in the same way, where a function for it is worth its price. In an `async fn` it always is,
/// because what stands there is looked at once more as part of a state machine. Where one is for sends, receives begin
/// by it as well: what is dear is to find out where both happen.
fn groups(sharing: &[usize], methods: &[&Method], probes: &[Option<Probe<'_>>]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    let mut receives = Vec::new();
    for at in sharing {
        let Some(probe) = &probes[*at] else { continue };
        let Some(begins) = begins_with(methods[*at], probe) else {
            continue;
        };
        let Some(message) = begins else {
            receives.push(*at);
            continue;
        };
        let group = *known.entry(message).or_insert(groups.len());
        match groups.get_mut(group) {
            Some(group) => group.members.push(*at),
            None => groups.push(Group {
                takes: Takes::Message,
                members: vec![*at],
            }),
        }
    }
    match groups.first_mut() {
        Some(sends) if !receives.is_empty() => {
            sends.takes = Takes::MessageOrNone;
            sends.members.append(&mut receives);
        }
        Some(_) => {}
        None => groups.push(Group {
            takes: Takes::Nothing,
            members: receives,
        }),
    }
    groups.retain(|group| match group.members.as_slice() {
        [] => false,
        [only] => methods[*only].is_async,
        _ => true,
    });
    groups
}

/// The type of the message that is sent, or that there is none; nothing where no function begins this.
fn begins_with(method: &Method, probe: &Probe<'_>) -> Option<Option<String>> {
    let declared = method.kind;
    if probe.size.is_some() || probe.is_known_at_the_end(declared) {
        return None;
    }
    if probe.role == Role::Receive {
        return Some(None);
    }
    probe
        .message_type()
        .map(|declared| Some(declared.into_token_stream().to_string()))
}

fn may_share(method: &Method, probe: &Probe<'_>) -> bool {
    let Place::Edge { ends, depth, .. } = &probe.place else {
        return false;
    };
    let ends_are_fields = match ends {
        ResolvedEnds::Names(names) => names
            .iter()
            .all(|name| name.is_default() || is_read_off_self(&name.tokens())),
        ResolvedEnds::Edge(edge) => is_read_off_self(&edge.tokens()),
    };
    let depth_is_one = match depth {
        QueueDepth::Unknown | QueueDepth::Channel => true,
        QueueDepth::Given(depth) => is_read_off_self(&depth.tokens()),
    };
    probe.edge_is_of_the_impl
        && ends_are_fields
        && depth_is_one
        && method.receiver().is_some()
        && method.kind != Returned::Never
        && method.has_no_conditions()
}

/// `self.field`, `self.0.field`, `self.field()`, `(self.field).other`, which mean the same in every method.
fn is_read_off_self(tokens: &TokenStream) -> bool {
    let trees: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let begins = match trees.first() {
        Some(TokenTree::Group(group)) => is_read_off_self(&group.stream()),
        first => is_ident(first, "self"),
    };
    begins
        && trees.iter().skip(1).all(|tree| match tree {
            TokenTree::Ident(_) | TokenTree::Literal(_) => true,
            TokenTree::Punct(_) => is_punct(Some(tree), '.'),
            TokenTree::Group(group) => {
                group.delimiter() == Delimiter::Parenthesis && group.stream().is_empty()
            }
        })
}

fn name_for(purpose: &str, method: &Method) -> Ident {
    let of = method.name.to_string();
    let of = of.trim_start_matches("r#");
    format_ident!("__reflow_trace_{purpose}_{of}", span = Span::mixed_site())
}

impl Probe<'_> {
    /// `fn place(&self) -> (Ends<'_>, Depth)`
    fn place_function(&self, name: &Ident) -> TokenStream {
        let span = Span::mixed_site();
        let (p, this) = (&self.private, self.this());
        let (as_name, ends, depth) = (self.as_name(), self.ends(), self.depth());
        let inlined = inlined();
        quote_spanned! {span=>
            #inlined
            fn #name(&#this) -> (#p::Ends<'_>, #p::Depth) {
                #as_name
                (#ends, #depth)
            }
        }
    }

    /// `fn begin(&self, message: &mut Message) -> Flow`
    fn begin_function(&self, begin: &Begin) -> TokenStream {
        let span = Span::mixed_site();
        let (p, this, name) = (&self.private, self.this(), &begin.name);
        let ((located, ends, depth), site) = (self.located(), self.site());
        let declared = self.message_type();
        let (message, begun) = match begin.takes {
            Takes::Nothing => (None, quote_spanned!(span=> #p::begin_receive)),
            Takes::Message => (
                Some(quote_spanned!(span=> , message: &mut #declared)),
                quote_spanned!(span=> #p::sending::<#declared>().begin),
            ),
            Takes::MessageOrNone => (
                Some(quote_spanned!(span=> , message: ::core::option::Option<&mut #declared>)),
                quote_spanned!(span=> #p::sending::<#declared>().begin_or_await),
            ),
        };
        let given = message.is_some().then(|| quote_spanned!(span=> message,));
        let inlined = inlined();
        quote_spanned! {span=>
            #inlined
            fn #name(&#this #message) -> #p::Flow {
                if #p::on() {
                    #located
                    #begun(#given #ends, #depth, #site)
                } else {
                    #p::Flow::idle()
                }
            }
        }
    }

    /// `self` as the method knows it.
    pub(super) fn this(&self) -> Ident {
        Ident::new("self", Span::mixed_site().resolved_at(self.receiver))
    }
}

/// What is measured is as if each method did it by itself; in a debug build the functions exist once.
fn inlined() -> TokenStream {
    quote_spanned!(Span::mixed_site()=> #[cfg_attr(not(debug_assertions), inline(always))])
}
