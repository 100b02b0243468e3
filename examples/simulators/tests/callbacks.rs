//! JDDJ and Qimen: what they post, how it is signed, how often they try; and the order query of JDDJ.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test ends where its set-up fails"
)]

mod caller;

use aws_lc_rs::cipher::{AES_128, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey};
use caller::{NOW, NOW_TEXT, encode, owned, post, same_shape, sample, sign};
use data_encoding::{BASE64, HEXUPPER};
use md5::{Digest, Md5};
use qudao_sim::fault::{Fault, Kind};
use qudao_sim::market::{Basket, Edit};
use qudao_sim::qimen::{Caller, Form, Goods, Report};
use qudao_sim::{jddj, qimen};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc;

/// A receiver that gives these answers, one a request, and tells what it got: target and body.
fn receiver(answers: &[&'static str]) -> (String, mpsc::Receiver<(String, String)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hooks/main", listener.local_addr().unwrap());
    let (tell, told) = mpsc::channel();
    let answers = answers.to_vec();
    std::thread::spawn(move || {
        for (answer, stream) in answers.iter().zip(listener.incoming()) {
            let mut stream = stream.unwrap();
            let mut seen = Vec::new();
            let mut chunk = [0; 4096];
            let (head, length) = loop {
                let count = stream.read(&mut chunk).unwrap();
                seen.extend_from_slice(&chunk[..count]);
                let text = String::from_utf8_lossy(&seen).into_owned();
                if let Some((head, _)) = text.split_once("\r\n\r\n") {
                    let length = head
                        .to_lowercase()
                        .lines()
                        .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
                    if seen.len() >= head.len() + 4 + length.unwrap_or(0) {
                        break (head.to_owned(), length.unwrap_or(0));
                    }
                }
            };
            let body = String::from_utf8_lossy(&seen[seen.len() - length..]).into_owned();
            let target = head.split_whitespace().nth(1).unwrap().to_owned();
            tell.send((target, body)).unwrap();
            let length = answer.len();
            write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{answer}"
            )
            .unwrap();
        }
    });
    (url, told)
}

const TAKEN: &str = r#"{"code":"0","msg":"success","data":""}"#;
const AGAIN: &str = r#"{"code":"-10000","msg":"later","data":""}"#;

fn station(encrypted: bool) -> jddj::Station {
    jddj::Station::start(jddj::Options { encrypted, ..jddj::Options::at(NOW) }).unwrap()
}

fn form(body: &str) -> Vec<(String, String)> {
    serde_urlencoded::from_str(body).unwrap()
}

/// The business part, if the signature over the plain form holds.
fn opened(body: &str, secret: &str) -> Option<Value> {
    let mut fields = form(body);
    let at = fields.iter().position(|(name, _)| name == "sign").unwrap();
    let (_, given) = fields.remove(at);
    for (name, value) in fields.iter_mut().filter(|(name, _)| name == "encrypt_jd_param_json") {
        let key = UnboundCipherKey::new(&AES_128, &secret.as_bytes()[..16]).unwrap();
        let start: [u8; 16] = secret.as_bytes()[16..32].try_into().unwrap();
        let mut bytes = BASE64.decode(value.as_bytes()).unwrap();
        let key = PaddedBlockDecryptingKey::cbc_pkcs7(key).unwrap();
        let plain = key.decrypt(&mut bytes, DecryptionContext::Iv128(start.into())).unwrap();
        (*name, *value) = ("jd_param_json".to_owned(), String::from_utf8(plain.to_vec()).unwrap());
    }
    let content = fields.iter().find(|(name, _)| name == "jd_param_json").unwrap().1.clone();
    (sign(secret, &fields) == given).then(|| serde_json::from_str(&content).unwrap())
}

#[tokio::test]
async fn a_station_tells_until_it_is_believed() {
    for encrypted in [false, true] {
        let station = station(encrypted);
        let (url, told) = receiver(&[AGAIN, TAKEN, TAKEN]);
        let no = station.place(Basket::of("TX26S432-OT-L", 9_900)).unwrap();
        station.edit(&no, &Edit::Pay).unwrap();
        station.edit(&no, &Edit::Accept).unwrap();
        let outcomes = station.deliver(&url).await.unwrap();
        let attempts: Vec<(String, u32, bool)> =
            outcomes.into_iter().map(|told| (told.name, told.attempts, told.taken)).collect();
        assert_eq!(attempts, [("newOrder".into(), 2, true), ("orderWaitOutStore".into(), 1, true)]);
        let got: Vec<(String, String)> = told.iter().take(3).collect();
        assert_eq!(got[0].0, "/hooks/main/djsw/newOrder");
        assert_ne!(form(&got[0].1), form(&got[1].1), "the outer time differs");
        for (_, body) in &got {
            let content = opened(body, station.app_secret()).expect("the signature holds");
            assert_eq!((&content["billId"], &content["timestamp"]), (&json!(no), &json!(NOW_TEXT)));
            assert_eq!(body.contains("encrypt_jd_param_json"), encrypted);
        }
        assert!(station.waiting().is_empty());
    }
}

