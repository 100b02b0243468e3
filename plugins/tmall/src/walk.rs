//! Walks a list that is ordered by time of change, newest first, one page a call.
//!
//! A window of times is counted, then read from its last page to its first: what changes meanwhile leaves the window or moves to
//! its head, so nothing slips from an unread page past the reader, except when the head grows. Then the window is walked once
//! more; a window that ends in the past has no growing head, so that comes to an end. The next window begins
//! `overlap` before now, for changes that the platform shows late; what was read and has not changed is not read again.
//!
//! Times are whole seconds. What was read within [`SETTLED_S`] of its change may change again within the same second, so it is
//! not held to be known, and read again.

use crate::call::Top;
use crate::things::Thing;
use crate::trouble::{Kind, Trouble};
use crate::wire::{Row, Rows};
use jiff::SignedDuration;
use qudao_sdk::{Failure, Note, Page, Timestamp, time};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// Rows of a page. Above 50 the platform times out more often.
const PAGE_SIZE: u32 = 50;

/// Things that a cursor remembers, so that it stays below 16 KiB. More are read again, which changes nothing.
const SEEN_MAX: usize = 400;

/// A thing that has not changed for so long, by both clocks, will not change in the same second again.
const SETTLED_S: i64 = 60;

/// How often a page is read again that comes with fewer rows than it must have.
const SHORT_MAX: u32 = 3;

/// The platform shows three months.
const KEPT: SignedDuration = SignedDuration::from_hours(89 * 24);

/// A list by time of change.
pub(crate) struct List {
    pub(crate) thing: Thing,
    pub(crate) method: &'static str,
    pub(crate) fields: &'static str,
    /// What is not named is left out silently.
    pub(crate) types: &'static str,
}

/// Where a stream is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cursor {
    /// All changes before it are read.
    mark: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    walk: Option<Walk>,
    /// Time of change of what was read, unix seconds by number.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    seen: BTreeMap<String, i64>,
}

/// A window that is being read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Walk {
    began: Timestamp,
    from: Timestamp,
    to: Timestamp,
    /// Next page; zero where it is to be counted.
    page: u32,
    /// Newest time of change when it was counted, and the numbers that had it.
    newest: i64,
    heads: Vec<String>,
    /// Whether it grew at its end, so that it is to be counted again.
    again: bool,
    /// How often the next page came with fewer rows than it must have.
    #[serde(default, skip_serializing_if = "is_zero")]
    short: u32,
}

/// What was read of a walk.
struct Step {
    rows: Vec<Row>,
    /// The rest of the walk.
    next: Option<Walk>,
    /// Rows that the page must have, where fewer came.
    promised: Option<u32>,
}

/// Reads the next page of a list.
pub(crate) fn poll(list: &List, cursor: Option<&str>, top: &Top<'_>) -> Result<Page, Failure> {
    let mut page = Page::empty();
    let mut at = Cursor::read(cursor, top, &mut page)?;
    let Some(walk) = at.walk.take().or_else(|| at.next_window(top)) else {
        return Ok(page);
    };
    let Step { rows, mut next, promised } = list.read(walk.clone(), top)?;
    at.fetch(list.thing, &rows, top, &mut page)?;
    match promised {
        // What is missing could be lost for good, so the page is read again. What never comes must not stop the stream.
        Some(_) if walk.short < SHORT_MAX => next = Some(Walk { short: walk.short + 1, ..walk.clone() }),
        Some(promised) => page.notes.push(short(&walk, promised, rows.len())),
        None => {}
    }
    let more = match next {
        Some(next) => {
            at.walk = Some(next);
            true
        }
        None => at.finish(&walk, top),
    };
    let text =
        serde_json::to_string(&at).map_err(|_| Failure::defect("bad_cursor", "it cannot be written"))?;
    Ok(page.cursor(text).more(more))
}

impl List {
    /// Reads the next page.
    fn read(&self, mut walk: Walk, top: &Top<'_>) -> Result<Step, Failure> {
        let counted = walk.page == 0;
        let mut least = 0;
        if counted {
            let first = self.ask(&walk, 1, false, top)?;
            let rows = first.trades.0;
            // Of a full page that is not counted nobody knows whether more is behind it.
            let uncounted = || Trouble::told(Kind::Transient, "a full page without a count", None);
            let all = u32::try_from(rows.len()).ok().filter(|rows| *rows < PAGE_SIZE);
            let total = first.total_results.or(all).ok_or_else(uncounted)?;
            if total <= PAGE_SIZE {
                let promised = self.missing(&rows, total);
                return Ok(Step { rows, next: None, promised });
            }
            walk.newest = rows.iter().map(changed).max().unwrap_or(i64::MIN);
            let heads = rows.iter().filter(|row| changed(row) == walk.newest);
            walk.heads = heads.filter_map(|row| self.thing.no(row)).map(str::to_owned).collect();
            walk.page = total.div_ceil(PAGE_SIZE);
            least = total - (walk.page - 1) * PAGE_SIZE;
        }
        let answer = self.ask(&walk, walk.page, true, top)?;
        let rows = answer.trades.0;
        // A page with another one behind it is full.
        let promised = self.missing(&rows, if answer.has_next.0 { PAGE_SIZE } else { least });
        walk.again |= counted && answer.has_next.0;
        walk.short = 0;
        let next = if walk.page > 1 {
            Some(Walk { page: walk.page - 1, ..walk })
        } else if walk.again || rows.iter().any(|row| self.is_new(row, &walk)) {
            Some(Walk { page: 0, again: false, heads: Vec::new(), ..walk })
        } else {
            None
        };
        Ok(Step { rows, next, promised })
    }

