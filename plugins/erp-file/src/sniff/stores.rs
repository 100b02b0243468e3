//! Stores: which codes and names are known, and where a file says which store it is of.

use super::profile::Profile;
use std::collections::BTreeMap;

/// Codes and names of stores.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    /// Name by code.
    pub names: BTreeMap<String, String>,
}

impl Known {
    /// From what was asked.
    pub(crate) fn new(names: &BTreeMap<String, String>, one: Option<&String>) -> Self {
        let mut names = names.clone();
        if let Some(code) = one {
            names.entry(code.clone()).or_default();
        }
        Self { names }
    }

    /// Whether a store has the code.
    pub(crate) fn is_code(&self, text: &str) -> bool {
        self.names.contains_key(text)
    }

    /// Whether a store has the name.
    pub(crate) fn is_name(&self, text: &str) -> bool {
        !text.is_empty() && self.names.values().any(|name| name == text)
    }

    /// The usual length of codes.
    pub(crate) fn width(&self) -> usize {
        let mut lengths: Vec<usize> = self.names.keys().map(|code| code.chars().count()).collect();
        lengths.sort_unstable();
        lengths.get(lengths.len() / 2).copied().unwrap_or(0)
    }

    /// Whether the text with zeros before it is a code, and is none as it is.
    pub(crate) fn is_short_code(&self, text: &str) -> bool {
        let width = self.width();
        let bare = text.strip_suffix(".0").unwrap_or(text);
        !bare.is_empty() && bare.len() < width && self.is_code(&format!("{bare:0>width$}"))
    }

    /// The code that a text means: itself, with zeros before it, or the code of the store with that name.
    pub(crate) fn code(&self, text: &str) -> String {
        if self.is_short_code(text) {
            let (width, bare) = (self.width(), text.strip_suffix(".0").unwrap_or(text));
            return format!("{bare:0>width$}");
        }
        let named = self.names.iter().find(|(_, name)| !name.is_empty() && *name == text);
        named.map_or_else(|| text.to_owned(), |(code, _)| code.clone())
    }

    fn count(profile: &Profile, fits: impl Fn(&str) -> bool) -> usize {
        profile.distinct.iter().filter(|(text, _)| fits(text)).map(|(_, count)| count).sum()
    }

    /// Cells that are codes, as they are or with zeros before them.
    pub(crate) fn codes(&self, profile: &Profile) -> usize {
        Self::count(profile, |text| self.is_code(text) || self.is_short_code(text))
    }

    /// Cells that are names.
    pub(crate) fn by_name(&self, profile: &Profile) -> usize {
        Self::count(profile, |text| self.is_name(text))
    }

    /// Cells that are codes only with zeros before them.
    pub(crate) fn short(&self, profile: &Profile) -> usize {
        Self::count(profile, |text| self.is_short_code(text))
    }

    /// How well a column's values fit the known stores, in percent.
    pub(crate) fn fit(&self, profile: &Profile) -> u32 {
        if self.names.is_empty() {
            // few values, often repeated
            return if profile.distinct.len() * 3 <= profile.filled.max(9) { 90 } else { 40 };
        }
        let codes = profile.share(self.codes(profile));
        let names = profile.share(self.by_name(profile));
        // a store that nobody knows is a fault of the directory more often than of the column
        let found = u32::try_from(codes.max(names)).unwrap_or(100);
        (found / 2 + 50).min(if codes >= names { 100 } else { 97 })
    }
}
