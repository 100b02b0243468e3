//! Every vector through the component that reads files, in the sandbox: rows, rejects, notices, and what the guards say; the
//! guarded ones live as well, against what was imported before.

use super::{
    super::kit::{Hands, open, start_of_day},
    kit::levels,
};
use crate::{
    FileSettings, Tried,
    imports::{Imports, Reader},
    intake::{Intake, Rules},
    try_file,
};
use futures_util::stream;
use qudao_config::Status;
use qudao_host::{Connector, Host, HostOptions};
use qudao_model::{Timestamp, fault::chain};
use qudao_storage::{ImportRow, ImportState, Storage, StoreOutcome};
use qudao_vault::Vault;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};
use tempfile::TempDir;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..").canonicalize().unwrap()
}

/// The folder of the one plugin that has vectors of files.
fn plugin() -> PathBuf {
    let folders = fs::read_dir(root().join("plugins")).unwrap().map(|entry| entry.unwrap().path());
    folders
        .into_iter()
        .find(|folder| folder.join("fixtures/vectors").is_dir())
        .expect("a plugin with vectors")
}

fn component() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let folder = plugin();
        let out = root().join("target/plugins");
        let built = out.join(folder.file_name().unwrap()).with_extension("wasm");
        // `cargo xtask test` has built it already and says so.
        if std::env::var_os("QUDAO_COMPONENTS_BUILT").is_some() && built.exists() {
            return built;
        }
        let mut quiet = |_: &str| {};
        let toolchain = qudao_build::target::ensure(&mut quiet).unwrap_or_else(|error| panic!("{error}"));
        let made = qudao_build::component(&folder, Some(&out), toolchain, &mut quiet);
        made.unwrap_or_else(|error| panic!("{error}")).path
    })
}

async fn connector() -> Connector {
    let options = HostOptions { cache_dir: Some(root().join("target/test-cache")), ..HostOptions::default() };
    let host = Host::new(options).unwrap();
    let loaded = host.load(fs::read(component()).unwrap()).await;
    loaded.unwrap_or_else(|error| panic!("{}", chain(&error))).loose("vectors")
}

fn at() -> Timestamp {
    "2013-01-31T00:00:00Z".parse().unwrap()
}

/// Names and expectations, by name.
fn vectors() -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(plugin().join("fixtures/vectors")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if let Some(file) = name.strip_suffix(".expect.json") {
            all.insert(file.to_owned(), serde_json::from_slice(&fs::read(&path).unwrap()).unwrap());
        }
    }
    assert!(all.len() > 40, "{} vectors", all.len());
    all
}

fn file(name: &str) -> PathBuf {
    plugin().join("fixtures/vectors").join(name)
}

/// The settings of a call by which a vector is read.
fn settings(connector: &Connector, expect: &Value) -> Value {
    let document = &connector.manifest().files.as_ref().unwrap().document;
    let mut mapping = expect["mapping"].clone();
    mapping["kind"] = expect["kind"].clone();
    json!({document.as_str(): mapping})
}

async fn tried(connector: &Connector, name: &str, expect: &Value) -> Tried {
    let settings = settings(connector, expect);
    let previous = expect.get("previous").and_then(Value::as_str).map(file);
    let tried = try_file(connector, settings, &file(name), previous.as_deref(), at()).await;
    tried.unwrap_or_else(|error| panic!("{name}: {}", chain(&error)))
}

/// What differs from what is expected, where something is.
fn differences(tried: &Tried, expect: &Value) -> Vec<String> {
    let mut told = serde_json::to_value(tried).unwrap();
    for reject in told["rejects"].as_array_mut().unwrap() {
        // What a person sees beside the fault.
        for shown in ["cell", "line", "store_code"] {
            reject.as_object_mut().unwrap().remove(shown);
        }
    }
    let mut wrong = Vec::new();
    for name in [
        "kind",
        "verdict",
        "reason",
        "rows",
        "notices",
        "holds",
        "applied",
        "absent",
        "against",
        "control_total",
    ] {
        if expect.get(name).is_some() && told.get(name).unwrap_or(&Value::Null) != &expect[name] {
            wrong.push(format!("{name}: {} instead of {}", told[name], expect[name]));
        }
        if expect.get(name).is_none() && told.get(name).is_some_and(|told| !told.is_null()) {
            wrong.push(format!("{name}: {} instead of nothing", told[name]));
        }
    }
    for count in ["rows", "rejects"] {
        if told["counts"][count] != expect["counts"][count] {
            wrong.push(format!(
                "counts.{count}: {} instead of {}",
                told["counts"][count], expect["counts"][count]
            ));
        }
    }
    let rejects = |all: &Value| -> Vec<(Value, Value, Value)> {
        let one = |reject: &Value| (reject["row"].clone(), reject["column"].clone(), reject["kind"].clone());
        all.as_array().unwrap().iter().map(one).collect()
    };
    if rejects(&told["rejects"]) != rejects(&expect["rejects"]) {
        wrong.push(format!("rejects: {} instead of {}", told["rejects"], expect["rejects"]));
    }
    wrong
}

