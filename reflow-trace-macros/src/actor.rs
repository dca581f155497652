//! `#[traced_actor]`: from tokens to tokens.

use proc_macro2::TokenStream;
use quote::ToTokens;

use crate::diagnostics::{Diagnostics, listed};
use crate::expand::probe::{Place, Probe};
use crate::expand::shared::Shared;
use crate::options::actor::ActorOptions;
use crate::options::expression::Expression;
use crate::options::method::MethodOptions;
use crate::select::{Role, message_of, names_in_actor};
use crate::shape::implementation::Implementation;
use crate::shape::method::Method;
use crate::shape::tokens::as_written;
use crate::{expand, fallback, validate};

const NAME: &str = "traced_actor";

/// Expands the macro; `enabled` says whether recording is compiled in.
pub(crate) fn traced_actor(options: TokenStream, item: TokenStream, enabled: bool) -> TokenStream {
    let mut diagnostics = Diagnostics::new();
    let options = ActorOptions::read(options, &mut diagnostics);
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
    let type_name = implementation.type_name();
    let probes: Vec<Option<Probe<'_>>> = implementation
        .methods()
        .zip(&said)
        .map(|(method, said)| probe(method, said, &options, &type_name, &mut diagnostics))
        .collect();
    report_doubled_handlers(&implementation, &said, &probes, &mut diagnostics);
    report_bare_names(&implementation, &probes, &options, &mut diagnostics);
    if diagnostics.is_empty() && probes.iter().all(Option::is_none) {
        report_nothing_recorded(&implementation, &mut diagnostics);
    }
    fallback::conclude(diagnostics, enabled, &implementation, || {
        let replace = |at: usize, method: &Method, tokens: &mut TokenStream| match &probes[at] {
            Some(probe) => expand::method(method, probe, tokens),
            None => method.to_tokens(tokens),
        };
        implementation.emit(replace, TokenStream::new())
    })
}

/// How one method is recorded, if it is.
fn probe<'a>(
    method: &'a Method,
    said: &'a MethodOptions,
    options: &'a ActorOptions,
    type_name: &str,
    diagnostics: &mut Diagnostics,
) -> Option<Probe<'a>> {
    let role = match role(method, said, diagnostics) {
        Some(Role::Skip) => return None,
        Some(role) if method.body.is_there() => role,
        Some(_) => return None,
        None => {
            validate::says_what(method, said, "`#[trace(handler, ..)]`", diagnostics);
            return None;
        }
    };
    for (key, expression) in said.ends.expressions() {
        let message = format!(
            "`{key}` is an end of an edge, and an actor is none: name the actor in `#[traced_actor(actor = \"..\")]`"
        );
        diagnostics.at(expression.span(), message);
    }
    let read: Vec<&Expression> = options.actor.iter().chain(&options.port).collect();
    validate::recordable(method, role, said, &read, diagnostics);
    let message = match role.needs_message() {
        true => Some(message_of(method, role, said, None, diagnostics)?),
        false => None,
    };
    Some(Probe {
        role,
        private: options.crate_path.private(),
        place: Place::Actor {
            actor: options.actor.as_ref(),
            port: options.port.as_ref(),
            type_name: type_name.to_owned(),
        },
        message,
        ok: said.ok.as_ref(),
        size: said.size.as_ref(),
        fan_out: None,
        returns: said.returns,
        receiver: method
            .receiver()
            .map_or_else(|| method.name.span(), |receiver| receiver.span()),
        edge_is_of_the_impl: false,
        shared: Shared::default(),
    })
}

fn role(method: &Method, said: &MethodOptions, diagnostics: &mut Diagnostics) -> Option<Role> {
    let Some((role, span)) = said.role else {
        return Role::in_actor(method, &method.name.to_string());
    };
    if role.sends() || role == Role::Receive {
        let message = format!(
            "`{}` is for an impl with `#[traced_connector]`: an actor's methods are `handler`, `life` or `skip`",
            role.name()
        );
        diagnostics.at(span, message);
        return Some(Role::Skip);
    }
    Some(role)
}

fn report_doubled_handlers(
    implementation: &Implementation,
    said: &[MethodOptions],
    probes: &[Option<Probe<'_>>],
    diagnostics: &mut Diagnostics,
) {
    let handlers: Vec<(&Method, String, bool)> = implementation
        .methods()
        .zip(said)
        .zip(probes)
        .filter_map(|((method, said), probe)| {
            let message = probe.as_ref()?.message?;
            Some((
                method,
                as_written(&message.declared()?.iter().cloned().collect()),
                said.role.is_none(),
            ))
        })
        .collect();
    validate::one_handler_per_type(&handlers, diagnostics);
}

fn report_bare_names(
    implementation: &Implementation,
    probes: &[Option<Probe<'_>>],
    options: &ActorOptions,
    diagnostics: &mut Diagnostics,
) {
    let recorded: Vec<&Method> = implementation
        .methods()
        .zip(probes)
        .filter_map(|(method, probe)| probe.as_ref().map(|_| method))
        .collect();
    let given: Vec<(&str, &Expression)> = [("actor", &options.actor), ("port", &options.port)]
        .into_iter()
        .filter_map(|(key, e)| Some((key, e.as_ref()?)))
        .collect();
    if !recorded.is_empty() {
        validate::bare_names(&given, &recorded, diagnostics);
    }
}

fn report_nothing_recorded(implementation: &Implementation, diagnostics: &mut Diagnostics) {
    let names = names_in_actor();
    let methods: Vec<String> = implementation
        .methods()
        .map(|method| method.name.to_string())
        .collect();
    let message = if methods.is_empty() {
        format!("nothing to record: this impl has no methods. Recorded are {names}")
    } else {
        format!(
            "nothing to record: this impl has {}. Recorded by name are {names}; mark others with `#[trace(handler)]` or `#[trace(life)]`",
            listed(&methods)
        )
    };
    diagnostics.on(implementation.header(), message);
}
