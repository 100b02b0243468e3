//! What a configuration gives to the rest of the program: secrets as they are, findings for what only a connector can tell,
//! the schema, the template.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod world;

use std::path::Path;

use qudao_config::{Secret, Severity, TEMPLATE};
use world::World;

const CONFIG: &str = r#"version: 1
channels:
  wechat-main:
    connector: wechat-pay
    settings:
      mchid: 1636183876
      appid: "微信 wx3d"
    secrets:
      api_v3_key: {file: secrets/api_v3_key}
      other: {env: WECHAT_API_V3_KEY}
    network: [https://api.mch.weixin.qq.com]
"#;

#[test]
fn secrets_arrive_without_their_one_trailing_line_break() {
    let world = World::new();
    for (bytes, expect) in [
        (&b"abc"[..], &b"abc"[..]),
        (b"abc\n", b"abc"),
        (b"abc\r\n", b"abc"),
        (b"abc\n\n", b"abc\n"),
        (b" a b \n", b" a b "),
        (b"\xff\x00\n", b"\xff\x00"),
    ] {
        world.write("secrets/api_v3_key", bytes, 0o600);
        let config = world.load(CONFIG.as_bytes()).unwrap();
        let secrets = &config.channel("wechat-main").unwrap().secrets;
        assert_eq!(secrets.get("api_v3_key").unwrap().expose(), expect);
        assert_eq!(secrets.get("other").unwrap().expose(), b"env-secret-0123456789");
    }
}

#[test]
fn a_secret_never_prints_itself() {
    let secret = Secret::new(b"abc".to_vec());
    assert_eq!(format!("{secret:?} {:?}", Some(&secret)), "*** Some(***)");
}

#[test]
fn what_a_connector_refuses_is_shown_where_it_stands() {
    let world = World::new();
    let config = world.load(CONFIG.as_bytes()).unwrap();
    let at = |pointer: &str, text: &str| {
        world.shown(&config.finding_at(pointer, text, None).hint("as told").into())
    };
    insta::assert_snapshot!(at("/channels/wechat-main/settings/appid", "`appid` is too short"), @r#"
    connectors.yaml:7:14: error: `appid` is too short
     7 |       appid: "微信 wx3d"
       |              ^^^^^^^^^^^
    hint: as told
    "#);
    insta::assert_snapshot!(at("/channels/wechat-main/settings/verify", "`verify` is missing"), @r#"
    connectors.yaml:5:5: error: `verify` is missing
     5 |     settings:
       |     ^^^^^^^^
    hint: as told
    "#);
    insta::assert_snapshot!(at("/channels/wechat-main/network/0", "is not asked for"), @r#"
    connectors.yaml:11:15: error: is not asked for
     11 |     network: [https://api.mch.weixin.qq.com]
        |               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    hint: as told
    "#);
    insta::assert_snapshot!(at("/nowhere/at/all", "is odd"), @r#"
    connectors.yaml:1:1: error: is odd
     1 | version: 1
       | ^
    hint: as told
    "#);
    let key = config.finding_at_key("/channels/wechat-main/secrets/other", "unknown secret `other`", None);
    insta::assert_snapshot!(world.shown(&key.into()), @r#"
    connectors.yaml:10:7: error: unknown secret `other`
     10 |       other: {env: WECHAT_API_V3_KEY}
        |       ^^^^^
    "#);
    // a second line says how to mend it
    let told = "`mchid` has to be text\nthe connector says of it: Number of the merchant";
    let told = config.finding_at("/channels/wechat-main/settings/mchid", told, None);
    assert_eq!(told.text, "`mchid` has to be text");
    assert_eq!(told.hint.as_deref(), Some("the connector says of it: Number of the merchant"));
    // the commonest slip gets its hint by itself
    let mchid = config.finding_at(
        "/channels/wechat-main/settings/mchid",
        "1636183876 is not of type \"string\"",
        None,
    );
    assert_eq!(mchid.hint.as_deref(), Some("put it in quotes: \"1636183876\""));
    assert_eq!((mchid.line, mchid.column, mchid.width, mchid.severity), (6, 14, 10, Severity::Error));
}

#[test]
fn a_quoted_value_that_looks_like_a_secret_is_not_repeated() {
    let world = World::new();
    let text = CONFIG.replace("appid: \"微信 wx3d\"", "app_secret: LEAK-0123456789abc");
    let config = world.load(text.as_bytes()).unwrap();
    let pointer = "/channels/wechat-main/settings/app_secret";
    let said = world.shown(&config.finding_at(pointer, "\"LEAK-0123456789abc\" is not allowed", None).into());
    assert!(said.contains("\"…\" is not allowed") && !said.contains("LEAK"), "{said}");
}

#[test]
fn colour_is_only_there_when_it_is_asked_for() {
    let world = World::new();
    let config = world.load(CONFIG.as_bytes()).unwrap();
    let finding =
        config.finding_at("/channels/wechat-main/settings/appid", "is odd", Some("as told".to_owned()));
    assert!(!finding.render(false).contains('\u{1b}'));
    let styled = finding.render(true);
    assert!(styled.contains("\u{1b}[1m\u{1b}[31merror:\u{1b}[0m"), "{styled:?}");
    let mut plain = styled.clone();
    for part in styled.split('\u{1b}').skip(1) {
        let code = part.split_inclusive('m').next().unwrap();
        plain = plain.replacen(&format!("\u{1b}{code}"), "", 1);
    }
    assert_eq!(plain, finding.render(false), "colour changes nothing else");
}

/// `QUDAO_UPDATE=1 cargo test -p qudao-config` writes it anew.
#[test]
#[allow(clippy::disallowed_methods, reason = "a test may read its own switch")]
fn the_schema_that_is_kept_is_the_one_that_is_used() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/connectors.schema.json");
    if std::env::var("QUDAO_UPDATE").is_ok() {
        let text = serde_json::to_string_pretty(&qudao_config::schema()).unwrap() + "\n";
        std::fs::write(&path, text).unwrap();
    }
    let kept: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert!(kept == qudao_config::schema(), "stale: run QUDAO_UPDATE=1 cargo test -p qudao-config");
    assert!(jsonschema::draft7::meta::is_valid(&kept));
}

#[test]
fn every_member_of_the_schema_is_explained() {
    fn walk(part: &serde_json::Value, at: &str) {
        for (name, member) in part["properties"].as_object().into_iter().flatten() {
            let at = format!("{at}/{name}");
            assert!(
                member["description"].as_str().is_some_and(|text| text.ends_with('.')),
                "{at} has no description"
            );
            walk(member, &at);
        }
        for others in ["additionalProperties", "items"] {
            if part[others].is_object() {
                walk(&part[others], &format!("{at}/*"));
            }
        }
    }
    walk(&qudao_config::schema(), "");
}

/// What a person makes of the template: the channel's lines without their marks.
fn taken_up(template: &str) -> String {
    let (head, channel) = template.split_once("channels: {}\n").expect("a template without channels");
    let lines = channel.lines().map(|line| line.strip_prefix('#').expect("a marked line"));
    format!("{head}channels:\n{}\n", lines.collect::<Vec<_>>().join("\n"))
}

#[test]
fn the_template_is_good_as_it_is_and_taken_up_lacks_only_secrets_and_the_connector() {
    let mut world = World::new();
    let untouched = world.load(TEMPLATE.as_bytes()).unwrap();
    let codes: Vec<&str> = untouched.warnings.iter().map(|finding| finding.code).collect();
    assert_eq!((codes.as_slice(), untouched.channels.len()), (&["no_channels"][..], 0));
    let template = taken_up(TEMPLATE);
    std::fs::remove_file(world.folder().join("plugins/wechat-pay.wasm")).unwrap();
    world.env.clear();
    let missing = world.load(template.as_bytes()).expect_err("secrets are the reader's to add");
    let codes: Vec<&str> = missing.iter().map(|finding| finding.code).collect();
    assert_eq!(codes, ["connector_missing", "secret_env", "secret_file"], "{missing}");

    world.env.insert("WECHAT_API_V3_KEY".to_owned(), "0123456789abcdef0123456789abcdef".to_owned());
    world.write("plugins/wechat-pay.wasm", b"\0asm", 0o644);
    world.write("secrets/wechatpay_public_key.pem", b"-----BEGIN PUBLIC KEY-----", 0o644);
    let config = world.load(template.as_bytes()).unwrap();
    assert!(config.warnings.is_empty(), "{}", config.warnings);
}

#[test]
fn places_where_a_connector_is_looked_for_are_tried_in_order() {
    let world = World::new();
    let path = || world.load(CONFIG.as_bytes()).unwrap().channels.remove(0).connector.path;
    let inside = |name: &str| world.folder().join(name);
    for place in
        ["target/plugins/wechat-pay.wasm", "plugins/wechat-pay/wechat-pay.wasm", "plugins/wechat-pay.wasm"]
    {
        if place.starts_with("target") {
            std::fs::remove_file(inside("plugins/wechat-pay.wasm")).unwrap();
        }
        world.write(place, b"\0asm", 0o644);
        assert_eq!(path(), inside(place));
    }
}

#[test]
fn listings_are_found_by_channel_and_the_order_of_lines_changes_nothing() {
    let world = World::new();
    let load = |csv: &str| {
        world.write("listings/mine.csv", csv.as_bytes(), 0o644);
        world.load(format!("listings: listings/mine.csv\n{CONFIG}").as_bytes()).unwrap().listings
    };
    let one = load("channel,channel_sku,sku\nwechat-main,1,A\nwechat-main,2,B\n");
    assert_eq!((one.get("wechat-main", "1"), one.get("wechat-main", "2")), (Some("A"), Some("B")));
    assert_eq!((one.get("wechat-main", "3"), one.get("other", "1"), one.len()), (None, None, 2));
    assert_eq!(one.of("wechat-main").collect::<Vec<_>>(), [("1", "A"), ("2", "B")]);
    assert_eq!(
        one.digest(),
        load("sku,channel,channel_sku,note\nB,wechat-main,2,x\nA,wechat-main,1,\n").digest()
    );
    assert_ne!(one.digest(), load("channel,channel_sku,sku\nwechat-main,1,A\nwechat-main,2,C\n").digest());
    let none = world.load(CONFIG.as_bytes()).unwrap().listings;
    assert!(none.is_empty());
    assert_ne!(none.digest(), one.digest());
}

#[test]
fn a_stream_has_its_own_pace_where_one_is_written() {
    let world = World::new();
    let text = format!("{CONFIG}    poll: {{every: 2m, streams: {{orders: 30s}}}}\n");
    let poll = world.load(text.as_bytes()).unwrap().channels.remove(0).poll.unwrap();
    assert_eq!((poll.every("orders").as_secs(), poll.every("refunds").as_secs()), (30, 120));
}

#[test]
fn the_master_key_alone_is_found_in_a_file_with_other_mistakes() {
    let world = World::new();
    let found = |gateway: &str| {
        let text = format!("version: 1\ngateway: {gateway}\nchannels: {{a: {{connector: not-there}}}}\n");
        world.write("connectors.yaml", text.as_bytes(), 0o644);
        let secret = qudao_config::master_key(&world.file(), &world.env);
        secret.map(|secret| String::from_utf8(secret.expose().to_vec()).unwrap())
    };
    assert_eq!(found("{master_key: {file: secrets/api_v3_key}}").as_deref(), Some("file-secret-0123456789"));
    assert_eq!(found("{master_key: {env: NOT_SET}}"), None);
    assert_eq!(found("{}"), None);
}

#[test]
fn stores_go_by_the_code_of_the_channel_else_by_that_of_the_connector() {
    let world = World::new();
    let text = CONFIG
        .replace("channels:\n", "stores: stores/good.csv\nchannels:\n  till-42: {connector: wechat-pay}\n");
    let config = world.load(text.as_bytes()).unwrap();
    let codes = |channel: &str| {
        let codes = config.stores.codes_for(config.channel(channel).unwrap());
        codes.into_iter().map(|(theirs, ours)| format!("{theirs}={ours}")).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(codes("wechat-main"), "S12=0012 S17=A017");
    assert_eq!(codes("till-42"), "17=A017 S12=0012");
    let names: Vec<String> =
        config.stores.names().into_iter().map(|(code, name)| format!("{code} {name}")).collect();
    assert_eq!(names, ["0012 成都锦里巷加盟店", "A017 乌鲁木齐天山路, 联营店"]);
}
