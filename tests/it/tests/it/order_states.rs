//! Every row of `order_states.md`, through the real connectors: what a platform's word becomes. The other half of each row,
//! what the gateway makes of it, is held beside the fold.

use qudao_host::{Connector, Told};
use qudao_kit::root;
use qudao_model::{Asked, Exchange, Facts, OrderFacts, Transcript, transcript::Answered};
use qudao_sdk::fixtures::{AskCase, Channel};
use serde_json::{Value, json};

/// One row: platform, its word with what qualifies it, and the three columns a connector fills.
struct Row {
    platform: String,
    word: String,
    qualifier: String,
    expect: [String; 3],
}

fn rows() -> Vec<Row> {
    let table = include_str!("order_states.md").lines().filter(|line| line.starts_with('|')).skip(2);
    let rows = table.map(|line| {
        let cells: Vec<String> = line.split('|').map(|cell| cell.trim().replace('`', "")).collect();
        let (word, qualifier) = cells[2].split_once(", ").unwrap_or((&cells[2], ""));
        Row {
            platform: cells[1].clone(),
            word: if word.starts_with("any other") { "77777".to_owned() } else { word.to_owned() },
            qualifier: qualifier.to_owned(),
            expect: [cells[3].clone(), cells[4].clone(), cells[5].clone()],
        }
    });
    rows.collect()
}

/// A recorded order of the plugin, and the connector that reads it.
async fn recorded(plugin: &str, case: &str) -> (Connector, AskCase) {
    let fixtures = root().join("plugins").join(plugin).join("fixtures");
    let cases = AskCase::load_all(&fixtures).unwrap();
    let case = cases.into_iter().find(|one| one.name == case).unwrap();
    let channel = Channel::load(&fixtures, &case.channel).unwrap();
    (crate::connectors::connect(plugin, channel).await, case)
}

async fn facts(connector: &Connector, case: &AskCase, body: String) -> OrderFacts {
    let Asked::Fetch { .. } = case.asked else { panic!("{} fetches nothing", case.name) };
    let answer = Answered { status: 200, headers: Vec::new(), body: body.into_bytes() };
    let exchange = Exchange {
        method: "POST".into(),
        url: String::new(),
        request_sha256: String::new(),
        sent: true,
        answer: Some(answer),
        error: None,
    };
    let transcript = Transcript { asked: case.asked.clone(), exchanges: vec![exchange] };
    let answered = connector.ask_again(&transcript, qudao_kit::call(case.now)).await;
    let Ok(Told::Page(page)) = answered.told else { panic!("{}: {:?}", case.name, answered.told) };
    let snapshot = |observation: qudao_model::Observation| {
        let Facts::Order(facts) = observation.facts else { return None };
        Some(*facts).filter(|facts| facts.payment_state.is_some())
    };
    page.observations.into_iter().find_map(snapshot).expect("a snapshot")
}

fn body(case: &AskCase) -> String {
    case.answers[0].body.clone().unwrap()
}

/// A Taobao trade with this word.
fn tmall(case: &AskCase, row: &Row) -> String {
    let mut answer: Value = serde_json::from_str(&body(case)).unwrap();
    let trade = &mut answer["trade_fullinfo_get_response"]["trade"];
    trade["status"] = row.word.clone().into();
    trade["orders"]["order"][0]["status"] = row.word.clone().into();
    let unpaid = [
        "TRADE_NO_CREATE_PAY",
        "WAIT_BUYER_PAY",
        "PAY_PENDING",
        "WAIT_PRE_AUTH_CONFIRM",
        "TRADE_CLOSED_BY_TAOBAO",
    ];
    if unpaid.contains(&row.word.as_str()) {
        trade.as_object_mut().unwrap().remove("pay_time");
    }
    match row.qualifier.as_str() {
        "" => {}
        "cash on delivery" => {
            trade["type"] = "cod".into();
            trade.as_object_mut().unwrap().remove("pay_time");
        }
        "top_hold" | "team_buy_hold" => trade[&row.qualifier] = 1.into(),
        "a line refunded" => trade["orders"]["order"][0]["refund_status"] = "SUCCESS".into(),
        step => {
            trade["type"] = "step".into();
            trade["step_trade_status"] = step.into();
            trade["step_paid_fee"] =
                if step.contains("FRONT_PAID") { "100.00".into() } else { "0.00".into() };
        }
    }
    answer.to_string()
}

/// A JD order with this word.
fn jd(case: &AskCase, row: &Row) -> String {
    let mut answer: Value = serde_json::from_str(&body(case)).unwrap();
    let order = &mut answer["jingdong_pop_order_get_responce"]["orderDetailInfo"]["orderInfo"];
    order["orderState"] = row.word.clone().into();
    match row.qualifier.as_str() {
        "" | "after payment" => {}
        "before payment" => order["paymentConfirmTime"] = "0001-01-01 00:00:00".into(),
        "cash on delivery" => {
            order["payType"] = "1".into();
            order["paymentConfirmTime"] = "0001-01-01 00:00:00".into();
        }
        other => panic!("{other}"),
    }
    answer.to_string()
}

/// A JDDJ order with this number.
fn jddj(case: &AskCase, row: &Row) -> String {
    let mut answer: Value = serde_json::from_str(&body(case)).unwrap();
    let mut data: Value = serde_json::from_str(answer["data"].as_str().unwrap()).unwrap();
    let order = &mut data["result"]["resultList"][0];
    order["orderStatus"] = json!(row.word.parse::<i64>().unwrap());
    match row.qualifier.as_str() {
        "" if row.word == "31000" => drop(order.as_object_mut().unwrap().remove("orderPurchaseTime")),
        "" => {}
        "before payment" => drop(order.as_object_mut().unwrap().remove("orderPurchaseTime")),
        "cash on delivery" => order["orderPayType"] = 1.into(),
        other => panic!("{other}"),
    }
    answer["data"] = data.to_string().into();
    answer.to_string()
}

#[tokio::test]
async fn every_state_of_a_platform_reads_as_the_table_says() {
    let (tmall_connector, tmall_case) = recorded("tmall", "tm-single-paid").await;
    let (jd_connector, jd_case) = recorded("jd", "jd-single").await;
    let (jddj_connector, jddj_case) = recorded("jddj", "dj-new").await;
    let rows = rows();
    assert!(rows.len() >= 59, "{} rows", rows.len());
    let mut wrong = Vec::new();
    for row in rows {
        let (connector, case, body) = match row.platform.as_str() {
            "JD" => (&jd_connector, &jd_case, jd(&jd_case, &row)),
            "JDDJ" => (&jddj_connector, &jddj_case, jddj(&jddj_case, &row)),
            _ => (&tmall_connector, &tmall_case, tmall(&tmall_case, &row)),
        };
        let facts = facts(connector, case, body).await;
        let word = |value: Option<Value>| {
            value.and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_else(|| "–".to_owned())
        };
        let holds = if facts.holds.is_empty() { "–".to_owned() } else { facts.holds.join(", ") };
        let got = [
            word(facts.state.map(|state| json!(state))),
            word(facts.payment_state.map(|state| json!(state))),
            holds,
        ];
        if got != row.expect {
            wrong.push(format!(
                "{} {} {}: {:?}, not {:?}",
                row.platform, row.word, row.qualifier, got, row.expect
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
