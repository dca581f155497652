//! Which actors depend on which sources.
//!
//! What a dependency says is in `rules.md`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use super::actor_sets::{EMPTY, Sets};
use super::index::FlowIndex;
use super::times::{is_receive, is_send};
use crate::graph::{Count, DataFlowGraph, numbers, text};

const NAME_COLUMNS: usize = 36;

/// What the actors of a network depend on.
///
/// Its text lists for every actor what it depends on, nearest first. Names are made harmless.
#[derive(Clone, Debug, Default)]
pub struct DependencyMap {
    graph: DataFlowGraph,
    /// By position among the nodes of the graph: who sends to it.
    upstream: Vec<Vec<usize>>,
    observed: BTreeSet<(usize, usize)>,
    sources: Vec<bool>,
}

/// That one actor depends on another.
#[derive(Clone, Debug, PartialEq)]
pub struct Dependency<'m> {
    /// The actor that is depended on.
    pub on: &'m str,
    /// How many edges lie between them on the shortest way; 1: directly.
    pub distance: usize,
    /// A message of this actor was seen to lead to one that the dependent actor took up, or, directly,
    /// to be sent to it.
    pub is_observed: bool,
    /// Nobody outside of its own loop sends to it.
    pub is_source: bool,
    /// Messages that it sent to the dependent actor directly.
    pub messages: Count,
    /// Their types, the most frequent first.
    pub message_types: Vec<(&'m str, Count)>,
}

impl FlowIndex<'_> {
    /// Which actors depend on which, directly and through others.
    pub fn dependency_map(&self) -> DependencyMap {
        let notices = self.notices.events.iter().copied();
        let graph = DataFlowGraph::from_events(self.events().chain(notices));
        let observed = self.observed_dependencies(&numbers_of(&graph));
        DependencyMap {
            observed,
            ..DependencyMap::of_graph(graph)
        }
    }

    /// Pairs (dependent, depended on): some event of the first has one of the second in its lineage.
    fn observed_dependencies(&self, numbers: &HashMap<&str, usize>) -> BTreeSet<(usize, usize)> {
        let mut sets = Sets::default();
        let mut of_event = vec![EMPTY; self.len()];
        let mut seen = BTreeSet::new();
        for &place in self.in_causal_order() {
            let event = self.events[place as usize];
            let causes = self.causes_of(place).iter();
            let mut set = causes.fold(EMPTY, |set, &cause| {
                sets.union(set, of_event[cause as usize])
            });
            if let Some(&actor) = numbers.get(event.actor_id.as_str()) {
                if is_receive(event) {
                    seen.insert((actor, set));
                } else if is_send(event) {
                    set = sets.with(set, actor);
                }
            }
            of_event[place as usize] = set;
        }
        seen.into_iter()
            .flat_map(|(actor, set)| sets.members(set).iter().map(move |&on| (actor, on)))
            .collect()
    }
}

fn numbers_of(graph: &DataFlowGraph) -> HashMap<&str, usize> {
    let nodes = graph.nodes().iter().enumerate();
    nodes
        .map(|(number, node)| (node.name.as_str(), number))
        .collect()
}

impl DependencyMap {
    /// The map of a network of which only the edges are known, as a store adds them up: nothing but what is sent
    /// directly was observed.
    pub fn of_graph(graph: DataFlowGraph) -> Self {
        let numbers = numbers_of(&graph);
        let mut upstream = vec![Vec::new(); graph.nodes().len()];
        let mut downstream = upstream.clone();
        for edge in graph.edges() {
            let ends = [&edge.from_actor, &edge.to_actor].map(|end| numbers.get(end.as_str()));
            if let [Some(&from), Some(&to)] = ends {
                upstream[to].push(from);
                downstream[from].push(to);
            }
        }
        for list in upstream.iter_mut().chain(&mut downstream) {
            list.sort_unstable();
            list.dedup();
        }
        let sources = sources(&upstream, &downstream);
        Self {
            upstream,
            observed: BTreeSet::new(),
            sources,
            graph,
        }
    }

    /// The network.
    pub fn graph(&self) -> &DataFlowGraph {
        &self.graph
    }

    /// The actors that nobody outside of their own loop sends to, by name.
    pub fn sources(&self) -> impl Iterator<Item = &str> {
        let nodes = self.graph.nodes().iter().zip(&self.sources);
        nodes.filter_map(|(node, is_source)| is_source.then_some(node.name.as_str()))
    }

