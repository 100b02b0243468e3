//! Which stores of a snapshot make a part.
//!
//! Groups depend on the file alone, not on what a person decided: a group that is applied at once has the group's key, and a
//! store that comes later, because it waited, has a part of its own. So a replay finds the same parts again.

use super::{Figures, ROWS_A_PART};
use std::collections::{BTreeMap, BTreeSet};

/// Stores of a part, so that nothing is held up by a thousand kiosks.
const STORES_A_PART: usize = 200;

/// What names a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Key {
    /// Stores that lie together.
    Group {
        /// How often the import was tried again.
        run: u32,
        /// Which, from 0.
        number: usize,
    },
    /// One store, and what it says.
    Store {
        /// Its code.
        code: String,
    },
}

/// A part of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) key: Key,
    /// Shown with the delivery.
    pub(crate) number: usize,
    /// Sorted.
    pub(crate) stores: Vec<String>,
}

/// Neighbours by code, as many as fit into a part.
pub(crate) fn groups(now: &BTreeMap<String, Figures>) -> Vec<Vec<String>> {
    let mut groups: Vec<Vec<String>> = Vec::new();
    let mut rows = 0_usize;
    for (store, figures) in now {
        let more = usize::try_from(figures.skus).unwrap_or(usize::MAX);
        rows = rows.saturating_add(more);
        match groups.last_mut() {
            Some(group) if rows <= ROWS_A_PART && group.len() < STORES_A_PART => group.push(store.clone()),
            _ => {
                rows = more;
                groups.push(vec![store.clone()]);
            }
        }
    }
    groups
}

/// Parts for the `wanted` stores.
pub(crate) fn plan(
    groups: &[Vec<String>],
    wanted: &BTreeSet<String>,
    is_applied: &dyn Fn(&str) -> bool,
    run: u32,
) -> Vec<Part> {
    let mut parts = Vec::new();
    for (number, group) in groups.iter().enumerate() {
        let stores: Vec<String> = group.iter().filter(|store| wanted.contains(*store)).cloned().collect();
        if stores.is_empty() {
            continue;
        }
        if group.iter().any(|store| is_applied(store)) {
            let single =
                |code: String| Part { key: Key::Store { code: code.clone() }, number, stores: vec![code] };
            parts.extend(stores.into_iter().map(single));
        } else {
            parts.push(Part { key: Key::Group { run, number }, number, stores });
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stores(sizes: &[(&str, u64)]) -> BTreeMap<String, Figures> {
        let store =
            |(code, skus): &(&str, u64)| (code.to_string(), Figures { skus: *skus, ..Figures::default() });
        sizes.iter().map(store).collect()
    }

    #[test]
    fn groups_fill_up_and_a_large_store_is_one() {
        let now = stores(&[("a", 9_000), ("b", 11_000), ("c", 1), ("d", 30_000), ("e", 1)]);
        assert_eq!(format!("{:?}", groups(&now)), r#"[["a", "b"], ["c"], ["d"], ["e"]]"#);
        let many: Vec<String> = (0..450).map(|at| format!("{at:03}")).collect();
        let kiosks = stores(&many.iter().map(|code| (code.as_str(), 1)).collect::<Vec<_>>());
        assert_eq!(groups(&kiosks).iter().map(Vec::len).collect::<Vec<_>>(), [200, 200, 50]);
    }

    #[test]
    fn who_comes_later_comes_alone() {
        let groups = vec![vec!["a".to_owned(), "b".to_owned()], vec!["c".to_owned()]];
        let wanted = BTreeSet::from(["b".to_owned(), "c".to_owned()]);
        let shown = |parts: Vec<Part>| -> Vec<String> {
            parts.iter().map(|part| format!("{:?} {}", part.key, part.stores.join(" "))).collect()
        };
        let fresh = plan(&groups, &wanted, &|_| false, 0);
        assert_eq!(shown(fresh), ["Group { run: 0, number: 0 } b", "Group { run: 0, number: 1 } c"]);
        let later = plan(&groups, &wanted, &|store| store == "a", 0);
        assert_eq!(shown(later), [r#"Store { code: "b" } b"#, "Group { run: 0, number: 1 } c"]);
    }
}
