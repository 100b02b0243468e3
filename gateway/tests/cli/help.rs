//! Help, version, wrong usage, schema, completions.

use crate::program::Folder;

#[test]
fn help_lists_what_there_is() {
    let said = Folder::new().run(&["--help"]).expect(0);
    insta::assert_snapshot!(said.all(), @r#"
    exit code 0
    --- stdout
    qudao takes what sales channels send, checks it with connectors in a sandbox, and gives one feed of
    events

    Usage: qudao <COMMAND>

    Commands:
      init         Write a commented connectors.yaml with folders to start from
      check        Find every problem of the configuration and of its connectors
      serve        Run the gateway
      try          Run recorded requests through a channel's connector; nothing is stored
      events       Read the feed
      deliveries   Look into the inbox: list, show, retry
      get          Read payments, refunds, orders, after-sales, slips, stock, listings
      onboard      From a file of an old ERP to a channel: look, propose a mapping, preview, check
      import       Hand in a file of an ERP, see what became of it, confirm what waits
      quarantine   Rows of files that could not be taken: list, show, retry, export
      commands     Have a channel do something: send, list, show
      channels     Show how the channels of the running gateway do; let one ask again
      webhooks     Show how endpoints take the feed; enable, send once more, ping, make a secret
      replay       Build every entity and event again from the inbox, into a new database
      plugin       Write connectors: new, build, test, inspect
      schema       Print the JSON Schema of connectors.yaml, for editors
      completions  Print the completions of a shell
      help         Print this message or the help of the given subcommand(s)

    Options:
      -h, --help     Print help
      -V, --version  Print version

    Begin with `qudao init`, then `qudao check`, then `qudao serve`.
    Exit codes: 0 done, 1 what was asked about is bad, 2 needs a person, 64 wrong usage, 70 internal.
    --- stderr
    "#);
}

#[test]
fn help_is_coloured_on_a_terminal() {
    let said = Folder::new().run_in_colour(&["help"]).expect(0);
    assert!(said.out.contains("\u{1b}["), "{}", said.all());
}

#[test]
fn wrong_usage_is_64_and_says_what_was_meant() {
    let said = Folder::new().run(&["serv"]);
    insta::assert_snapshot!(said.all(), @r#"
    exit code 64
    --- stdout
    --- stderr
    error: unrecognized subcommand 'serv'

      tip: a similar subcommand exists: 'serve'

    Usage: qudao <COMMAND>

    For more information, try '--help'.
    "#);
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
    let commands: [&[&str]; 41] = [
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
        &["get", "slip"],
        &["get", "stock"],
        &["onboard"],
        &["onboard", "preview"],
        &["onboard", "check"],
        &["onboard", "enable"],
        &["onboard", "sheet"],
        &["import"],
        &["import", "list"],
        &["import", "show"],
        &["import", "confirm"],
        &["import", "discard"],
        &["quarantine", "show"],
        &["quarantine", "retry"],
        &["quarantine", "export"],
        &["webhooks"],
        &["webhooks", "show"],
        &["webhooks", "enable"],
        &["webhooks", "redeliver"],
        &["webhooks", "parked"],
        &["webhooks", "skip"],
        &["webhooks", "ping"],
        &["webhooks", "secret"],
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
