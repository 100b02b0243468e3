//! Documents that settings name: read, with findings in their own lines.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod world;

use qudao_config::{Config, SettingDocument};
use world::World;

const MAPPING: &str = "# 成都锦里巷加盟店\nkind: stock_snapshot\nfields:\n  - {to: store_code, from: 门店}\n  - to: quantity\n    form: 数量\nsession_key: abcdef0123456789\n";

fn config(world: &World, mapping: &str) -> Config {
    world.write("mappings/chengdu.yaml", MAPPING.as_bytes(), 0o644);
    let text = format!(
        "version: 1\nchannels:\n  till:\n    connector: wechat-pay\n    settings:\n      mapping: {mapping}\n"
    );
    world.load(text.as_bytes()).unwrap()
}

fn said(world: &World, mapping: &str) -> String {
    let config = config(world, mapping);
    world.shown(&config.setting_document("till", "mapping").expect_err(mapping))
}

#[test]
fn what_a_connector_refuses_is_shown_in_the_lines_of_the_file() {
    let world = World::new();
    let config = config(&world, "mappings/chengdu.yaml");
    let document = config.setting_document("till", "mapping").unwrap().unwrap();
    assert_eq!(document.value()["fields"][1]["form"], "数量");
    let shown = |finding| world.shown(&qudao_config::Findings::from(finding));
    insta::assert_snapshot!(shown(document.finding_at_key("/fields/1/form", "the mapping has no key `form` here", Some("did you mean `from`?".to_owned()))), @r#"
    mappings/chengdu.yaml:6:5: error: the mapping has no key `form` here
     6 |     form: 数量
       |     ^^^^
    hint: did you mean `from`?
    "#);
    insta::assert_snapshot!(shown(document.finding_at("/fields/0/from", "the file has no column `门店`", None)), @r#"
    mappings/chengdu.yaml:4:28: error: the file has no column `门店`
     4 |   - {to: store_code, from: 门店}
       |                            ^^^^
    "#);
    insta::assert_snapshot!(shown(document.finding_at("/fields/7/regex", "is odd", None)), @r#"
    mappings/chengdu.yaml:3:1: error: is odd
     3 | fields:
       | ^^^^^^
    "#);
    insta::assert_snapshot!(shown(document.finding_at("/session_key", "nothing is hidden in a mapping", None)), @r#"
    mappings/chengdu.yaml:7:14: error: nothing is hidden in a mapping
     7 | session_key: abcdef0123456789
       |              ^^^^^^^^^^^^^^^^
    "#);
}

#[test]
fn a_map_in_place_of_a_path_has_its_findings_in_connectors_yaml() {
    let world = World::new();
    let config = config(&world, "{kind: stock_snapshot, fields: []}");
    let document = config.setting_document("till", "mapping").unwrap().unwrap();
    assert_eq!((document.path(), document.value()["kind"].as_str()), (None, Some("stock_snapshot")));
    let finding = document.finding_at("/fields", "is empty", None);
    insta::assert_snapshot!(world.shown(&finding.into()), @r#"
    connectors.yaml:6:47: error: is empty
     6 |       mapping: {kind: stock_snapshot, fields: []}
       |                                               ^^
    "#);
    assert!(
        config.setting_document("till", "other").unwrap().is_none(),
        "what is not written is the schema's matter"
    );
}

#[test]
fn a_document_that_is_none_is_told_where_it_is_named() {
    let world = World::new();
    world.write("mappings/list.yaml", b"- a\n- b\n", 0o644);
    world.write("mappings/empty.yaml", b"# nothing\n", 0o644);
    world.write("mappings/gbk.yaml", b"kind: a\nname: \xb3\xc9\n", 0o644);
    world.write("mappings/broken.yaml", "kind: a\nfields: [a, b\nrows: 门店\n".as_bytes(), 0o644);
    let all = [
        "mappings/chendu.yaml",
        "mappings",
        "12",
        "\"\"",
        "mappings/list.yaml",
        "mappings/empty.yaml",
        "mappings/gbk.yaml",
        "mappings/broken.yaml",
    ]
    .map(|mapping| said(&world, mapping));
    insta::assert_snapshot!(all.join("\n"), @r#"
    connectors.yaml:6:16: error: `mappings/chendu.yaml` does not exist
     6 |       mapping: mappings/chendu.yaml
       |                ^^^^^^^^^^^^^^^^^^^^
    hint: paths are relative to this file; `qudao onboard FILE --write MAPPING.yaml` makes one from a file of the ERP

    connectors.yaml:6:16: error: `mappings` is a folder, not a file
     6 |       mapping: mappings
       |                ^^^^^^^^
    hint: paths are relative to this file; `qudao onboard FILE --write MAPPING.yaml` makes one from a file of the ERP

    connectors.yaml:6:16: error: `mapping` is neither the path of a YAML file nor a map
     6 |       mapping: 12
       |                ^^
    hint: write it like `mapping: mappings/shop.yaml`; `qudao onboard FILE --write MAPPING.yaml` makes one from a file of the ERP

    connectors.yaml:6:16: error: `mapping` is neither the path of a YAML file nor a map
     6 |       mapping: ""
       |                ^^
    hint: write it like `mapping: mappings/shop.yaml`; `qudao onboard FILE --write MAPPING.yaml` makes one from a file of the ERP

    mappings/list.yaml:1:1: error: is no map of keys and values
     1 | - a
       | ^
    hint: `qudao onboard FILE --write MAPPING.yaml` makes one from a file of the ERP

    mappings/empty.yaml:1:1: error: holds nothing but comments
    hint: `qudao onboard FILE --write MAPPING.yaml` makes one from a file of the ERP

    mappings/gbk.yaml:2:7: error: byte 0xb3 is not UTF-8, which a configuration is
    hint: save the file as UTF-8; Chinese text from older programs is often GBK (iconv -f GBK -t UTF-8)

    mappings/broken.yaml:2:9: error: this `[` is not closed
     2 | fields: [a, b
       |         ^
    hint: put a `]` at the end, as in `[one, two]`
    "#);
}

#[test]
fn comments_and_order_do_not_change_the_digest() {
    let world = World::new();
    let digest = |text: &str| {
        world.write("a.yaml", text.as_bytes(), 0o644);
        SettingDocument::read(&world.folder().join("a.yaml")).unwrap().digest()
    };
    let plain = digest("kind: sales\nrows: {header_rows: [1]}\n");
    assert_eq!(plain, digest("# mine\nrows:\n  header_rows: [1]\nkind: \"sales\"\n"));
    assert_eq!(plain, digest("{\"rows\": {\"header_rows\": [1]}, \"kind\": \"sales\"}"), "JSON is YAML");
    assert_ne!(plain, digest("kind: sales\nrows: {header_rows: [2]}\n"));
}
