//! Questions to a database of some size: pages from all over it, and single rows.

use super::fill::Filler;
use crate::args::Measure;
use crate::figures::{Figures, nanos};
use crate::http::{self, Connection};
use crate::server::Server;
use anyhow::{Context, Result, ensure};
use qudao_sim::dice::Dice;
use serde_json::Value;
use std::time::Instant;

/// Pages; each is a hundred events, so that is most of the time.
const PAGES: usize = 300;
const QUICK_PAGES: usize = 60;
/// Single ones out of each page.
const ONES_A_PAGE: usize = 5;
const LIMIT: usize = 100;
/// Before the end of the feed, so that every page is full.
const TAIL: u64 = 100;

/// Place of the last event.
pub(super) fn last_seq(server: &Server) -> Result<u64> {
    // The last page is found by halving: nobody else needs to be told the number.
    let mut connection = server.private()?;
    let (mut low, mut high) = (0_u64, 1_u64 << 40);
    while low < high {
        let middle = low.midpoint(high);
        let page = connection.get(&server.token, &format!("/v1/events?after={middle}&limit=1"))?;
        match page.as_array().and_then(|list| list.first()) {
            Some(event) => low = event.get("seq").and_then(Value::as_u64).context("no seq")?,
            None => high = middle,
        }
    }
    Ok(low)
}

/// Pages of the feed and payments by id, nanoseconds each.
pub(super) fn gateway(measure: &Measure, server: &Server) -> Result<(Figures, Figures)> {
    let last = last_seq(server)?;
    let mut connection = server.private()?;
    let (mut dice, mut pages, mut ones) = (Dice::new(1), Vec::new(), Vec::new());
    for _ in 0..count(measure) {
        let after = dice.throw() % last.saturating_sub(TAIL).max(1);
        let asked = format!("/v1/events?after={after}&limit={LIMIT}");
        let (took, page) = timed(&mut connection, &server.token, &asked)?;
        pages.push(took);
        let page: Vec<Value> = serde_json::from_slice(&page)?;
        ensure!(page.len() == LIMIT, "a page of {} events", page.len());
        let subjects = page.iter().filter_map(|event| event.get("subject").and_then(Value::as_str));
        for subject in subjects.step_by(LIMIT / ONES_A_PAGE) {
            ones.push(timed(&mut connection, &server.token, &format!("/v1/payments/{subject}"))?.0);
        }
    }
    Ok((Figures::of(pages), Figures::of(ones)))
}

/// The same of the reference's rows.
pub(super) fn reference(measure: &Measure, server: &Server, filler: &Filler) -> Result<(Figures, Figures)> {
    let mut connection = Connection::open(server.address)?;
    let (mut dice, mut pages, mut ones) = (Dice::new(1), Vec::new(), Vec::new());
    for _ in 0..count(measure) {
        pages.push(timed(&mut connection, "", &format!("/notices/after/{}", filler.some_id(&mut dice)))?.0);
        for _ in 0..ONES_A_PAGE {
            ones.push(timed(&mut connection, "", &format!("/notices/{}", filler.some_id(&mut dice)))?.0);
        }
    }
    Ok((Figures::of(pages), Figures::of(ones)))
}

fn count(measure: &Measure) -> usize {
    if measure.quick { QUICK_PAGES } else { PAGES }
}

fn timed(connection: &mut Connection, token: &str, path: &str) -> Result<(u64, Vec<u8>)> {
    let request = http::get(token, path);
    let begun = Instant::now();
    let status = connection.send(&request)?;
    let took = nanos(begun.elapsed());
    ensure!(status == 200, "{path}: {status}");
    Ok((took, connection.body().to_vec()))
}