#[tokio::test]
async fn notices_get_lost_repeated_forged_and_swapped() {
    let station = station(false);
    let (url, told) = receiver(&[TAKEN; 5]);
    let no = station.place(Basket::of("TX26S432-OT-L", 9_900)).unwrap();
    for edit in [Edit::Pay, Edit::Accept, Edit::refund(0)] {
        station.edit(&no, &edit).unwrap();
    }
    station.fault(Fault::new(Kind::DropBefore).on("newOrder"));
    station.fault(Fault::new(Kind::Duplicate).on("orderWaitOutStore"));
    station.fault(Fault::new(Kind::WrongSignature).on("applyCancelOrder"));
    station.fault(Fault::new(Kind::Reorder).on("applyCancelOrder"));
    let outcomes = station.deliver(&url).await.unwrap();
    let names: Vec<(&str, u32)> = outcomes.iter().map(|told| (told.name.as_str(), told.attempts)).collect();
    assert_eq!(
        names,
        [("applyCancelOrder", 1), ("orderWaitOutStore", 1), ("orderWaitOutStore", 1), ("newOrder", 0)]
    );
    let got: Vec<(String, String)> = told.iter().take(3).collect();
    assert!(opened(&got[0].1, station.app_secret()).is_none(), "forged");
    assert!(opened(&got[1].1, station.app_secret()).is_some());
    assert_eq!(station.truth().order(&no).unwrap().hold, Some("cancel_asked"));
}

#[tokio::test]
async fn an_order_is_read_back_as_the_real_one_writes_it() {
    let station = station(false);
    let mut basket = Basket::of("WJ26S356-WR-F", 25_900);
    basket.items.push(qudao_sim::market::Item::of("TX26S432-OT-L", 1, 9_900));
    (basket.seller_off_fen, basket.freight_fen, basket.service_fen) = (3_000, 600, 100);
    let no = station.place(basket).unwrap();
    station.edit(&no, &Edit::Pay).unwrap();
    let (key, token) = (station.app_key().to_owned(), station.token().to_owned());
    let url = format!("{}/djapi/order/es/query", station.url());
    let ask = async |content: Value, secret: &str| -> Value {
        let mut all = owned(&[
            ("token", &token),
            ("app_key", &key),
            ("timestamp", NOW_TEXT),
            ("format", "json"),
            ("v", "1.0"),
            ("jd_param_json", &content.to_string()),
        ]);
        all.push(("sign".to_owned(), sign(secret, &all)));
        post(&url, encode(&all)).await.unwrap().json().await.unwrap()
    };
    let answer = ask(json!({"orderId": no}), station.app_secret()).await;
    let wanted = sample(include_str!("samples/jddj_order.json"));
    same_shape(&wanted, &answer, "");
    let inner = |answer: &Value| sample(answer["data"].as_str().unwrap());
    same_shape(&inner(&wanted), &inner(&answer), "data");
    let order = inner(&answer)["result"]["resultList"][0].clone();
    assert_eq!((&order["orderStatus"], &order["orderBuyerPayableMoney"]), (&json!(41_000), &json!(33_500)));
    let nets: Vec<i64> = station.truth().order(&no).unwrap().lines.iter().map(|line| line.net_fen).collect();
    assert_eq!(nets, [23_730, 9_070]);
    let none = ask(json!({"orderId": "1"}), station.app_secret()).await;
    assert_eq!(inner(&none)["result"]["totalCount"], 0);
    assert_eq!(ask(json!({"orderId": no}), "another secret of whatever length").await["code"], "-1");
    station.edit(&no, &Edit::Cancel).unwrap();
    let order = station.truth().order(&no).cloned().unwrap();
    assert_eq!((order.state, order.payment_state), ("cancelled", "paid"));
    assert!(station.truth().aftersales().is_empty(), "JDDJ does not tell of the money");
}

