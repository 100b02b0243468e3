//! Calls that no recording has, signed here with a secret of their own.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where its set-up fails")]

use qudao_keys::Key;
use qudao_qimen::Qimen;
use qudao_sdk::charset::Charset;
use qudao_sdk::fixtures::NativeHost;
use qudao_sdk::form::Form;
use qudao_sdk::model::delivery::{Acceptance, Refusal};
use qudao_sdk::model::order::{OrderFact, OrderPaymentState};
use qudao_sdk::model::{Facts, OrderFacts};
use qudao_sdk::{Connector, KeyKind, Request, Verdict};
use serde_json::{Value, json};

const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";
const NOW: &str = "2026-03-12T04:00:00Z";

/// A call; what is not set is that of a good one.
struct Call {
    query: String,
    content_type: &'static str,
    body: Vec<u8>,
    settings: Value,
}

fn call(method: &str, body: impl Into<Vec<u8>>) -> Call {
    let query = format!(
        "method=taobao.qimen.{method}&timestamp=2026-03-12+12:00:00&format=xml&app_key=1&customerId=c1"
    );
    Call {
        query,
        content_type: "text/xml;charset=utf-8",
        body: body.into(),
        settings: json!({"app_key": "1"}),
    }
}

impl Call {
    fn json(self) -> Call {
        let query = self.query.replace("format=xml", "format=json");
        Call { query, content_type: "application/json", ..self }
    }

    /// Signs by the rule, written here once more: pairs by name, then the body.
    fn send(self) -> Verdict {
        let key = || Key::parse(KeyKind::SharedSecret, SECRET).unwrap();
        let form = Form::parse(self.query.as_bytes()).unwrap();
        let mut pairs: Vec<_> = form.pairs().collect();
        pairs.sort_unstable();
        let mut text: Vec<u8> = pairs.into_iter().flat_map(|(name, value)| [name, value].concat()).collect();
        text.extend(&self.body);
        let digest = key().mac_with("md5_wrapped", &text).unwrap();
        let sign = data_encoding::HEXUPPER.encode(&digest);
        let request = Request {
            method: "POST".to_owned(),
            path: "/hooks/qimen".to_owned(),
            query: Some(format!("{}&sign={sign}", self.query)),
            headers: vec![("Content-Type".to_owned(), self.content_type.to_owned())],
            body: self.body,
        };
        let host =
            NativeHost::at(NOW.parse().unwrap()).with_settings(self.settings).with_key("app_secret", key());
        Qimen::webhook(&request, &host).unwrap()
    }

    fn accepted(self) -> Acceptance {
        let verdict = self.send();
        let Verdict::Accepted(acceptance) = verdict else { panic!("{verdict:?}") };
        for observation in &acceptance.observations {
            assert!(observation.problems().is_empty(), "{:?}", observation.problems());
        }
        acceptance
    }

    #[track_caller]
    fn refused(self, reason: &str, explain: &str) {
        let Verdict::Rejected(Refusal { reason: got, explain: why, answer }) = self.send() else {
            panic!("it is accepted")
        };
        assert_eq!((got.as_str(), why.as_str(), answer.status), (reason, explain, 200));
    }
}

fn order(acceptance: &Acceptance) -> &OrderFacts {
    let [one] = &acceptance.observations[..] else { panic!("{:?}", acceptance.observations) };
    let Facts::Order(order) = &one.facts else { panic!("{one:?}") };
    order
}

#[test]
fn two_parcels_of_which_each_says_what_it_holds() {
    let body = "<request><deliveryOrder><deliveryOrderCode>DO1</deliveryOrderCode><status>PARTDELIVERED</status>\
        <outBizCode>B1</outBizCode><confirmType>1</confirmType><orderConfirmTime>2026-03-12 11:00:00</orderConfirmTime>\
        </deliveryOrder><packages><package><logisticsCode>SF</logisticsCode><expressCode>S1</expressCode><items><item>\
        <itemCode>A</itemCode><quantity>1</quantity></item></items></package><package><expressCode>S2</expressCode><items>\
        <item><itemCode>B</itemCode><quantity>2</quantity></item></items></package></packages><orderLines><orderLine>\
        <orderLineNo>1</orderLineNo><itemCode>A</itemCode><actualQty>1</actualQty></orderLine><orderLine>\
        <orderLineNo>2</orderLineNo><itemCode>B</itemCode><actualQty>1</actualQty></orderLine><orderLine>\
        <orderLineNo>3</orderLineNo><itemCode>B</itemCode><actualQty>1</actualQty></orderLine></orderLines></request>";
    let told = call("deliveryorder.confirm", body).accepted();
    let facts = order(&told);
    assert_eq!((facts.fact, facts.shipments.len()), (OrderFact::Shipped, 2));
    let line = |parcel: usize| {
        let line = &facts.shipments[parcel].lines[0];
        (line.line_id.as_deref(), line.sku.as_deref(), line.qty)
    };
    assert_eq!(line(0), (Some("1"), Some("A"), 1));
    assert_eq!(line(1), (None, Some("B"), 2), "an item of two lines names neither");
    assert_eq!(facts.platform_notes[0].fields["final"], false);
    assert_eq!(told.dedupe_key, "deliveryorder.confirm:B1");
}

