//! A shop at the platform, in memory: lists by time of change, whole trades, messages. It keeps what it was asked, and changes
//! while it is read if a test says so.

#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::indexing_slicing, reason = "a test ends where its set-up fails")]

use qudao_sdk::fixtures::FakeKey;
use qudao_sdk::form::Form;
use qudao_sdk::model::{Facts, Observation};
use qudao_sdk::{
    Connector, Fen, Host, HttpError, Incoming, Key, KeyError, Level, Outgoing, Page, Timestamp, time,
};
use qudao_tmall::Tmall;
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

pub(crate) const NICK: &str = "a shop";

/// One trade: when it changed, and what tells two changes apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trade {
    pub(crate) modified: i64,
    pub(crate) status: &'static str,
    pub(crate) memo: u32,
}

type Meanwhile = Box<dyn Fn(&Shop)>;

pub(crate) struct Shop {
    pub(crate) now: Cell<i64>,
    pub(crate) trades: RefCell<BTreeMap<u64, Trade>>,
    pub(crate) asked: RefCell<Vec<BTreeMap<String, String>>>,
    pub(crate) queue: RefCell<Vec<Value>>,
    pub(crate) confirmed: RefCell<Vec<String>>,
    /// Runs before every page of a list is given.
    pub(crate) meanwhile: RefCell<Option<Meanwhile>>,
    /// Answers that come instead, in order.
    pub(crate) errors: RefCell<Vec<Value>>,
    /// Whether a trade that changed at an end of a window is in it.
    pub(crate) ends_count: bool,
    /// Trades that are listed and not to be had.
    pub(crate) gone: RefCell<BTreeSet<u64>>,
    /// So many lists come with half of their rows, each of them twice.
    pub(crate) halved: Cell<u32>,
    /// Lists say no count.
    pub(crate) uncounted: Cell<bool>,
    pub(crate) settings: Value,
}

impl Shop {
    pub(crate) fn at(now: &str) -> Shop {
        let now: Timestamp = now.parse().unwrap();
        Shop {
            now: Cell::new(now.as_second()),
            trades: RefCell::default(),
            asked: RefCell::default(),
            queue: RefCell::default(),
            confirmed: RefCell::default(),
            meanwhile: RefCell::new(None),
            errors: RefCell::default(),
            ends_count: true,
            gone: RefCell::default(),
            halved: Cell::new(0),
            uncounted: Cell::new(false),
            settings: json!({"app_key": "1", "seller_nick": NICK, "tmc_group": "g"}),
        }
    }

    /// A change of a trade at a time.
    pub(crate) fn change(&self, tid: u64, modified: i64) {
        let mut trades = self.trades.borrow_mut();
        let trade =
            trades.entry(tid).or_insert(Trade { modified, status: "WAIT_SELLER_SEND_GOODS", memo: 0 });
        trade.modified = modified;
        trade.memo += 1;
    }

    /// What was asked by a method: one value of each request.
    pub(crate) fn asked(&self, method: &str, name: &str) -> Vec<String> {
        let asked = self.asked.borrow();
        let of_method = asked.iter().filter(|request| request["method"] == method);
        of_method.map(|request| request.get(name).cloned().unwrap_or_default()).collect()
    }

    fn answer(&self, request: &BTreeMap<String, String>) -> Value {
        if !self.errors.borrow().is_empty() {
            return json!({"error_response": self.errors.borrow_mut().remove(0)});
        }
        match request["method"].as_str() {
            "taobao.trades.sold.increment.get" => self.list(request),
            "taobao.trade.fullinfo.get" => self.trade(request["tid"].parse().unwrap()),
            "taobao.tmc.messages.consume" => {
                let waiting: Vec<Value> = self.queue.borrow().iter().take(50).cloned().collect();
                json!({"tmc_messages_consume_response": {"messages": {"tmc_message": waiting}}})
            }
            "taobao.tmc.messages.confirm" => {
                for id in request["s_message_ids"].split(',') {
                    self.confirmed.borrow_mut().push(id.to_owned());
                    self.queue
                        .borrow_mut()
                        .retain(|message| message["id"] != json!(id.parse::<u64>().unwrap()));
                }
                json!({"tmc_messages_confirm_response": {"is_success": true}})
            }
            other => panic!("{other}"),
        }
    }

    fn list(&self, request: &BTreeMap<String, String>) -> Value {
        if let Some(meanwhile) = &*self.meanwhile.borrow() {
            meanwhile(self);
        }
        let at = |name: &str| time::shanghai(&request[name]).unwrap().as_second();
        let (from, to) = (at("start_modified"), at("end_modified"));
        assert!(to > from && to - from <= 86_400);
        let inside = |at: i64| if self.ends_count { at >= from && at <= to } else { at > from && at < to };
        let trades = self.trades.borrow();
        let mut rows: Vec<_> = trades.iter().filter(|(_, trade)| inside(trade.modified)).collect();
        rows.sort_by_key(|(tid, trade)| (-trade.modified, **tid));
        let number = |name: &str| request[name].parse::<usize>().unwrap();
        let (page, size) = (number("page_no"), number("page_size"));
        let row = |(tid, trade): &(&u64, &Trade)| json!({"tid": tid, "modified": written(trade.modified)});
        let mut shown: Vec<Value> = rows.iter().skip((page - 1) * size).take(size).map(row).collect();
        if self.halved.get() > 0 {
            self.halved.set(self.halved.get() - 1);
            shown.truncate(shown.len() / 2);
            shown.extend_from_within(..);
        }
        let mut answer = json!({});
        if request.get("use_has_next").is_some_and(|truth| truth == "true") {
            answer["has_next"] = json!(rows.len() > page * size);
        } else if !self.uncounted.get() {
            answer["total_results"] = json!(rows.len());
        }
        if !shown.is_empty() {
            answer["trades"] = json!({"trade": shown});
        }
        json!({"trades_sold_increment_get_response": answer})
    }

