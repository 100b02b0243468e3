//! How a stream is read so that no change is lost while its pages are turned.
//!
//! A window of time, at most a day and never beyond now, is read in pages **from the last to the first**. A row that changes
//! meanwhile leaves the window, and every row behind it moves one place forward: onto a page that is still to come, or into
//! one that was read already, but never past us. Read from the first to the last, it would jump over the gap. The row itself
//! comes back in the next window. Should rows come into the window (a late index), its total grows, and it is walked again.
//!
//! A page with fewer rows than its total promises is read again, three times; then it is reported and left.
//!
//! The next window begins `overlap` before this one ended. What the overlap showed is remembered by a digest of its content,
//! not by its time, so that a second change within the same second is seen and an unchanged row is passed over.

use jiff::SignedDuration;
use qudao_sdk::{Failure, Timestamp, base64};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// Rows of a page. Some sources say that JD gives 100; all say that it gives 50.
pub(crate) const PAGE: u64 = 50;
/// Longest window.
pub(crate) const WINDOW: SignedDuration = SignedDuration::from_hours(24);
/// Rows from which a window is halved: deep pages are slow.
const DEEP: u64 = 2_000;
/// Times that a page with fewer rows than said is read again.
const AGAIN: u32 = 3;
/// Rows of an overlap that are remembered; more of them are read again, which changes nothing.
const REMEMBERED: usize = 500;

/// What a walk is bound to.
pub(crate) struct Span {
    pub(crate) now: Timestamp,
    pub(crate) since: Timestamp,
    pub(crate) overlap: SignedDuration,
}

/// Where a stream is: the cursor between two calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Walk {
    /// Begin of the window.
    pub(crate) from: Timestamp,
    /// Its end; fixed while it is being read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    to: Option<Timestamp>,
    /// The page to read; none while it is not known how many there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    page: Option<u64>,
    /// How often the page had fewer rows than JD said.
    #[serde(default, skip_serializing_if = "is_zero")]
    short: u32,
    /// The most rows that JD said the window has.
    #[serde(default, skip_serializing_if = "is_zero")]
    total: u64,
    /// What the window before showed of the overlap.
    #[serde(default, skip_serializing_if = "Digests::is_empty")]
    known: Digests,
    /// What this window showed so far of the next overlap.
    #[serde(default, skip_serializing_if = "Digests::is_empty")]
    seen: Digests,
}

/// A page of a window.
pub(crate) struct Found {
    /// Rows of all pages together.
    pub(crate) total: Option<u64>,
    pub(crate) rows: Vec<Value>,
}

/// What a page comes to.
pub(crate) struct Step {
    /// Rows that are not known yet.
    pub(crate) rows: Vec<Value>,
    pub(crate) cursor: String,
    pub(crate) more: bool,
    /// A page that was given up on: rows that JD said it has, and rows that came.
    pub(crate) short: Option<(u64, u64)>,
}

impl Walk {
    /// Goes on where the cursor says, with a new window if there is none; nothing if that begins in the future.
    pub(crate) fn resume(cursor: Option<&str>, span: &Span) -> Result<Option<Walk>, Failure> {
        let mut walk = match cursor {
            Some(text) => serde_json::from_str(text)
                .map_err(|error| Failure::defect("bad_cursor", format!("the cursor: {error}")))?,
            None => Walk::from(whole_seconds(span.since), Digests::default()),
        };
        let to = walk.to.unwrap_or_else(|| whole_seconds(span.now).min(walk.from + WINDOW));
        walk.to = Some(to);
        Ok((to >= walk.from).then_some(walk))
    }

    fn from(from: Timestamp, known: Digests) -> Walk {
        Walk { from, to: None, page: None, short: 0, total: 0, known, seen: Digests::default() }
    }

    /// End of the window.
    pub(crate) fn to(&self) -> Timestamp {
        self.to.unwrap_or(self.from)
    }

