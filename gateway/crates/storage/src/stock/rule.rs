//! The rule of stock, pure: what a figure contains, what counts on top of it, and when a promise is in it.
//!
//! `on_hand` = the figure of the latest watermark + movements behind it; `committed` = pieces of open orders that are not
//! reflected; `available` = `on_hand` − `committed` − what is kept back. A commitment is reflected exactly when a movement
//! names it, when a snapshot's watermark is at or behind the ERP's acknowledgement of it, or when it is released. An ERP
//! that acknowledges nothing (tier E0) is presumed to have posted a sale `post_lag` after the goods left.
//! All of it is a function of sets: order of arrival and repeats change nothing, as long as one source either always
//! gives sequence numbers or never does.

use qudao_model::stock::Reports;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What an ERP can say about orders.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum Tier {
    /// A nightly file without references.
    #[default]
    E0,
    /// Documents that name orders.
    E1,
    /// A sequence without gaps for each store.
    E2,
}

/// Where something stands in what an ERP did: by its sequence where both have one, else by time. A later epoch (an ERP
/// that was restored or set up anew) is behind everything of the ones before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Mark {
    /// Counts restores and new installations.
    pub epoch: i64,
    /// The ERP's own number.
    pub seq: Option<i64>,
    /// Microseconds since 1970.
    pub micros: i64,
    /// How much further what it contains reaches, microseconds: of a figure that is as of a day. Promises do not count on it.
    pub span: i64,
    /// Which of several figures of one moment: above zero where a person confirmed it.
    pub revision: i64,
}

/// What the figures of a source mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meaning {
    /// Whether figures have promises taken off.
    pub reports: Reports,
    /// What the ERP can say about orders.
    pub tier: Tier,
    /// How far behind its own clock a figure may be, microseconds. Only for promises, and only where there is no sequence.
    pub skew: i64,
    /// How long after goods left the ERP may take to post it, microseconds (tier E0).
    pub post_lag: i64,
}

/// A figure and its watermark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Base {
    /// Pieces.
    pub qty: i64,
    /// What it contains: everything up to here.
    pub mark: Mark,
}

/// What went in or out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved<'a> {
    /// Where it stands.
    pub mark: Mark,
    /// Pieces; below zero they went out.
    pub delta: i64,
    /// Order that it names.
    pub order: Option<&'a str>,
}

/// A movement that names an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Naming {
    /// Number of the store.
    pub store: i64,
    /// Where it stands.
    pub mark: Mark,
    /// Sellable pieces; below zero they went out.
    pub delta: i64,
}

/// Where an order takes pieces from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// Number of the store.
    pub store: i64,
    /// Watermark of its figure.
    pub base: Option<&'a Mark>,
    /// Whether what left other stores counts: not where an order of another channel has the same number.
    pub elsewhere: bool,
}

/// Pieces of an order that are promised together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lot {
    /// Above zero.
    pub qty: i64,
    /// When they left, microseconds since 1970; absent while they have not.
    pub left: Option<i64>,
}

/// What an order takes from a level. A released one has no lots.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Commitment<'a> {
    /// Number of the order.
    pub order: &'a str,
    /// What is promised.
    pub lots: &'a [Lot],
    /// Pieces that movements name.
    pub named: i64,
    /// Where the ERP wrote the promise down, if it told.
    pub reserved: Option<Mark>,
    /// Where the ERP posted the sale, if it told.
    pub posted: Option<Mark>,
}

/// How much of a commitment the figure contains.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reflected {
    /// Pieces in it.
    pub pieces: i64,
    /// Those of them that are only presumed to be in it.
    pub presumed: i64,
}

/// A level.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// Last figure and the movements behind it.
    pub on_hand: i64,
    /// Promised and not in it.
    pub committed: i64,
    /// Pieces that are only presumed to be in it.
    pub presumed: i64,
}

impl Mark {
    /// Whether this stands behind `other`.
    pub fn is_after(&self, other: &Mark) -> bool {
        if self.epoch != other.epoch {
            return self.epoch > other.epoch;
        }
        let (mine, its) = match (self.seq, other.seq) {
            (Some(one), Some(other)) => (one, other),
            (Some(_) | None, _) => (self.reach(), other.reach()),
        };
        (mine, self.revision) > (its, other.revision)
    }

    /// Up to when it contains what moved.
    fn reach(&self) -> i64 {
        self.micros.saturating_add(self.span)
    }
}

impl Meaning {
    /// Of figures that nobody gives: nothing is presumed.
    pub const NONE: Meaning = Meaning { reports: Reports::OnHand, tier: Tier::E1, skew: 0, post_lag: 0 };
}

impl Base {
    /// The figure that counts of two: the one behind the other; the one that was there where neither is.
    pub fn latest(there: Option<Base>, new: Base) -> Base {
        match there {
            Some(there) if !new.mark.is_after(&there.mark) => there,
            Some(_) | None => new,
        }
    }
}

/// Whether a movement counts on top of a figure.
pub fn counts(moved: &Mark, base: Option<&Mark>) -> bool {
    base.is_none_or(|base| moved.is_after(base))
}

