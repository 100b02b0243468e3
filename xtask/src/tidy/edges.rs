//! Edges between crates: each technology has one owner, and nothing points up or sideways.
//!
//! Read from `cargo metadata`, so a dependency cannot be slipped in by any spelling of a manifest. Development
//! dependencies count as well: a test that opens the database past `storage` would pin its tables.

use super::Finding;
use anyhow::Result;

mod rules;

/// One direct dependency of a workspace member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Edge {
    pub(super) from: String,
    pub(super) to: String,
    /// Whether `to` is a member as well.
    pub(super) inside: bool,
    /// Only for tests.
    pub(super) development: bool,
}

/// All direct dependencies of all members.
pub(super) fn read() -> Result<Vec<Edge>> {
    let metadata = crate::workspace::members()?;
    let mut edges = Vec::new();
    for package in &metadata.packages {
        for dependency in &package.dependencies {
            edges.push(Edge {
                from: package.name.to_string(),
                to: dependency.name.clone(),
                inside: dependency.path.is_some(),
                development: dependency.kind == cargo_metadata::DependencyKind::Development,
            });
        }
    }
    Ok(edges)
}

/// Every edge that no rule allows.
pub(super) fn check(edges: &[Edge]) -> Vec<Finding> {
    edges.iter().filter_map(|edge| if edge.inside { direction(edge) } else { owner(edge) }).collect()
}

fn owner(edge: &Edge) -> Option<Finding> {
    let rule = rules::OWNERS.iter().find(|rule| rule.technology == edge.to)?;
    let allowed =
        rule.owners.iter().chain(rule.also.iter().map(|(name, _)| name)).any(|name| *name == edge.from);
    (!allowed).then(|| Finding {
        path: edge.from.clone(),
        line: None,
        text: format!("depends on {}, which belongs to {}", edge.to, rule.owners.join(", ")),
    })
}

fn direction(edge: &Edge) -> Option<Finding> {
    let allowed = rules::allowed(&edge.from, edge.development);
    let fine = allowed.iter().any(|name| *name == edge.to || *name == rules::ANY);
    (!fine).then(|| Finding {
        path: edge.from.clone(),
        line: None,
        text: format!("may not depend on {}; it may on: {}", edge.to, allowed.join(", ")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(from: &str, to: &str, inside: bool) -> Edge {
        Edge { from: from.to_owned(), to: to.to_owned(), inside, development: false }
    }

    #[test]
    fn a_technology_is_refused_to_all_but_its_owners() {
        assert_eq!(check(&[edge("qudao-storage", "sqlx", false)]), vec![]);
        assert_eq!(check(&[edge("qudao-pipeline", "sqlx", false)]).len(), 1);
        assert_eq!(check(&[edge("qudao-pipeline", "serde", false)]), vec![]);
    }

    #[test]
    fn nothing_points_up_or_sideways() {
        assert_eq!(check(&[edge("qudao-pipeline", "qudao-storage", true)]), vec![]);
        assert_eq!(check(&[edge("qudao-storage", "qudao-pipeline", true)]).len(), 1);
        assert_eq!(check(&[edge("qudao-ingress", "qudao-api", true)]).len(), 1);
    }

    #[test]
    fn an_unknown_member_is_a_connector_and_sees_only_the_sdk() {
        assert_eq!(check(&[edge("qudao-big-shop", "qudao-sdk", true)]), vec![]);
        assert_eq!(check(&[edge("qudao-big-shop", "qudao-host", true)]).len(), 1);
    }

    #[test]
    fn tests_of_a_crate_see_the_kit_but_its_code_does_not() {
        let mut kit = edge("qudao-ingress", "qudao-kit", true);
        assert_eq!(check(&[kit.clone()]).len(), 1);
        kit.development = true;
        assert_eq!(check(&[kit]), vec![]);
    }
}
