//! What calls mean. The shapes are Qimen's, whoever speaks: an ERP to a warehouse, or a warehouse to an ERP.
//!
//! A delivery order is an order of this channel under its own number, with the platform's beside it as `parent_order_no`: it is
//! the part that one warehouse or shop sends, and no second sale. A shipment is a fact. A request to cancel is not: whether goods
//! have left already, only who sends them knows. What concerns stock and returned goods has no entity yet and is noted.

mod delivery;

use crate::body::Node;
use qudao_sdk::{Accepted, Note, Refused, Timestamp};
use serde_json::{Map, Value, json};

/// What a call says of itself.
pub(crate) struct Own<'call> {
    pub(crate) method: &'call str,
    pub(crate) sent_at: Timestamp,
    /// Of the content.
    pub(crate) digest: String,
}

impl Own<'_> {
    /// Names the call by the sender's own number.
    fn key_of(&self, number: &str) -> String {
        format!("{}:{number}", self.method)
    }

    /// Names the call by its content.
    pub(crate) fn key(&self) -> String {
        self.key_of(&self.digest)
    }
}

/// A form: other SPI than Qimen's send them, each with its own fields.
pub(crate) fn form(own: &Own<'_>, fields: Vec<(String, String)>) -> Accepted {
    let fields: Map<String, Value> = fields.into_iter().map(|(name, value)| (name, json!(value))).collect();
    let told = [("method", json!(own.method)), ("fields", Value::Object(fields))];
    Accepted::by(own.key()).note([note("form", None, told)])
}

/// A call with a body.
pub(crate) fn call(own: &Own<'_>, body: &Node<'_>) -> Result<Accepted, Refused> {
    match own.method {
        "deliveryorder.create" => delivery::create(own, body),
        "deliveryorder.confirm" => delivery::confirm(own, body),
        "order.cancel" => cancel(own, body),
        "orderprocess.report" => progress(own, body),
        "stockchange.report" => stock(own, body, "stock.changed"),
        "inventory.report" => stock(own, body, "stock.counted"),
        "returnorder.confirm" => returned(own, body),
        // Whoever asks wants an answer with figures, and an empty success would be a wrong one.
        asks if matches!(asks.rsplit('.').next(), Some("query" | "get")) => {
            let explain = format!("{asks} asks for something that the gateway does not tell");
            Err(Refused::because("unsupported_method", explain))
        }
        other => {
            let told = [("event_type", json!(other)), ("order_no", json!(body.text("orderCode")))];
            Ok(Accepted::by(own.key()).note([note("unknown_event", None, told)]))
        }
    }
}

fn cancel(own: &Own<'_>, body: &Node<'_>) -> Result<Accepted, Refused> {
    let told = [
        ("order_no", json!(body.need_text("orderCode")?)),
        ("order_type", json!(body.text("orderType"))),
        ("store_code", json!(body.text("warehouseCode"))),
        ("reason", json!(body.text("cancelReason"))),
    ];
    Ok(Accepted::by(own.key()).note([note("order.cancel_asked", Some(own.sent_at), told)]))
}

fn progress(own: &Own<'_>, body: &Node<'_>) -> Result<Accepted, Refused> {
    let (order, process) = (body.need("order")?, body.need("process")?);
    let told = [
        ("order_no", json!(order.need_text("orderCode")?)),
        ("order_type", json!(order.text("orderType"))),
        ("store_code", json!(order.text("warehouseCode"))),
        ("status", json!(process.need_text("processStatus")?)),
        ("operator", json!(process.text("operatorName"))),
        ("info", json!(process.text("operateInfo"))),
    ];
    Ok(Accepted::by(own.key()).note([note("order.progress", process.time("operateTime")?, told)]))
}

/// Differences of stock, one note each: each has a number of its own and counts once.
fn stock(own: &Own<'_>, body: &Node<'_>, kind: &str) -> Result<Accepted, Refused> {
    let common = |name: &str| body.text(name);
    let item = |item: &Node<'_>| {
        let own_or_common = |name: &str| item.text(name).or_else(|| common(name));
        let told = [
            ("sku", json!(item.need_text("itemCode")?)),
            ("store_code", json!(own_or_common("warehouseCode"))),
            ("owner_no", json!(own_or_common("ownerCode"))),
            ("condition", json!(item.text("inventoryType"))),
            ("delta", json!(item.number("quantity")?)),
            ("total", json!(item.number("totalQty")?)),
            ("order_no", json!(item.text("orderCode").or_else(|| common("checkOrderCode")))),
            ("order_type", json!(item.text("orderType"))),
            ("biz_no", json!(own_or_common("outBizCode"))),
        ];
        Ok(note(kind, item.time("changeTime")?, told))
    };
    let notes = body.list("items", "item").iter().map(item).collect::<Result<Vec<_>, Refused>>()?;
    if notes.is_empty() {
        return Err(Refused::because("malformed_resource", "the body has no items"));
    }
    Ok(Accepted::by(own.key()).note(notes))
}

fn returned(own: &Own<'_>, body: &Node<'_>) -> Result<Accepted, Refused> {
    let order = body.need("returnOrder")?;
    let order_no = order.need_text("returnOrderCode")?;
    let line = |line: &Node<'_>| {
        let told = [
            ("sku", json!(line.need_text("itemCode")?)),
            ("planned", json!(line.number("planQty")?)),
            ("received", json!(line.number("actualQty")?)),
            ("condition", json!(line.text("inventoryType"))),
        ];
        Ok(Value::Object(there(told)))
    };
    let lines = body.list("orderLines", "orderLine");
    let lines = lines.iter().map(line).collect::<Result<Vec<_>, Refused>>()?;
    let biz_no = order.text("outBizCode");
    let key = biz_no.as_ref().map_or_else(|| own.key(), |number| own.key_of(number));
    let told = [
        ("order_no", json!(order_no)),
        ("order_type", json!(order.text("orderType"))),
        ("delivery_order_no", json!(order.text("preDeliveryOrderCode"))),
        ("store_code", json!(order.text("warehouseCode"))),
        ("waybill", json!(order.text("expressCode"))),
        ("biz_no", json!(biz_no)),
        ("lines", json!(lines)),
    ];
    Ok(Accepted::by(key).note([note("return.received", order.time("orderConfirmTime")?, told)]))
}

fn note<const N: usize>(kind: &str, at: Option<Timestamp>, fields: [(&str, Value); N]) -> Note {
    Note { kind: kind.to_owned(), at, fields: there(fields) }
}

/// Without what was not told.
fn there<const N: usize>(fields: [(&str, Value); N]) -> Map<String, Value> {
    let told = fields.into_iter().filter(|(_, value)| !value.is_null());
    told.map(|(name, value)| (name.to_owned(), value)).collect()
}
