//! The options of `#[traced_connector]`.

use proc_macro2::{Ident, TokenStream, TokenTree};

use super::crate_path::CratePath;
use super::ends::Ends;
use super::expression::Expression;
use super::{Setting, Value, Vocabulary, split_settings};
use crate::diagnostics::Diagnostics;
use crate::shape::tokens::is_punct;

pub(super) const VOCABULARY: Vocabulary = Vocabulary {
    owner: "`#[traced_connector]`",
    keys: &[
        "from",
        "to",
        "from_actor",
        "from_port",
        "to_actor",
        "to_port",
        "edge",
        "depth",
        "protocol",
        "compression",
        "send",
        "recv",
        "batch",
        "broadcast",
        "skip",
        "message",
        "attributes",
        "crate",
    ],
    elsewhere: &[],
};

/// What the user said about the whole impl.
#[derive(Default)]
pub(crate) struct ConnectorOptions {
    pub(crate) ends: Ends,
    pub(crate) depth: Depth,
    pub(crate) protocol: Option<syn::LitStr>,
    pub(crate) compression: Option<syn::LitStr>,
    pub(crate) send: Vec<Ident>,
    pub(crate) recv: Vec<Ident>,
    pub(crate) batch: Vec<Ident>,
    pub(crate) broadcast: Vec<Ident>,
    pub(crate) skip: Vec<Ident>,
    pub(crate) message: Option<Ident>,
    pub(crate) attributes: Vec<(String, Expression)>,
    pub(crate) crate_path: CratePath,
}

/// Where the depth of the queue comes from.
#[derive(Default)]
pub(crate) enum Depth {
    /// `self.channel`, if the impl mentions it.
    #[default]
    Probed,
    Unknown,
    Given(Expression),
}

impl ConnectorOptions {
    pub(crate) fn read(stream: TokenStream, diagnostics: &mut Diagnostics) -> Self {
        let settings = VOCABULARY.read(stream, diagnostics);
        let mut options = ConnectorOptions {
            ends: Ends::read(&settings, diagnostics),
            ..Default::default()
        };
        for setting in &settings {
            match setting.name.as_str() {
                "depth" => options.depth = Depth::read(setting, diagnostics),
                "protocol" => options.protocol = setting.literal("protocol = \"tcp\"", diagnostics),
                "compression" => {
                    options.compression = setting.literal("compression = \"zstd\"", diagnostics)
                }
                "send" => options.send = setting.names(diagnostics),
                "recv" => options.recv = setting.names(diagnostics),
                "batch" => options.batch = setting.names(diagnostics),
                "broadcast" => options.broadcast = setting.names(diagnostics),
                "skip" => options.skip = setting.names(diagnostics),
                "message" => options.message = setting.name("message = \"envelope\"", diagnostics),
                "attributes" => options.attributes = read_attributes(setting, diagnostics),
                "crate" => options.crate_path = CratePath::read(setting, diagnostics),
                _ => {}
            }
        }
        options
    }
}

impl Depth {
    pub(super) fn read(setting: &Setting, diagnostics: &mut Diagnostics) -> Depth {
        match Expression::read(setting, "depth = \"self.queue.len()\"", diagnostics) {
            Some(given) if given.is_bool(false) => Depth::Unknown,
            Some(given) if given.is_bool(true) => {
                let message = "`depth = true` says no more than leaving it out: write `depth = false` for none, or where to read it: `depth = \"self.queue.len()\"`";
                diagnostics.at(given.span(), message);
                Depth::Probed
            }
            Some(given) => Depth::Given(given),
            None => Depth::Probed,
        }
    }
}

/// `attributes(key = "expr", "dotted.key" = expr)`
pub(super) fn read_attributes(
    setting: &Setting,
    diagnostics: &mut Diagnostics,
) -> Vec<(String, Expression)> {
    const EXAMPLE: &str = "attributes(priority = \"message.priority\")";
    let Value::Listed(group) = &setting.value else {
        diagnostics.on(
            &setting.key,
            format!("`attributes` needs a list: `{EXAMPLE}`"),
        );
        return Vec::new();
    };
    let mut attributes: Vec<(String, Expression)> = Vec::new();
    let mut keys: Vec<(String, TokenTree)> = Vec::new();
    for piece in split_settings(group.stream()) {
        let key = match &piece[0] {
            TokenTree::Ident(ident) => ident.to_string().trim_start_matches("r#").to_owned(),
            other => match syn::parse2::<syn::LitStr>(other.clone().into()) {
                Ok(literal) => literal.value(),
                Err(_) => {
                    diagnostics.on(
                        other,
                        format!("expected the name of an attribute, found `{other}`"),
                    );
                    continue;
                }
            },
        };
        if !is_punct(piece.get(1), '=') || piece.len() < 3 {
            diagnostics.on(
                &piece[0],
                format!("attribute `{key}` needs a value: `{EXAMPLE}`"),
            );
            continue;
        }
        if let Some(earlier) = keys.iter().find(|(earlier, _)| *earlier == key) {
            let text = format!("attribute `{key}` is set twice, here and here");
            diagnostics.on_both(&earlier.1, &piece[0], text);
            continue;
        }
        keys.push((key.clone(), piece[0].clone()));
        let value = piece[2..].iter().cloned().collect();
        let example = format!("{key} = \"message.{key}\"");
        if let Some(expression) = Expression::read_tokens(&key, value, &example, diagnostics) {
            attributes.push((key, expression));
        }
    }
    attributes
}
