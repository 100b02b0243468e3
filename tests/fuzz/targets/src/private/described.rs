//! What the API document says of each operation, as far as it is held against every answer here. All of it is, more slowly,
//! by `cargo xtask api-fuzz`.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// One method of one path.
pub(super) struct Operation {
    /// Of its answers.
    pub(super) statuses: BTreeSet<u16>,
    /// Whether it reads a body of JSON.
    pub(super) takes_json: bool,
    /// Whether that body may not be left out.
    pub(super) body_required: bool,
}

/// A path with its methods.
struct Described {
    segments: Vec<String>,
    methods: BTreeMap<String, Operation>,
}

static PATHS: LazyLock<Vec<Described>> = LazyLock::new(|| {
    let document = std::fs::read(crate::root().join("docs/openapi.json")).expect("the API document");
    let document: Value = serde_json::from_slice(&document).expect("JSON");
    let paths = document["paths"].as_object().expect("paths").iter();
    let mut paths: Vec<Described> = paths.map(|(path, methods)| described(path, methods)).collect();
    // As a router does: a name goes before a place for any.
    paths.sort_by_key(|path| path.segments.iter().filter(|segment| is_place(segment)).count());
    paths
});

/// The operation that a request is answered by, if there is one.
pub(super) fn operation(method: &str, path: &str) -> Option<&'static Operation> {
    let given: Vec<&str> = path.split('/').collect();
    let fits = |known: &&Described| {
        let pairs = known.segments.iter().zip(&given);
        known.segments.len() == given.len()
            && pairs
                .into_iter()
                .all(|(known, given)| known == given || (is_place(known) && !given.is_empty()))
    };
    PATHS.iter().find(fits)?.methods.get(method)
}

fn described(path: &str, methods: &Value) -> Described {
    let methods = methods.as_object().expect("methods").iter();
    let operation = |(method, operation): (&String, &Value)| {
        let statuses = operation["responses"].as_object().expect("responses").keys();
        let body = &operation["requestBody"];
        let operation = Operation {
            statuses: statuses.map(|status| status.parse().expect("a status")).collect(),
            takes_json: body["content"]["application/json"].is_object(),
            body_required: body["required"] == true,
        };
        (method.to_uppercase(), operation)
    };
    Described {
        segments: path.split('/').map(str::to_owned).collect(),
        methods: methods.map(operation).collect(),
    }
}

fn is_place(segment: &str) -> bool {
    segment.starts_with('{')
}
