//! The options of `#[traced_actor]`.

use proc_macro2::TokenStream;

use super::crate_path::CratePath;
use super::expression::Expression;
use super::{Setting, Vocabulary};
use crate::diagnostics::Diagnostics;
use crate::shape::tokens::mention;

pub(super) const VOCABULARY: Vocabulary = Vocabulary {
    owner: "`#[traced_actor]`",
    keys: &["actor", "port", "crate"],
    elsewhere: &[&super::connector::VOCABULARY],
};

/// What the user said about an actor.
#[derive(Default)]
pub(crate) struct ActorOptions {
    pub(crate) actor: Option<Expression>,
    pub(crate) port: Option<Expression>,
    pub(crate) crate_path: CratePath,
}

impl ActorOptions {
    pub(crate) fn read(stream: TokenStream, diagnostics: &mut Diagnostics) -> Self {
        let mut options = ActorOptions::default();
        for setting in VOCABULARY.read(stream, diagnostics) {
            match setting.name.as_str() {
                "actor" => {
                    options.actor = Expression::read(&setting, "actor = \"self.name\"", diagnostics)
                }
                "port" => options.port = read_port(&setting, diagnostics),
                "crate" => options.crate_path = CratePath::read(&setting, diagnostics),
                _ => {}
            }
        }
        options
    }
}

/// A port is nearly always known by its name, and `in` is no expression: `port = "in"` is the name itself.
/// A string that mentions `self`, and bare tokens, are expressions.
fn read_port(setting: &Setting, diagnostics: &mut Diagnostics) -> Option<Expression> {
    let tokens = setting.assigned("port = \"in\"", diagnostics)?;
    if let Ok(literal) = syn::parse2::<syn::LitStr>(tokens.clone()) {
        let mentions_self = literal
            .parse::<TokenStream>()
            .is_ok_and(|inside| mention(&inside, "self").is_some());
        if !mentions_self {
            return Some(Expression::ours(tokens));
        }
    }
    Expression::read(setting, "port = \"self.port\"", diagnostics)
}
