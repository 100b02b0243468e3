//! Orders a second that are read from a marketplace: asked for, checked, sealed, folded, in the feed.
//!
//! The reference asks the same simulator the same questions and throws the answers away: what no client can be faster than.

mod tape;

use crate::args::{Measure, Part};
use crate::figures::{Figures, Unit, grouped, per_second};
use crate::http::Connection;
use crate::section::Section;
use crate::server::{self, Server};
use anyhow::{Context, Result, ensure};
use qudao_sim::clock::Clock;
use qudao_sim::market::Stock;
use qudao_sim::tmall::{Options, Shop};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tape::Tape;

/// Orders of the shop, whose lives happened in the half hour until now: nothing is read twice by a later window.
const ORDERS: u32 = 2_000;
const QUICK: u32 = 500;
const WITHIN_S: i64 = 1_800;
/// A round takes seconds.
const ROUND_MAX: Duration = Duration::from_secs(90);

pub(crate) fn measure(measure: &Measure, section: &mut Section) -> Result<()> {
    let orders = if measure.quick { QUICK } else { ORDERS };
    section.method(format!(
        "A Tmall shop of the simulators with {} orders and their after-sales; the connector lists what changed and asks for each order, \
         by 50 in one poll. The channel's rate limit is lifted. From the moment the gateway is ready until the last order is in \
         the feed, on an empty database. The reference sends the recorded calls of such a run to the same simulator, one after \
         another on one connection, and reads the answers: no signing, no checking, nothing stored. {} rounds.",
        grouped(orders.into()),
        measure.few()
    ));
    let shop = shop(orders)?;
    let folder = measure.part_folder(Part::Polls);
    let tape = Tape::before(&shop)?;
    // Not timed: what is asked is recorded.
    one_round(measure, &folder, (&shop, &tape.url()), orders)?;
    let calls = tape.stop();
    ensure!(!calls.is_empty(), "nothing was asked");
    let (mut gateway, mut bare, mut written) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..measure.few() {
        let (took, bytes) = one_round(measure, &folder, (&shop, &shop.url()), orders)?;
        gateway.push(per_second(orders.into(), took));
        written.push(bytes / u64::from(orders));
        bare.push(per_second(orders.into(), replay(&shop, &calls)?));
        eprintln!("    round {} of {}", round + 1, measure.few());
    }
    section.row(
        format!("orders read and in the feed ({} calls for {} orders)", calls.len(), grouped(orders.into())),
        Figures::of(gateway).show(Unit::PerSecond),
        Figures::of(bare).show(Unit::PerSecond),
    );
    section.row("written to disk for each order", Figures::of(written).show(Unit::Kilobytes), "");
    Ok(())
}

fn shop(orders: u32) -> Result<Shop> {
    let shop = Shop::start(Options::with(Clock::ticking()))?;
    shop.stock(Stock { count: orders, within_s: WITHIN_S })?;
    Ok(shop)
}

/// Until every order of the shop has an event, and the bytes that were written for it.
fn one_round(measure: &Measure, folder: &Path, shop: (&Shop, &str), orders: u32) -> Result<(Duration, u64)> {
    server::empty(folder)?;
    let config = configure(measure, folder, shop)?;
    let (server, _) = Server::with_config(measure, folder, &config)?;
    let begun = Instant::now();
    let (mut connection, mut after, mut seen) = (server.private()?, 0, BTreeSet::new());
    let wanted = usize::try_from(orders)?;
    while seen.len() < wanted {
        ensure!(begun.elapsed() < ROUND_MAX, "{} of {wanted} orders after {ROUND_MAX:?}", seen.len());
        let path = format!("/v1/events?after={after}&limit=1000&wait=2&type=qudao.order.*");
        let page = connection.get(&server.token, &path)?;
        for event in page.as_array().context("no list")? {
            after = event.get("seq").and_then(Value::as_u64).context("no seq")?;
            seen.extend(event.get("subject").and_then(Value::as_str).map(str::to_owned));
        }
    }
    Ok((begun.elapsed(), server.cost()?.written))
}

/// A gateway with this shop alone.
fn configure(measure: &Measure, folder: &Path, (shop, url): (&Shop, &str)) -> Result<PathBuf> {
    let since = qudao_model::Timestamp::from_second(shop.clock().now() - 2 * WITHIN_S)?;
    for (name, secret) in [("app-secret", shop.app_secret()), ("session", &shop.session())] {
        fs::write(folder.join(name), secret).context("writing a secret")?;
    }
    let settings = serde_json::json!({"app_key": shop.app_key(), "seller_nick": shop.seller_nick(), "since": since.to_string(),
        "window": "24h", "base_url": url});
    let text = format!(
        "version: 1\ngateway: {{hooks: \"127.0.0.1:0\", admin: \"127.0.0.1:0\", data: data}}\nchannels:\n  shop:\n    \
         connector: tmall\n    settings: {settings}\n    network: [{url:?}]\n    \
         limits: {{rate_per_second: 10000, rate_burst: 10000}}\n    \
         secrets: {{app_secret: {{file: app-secret}}, session: {{file: session}}}}\n"
    );
    server::write_config(measure, folder, &text)
}

fn replay(shop: &Shop, calls: &[Vec<u8>]) -> Result<Duration> {
    let address = tape::shop_address(shop)?;
    let mut connection = Connection::open(address)?;
    let begun = Instant::now();
    for call in calls {
        let status = connection.send(call)?;
        ensure!(status == 200, "the simulator answered {status}");
    }
    Ok(begun.elapsed())
}
