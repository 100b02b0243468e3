//! `POST /router/rest`: which method, whether the caller may, and the answer in its envelope.

use super::messages::{Queue, of_refund, of_trade, topic};
use super::verify::Caller;
use super::{Identity, Ids, wire};
use crate::Error;
use crate::dice::Dice;
use crate::engine::{Ask, Common, Face, Parameters, Reply, page_of};
use crate::local_time::unix;
use crate::market::{Basket, Case, Drive, Edit, Edited, Later, Market, Sale, Stock, drive};
use serde_json::{Map, Value, json};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const ROUTER: &str = "/router/rest";
const WINDOW_MAX_S: i64 = 24 * 3600;
/// What a list shows where the caller names no kinds. `guarantee_trade` covers goods at a fixed price.
const KINDS: &str = "guarantee_trade,auto_delivery,ec,cod,step";
const REFUND_KINDS: &str = "guarantee_trade,auto_delivery";

pub(super) struct Desk {
    common: Arc<Common>,
    pub(super) identity: Identity,
    pub(super) secret: String,
    ids: Ids,
    books: Mutex<Books>,
}

pub(super) struct Books {
    pub(super) market: Market,
    pub(super) queue: Queue,
    pub(super) later: Later,
    pub(super) session: String,
    /// For numbers that say nothing.
    pub(super) noise: Dice,
}

/// Why a call is refused.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    code: u32,
    text: String,
    sub: Option<(String, String)>,
}

impl Refusal {
    pub(super) fn of(code: u32, text: &str) -> Refusal {
        Refusal { code, text: text.to_owned(), sub: None }
    }

    pub(super) fn sub(mut self, code: &str, text: &str) -> Refusal {
        self.sub = Some((code.to_owned(), text.to_owned()));
        self
    }

    fn missing(name: &str) -> Refusal {
        Refusal::of(40, "Missing Required Arguments")
            .sub(&format!("isv.missing-parameter:{name}"), &format!("{name}必填"))
    }

    fn invalid(name: &str) -> Refusal {
        Refusal::of(41, "Invalid Arguments")
            .sub(&format!("isv.invalid-parameter:{name}"), &format!("{name}参数格式不正确"))
    }

    fn absent(thing: &str) -> Refusal {
        Refusal::of(50, "Remote service error").sub(&format!("isv.{thing}-not-exist"), "不存在")
    }
}

/// The text that goes with a code.
fn text_of(code: u32) -> &'static str {
    match code {
        7 => "App Call Limited",
        10 => "Service Currently Unavailable",
        11 => "Insufficient isv permissions",
        25 => "Invalid Signature",
        27 => "Invalid Session",
        31 => "Invalid Timestamp",
        40 => "Missing Required Arguments",
        41 => "Invalid Arguments",
        _ => "Remote service error",
    }
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Desk").field("identity", &self.identity).finish_non_exhaustive()
    }
}

impl Desk {
    pub(super) fn new(
        common: Arc<Common>,
        identity: Identity,
        secret: String,
        ids: Ids,
        books: Books,
    ) -> Desk {
        Desk { common, identity, secret, ids, books: Mutex::new(books) }
    }

    pub(super) fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn edit_with(&self, books: &mut Books, no: &str, edit: &Edit) -> Result<Edited, Error> {
        let now = self.common.clock.now();
        let edited = books.market.edit(no, edit, now)?;
        let Some(sale) = books.market.sales.get(no) else { return Ok(edited) };
        let nick = &self.identity.seller_nick;
        let content = match &edited.refund_no {
            Some(refund_no) => of_refund(sale, refund_no, nick).unwrap_or_default(),
            None => of_trade(sale, nick),
        };
        books.queue.publish(topic(edit, sale), content, now);
        Ok(edited)
    }

