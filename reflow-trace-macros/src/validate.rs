//! The rules of the language that need more than one token to be seen.

use proc_macro2::Span;
use quote::ToTokens;

use crate::diagnostics::{Diagnostics, listed, nearest};
use crate::options::expression::Expression;
use crate::options::method::{MethodOptions, Returns};
use crate::select::Role;
use crate::shape::implementation::{Implementation, NotAnImplementation};
use crate::shape::method::Method;
use crate::shape::returned::Returned;
use crate::shape::tokens::{Trees, as_written, mention};

/// Only an impl has bodies to record.
pub(crate) fn not_an_impl(
    macro_name: &str,
    wrong: &NotAnImplementation,
    diagnostics: &mut Diagnostics,
) {
    let found = &wrong.found;
    let advice = match found.as_str() {
        "a trait" => "put it on the impl blocks, because a declaration has no body to record",
        "a function" => {
            "put it on the impl block around the method, which knows the ends of the edge"
        }
        "a struct" | "an enum" => "put it on the impl block with the methods",
        _ => "put it on an impl block",
    };
    diagnostics.at(
        wrong.span,
        format!("`#[{macro_name}]` cannot go on {found}: {advice}"),
    );
}

/// The same macro twice would record everything twice.
pub(crate) fn applied_once(
    macro_name: &str,
    item: &mut Implementation,
    diagnostics: &mut Diagnostics,
) {
    for attribute in &item.attributes {
        for other in ["traced_connector", "traced_actor", "sample", "trace"] {
            if !attribute.is_ours(other) {
                continue;
            }
            let message = match other {
                _ if other == macro_name => {
                    format!(
                        "`#[{macro_name}]` is applied twice to this impl: keep one, with all the options"
                    )
                }
                "sample" => {
                    "`#[sample]` goes on the struct or enum that is sent, not on an impl".to_owned()
                }
                "trace" => "`#[trace]` goes on a method inside the impl".to_owned(),
                _ => format!(
                    "`#[{other}]` and `#[{macro_name}]` cannot share an impl: give each a block of its own"
                ),
            };
            diagnostics.on(attribute, message);
        }
    }
    item.attributes.retain(|attribute| {
        !["traced_connector", "traced_actor", "sample", "trace"]
            .iter()
            .any(|name| attribute.is_ours(name))
    });
}

/// `send(..)`, `recv(..)`, `batch(..)`, `broadcast(..)` and `skip(..)` name methods of this impl, each once.
pub(crate) fn listed_methods(
    lists: [(Role, &[proc_macro2::Ident]); 5],
    item: &Implementation,
    diagnostics: &mut Diagnostics,
) {
    let methods: Vec<String> = item
        .methods()
        .map(|method| method.name.to_string())
        .collect();
    let mut seen: Vec<(Role, String)> = Vec::new();
    for (role, names) in lists {
        for ident in names {
            let name = ident.to_string();
            if let Some((earlier, _)) = seen.iter().find(|(_, earlier)| *earlier == name) {
                let message = if *earlier == role {
                    format!("`{name}` is listed twice in `{}(..)`", role.name())
                } else {
                    format!(
                        "`{name}` is listed in `{}(..)` and in `{}(..)`: a method is one of them",
                        earlier.name(),
                        role.name()
                    )
                };
                diagnostics.at(ident.span(), message);
            } else if !methods.contains(&name) {
                let message = match nearest(&name, methods.iter().map(String::as_str)) {
                    Some(near) => {
                        format!("this impl has no method `{name}`: did you mean `{near}`?")
                    }
                    None if methods.is_empty() => {
                        format!("this impl has no method `{name}`: it has none at all")
                    }
                    None => format!(
                        "this impl has no method `{name}`: it has {}",
                        listed(&methods)
                    ),
                };
                diagnostics.at(ident.span(), message);
            }
            seen.push((role, name));
        }
    }
}

