//! Edits that wait for an answer to leave: what happens to a shop while somebody pages through it.

use super::Edit;

/// Edits, each with the answer that it waits for.
#[derive(Debug, Default)]
pub(crate) struct Later(Vec<Waiting>);

#[derive(Debug)]
struct Waiting {
    method: String,
    page: Option<u32>,
    /// With the numbers of their orders.
    edits: Vec<(String, Edit)>,
}

impl Later {
    /// After the next answer of this API method; where a page is named, of that page.
    pub(crate) fn add(&mut self, method: &str, page: Option<u32>, edits: Vec<(String, Edit)>) {
        self.0.push(Waiting { method: method.to_owned(), page, edits });
    }

    /// Those that waited for the answer that leaves now, in the order they were added.
    pub(crate) fn due(&mut self, method: &str, page: Option<u32>) -> Vec<(String, Edit)> {
        let due = |waiting: &mut Waiting| {
            waiting.method == method && (waiting.page.is_none() || waiting.page == page)
        };
        self.0.extract_if(.., due).flat_map(|waiting| waiting.edits).collect()
    }
}
