//! Looks into the database, beside the running gateway or as a kill left it, and says, one sentence each, what is missing,
//! there twice or half there.
//!
//! Everything is read in one transaction, after a note was taken of what had been acknowledged until then. A quick look
//! reads what came since the last one; a whole look begins at the first row again, so that what an earlier restart may have
//! taken away is seen as well.

mod database;
mod feed;
mod inbox;
mod marks;
mod money;
mod orders;
mod shape;
mod stock;
#[cfg(test)]
mod tests;

use crate::chain::Chain;
use crate::consumer::Consumer;
use crate::ledger::Ledger;
use crate::report::Kept;
use crate::shop::Shop;
use anyhow::Result;
pub(crate) use database::Database;
use std::collections::{HashMap, HashSet};
use std::path::Path;

/// More sentences than this tell nobody anything.
const SENTENCES_MAX: usize = 20;

/// Who knows what must be there.
pub(crate) struct Known<'a> {
    pub(crate) ledger: &'a Ledger,
    pub(crate) chain: &'a Chain,
    pub(crate) shop: &'a Shop,
    pub(crate) consumer: &'a Consumer,
    /// Deliveries and events that were there before the first start.
    pub(crate) filled: u64,
}

/// How far it has looked.
#[derive(Default)]
pub(crate) struct Check {
    /// Last row of each table that was looked at.
    ordinal: i64,
    position: i64,
    seq: i64,
    /// Acknowledged notices that were found.
    acknowledged: usize,
    /// Where each notice is in the inbox.
    stored: HashMap<usize, i64>,
    /// Ids of all events.
    events: HashSet<String>,
    /// What events told of each entity, and what they can tell once only.
    told: HashMap<String, feed::Told>,
    once: HashSet<String>,
    /// The last rows, which the next look must find as they were.
    marks: marks::Marks,
    pub(crate) kept: Kept,
}

/// How much is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    /// What came since the last look.
    Quick,
    /// Everything.
    Whole,
    /// Everything, and nothing is under way any more: what is there must be the truth.
    Settled,
}

impl Check {
    /// Everything that is wrong.
    pub(crate) fn look(&mut self, file: &Path, known: &Known<'_>, depth: Depth) -> Result<Vec<String>> {
        // Before the snapshot: what is acknowledged later may be missing in it.
        let acknowledged = known.ledger.acknowledged();
        let cursor = known.shop.passed();
        let mut database = Database::open(file)?;
        let mut found = self.marks.moved(&mut database)?;
        if depth != Depth::Quick {
            *self = Check::default();
        }
        found.extend(self.structure(&mut database, depth)?);
        found.extend(inbox::notices(self, &mut database, known, acknowledged)?);
        found.extend(orders::cursors(&mut database, known.shop, cursor)?);
        found.extend(stock::levels(&mut database, known.chain)?);
        found.extend(stock::imports(&mut database, known.chain)?);
        if depth == Depth::Settled {
            found.extend(money::truth(&mut database, known.ledger)?);
            found.extend(orders::truth(&mut database, known.shop)?);
            found.extend(stock::truth(&mut database, known.chain)?);
            found.extend(known.consumer.missing(&feed::payments(&mut database, known.filled)?));
        }
        self.advance(&mut database)?;
        found.extend(known.ledger.wrong());
        found.truncate(SENTENCES_MAX);
        Ok(found)
    }

    /// The same of a database that nobody knows anything about: whether its parts fit.
    pub(crate) fn fits(&mut self, file: &Path) -> Result<Vec<String>> {
        let mut database = Database::open(file)?;
        let mut found = self.structure(&mut database, Depth::Whole)?;
        self.advance(&mut database)?;
        found.truncate(SENTENCES_MAX);
        Ok(found)
    }

    fn structure(&mut self, database: &mut Database, depth: Depth) -> Result<Vec<String>> {
        let mut found = shape::rows(database, (self.ordinal, self.position), depth)?;
        found.extend(feed::events(self, database)?);
        if depth != Depth::Quick {
            found.extend(feed::entities(self, database)?);
            found.extend(stock::repeats(database)?);
        }
        Ok(found)
    }

    fn advance(&mut self, database: &mut Database) -> Result<()> {
        self.ordinal = database.number("SELECT coalesce(max(ordinal), 0) FROM inbox")?;
        self.position = database.number("SELECT coalesce(max(position), 0) FROM observations")?;
        self.marks = marks::Marks::of(database, [self.ordinal, self.position, self.seq])?;
        let count = |database: &mut Database, sql| -> Result<u64> {
            Ok(u64::try_from(database.number(sql)?).unwrap_or_default())
        };
        self.kept = Kept {
            deliveries: count(database, "SELECT count(*) FROM inbox")?,
            observations: count(database, "SELECT count(*) FROM observations")?,
            entities: count(database, "SELECT count(*) FROM entities")?,
            events: u64::try_from(self.seq).unwrap_or_default(),
            imports: count(database, "SELECT count(*) FROM imports")?,
            orders: count(database, "SELECT count(*) FROM entities WHERE kind = 'order'")?,
            aftersales: count(database, "SELECT count(*) FROM entities WHERE kind = 'aftersale'")?,
        };
        Ok(())
    }
}
