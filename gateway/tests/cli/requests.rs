//! `try`: recorded requests through a connector, nothing stored.

use crate::program::{Folder, root};
use serde_json::Value;

fn case(name: &str) -> String {
    let file = root().join("examples/hello-connector/fixtures/cases").join(format!("{name}.json"));
    std::fs::read_to_string(file).unwrap()
}

/// The same as one line.
fn line(name: &str) -> String {
    serde_json::from_str::<Value>(&case(name)).unwrap().to_string()
}

fn stable(mut outcome: Value) -> String {
    assert!(outcome["micros"].take().as_u64().unwrap() > 0);
    serde_json::to_string_pretty(&outcome).unwrap()
}

#[test]
fn an_accepted_request_shows_what_was_read() {
    let folder = Folder::configured();
    folder.write("r.json", &case("payment_succeeded"));
    let mut said =
        folder.run(&["try", "--channel", "hello-main", "--request", "r.json"]).expect(0).json_lines();
    assert_eq!(said.len(), 1);
    insta::assert_snapshot!(stable(said.remove(0)), @r#"
    {
      "answer": {
        "body_base64": "c3VjY2Vzcw==",
        "headers": [
          [
            "content-type",
            "text/plain; charset=utf-8"
          ]
        ],
        "status": 200
      },
      "calls": 1,
      "dedupe_key": "n-1001",
      "micros": null,
      "observations": [
        {
          "currency": "CNY",
          "entity": "payment",
          "evidence": "notice",
          "key": [
            "s-001",
            "SO20260121-1"
          ],
          "merchant_no": "s-001",
          "method": "stored_card",
          "occurred_at": "2026-01-21T04:58:17Z",
          "order_no": "SO20260121-1",
          "paid_at": "2026-01-21T04:58:17Z",
          "payer_paid_fen": 8880,
          "requested_fen": 8880,
          "schema": "qudao.payment.v1",
          "state": "paid",
          "transaction_no": "P90001"
        }
      ],
      "verdict": "accepted"
    }
    "#);
    assert!(!folder.path().join("data").exists(), "nothing is stored");
}

#[test]
fn a_refused_one_says_why_to_the_operator() {
    let folder = Folder::configured();
    let input = format!("{}\n\n{}\n", line("amount_changed"), line("sent_again_next_day"));
    let said = folder.run_with_input(&["try", "--channel", "hello-main", "--request", "-"], &input);
    let mut said = said.expect(0).json_lines();
    assert_eq!(said.len(), 2);
    assert_eq!(said[1]["reason"], "timestamp_out_of_window");
    insta::assert_snapshot!(stable(said.remove(0)), @r#"
    {
      "answer": {
        "body_base64": "ZmFpbA==",
        "headers": [
          [
            "content-type",
            "text/plain; charset=utf-8"
          ]
        ],
        "status": 401
      },
      "calls": 1,
      "explain": "X-Signature does not fit the secret of this channel",
      "micros": null,
      "reason": "bad_signature",
      "verdict": "rejected"
    }
    "#);
}

#[test]
fn the_clock_is_the_lines_own_then_the_options_then_the_machines() {
    let folder = Folder::configured();
    let mut request: Value = serde_json::from_str(&case("payment_succeeded")).unwrap();
    let with_now = request.to_string();
    request.as_object_mut().unwrap().remove("now");
    folder.write("own.json", &with_now);
    folder.write("none.json", &request.to_string());
    let verdict = |file: &str, at: &[&str]| {
        let arguments = [&["try", "--channel", "hello-main", "--request", file], at].concat();
        folder.run(&arguments).expect(0).json()["verdict"].as_str().unwrap().to_owned()
    };
    assert_eq!(verdict("own.json", &["--at", "2027-01-01T00:00:00Z"]), "accepted");
    assert_eq!(verdict("none.json", &["--at", "2026-01-21T12:58:20+08:00"]), "accepted");
    assert_eq!(verdict("none.json", &["--at", "1768971500"]), "accepted");
    assert_eq!(verdict("none.json", &[]), "rejected");
}

#[test]
fn a_connector_that_fails_makes_the_exit_code_1() {
    let folder = Folder::new();
    folder.configure(&crate::program::channel("hello-main", "    limits: {host_calls: 1}\n"));
    folder.write("r.json", &case("payment_succeeded"));
    let said = folder.run(&["try", "--channel", "hello-main", "--request", "r.json"]).expect(1);
    assert_eq!(said.json()["verdict"], "failed");
    assert_eq!(said.json()["reason"], "limit_host_calls");
}

#[test]
fn mistakes_in_the_file_and_the_channel_are_told() {
    let folder = Folder::configured();
    folder.write("r.json", &format!("{}\n{{\"method\": \"POST\"}}\n", line("payment_succeeded")));
    folder.write("empty.json", "\n");
    folder.write("good.json", &case("payment_succeeded"));
    let all = [
        ("hello-main", "r.json"),
        ("hello-main", "empty.json"),
        ("hello-main", "gone.json"),
        ("hullo", "good.json"),
    ]
    .map(|(channel, file)| folder.run(&["try", "--channel", channel, "--request", file]).all());
    insta::assert_snapshot!(all.join("\n"), @r#"
    exit code 1
    --- stdout
    --- stderr
    error: r.json:2: is not a request: missing field `path`
    hint: a request is {"method", "path", "query"?, "headers": [[name, value], …], "body_base64"}

    exit code 1
    --- stdout
    --- stderr
    error: empty.json holds no request
    hint: a request file has one JSON object a line; see `qudao try --help`

    exit code 1
    --- stdout
    --- stderr
    error: cannot read gone.json: No such file or directory (os error 2)

    exit code 64
    --- stdout
    --- stderr
    error: connectors.yaml has no channel `hullo`
    hint: it has hello-main
    "#);
}
