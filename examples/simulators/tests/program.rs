//! The program against receivers that are obliging, strict or not there.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test ends where its set-up fails")]

use serde_json::Value;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Output, Stdio};

/// A receiver that answers every request the same. It lives until the test ends.
fn receiver(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            read_request(&mut stream);
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    format!("http://{address}/hooks/any")
}

fn read_request(stream: &mut TcpStream) {
    let mut seen = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&seen).into_owned();
        if let Some((head, _)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if seen.len() >= head.len() + 4 + length.unwrap_or(0) {
                return;
            }
        }
        match stream.read(&mut chunk).unwrap() {
            0 => return,
            count => seen.extend_from_slice(&chunk[..count]),
        }
    }
}

fn sim(arguments: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_qudao-sim")).args(arguments.split_whitespace()).output().unwrap()
}

fn lines(output: &Output) -> Vec<Value> {
    String::from_utf8_lossy(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

const YES: &str = "HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n\r\nsuccess";
const NO: &str = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

#[test]
fn honest_notices_that_are_taken_end_well() {
    for platform in ["wechat-pay", "alipay"] {
        let to = receiver(YES);
        let output = sim(&format!("{platform} --to {to} --scenario refunds --count 6 --seed 1 --json"));
        let lines = lines(&output);
        let (end, notices) = lines.split_last().unwrap();
        assert_eq!(output.status.code(), Some(0), "{platform}");
        assert!(notices.iter().all(|notice| notice["right"] == true && notice["status"] == 200));
        assert_eq!(end["posted"], notices.len());
        assert_eq!(end["truth"]["payments"].as_array().unwrap().len(), 6);
        let refunds: BTreeSet<&str> =
            notices.iter().filter_map(|notice| notice["refund_no"].as_str()).collect();
        assert!(!refunds.is_empty());
        assert_eq!(end["truth"]["refunds"].as_array().unwrap().len(), refunds.len());
    }
}

#[test]
fn a_receiver_that_takes_forged_notices_is_found_out() {
    let to = receiver(YES);
    let output = sim(&format!("alipay --to {to} --scenario hostile --count 4 --seed 1"));
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("accepted, but must be refused: bad_signature"), "{text}");
    assert!(text.contains("3 wrong answers"), "{text}");
    assert!(!text.contains('\u{1b}'), "no colour where nobody looks");
}

#[test]
fn honest_notices_that_are_refused_come_again() {
    let to = receiver(NO);
    let output = sim(&format!("wechat-pay --to {to} --scenario payments --count 1 --retry 1 --json"));
    let lines = lines(&output);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!((&lines[0]["attempts"], &lines[0]["outcome"]), (&Value::from(2), &Value::from("rejected")));
    assert_eq!(lines[1]["truth"]["payments"], Value::Array(Vec::new()));
}

#[test]
fn printed_deliveries_are_the_same_in_every_run() {
    let run = || sim("wechat-pay --print --seed 7 --at 2026-01-21T04:58:17Z").stdout;
    let first = run();
    assert_eq!(first, run());
    let output = sim("alipay --print --seed 7 --at 2026-01-21T04:58:17Z");
    let line = lines(&output).into_iter().next().unwrap();
    assert_eq!((&line["method"], &line["path"]), (&Value::from("POST"), &Value::from("/hooks/alipay")));
    assert_eq!(line["now"], 1_768_971_497);
    assert!(line["headers"][0][1].as_str().unwrap().starts_with("application/x-www-form-urlencoded"));
}

#[test]
fn a_simulator_that_listens_says_where() {
    for (arguments, setting) in [
        ("tmall --stock 3 --numbers", "app_key"),
        ("jd --at 2026-01-21T04:58:17Z --stock 2", "app_key"),
        ("jddj --encrypted", "app_key"),
        ("qimen --form json", "customer_id"),
        ("wechat-pay --listen 127.0.0.1:0", "mch_serial"),
        ("alipay --listen 127.0.0.1:0 --mode certificate", "app_id"),
    ] {
        let mut program = Command::new(env!("CARGO_BIN_EXE_qudao-sim"))
            .args(arguments.split_whitespace())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(program.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let told: Value = serde_json::from_str(&line).unwrap();
        let address = told["url"].as_str().unwrap().strip_prefix("http://").unwrap().to_owned();
        assert!(told[setting].is_string(), "{told}");
        let mut stream = TcpStream::connect(&address).unwrap();
        write!(stream, "GET /_sim/ledger HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (_, ledger) = answer.split_once("\r\n\r\n").unwrap();
        let ledger: Value = serde_json::from_str(ledger).unwrap();
        let orders = ledger["truth"]["orders"].as_array().map_or(0, Vec::len);
        let stocked = ["tmall", "jd "].iter().position(|word| arguments.starts_with(word));
        assert_eq!(orders, stocked.map_or(0, |place| [3, 2][place]), "{arguments}");
        program.kill().unwrap();
        program.wait().unwrap();
    }
}

#[test]
fn wrong_usage_says_so() {
    for arguments in [
        "",
        "unionpay",
        "alipay",
        "alipay --print --rate 0",
        "alipay --print --from /nowhere",
        "tmall --to http://x",
        "jd --listen nowhere",
    ] {
        let output = sim(arguments);
        assert_eq!(output.status.code(), Some(64), "{arguments}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{arguments}");
    }
    assert_eq!(sim("--help").status.code(), Some(0));
}