    /// What an actor depends on, nearest first, then by name; itself too when it is in a loop. Empty for
    /// an actor that is not known.
    pub fn dependencies_of(&self, actor: &str) -> Vec<Dependency<'_>> {
        let number = |name: &str| self.graph.node_index(name);
        let Some(dependent) = number(actor) else {
            return Vec::new();
        };
        let mut distances: BTreeMap<usize, usize> = BTreeMap::new();
        let mut front = vec![dependent];
        let mut distance = 0;
        while !front.is_empty() {
            distance += 1;
            let before: BTreeSet<usize> = front
                .iter()
                .flat_map(|&node| self.upstream[node].iter().copied())
                .collect();
            front = before
                .into_iter()
                .filter(|node| !distances.contains_key(node))
                .collect();
            distances.extend(front.iter().map(|&node| (node, distance)));
        }
        let mut found: Vec<Dependency<'_>> = distances
            .into_iter()
            .map(|(node, distance)| self.dependency(dependent, node, distance))
            .collect();
        found.sort_by(|a, b| (a.distance, a.on).cmp(&(b.distance, b.on)));
        found
    }

    /// The sources among what an actor depends on.
    pub fn sources_of(&self, actor: &str) -> Vec<&str> {
        let all = self.dependencies_of(actor).into_iter();
        all.filter(|it| it.is_source).map(|it| it.on).collect()
    }

    fn dependency(&self, dependent: usize, node: usize, distance: usize) -> Dependency<'_> {
        let names = [node, dependent].map(|number| self.graph.nodes()[number].name.as_str());
        let mut types: BTreeMap<&str, Count> = BTreeMap::new();
        if distance == 1 {
            // Edges are ordered by their sender.
            let edges = self.graph.edges();
            let start = edges.partition_point(|edge| edge.from_actor.as_str() < names[0]);
            let own = edges[start..].iter();
            let own = own.take_while(|edge| edge.from_actor == names[0]);
            for flow in own
                .filter(|edge| edge.to_actor == names[1])
                .flat_map(|edge| &edge.messages)
            {
                let count = types.entry(&flow.message_type).or_default();
                *count = *count + flow.count;
            }
        }
        let mut message_types: Vec<_> = types.into_iter().collect();
        message_types.sort_by_key(|&(_, count)| std::cmp::Reverse(count.value()));
        Dependency {
            on: names[0],
            distance,
            is_observed: distance == 1 || self.observed.contains(&(dependent, node)),
            is_source: self.sources[node],
            messages: message_types.iter().map(|&(_, count)| count).sum(),
            message_types,
        }
    }
}

impl fmt::Display for DependencyMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (node, is_source) in self.graph.nodes().iter().zip(&self.sources) {
            let source = if *is_source { " (a source)" } else { "" };
            writeln!(f, "{}{source}", text::actor(&node.name, NAME_COLUMNS))?;
            for dependency in self.dependencies_of(&node.name) {
                write!(
                    f,
                    "  depends on {}",
                    text::actor(dependency.on, NAME_COLUMNS)
                )?;
                if dependency.distance > 1 {
                    write!(
                        f,
                        " through {}",
                        numbers::grouped(dependency.distance as u64 - 1)
                    )?;
                    let plural = if dependency.distance == 2 { "" } else { "s" };
                    write!(f, " other{plural}")?;
                    if !dependency.is_observed {
                        f.write_str(", never observed")?;
                    }
                }
                for (place, (name, count)) in (0..).zip(&dependency.message_types) {
                    let comma = if place == 0 { ":" } else { "," };
                    write!(
                        f,
                        "{comma} {count} {}",
                        text::message_type(name, NAME_COLUMNS)
                    )?;
                }
                writeln!(f)?;
            }
        }
        Ok(())
    }
}

/// Which nodes nobody outside of their own strongly connected component sends to.
///
/// S. R. Kosaraju's algorithm: components come out in the order of their finish in a first walk,
/// which goes downstream, by a second one upstream. Neither recurses.
fn sources(upstream: &[Vec<usize>], downstream: &[Vec<usize>]) -> Vec<bool> {
    let mut order = Vec::with_capacity(downstream.len());
    let mut seen = vec![false; downstream.len()];
    for start in 0..downstream.len() {
        let mut way = vec![(start, 0)];
        if std::mem::replace(&mut seen[start], true) {
            continue;
        }
        while let Some((node, at)) = way.last_mut() {
            match downstream[*node].get(*at) {
                Some(&next) => {
                    *at += 1;
                    if !std::mem::replace(&mut seen[next], true) {
                        way.push((next, 0));
                    }
                }
                None => {
                    order.push(*node);
                    way.pop();
                }
            }
        }
    }
    const NONE: usize = usize::MAX;
    let mut component = vec![NONE; upstream.len()];
    for &root in order.iter().rev() {
        let mut way = vec![root];
        while let Some(node) = way.pop() {
            if component[node] == NONE {
                component[node] = root;
                way.extend(upstream[node].iter().filter(|&&it| component[it] == NONE));
            }
        }
    }
    let mut is_fed = vec![false; upstream.len()];
    for (node, senders) in upstream.iter().enumerate() {
        let own = component[node];
        is_fed[own] |= senders.iter().any(|&sender| component[sender] != own);
    }
    component.iter().map(|&own| !is_fed[own]).collect()
}
