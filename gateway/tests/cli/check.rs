//! `init` and `check`: from an empty folder to a configuration that would start.

use crate::program::{Folder, channel, hello};

#[test]
fn init_writes_a_start_and_never_overwrites() {
    let folder = Folder::new();
    folder.write(".gitignore", "mine\n");
    let said = folder.run(&["init"]).expect(0);
    insta::assert_snapshot!(said.all(), @"");
    assert_eq!(std::fs::read_to_string(folder.path().join(".gitignore")).unwrap(), "mine\n");
    let again = folder.run(&["init"]);
    insta::assert_snapshot!(again.all(), @"");
}

#[test]
fn what_init_writes_lacks_only_connector_and_secrets() {
    let folder = Folder::new();
    folder.run(&["init", "shop"]).expect(0);
    let said = folder.run(&["check", "--config", "shop/connectors.yaml"]);
    insta::assert_snapshot!(said.all(), @"");
}

#[test]
fn a_good_configuration_is_said_to_be_good() {
    let said = Folder::configured().run(&["check"]);
    insta::assert_snapshot!(said.all(), @"");
}

#[test]
fn every_problem_of_the_file_at_once() {
    let folder = Folder::new();
    folder.write("connectors.yaml", BROKEN);
    insta::assert_snapshot!(folder.run(&["check"]).all(), @"");
}

#[test]
fn problems_are_coloured_on_a_terminal() {
    let folder = Folder::new();
    folder.write("connectors.yaml", "version: 1\nchanels: {}\n");
    insta::assert_snapshot!(folder.run_in_colour(&["check"]).all(), @"");
}

const BROKEN: &str = "\
version: 1
gateway:
  hook: 127.0.0.1:8080
  timezone: Mars/Olympus
channels:
  Main:
    connector: nowhere
    secrets: {secret: {env: NOT_SET_ANYWHERE}}
";

#[test]
fn what_only_the_connector_can_tell_has_its_line_too() {
    let folder = Folder::new();
    let component = hello().display();
    folder.write("not-a-component.wasm", "hello");
    folder.configure(&format!(
        "  one:\n    connector: {component}\n    settings: {{shop: 7, town: Wuhan}}\n  two:\n    connector: \
         not-a-component.wasm\n  three:\n    connector: {component}\n    settings: {{shop: s}}\n    secrets: \
         {{secret: {{file: secret.txt}}, password: {{file: secret.txt}}}}\n"
    ));
    let said = folder.run(&["check"]);
    insta::with_settings!({filters => vec![(r"/\S+/hello-connector", "PLUGINS/hello-connector")]}, {
        insta::assert_snapshot!(said.all(), @"");
    });
}

#[test]
fn a_program_gets_the_findings_as_json() {
    let folder = Folder::new();
    folder.write("connectors.yaml", BROKEN);
    let report = folder.run(&["check", "--json"]).expect(1).json();
    assert_eq!(report["ok"], false);
    assert_eq!(report["errors"], report["findings"].as_array().unwrap().len());
    assert_eq!(report["findings"][0]["line"], 3);
    assert_eq!(report["findings"][0]["code"], "unknown_key");

    let good = Folder::new();
    good.configure(&channel("hello-main", "    status: paused\n"));
    let report = good.run(&["check", "--json"]).expect(0).json();
    assert_eq!(report["channels"][0]["status"], "paused");
    assert_eq!(report["channels"][0]["connector"], "hello@0.1.0");
}
