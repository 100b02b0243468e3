//! What must not be left in a finished change: open ends, switched-off tests, and places outside the checkout.

use super::Finding;
use super::files::Source;
use std::path::{Component, Path};

/// Written in two halves, so that this file does not find itself.
const OPEN_ENDS: [(&str, &str); 4] = [
    (concat!("to", "do!("), "finish it"),
    (concat!("unim", "plemented!("), "finish it"),
    (concat!("FIX", "ME"), "fix it, or open an issue and say why it may wait"),
    (concat!("#[ig", "nore"), "a test that does not run proves nothing; mend or delete it"),
];
const NEIGHBOUR: &str = concat!("..", "/shared");
const LOCK_FILE: &str = "Cargo.lock";

/// Open ends in code.
pub(super) fn code(source: &Source) -> Vec<Finding> {
    if !source.is_rust() {
        return Vec::new();
    }
    let open = |(line, text): (usize, &str)| {
        let (mark, advice) = OPEN_ENDS.iter().find(|(mark, _)| text.contains(mark))?;
        Some(Finding { path: source.path.clone(), line: Some(line), text: format!("`{mark}`: {advice}") })
    };
    source.lines().filter_map(open).collect()
}

/// A path of this machine: a clone elsewhere would not find it.
pub(super) fn outside(source: &Source, root: &Path) -> Vec<Finding> {
    if source.path == LOCK_FILE {
        return Vec::new();
    }
    let machine = machine(root);
    let named = |(line, text): (usize, &str)| {
        let hit = machine.iter().find(|place| text.contains(place.as_str()))?;
        Some(Finding {
            path: source.path.clone(),
            line: Some(line),
            text: format!("names {hit}, a place outside the project"),
        })
    };
    source.lines().filter_map(named).collect()
}

/// The checkout itself and the folder it lies in, unless that is one everybody has.
fn machine(root: &Path) -> Vec<String> {
    let mut places = vec![NEIGHBOUR.to_owned(), format!("{}/", root.display())];
    let everybodys =
        [Path::new("/"), Path::new("/root"), Path::new("/home"), Path::new("/tmp"), Path::new("/var/tmp")];
    if let Some(parent) = root.parent() {
        let deep = parent.components().any(|part| matches!(part, Component::Normal(_)));
        if deep && !everybodys.contains(&parent) {
            places.push(format!("{}/", parent.display()));
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_ends_are_found_in_rust_only() {
        for (mark, _) in OPEN_ENDS {
            assert_eq!(code(&Source::new("a.rs", &format!("x\n  {mark}\n"))).len(), 1, "{mark}");
            assert!(code(&Source::new("a.md", mark)).is_empty());
        }
    }

    #[test]
    fn places_of_the_machine_are_found() {
        let root = Path::new("/srv/build/checkout");
        let check = |text: &str| outside(&Source::new("a.md", text), root).len();
        assert_eq!(check("see /srv/build/checkout/README.md"), 1);
        assert_eq!(check("see /srv/build/other"), 1);
        assert_eq!(check(NEIGHBOUR), 1);
        assert_eq!(check("see docs/errors.md"), 0);
    }

    #[test]
    fn a_checkout_in_a_common_folder_does_not_forbid_that_folder() {
        assert_eq!(outside(&Source::new("a.rs", "\"/tmp/socket\""), Path::new("/tmp/qudao")), vec![]);
    }
}
