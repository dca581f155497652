//! `#[traced_connector]`: from tokens to tokens.

use proc_macro2::TokenStream;
use quote::ToTokens;

use crate::diagnostics::{Diagnostics, listed};
use crate::expand::probe::{Place, Probe, QueueDepth};
use crate::expand::shared::{self, Shared};
use crate::options::connector::ConnectorOptions;
use crate::options::crate_path::Private;
use crate::options::ends::ResolvedEnds;
use crate::options::expression::Expression;
use crate::options::method::MethodOptions;
use crate::select::{Role, message_of, names_in_connector};
use crate::shape::implementation::Implementation;
use crate::shape::method::Method;
use crate::shape::tokens::mentions_field_of_self;
use crate::{expand, fallback, validate};

const NAME: &str = "traced_connector";

/// Expands the macro; `enabled` says whether recording is compiled in.
pub(crate) fn traced_connector(
    options: TokenStream,
    item: TokenStream,
    enabled: bool,
) -> TokenStream {
    let mut diagnostics = Diagnostics::new();
    let options = ConnectorOptions::read(options, &mut diagnostics);
    let mut implementation = match Implementation::read(item.clone()) {
        Ok(implementation) => implementation,
        Err(wrong) => {
            validate::not_an_impl(NAME, &wrong, &mut diagnostics);
            return fallback::conclude(diagnostics, enabled, item, TokenStream::new);
        }
    };
    implementation.understand(&options.crate_path.segments());
    validate::applied_once(NAME, &mut implementation, &mut diagnostics);
    let said: Vec<MethodOptions> = implementation
        .methods_mut()
        .map(|method| MethodOptions::take(method, &mut diagnostics))
        .collect();
    let lists = [
        (Role::Send, &*options.send),
        (Role::Receive, &*options.recv),
        (Role::Batch, &*options.batch),
        (Role::Broadcast, &*options.broadcast),
        (Role::Skip, &*options.skip),
    ];
    validate::listed_methods(lists, &implementation, &mut diagnostics);

    let channel = mentions_field_of_self(&implementation.content(), "channel");
    let private = options.crate_path.private();
    let mut probes: Vec<Option<Probe<'_>>> = implementation
        .methods()
        .zip(&said)
        .map(|(method, said)| {
            let private = private.clone();
            probe(method, said, &options, private, channel, &mut diagnostics)
        })
        .collect();
    report_bare_names(&implementation, &said, &probes, &options, &mut diagnostics);
    if diagnostics.is_empty() && probes.iter().all(Option::is_none) {
        report_nothing_recorded(&implementation, &mut diagnostics);
    }
    fallback::conclude(diagnostics, enabled, &implementation, || {
        let functions = shared::share(&implementation, &mut probes);
        let replace = |at: usize, method: &Method, tokens: &mut TokenStream| match &probes[at] {
            Some(probe) => expand::method(method, probe, tokens),
            None => method.to_tokens(tokens),
        };
        implementation.emit(replace, functions)
    })
}

/// How one method is recorded, if it is.
fn probe<'a>(
    method: &'a Method,
    said: &'a MethodOptions,
    options: &'a ConnectorOptions,
    private: Private,
    channel_is_mentioned: bool,
    diagnostics: &mut Diagnostics,
) -> Option<Probe<'a>> {
    let role = match role(method, said, options, diagnostics) {
        Some(Role::Skip) => return None,
        Some(role) if method.body.is_there() => role,
        Some(_) => return None,
        None => {
            let roles = "`#[trace(send, ..)]`, `#[trace(recv, ..)]`, `#[trace(batch, ..)]` or `#[trace(broadcast, ..)]`";
            validate::says_what(method, said, roles, diagnostics);
            return None;
        }
    };
    let receiver = method
        .receiver()
        .map_or_else(|| method.name.span(), |receiver| receiver.span());
    let ends = said.ends.or(&options.ends, receiver)?;
    let read: Vec<&Expression> = match &ends {
        ResolvedEnds::Names(names) => names.iter().collect(),
        ResolvedEnds::Edge(edge) => vec![edge],
    };
    validate::recordable(method, role, said, &read, diagnostics);
    let message = match role.needs_message() {
        true => Some(message_of(
            method,
            role,
            said,
            options.message.as_ref(),
            diagnostics,
        )?),
        false => None,
    };
    let has_self = method.receiver().is_some();
    Some(Probe {
        role,
        private,
        place: Place::Edge {
            ends,
            depth: QueueDepth::of(
                said.depth.as_ref().unwrap_or(&options.depth),
                channel_is_mentioned && has_self,
            ),
            protocol: said.protocol.as_ref().or(options.protocol.as_ref()),
            compression: said.compression.as_ref().or(options.compression.as_ref()),
            attributes: attributes_of(role, said, options),
        },
        message,
        ok: said.ok.as_ref(),
        size: said.size.as_ref(),
        fan_out: said.fan_out.as_ref(),
        returns: said.returns,
        receiver,
        edge_is_of_the_impl: said.says_nothing_of_the_edge(),
        shared: Shared::default(),
    })
}

