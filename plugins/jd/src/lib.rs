//! JD connector: asks the JOS open platform for the orders of a POP shop and for refunds of what was not shipped yet.
//!
//! JD sends nothing on its own that could be relied upon, so everything is read by time of change, in windows that overlap.
//! Guarantee: what changed at JD is read at least once, also while pages are being turned (see [`walk`]); a crash between
//! page and commit repeats a page. A row that cannot be read becomes a note and stops nothing. Which facts of one order win
//! is the gateway's to decide.
//!
//! `call` signs and tells failures apart, `walk` turns pages, `wire` has JD's names, `order`, `share` and `refund` give them
//! meaning. What surprises: orders are in yuan and refunds in fen; a hold hides how far an order is.

mod call;
mod order;
mod refund;
mod share;
mod stream;
mod walk;
mod wire;

use call::Api;
use jiff::SignedDuration;
use qudao_sdk::schemars::JsonSchema;
use qudao_sdk::{Connector, Failure, Host, KeyKind, Manifest, Page, setting};
use serde::Deserialize;
use serde_json::{Value, json};
use stream::Stream;
use walk::{Span, Walk};

/// The connector.
pub struct Jd;

/// How far windows overlap where no setting says so, and at most.
const OVERLAP: SignedDuration = SignedDuration::from_mins(10);
const OVERLAP_MAX: SignedDuration = SignedDuration::from_hours(6);

/// Nothing to six hours, as the schema tells it.
const UP_TO_SIX_HOURS: &str = concat!(
    r"^(([0-9]{1,4}|1[0-9]{4}|20[0-9]{3}|21[0-5][0-9]{2}|21600)s",
    r"|([0-9]{1,2}|[12][0-9]{2}|3[0-5][0-9]|360)m|[0-6]h)$",
);

/// Settings of a channel.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(crate = "qudao_sdk::schemars")]
struct Settings {
    /// App key of your application at JOS.
    #[schemars(regex(pattern = r"^[0-9A-Za-z]{8,64}$"))]
    app_key: String,
    /// Number of the shop (vender id). If given, orders of another shop are passed over.
    #[schemars(regex(pattern = r"^\d{1,20}$"))]
    vender_id: Option<String>,
    /// Another origin in place of `https://api.jd.com`: a simulator.
    #[schemars(regex(pattern = r"^https?://[^/]+$"))]
    base_url: Option<String>,
    /// How far each window of time reaches back into the one before: a whole number and s, m or h, at most `6h`; `10m` if
    /// absent. It has to be longer than the clocks may differ, and JD refuses calls of a clock that is six minutes off.
    #[schemars(regex(pattern = UP_TO_SIX_HOURS))]
    overlap: Option<String>,
    /// Where the first reading begins, RFC 3339 such as `2026-01-31T00:00:00+08:00`; a day back if absent.
    #[schemars(regex(pattern = setting::TIME))]
    since: Option<String>,
}

impl Connector for Jd {
    fn manifest() -> Manifest {
        qudao_sdk::manifest(
            "jd",
            env!("CARGO_PKG_VERSION"),
            "JD shop orders and refunds before shipping, asked for at JOS",
        )
        .settings::<Settings>()
        .required("app_secret", KeyKind::SharedSecret, "App secret of your application at JOS")
        .required("access_token", KeyKind::Token, "Access token that the shop granted to the application")
        .network(call::ORIGIN)
        .network("{settings.base_url}")
        .poll(Stream::Orders.name(), 60, "Orders by time of change")
        .poll(Stream::RefundsApplied.name(), 120, "Refund applications by time of application")
        .poll(Stream::RefundsChecked.name(), 120, "Refund applications by time of review")
        .fetch("order", &[10, 60, 600], 3600)
        .fetch("aftersale", &[10, 60, 600], 3600)
        .personal()
        .build()
    }

    fn poll(stream: &str, cursor: Option<&str>, host: &dyn Host) -> Result<Page, Failure> {
        let settings: Settings = host.settings()?;
        let stream = Stream::named(stream).ok_or_else(|| Failure::unsupported(stream))?;
        let span = settings.span(host)?;
        let Some(walk) = Walk::resume(cursor, &span)? else {
            return Ok(Page::empty());
        };
        let found = stream.search(&settings.api(host), &walk)?;
        let step = walk.step(found, &span, |row| stream.changed_at(row))?;
        let mut page = Page::empty().cursor(step.cursor).more(step.more);
        page.notes.extend(step.short.map(|(said, came)| stream.short_page(said, came)));
        for row in &step.rows {
            page = stream.read(page, row, settings.vender_id.as_deref());
        }
        Ok(page)
    }

    fn fetch(kind: &str, key: &[String], host: &dyn Host) -> Result<Page, Failure> {
        let settings: Settings = host.settings()?;
        let api = settings.api(host);
        let [number] = key else {
            return Err(Failure::defect("request_bug", format!("a key of {kind} is one number")));
        };
        if number.is_empty() || number.len() > 20 || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Failure::platform(
                "business",
                format!("a number of JD has only digits, not {number:?}"),
            ));
        }
        let (stream, rows) = match kind {
            "order" => (Stream::Orders, one_order(&api, number)?),
            "aftersale" => {
                let method = "jingdong.pop.afs.soa.refundapply.queryById";
                (
                    Stream::RefundsApplied,
                    refund::rows(&api.call(method, &json!({"id": number}))?, method)?.rows,
                )
            }
            _ => return Err(Failure::unsupported(kind)),
        };
        let read = |page, row: &Value| stream.read(page, row, settings.vender_id.as_deref());
        Ok(rows.iter().fold(Page::empty(), read))
    }
}

impl Settings {
    fn api<'host>(&self, host: &'host dyn Host) -> Api<'host> {
        Api::new(host, self.base_url.as_deref(), &self.app_key)
    }

    fn span(&self, host: &dyn Host) -> Result<Span, Failure> {
        let overlap = setting::length("overlap", self.overlap.as_deref())?.unwrap_or(OVERLAP);
        if !(SignedDuration::ZERO..=OVERLAP_MAX).contains(&overlap) {
            return Err(setting::bad("overlap", "not within 0s to 6h"));
        }
        let since = setting::time("since", self.since.as_deref())?;
        let now = host.now();
        Ok(Span { now, since: since.unwrap_or(now - walk::WINDOW), overlap })
    }
}

/// One order; none where JD gives none without calling it an error.
fn one_order(api: &Api<'_>, number: &str) -> Result<Vec<Value>, Failure> {
    let method = "jingdong.pop.order.get";
    let asked = json!({"order_id": number, "optional_fields": wire::ORDER_FIELDS});
    let mut detail = call::result(api.call(method, &asked)?, "orderDetailInfo", method)?;
    Ok(detail.get_mut("orderInfo").map(Value::take).filter(Value::is_object).into_iter().collect())
}

qudao_sdk::export!(Jd: poll);
