//! A folder of configurations each: `broken/` has errors, `odd/` only warnings, `good/` neither. What is said about each
//! stands beside it as a snapshot; adding a case needs no Rust. A literal secret in a case has `LEAK` in it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod world;

use std::path::Path;

use qudao_config::{CODES, Config, Findings};
use world::World;

fn cases(folder: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let mut cases: Vec<(String, String)> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "yaml"))
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(&path).unwrap())
        })
        .collect();
    cases.sort();
    assert!(!cases.is_empty(), "{} holds cases", folder.display());
    cases
}

fn snapshot(folder: &str, name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(folder);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// What must hold for everything that is ever said.
fn sane(name: &str, findings: &Findings) {
    let json = serde_json::to_string(&findings.iter().collect::<Vec<_>>()).unwrap();
    for said in [findings.render(true), findings.to_string(), format!("{findings:?}"), json] {
        for secret in World::secrets().iter().chain(&["LEAK"]) {
            assert!(!said.contains(secret), "{name}: a secret is shown: {said}");
        }
    }
    for finding in findings {
        assert!(CODES.contains(&finding.code), "{name}: {} is not in CODES", finding.code);
        assert!(!finding.text.ends_with('.') && !finding.text.is_empty(), "{name}: {}", finding.text);
        assert!(finding.hint.is_some(), "{name}: no hint: {}", finding.text);
        assert!(finding.line > 0 && finding.column > 0 && finding.width > 0, "{name}: {finding:?}");
        let header = format!("{}:{}:{}: ", finding.file, finding.line, finding.column);
        assert!(finding.to_string().starts_with(&header), "{name}: {finding}");
        if let Some(line) = &finding.source_line {
            assert!(
                finding.column + finding.width <= line.chars().count() + 2,
                "{name}: caret beside the line\n{finding}"
            );
        }
    }
}

#[test]
fn every_broken_configuration_is_told_how_to_be_mended() {
    let cases = cases("broken");
    assert!(cases.len() >= 30);
    let mut complaints = Vec::new();
    for (name, text) in cases {
        let world = World::new();
        let findings = world.load(text.as_bytes()).expect_err(&name);
        assert!(findings.has_errors(), "{name}");
        snapshot("broken", &name, &world.shown(&findings));
        complaints.extend(std::panic::catch_unwind(|| sane(&name, &findings)).err());
    }
    assert!(complaints.is_empty(), "{} cases are not as they should be, see above", complaints.len());
}

#[test]
fn odd_configurations_work_and_are_warned_about() {
    for (name, text) in cases("odd") {
        let world = World::new();
        let config = world.load(text.as_bytes()).unwrap_or_else(|findings| panic!("{name}: {findings}"));
        assert!(!config.warnings.is_empty() && !config.warnings.has_errors(), "{name}");
        sane(&name, &config.warnings);
        snapshot("odd", &name, &world.shown(&config.warnings));
    }
}

#[test]
fn good_configurations_mean_what_they_say() {
    for (name, text) in cases("good") {
        let world = World::new();
        let config: Config =
            world.load(text.as_bytes()).unwrap_or_else(|findings| panic!("{name}: {findings}"));
        assert!(config.warnings.is_empty(), "{name}: {}", config.warnings);
        let debug = format!("{config:#?}");
        for secret in World::secrets() {
            assert!(!debug.contains(secret), "{name}: Debug shows a secret");
        }
        let Config { gateway, stores, listings, links, channels, feed, .. } = &config;
        let meant =
            format!("{gateway:#?}\nstores {stores:?}\n{listings:#?}\n{links:#?}\n{channels:#?}\n{feed:#?}");
        snapshot("good", &name, &meant.replace(&format!("{}/", world.folder().display()), ""));
    }
}
