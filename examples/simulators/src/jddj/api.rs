//! `/djapi/order/es/query`: a signed form in, JSON text in JSON out.

use super::notices::{Notice, of};
use super::{Identity, wire};
use crate::Error;
use crate::digest::{joined, md5_wrapped};
use crate::engine::{Ask, Common, Face, Parameters, Reply, page_of};
use crate::local_time::unix;
use crate::market::{Basket, Drive, Edit, Edited, Market, Sale, Stock, drive};
use serde_json::{Map, Value, json};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The platform's riders.
pub(super) const CARRIER: &str = "9966";
/// The real tolerance is not published.
const SKEW_S: i64 = 600;

pub(super) struct Desk {
    pub(super) common: Arc<Common>,
    pub(super) identity: Identity,
    pub(super) secret: String,
    pub(super) token: String,
    pub(super) encrypted: bool,
    pub(super) books: Mutex<Books>,
}

pub(super) struct Books {
    pub(super) market: Market,
    pub(super) notices: Vec<Notice>,
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Desk").field("identity", &self.identity).finish_non_exhaustive()
    }
}

impl Desk {
    pub(super) fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why a caller is not let in.
    fn check(&self, asked: &Parameters) -> Result<(), &'static str> {
        let text = joined(asked.pairs());
        if asked.get("sign") != Some(&md5_wrapped(&self.secret, text.as_bytes())) {
            return Err("签名错误");
        }
        if asked.get("app_key") != Some(&self.identity.app_key) || asked.get("token") != Some(&self.token) {
            return Err("token无效");
        }
        let now = self.common.clock.now();
        let at = asked.get("timestamp").and_then(unix);
        if at.is_none_or(|at| (at - now).abs() > SKEW_S) {
            return Err("时间戳无效");
        }
        Ok(())
    }

    fn query(&self, ask: &Ask, wishes: &Map<String, Value>) -> Value {
        let text = |name: &str| match wishes.get(name) {
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => None,
        };
        let count =
            |name: &str, absent: usize| text(name).and_then(|text| text.parse().ok()).unwrap_or(absent);
        let (page, size) = (count("pageNo", 1).max(1), count("pageSize", 20).clamp(1, 100));
        let bound = |name: &str| text(name).and_then(|text| unix(&text));
        let (from, until) = (bound("orderStartTime_begin"), bound("orderStartTime_end"));
        let books = self.books();
        let shown = |sale: &&Sale| {
            text("orderId").is_none_or(|no| no == sale.no)
                && text("orderStatus").is_none_or(|status| status == super::state(sale))
                && from.is_none_or(|from| from <= sale.created_at)
                && until.is_none_or(|until| sale.created_at <= until)
        };
        let sales: Vec<&Sale> = books.market.in_order().filter(shown).collect();
        let rows = page_of(&sales, page, size).iter().map(|sale| wire::order(sale, &self.identity));
        let rows = ask.rows(rows.collect());
        json!({"pageNo": page, "pageSize": size, "totalCount": sales.len(),
            "totalPage": sales.len().div_ceil(size), "resultList": rows})
    }
}

fn answer(code: &str, text: &str, data: &str) -> Reply {
    Reply::json(&json!({"code": code, "msg": text, "data": data, "success": code == "0"}))
        .outcome(if code == "0" { "ok" } else { code })
}

impl Face for Desk {
    fn name(&self, ask: &Ask) -> (String, Option<String>) {
        let wishes: Option<Value> =
            ask.parameters().get("jd_param_json").and_then(|text| serde_json::from_str(text).ok());
        let about = wishes.and_then(|wishes| wishes.get("orderId").map(|no| no.to_string().replace('"', "")));
        (ask.path.trim_start_matches("/djapi/").to_owned(), about)
    }

    fn answer(&self, ask: &Ask) -> Reply {
        let asked = ask.parameters();
        if let Err(why) = self.check(&asked) {
            return answer("-1", why, "");
        }
        let wishes = asked.get("jd_param_json").and_then(|text| serde_json::from_str(text).ok());
        match (ask.path.as_str(), wishes) {
            ("/djapi/order/es/query", Some(wishes)) => {
                let result = self.query(ask, &wishes);
                let inner = json!({"code": "0", "msg": "操作成功", "detail": "", "result": result});
                answer("0", "操作成功", &inner.to_string())
            }
            (_, None) => answer("-1", "参数错误", ""),
            _ => Reply::status(404),
        }
    }

    fn refusal(&self, _ask: &Ask, code: &str, text: &str) -> Reply {
        match code.strip_prefix("inner/") {
            // The outside is content, the inside is not.
            Some(code) => {
                let inner = json!({"retCode": code, "retMsg": text, "data": null});
                answer("0", "操作成功", &inner.to_string()).outcome(code)
            }
            None => answer(code, text, ""),
        }
    }

    fn drive(&self, what: &str, how: Value) -> Result<Value, Error> {
        drive(what, how, self)
    }

    fn ledger(&self) -> Value {
        json!({"truth": self.books().market.truth(), "waiting": self.books().notices.len()})
    }
}

impl Drive for Desk {
    fn place(&self, basket: Basket) -> Result<String, Error> {
        let now = self.common.clock.now();
        self.books().market.place(basket, now)
    }

    fn edit(&self, no: &str, edit: &Edit) -> Result<Edited, Error> {
        let now = self.common.clock.now();
        let mut books = self.books();
        // The platform's riders carry it under the order's own number.
        let ridden = Edit::Ship { lines: Vec::new(), carrier: CARRIER.to_owned(), waybill: no.to_owned() };
        let edit = if matches!(edit, Edit::Ship { .. }) { &ridden } else { edit };
        let edited = books.market.edit(no, edit, now)?;
        let notices = books.market.sales.get(no).map(|sale| of(edit, sale, now));
        books.notices.extend(notices.into_iter().flatten());
        Ok(edited)
    }

    fn stock(&self, stock: Stock) -> Result<Vec<String>, Error> {
        let now = self.common.clock.now();
        self.books().market.stock(stock, now)
    }
}