    /// Whether a row came to the head after the window was counted.
    fn is_new(&self, row: &Row, walk: &Walk) -> bool {
        let changed = changed(row);
        let known = || self.thing.no(row).is_some_and(|no| walk.heads.iter().any(|head| head == no));
        changed > walk.newest || (changed == walk.newest && !known())
    }

    /// Rows that a page must have, where fewer came. One that came twice does not stand in for another.
    fn missing(&self, rows: &[Row], promised: u32) -> Option<u32> {
        let came: BTreeSet<&str> = rows.iter().filter_map(|row| self.thing.no(row)).collect();
        (came.len() < promised as usize).then_some(promised)
    }

    fn ask(&self, walk: &Walk, page: u32, use_has_next: bool, top: &Top<'_>) -> Result<Rows, Trouble> {
        let (from, to) = (time::to_shanghai(walk.from), time::to_shanghai(walk.to));
        let (page, size) = (page.to_string(), PAGE_SIZE.to_string());
        let mut arguments = vec![
            ("fields", self.fields),
            ("type", self.types),
            ("start_modified", &from),
            ("end_modified", &to),
            ("page_no", &page),
            ("page_size", &size),
        ];
        if use_has_next {
            arguments.push(("use_has_next", "true"));
        }
        top.call(self.method, &arguments)
    }
}

impl Cursor {
    fn read(cursor: Option<&str>, top: &Top<'_>, page: &mut Page) -> Result<Cursor, Failure> {
        let mut at = match cursor {
            Some(text) => serde_json::from_str(text)
                .map_err(|_| Failure::defect("bad_cursor", "the cursor is not one of this connector"))?,
            None => Cursor { mark: top.times.since, walk: None, seen: BTreeMap::new() },
        };
        let oldest = top.now - KEPT;
        if at.mark < oldest {
            page.notes.push(gap(at.mark, oldest));
            at = Cursor { mark: oldest, walk: None, seen: BTreeMap::new() };
        }
        Ok(at)
    }

    /// The window after the mark, with the second before it: nobody says whether the ends of a window are in it.
    fn next_window(&self, top: &Top<'_>) -> Option<Walk> {
        let from = self.mark - SignedDuration::from_secs(1);
        let to = top.now.min(from + top.times.window);
        let heads = Vec::new();
        let walk = Walk { began: top.now, from, to, page: 0, newest: 0, heads, again: false, short: 0 };
        (whole_seconds(to) > whole_seconds(from)).then_some(walk)
    }

    /// Fetches the things of rows that are not known, oldest first.
    fn fetch(&mut self, thing: Thing, rows: &[Row], top: &Top<'_>, page: &mut Page) -> Result<(), Failure> {
        for row in rows.iter().rev() {
            let no = thing
                .no(row)
                .ok_or_else(|| Trouble::told(Kind::Transient, "a list with a row without a number", None))?;
            if self.seen.get(no).is_some_and(|seen| *seen == changed(row)) {
                continue;
            }
            let modified = thing.fetch(no, top, page)?.unwrap_or_else(|| changed(row));
            self.seen.remove(no);
            if modified.saturating_add(SETTLED_S) <= top.now.as_second() {
                self.remember(no, modified);
            }
        }
        Ok(())
    }

    /// Keeps the latest: they are met again for the longest time.
    fn remember(&mut self, no: &str, modified: i64) {
        self.seen.insert(no.to_owned(), modified);
        if self.seen.len() > SEEN_MAX {
            let oldest = self.seen.iter().min_by_key(|(_, modified)| **modified);
            if let Some(no) = oldest.map(|(no, _)| no.clone()) {
                self.seen.remove(&no);
            }
        }
    }

    /// Moves the mark over a window; true where another one is to be read at once.
    fn finish(&mut self, walk: &Walk, top: &Top<'_>) -> bool {
        self.mark = self.mark.max(walk.to.min(walk.began - top.times.overlap));
        let from = self.mark.as_second() - 1;
        self.seen.retain(|_, modified| *modified >= from);
        walk.to < walk.began
    }
}

impl Thing {
    fn no(self, row: &Row) -> Option<&str> {
        match self {
            Thing::Order => row.tid.0.as_deref(),
            Thing::AfterSale => row.refund_id.0.as_deref(),
        }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands it so")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// A page that stays short.
fn short(walk: &Walk, promised: u32, came: usize) -> Note {
    let fields = [
        ("from", json!(walk.from)),
        ("to", json!(walk.to)),
        ("page", json!(walk.page.max(1))),
        ("promised", json!(promised)),
        ("came", json!(came)),
    ];
    let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Note { kind: "page.short".to_owned(), at: None, fields }
}

/// Unix seconds; a row without a time is as new as can be.
fn changed(row: &Row) -> i64 {
    row.modified.0.map_or(i64::MAX, Timestamp::as_second)
}

fn whole_seconds(at: Timestamp) -> i64 {
    at.as_second()
}

/// Changes that nobody will read any more.
fn gap(from: Timestamp, to: Timestamp) -> Note {
    let fields = [("from", json!(from)), ("to", json!(to))];
    let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Note { kind: "gap".to_owned(), at: None, fields }
}
