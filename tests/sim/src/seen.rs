//! What happened in histories, counted: a fault that never occurs proves nothing, however green the histories are.
//!
//! Whoever does something to the gateway counts it where it strikes, not where it is planned. A thing has a group and a name.

use std::{collections::BTreeMap, fmt};

/// Counts by group and name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen(BTreeMap<(&'static str, String), u64>);

impl Seen {
    /// Once more.
    pub(crate) fn add(&mut self, group: &'static str, name: impl Into<String>) {
        *self.0.entry((group, name.into())).or_default() += 1;
    }

    /// All that another has seen, too.
    pub fn merge(&mut self, other: &Seen) {
        for ((group, name), count) in &other.0 {
            *self.0.entry((group, name.clone())).or_default() += count;
        }
    }

    /// How often; 0 of what is not known.
    pub fn count(&self, group: &'static str, name: &str) -> u64 {
        self.0.get(&(group, name.to_owned())).copied().unwrap_or_default()
    }
}

/// A table: group, name, how often.
impl fmt::Display for Seen {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut last = "";
        for ((group, name), count) in &self.0 {
            let told = if *group == last { "" } else { *group };
            writeln!(out, "{told:<10} {name:<34} {count:>8}")?;
            last = group;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_add_up_and_are_told_by_group() {
        let (mut one, mut other) = (Seen::default(), Seen::default());
        one.add("disk", "no space, log");
        other.add("disk", "no space, log");
        other.add("disk", "flush, log");
        other.add("clock", "jump");
        one.merge(&other);
        assert_eq!((one.count("disk", "no space, log"), one.count("disk", "none")), (2, 0));
        let told: Vec<String> = one
            .to_string()
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        assert_eq!(told, ["clock jump 1", "disk flush, log 1", "no space, log 2"]);
    }
}
