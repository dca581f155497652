//! The numbers of edges and types.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::{EdgeNames, bounded_name};

/// Most edges of a process that are told apart.
pub const EDGES_MAX: usize = 1 << 16;
/// Most message types of a process that are told apart.
pub const TYPES_MAX: usize = 1 << 14;
/// The name under which everything beyond is counted.
pub const OVERFLOW_NAME: &str = "(too many to tell apart)";

/// Number of an edge in the dictionary.
pub(crate) type EdgeNumber = u32;
/// Number of a message type in the dictionary; 0 means no message.
pub(crate) type TypeNumber = u32;

/// The first edge stands for all that found no room, the first type for no message.
pub(crate) const OVERFLOW_EDGE: EdgeNumber = 0;
const OVERFLOW_TYPE: TypeNumber = 1;

struct Edges {
    numbers: HashMap<Arc<EdgeNames>, EdgeNumber>,
    names: Vec<Arc<EdgeNames>>,
}

struct Types {
    numbers: HashMap<Arc<str>, TypeNumber>,
    names: Vec<Arc<str>>,
}

/// All edges and types that the process has seen. Asked when a thread meets an edge for the first
/// time and when somebody reads; never for each message.
pub(crate) struct Dictionary {
    edges: RwLock<Edges>,
    types: RwLock<Types>,
}

impl Dictionary {
    pub(crate) fn new() -> Self {
        let overflow = EdgeNames::new([OVERFLOW_NAME, "", OVERFLOW_NAME, ""], "", "");
        Self {
            edges: RwLock::new(Edges {
                numbers: HashMap::new(),
                names: vec![overflow],
            }),
            types: RwLock::new(Types {
                numbers: HashMap::new(),
                names: vec!["".into(), OVERFLOW_NAME.into()],
            }),
        }
    }

    /// The number of an edge, which it gets if it has none.
    pub(crate) fn edge(&self, names: Arc<EdgeNames>) -> EdgeNumber {
        let known = self
            .edges
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .numbers
            .get(&names)
            .copied();
        known.unwrap_or_else(|| {
            let mut edges = self.edges.write().unwrap_or_else(PoisonError::into_inner);
            let Edges {
                numbers,
                names: all,
            } = &mut *edges;
            if let Some(&number) = numbers.get(&names) {
                return number;
            }
            if all.len() >= EDGES_MAX {
                return OVERFLOW_EDGE;
            }
            let number = all.len() as EdgeNumber;
            all.push(Arc::clone(&names));
            numbers.insert(names, number);
            number
        })
    }

    /// The names of an edge; those of the overflow for a number that was never given.
    pub(crate) fn edge_names(&self, number: EdgeNumber) -> Arc<EdgeNames> {
        let edges = self.edges.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(
            edges
                .names
                .get(number as usize)
                .unwrap_or(&edges.names[OVERFLOW_EDGE as usize]),
        )
    }

    /// Whether an edge has this number.
    pub(crate) fn has_edge(&self, number: EdgeNumber) -> bool {
        let edges = self.edges.read().unwrap_or_else(PoisonError::into_inner);
        edges.names.len() > number as usize
    }

    /// The number of a type, which it gets if it has none.
    pub(crate) fn message_type(&self, name: &str) -> TypeNumber {
        let name = bounded_name(name);
        let known = self
            .types
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .numbers
            .get(&*name)
            .copied();
        known.unwrap_or_else(|| {
            let mut types = self.types.write().unwrap_or_else(PoisonError::into_inner);
            let Types { numbers, names } = &mut *types;
            if let Some(&number) = numbers.get(&*name) {
                return number;
            }
            if names.len() >= TYPES_MAX {
                return OVERFLOW_TYPE;
            }
            let number = names.len() as TypeNumber;
            let name: Arc<str> = name.into();
            names.push(Arc::clone(&name));
            numbers.insert(name, number);
            number
        })
    }

    /// The name of a type; empty for no message.
    pub(crate) fn type_name(&self, number: TypeNumber) -> Arc<str> {
        let types = self.types.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(
            types
                .names
                .get(number as usize)
                .unwrap_or(&types.names[OVERFLOW_TYPE as usize]),
        )
    }

    /// About how many bytes the names take.
    pub(crate) fn memory_bytes(&self) -> usize {
        let edges = self
            .edges
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .names
            .len();
        let types = self
            .types
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .names
            .len();
        // Names of usual length; the exact number is not worth a walk.
        edges * 256 + types * 96
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identity_is_by_content() {
        let dictionary = Dictionary::new();
        let edge = |to: &str| dictionary.edge(EdgeNames::new(["a", "out", to, "in"], "p", "c"));
        let first = edge("b");
        assert_eq!(edge(&String::from("b")), first);
        assert_ne!(edge("c"), first);
        assert_eq!(dictionary.edge_names(first).ends(), ["a", "out", "b", "in"]);
        // No separator can be forged.
        let joined = dictionary.edge(EdgeNames::new(["a", "outb", "", "in"], "p", "c"));
        assert_ne!(joined, first);
    }

    #[test]
    fn past_the_limit_everything_new_is_one() {
        let dictionary = Dictionary::new();
        let numbers: Vec<_> = (0..TYPES_MAX + 10)
            .map(|n| dictionary.message_type(&format!("T{n}")))
            .collect();
        assert_eq!(&*dictionary.type_name(numbers[0]), "T0");
        assert_eq!(
            &*dictionary.type_name(*numbers.last().expect("not empty")),
            OVERFLOW_NAME
        );
        let edge = |n: usize| dictionary.edge(EdgeNames::new([&n.to_string(), "", "", ""], "", ""));
        let numbers: Vec<_> = (0..EDGES_MAX + 10).map(edge).collect();
        assert_eq!(&*dictionary.edge_names(numbers[5]).from_actor, "5");
        let last = dictionary.edge_names(*numbers.last().expect("not empty"));
        assert_eq!(&*last.from_actor, OVERFLOW_NAME);
    }
}