    fn trade(&self, tid: u64) -> Value {
        let trade = self.trades.borrow().get(&tid).cloned().filter(|_| !self.gone.borrow().contains(&tid));
        let Some(trade) = trade else {
            return json!({"error_response": {"code": 50, "sub_code": "isv.trade-not-exist"}});
        };
        let line = json!({"oid": tid, "num_iid": 7, "num": 1, "price": "9.00", "total_fee": "9.00", "divide_order_fee": "9.00"});
        json!({"trade_fullinfo_get_response": {"trade": {
            "tid": tid, "status": trade.status, "seller_nick": NICK, "created": "2026-01-01 00:00:00",
            "pay_time": "2026-01-01 00:00:00", "modified": written(trade.modified), "payment": "9.00", "total_fee": "9.00",
            "seller_memo": trade.memo.to_string(), "orders": {"order": [line]},
        }}})
    }
}

/// As the platform writes times.
pub(crate) fn written(seconds: i64) -> String {
    time::to_shanghai(Timestamp::from_second(seconds).unwrap())
}

/// What a gateway keeps: cursors by stream, and of each order the latest snapshot.
#[derive(Default)]
pub(crate) struct Kept {
    pub(crate) cursor: BTreeMap<String, String>,
    pub(crate) orders: BTreeMap<u64, Trade>,
    pub(crate) notes: Vec<String>,
}

impl Kept {
    /// One call, committed. True where there is more.
    pub(crate) fn poll(&mut self, stream: &str, shop: &Shop) -> bool {
        let page = self.ask(stream, shop);
        self.commit(stream, page)
    }

    /// One call that is not committed.
    pub(crate) fn ask(&self, stream: &str, shop: &Shop) -> Page {
        let cursor = self.cursor.get(stream).map(String::as_str);
        Tmall::poll(stream, cursor, shop).unwrap()
    }

    pub(crate) fn commit(&mut self, stream: &str, page: Page) -> bool {
        for observation in &page.observations {
            assert!(observation.problems().is_empty(), "{:?}", observation.problems());
            self.keep(observation);
        }
        self.notes.extend(page.notes.iter().map(|note| note.kind.clone()));
        if let Some(cursor) = page.cursor {
            assert!(cursor.len() <= 16 << 10, "{} bytes", cursor.len());
            self.cursor.insert(stream.to_owned(), cursor);
        }
        page.more
    }

    /// Until there is no more.
    pub(crate) fn round(&mut self, stream: &str, shop: &Shop) {
        for _ in 0..1_000 {
            if !self.poll(stream, shop) {
                return;
            }
        }
        panic!("{stream} never ends");
    }

    fn keep(&mut self, observation: &Observation) {
        let Facts::Order(order) = &observation.facts else { panic!() };
        let memo = order.receiver.as_ref().unwrap().seller_memo.as_ref().unwrap().parse().unwrap();
        let modified = order.modified_at.unwrap().as_second();
        let told = Trade { modified, status: "WAIT_SELLER_SEND_GOODS", memo };
        let kept = self.orders.entry(order.order_no.parse().unwrap()).or_insert_with(|| told.clone());
        if (told.modified, told.memo) >= (kept.modified, kept.memo) {
            *kept = told;
        }
    }
}

impl Host for Shop {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.now.get()).unwrap()
    }
    fn log(&self, _level: Level, _text: &str, _fields: &[(&str, &str)]) {}
    fn random(&self, _count: u32) -> Vec<u8> {
        Vec::new()
    }
    fn settings_json(&self) -> String {
        self.settings.to_string()
    }
    fn key(&self, _name: &str) -> Result<Box<dyn Key + '_>, KeyError> {
        Ok(Box::new(FakeKey { believes: false }))
    }
    fn send(&self, request: &Outgoing) -> Result<Incoming, HttpError> {
        let form = Form::parse(&request.body).unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let request: BTreeMap<String, String> =
            form.pairs().map(|(name, value)| (text(name), text(value))).collect();
        self.asked.borrow_mut().push(request.clone());
        let body = self.answer(&request).to_string().into_bytes();
        Ok(Incoming { status: 200, headers: Vec::new(), body })
    }
    fn send_with(&self, request: &Outgoing, tokens: &[&str]) -> Result<Incoming, HttpError> {
        assert_eq!(tokens, ["session"]);
        self.send(request)
    }
    fn expected_payment(&self, _order_no: &str) -> Option<Fen> {
        None
    }
}