/// Pieces that movements name as gone for an order. One within the skew of the figure names none: neither is it on top of
/// the figure, nor is it sure to be in it. What another store sent here first is gone once.
pub fn named(all: &[Naming], place: &Place<'_>, meaning: &Meaning) -> i64 {
    let (mut gone, mut came) = (0_i64, 0_i64);
    let mut others: BTreeMap<i64, i64> = BTreeMap::new();
    for one in all {
        if one.store != place.store {
            let left = others.entry(one.store).or_default();
            *left = left.saturating_sub(one.delta);
        } else if one.delta >= 0 {
            came = came.saturating_add(one.delta);
        } else if is_sure(&one.mark, place.base, meaning) {
            gone = gone.saturating_sub(one.delta);
        }
    }
    let others = if place.elsewhere { sum(others.into_values().map(|left| left.max(0))) } else { 0 };
    gone.saturating_add(others.saturating_sub(came).max(0))
}

/// Whether the pieces of a movement are off the level: it counts on top of the figure, or the figure surely has it.
fn is_sure(moved: &Mark, base: Option<&Mark>, meaning: &Meaning) -> bool {
    base.is_none_or(|base| moved.is_after(base) || !moved.is_after(&behind_skew(base, meaning)))
}

/// Pieces of movements behind a figure that it has off already, because promises are: those that name this order. `gone`:
/// pieces that such movements took.
pub fn settled(commitment: &Commitment<'_>, base: Option<&Mark>, meaning: &Meaning, gone: i64) -> i64 {
    let is_off = meaning.reports == Reports::Available && is_reserved(commitment, base, meaning);
    if is_off { gone.clamp(0, sum(commitment.lots.iter().map(|lot| lot.qty))) } else { 0 }
}

/// How much of a commitment a figure with this watermark contains.
/// `first`: as of when the store's first figure is. What had left well before it was never on its way to be named.
pub fn reflected(
    commitment: &Commitment<'_>,
    base: Option<&Mark>,
    first: Option<i64>,
    meaning: &Meaning,
) -> Reflected {
    let qty = sum(commitment.lots.iter().map(|lot| lot.qty));
    let named = commitment.named.clamp(0, qty);
    let Some(mark) = base.map(|mark| behind_skew(mark, meaning)) else {
        return Reflected { pieces: named, presumed: 0 };
    };
    let told = match meaning.reports {
        Reports::OnHand => [commitment.posted, None],
        Reports::Available => [commitment.posted, commitment.reserved],
    };
    if told.iter().flatten().any(|told| !told.is_after(&mark)) {
        return Reflected { pieces: qty, presumed: 0 };
    }
    // What is named left first: a piece is not both named and presumed.
    let until = match meaning.tier {
        Tier::E0 => Some(mark.micros),
        Tier::E1 | Tier::E2 => first.map(|first| first.saturating_sub(meaning.skew)),
    };
    let old =
        commitment.lots.iter().filter(|lot| until.is_some_and(|until| is_presumed(lot, until, meaning)));
    let presumed = sum(old.map(|lot| lot.qty));
    let pieces = named.max(presumed);
    Reflected { pieces, presumed: pieces.saturating_sub(named) }
}

/// A level, from everything that is known of it. `base` is the latest of its figures ([`Base::latest`]), `moved` all its
/// movements, each once.
pub fn figures(
    base: Option<&Base>,
    moved: &[Moved<'_>],
    commitments: &[Commitment<'_>],
    first: Option<i64>,
    meaning: &Meaning,
) -> Figures {
    let mark = base.map(|base| base.mark);
    let counted = || moved.iter().filter(|one| counts(&one.mark, mark.as_ref()));
    let behind = sum(counted().map(|one| one.delta));
    let mut figures =
        Figures { on_hand: base.map_or(0, |base| base.qty).saturating_add(behind), ..Figures::default() };
    for commitment in commitments {
        // Where promises are taken off already, posting the sale of one takes off nothing more.
        let names = counted().filter(|one| one.order == Some(commitment.order) && one.delta < 0);
        let gone = sum(names.map(|one| one.delta.saturating_neg()));
        let settled = settled(commitment, mark.as_ref(), meaning, gone);
        figures.on_hand = figures.on_hand.saturating_add(settled);
        let reflected = reflected(commitment, mark.as_ref(), first, meaning);
        let qty = sum(commitment.lots.iter().map(|lot| lot.qty));
        figures.committed = figures.committed.saturating_add(qty.saturating_sub(reflected.pieces));
        figures.presumed = figures.presumed.saturating_add(reflected.presumed);
    }
    figures
}

/// Up to where promises are surely contained: a clock that runs ahead of its own figures must not take them off.
fn behind_skew(mark: &Mark, meaning: &Meaning) -> Mark {
    Mark { micros: mark.micros.saturating_sub(meaning.skew), span: 0, ..*mark }
}

fn is_presumed(lot: &Lot, until: i64, meaning: &Meaning) -> bool {
    lot.left.is_some_and(|left| until > left.saturating_add(meaning.post_lag))
}

fn is_reserved(commitment: &Commitment<'_>, base: Option<&Mark>, meaning: &Meaning) -> bool {
    let told = commitment.reserved.zip(base.map(|mark| behind_skew(mark, meaning)));
    !commitment.lots.is_empty() && told.is_some_and(|(reserved, mark)| !reserved.is_after(&mark))
}

fn sum(pieces: impl Iterator<Item = i64>) -> i64 {
    pieces.fold(0, i64::saturating_add)
}

#[cfg(test)]
mod tests;