#[test]
fn a_confirmation_without_goods_is_progress() {
    for (status, lines) in [("ACCEPT", ""), ("CANCELED", ""), ("DELIVERED", "")] {
        let body = format!(
            "<request><deliveryOrder><deliveryOrderCode>DO1</deliveryOrderCode><status>{status}</status></deliveryOrder>{lines}</request>"
        );
        let told = call("deliveryorder.confirm", body).accepted();
        assert!(told.observations.is_empty(), "{status}");
        assert_eq!(
            (told.notes[0].kind.as_str(), &told.notes[0].fields["status"]),
            ("order.progress", &json!(status))
        );
    }
    let body = "<request><deliveryOrder><deliveryOrderCode>DO1</deliveryOrderCode></deliveryOrder><orderLines><orderLine>\
        <itemCode>A</itemCode><actualQty>2</actualQty></orderLine><orderLine><itemCode>B</itemCode><actualQty>0</actualQty>\
        </orderLine></orderLines></request>";
    let told = call("deliveryorder.confirm", body).accepted();
    assert_eq!(order(&told).shipments[0].lines.len(), 1, "without a parcel the lines are one");
}

#[test]
fn json_lists_come_in_both_shapes() {
    let item = json!({"itemCode": "A", "inventoryType": "ZP", "quantity": "3", "warehouseCode": "W", "outBizCode": "B"});
    let shapes = [
        json!({"request": {"items": {"item": [item]}}}),
        json!({"request": {"items": {"item": item}}}),
        json!({"items": [item]}),
    ];
    for shape in shapes {
        let told = call("stockchange.report", shape.to_string()).json().accepted();
        assert_eq!(told.notes[0].fields["delta"], 3, "{shape}");
        assert_eq!(told.answer.body, br#"{"response":{"code":"0","flag":"success","message":""}}"#);
    }
}

#[test]
fn a_call_without_a_number_is_named_by_its_content() {
    let cancel =
        |code: &str| call("order.cancel", format!("<request><orderCode>{code}</orderCode></request>"));
    let (one, other) = (cancel("DO1").accepted(), cancel("DO2").accepted());
    let mut later = cancel("DO1");
    later.query = later.query.replace("12:00:00", "12:05:00");
    assert_eq!(later.accepted().dedupe_key, one.dedupe_key);
    assert_ne!(other.dedupe_key, one.dedupe_key);
    assert!(one.observations.is_empty(), "whoever asks to cancel has not cancelled");
}

#[test]
fn an_order_that_is_paid_on_delivery() {
    let body = "<request><deliveryOrder><deliveryOrderCode>DO1</deliveryOrderCode><arAmount>18.00</arAmount><payNo>P1</payNo>\
        <receiverInfo><name>a</name><oaid>o</oaid></receiverInfo></deliveryOrder><orderLines><orderLine><itemCode>A</itemCode>\
        <planQty>2</planQty><actualPrice>9.00</actualPrice><discountAmount>1.00</discountAmount></orderLine></orderLines></request>";
    let told = call("deliveryorder.create", body).accepted();
    let facts = order(&told);
    let (totals, line) = (facts.totals.unwrap(), &facts.lines[0]);
    assert_eq!(facts.payment_state, Some(OrderPaymentState::CodDue));
    assert_eq!(
        (line.unit_price_fen, line.gross_fen, line.discount_fen, line.net_fen),
        (1000, 2000, 200, 1800)
    );
    assert_eq!(
        (totals.goods_fen, totals.discount_fen, totals.payable_fen, totals.paid_fen),
        (2000, 200, 1800, 0)
    );
    assert!(facts.receiver.as_ref().unwrap().encrypted);
    assert_eq!(facts.payment_refs[0].transaction_no.as_deref(), Some("P1"));
}

#[test]
fn counts_and_strangers_become_notes() {
    let body = "<request><warehouseCode>W</warehouseCode><checkOrderCode>C</checkOrderCode><outBizCode>B</outBizCode><items>\
        <item><itemCode>A</itemCode><quantity>-1</quantity><totalQty>9</totalQty></item></items></request>";
    let told = call("inventory.report", body).accepted();
    let fields = &told.notes[0].fields;
    assert_eq!(
        (told.notes[0].kind.as_str(), &fields["total"], &fields["store_code"]),
        ("stock.counted", &json!(9), &json!("W"))
    );
    let told = call("entryorder.confirm", "<request><orderCode>E</orderCode></request>").accepted();
    assert_eq!(
        (told.notes[0].kind.as_str(), &told.notes[0].fields["event_type"]),
        ("unknown_event", &json!("entryorder.confirm"))
    );
    call("inventory.query", "<request/>")
        .refused("unsupported_method", "inventory.query asks for something that the gateway does not tell");
}

#[test]
fn times_to_both_sides_and_strange_callers() {
    let at = |time: &str| {
        let mut call = call("order.cancel", "<request><orderCode>D</orderCode></request>");
        call.query = call.query.replace("12:00:00", time);
        call
    };
    at("11:50:00").accepted();
    at("12:10:00").accepted();
    at("11:49:59").refused("timestamp_out_of_window", "the call is 601 s from our clock");
    at("12:10:01").refused("timestamp_out_of_window", "the call is 601 s from our clock");
    at("noon").refused("malformed_parameter", "timestamp is not a time of the form yyyy-MM-dd HH:mm:ss");
    let mut strict = at("12:00:00");
    strict.settings = json!({"app_key": "1", "customer_ids": ["c2"]});
    strict.refused("merchant_mismatch", "customerId c1 is not in customer_ids");
    let mut twice = at("12:00:00");
    twice.query.push_str("&customerId=c2");
    twice.refused("duplicate_parameter", "the parameter customerId stands twice");
    let mut quick = at("11:59:00");
    quick.settings = json!({"app_key": "1", "max_skew": "30s"});
    quick.refused("timestamp_out_of_window", "the call is 60 s from our clock");
}

#[test]
fn bodies_that_are_not_read() {
    let body = |body: &str| call("order.cancel", body);
    body("<request><orderCode>&mine;</orderCode></request>")
        .refused("malformed_body", "the body uses an entity of its own");
    body("<!DOCTYPE request><request/>").refused("malformed_body", "the body has a document type");
    body("<request><orderCode>D</order></request>")
        .refused("malformed_body", "the body is not well-formed XML");
    body("<request><orderCode>D").refused("malformed_body", "the body ends within an element");
    body(&"<a>".repeat(40)).refused("malformed_body", "the body is nested too deeply");
    body("orderCode=D").refused("malformed_body", "the body is not XML");
    body("<request/>").refused("malformed_resource", "the body has no orderCode");
    body("{\"a\"").json().refused("malformed_json", "the body is not JSON at line 1 column 4");
    body("[1]").json().refused("malformed_body", "the body is not an object");
    let mut latin = body("<request/>");
    latin.content_type = "text/xml;charset=iso-8859-1";
    latin.refused("bad_encoding", "charset iso-8859-1 is not known");
    let mut gbk = body("");
    gbk.body = Charset::Gb18030.encode("<request><orderCode>单号</orderCode></request>");
    gbk.refused("bad_encoding", "the body is not UTF-8");
    let quantity =
        "<request><items><item><itemCode>A</itemCode><quantity>many</quantity></item></items></request>";
    call("stockchange.report", quantity)
        .refused("malformed_resource", "items.item.quantity is not a whole number");
}

#[test]
fn character_references_and_cdata_are_text() {
    let body = "<request><orderCode>D&#49;<![CDATA[<2>]]></orderCode><cancelReason> a &amp; b </cancelReason></request>";
    let told = call("order.cancel", body).accepted();
    assert_eq!(told.notes[0].fields["order_no"], "D1<2>");
    assert_eq!(told.notes[0].fields["reason"], "a & b");
}
