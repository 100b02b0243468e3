//! `/routerjson`: which method, whether the caller may, and the answer one level down.

use super::verify::Caller;
use super::{Identity, case_state, state, wire};
use crate::Error;
use crate::engine::{Ask, Common, Face, Parameters, Reply, page_of};
use crate::local_time::unix;
use crate::market::{Basket, Case, Drive, Edit, Edited, Later, Market, Sale, Stock, drive};
use serde_json::{Map, Value, json};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const WINDOW_MAX_S: i64 = 31 * 24 * 3600;

pub(super) struct Desk {
    common: Arc<Common>,
    pub(super) identity: Identity,
    pub(super) secret: String,
    books: Mutex<Books>,
}

pub(super) struct Books {
    pub(super) market: Market,
    pub(super) later: Later,
    pub(super) token: String,
}

/// Why a call is refused.
#[derive(Debug, Clone)]
pub(super) enum Refusal {
    /// By the gateway.
    Gateway { code: String, english: String, chinese: String },
    /// By the business behind it: the gateway says 0.
    Business { path: &'static str, code: &'static str, number: u32 },
}

impl Refusal {
    pub(super) fn of(code: &str, english: &str, chinese: &str) -> Refusal {
        Refusal::Gateway { code: code.to_owned(), english: english.to_owned(), chinese: chinese.to_owned() }
    }

    fn search(code: &'static str) -> Refusal {
        Refusal::Business { path: "searchorderinfo_result", code, number: 10_100_001 }
    }
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Desk").field("identity", &self.identity).finish_non_exhaustive()
    }
}

impl Desk {
    pub(super) fn new(common: Arc<Common>, identity: Identity, secret: String, books: Books) -> Desk {
        Desk { common, identity, secret, books: Mutex::new(books) }
    }

    pub(super) fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn called(&self, ask: &Ask, asked: &Parameters, books: &Books) -> Result<Value, Refusal> {
        let method = asked.get("method").ok_or(Refusal::of("14", "Missing Method", "缺少方法名参数"))?;
        let now = self.common.clock.now();
        Caller { app_key: &self.identity.app_key, secret: &self.secret, token: &books.token, now }
            .check(asked)?;
        let wishes = wishes(asked).ok_or(Refusal::of("43", "Invalid Arguments", "无效的参数"))?;
        match method {
            "jingdong.pop.order.search" => self.search(ask, &wishes, books),
            "jingdong.pop.order.get" => self.order(&wishes, books),
            "jingdong.pop.afs.soa.refundapply.queryPageList" => refunds(ask, &wishes, books),
            "jingdong.pop.afs.soa.refundapply.queryById" => refund(&wishes, books),
            _ => Err(Refusal::of("15", "Invalid Method", "不存在的方法名")),
        }
    }

    fn search(&self, ask: &Ask, wishes: &Wishes, books: &Books) -> Result<Value, Refusal> {
        let wrong = || Refusal::search("PARAM_ERROR");
        let states = wishes.text("order_state").ok_or_else(wrong)?;
        let fields = wishes.text("optional_fields").ok_or_else(wrong)?;
        let time = |name: &str| wishes.text(name).and_then(|text| unix(&text)).ok_or_else(wrong);
        let (from, until) = (time("start_date")?, time("end_date")?);
        if from > until || until - from > WINDOW_MAX_S {
            return Err(wrong());
        }
        let (page, size) = wishes.page(("page", "page_size"), 100).ok_or_else(wrong)?;
        let created = wishes.text("dateType").as_deref() == Some("1");
        let at = |sale: &Sale| if created { sale.created_at } else { sale.modified_at };
        let states: Vec<&str> = states.split(',').map(str::trim).collect();
        let shown = |sale: &&Sale| {
            (super::RULES.visible)(sale)
                && (from..=until).contains(&at(sale))
                && states.contains(&state(sale))
        };
        let mut sales: Vec<&Sale> = books.market.in_order().filter(shown).collect();
        sales.sort_by(|one, other| (at(one), &one.no).cmp(&(at(other), &other.no)));
        if wishes.text("sortType").as_deref() == Some("1") {
            sales.reverse();
        }
        let rows = page_of(&sales, page, size).iter().map(|sale| self.only(sale, &fields));
        let rows = ask.rows(rows.collect());
        let mut result = json!({"apiResult": fine(), "orderTotal": sales.len()});
        if let (false, Value::Object(members)) = (rows.is_empty(), &mut result) {
            members.insert("orderInfoList".to_owned(), json!(rows));
        }
        Ok(json!({"searchorderinfo_result": result}))
    }