/// What recording a method requires of it.
pub(crate) fn recordable(
    method: &Method,
    role: Role,
    options: &MethodOptions,
    expressions: &[&Expression],
    diagnostics: &mut Diagnostics,
) {
    let name = &method.name;
    if let Some(constness) = method.constness {
        let message = format!(
            "a `const fn` cannot record anything: make `{name}` a plain `fn`, or leave it out with `#[trace(skip)]`"
        );
        diagnostics.at(constness, message);
    }
    if method.receiver().is_none()
        && expressions
            .iter()
            .any(|expression| mention(&expression.tokens(), "self").is_some())
    {
        let message = format!(
            "`{name}` has no `self` to read the {} from: leave it out with `#[trace(skip)]`",
            match role {
                Role::Handler | Role::Life => "name of the actor",
                _ => "ends of the edge",
            }
        );
        diagnostics.at(name.span(), message);
    }
    let returned = method.kind;
    if let Some(ok) = &options.ok {
        if returned == Returned::Unit {
            let message = format!("`ok` judges what `{name}` returns, and it returns nothing");
            diagnostics.at(ok.span(), message);
        } else if role == Role::Receive {
            let message =
                format!("`ok` is for sends and handlers: what `{name}` received tells its outcome");
            diagnostics.at(ok.span(), message);
        }
    }
    if let Some(size) = &options.size {
        if role == Role::Batch {
            let message = "`size` measures one message, and a batch has many: `#[sample(size = \"..\")]` on their type measures each";
            diagnostics.at(size.span(), message);
        } else if !role.needs_message() {
            let message = format!("`size` measures the message argument, and `{name}` takes none");
            diagnostics.at(size.span(), message);
        }
    }
    if let (Some(fan_out), false) = (&options.fan_out, role == Role::Broadcast) {
        let message = format!(
            "`fan_out` counts whom a broadcast reaches, and `{name}` is none: write `#[trace(broadcast, fan_out = \"..\")]`"
        );
        diagnostics.at(fan_out.span(), message);
    }
    let of_an_edge = [
        ("depth", options.depth.is_some()),
        ("protocol", options.protocol.is_some()),
        ("compression", options.compression.is_some()),
        ("attributes", options.attributes.is_some()),
    ];
    for (key, is_said) in of_an_edge {
        let span = options.written.unwrap_or_else(|| name.span());
        if is_said && matches!(role, Role::Handler | Role::Life) {
            let message = format!("`{key}` describes a send, and `{name}` is none");
            diagnostics.at(span, message);
        } else if is_said && role == Role::Receive && key == "attributes" {
            let message = format!(
                "`attributes` are computed before the body runs, and what `{name}` receives comes after it: mark fields of the message with `#[trace(attribute)]`"
            );
            diagnostics.at(span, message);
        }
    }
    if role == Role::Handler && returned == Returned::Poll {
        let message = format!(
            "`{name}` returns `Poll`, so it is called many times for one message: leave it out with `#[trace(skip)]`, and mark the handler it leads to"
        );
        diagnostics.at(name.span(), message);
    }
    if let (Some(declared), false, None) = (&method.returned, method.is_async, options.returns) {
        future_is_seen(method, declared, diagnostics);
    }
    if method.is_async && options.returns == Some(Returns::Future) {
        let message =
            format!("`{name}` is an `async fn`: its future is recorded without `returns`");
        diagnostics.at(options.written.unwrap_or_else(|| name.span()), message);
    }
}

/// What becomes of a future that is returned is seen only where it can be wrapped.
fn future_is_seen(method: &Method, declared: &Trees, diagnostics: &mut Diagnostics) {
    let shown = || as_written(&declared.to_token_stream());
    let unseen = match method.kind {
        Returned::PerhapsFuture if Returned::associated_type(declared).is_some() => format!(
            "`{}` looks like a future: box it, so that it can be wrapped, `type Future = Pin<Box<dyn Future<Output = ..>>>`; `#[trace(returns = \"value\")]` records the call alone",
            shown()
        ),
        Returned::PerhapsFuture => format!(
            "`{}` looks like a future: say `#[trace(returns = \"future\")]` if it is `Pin<Box<dyn Future>>`; `#[trace(returns = \"value\")]` records the call alone",
            shown()
        ),
        Returned::OpaqueFuture | Returned::BoxedFuture if method.may_have("track_caller") => {
            "a `#[track_caller]` method keeps its body as it is, so its future cannot be wrapped: `#[trace(returns = \"value\")]` records the call alone".to_owned()
        }
        _ => return,
    };
    diagnostics.on(declared, unseen);
}

/// A bare name where an expression is read is an argument, or was meant as the name itself.
pub(crate) fn bare_names(
    given: &[(&str, &Expression)],
    methods: &[&Method],
    diagnostics: &mut Diagnostics,
) {
    for (key, expression) in given {
        let Some(name) = expression.bare_name() else {
            continue;
        };
        let is_argument = |method: &&&Method| {
            method
                .arguments
                .iter()
                .any(|argument| argument.written_name().as_deref() == Some(name.as_str()))
        };
        if !methods.iter().any(|method| is_argument(&method)) {
            let message = format!(
                "`{name}` is read as an expression, and no argument is called so: for a fixed name write `{key} = \"\\\"{name}\\\"\"`, for a field `{key} = \"self.{name}\"`"
            );
            diagnostics.at(expression.span(), message);
        }
    }
}

/// Two handlers of one type would usually record one message twice, once in each.
pub(crate) fn one_handler_per_type(
    handlers: &[(&Method, String, bool)],
    diagnostics: &mut Diagnostics,
) {
    for (at, (method, message_type, by_name)) in handlers.iter().enumerate() {
        let earlier = handlers[..at]
            .iter()
            .find(|(earlier, earlier_type, earlier_by_name)| {
                earlier_type == message_type
                    && earlier.name != method.name
                    && (*by_name || *earlier_by_name)
            });
        if let Some((earlier, ..)) = earlier {
            let message = format!(
                "`{}` and `{}` both take `{message_type}`, so one message would be recorded in each: mark one with `#[trace(skip)]`, or both with `#[trace(handler)]` if they do not call each other",
                earlier.name, method.name
            );
            diagnostics.at(method.name.span(), message);
        }
    }
}

/// `#[trace(..)]` on a method that nothing records would be ignored silently.
pub(crate) fn says_what(
    method: &Method,
    options: &MethodOptions,
    roles: &str,
    diagnostics: &mut Diagnostics,
) {
    let speaks = options.message.is_some()
        || options.ok.is_some()
        || options.returns.is_some()
        || options.size.is_some()
        || options.fan_out.is_some()
        || options.depth.is_some()
        || options.protocol.is_some()
        || options.compression.is_some()
        || options.attributes.is_some()
        || options.ends.expressions().next().is_some();
    if speaks {
        let span = options.written.unwrap_or_else(Span::call_site);
        let message = format!(
            "`{}` is not recorded by its name: say what it is, {roles}",
            method.name
        );
        diagnostics.at(span, message);
    }
}