    fn called(&self, ask: &Ask, asked: &Parameters, books: &mut Books) -> Result<Value, Refusal> {
        let method = asked.get("method").ok_or(Refusal::of(21, "Missing Method"))?;
        let needs_session = !method.starts_with("taobao.tmc.messages.");
        let caller = Caller {
            app_key: &self.identity.app_key,
            secret: &self.secret,
            session: &books.session,
            now: self.common.clock.now(),
        };
        caller.check(asked, needs_session)?;
        match method {
            "taobao.trades.sold.increment.get" => {
                self.trades(ask, asked, books, ("start_modified", "end_modified", |sale| sale.modified_at))
            }
            "taobao.trades.sold.get" => {
                self.trades(ask, asked, books, ("start_created", "end_created", |sale| sale.created_at))
            }
            "taobao.trade.fullinfo.get" => self.trade(asked, books),
            "taobao.refunds.receive.get" => self.refunds(ask, asked, books),
            "taobao.refund.get" => self.refund(asked, books),
            "taobao.tmc.messages.consume" => self.consume(ask, asked, books),
            "taobao.tmc.messages.confirm" => confirm(asked, books),
            _ => Err(Refusal::of(22, "Invalid Method")),
        }
    }

    fn trades(
        &self,
        ask: &Ask,
        asked: &Parameters,
        books: &Books,
        (start, end, time): (&str, &str, fn(&Sale) -> i64),
    ) -> Result<Value, Refusal> {
        let fields = asked.get("fields").ok_or(Refusal::missing("fields"))?;
        let (from, until) = window(asked, start, end)?;
        let kinds = asked.get("type").unwrap_or(KINDS);
        let shown = |sale: &&Sale| {
            let at = time(sale);
            from <= at
                && at < until
                && listed(wire::kind(sale), kinds)
                && asked.get("status").is_none_or(|state| state == super::state(sale))
        };
        let mut sales: Vec<&Sale> = books.market.in_order().filter(shown).collect();
        sales.sort_by(|one, other| (time(other), &other.no).cmp(&(time(one), &one.no)));
        let page = Page::of(asked)?;
        let rows = page.cut(&sales).iter().map(|sale| {
            Value::Object(wire::only(wire::trade(sale, self.ids, &self.identity.seller_nick), fields))
        });
        Ok(page.answer(&ask.rows(rows.collect()), sales.len(), ("trades", "trade")))
    }

    fn trade(&self, asked: &Parameters, books: &Books) -> Result<Value, Refusal> {
        let fields = asked.get("fields").ok_or(Refusal::missing("fields"))?;
        let tid = asked.get("tid").ok_or(Refusal::missing("tid"))?;
        let number = tid.parse::<u64>().map_err(|_| Refusal::invalid("tid"))?;
        let sale = books.market.sales.get(&number.to_string()).ok_or(Refusal::absent("trade"))?;
        let trade = wire::trade(sale, self.ids, &self.identity.seller_nick);
        Ok(json!({"trade": wire::only(trade, fields)}))
    }

    fn refunds(&self, ask: &Ask, asked: &Parameters, books: &Books) -> Result<Value, Refusal> {
        let fields = asked.get("fields").ok_or(Refusal::missing("fields"))?;
        let time =
            |name: &str| asked.get(name).map(|text| unix(text).ok_or(Refusal::invalid(name))).transpose();
        let (from, until) = (time("start_modified")?, time("end_modified")?);
        let kinds = asked.get("type").unwrap_or(REFUND_KINDS);
        let shown = |(sale, case): &(&Sale, &Case)| {
            from.is_none_or(|from| from <= case.modified_at)
                && until.is_none_or(|until| case.modified_at < until)
                && listed(wire::kind(sale), kinds)
                && asked.get("status").is_none_or(|state| state == super::case_state(case))
        };
        let mut cases: Vec<(&Sale, &Case)> = books.market.cases().filter(shown).collect();
        cases.sort_by(|(_, one), (_, other)| (other.modified_at, &other.no).cmp(&(one.modified_at, &one.no)));
        let page = Page::of(asked)?;
        let rows = page.cut(&cases).iter().map(|(sale, case)| {
            Value::Object(wire::only(wire::refund(sale, case, self.ids, &self.identity.seller_nick), fields))
        });
        Ok(page.answer(&ask.rows(rows.collect()), cases.len(), ("refunds", "refund")))
    }

