//! The two ends of an edge: four names, two pairs, or one handle.

use quote::quote_spanned;

use super::Setting;
use super::expression::Expression;
use crate::diagnostics::Diagnostics;

/// Where the ends of an edge are read from, as far as an annotation says.
#[derive(Clone, Default)]
pub(crate) struct Ends {
    /// From actor, from port, to actor, to port.
    names: [Option<Expression>; 4],
    edge: Option<Expression>,
}

/// The ends of one method, with nothing left open.
pub(crate) enum ResolvedEnds {
    Names([Expression; 4]),
    Edge(Expression),
}

pub(crate) const ENDS: [&str; 4] = ["from_actor", "from_port", "to_actor", "to_port"];

impl Ends {
    /// Takes the settings that speak of ends and reports those that contradict each other.
    pub(crate) fn read(settings: &[Setting], diagnostics: &mut Diagnostics) -> Ends {
        let mut ends = Ends::default();
        let mut set: Vec<&Setting> = Vec::new();
        for setting in settings {
            let name = setting.name.as_str();
            let covers: &[&str] = match name {
                "edge" => &[
                    "from",
                    "to",
                    "from_actor",
                    "from_port",
                    "to_actor",
                    "to_port",
                ],
                "from" => &["edge", "from_actor", "from_port"],
                "to" => &["edge", "to_actor", "to_port"],
                "from_actor" | "from_port" => &["edge", "from"],
                "to_actor" | "to_port" => &["edge", "to"],
                _ => continue,
            };
            if let Some(earlier) = set
                .iter()
                .find(|earlier| covers.contains(&earlier.name.as_str()))
            {
                let text = format!(
                    "`{}` and `{name}` set the same end: keep one of them",
                    earlier.name
                );
                diagnostics.on_both(&earlier.key, &setting.key, text);
                continue;
            }
            set.push(setting);
            let example = format!("{name} = \"self.{name}\"");
            let Some(expression) = Expression::read(setting, &example, diagnostics) else {
                continue;
            };
            match name {
                "edge" => ends.edge = Some(expression),
                "from" | "to" => {
                    let first = if name == "from" { 0 } else { 2 };
                    ends.names[first] = Some(expression.field("actor"));
                    ends.names[first + 1] = Some(expression.field("port"));
                }
                _ => {
                    if let Some(slot) = ENDS.iter().position(|end| *end == name) {
                        ends.names[slot] = Some(expression);
                    }
                }
            }
        }
        ends
    }

    /// These ends where they say something, else those of the impl, else the fields of `self`.
    pub(crate) fn or(&self, outer: &Ends, receiver: proc_macro2::Span) -> Option<ResolvedEnds> {
        if let Some(edge) = &self.edge {
            return Some(ResolvedEnds::Edge(edge.clone()));
        }
        let speaks = self.names.iter().any(Option::is_some);
        if let (Some(edge), false) = (&outer.edge, speaks) {
            return Some(ResolvedEnds::Edge(edge.clone()));
        }
        let name = |slot: usize| {
            self.names[slot]
                .clone()
                .or_else(|| outer.names[slot].clone())
                .unwrap_or_else(|| {
                    let field = proc_macro2::Ident::new(ENDS[slot], proc_macro2::Span::call_site());
                    Expression::ours(quote_spanned!(receiver=> self.#field))
                })
        };
        Some(ResolvedEnds::Names([name(0), name(1), name(2), name(3)]))
    }

    /// Everything that was given, for rules about names.
    pub(crate) fn expressions(&self) -> impl Iterator<Item = (&'static str, &Expression)> {
        let names = ENDS
            .into_iter()
            .zip(&self.names)
            .filter_map(|(name, end)| Some((name, end.as_ref()?)));
        names.chain(self.edge.as_ref().map(|edge| ("edge", edge)))
    }
}
