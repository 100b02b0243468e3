//! The feed as a table that grows: one line an event, columns aligned by what they show on a screen, where a Chinese
//! character is two columns wide.

use super::gateway::Gateway;
use anstyle::{AnsiColor, Style};
use anyhow::Result;
use serde_json::Value;
use unicode_width::UnicodeWidthStr;

const HEAD: Style = Style::new().bold().underline();
const OUT: Style = AnsiColor::Yellow.on_default();
const IN: Style = AnsiColor::Green.on_default();
const GOODS: Style = AnsiColor::Cyan.on_default();
const ODD: Style = AnsiColor::Red.on_default();
/// Events asked for at once, and how long the gateway may wait for the first.
const PAGE: u32 = 100;

/// Column heads with their widths; a negative width aligns to the right.
const COLUMNS: [(&str, isize); 7] = [
    ("seq", -5),
    ("time (UTC)", 10),
    ("channel", 12),
    ("event", 18),
    ("order", 24),
    ("amount", -12),
    ("now", 16),
];

/// Reads the feed from its beginning.
#[derive(Default)]
pub(super) struct Feed {
    after: u64,
    shown_head: bool,
    pub(super) events: Vec<Value>,
}

impl Feed {
    /// Waits up to `wait` seconds for new events and shows them; how many there were.
    pub(super) fn grow(&mut self, gateway: &Gateway, wait: u32) -> Result<usize> {
        let page = gateway.http.get(&format!("/v1/events?after={}&limit={PAGE}&wait={wait}", self.after))?;
        let events = page.as_array().cloned().unwrap_or_default();
        let mut rest = events.as_slice();
        while let Some(event) = rest.first() {
            let alike = if is_level(event) { rest.iter().take_while(|one| is_level(one)).count() } else { 1 };
            self.show(event, alike);
            rest = rest.get(alike..).unwrap_or_default();
        }
        self.after = events.last().and_then(|last| last.get("seq")?.as_u64()).unwrap_or(self.after);
        let count = events.len();
        self.events.extend(events);
        Ok(count)
    }

    /// One line; so many levels of stock that changed one after the other are one, too.
    fn show(&mut self, event: &Value, alike: usize) {
        if !self.shown_head {
            anstream::println!("{HEAD}{}{HEAD:#}", line(&COLUMNS.map(|(head, _)| head.to_owned())));
            self.shown_head = true;
        }
        let mut row = row(event);
        if alike > 1
            && let Some(now) = row.last_mut()
        {
            *now = format!("and {} more levels", alike - 1);
        }
        let colour = match row.get(3).map(String::as_str).unwrap_or_default() {
            what if what.ends_with("anomaly") || what.ends_with("missing") => ODD,
            what if what.starts_with("refund") || what.starts_with("aftersale") => OUT,
            what if what.starts_with("order") => GOODS,
            _ => IN,
        };
        anstream::println!("{colour}{}{colour:#}", line(&row));
    }
}

fn is_level(event: &Value) -> bool {
    event.get("type").and_then(Value::as_str).is_some_and(|word| word.starts_with("qudao.stock."))
}