    fn refund(&self, asked: &Parameters, books: &Books) -> Result<Value, Refusal> {
        let fields = asked.get("fields").ok_or(Refusal::missing("fields"))?;
        let no = asked.get("refund_id").ok_or(Refusal::missing("refund_id"))?;
        let found = books.market.cases().find(|(_, case)| case.no == no);
        let (sale, case) = found.ok_or(Refusal::absent("refund"))?;
        let refund = wire::refund(sale, case, self.ids, &self.identity.seller_nick);
        Ok(json!({"refund": wire::only(refund, fields)}))
    }

    fn consume(&self, ask: &Ask, asked: &Parameters, books: &mut Books) -> Result<Value, Refusal> {
        asked.get("group_name").ok_or(Refusal::missing("group_name"))?;
        let quantity = number(asked, "quantity", 100)?;
        if !(10..=200).contains(&quantity) {
            return Err(Refusal::invalid("quantity"));
        }
        let shop = (self.identity.seller_nick.as_str(), self.identity.user_id);
        let messages = ask.rows(books.queue.consume(quantity, self.common.clock.now(), shop));
        Ok(if messages.is_empty() { json!({}) } else { json!({"messages": {"tmc_message": messages}}) })
    }
}

fn confirm(asked: &Parameters, books: &mut Books) -> Result<Value, Refusal> {
    asked.get("group_name").ok_or(Refusal::missing("group_name"))?;
    let ids = asked.get("s_message_ids").ok_or(Refusal::missing("s_message_ids"))?;
    let ids: Result<Vec<u64>, _> = ids.split(',').map(|id| id.trim().parse()).collect();
    let ids = ids.map_err(|_| Refusal::invalid("s_message_ids"))?;
    if ids.len() > 200 {
        return Err(Refusal::invalid("s_message_ids"));
    }
    books.queue.confirm(&ids);
    Ok(json!({"is_success": true}))
}

/// Whether a list with these kinds shows a trade of this one.
fn listed(kind: &str, kinds: &str) -> bool {
    let covered =
        |named: &str| named == kind || named == "guarantee_trade" && matches!(kind, "fixed" | "auction");
    kinds.split(',').map(str::trim).any(covered)
}

fn window(asked: &Parameters, start: &str, end: &str) -> Result<(i64, i64), Refusal> {
    let time = |name: &str| {
        let text = asked.get(name).ok_or(Refusal::missing(name))?;
        unix(text).ok_or(Refusal::invalid(name))
    };
    let (from, until) = (time(start)?, time(end)?);
    if from >= until || until - from > WINDOW_MAX_S {
        return Err(Refusal::invalid(end));
    }
    Ok((from, until))
}

fn number(asked: &Parameters, name: &str, absent: usize) -> Result<usize, Refusal> {
    asked.get(name).map_or(Ok(absent), |text| text.parse().map_err(|_| Refusal::invalid(name)))
}

struct Page {
    no: usize,
    size: usize,
    use_has_next: bool,
}

impl Page {
    fn of(asked: &Parameters) -> Result<Page, Refusal> {
        let page = Page {
            no: number(asked, "page_no", 1)?,
            size: number(asked, "page_size", 40)?,
            use_has_next: asked.get("use_has_next") == Some("true"),
        };
        if page.no == 0 {
            return Err(Refusal::invalid("page_no"));
        }
        if !(1..=100).contains(&page.size) {
            return Err(Refusal::invalid("page_size"));
        }
        Ok(page)
    }

    fn cut<'a, T>(&self, all: &'a [T]) -> &'a [T] {
        page_of(all, self.no, self.size)
    }

    /// A list in its two layers; an empty one is left out.
    fn answer(&self, rows: &[Value], total: usize, (list, row): (&str, &str)) -> Value {
        let mut answer = Map::new();
        if self.use_has_next {
            answer.insert("has_next".to_owned(), json!(self.no.saturating_mul(self.size) < total));
        } else {
            answer.insert("total_results".to_owned(), json!(total));
        }
        if !rows.is_empty() {
            answer.insert(list.to_owned(), json!({row: rows}));
        }
        Value::Object(answer)
    }
}