const SUCCESS: &str = "<response><flag>success</flag><code>0</code><message></message></response>";
const FAILURE: &str = "<response><flag>failure</flag><code>1</code><message>later</message></response>";

#[tokio::test]
async fn qimen_signs_the_raw_bytes() {
    for (form, answer) in
        [(Form::Xml, SUCCESS), (Form::XmlGbk, SUCCESS), (Form::Json, r#"{"response":{"flag":"success"}}"#)]
    {
        let caller = Caller::start(qimen::Options { form, ..qimen::Options::at(NOW) }).unwrap();
        let (url, told) = receiver(&[answer]);
        let document = caller.report(Report::Progress {
            order_code: "DO1729059533".into(),
            status: "PACKAGE".into(),
            info: "已打包 & 待揽收 <样>".into(),
        });
        let callback = caller.callback(&document).unwrap();
        assert!(caller.deliver(&url).await.unwrap()[0].taken, "{form:?}");
        let (target, _) = told.recv().unwrap();
        let (_, query) = target.split_once('?').unwrap();
        let mut fields: Vec<(String, String)> = serde_urlencoded::from_str(query).unwrap();
        let (_, given) = fields.pop().unwrap();
        fields.sort();
        let text: String = fields.iter().flat_map(|(name, value)| [name.as_str(), value]).collect();
        let secret = caller.app_secret().as_bytes();
        let text = [secret, text.as_bytes(), &callback.body, secret].concat();
        assert_eq!(given, HEXUPPER.encode(&Md5::digest(&text)), "{form:?}");
        let (body, _, wrong) =
            if form == Form::XmlGbk { encoding_rs::GBK } else { encoding_rs::UTF_8 }.decode(&callback.body);
        assert!(!wrong && body.contains("已打包"), "{body}");
    }
}

#[tokio::test]
async fn every_document_of_qimen() {
    let caller = Caller::start(qimen::Options::at(NOW)).unwrap();
    let goods = || {
        vec![
            Goods::of("YR26S331-OT-XL", 1),
            Goods { condition: "CC".into(), ..Goods::of("YR26S940-BL-XL", 2) },
        ]
    };
    let empty = String::new;
    let reports = [
        Report::Shipped {
            order_code: empty(),
            carrier: empty(),
            waybill: empty(),
            lines: goods(),
            interim: false,
        },
        Report::StockChanged { order_code: empty(), lines: goods() },
        Report::Returned { order_code: empty(), waybill: empty(), lines: goods() },
        Report::Create {
            order_code: empty(),
            source_order_no: empty(),
            warehouse: empty(),
            freight_fen: 600,
            lines: vec![Goods { price_fen: 129_900, off_fen: 500, ..Goods::of("DY26S426-WR-M", 1) }],
        },
        Report::Cancel { order_code: "DO7682197512".into(), reason: "买家取消".into() },
    ];
    let expects: [&[&str]; 5] = [
        &[
            "<status>DELIVERED</status>",
            "<confirmType>0</confirmType>",
            "<orderLineNo>2</orderLineNo>",
            "<actualQty>2</actualQty>",
        ],
        &[
            "<quantity>1</quantity>",
            "<inventoryType>CC</inventoryType>",
            "<changeTime>2026-03-12 00:59:51</changeTime>",
        ],
        &["<planQty>1</planQty><actualQty>1</actualQty>", "<orderType>THRK</orderType>"],
        &[
            "<totalAmount>1300.00</totalAmount>",
            "<actualPrice>1294.00</actualPrice>",
            "<warehouseCode>S0007</warehouseCode>",
        ],
        &["<cancelReason>买家取消</cancelReason>"],
    ];
    for (report, expect) in reports.into_iter().zip(expects) {
        let document = caller.report(report);
        let body = String::from_utf8(caller.callback(&document).unwrap().body).unwrap();
        for part in expect {
            assert!(body.contains(part), "{part} in {body}");
        }
    }
    let codes: std::collections::BTreeSet<String> =
        caller.truth().into_iter().map(|document| document.out_biz_code).collect();
    assert_eq!(codes.len(), 5);
    let (url, told) = receiver(&[FAILURE, SUCCESS, SUCCESS, SUCCESS, SUCCESS, SUCCESS]);
    let outcomes = caller.deliver(&url).await.unwrap();
    assert_eq!(outcomes.iter().map(|told| told.attempts).collect::<Vec<_>>(), [2, 1, 1, 1, 1]);
    let (first, again) = (told.recv().unwrap(), told.recv().unwrap());
    assert_eq!(first.1, again.1, "a repeat has the same body, and so the same outBizCode");
}
