//! A shop at JD: orders with a time of change, and a search that pages through them as they are at the moment of the call.

use jiff::Span;
use qudao_sdk::{
    Fen, Host, HttpError, Incoming, Key, KeyError, Level, Outgoing, Timestamp, charset::Charset,
    fixtures::FakeKey, form::Form, time,
};
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

type Between = Rc<dyn Fn(&Shop, usize)>;

pub(crate) struct Shop {
    now: Cell<Timestamp>,
    since: Option<&'static str>,
    /// Time of change and what the seller wrote.
    orders: RefCell<BTreeMap<String, (Timestamp, String)>>,
    between: RefCell<Between>,
    windows: RefCell<Vec<(Timestamp, Timestamp, usize)>>,
}

impl Shop {
    pub(crate) fn at(now: &str) -> Shop {
        let between: Between = Rc::new(|_, _| {});
        Shop {
            now: Cell::new(now.parse().unwrap()),
            since: None,
            orders: RefCell::default(),
            between: RefCell::new(between),
            windows: RefCell::default(),
        }
    }

    pub(crate) fn since(self, since: &'static str) -> Shop {
        Shop { since: Some(since), ..self }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.now.get()
    }

    pub(crate) fn pass(&self, span: Span) {
        self.now.set(self.now.get() + span);
    }

    /// What happens after each answer; calls count from 1.
    pub(crate) fn between(&self, what: impl Fn(&Shop, usize) + 'static) {
        *self.between.borrow_mut() = Rc::new(what);
    }

    /// That many orders, the latest changed now, the others that many seconds apart.
    pub(crate) fn place(&self, count: i64, seconds_apart: i64) {
        for index in 0..count {
            let at = self.now() - Span::new().seconds(index * seconds_apart);
            self.change_at(usize::try_from(index).unwrap(), "placed", at);
        }
    }

    pub(crate) fn change(&self, index: usize, memo: &str) {
        self.change_at(index, memo, self.now());
    }

    pub(crate) fn change_at(&self, index: usize, memo: &str, at: Timestamp) {
        self.orders.borrow_mut().insert(format!("{}", 300_000_000_000 + index), (at, memo.to_owned()));
    }

    pub(crate) fn truth(&self) -> BTreeMap<String, (Timestamp, String)> {
        self.orders.borrow().clone()
    }

    pub(crate) fn calls(&self) -> usize {
        self.windows.borrow().len()
    }

    /// From, to and page of every search.
    pub(crate) fn windows(&self) -> Vec<(Timestamp, Timestamp, usize)> {
        self.windows.borrow().clone()
    }

    fn search(&self, asked: &Value) -> Value {
        let text = |name: &str| asked[name].as_str().unwrap();
        let (from, to) =
            (time::shanghai(text("start_date")).unwrap(), time::shanghai(text("end_date")).unwrap());
        let (page, size): (usize, usize) =
            (text("page").parse().unwrap(), text("page_size").parse().unwrap());
        assert_eq!((text("dateType"), text("sortType")), ("0", "0"));
        self.windows.borrow_mut().push((from, to, page));
        let orders = self.orders.borrow();
        let mut found: Vec<_> = orders.iter().filter(|(_, (at, _))| (from..=to).contains(at)).collect();
        found.sort_by_key(|(number, (at, _))| (*at, *number));
        let rows = found
            .iter()
            .skip((page - 1) * size)
            .take(size)
            .map(|(number, (at, memo))| row(number, *at, memo));
        json!({"jingdong_pop_order_search_responce": {"code": "0", "searchorderinfo_result":
            {"apiResult": {"success": true}, "orderTotal": found.len(), "orderInfoList": rows.collect::<Vec<_>>()}}})
    }
}

fn row(number: &str, at: Timestamp, memo: &str) -> Value {
    json!({
        "orderId": number, "orderState": "WAIT_SELLER_STOCK_OUT", "orderStartTime": "2026-03-01 00:00:00",
        "modified": time::to_shanghai(at), "venderRemark": memo, "orderTotalPrice": "1.00", "orderPayment": "1.00",
        "itemInfoList": [{"skuId": "1", "skuName": "x", "jdPrice": "1.00", "itemTotal": "1"}],
    })
}

impl Host for Shop {
    fn now(&self) -> Timestamp {
        self.now.get()
    }
    fn log(&self, _level: Level, _text: &str, _fields: &[(&str, &str)]) {}
    fn random(&self, _count: u32) -> Vec<u8> {
        Vec::new()
    }
    fn settings_json(&self) -> String {
        json!({"app_key": "E72DA8D15CB638C0", "since": self.since}).to_string()
    }
    fn key(&self, _name: &str) -> Result<Box<dyn Key + '_>, KeyError> {
        Ok(Box::new(FakeKey { believes: false }))
    }
    fn send(&self, _request: &Outgoing) -> Result<Incoming, HttpError> {
        panic!("sent without its token")
    }
    fn send_with(&self, request: &Outgoing, _tokens: &[&str]) -> Result<Incoming, HttpError> {
        let asked =
            Form::parse(&request.body).unwrap().text("360buy_param_json", Charset::Utf8).unwrap().unwrap();
        let body = self.search(&serde_json::from_str(&asked).unwrap()).to_string().into_bytes();
        self.pass(Span::new().seconds(1));
        let between = Rc::clone(&self.between.borrow());
        between(self, self.calls());
        Ok(Incoming { status: 200, headers: Vec::new(), body })
    }
    fn expected_payment(&self, _order_no: &str) -> Option<Fen> {
        None
    }
}
