//! docs/openapi.json is what the code says, and the code says something about everything.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test may read its own switch and ends where its set-up does"
)]

use serde_json::Value;
use std::{collections::BTreeSet, path::Path};

fn operations(document: &Value) -> Vec<(String, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, item)| {
        item.as_object()
            .unwrap()
            .iter()
            .map(move |(method, operation)| (format!("{method} {path}"), operation))
    });
    operations.collect()
}

/// `QUDAO_UPDATE=1 cargo test -p qudao-api` writes it anew.
#[test]
fn the_committed_description_is_fresh() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/openapi.json");
    let generated = serde_json::to_string_pretty(&qudao_api::openapi()).unwrap() + "\n";
    if std::env::var("QUDAO_UPDATE").is_ok() {
        std::fs::write(&file, &generated).unwrap();
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(committed == generated, "docs/openapi.json is stale: run QUDAO_UPDATE=1 cargo test -p qudao-api");
}

#[test]
fn it_is_the_same_every_time() {
    assert_eq!(qudao_api::openapi(), qudao_api::openapi());
}

#[test]
fn every_operation_says_what_it_does_and_how_it_fails() {
    let document = qudao_api::openapi();
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["components"]["securitySchemes"]["bearerAuth"]["scheme"], "bearer");
    let operations = operations(&document);
    assert!(operations.len() >= 15, "{}", operations.len());
    let mut ids = BTreeSet::new();
    for (name, operation) in operations {
        assert!(ids.insert(operation["operationId"].as_str().unwrap().to_owned()), "{name}: id twice");
        assert!(operation["summary"].as_str().unwrap().ends_with('.'), "{name}: no summary");
        assert!(operation["tags"].is_array(), "{name}: no tag");
        let responses = operation["responses"].as_object().unwrap();
        for (status, response) in responses {
            assert_ne!(response["description"], "", "{name} {status}: not described");
        }
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            assert!(parameter["description"].is_string(), "{name}: {} not described", parameter["name"]);
        }
        let open = name == "get /healthz" || name == "get /readyz";
        assert_eq!(operation.get("security").is_none(), open, "{name}: token");
        assert_eq!(responses.contains_key("401"), !open, "{name}: 401");
        assert!(responses.contains_key("200"), "{name}: 200");
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let document = qudao_api::openapi();
    let text = document.to_string();
    let references: BTreeSet<&str> =
        text.split("\"$ref\":\"#").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(references.contains("/components/schemas/Payment"), "{references:?}");
    for reference in references {
        assert!(document.pointer(reference).is_some(), "{reference}");
    }
}
