//! Who depends on which sources.
//!
//! The ways are those of the edges, as in [`DependencyMap`]; whether anything ever went all along one is a question
//! of lineage.

use reflow_trace::api::{ActorDependencies, ApiError, DependenciesAnswer, ErrorCode, SpanQuestion};
use reflow_trace::lineage::DependencyMap;
use reflow_trace::query::filter::quoted;

use super::Asking;
use super::edges::check_size;
use super::flows::gather;
use super::graph::graph_of;
use crate::observe::Harmless;
use crate::store::Snapshot;

/// Who depends on which sources: every actor, or the one that is named.
pub(crate) fn dependencies(
    view: &dyn Snapshot,
    asked: &SpanQuestion,
    asking: &Asking,
) -> Result<DependenciesAnswer, ApiError> {
    // The whole network, also where one actor is asked about: what it depends on lies behind its neighbours.
    let graph = graph_of(gather(view, asked.time_range, None, asking)?);
    asking.go_on()?;
    let map = DependencyMap::of_graph(graph);
    let names = map.graph().nodes().iter().map(|node| node.name.as_str());
    let wanted: Vec<&str> = match asked.actor.as_deref() {
        None => names.collect(),
        Some(actor) => {
            let found: Vec<&str> = names.filter(|&name| name == actor).collect();
            if found.is_empty() {
                return Err(unknown(actor));
            }
            found
        }
    };
    let mut actors = Vec::with_capacity(wanted.len());
    let mut bytes = 0;
    for actor in wanted {
        asking.go_on()?;
        let mut of_actor = ActorDependencies {
            actor: actor.to_owned(),
            ..ActorDependencies::default()
        };
        for dependency in map.dependencies_of(actor) {
            let on = dependency.on.to_owned();
            bytes += 2 * (on.len() + 3);
            if dependency.is_source {
                of_actor.sources.push(on.clone());
            }
            match dependency.distance {
                1 => of_actor.directly.push(on),
                _ => of_actor.through_others.push(on),
            }
        }
        check_size(bytes, map.graph().edges().len(), asking)?;
        actors.push(of_actor);
    }
    Ok(DependenciesAnswer {
        sources: map.sources().map(str::to_owned).collect(),
        actors,
        work: asking.work(),
    })
}

fn unknown(actor: &str) -> ApiError {
    ApiError::new(
        ErrorCode::NotFound,
        format!(
            "no actor is called {}: `edges` lists the names; they are case-sensitive, and only those of the stretch of time count",
            quoted(&Harmless(actor).to_string())
        ),
    )
}