fn row(event: &Value) -> [String; 7] {
    let text = |name: &str| event.get(name).and_then(Value::as_str).unwrap_or_default();
    let mut words = text("type").split('.').skip(1);
    let (entity, verb) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let data = event.get("data").and_then(|data| data.get(entity));
    let field = |name: &str| data.and_then(|data| data.get(name));
    let payable = field("totals").and_then(|totals| totals.get("payable_fen"));
    let amount = field("amount_fen").or_else(|| field("requested_fen")).or(payable);
    let amount = amount.or_else(|| field("total_fen")).and_then(Value::as_i64);
    let sign = if matches!(entity, "refund" | "aftersale") { "-" } else { "" };
    let word = |name: &str| field(name).and_then(Value::as_str).unwrap_or_default();
    // A hold hides no progress: both are shown. A listing is known by the platform's SKU.
    let now = match field("holds").and_then(Value::as_array).and_then(|holds| holds.first()) {
        Some(hold) => format!("{}, {}", word("state"), hold.as_str().unwrap_or_default()),
        None if entity == "stock" => {
            format!("{} of {}", field("on_hand").map(Value::to_string).unwrap_or_default(), word("sku"))
        }
        None if entity == "slip" => word("kind").to_owned(),
        None if entity == "listing" => format!("{} {}", word("state"), word("channel_sku")),
        None => word("state").to_owned(),
    };
    [
        event.get("seq").map(Value::to_string).unwrap_or_default(),
        text("time").get(11..19).unwrap_or_default().to_owned(),
        text("channel").to_owned(),
        format!("{entity} {verb}"),
        [word("order_no"), word("slip_no"), word("store_code")]
            .into_iter()
            .find(|no| !no.is_empty())
            .unwrap_or_default()
            .to_owned(),
        amount.map(|fen| format!("{sign}{}", yuan(fen))).unwrap_or_default(),
        now,
    ]
}

fn line(cells: &[String; 7]) -> String {
    let padded = cells.iter().zip(COLUMNS).map(|(cell, (_, width))| pad(cell, width));
    padded.collect::<Vec<String>>().join("  ").trim_end().to_owned()
}

fn pad(cell: &str, width: isize) -> String {
    let blank = " ".repeat(width.unsigned_abs().saturating_sub(cell.width()));
    if width < 0 { format!("{blank}{cell}") } else { format!("{cell}{blank}") }
}

/// `1234.05`, as people write yuan.
pub(super) fn yuan(fen: i64) -> String {
    let sign = if fen < 0 { "-" } else { "" };
    let fen = fen.unsigned_abs();
    format!("{sign}{}.{:02}", fen / 100, fen % 100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn money_is_written_exactly() {
        for (fen, text) in [(0, "0.00"), (5, "0.05"), (123_405, "1234.05"), (-70, "-0.70")] {
            assert_eq!(yuan(fen), text);
        }
    }

    #[test]
    fn columns_stay_aligned_under_wide_characters() {
        assert_eq!(pad("门店", 6).width(), 6);
        assert_eq!(pad("12", -5), "   12");
    }

    #[track_caller]
    fn check(what: &str, data: &Value, expect: [&str; 4]) {
        let (time, event_type) = ("2026-01-02T03:04:05Z", format!("qudao.{what}.v1"));
        let event = json!({"seq": 7, "time": time, "channel": "main", "type": event_type, "data": data});
        let row = row(&event);
        assert_eq!(row[..3], ["7", "03:04:05", "main"]);
        assert_eq!(row[3..], expect);
    }

    #[test]
    fn an_event_becomes_a_row() {
        let refund = json!({"refund": {"order_no": "A1", "amount_fen": 2050, "state": "succeeded"}});
        check("refund.succeeded", &refund, ["refund succeeded", "A1", "-20.50", "succeeded"]);
        let aftersale = json!({"aftersale": {"order_no": "A1", "amount_fen": 900, "state": "requested"}});
        check("aftersale.opened", &aftersale, ["aftersale opened", "A1", "-9.00", "requested"]);
        let order = json!({"order": {"order_no": "A1", "totals": {"goods_fen": 9, "payable_fen": 1234}, "state": "to_ship", "holds": []}});
        check("order.paid", &order, ["order paid", "A1", "12.34", "to_ship"]);
        let held = json!({"order": {"order_no": "A1", "state": "to_ship", "holds": ["paused"]}});
        check("order.held", &held, ["order held", "A1", "", "to_ship, paused"]);
        let listing = json!({"listing": {"channel_sku": "49", "order_no": "A1", "state": "missing"}});
        check("listing.missing", &listing, ["listing missing", "A1", "", "missing 49"]);
    }
}