/// Those of the method instead of those of the impl, which speak of one message and so are not for batches. What a
/// receive records is only known when it is over, and its message is no argument.
fn attributes_of<'a>(
    role: Role,
    said: &'a MethodOptions,
    options: &'a ConnectorOptions,
) -> &'a [(String, Expression)] {
    match (&said.attributes, role) {
        (Some(own), _) => own,
        (None, Role::Send | Role::Broadcast) => &options.attributes,
        (None, _) => &[],
    }
}

fn role(
    method: &Method,
    said: &MethodOptions,
    options: &ConnectorOptions,
    diagnostics: &mut Diagnostics,
) -> Option<Role> {
    if let Some((role, span)) = said.role {
        if matches!(role, Role::Handler | Role::Life) {
            let message = format!(
                "`{}` is for an impl with `#[traced_actor]`: a connector's methods are `send`, `recv`, `batch`, `broadcast` or `skip`",
                role.name()
            );
            diagnostics.at(span, message);
            return Some(Role::Skip);
        }
        return Some(role);
    }
    let lists = [
        (Role::Skip, &options.skip),
        (Role::Send, &options.send),
        (Role::Receive, &options.recv),
        (Role::Batch, &options.batch),
        (Role::Broadcast, &options.broadcast),
    ];
    let listed = lists
        .into_iter()
        .find(|(_, names)| names.contains(&method.name))
        .map(|(role, _)| role);
    listed.or_else(|| Role::in_connector(&method.name.to_string()))
}

/// Names in the options of the impl must be arguments of some recorded method, those of a method its own.
fn report_bare_names(
    implementation: &Implementation,
    said: &[MethodOptions],
    probes: &[Option<Probe<'_>>],
    options: &ConnectorOptions,
    diagnostics: &mut Diagnostics,
) {
    let recorded: Vec<&Method> = implementation
        .methods()
        .zip(probes)
        .filter_map(|(method, probe)| probe.as_ref().map(|_| method))
        .collect();
    if recorded.is_empty() {
        return;
    }
    let given: Vec<(&str, &Expression)> = options.ends.expressions().collect();
    validate::bare_names(&given, &recorded, diagnostics);
    let attributes: Vec<(&str, &Expression)> = options
        .attributes
        .iter()
        .map(|(key, expression)| (key.as_str(), expression))
        .collect();
    validate::bare_names(&attributes, &recorded, diagnostics);
    for ((method, said), probe) in implementation.methods().zip(said).zip(probes) {
        if probe.is_some() {
            let given: Vec<(&str, &Expression)> = said.ends.expressions().collect();
            validate::bare_names(&given, &[method], diagnostics);
            let attributes: Vec<(&str, &Expression)> = said
                .attributes
                .iter()
                .flatten()
                .map(|(key, expression)| (key.as_str(), expression))
                .collect();
            validate::bare_names(&attributes, &[method], diagnostics);
        }
    }
}

fn report_nothing_recorded(implementation: &Implementation, diagnostics: &mut Diagnostics) {
    let names = names_in_connector();
    let methods: Vec<String> = implementation
        .methods()
        .map(|method| method.name.to_string())
        .collect();
    let message = if methods.is_empty() {
        format!("nothing to record: this impl has no methods. Recorded are {names}")
    } else {
        format!(
            "nothing to record: this impl has {}. Recorded by name are {names}; mark others with `#[trace(send)]` or `#[trace(recv)]`",
            listed(&methods)
        )
    };
    diagnostics.on(implementation.header(), message);
}
