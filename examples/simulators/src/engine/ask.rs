//! A request as a platform looks at it, and its answer.

use crate::fault::Kind;
use serde_json::Value;

/// A request, whole.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ask {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Faults that strike it.
    pub(crate) twists: Vec<Kind>,
}

impl Ask {
    /// The one header of this name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(at, _)| at == name).map(|(_, value)| value.as_str())
    }

    /// Path and query as they were sent.
    pub(crate) fn target(&self) -> String {
        if self.query.is_empty() { self.path.clone() } else { format!("{}?{}", self.path, self.query) }
    }

    /// Parameters of the query.
    pub(crate) fn query_parameters(&self) -> Parameters {
        Parameters::read(self.query.as_bytes())
    }

    /// Parameters of the query, then those of a form body.
    pub(crate) fn parameters(&self) -> Parameters {
        let mut all = self.query_parameters();
        let form = "application/x-www-form-urlencoded";
        if self.header("content-type").is_some_and(|kind| kind.to_ascii_lowercase().starts_with(form)) {
            all.0.extend(Parameters::read(&self.body).0);
        }
        all
    }

    /// Rows of a list, as the faults leave them.
    pub(crate) fn rows(&self, mut rows: Vec<Value>) -> Vec<Value> {
        for twist in &self.twists {
            match twist {
                Kind::HalfPage => rows.truncate(rows.len() / 2),
                Kind::Duplicate => rows = rows.into_iter().flat_map(|row| [row.clone(), row]).collect(),
                Kind::Reorder => rows.reverse(),
                Kind::Delay { .. }
                | Kind::DropBefore
                | Kind::DropAfterApply
                | Kind::HalfBody
                | Kind::Status { .. }
                | Kind::PlatformError { .. }
                | Kind::WrongSignature => {}
            }
        }
        rows
    }
}

/// The rows of a page; pages count from 1.
pub(crate) fn page_of<T>(all: &[T], page: usize, size: usize) -> &[T] {
    let rest = all.get((page - 1).saturating_mul(size)..).unwrap_or_default();
    rest.get(..size).unwrap_or(rest)
}

/// Names and values, decoded, in the order they came.
#[derive(Debug, Clone, Default)]
pub(crate) struct Parameters(pub(crate) Vec<(String, String)>);

impl Parameters {
    fn read(form: &[u8]) -> Parameters {
        Parameters(serde_urlencoded::from_bytes(form).unwrap_or_default())
    }

    /// A value that is not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(at, _)| at == name).map(|(_, value)| value.as_str());
        found.filter(|value| !value.is_empty())
    }

    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// For the ledger: `ok`, or the code of a refusal.
    pub(crate) outcome: String,
}

impl Reply {
    /// 200 with JSON.
    pub(crate) fn json(value: &Value) -> Reply {
        Reply::new(200, "application/json;charset=UTF-8", value.to_string().into_bytes())
    }

    pub(crate) fn new(status: u16, kind: &str, body: Vec<u8>) -> Reply {
        let headers = vec![("Content-Type".to_owned(), kind.to_owned())];
        Reply { status, headers, body, outcome: "ok".to_owned() }
    }

    /// An HTTP status that no platform code explains.
    pub(crate) fn status(status: u16) -> Reply {
        let mut reply = Reply::new(status, "text/plain", Vec::new());
        reply.outcome = format!("http {status}");
        reply
    }

    pub(crate) fn outcome(mut self, outcome: &str) -> Reply {
        outcome.clone_into(&mut self.outcome);
        self
    }
}
