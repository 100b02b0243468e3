//! The streams of changes that JD can be asked for, by time of change.

use crate::call::{self, Api};
use crate::walk::{Found, PAGE, Walk};
use crate::{order, refund, wire};
use qudao_sdk::{Failure, Note, Page, Timestamp, time};
use serde_json::{Value, json};

/// A stream of the manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    Orders,
    RefundsApplied,
    RefundsChecked,
}

impl Stream {
    const ALL: [Stream; 3] = [Stream::Orders, Stream::RefundsApplied, Stream::RefundsChecked];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Stream::Orders => "orders",
            Stream::RefundsApplied => "refunds_applied",
            Stream::RefundsChecked => "refunds_checked",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Stream> {
        Stream::ALL.into_iter().find(|stream| stream.name() == name)
    }

    /// One page of a window.
    pub(crate) fn search(self, api: &Api<'_>, walk: &Walk) -> Result<Found, Failure> {
        let (from, to) = (time::to_shanghai(walk.from), time::to_shanghai(walk.to()));
        let (page, size) = (walk.page().to_string(), PAGE.to_string());
        let method = "jingdong.pop.afs.soa.refundapply.queryPageList";
        let asked = match self {
            Stream::Orders => return orders(api, [&from, &to, &page, &size]),
            Stream::RefundsApplied => {
                json!({"applyTimeStart": from, "applyTimeEnd": to, "pageIndex": page, "pageSize": size})
            }
            Stream::RefundsChecked => {
                json!({"checkTimeStart": from, "checkTimeEnd": to, "pageIndex": page, "pageSize": size})
            }
        };
        refund::rows(&api.call(method, &asked)?, method)
    }

    /// The time by which the stream is read.
    pub(crate) fn changed_at(self, row: &Value) -> Option<Timestamp> {
        let member = match self {
            Stream::Orders => "modified",
            Stream::RefundsApplied => "applyTime",
            Stream::RefundsChecked => "checkTime",
        };
        time::shanghai(row.get(member)?.as_str()?).ok()
    }

    /// That JD kept rows back. Should they exist, they are read once they change.
    pub(crate) fn short_page(self, said: u64, came: u64) -> Note {
        let fields = [("stream", self.name().into()), ("said", said.into()), ("came", came.into())];
        let fields = fields.into_iter().map(|(name, value): (&str, Value)| (name.to_owned(), value));
        Note { kind: "page.short".to_owned(), at: None, fields: fields.collect() }
    }

    /// The page with what a row means; what the model cannot hold becomes a note. `vender_id`: the shop of the channel.
    pub(crate) fn read(self, page: Page, row: &Value, vender_id: Option<&str>) -> Page {
        let (kind, id, read) = match self {
            Stream::Orders => ("order", "orderId", order::read(row, vender_id)),
            Stream::RefundsApplied | Stream::RefundsChecked => ("aftersale", "id", refund::read(row)),
        };
        page.row(kind, row.get(id), read.map(|fact| vec![fact]))
    }
}

/// Search rows are whole orders if their fields are named, so that none has to be fetched by itself.
fn orders(api: &Api<'_>, [from, to, page, size]: [&str; 4]) -> Result<Found, Failure> {
    let method = "jingdong.pop.order.search";
    let asked = json!({
        "start_date": from, "end_date": to, "page": page, "page_size": size,
        "order_state": order::STATES.map(|(word, _)| word).join(","), "optional_fields": wire::ORDER_FIELDS,
        // By time of change, oldest first: what comes late stands behind what was counted.
        "dateType": "0", "sortType": "0",
    });
    let mut result = call::result(api.call(method, &asked)?, "searchorderinfo_result", method)?;
    let rows = match result.get_mut("orderInfoList").map(Value::take) {
        Some(Value::Array(rows)) => rows,
        _ => Vec::new(),
    };
    Ok(Found { total: wire::count(result.get("orderTotal")), rows })
}
