//! Edges, dependencies and graph.
