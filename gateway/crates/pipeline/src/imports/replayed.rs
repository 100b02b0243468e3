//! Imports in a replay: the stored file is read by today's connector under the settings of then, and each part that counted
//! then is applied again, with the same key, at its place among all deliveries. What it comes to is compared.
//!
//! What a person decided is history and stays: a store counts in the replay where it counts in the source.

use super::{
    Reader,
    apply::{
        AbsentZero, Key, Moves, Part, Refused, StockLoader, Stores, facts_of, movements, offset_of,
        ticket_chunks, undone,
    },
    figures,
    guards::Figures,
    reading::{self, Quarantine, Reading},
    run::Summary,
    spool::Piles,
    terms::{self, Noted},
};
use crate::{Error, replay::Report};
use futures_util::future::{BoxFuture, FutureExt as _};
use qudao_host::{Call, FileBytes, FileCall};
use qudao_model::{Facts, FileKind, Observation, Slip, Verdict, fault::chain, file::RowReject};
use qudao_storage::{
    FilePart, ImportFilter, ImportMove, ImportRow, LIMIT_MAX, NewImport, RejectFilter, Replayed, StockPart,
    Storage, StoreOutcome, StoreState,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read as _,
    sync::{Arc, atomic::AtomicU64},
};

/// Finds how a channel reads files.
pub(crate) type FindReader<'a> = &'a (dyn Fn(&str) -> Option<Arc<Reader>> + Sync);

/// The files of a replay.
pub(crate) struct Files<'a> {
    source: &'a Storage,
    into: &'a Storage,
    find: FindReader<'a>,
    /// The file that was read last: parts of one lie together.
    last: Option<Again>,
}

/// A file that was read again.
struct Again {
    row: ImportRow,
    reader: Arc<Reader>,
    kind: FileKind,
    piles: Arc<Piles>,
    figures: BTreeMap<String, Figures>,
    absent_zero: AbsentZero,
    micros: u64,
}

/// What is said of a part.
pub(crate) enum PartOf {
    /// It was applied to stock; nothing is left to do. Whether its figures are those of then.
    Stock { same: bool },
    /// Slips, as today's connector tells them under the settings of then.
    Slips(Vec<Observation>),
    /// It cannot be read again, and why.
    Refused(String),
}

/// What a key names.
enum Named {
    Stores,
    Moves(usize),
    Slips(usize),
}

#[derive(Default)]
struct Nowhere(Refused);

impl Quarantine for Nowhere {
    fn put(&mut self, rejects: Vec<RowReject>) -> BoxFuture<'_, Result<(), Error>> {
        for reject in &rejects {
            self.0.add(reject);
        }
        async { Ok(()) }.boxed()
    }
}

