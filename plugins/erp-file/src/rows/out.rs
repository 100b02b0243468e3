//! Where what is read goes to.

use qudao_sdk::model::file::{Amendment, FileVerdict, RowNotice, RowReject};
use serde_json::Value;

/// Takes what is read, as it is read.
pub trait Out {
    /// The next canonical row: one JSON object, without a line feed. The n-th has the ordinal n, from 0.
    fn row(&mut self, json: &[u8]);
    /// A fault of a row.
    fn reject(&mut self, reject: RowReject);
    /// Something to know about a row.
    fn notice(&mut self, notice: RowNotice);
    /// A row that is out is another, or none.
    fn amend(&mut self, amendment: Amendment);
}

/// Keeps everything, for previews and tests.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Collected {
    rows: Vec<Option<Value>>,
    /// Rejects, in the order of rows and columns after [`Collected::settle`].
    pub rejects: Vec<RowReject>,
    /// Notices, in the order in which they were found.
    pub notices: Vec<RowNotice>,
}

impl Collected {
    /// The rows that count, in file order.
    pub fn rows(&self) -> Vec<&Value> {
        self.rows.iter().flatten().collect()
    }

    /// Puts rejects in order, and forgets everything of a file that was refused. To be called with the file's verdict.
    pub fn settle(&mut self, verdict: FileVerdict) {
        if verdict == FileVerdict::Reject {
            *self = Collected::default();
        }
        self.rejects.sort_by(|a, b| (a.row, &a.column, &a.kind).cmp(&(b.row, &b.column, &b.kind)));
    }
}

impl Out for Collected {
    fn row(&mut self, json: &[u8]) {
        self.rows.push(serde_json::from_slice(json).ok());
    }

    fn reject(&mut self, reject: RowReject) {
        self.rejects.push(reject);
    }

    fn notice(&mut self, notice: RowNotice) {
        self.notices.push(notice);
    }

    fn amend(&mut self, amendment: Amendment) {
        let place = usize::try_from(amendment.ordinal).ok().and_then(|ordinal| self.rows.get_mut(ordinal));
        if let Some(row) = place {
            *row = amendment.row;
        }
    }
}

/// Takes nothing.
pub(crate) struct Mute;

impl Out for Mute {
    fn row(&mut self, _json: &[u8]) {}
    fn reject(&mut self, _reject: RowReject) {}
    fn notice(&mut self, _notice: RowNotice) {}
    fn amend(&mut self, _amendment: Amendment) {}
}