    fn order(&self, wishes: &Wishes, books: &Books) -> Result<Value, Refusal> {
        let refused = |code, number| Refusal::Business { path: "orderDetailInfo", code, number };
        let no = wishes.text("order_id").ok_or_else(|| refused("PARAM_ERROR", 10_100_001))?;
        let fields = wishes.text("optional_fields").ok_or_else(|| refused("PARAM_ERROR", 10_100_001))?;
        let found = books.market.sales.get(&no).filter(|sale| (super::RULES.visible)(sale));
        let sale = found.ok_or_else(|| refused("ORDER_NOT_EXIST", 10_100_002))?;
        Ok(json!({"orderDetailInfo": {"apiResult": fine(), "orderInfo": self.only(sale, &fields)}}))
    }

    /// What of an order was asked for.
    fn only(&self, sale: &Sale, fields: &str) -> Value {
        let mut order = wire::order(sale, &self.identity.vender_id);
        let fields: Vec<&str> = fields.split(',').map(str::trim).collect();
        order.retain(|name, _| name == "orderId" || fields.contains(&name.as_str()));
        Value::Object(order)
    }
}

fn refunds(ask: &Ask, wishes: &Wishes, books: &Books) -> Result<Value, Refusal> {
    let wrong = || Refusal::Business { path: "queryResult", code: "PARAM_ERROR", number: 10_100_001 };
    let (page, size) =
        wishes.page(("pageIndex", "pageSize"), 50).filter(|(page, _)| *page <= 100).ok_or_else(wrong)?;
    let within = |from: &str, until: &str, at: Option<i64>| {
        let bound = |name: &str| wishes.text(name).and_then(|text| unix(&text));
        bound(from).is_none_or(|from| at.is_some_and(|at| from <= at))
            && bound(until).is_none_or(|until| at.is_some_and(|at| at <= until))
    };
    let shown = |(sale, case): &(&Sale, &Case)| {
        let checked = (case_state(case) != "0").then_some(case.modified_at);
        within("applyTimeStart", "applyTimeEnd", Some(case.created_at))
            && within("checkTimeStart", "checkTimeEnd", checked)
            && wishes.text("status").is_none_or(|status| status == case_state(case))
            && wishes.text("orderId").is_none_or(|no| no == sale.no)
            && wishes.text("ids").is_none_or(|ids| ids.split(',').any(|id| id.trim() == case.no))
    };
    let mut cases: Vec<(&Sale, &Case)> = books.market.cases().filter(shown).collect();
    cases.sort_by(|(_, one), (_, other)| (other.created_at, &other.no).cmp(&(one.created_at, &one.no)));
    let rows = page_of(&cases, page, size).iter().map(|(sale, case)| wire::refund(sale, case)).collect();
    let rows = ask.rows(rows);
    Ok(json!({"queryResult": {"success": true, "totalCount": cases.len(), "result": rows}}))
}

fn refund(wishes: &Wishes, books: &Books) -> Result<Value, Refusal> {
    let wrong = || Refusal::Business { path: "queryResult", code: "PARAM_ERROR", number: 10_100_001 };
    let no = wishes.text("id").ok_or_else(wrong)?;
    let rows: Vec<Value> = books
        .market
        .cases()
        .filter(|(_, case)| case.no == no)
        .map(|(sale, case)| json!({"refundApplyVo": wire::refund(sale, case)}))
        .collect();
    Ok(json!({"queryResult": {"success": true, "totalCount": rows.len(), "result": rows}}))
}

fn fine() -> Value {
    json!({"success": true, "englishErrCode": "", "chineseErrCode": "", "numberCode": 0})
}

