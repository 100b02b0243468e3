//! `init` and `check`: from an empty folder to a configuration that would start.

use crate::program::{Folder, channel, hello};

#[test]
fn init_writes_a_start_and_never_overwrites() {
    let folder = Folder::new();
    folder.write(".gitignore", "mine\n");
    let said = folder.run(&["init"]).expect(0);
    insta::assert_snapshot!(said.all(), @r#"
    exit code 0
    --- stdout
    wrote connectors.yaml
    wrote connectors.schema.json
    kept  .gitignore, which was there already
    wrote plugins/README.md
    wrote secrets/README.md
    --- stderr
    "#);
    assert_eq!(std::fs::read_to_string(folder.path().join(".gitignore")).unwrap(), "mine\n");
    let again = folder.run(&["init"]);
    insta::assert_snapshot!(again.all(), @r#"
    exit code 1
    --- stdout
    --- stderr
    error: connectors.yaml is there already; nothing was written
    hint: name another folder: qudao init DIR
    "#);
}

#[test]
fn what_init_writes_is_good_and_asks_for_a_channel() {
    let folder = Folder::new();
    folder.run(&["init", "shop"]).expect(0);
    let said = folder.run(&["check", "--config", "shop/connectors.yaml"]);
    insta::assert_snapshot!(said.all(), @r#"
    exit code 0
    --- stdout
    shop/connectors.yaml:31:1: warning: there are no channels, so every webhook is answered with 404
     31 | channels: {}
        | ^^^^^^^^
    hint: add a block below `channels:`, such as `shop-main:`

    ok: shop/connectors.yaml configures 0 channels, 1 warning
    --- stderr
    "#);
}

#[test]
fn a_good_configuration_is_said_to_be_good() {
    let said = Folder::configured().run(&["check"]);
    insta::assert_snapshot!(said.all(), @r#"
    exit code 0
    --- stdout
    CHANNEL     STATUS  CONNECTOR    BODY AT MOST
    hello-main  live    hello@0.1.0       1.0 MiB

    ok: connectors.yaml configures 1 channel
    --- stderr
    "#);
}

#[test]
fn every_problem_of_the_file_at_once() {
    let folder = Folder::new();
    folder.write("connectors.yaml", BROKEN);
    insta::assert_snapshot!(folder.run(&["check"]).all(), @r#"
    exit code 1
    --- stdout
    connectors.yaml:3:3: error: unknown key `hook` in `gateway`
     3 |   hook: 127.0.0.1:8080
       |   ^^^^
    hint: did you mean `hooks`?

    connectors.yaml:4:13: error: `Mars/Olympus` is not supported: this version knows one time zone
     4 |   timezone: Mars/Olympus
       |             ^^^^^^^^^^^^
    hint: write `timezone: Asia/Shanghai`, or leave it out

    connectors.yaml:6:3: error: channel name `Main` may only have lower-case letters, digits and single dashes between them
     6 |   Main:
       |   ^^^^
    hint: write `main`; the name is part of the webhook's address

    connectors.yaml:7:16: error: there is no connector `nowhere`
     7 |     connector: nowhere
       |                ^^^^^^^
    hint: looked for plugins/nowhere.wasm, plugins/nowhere/nowhere.wasm, target/plugins/nowhere.wasm and in `plugins` beside the program

    connectors.yaml:8:29: error: environment variable `NOT_SET_ANYWHERE` of `secret` is not set
     8 |     secrets: {secret: {env: NOT_SET_ANYWHERE}}
       |                             ^^^^^^^^^^^^^^^^
    hint: set it where the gateway is started, or put the secret into a file: `{file: secrets/secret}`

    5 errors in connectors.yaml
    --- stderr
    "#);
}

#[test]
fn problems_are_coloured_on_a_terminal() {
    let folder = Folder::new();
    folder.write("connectors.yaml", "version: 1\nchanels: {}\n");
    insta::assert_snapshot!(folder.run_in_colour(&["check"]).all(), @r#"
    exit code 1
    --- stdout
    ESC[1mconnectors.yaml:2:1:ESC[0m ESC[1mESC[31merror:ESC[0m ESC[1munknown key `chanels` at the top levelESC[0m
     ESC[34m2 |ESC[0m chanels: {}
     ESC[34m  |ESC[0m ESC[1mESC[31m^^^^^^^ESC[0m
    ESC[1mESC[36mhint:ESC[0m did you mean `channels`?

    1 error in connectors.yaml
    --- stderr
    "#);
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
        insta::assert_snapshot!(said.all(), @r#"
        exit code 1
        --- stdout
        connectors.yaml:4:3: error: secret `secret` is missing: Shared secret: back office, developer settings
         4 |   one:
           |   ^^^
        hint: add `secret: {env: NAME}` or `secret: {file: PATH}` under secrets

        connectors.yaml:6:22: error: `shop` has to be text
         6 |     settings: {shop: 7, town: Wuhan}
           |                      ^
        hint: put it in quotes: "7"

        connectors.yaml:6:25: error: the connector has no setting `town`
         6 |     settings: {shop: 7, town: Wuhan}
           |                         ^^^^
        hint: it has shop

        connectors.yaml:8:16: error: not-a-component.wasm does not load: the file is something else, not a WebAssembly component; `qudao plugin build` makes one
         8 |     connector: not-a-component.wasm
           |                ^^^^^^^^^^^^^^^^^^^^

        connectors.yaml:12:43: error: the connector knows no secret `password`
         12 |     secrets: {secret: {file: secret.txt}, password: {file: secret.txt}}
            |                                           ^^^^^^^^
        hint: it has secret

        5 errors in connectors.yaml
        --- stderr
        "#);
    });
}

#[test]
fn mistakes_of_the_file_do_not_hide_those_that_a_connector_tells() {
    let folder = Folder::new();
    let component = hello().display();
    folder.configure(&format!(
        "  one:\n    connector: {component}\n    colour: red\n    settings: {{town: Wuhan}}\n    secrets: {{secret: \
         {{env: NOT_SET_ANYWHERE}}}}\n"
    ));
    insta::assert_snapshot!(folder.run(&["check"]).all(), @r#"
    exit code 1
    --- stdout
    connectors.yaml:6:5: error: unknown key `colour` in channel `one`
     6 |     colour: red
       |     ^^^^^^
    hint: what the connector itself wants goes under `settings:` or `secrets:`; allowed here: connector, limits, network, poll, secrets, settings, status, stock_from

    connectors.yaml:7:15: error: the setting `shop` is missing
     7 |     settings: {town: Wuhan}
       |               ^^^^^^^^^^^^^
    hint: the connector says of it: Number of the shop, as the platform's back office shows it. A notice for another shop is refused

    connectors.yaml:7:16: error: the connector has no setting `town`
     7 |     settings: {town: Wuhan}
       |                ^^^^
    hint: it has shop

    connectors.yaml:8:29: error: environment variable `NOT_SET_ANYWHERE` of `secret` is not set
     8 |     secrets: {secret: {env: NOT_SET_ANYWHERE}}
       |                             ^^^^^^^^^^^^^^^^
    hint: set it where the gateway is started, or put the secret into a file: `{file: secrets/secret}`

    4 errors in connectors.yaml
    --- stderr
    "#);
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

#[test]
fn a_stream_that_the_connector_does_not_read_is_told_with_its_line() {
    let folder = Folder::new();
    folder.configure(&channel("hello-main", "    poll: {every: 60s, streams: {orders: 30s}}\n"));
    insta::assert_snapshot!(folder.run(&["check"]).expect(1).out, @r#"
    connectors.yaml:8:34: error: the connector reads no stream `orders`
     8 |     poll: {every: 60s, streams: {orders: 30s}}
       |                                  ^^^^^^
    hint: it has none

    1 error in connectors.yaml
    "#);
}
