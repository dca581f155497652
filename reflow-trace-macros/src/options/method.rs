//! The options of `#[trace(..)]` on a method inside an annotated impl.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};

use super::connector::{Depth, read_attributes};
use super::ends::Ends;
use super::expression::Expression;
use super::{Setting, Vocabulary};
use crate::diagnostics::Diagnostics;
use crate::select::Role;
use crate::shape::method::Method;

const VOCABULARY: Vocabulary = Vocabulary {
    owner: "`#[trace]`",
    keys: &[
        "send",
        "recv",
        "batch",
        "broadcast",
        "skip",
        "handler",
        "life",
        "message",
        "ok",
        "returns",
        "size",
        "fan_out",
        "depth",
        "protocol",
        "compression",
        "attributes",
        "from",
        "to",
        "from_actor",
        "from_port",
        "to_actor",
        "to_port",
        "edge",
    ],
    elsewhere: &[&super::connector::VOCABULARY, &super::actor::VOCABULARY],
};

/// What the user said about one method.
#[derive(Default)]
pub(crate) struct MethodOptions {
    /// What the method is, and where that was said.
    pub(crate) role: Option<(Role, Span)>,
    pub(crate) message: Option<Ident>,
    pub(crate) ok: Option<Expression>,
    pub(crate) returns: Option<Returns>,
    pub(crate) size: Option<Expression>,
    /// How many receivers a broadcast reaches.
    pub(crate) fan_out: Option<Expression>,
    /// Instead of what the impl says.
    pub(crate) depth: Option<Depth>,
    pub(crate) protocol: Option<syn::LitStr>,
    pub(crate) compression: Option<syn::LitStr>,
    pub(crate) attributes: Option<Vec<(String, Expression)>>,
    pub(crate) ends: Ends,
    /// The `#[trace]` itself, if there was one.
    pub(crate) written: Option<Span>,
}

/// `returns = ".."`
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Returns {
    Future,
    Value,
}

impl MethodOptions {
    /// Whether its edge is that of the whole impl.
    pub(crate) fn says_nothing_of_the_edge(&self) -> bool {
        self.depth.is_none()
            && self.protocol.is_none()
            && self.compression.is_none()
            && self.ends.expressions().next().is_none()
    }

    /// Reads and removes every `#[trace]` of the method.
    pub(crate) fn take(method: &mut Method, diagnostics: &mut Diagnostics) -> Self {
        let mut stream = TokenStream::new();
        let mut written = None;
        for attribute in &method.attributes {
            if attribute.is_conditional("trace") {
                let message = "`#[trace]` under a condition is not understood, because the condition is not known yet when the macro runs: give each condition a method of its own, each with `#[cfg]` and `#[trace]`";
                diagnostics.on(attribute, message);
            }
            for other in ["traced_connector", "traced_actor", "sample"] {
                if attribute.is_ours(other) {
                    diagnostics.on(
                        attribute,
                        format!("`#[{other}]` does not go on a method: here it is `#[trace(..)]`"),
                    );
                }
            }
            if !attribute.is_ours("trace") {
                continue;
            }
            if attribute.arguments().is_empty() {
                let message = "`#[trace]` says nothing: write `#[trace(send)]`, `#[trace(recv)]`, `#[trace(batch)]`, `#[trace(broadcast)]`, `#[trace(handler)]`, `#[trace(life)]` or `#[trace(skip)]`";
                diagnostics.on(attribute, message);
            }
            written = written.or_else(|| attribute.span());
            if !stream.is_empty() {
                stream.extend([TokenTree::Punct(proc_macro2::Punct::new(
                    ',',
                    proc_macro2::Spacing::Alone,
                ))]);
            }
            stream.extend(attribute.arguments());
        }
        remove_ours(method);
        let mut options = MethodOptions::read(stream, diagnostics);
        options.written = written;
        options
    }

    fn read(stream: TokenStream, diagnostics: &mut Diagnostics) -> Self {
        let settings = VOCABULARY.read(stream, diagnostics);
        let mut options = MethodOptions {
            ends: Ends::read(&settings, diagnostics),
            ..Default::default()
        };
        let mut role_key: Option<(Role, TokenTree)> = None;
        for setting in &settings {
            match setting.name.as_str() {
                "message" => options.message = setting.name("message = \"envelope\"", diagnostics),
                "ok" => {
                    options.ok =
                        Expression::read(setting, "ok = \"result.is_accepted()\"", diagnostics)
                }
                "size" => {
                    options.size =
                        Expression::read(setting, "size = \"message.len()\"", diagnostics)
                }
                "fan_out" => {
                    options.fan_out =
                        Expression::read(setting, "fan_out = \"self.receivers.len()\"", diagnostics)
                }
                "depth" => options.depth = Some(Depth::read(setting, diagnostics)),
                "protocol" => options.protocol = setting.literal("protocol = \"tcp\"", diagnostics),
                "compression" => {
                    options.compression = setting.literal("compression = \"zstd\"", diagnostics)
                }
                "attributes" => {
                    options.attributes = Some(read_attributes(setting, diagnostics));
                }
                "returns" => options.returns = Returns::read(setting, diagnostics),
                name => {
                    let Some(role) = Role::called(name) else {
                        continue;
                    };
                    setting.must_be_bare(diagnostics);
                    if let Some((earlier, key)) = &role_key {
                        let message = format!(
                            "`{}` and `{name}` exclude each other: a method is one of them",
                            earlier.name()
                        );
                        diagnostics.on_both(key, &setting.key, message);
                    } else {
                        options.role = Some((role, setting.key.span()));
                        role_key = Some((role, setting.key.clone()));
                    }
                }
            }
        }
        options
    }
}

impl Returns {
    fn read(setting: &Setting, diagnostics: &mut Diagnostics) -> Option<Returns> {
        const EXAMPLE: &str = "returns = \"future\"";
        let literal = setting.literal(EXAMPLE, diagnostics)?;
        match literal.value().as_str() {
            "future" => Some(Returns::Future),
            "value" => Some(Returns::Value),
            other => {
                let message = format!(
                    "`{other}` is not something a method returns here: write `{EXAMPLE}` or `returns = \"value\"`"
                );
                diagnostics.on(literal, message);
                None
            }
        }
    }
}

/// Takes our attributes off a method, so that what is emitted carries none.
pub(crate) fn remove_ours(method: &mut Method) {
    method.attributes.retain(|attribute| {
        !["trace", "traced_connector", "traced_actor", "sample"]
            .iter()
            .any(|name| attribute.is_ours(name))
            && !attribute.is_conditional("trace")
    });
}
