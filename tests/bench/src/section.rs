//! What a part has to say: rows with figures and references, and how they were measured.

use crate::args::Part;
use crate::table::table;

/// One row of the table.
struct Row {
    what: String,
    gateway: String,
    reference: String,
    aim: String,
}

/// A part's section of the page, filled while it measures, so that what was measured before a failure is not lost.
pub(crate) struct Section {
    part: Part,
    method: String,
    rows: Vec<Row>,
    /// Why it ended early.
    pub(crate) failure: Option<String>,
}

impl Section {
    /// Nothing measured yet.
    pub(crate) fn of(part: Part) -> Section {
        Section { part, method: String::new(), rows: Vec::new(), failure: None }
    }

    /// Never begun.
    pub(crate) fn without(part: Part, why: &str) -> Section {
        Section { failure: Some(why.to_owned()), ..Section::of(part) }
    }

    pub(crate) fn title(&self) -> &'static str {
        self.part.title()
    }

    /// How it is measured and what the reference is.
    pub(crate) fn method(&mut self, text: impl Into<String>) {
        self.method = text.into();
    }

    /// A figure and its reference.
    pub(crate) fn row(
        &mut self,
        what: impl Into<String>,
        gateway: impl Into<String>,
        reference: impl Into<String>,
    ) {
        let (what, gateway, reference) = (what.into(), gateway.into(), reference.into());
        self.rows.push(Row { what, gateway, reference, aim: String::new() });
    }

    /// What the last row should be, and whether it is.
    pub(crate) fn aim(&mut self, aim: &str, is_met: bool) {
        if let Some(row) = self.rows.last_mut() {
            row.aim = format!("{aim}: {}", if is_met { "met" } else { "missed" });
        }
    }

    /// The rows, for the page and for the terminal.
    pub(crate) fn table(&self) -> String {
        let cells =
            |row: &Row| [row.what.clone(), row.gateway.clone(), row.reference.clone(), row.aim.clone()];
        let rows = table(["what", "qudao", "reference", "aim"], self.rows.iter().map(cells).collect());
        match &self.failure {
            Some(why) if self.rows.is_empty() => format!("Not measured: {why}.\n"),
            Some(why) => format!("{rows}\nThe rest was not measured: {why}.\n"),
            None => rows,
        }
    }

    /// Everything below the heading.
    pub(crate) fn text(&self) -> String {
        if self.method.is_empty() { self.table() } else { format!("{}\n\n{}", self.method, self.table()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_keeps_what_was_measured() {
        let mut section = Section::of(Part::Calls);
        section.row("a", "1", "2");
        section.aim("≤ 2", true);
        section.failure = Some("it broke".to_owned());
        let text = section.text();
        assert!(text.contains("| a    | 1     | 2         | ≤ 2: met |"), "{text}");
        assert!(text.ends_with("\nThe rest was not measured: it broke.\n"), "{text}");
    }
}
