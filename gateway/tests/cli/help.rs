//! Help, version, wrong usage, schema, completions.

use crate::program::Folder;

#[test]
fn help_lists_what_there_is() {
    let said = Folder::new().run(&["--help"]).expect(0);
    insta::assert_snapshot!(said.all(), @"");
}

#[test]
fn help_is_coloured_on_a_terminal() {
    let said = Folder::new().run_in_colour(&["help"]).expect(0);
    assert!(said.out.contains("\u{1b}["), "{}", said.all());
}

#[test]
fn wrong_usage_is_64_and_says_what_was_meant() {
    let said = Folder::new().run(&["serv"]);
    insta::assert_snapshot!(said.all(), @"");
    Folder::new().run(&[]).expect(64);
    Folder::new().run(&["try", "--channel", "x"]).expect(64);
    Folder::new().run(&["deliveries", "list", "--verdict", "good"]).expect(64);
    Folder::new().run(&["try", "--channel", "x", "--request", "-", "--at", "soon"]).expect(64);
}

#[test]
fn version_is_one_line() {
    let said = Folder::new().run(&["--version"]).expect(0);
    assert_eq!(said.out, format!("qudao {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn every_command_explains_itself() {
    let commands: [&[&str]; 18] = [
        &["init"],
        &["check"],
        &["serve"],
        &["try"],
        &["events"],
        &["deliveries"],
        &["deliveries", "list"],
        &["deliveries", "show"],
        &["deliveries", "retry"],
        &["get", "payment"],
        &["get", "refund"],
        &["replay"],
        &["plugin", "new"],
        &["plugin", "build"],
        &["plugin", "test"],
        &["plugin", "inspect"],
        &["schema"],
        &["completions"],
    ];
    let folder = Folder::new();
    for command in commands {
        let said = folder.run(&[command, &["--help"]].concat()).expect(0);
        let usage = format!("Usage: qudao {}", command.join(" "));
        assert!(said.out.contains(&usage), "{}", said.all());
    }
}

#[test]
fn the_schema_is_one_that_editors_take() {
    let schema = Folder::new().run(&["schema"]).expect(0).json();
    assert!(schema["$schema"].as_str().unwrap().contains("json-schema.org"), "{schema}");
    assert!(schema["properties"]["channels"].is_object(), "{schema}");
}

#[test]
fn completions_name_the_commands() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = folder.run(&["completions", shell]).expect(0).out;
        assert!(script.contains("deliveries") && script.contains("replay"), "{shell}");
    }
    folder.run(&["completions", "sh"]).expect(64);
}