/// `taobao.trade.get` → `trade_get_response`; other prefixes stay.
fn envelope(method: &str) -> String {
    format!("{}_response", method.strip_prefix("taobao.").unwrap_or(method).replace('.', "_"))
}

fn error(refusal: &Refusal, request_id: &str) -> Reply {
    let mut body = json!({"code": refusal.code, "msg": refusal.text, "request_id": request_id});
    if let (Value::Object(members), Some((code, text))) = (&mut body, &refusal.sub) {
        members.insert("sub_code".to_owned(), json!(code));
        members.insert("sub_msg".to_owned(), json!(text));
    }
    let sub = refusal.sub.as_ref().map(|(code, _)| format!("/{code}"));
    Reply::json(&json!({"error_response": body})).outcome(&format!(
        "{}{}",
        refusal.code,
        sub.unwrap_or_default()
    ))
}

impl Face for Desk {
    fn name(&self, ask: &Ask) -> (String, Option<String>) {
        let asked = ask.parameters();
        let about =
            ["tid", "refund_id", "page_no", "s_message_ids"].into_iter().find_map(|name| asked.get(name));
        let name = asked.get("method").map_or_else(|| format!("{} {}", ask.method, ask.path), str::to_owned);
        (name, about.map(str::to_owned))
    }

    fn answer(&self, ask: &Ask) -> Reply {
        if ask.path != ROUTER {
            return Reply::status(404);
        }
        let asked = ask.parameters();
        let mut books = self.books();
        let request_id = books.noise.text(12, "0123456789abcdef");
        let reply = match self.called(ask, &asked, &mut books) {
            Ok(mut answer) => {
                if let Value::Object(members) = &mut answer {
                    members.insert("request_id".to_owned(), json!(request_id));
                }
                Reply::json(&json!({envelope(asked.get("method").unwrap_or_default()): answer}))
            }
            Err(refusal) => error(&refusal, &request_id),
        };
        let (name, _) = self.name(ask);
        let page = asked.get("page_no").map_or(Some(1), |page| page.parse().ok());
        for (no, edit) in books.later.due(&name, page) {
            // An edit that no longer fits did not happen; the truth shows it.
            drop(self.edit_with(&mut books, &no, &edit));
        }
        reply
    }

    fn refusal(&self, _ask: &Ask, code: &str, text: &str) -> Reply {
        let (code, sub) = code.split_once('/').map_or((code, None), |(code, sub)| (code, Some(sub)));
        let code = code.parse().unwrap_or(15);
        let mut refusal = Refusal::of(code, text_of(code));
        if let Some(sub) = sub {
            refusal = refusal.sub(sub, text);
        }
        let request_id = self.books().noise.text(12, "0123456789abcdef");
        error(&refusal, &request_id)
    }

    fn drive(&self, what: &str, how: Value) -> Result<Value, Error> {
        drive(what, how, self)
    }

    fn ledger(&self) -> Value {
        json!({"truth": self.books().market.truth(), "unconfirmed": self.books().queue.unconfirmed()})
    }
}

impl Drive for Desk {
    fn place(&self, basket: Basket) -> Result<String, Error> {
        let mut books = self.books();
        let now = self.common.clock.now();
        let no = books.market.place(basket, now)?;
        let content = books.market.sales.get(&no).map(|sale| of_trade(sale, &self.identity.seller_nick));
        books.queue.publish("taobao_trade_TradeCreate", content.unwrap_or_default(), now);
        Ok(no)
    }

    fn edit(&self, no: &str, edit: &Edit) -> Result<Edited, Error> {
        self.edit_with(&mut self.books(), no, edit)
    }

    fn stock(&self, stock: Stock) -> Result<Vec<String>, Error> {
        let now = self.common.clock.now();
        self.books().market.stock(stock, now)
    }
}
