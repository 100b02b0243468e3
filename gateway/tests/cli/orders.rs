//! Orders and the people who get them: tables that show masks, and the one command that shows more.

use crate::program::{Folder, Serving, channel};
use data_encoding::HEXLOWER;
use qudao_model::{
    Answer, Asked, EntityKind, Exchange, Observation, OrderFact, OrderFacts, OrderPaymentState, OrderState,
    Receiver, Request, Timestamp, Transcript, Verdict,
    delivery::Acceptance,
    order::{Line, Times, Totals},
    transcript::Answered,
};
use qudao_pipeline::Gateway;
use qudao_storage::{Incoming, Location, Options, Storage};
use qudao_vault::Vault;
use std::{fs, os::unix::fs::PermissionsExt, sync::Arc};

const MASTER: [u8; 32] = [7; 32];

fn at() -> Timestamp {
    "2026-03-12T01:00:00Z".parse().unwrap()
}

fn receiver() -> Receiver {
    Receiver {
        name: Some("韩测评".to_owned()),
        mobile: Some("10019545127".to_owned()),
        address: Some("示例路503号".to_owned()),
        city: Some("杭州市".to_owned()),
        ..Receiver::default()
    }
}

fn order(receiver: Receiver) -> Observation {
    let line =
        Line { discount_fen: 1_000, net_fen: 9_000, ..Line::new(1, "3801192", "风衣, 米色", 2, 5_000) };
    let times = Times {
        created_at: at(),
        paid_at: Some(at()),
        shipped_at: None,
        ended_at: None,
        modified_at: Some(at()),
    };
    let totals = Totals {
        goods_fen: 10_000,
        discount_fen: 1_000,
        payable_fen: 9_000,
        paid_fen: 9_000,
        ..Totals::default()
    };
    let facts = OrderFacts {
        modified_at: Some(at()),
        state: Some(OrderState::ToShip),
        payment_state: Some(OrderPaymentState::Paid),
        currency: Some("CNY".to_owned()),
        totals: Some(totals),
        lines: vec![line],
        receiver: Some(receiver),
        times: Some(times),
        ..OrderFacts::new("2891140940603664", OrderFact::Snapshot)
    };
    Observation::order(at(), facts)
}

/// A folder with a database in which one poll brought one order, as the gateway would have kept it.
async fn kept() -> Folder {
    let folder = Folder::configured();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    fs::write(data.join("master-key"), HEXLOWER.encode(&MASTER)).unwrap();
    fs::set_permissions(data.join("master-key"), fs::Permissions::from_mode(0o600)).unwrap();
    let vault = Arc::new(Vault::new(&MASTER).unwrap());
    let sealing = Gateway::sealing(Arc::clone(&vault));
    let options = Options { vault: Some(sealing), ..Options::new(Location::Sqlite(data), Gateway::fold()) };
    let storage = Storage::open(options).await.unwrap();
    let subject = EntityKind::Order.id("hello-main", &["2891140940603664"]);
    let keys =
        storage.subject_keys(std::slice::from_ref(&subject), &|| vault.new_subject_key()).await.unwrap();
    let sealed = vault.seal_receiver(&keys[&subject], &subject, &receiver()).unwrap();
    storage.commit(incoming(transcript().to_request(), order(sealed))).await.unwrap();
    storage.close().await;
    folder
}

fn transcript() -> Transcript {
    let body = r#"{"name":"韩测评"}"#.as_bytes().to_vec();
    let exchange = Exchange {
        method: "POST".to_owned(),
        url: "https://api.example.com/orders".to_owned(),
        request_sha256: "00".repeat(32),
        sent: true,
        answer: Some(Answered { status: 200, headers: Vec::new(), body }),
        error: None,
    };
    let asked = Asked::Poll { stream: "orders".to_owned(), cursor: None };
    Transcript { asked, exchanges: vec![exchange] }
}

fn incoming(request: Request, observation: Observation) -> Incoming {
    let acceptance = Acceptance {
        dedupe_key: "POLL:1".to_owned(),
        observations: vec![observation],
        notes: Vec::new(),
        answer: Answer { status: 200, headers: Vec::new(), body: Vec::new() },
    };
    Incoming {
        channel: "hello-main".to_owned(),
        received_at: at(),
        request,
        verdict: Verdict::Accepted(acceptance),
        connector: "hello@0.1.0".to_owned(),
        micros: 1,
        personal: true,
    }
}