#[tokio::test]
async fn every_vector_is_read_in_the_sandbox_as_expected() {
    let connector = connector().await;
    let mut wrong = Vec::new();
    for (name, expect) in vectors() {
        let found = differences(&tried(&connector, &name, &expect).await, &expect);
        wrong.extend(
            found.into_iter().map(|text| format!("{name}: {}", text.chars().take(600).collect::<String>())),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Imports with the real component.
struct Live {
    imports: Imports,
    storage: Storage,
    connector: Connector,
    _folder: TempDir,
}

impl Live {
    async fn new(connector: &Connector) -> Live {
        let folder = tempfile::tempdir().unwrap();
        let vault = Arc::new(Vault::new(&[7; 32]).unwrap());
        let storage = open(&folder.path().join("data"), &vault).await;
        let intake = Intake::new(storage.clone(), vault, Rules::default());
        let clock = Arc::new(Hands::at(start_of_day()));
        let imports = Imports::new(intake, clock, folder.path().join("spool"));
        Live { imports, storage, connector: connector.clone(), _folder: folder }
    }

    async fn import(&self, name: &str, expect: &Value) -> ImportRow {
        let document = self.connector.manifest().files.as_ref().unwrap().document.clone();
        let settings = Arc::new(settings(&self.connector, expect));
        let files = FileSettings { settings, digest: name.to_owned() };
        let reads = Arc::new(self.connector.clone());
        let reader = Reader::new("live", reads, (Status::Live, &document, files), Path::new(""));
        self.imports.set(BTreeMap::from([("live".to_owned(), Arc::new(reader))]));
        let body = stream::iter([Ok::<_, std::io::Error>(fs::read(file(name)).unwrap())]);
        let id = self.imports.take("live", name, body).await.unwrap().import.id;
        self.run(&id).await
    }

    async fn run(&self, id: &str) -> ImportRow {
        assert_eq!(self.imports.run_all().await, [""; 0]);
        self.storage.import(id).await.unwrap().unwrap()
    }
}

#[tokio::test]
async fn guarded_files_are_guarded_live() {
    let connector = connector().await;
    let vectors = vectors();
    let guarded = vectors
        .iter()
        .filter(|(_, expect)| expect.get("holds").is_some() || expect["reason"] == "stale_snapshot");
    let mut tried = 0;
    for (name, expect) in guarded {
        tried += 1;
        let live = Live::new(&connector).await;
        let before = expect["previous"].as_str().unwrap();
        let first = live.import(before, &vectors[before]).await;
        assert_eq!(
            (first.state, first.reason.as_deref()),
            (ImportState::Held, Some("first_snapshot")),
            "{name}"
        );
        live.imports.confirm(&first.id, None).await.unwrap();
        assert_eq!(live.run(&first.id).await.state, ImportState::Applied, "{name}");
        let figures = levels(&live.storage).await;
        let row = live.import(name, expect).await;
        let word = match row.state {
            ImportState::Held => "hold",
            ImportState::Partial => "partial",
            ImportState::Rejected => "reject",
            other => panic!("{name}: {other:?} {row:?}"),
        };
        assert_eq!(
            (Some(word), row.reason.as_deref()),
            (expect["verdict"].as_str(), expect["reason"].as_str()),
            "{name}"
        );
        let stores = live.storage.import_stores(&row.id).await.unwrap();
        let of = |outcome: StoreOutcome| -> Vec<Value> {
            stores.iter().filter(|one| one.state == outcome).map(|one| json!(one.store_code)).collect()
        };
        assert_eq!(json!(of(StoreOutcome::Applied)), expect["applied"], "{name}");
        let holds: Vec<Value> =
            expect["holds"].as_array().into_iter().flatten().map(|hold| hold["store_code"].clone()).collect();
        assert_eq!(
            of(StoreOutcome::Held),
            holds.into_iter().filter(|code| !code.is_null()).collect::<Vec<_>>(),
            "{name}"
        );
        // What waits and what is not in the file stays as it was.
        let after = levels(&live.storage).await;
        let untouched =
            |level: &&qudao_model::StockLevel| !of(StoreOutcome::Applied).contains(&json!(level.store_code));
        assert!(figures.iter().filter(untouched).all(|level| after.contains(level)), "{name}");
    }
    assert!(tried >= 4, "{tried} guarded vectors");
}

#[tokio::test]
async fn a_day_that_is_exported_again_adds_what_is_new_only() {
    let connector = connector().await;
    let vectors = vectors();
    let (name, expect) = vectors.iter().find(|(_, expect)| expect.get("against").is_some()).unwrap();
    let live = Live::new(&connector).await;
    let before = expect["previous"].as_str().unwrap();
    assert_eq!(live.import(before, &vectors[before]).await.state, ImportState::Applied);
    let row = live.import(name, expect).await;
    let totals = &row.outcome.unwrap()["totals"];
    let count = |what: &str| expect["against"][what].as_array().unwrap().len();
    let expect = json!([count("new"), count("same"), count("changed")]);
    assert_eq!(json!([totals["slips"], totals["same"], totals["changed_after_import"]]), expect);
}
