//! The options of `#[sample(..)]` on a type and on its variants.

use proc_macro2::TokenStream;

use super::capture::{Capture, Place};
use super::crate_path::CratePath;
use super::expression::Expression;
use super::{Setting, Value, Vocabulary};
use crate::diagnostics::Diagnostics;
use crate::shape::tokens::as_written;

const ON_TYPE: Vocabulary = Vocabulary {
    owner: "`#[sample]` on a type",
    keys: &[
        "rate",
        "always",
        "never",
        "always_actors",
        "never_actors",
        "name",
        "size",
        "capture",
        "crate",
    ],
    elsewhere: &[],
};

const ON_VARIANT: Vocabulary = Vocabulary {
    owner: "`#[sample]` on a variant",
    keys: &["rate", "always", "never", "name", "capture"],
    elsewhere: &[&ON_TYPE],
};

/// What decides whether a message is recorded, as far as one annotation says.
#[derive(Default)]
pub(crate) struct Policy {
    pub(crate) rate: Option<Rate>,
    pub(crate) always: Option<Rule>,
    pub(crate) never: Option<Rule>,
}

/// A share of all messages.
pub(crate) enum Rate {
    Literal(f64),
    Constant(Expression),
}

/// When `always` or `never` holds.
pub(crate) enum Rule {
    /// Without a condition.
    Flat,
    When(Expression),
}

/// What the user said about the message type.
#[derive(Default)]
pub(crate) struct SampleOptions {
    pub(crate) policy: Policy,
    pub(crate) always_actors: Vec<syn::LitStr>,
    pub(crate) never_actors: Vec<syn::LitStr>,
    pub(crate) name: Option<syn::LitStr>,
    pub(crate) size: Option<Expression>,
    pub(crate) capture: Option<Capture>,
    pub(crate) crate_path: CratePath,
    pub(crate) is_empty: bool,
}

/// What the user said about one variant.
#[derive(Default)]
pub(crate) struct VariantOptions {
    pub(crate) policy: Policy,
    pub(crate) name: Option<syn::LitStr>,
    pub(crate) capture: Option<Capture>,
}

impl SampleOptions {
    pub(crate) fn read(stream: TokenStream, diagnostics: &mut Diagnostics) -> Self {
        let is_empty = stream.is_empty();
        let settings = ON_TYPE.read(stream, diagnostics);
        let mut options = SampleOptions {
            policy: Policy::read(&settings, diagnostics),
            is_empty,
            ..Default::default()
        };
        for setting in &settings {
            match setting.name.as_str() {
                "always_actors" => options.always_actors = read_actors(setting, diagnostics),
                "never_actors" => options.never_actors = read_actors(setting, diagnostics),
                "name" => options.name = setting.literal("name = \"Reading\"", diagnostics),
                "size" => {
                    options.size =
                        Expression::read(setting, "size = \"self.payload.len()\"", diagnostics)
                }
                "capture" => {
                    options.capture = Capture::read(setting, Place::Type, diagnostics);
                }
                "crate" => options.crate_path = CratePath::read(setting, diagnostics),
                _ => {}
            }
        }
        let contradiction = options.always_actors.iter().find_map(|always| {
            options
                .never_actors
                .iter()
                .find(|never| never.value() == always.value())
        });
        if let Some(actor) = contradiction {
            diagnostics.on(
                actor,
                format!(
                    "actor `{}` is in `always_actors` and in `never_actors`",
                    actor.value()
                ),
            );
        }
        options
    }
}

impl VariantOptions {
    pub(crate) fn read(stream: TokenStream, diagnostics: &mut Diagnostics) -> Self {
        let settings = ON_VARIANT.read(stream, diagnostics);
        let mut options = VariantOptions {
            policy: Policy::read(&settings, diagnostics),
            ..Default::default()
        };
        if let Some(setting) = settings.iter().find(|setting| setting.name == "name") {
            options.name = setting.literal("name = \"Alert\"", diagnostics);
        }
        if let Some(setting) = settings.iter().find(|setting| setting.name == "capture") {
            options.capture = Capture::read(setting, Place::Variant, diagnostics);
        }
        options
    }
}

impl Policy {
    fn read(settings: &[Setting], diagnostics: &mut Diagnostics) -> Policy {
        let find = |name: &str| settings.iter().find(|setting| setting.name == name);
        let policy = Policy {
            rate: find("rate").and_then(|setting| Rate::read(setting, diagnostics)),
            always: find("always").and_then(|setting| Rule::read(setting, diagnostics)),
            never: find("never").and_then(|setting| Rule::read(setting, diagnostics)),
        };
        policy.report_contradictions(find("rate"), find("always"), find("never"), diagnostics);
        policy
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rate.is_none() && self.always.is_none() && self.never.is_none()
    }

