//! `plugin`: from nothing to a connector whose fixtures pass.

use crate::program::{Folder, hello, root};
use std::fs;

/// The number of a build's own and of the machine.
const VARYING: [(&str, &str); 4] = [
    (r"\b[0-9a-f]{64}\b", "DIGEST"),
    (r"\d+\.\d KiB", "N KiB"),
    (r"file +\S+", "file FILE"),
    (r" +\d+ +N KiB +\d+", " FUEL N KiB MICROS"),
];

#[test]
fn a_new_connector_builds_and_its_fixtures_pass_outside_of_a_checkout() {
    let folder = Folder::new();
    let said = folder.run(&["plugin", "new", "my-shop"]).expect(0);
    assert_eq!(said.out, "wrote my-shop: a connector that compiles and whose fixtures pass\n");
    assert!(folder.path().join("my-shop/.qudao-sdk/sdk/rust/Cargo.toml").is_file());

    // What was compiled once is not compiled again in the next run.
    let target = root().join("target/plugin-new");
    let test = |arguments: &[&str]| {
        let output = folder.command(arguments).env("CARGO_TARGET_DIR", &target).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        (output.status.code().unwrap(), text)
    };
    let (code, text) = test(&["plugin", "test", "my-shop"]);
    assert_eq!(code, 0, "{text}");
    insta::with_settings!({filters => VARYING}, {
        insta::assert_snapshot!(text, @"");
    });

    // A fixture that expects something else fails and shows the difference.
    let case = folder.path().join("my-shop/fixtures/cases/payment_succeeded.json");
    let broken = fs::read_to_string(&case).unwrap().replace("8880", "8888");
    fs::write(&case, broken).unwrap();
    let (code, text) = test(&["plugin", "test", "my-shop"]);
    assert_eq!(code, 1, "{text}");
    insta::with_settings!({filters => VARYING}, {
        insta::assert_snapshot!(text, @"");
    });
}

#[test]
fn inside_a_checkout_a_new_connector_uses_its_sdk() {
    let folder = Folder::new();
    fs::create_dir_all(folder.path().join("sdk/rust")).unwrap();
    folder.write("sdk/rust/Cargo.toml", "");
    folder.run(&["plugin", "new", "my-shop"]).expect(0);
    let member = fs::read_to_string(folder.path().join("plugins/my-shop/Cargo.toml")).unwrap();
    insta::assert_snapshot!(member, @"");
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
        insta::assert_snapshot!(said.out, @"");
    });
    folder.write("text.wasm", "hello");
    let said = folder.run(&["plugin", "inspect", "text.wasm"]).expect(1);
    insta::assert_snapshot!(said.err, @"");
}