#[tokio::test]
async fn orders_are_shown_with_masked_receivers() {
    let folder = kept().await;
    insta::assert_snapshot!(folder.run(&["get", "orders"]).expect(0).out, @r#"
    UPDATED              CHANNEL     ORDER             STATE    MONEY  HOLDS   YUAN  RECEIVER                 ANOMALIES  ID
    2026-03-12 09:00:00  hello-main  2891140940603664  to_ship  paid          90.00  韩** *******5127 杭州市             ord_bcaabytjfqpcoy7clwo2njbysh
    "#);
    let order = folder.run(&["get", "order", "--json"]).expect(0).json_lines().remove(0);
    let id = order["id"].as_str().unwrap();
    insta::assert_snapshot!(folder.run(&["get", "order", id]).expect(0).out, @r#"
    id                  ord_bcaabytjfqpcoy7clwo2njbysh
    channel             hello-main
    order_no            2891140940603664
    state               to_ship
    payment_state       paid
    currency            CNY
    totals              goods 100.00, discount 10.00, platform_discount 0.00, adjust 0.00, freight 0.00, tax 0.00, service 0.00, payable 90.00, paid 90.00
    refunded            0.00
    receiver            name 韩**, mobile *******5127, address ***, city 杭州市
    times               created_at 2026-03-12 09:00:00, paid_at 2026-03-12 09:00:00, modified_at 2026-03-12 09:00:00
    version             1
    updated_at          2026-03-12 09:00:00

    LINE  SKU         CHANNEL SKU  QTY   UNIT   GROSS    NET  STATE    TITLE
       1  not listed  3801192        2  50.00  100.00  90.00  to_ship  风衣, 米色
    "#);
    assert_eq!(folder.run(&["get", "order", id, "--json"]).expect(0).json(), order);
    let everything =
        [&["get", "order", id, "--json"][..], &["events", "--json"], &["deliveries", "list", "--json"]]
            .map(|arguments| folder.run(arguments).expect(0).out);
    for clear in ["韩测评", "10019545127", "示例路503号"] {
        assert!(everything.iter().all(|text| !text.contains(clear)), "{clear}");
    }
    insta::assert_snapshot!(folder.run(&["get", "aftersale"]).all(), @r#"
    exit code 0
    --- stdout
    --- stderr
    no aftersales found
    "#);
    let none = folder.run(&["get", "listing", "lst_x"]).expect(1);
    assert!(none.err.contains("there is no listing `lst_x`"), "{}", none.all());
}

#[tokio::test]
async fn a_receiver_is_shown_by_the_gateway_alone_and_for_a_purpose() {
    let folder = kept().await;
    let order = folder.run(&["get", "order", "--json"]).expect(0).json_lines().remove(0);
    let id = order["id"].as_str().unwrap();
    for arguments in [
        &["get", "order", id, "--reveal"][..],
        &["get", "order", id, "--purpose", "to see"],
        &["get", "order", "--reveal", "--purpose", "to see"],
        &["get", "order", id, "--reveal", "--purpose", " "],
    ] {
        folder.run(arguments).expect(64);
    }
    let reveal = ["get", "order", id, "--reveal", "--purpose", "parcel came back"];
    assert!(folder.run(&reveal).expect(1).err.contains("no gateway runs"));

    let serving = Serving::start(&folder);
    insta::assert_snapshot!(folder.run(&reveal).expect(0).out, @r#"
    name                韩测评
    mobile              10019545127
    address             示例路503号
    city                杭州市
    "#);
    let json = folder.run(&[&reveal[..], &["--json"]].concat()).expect(0).json();
    assert_eq!(json, serde_json::to_value(receiver()).unwrap());
    let unknown = folder.run(&["get", "order", "ord_x", "--reveal", "--purpose", "x"]).expect(1);
    assert!(unknown.err.contains("there is no order `ord_x`"), "{}", unknown.all());
    drop(serving);
}

#[tokio::test]
async fn a_poll_is_shown_by_its_exchanges_without_their_bodies() {
    let folder = kept().await;
    let rows = folder.run(&["deliveries", "list", "--json"]).expect(0).json_lines();
    let id = rows[0]["id"].as_str().unwrap();
    let shown = folder.run(&["deliveries", "show", id]).expect(0).out;
    insta::assert_snapshot!(shown.split("\n\n").next().unwrap(), @r#"
    id            dlv_5oyoudyviu765bkyabem5jjgni
    channel       hello-main
    received      2026-03-12 09:00:00
    verdict       accepted
    dedupe key    POLL:1
    connector     hello@0.1.0, 1 µs, attempts: 1
    request       POLL /orders, 270 bytes, sha256 f085f40b16cbeb580f8e71fb5a23968ad0f31ff2ec46ed74beee13c64d1d9d78
    asked         poll of orders, from its beginning
    exchange      POST https://api.example.com/orders -> 200, 20 B
    "#);
    assert!(!shown.contains("韩测评"), "{shown}");
    let silent = folder.run(&["deliveries", "show", id, "--raw"]);
    assert!(silent.code == 64 && silent.err.contains("--raw --purpose TEXT"), "{}", silent.all());
    let raw = ["deliveries", "show", id, "--raw", "--purpose", "what & why"];
    assert!(folder.run(&raw).expect(1).err.contains("no gateway runs"));
    // The raw bytes are what `try` takes; the example connector cannot poll.
    let serving = Serving::start(&folder);
    let raw = folder.run(&raw).expect(0).out;
    drop(serving);
    let tried = folder.run_with_input(&["try", "--channel", "hello-main", "--request", "-"], &raw).expect(1);
    let tried = tried.json();
    assert_eq!((tried["verdict"].as_str(), tried["reason"].as_str()), (Some("failed"), Some("unsupported")));
}

#[tokio::test]
async fn another_master_key_is_refused_before_anything_is_sealed_under_it() {
    let folder = Folder::configured();
    drop(Serving::start(&folder));
    let key = folder.path().join("data/master-key");
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    fs::write(&key, HEXLOWER.encode(&MASTER)).unwrap();
    insta::assert_snapshot!(folder.run(&["serve"]).expect(1).err, @r#"
    error: the master key is not the one that this data folder was begun with
    hint: bring the old key back: personal data in DIR/data is sealed under it. Where nothing of it is wanted any more, remove DIR/data/master-key.id
    "#);
}

#[tokio::test]
async fn channels_and_commands_of_a_running_gateway() {
    let folder = Folder::new();
    folder.configure(&channel("hello-main", ""));
    let serving = Serving::start(&folder);
    insta::assert_snapshot!(folder.run(&["channels"]).expect(0).out, @r#"
    CHANNEL     STATUS  CONNECTOR    STREAM  READ  LAST ERROR
    hello-main  live    hello@0.1.0
    "#);
    assert_eq!(folder.run(&["channels", "--json"]).expect(0).json_lines()[0]["name"], "hello-main");
    folder.run(&["channels", "resume", "hello-main"]).expect(0);
    insta::assert_snapshot!(folder.run(&["channels", "resume", "hello-mian"]).expect(1).err, @r#"
    error: there is no channel `hello-mian`
    hint: qudao channels lists them
    "#);
    let send = [
        "commands",
        "send",
        "--channel",
        "hello-main",
        "--kind",
        "refund.create",
        "--key",
        "k-1",
        "--payload",
    ];
    let said = [&["{}"][..], &["{"], &["@nowhere.json"]]
        .map(|payload| folder.run(&[&send[..], payload].concat()).all());
    insta::assert_snapshot!(said.join("\n"), @r#"
    exit code 1
    --- stdout
    --- stderr
    error: channel `hello-main` knows no command `refund.create`
    hint: `qudao plugin inspect` lists the commands of a connector

    exit code 64
    --- stdout
    --- stderr
    error: the payload is not JSON: EOF while parsing an object at line 1 column 1
    hint: write it like --payload '{"order_no": "SO1"}', or --payload @FILE

    exit code 1
    --- stdout
    --- stderr
    error: cannot read nowhere.json: No such file or directory (os error 2)
    "#);
    let list = [&["commands", "list"][..], &["commands", "list", "--json"], &["commands", "show", "cmd_x"]]
        .map(|arguments| folder.run(arguments).all());
    insta::assert_snapshot!(list.join("\n"), @r#"
    exit code 0
    --- stdout
    --- stderr
    no commands found

    exit code 0
    --- stdout
    --- stderr

    exit code 1
    --- stdout
    --- stderr
    error: there is no command `cmd_x`
    hint: qudao commands list shows their ids
    "#);
    drop(serving);
}