    fn report_contradictions(
        &self,
        rate: Option<&Setting>,
        always: Option<&Setting>,
        never: Option<&Setting>,
        diagnostics: &mut Diagnostics,
    ) {
        let both = |left: &Setting, right: &Setting| -> TokenStream {
            [left.key.clone(), right.key.clone()].into_iter().collect()
        };
        if let (Some(Rule::Flat), Some(Rule::Flat), Some(first), Some(second)) =
            (&self.always, &self.never, always, never)
        {
            diagnostics.on(
                both(first, second),
                "`always` and `never` exclude each other without a condition",
            );
            return;
        }
        let Some(rate_setting) = rate else { return };
        for (rule, setting, useless) in [(&self.always, always, 1.0), (&self.never, never, 0.0)] {
            let (Some(rule), Some(setting)) = (rule, setting) else {
                continue;
            };
            let name = &setting.name;
            if let Rule::Flat = rule {
                let message = format!("`rate` has no effect beside `{name}`: keep one of them");
                diagnostics.on(both(setting, rate_setting), message);
            } else if matches!(self.rate, Some(Rate::Literal(rate)) if rate == useless) {
                let message = format!(
                    "`{name}` has no effect beside `rate = {useless:?}`, which says the same of every message"
                );
                diagnostics.on(both(setting, rate_setting), message);
            }
        }
    }
}

impl Rate {
    fn read(setting: &Setting, diagnostics: &mut Diagnostics) -> Option<Rate> {
        const EXAMPLE: &str = "rate = 0.1";
        let tokens = setting.assigned(EXAMPLE, diagnostics)?;
        let was_string = syn::parse2::<syn::LitStr>(tokens).is_ok();
        let expression = Expression::read(setting, EXAMPLE, diagnostics)?;
        let Some(number) = expression.number() else {
            let shown = as_written(&expression.tokens());
            if shown.ends_with("NAN") || shown.ends_with("INFINITY") {
                diagnostics.on(
                    &expression,
                    format!(
                        "`{shown}` is not a share of all messages: write a rate from 0.0 to 1.0"
                    ),
                );
                return None;
            }
            return Some(Rate::Constant(expression));
        };
        let shown = as_written(&expression.tokens());
        if was_string {
            diagnostics.at(
                expression.span(),
                format!("a rate is a number: write `rate = {shown}` without quotes"),
            );
            return None;
        }
        if !(0.0..=1.0).contains(&number) {
            let meant = if number > 1.0 && number <= 100.0 {
                format!(": {shown} of a hundred is `rate = {}`", number / 100.0)
            } else {
                ": write a rate from 0.0 to 1.0".to_owned()
            };
            diagnostics.on(
                &expression,
                format!("`{shown}` is not a share of all messages{meant}"),
            );
            return None;
        }
        Some(Rate::Literal(number))
    }
}

impl Rule {
    fn read(setting: &Setting, diagnostics: &mut Diagnostics) -> Option<Rule> {
        if let Value::None = setting.value {
            return Some(Rule::Flat);
        }
        let example = format!("{0} = \"Self::is_critical\"", setting.name);
        let expression = Expression::read(setting, &example, diagnostics)?;
        if expression.is_bool(true) {
            return Some(Rule::Flat);
        }
        if expression.is_bool(false) {
            diagnostics.at(
                expression.span(),
                format!("`{} = false` says nothing: leave it out", setting.name),
            );
            return None;
        }
        Some(Rule::When(expression))
    }
}

/// `["a", "b"]`
fn read_actors(setting: &Setting, diagnostics: &mut Diagnostics) -> Vec<syn::LitStr> {
    let example = format!("{} = [\"audit\", \"billing\"]", setting.name);
    let Some(tokens) = setting.assigned(&example, diagnostics) else {
        return Vec::new();
    };
    let Ok(array) = syn::parse2::<syn::ExprArray>(tokens.clone()) else {
        diagnostics.on(
            tokens,
            format!("`{}` needs a list of names: `{example}`", setting.name),
        );
        return Vec::new();
    };
    let mut actors = Vec::new();
    for element in array.elems {
        match element {
            syn::Expr::Lit(syn::ExprLit {
                lit: syn::Lit::Str(actor),
                ..
            }) => actors.push(actor),
            other => diagnostics.on(
                other,
                format!("`{}` lists names as strings: `{example}`", setting.name),
            ),
        }
    }
    actors
}