/// The business parameters; values may be text or numbers.
struct Wishes(Map<String, Value>);

fn wishes(asked: &Parameters) -> Option<Wishes> {
    serde_json::from_str(asked.get("360buy_param_json")?).ok().map(Wishes)
}

impl Wishes {
    fn text(&self, name: &str) -> Option<String> {
        match self.0.get(name)? {
            Value::String(text) if text.is_empty() => None,
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// Page from 1 and size up to `most`; none where they are missing or wrong.
    fn page(&self, (page, size): (&str, &str), most: usize) -> Option<(usize, usize)> {
        let page = self.text(page)?.parse().ok().filter(|page| *page >= 1)?;
        let size = self.text(size)?.parse().ok().filter(|size| (1..=most).contains(size))?;
        Some((page, size))
    }
}

fn error(method: &str, refusal: &Refusal) -> Reply {
    match refusal {
        Refusal::Gateway { code, english, chinese } => {
            let body = json!({"code": code, "zh_desc": chinese, "en_desc": english});
            Reply::json(&json!({"error_response": body})).outcome(code)
        }
        Refusal::Business { path, code, number } => {
            let wrong = json!({"success": false, "englishErrCode": code, "chineseErrCode": "（样例）", "numberCode": number});
            let result = match *path {
                "orderDetailInfo" => json!({"apiResult": wrong}),
                "queryResult" => json!({"success": false, "errorCode": code}),
                _ => json!({"apiResult": wrong, "orderTotal": 0, "orderInfoList": []}),
            };
            Reply::json(&json!({envelope(method): {"code": "0", *path: result}})).outcome(code)
        }
    }
}

/// With the gateway's own spelling.
fn envelope(method: &str) -> String {
    format!("{}_responce", method.replace('.', "_"))
}

impl Face for Desk {
    fn name(&self, ask: &Ask) -> (String, Option<String>) {
        let asked = ask.parameters();
        let about = wishes(&asked).and_then(|wishes| {
            ["order_id", "id", "page", "pageIndex"].into_iter().find_map(|name| wishes.text(name))
        });
        let name = asked.get("method").map_or_else(|| format!("{} {}", ask.method, ask.path), str::to_owned);
        (name, about)
    }

    fn answer(&self, ask: &Ask) -> Reply {
        if ask.path != "/routerjson" {
            return Reply::status(404);
        }
        let asked = ask.parameters();
        let mut books = self.books();
        let method = asked.get("method").unwrap_or_default();
        let reply = match self.called(ask, &asked, &books) {
            Ok(Value::Object(mut answer)) => {
                answer.insert("code".to_owned(), json!("0"));
                Reply::json(&json!({envelope(method): answer}))
            }
            Ok(answer) => Reply::json(&answer),
            Err(refusal) => error(method, &refusal),
        };
        let page = wishes(&asked).and_then(|wishes| wishes.text("page").or(wishes.text("pageIndex")));
        let page = page.and_then(|page| page.parse().ok());
        let now = self.common.clock.now();
        for (no, edit) in books.later.due(method, page) {
            // An edit that no longer fits did not happen; the truth shows it.
            drop(books.market.edit(&no, &edit, now));
        }
        reply
    }

    fn refusal(&self, _ask: &Ask, code: &str, text: &str) -> Reply {
        error("", &Refusal::of(code, text, text))
    }

    fn drive(&self, what: &str, how: Value) -> Result<Value, Error> {
        drive(what, how, self)
    }

    fn ledger(&self) -> Value {
        json!({"truth": self.books().market.truth()})
    }
}

impl Drive for Desk {
    fn place(&self, basket: Basket) -> Result<String, Error> {
        let now = self.common.clock.now();
        self.books().market.place(basket, now)
    }

    fn edit(&self, no: &str, edit: &Edit) -> Result<Edited, Error> {
        let now = self.common.clock.now();
        self.books().market.edit(no, edit, now)
    }

    fn stock(&self, stock: Stock) -> Result<Vec<String>, Error> {
        let now = self.common.clock.now();
        self.books().market.stock(stock, now)
    }
}