    /// Page to read now. How many there are, any page tells.
    pub(crate) fn page(&self) -> u64 {
        self.page.unwrap_or(1).max(1)
    }

    /// Takes the answer in. `changed_at` is the time by which the stream is read.
    pub(crate) fn step(
        mut self,
        found: Found,
        span: &Span,
        changed_at: impl Fn(&Value) -> Option<Timestamp>,
    ) -> Result<Step, Failure> {
        let unsaid = || Failure::platform("permanent", "the answer does not say how many rows there are");
        let total = found.total.ok_or_else(unsaid)?;
        let last = total.div_ceil(PAGE).max(1);
        let grown = self.page.is_some() && total > self.total;
        self.total = self.total.max(total);
        let next = match self.page {
            None if last == 1 => None,
            None => {
                let halved = total > DEEP && self.halve(span);
                return self.turned((!halved).then_some(last), Vec::new());
            }
            Some(_) if grown => Some(last),
            Some(page) => page.checked_sub(1).filter(|page| *page > 0),
        };
        let overlap_from = self.to() - span.overlap;
        let said = total.saturating_sub((self.page() - 1) * PAGE).min(PAGE);
        let (mut fresh, mut came) = (Vec::new(), BTreeSet::new());
        for row in found.rows {
            let digest = digest(&row);
            if changed_at(&row).is_some_and(|at| at >= overlap_from) && self.seen.0.len() < REMEMBERED {
                self.seen.0.insert(digest);
            }
            if came.insert(digest) && !self.known.0.contains(&digest) {
                fresh.push(row);
            }
        }
        let came = came.len() as u64;
        if came < said && self.short < AGAIN && !grown {
            let (page, short) = (self.page, self.short + 1);
            return Walk { short, ..self }.turned(page, fresh);
        }
        let short = (came < said).then_some((said, came));
        self.short = 0;
        if next.is_some() {
            return Ok(Step { short, ..self.turned(next, fresh)? });
        }
        let more = self.to() + span.overlap < span.now;
        // A window that is no longer than the overlap must not go backwards.
        let following = Walk::from(overlap_from.max(self.from), self.seen);
        Ok(Step { rows: fresh, cursor: following.cursor()?, more, short })
    }

    fn turned(self, page: Option<u64>, rows: Vec<Value>) -> Result<Step, Failure> {
        Ok(Step { rows, cursor: Walk { page, ..self }.cursor()?, more: true, short: None })
    }

    /// Makes the window half as long, if it then still gets beyond its own overlap.
    fn halve(&mut self, span: &Span) -> bool {
        let half = SignedDuration::from_secs(self.to().duration_since(self.from).as_secs() / 2);
        let enough = half >= span.overlap * 2 && half > SignedDuration::from_mins(1);
        if enough {
            self.to = Some(self.from + half);
            self.total = 0;
        }
        enough
    }

    fn cursor(&self) -> Result<String, Failure> {
        serde_json::to_string(self).map_err(|error| Failure::defect("bad_cursor", error.to_string()))
    }
}

/// Digests of rows. Another build of the connector may digest otherwise: then an overlap is read twice, once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
struct Digests(BTreeSet<u64>);

impl Digests {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Digests> for String {
    fn from(digests: Digests) -> String {
        base64::encode(&digests.0.into_iter().flat_map(u64::to_be_bytes).collect::<Vec<_>>())
    }
}

impl TryFrom<String> for Digests {
    type Error = base64::Base64Error;
    fn try_from(text: String) -> Result<Digests, base64::Base64Error> {
        let bytes = base64::decode(text)?;
        let (digests, _) = bytes.as_chunks();
        Ok(Digests(digests.iter().map(|digest| u64::from_be_bytes(*digest)).collect()))
    }
}

/// JD's times have no fraction.
fn whole_seconds(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

fn is_zero<T: Default + PartialEq>(number: &T) -> bool {
    *number == T::default()
}

fn digest(row: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    row.to_string().hash(&mut hasher);
    hasher.finish()
}