impl<'a> Files<'a> {
    pub(crate) fn new(source: &'a Storage, into: &'a Storage, find: FindReader<'a>) -> Files<'a> {
        Files { source, into, find, last: None }
    }

    /// Does a part again.
    pub(crate) async fn part(&mut self, delivery: &Replayed) -> Result<PartOf, Error> {
        let Verdict::Accepted(told) = &delivery.incoming.verdict else {
            return Ok(PartOf::Refused("a part of a file was never applied".to_owned()));
        };
        let Some((import, named)) = parsed(&delivery.incoming.channel, &told.dedupe_key) else {
            return Ok(PartOf::Refused("its key names no part of a file".to_owned()));
        };
        let Some(noted) = Noted::of(&delivery.incoming.request.body) else {
            return Ok(PartOf::Refused("it does not say by which settings it was read".to_owned()));
        };
        if let Err(why) = self.read(&import, &noted.settings).await? {
            return Ok(PartOf::Refused(why));
        }
        let Some(again) = &self.last else { return Ok(PartOf::Refused("nothing was read".to_owned())) };
        match named {
            Named::Slips(number) => again.slips(number, self.into).await,
            Named::Moves(number) => match again.moves(number)? {
                Some(part) => self.apply((part, &noted), delivery).await,
                None => Ok(PartOf::Refused("it has no such movements any more".to_owned())),
            },
            Named::Stores => {
                let there = noted.stores.iter().map(|store| store.code.clone());
                let stores: Vec<String> = there.filter(|store| again.figures.contains_key(store)).collect();
                if stores.is_empty() {
                    return Ok(PartOf::Refused("it has none of these stores any more".to_owned()));
                }
                let part = again.snapshot(stores)?;
                self.apply((part, &noted), delivery).await
            }
        }
    }

    /// Applies stock, and says whether it is what it was.
    async fn apply(
        &self,
        (mut part, noted): (StockPart, &Noted),
        delivery: &Replayed,
    ) -> Result<PartOf, Error> {
        let counted = self.source.import_stores(&part.import).await?;
        for store in &mut part.stores {
            if let Some(noted) = noted.stores.iter().find(|one| one.code == store.store_code) {
                (store.revision, store.absent_zero) = (noted.revision, noted.absent_zero);
            }
            let then = counted.iter().find(|one| one.store_code == store.store_code);
            store.before = then.and_then(|then| then.before);
        }
        let same = noted.content.as_ref() == Some(&terms::content(&part));
        self.into.apply_stock(as_then(part, delivery)).await?;
        Ok(PartOf::Stock { same })
    }

    /// Reads the file of an import, unless it was read last.
    async fn read(&mut self, import: &str, settings: &str) -> Result<Result<(), String>, Error> {
        let is_it = |last: &Again| last.row.id == import && last.reader.terms == settings;
        if self.last.as_ref().is_some_and(is_it) {
            return Ok(Ok(()));
        }
        self.last = None;
        let Some(row) = self.source.import(import).await? else {
            return Ok(Err(format!("there is no import `{import}`")));
        };
        let Some(reader) = (self.find)(&row.channel) else {
            return Ok(Err(format!("no channel `{}` reads files any more", row.channel)));
        };
        let terms = match terms::load(self.source, settings) {
            Ok(terms) => terms,
            Err(error) => {
                return Ok(Err(format!("the settings by which it was read are lost: {}", chain(&error))));
            }
        };
        terms::keep(self.into, &terms).await?;
        let reader = Arc::new(reader.under((settings.to_owned(), terms), &row.mapping));
        let source =
            FileBytes::new(self.source.open_file(&row.sha256)?).map_err(|source| Error::Spool { source })?;
        let file = FileCall {
            source: Arc::new(source),
            name: row.name.clone(),
            settings: (*reader.files.settings).clone(),
            call: Call { now: row.received_at, random_seed: Some(0) },
        };
        let (folder, now) = (std::env::temp_dir(), row.received_at);
        let (connector, progress) = (Arc::clone(&reader.connector), Arc::<AtomicU64>::default());
        let reading = Reading { connector: &*connector, file, now, folder, progress, watcher: None };
        let mut nowhere = Nowhere::default();
        let read = match reading::read(reading, &mut nowhere).await? {
            Ok(read) => read,
            Err(failure) => return Ok(Err(format!("{}: {}", failure.code, failure.message))),
        };
        let piles = Arc::new(read.sieved.piles);
        let mut figures = BTreeMap::new();
        if read.outcome.kind == FileKind::StockSnapshot {
            figures = match figures::figures(&piles)? {
                Ok(figures) => figures,
                Err(unusable) => return Ok(Err(unusable.told().1)),
            };
        }
        let absent_zero = AbsentZero::of(read.outcome.guard.as_ref(), &nowhere.0);
        let (kind, micros) = (read.outcome.kind, read.micros);
        self.last = Some(Again { row, reader, kind, piles, figures, absent_zero, micros });
        Ok(Ok(()))
    }

    /// Puts an import on the list of the new database, with its file.
    async fn list(&self, row: &ImportRow) -> Result<(), Error> {
        let mut from = self.source.open_file(&row.sha256)?;
        let mut to = self.into.new_file().await?;
        let mut piece = vec![0; 256 * 1024];
        loop {
            let read = from.read(&mut piece).map_err(|source| Error::Spool { source })?;
            if read == 0 {
                break;
            }
            to.write(piece.get(..read).unwrap_or_default()).await?;
        }
        to.finish().await?;
        let new = NewImport {
            channel: row.channel.clone(),
            name: row.name.clone(),
            sha256: row.sha256.clone(),
            size: row.size,
            mapping: row.mapping.clone(),
            connector: row.connector.clone(),
            received_at: row.received_at,
        };
        self.into.put_import(new).await?;
        Ok(())
    }

    /// Imports of the source, in the order of its list.
    async fn rows(&self) -> Result<Vec<ImportRow>, Error> {
        let mut filter = ImportFilter { limit: LIMIT_MAX, ..ImportFilter::default() };
        let mut rows = Vec::new();
        loop {
            let page = self.source.imports(&filter).await?;
            rows.extend(page.items);
            filter.cursor = page.next;
            if filter.cursor.is_none() {
                rows.reverse();
                return Ok(rows);
            }
        }
    }

    /// Puts the imports on the list, each at its place.
    pub(crate) async fn begin(&self) -> Result<(), Error> {
        for row in self.rows().await? {
            self.list(&row).await?;
        }
        Ok(())
    }

    /// Copies what is history: how imports stand, their quarantine, what persons decided about stores.
    pub(crate) async fn finish(&self, report: &mut Report) -> Result<(), Error> {
        for row in self.rows().await? {
            report.imports += 1;
            if let Some(settings) = Summary::of(&row).settings
                && let Ok(terms) = terms::load(self.source, &settings)
            {
                // Whoever decides about it later decides about what was read by these.
                terms::keep(self.into, &terms).await?;
            }
            let mut stores = self.source.import_stores(&row.id).await?;
            self.compare((&row, &stores), report).await?;
            stores.retain(|store| store.state != StoreOutcome::Applied);
            self.into.hold_stores(&row.id, &stores, row.updated_at).await?;
            self.rejects(&row.id).await?;
            let to = ImportMove {
                reason: row.reason,
                explain: row.explain,
                kind: row.kind,
                counts: row.counts,
                outcome: row.outcome,
                ..ImportMove::to(&row.id, row.state, row.updated_at)
            };
            self.into.move_import(to).await?;
        }
        Ok(())
    }

    /// Says which stores of an import do not count as they did.
    async fn compare(
        &self,
        (row, then): (&ImportRow, &[StoreState]),
        report: &mut Report,
    ) -> Result<(), Error> {
        let now = self.into.import_stores(&row.id).await?;
        let counts = |one: &&StoreState| one.state == StoreOutcome::Applied;
        let (then, now): (Vec<&StoreState>, Vec<&StoreState>) =
            (then.iter().filter(counts).collect(), now.iter().filter(counts).collect());
        let other = |one: &&&StoreState| !now.contains(*one);
        let other: Vec<&str> = then.iter().filter(other).map(|one| one.store_code.as_str()).collect();
        if !other.is_empty() {
            let (name, stores) = (&row.name, other.join(", "));
            report.differ_import(row, format!("`{name}`: what it says of {stores} does not count as it did"));
        }
        Ok(())
    }

    async fn rejects(&self, import: &str) -> Result<(), Error> {
        let (import, limit) = (import.to_owned(), LIMIT_MAX);
        let mut filter = RejectFilter { import: Some(import.clone()), limit, ..RejectFilter::default() };
        let mut first = true;
        loop {
            let page = self.source.rejects(&filter).await?;
            let state = page.items.first().map(|row| row.state);
            let rejects: Vec<RowReject> = page.items.into_iter().map(|row| row.reject).collect();
            self.into.put_rejects(&import, first, &rejects).await?;
            first = false;
            filter.cursor = page.next;
            if filter.cursor.is_none() {
                if let Some(state) = state {
                    self.into.mark_rejects(&import, state).await?;
                }
                return Ok(());
            }
        }
    }
}

impl Again {
    fn loader(&self) -> StockLoader {
        let (row, policy) = (self.row.clone(), self.reader.policy);
        let terms = self.reader.terms.clone();
        StockLoader { row, micros: self.micros, absent_zero: self.absent_zero.clone(), policy, terms }
    }

