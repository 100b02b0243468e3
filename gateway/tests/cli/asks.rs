//! What a connector asks and does: shown, tried on what the platform answered, and asked for through a running gateway.

use crate::program::{Folder, Serving, root};
use qudao_sdk::fixtures::AskCase;
use serde_json::{Value, json};
use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    sync::OnceLock,
};

/// A connector that asks and does; built once a process.
fn asker() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let toolchain = qudao_build::target::ensure(&mut |_| {}).unwrap();
        qudao_build::component(&source(), None, toolchain, &mut |_| {}).unwrap().path
    })
}

fn source() -> PathBuf {
    root().join("plugins/wechat-pay")
}

/// YAML of a channel of it, whose platform is at `origin`.
fn channel(name: &str, origin: &str, more: &str) -> String {
    let (component, keys) = (asker().display(), source().join("fixtures/keys"));
    let keys = keys.display();
    format!(
        "  {name}:
    connector: {component}
    settings: {{mchid: \"1636183876\", appid: wx3d7e05c07c7cc2b8, verify: public_key, mch_serial: \"52FD27738E720B25377FD72FCEF8A534966E3204\",
      public_key_id: PUB_KEY_ID_0116361838762063350971969442922671, base_url: \"{origin}\"}}
    secrets:
      api_v3_key: {{file: {keys}/api_v3_key.txt}}
      platform_public_key: {{file: {keys}/wechatpay_public_key.pem}}
      merchant_private_key: {{file: {keys}/merchant_private_key.pem}}
    network: [\"{origin}\"]
{more}"
    )
}

/// A line for `try`, as the gateway would have kept the ask of a fixture.
fn line(case: &str) -> String {
    let cases = AskCase::load_all(&source().join("fixtures")).unwrap();
    let case = cases.iter().find(|one| one.name == case).unwrap();
    let mut line = serde_json::to_value(case.transcript().to_request()).unwrap();
    line["now"] = json!(case.now);
    line.to_string()
}

#[test]
fn inspect_shows_what_it_asks_for_and_what_it_can_do() {
    let folder = Folder::new();
    let said = folder.run(&["plugin", "inspect", asker().to_str().unwrap()]).expect(0).out;
    let (_, asks) = said.split_once("\nfetches ").unwrap();
    insta::assert_snapshot!(asks, @r#"
    (single things it asks for)
      KIND     ASKED AGAIN AFTER              GIVEN UP AFTER
      payment  5s, 30s, 1m, 3m, 5m, 10m, 30m  125m
      refund   1m, 5m, 30m, 6h                14d

    commands (what it can have the platform do)
      KIND           SETTLED BY  PAYLOAD
      refund.create  refund      amount_fen: integer, order_no: string, reason?: string, refund_no: string, sub_merchant_no?: string, total_fen: integer
      payment.close  payment     order_no: string, sub_merchant_no?: string
    "#);
}

#[test]
fn fixtures_of_asks_run_through_the_component() {
    asker();
    let folder = Folder::new();
    let said = folder.run(&["plugin", "test", source().to_str().unwrap(), "--json"]).expect(0).json_lines();
    let asks = AskCase::load_all(&source().join("fixtures")).unwrap();
    assert!(asks.len() > 5, "{}", asks.len());
    for ask in &asks {
        let went = said.iter().find(|went| went["case"] == ask.name.as_str()).unwrap();
        let verdict = if ask.expect.failure.is_some() {
            went["verdict"] == "failed"
        } else {
            went["verdict"] != "failed"
        };
        assert!(went["passed"] == true && verdict, "{went}");
    }
}

#[test]
fn what_was_asked_is_tried_on_the_answers_of_then() {
    let folder = Folder::new();
    folder.configure(&channel("pay", "https://api.mch.weixin.qq.com", ""));
    let run = |case: &str, code: i32| -> Value {
        let said =
            folder.run_with_input(&["try", "--channel", "pay", "--request", "-"], &line(case)).expect(code);
        let mut said = said.json();
        said["micros"] = json!(0);
        said
    };
    let taken = run("refund_taken", 0);
    assert_eq!(
        (&taken["verdict"], &taken["effect"]["state"]),
        (&json!("accepted"), &json!("accepted")),
        "{taken}"
    );
    assert_eq!(taken["observations"][0]["refund_no"], "RF2026011291432516");
    let paid = run("payment_paid", 0);
    assert_eq!((&paid["verdict"], &paid["more"]), (&json!("accepted"), &json!(false)), "{paid}");
    assert_eq!(paid["observations"][0]["evidence"], "query");
    let limited = run("limited", 1);
    assert_eq!((&limited["verdict"], &limited["class"]), (&json!("failed"), &json!("platform")), "{limited}");
    assert!(limited["reason"].is_string() && !limited["retry"].is_null(), "{limited}");

    let broken = line("payment_paid").replace("\"body_base64\":\"", "\"body_base64\":\"AAAA");
    let said = folder.run_with_input(&["try", "--channel", "pay", "--request", "-"], &broken).expect(1);
    assert!(said.err.contains("the body of a FETCH is not a transcript"), "{}", said.all());
}

#[tokio::test]
async fn a_command_is_kept_once_and_refused_where_it_cannot_be() {
    // Nobody listens there: the platform cannot be reached, and what is kept stays kept.
    let origin = format!("http://{}", TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap());
    let folder = Folder::new();
    let channels = [channel("pay", &origin, ""), channel("shadow", &origin, "    status: shadow\n")];
    folder.configure(&channels.concat());
    let serving = Serving::start(&folder);
    let send = |channel: &str, key: &str, payload: &Value| {
        let payload = payload.to_string();
        let fixed = ["commands", "send", "--json", "--channel", channel, "--kind", "refund.create"];
        folder.run(&[&fixed[..], &["--key", key, "--payload", &payload]].concat())
    };
    let payload = json!({"order_no": "SO0001", "refund_no": "RF0001", "amount_fen": 100, "total_fen": 100});
    let new = send("pay", "k-1", &payload).expect(0).json();
    assert_eq!((&new["state"], &new["payload"]), (&json!("queued"), &payload));
    assert_eq!(send("pay", "k-1", &payload).expect(0).json()["id"], new["id"]);
    let other = json!({"order_no": "SO0001", "refund_no": "RF0001", "amount_fen": 99, "total_fen": 100});
    for (channel, key, payload, says) in [
        ("pay", "k-1", &other, "the idempotency key was used for another command"),
        ("pay", "k-2", &json!({"order_no": "SO0001"}), "the payload does not fit"),
        ("shadow", "k-3", &payload, "the channel `shadow` is shadow: it takes no commands"),
        ("nowhere", "k-4", &payload, "there is no channel `nowhere`"),
        ("pay", "two words", &payload, "an idempotency key has 1 to 200 visible ASCII characters"),
    ] {
        let said = send(channel, key, payload).expect(1);
        assert!(said.err.contains(says), "{}", said.all());
    }
    let listed = folder.run(&["commands", "list", "--json", "--channel", "pay"]).expect(0).json_lines();
    assert_eq!((listed.len(), &listed[0]["id"]), (1, &new["id"]));
    let shown = folder.run(&["commands", "show", new["id"].as_str().unwrap()]).expect(0).out;
    assert!(shown.contains("kind          refund.create\nkey           k-1\n"), "{shown}");
    drop(serving);
}
