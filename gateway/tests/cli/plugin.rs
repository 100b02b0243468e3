//! `plugin`: from nothing to a connector whose fixtures pass.

use crate::program::{Folder, hello, root};
use qudao_sdk::fixtures::FileCase;
use std::fs;

/// The number of a build's own and of the machine.
const VARYING: [(&str, &str); 4] = [
    (r"\b[0-9a-f]{64}\b", "DIGEST"),
    (r"file +\S+ [\d.]+ [KM]iB", "file    FILE, SIZE"),
    (r" +\d+ +[\d.]+ [KM]iB +\d+\n", "  N  SIZE  N\n"),
    (r" +FUEL +MEMORY +µS", "  FUEL  MEMORY  µS"),
];

#[test]
fn a_new_connector_builds_and_its_fixtures_pass_outside_of_a_checkout() {
    let folder = Folder::new();
    let said = folder.run(&["plugin", "new", "my-shop"]).expect(0);
    assert_eq!(said.out, "wrote my-shop: a connector that compiles and whose fixtures pass\n");
    assert!(folder.path().join("my-shop/.qudao-sdk/sdk/rust/Cargo.toml").is_file());

    // What was compiled once is not compiled again in the next run.
    let target = root().join("target/plugin-new");
    let test = || {
        let output =
            folder.command(&["plugin", "test", "my-shop"]).env("CARGO_TARGET_DIR", &target).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        (output.status.code().unwrap(), text)
    };
    let (status, shown) = test();
    assert_eq!(status, 0, "{shown}");
    insta::with_settings!({filters => VARYING}, {
        insta::assert_snapshot!(shown, @r#"
        CASE                         VERDICT  FUEL  MEMORY  µS
        amount_changed       passed  rejected  N  SIZE  N
        payment_succeeded    passed  accepted  N  SIZE  N
        sent_again_next_day  passed  rejected  N  SIZE  N

        3 of 3 fixtures passed
        "#);
    });

    // A fixture that expects something else fails and shows the difference.
    let case = folder.path().join("my-shop/fixtures/cases/payment_succeeded.json");
    let broken = fs::read_to_string(&case).unwrap().replace("8880", "8888");
    fs::write(&case, broken).unwrap();
    let (status, shown) = test();
    assert_eq!(status, 1, "{shown}");
    insta::with_settings!({filters => VARYING}, {
        insta::assert_snapshot!(shown, @r#"
        CASE                         VERDICT  FUEL  MEMORY  µS
        amount_changed       passed  rejected  N  SIZE  N
        payment_succeeded    failed  accepted  N  SIZE  N
        sent_again_next_day  passed  rejected  N  SIZE  N

        payment_succeeded  A payment of 88.80 yuan is accepted and acknowledged.
          observations[0].requested_fen
            expected 8888
            got      8880

        2 of 3 fixtures passed
        "#);
    });
}

#[test]
fn inside_a_checkout_a_new_connector_uses_its_sdk() {
    let folder = Folder::new();
    fs::create_dir_all(folder.path().join("sdk/rust")).unwrap();
    folder.write("sdk/rust/Cargo.toml", "");
    folder.run(&["plugin", "new", "my-shop"]).expect(0);
    let member = fs::read_to_string(folder.path().join("plugins/my-shop/Cargo.toml")).unwrap();
    insta::assert_snapshot!(member, @r#"
    [package]
    name = "qudao-my-shop"
    description = "Connector for my-shop"
    version.workspace = true
    edition.workspace = true
    rust-version.workspace = true
    license.workspace = true
    publish.workspace = true

    [lints]
    workspace = true

    [lib]
    crate-type = ["cdylib", "rlib"]

    [dependencies]
    qudao-sdk.workspace = true
    serde.workspace = true
    serde_json.workspace = true
    "#);
    folder.run(&["plugin", "new", "my-shop", "--dir", "elsewhere"]).expect(0);
    let apart = fs::read_to_string(folder.path().join("elsewhere/my-shop/Cargo.toml")).unwrap();
    assert!(apart.contains("[workspace]") && apart.contains("/sdk/rust\" }"), "{apart}");
    assert!(!folder.path().join("elsewhere/my-shop/.qudao-sdk").exists());

    let again = folder.run(&["plugin", "new", "my-shop"]).expect(1);
    assert!(again.err.contains("is there already"), "{}", again.all());
    folder.run(&["plugin", "new", "My_Shop"]).expect(64);
}

#[test]
fn inspect_shows_all_that_a_component_can_do() {
    let folder = Folder::new();
    let said = folder.run(&["plugin", "inspect", &hello().display().to_string()]).expect(0);
    insta::with_settings!({filters => VARYING}, {
        insta::assert_snapshot!(said.out, @r#"
        hello@0.1.0  Hello payment notices
        file    FILE, SIZE
        sha256  DIGEST

        imports (all it can use)
          qudao:connector/log@1.0.0
          qudao:connector/clock@1.0.0
          qudao:connector/random@1.0.0
          qudao:connector/settings@1.0.0
          qudao:connector/keys@1.0.0
          qudao:connector/types@1.0.0
          qudao:connector/http@1.0.0
          qudao:connector/expectations@1.0.0

        exports (what it can do)
          qudao:connector/describe@1.0.0
          qudao:connector/webhook@1.0.0

        network (origins it wants to reach)
          none

        settings
          NAME  TYPE              WHAT
          shop  string  required  Number of the shop, as the platform's back office shows it. A notice for another shop is refused.

        secrets
          NAME    KIND         CAN            WHAT
          secret  hmac_sha256  mac  required  Shared secret: back office, developer settings
        "#);
    });
    folder.write("text.wasm", "hello");
    let said = folder.run(&["plugin", "inspect", "text.wasm"]).expect(1);
    insta::assert_snapshot!(said.err, @r#"error: text.wasm does not load: the file is something else, not a WebAssembly component; `qudao plugin build` makes one"#);
}

#[test]
fn fixtures_of_files_run_through_the_component() {
    let source = root().join("plugins/erp-file");
    let folder = Folder::new();
    let test = ["plugin", "test", source.to_str().unwrap(), "--json"];
    let said = folder.run(&test).expect(0).json_lines();
    let files = FileCase::load_all(&source.join("fixtures")).unwrap();
    assert!(files.len() > 40, "{}", files.len());
    for file in &files {
        let went = said.iter().find(|went| went["case"] == file.file.as_str()).unwrap();
        assert!(went["passed"] == true && went["verdict"] != "failed", "{went}");
    }
}