    fn snapshot(&self, stores: Vec<String>) -> Result<StockPart, Error> {
        // Key and number are those of then.
        let part = Part { key: Key::Group { run: 0, number: 0 }, number: 0, stores };
        let all = Stores { now: self.figures.clone(), ..Stores::default() };
        self.loader().snapshot(&self.piles, &part, &all).map_err(Error::from)
    }

    fn moves(&self, wanted: usize) -> Result<Option<StockPart>, Error> {
        if self.kind != FileKind::StockDelta {
            return Ok(None);
        }
        let (mut found, mut number) = (None, 0);
        let mut part = |moves: Moves| {
            if number == wanted {
                found = Some(moves.part);
            }
            number += 1;
            Ok(())
        };
        movements(&self.loader(), &self.piles, 0, &mut part)?;
        Ok(found)
    }

    /// New slips of a part: those that are not known where the replay has come to.
    async fn slips(&self, wanted: usize, into: &Storage) -> Result<PartOf, Error> {
        let (mut tickets, mut number) = (Vec::new(), 0);
        let mut chunk = |chunk| {
            if number == wanted {
                tickets = chunk;
            }
            number += 1;
            Ok(())
        };
        ticket_chunks(&self.piles, &mut chunk)?;
        let offset = offset_of(&self.reader);
        let facts =
            tickets.iter().filter_map(|ticket| Some((ticket.occurred_at, facts_of(ticket, offset).ok()?)));
        let facts: Vec<Observation> = facts.map(|(at, facts)| Observation::slip(at, facts)).collect();
        let channel = &self.row.channel;
        let ids: Vec<String> = facts.iter().map(|fact| fact.entity_id(channel)).collect();
        let known = into.slips_known(&ids).await?;
        let mut here = BTreeSet::new();
        let is_news = |fact: &Observation, slip: &Slip| {
            let Facts::Slip(facts) = &fact.facts else { return false };
            undone(slip, fact.occurred_at, facts)
        };
        let new = facts.into_iter().zip(ids).filter(|(fact, id)| {
            known.get(id).is_none_or(|slip| is_news(fact, slip)) && here.insert(id.clone())
        });
        Ok(PartOf::Slips(new.map(|(fact, _)| fact).collect()))
    }
}

/// The same part as of then: its key, its place, who read it.
fn as_then(mut part: StockPart, delivery: &Replayed) -> StockPart {
    let incoming = &delivery.incoming;
    if let Verdict::Accepted(told) = &incoming.verdict {
        let query = incoming.request.query.as_deref().unwrap_or_default();
        let number = query.strip_prefix("part=").and_then(|number| number.parse().ok());
        part.delivery = FilePart {
            part: number.unwrap_or(part.delivery.part),
            dedupe_key: told.dedupe_key.clone(),
            connector: incoming.connector.clone(),
            micros: incoming.micros,
            noted: incoming.request.body.clone(),
            ..part.delivery
        };
    }
    part.received_at = incoming.received_at;
    part
}

/// Import and part that a key names.
fn parsed(channel: &str, key: &str) -> Option<(String, Named)> {
    let mut parts = key.splitn(4, ':').skip(1);
    let (sha256, mapping, rest) = (parts.next()?, parts.next()?, parts.next()?);
    let import = qudao_model::id::derive("imp_", &[channel, sha256, mapping]);
    let (what, rest) = rest.split_once(':')?;
    let (_, last) = rest.split_once(':')?;
    let named = match what {
        "store" | "stores" => Named::Stores,
        "moves" => Named::Moves(last.parse().ok()?),
        "slips" => Named::Slips(last.parse().ok()?),
        _ => return None,
    };
    Some((import, named))
}
