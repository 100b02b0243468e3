//! Imports in a replay: the stored file is read by today's connector, and each part that counted then is applied again, with
//! the same key, at its place among all deliveries.
//!
//! What a person decided is history and stays: a store counts in the replay where it counts in the source.

use super::{
    Reader,
    apply::{Key, Part, StockLoader, facts_of, groups, movements, offset_of, ticket_chunks},
    figures,
    guards::Figures,
    reading::{self, Quarantine, Reading},
    spool::Piles,
};
use crate::{Error, replay::Report};
use futures_util::future::{BoxFuture, FutureExt as _};
use qudao_host::{Call, FileBytes, FileCall};
use qudao_model::{FileKind, Observation, Verdict, file::RowReject};
use qudao_storage::{
    FilePart, ImportFilter, ImportMove, ImportRow, LIMIT_MAX, NewImport, RejectFilter, Replayed, StockPart,
    Storage, StoreOutcome,
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
    absent_zero: bool,
    micros: u64,
}

/// What is said of a part.
pub(crate) enum PartOf {
    /// It was applied to stock; nothing is left to do.
    Done,
    /// Slips, as today's connector tells them.
    Slips(Vec<Observation>),
    /// It cannot be read again, and why.
    Refused(String),
}

/// What a key names.
enum Named {
    Group(usize),
    Store(String),
    Moves(usize),
    Slips(usize),
}

struct Nowhere;

impl Quarantine for Nowhere {
    fn put(&mut self, _: Vec<RowReject>) -> BoxFuture<'_, Result<(), Error>> {
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
        if let Err(why) = self.read(&import).await? {
            return Ok(PartOf::Refused(why));
        }
        let Some(again) = &self.last else { return Ok(PartOf::Refused("nothing was read".to_owned())) };
        match named {
            Named::Slips(number) => again.slips(number, self.into).await,
            Named::Moves(number) => match again.moves(number, &told.dedupe_key)? {
                Some(part) => self.apply(as_then(part, delivery)).await,
                None => Ok(PartOf::Refused("it has no such movements any more".to_owned())),
            },
            Named::Group(_) | Named::Store(_) => {
                let stores = self.stores(again, &named).await?;
                if stores.is_empty() {
                    return Ok(PartOf::Refused("it has none of these stores any more".to_owned()));
                }
                let part = again.snapshot(stores)?;
                self.apply(as_then(part, delivery)).await
            }
        }
    }

    async fn apply(&self, part: StockPart) -> Result<PartOf, Error> {
        self.into.apply_stock(part).await?;
        Ok(PartOf::Done)
    }

    /// Stores of a part: those of its group that counted then, and have no part of their own.
    async fn stores(&self, again: &Again, named: &Named) -> Result<Vec<String>, Error> {
        let of = match named {
            Named::Store(code) => vec![code.clone()],
            Named::Group(number) => groups(&again.figures).into_iter().nth(*number).unwrap_or_default(),
            Named::Moves(_) | Named::Slips(_) => Vec::new(),
        };
        let mut stores = Vec::new();
        let counted = applied(self.source, &again.row.id).await?;
        let done = applied(self.into, &again.row.id).await?;
        let alone = matches!(named, Named::Store(_));
        for store in of {
            let here = again.figures.contains_key(&store) && counted.contains(&store);
            if here && (alone || (!done.contains(&store) && !self.comes_alone(again, &store).await?)) {
                stores.push(store);
            }
        }
        Ok(stores)
    }

    /// Whether a store has a part of its own.
    async fn comes_alone(&self, again: &Again, store: &str) -> Result<bool, Error> {
        let part = again.snapshot(vec![store.to_owned()])?;
        let id = part.delivery.delivery_id(&again.row.channel);
        Ok(self.source.delivery(&id).await?.is_some())
    }

    /// Reads the file of an import, unless it was read last.
    async fn read(&mut self, import: &str) -> Result<Result<(), String>, Error> {
        if self.last.as_ref().is_some_and(|last| last.row.id == import) {
            return Ok(Ok(()));
        }
        self.last = None;
        let Some(row) = self.source.import(import).await? else {
            return Ok(Err(format!("there is no import `{import}`")));
        };
        self.list(&row).await?;
        let Some(reader) = (self.find)(&row.channel) else {
            return Ok(Err(format!("no channel `{}` reads files any more", row.channel)));
        };
        let source =
            FileBytes::new(self.source.open_file(&row.sha256)?).map_err(|source| Error::Spool { source })?;
        let file = FileCall {
            source: Arc::new(source),
            name: row.name.clone(),
            settings: (*reader.files.settings).clone(),
            call: Call { now: row.received_at, random_seed: Some(0) },
        };
        let folder = std::env::temp_dir();
        let (connector, progress) = (Arc::clone(&reader.connector), Arc::<AtomicU64>::default());
        let reading = Reading { connector: &*connector, file, folder, progress, watcher: None };
        let read = match reading::read(reading, &mut Nowhere).await? {
            Ok(read) => read,
            Err(failure) => return Ok(Err(format!("{}: {}", failure.code, failure.message))),
        };
        let piles = Arc::new(read.sieved.piles);
        let mut figures = BTreeMap::new();
        if read.outcome.kind == FileKind::StockSnapshot {
            let Ok(all) = figures::figures(&piles)? else {
                return Ok(Err("it has two figures of one SKU".to_owned()));
            };
            figures = all;
        }
        let guard = read.outcome.guard.as_ref();
        let absent_zero = guard.and_then(|guard| guard.absent_sku.as_deref()) == Some("zero");
        let (kind, micros) = (read.outcome.kind, read.micros);
        self.last = Some(Again { row, reader, kind, piles, figures, absent_zero, micros });
        Ok(Ok(()))
    }

    /// Puts an import on the list of the new database, with its file.
    async fn list(&self, row: &ImportRow) -> Result<(), Error> {
        if self.into.import(&row.id).await?.is_some() {
            return Ok(());
        }
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

    /// Copies what is history: how imports stand, their quarantine, what persons decided about stores.
    pub(crate) async fn finish(&mut self, report: &mut Report) -> Result<(), Error> {
        let mut filter = ImportFilter { limit: LIMIT_MAX, ..ImportFilter::default() };
        let mut rows = Vec::new();
        loop {
            let page = self.source.imports(&filter).await?;
            rows.extend(page.items);
            filter.cursor = page.next;
            if filter.cursor.is_none() {
                break;
            }
        }
        // Latest first; in the new database they get their places in the order of then.
        for row in rows.into_iter().rev() {
            report.imports += 1;
            self.list(&row).await?;
            let mut stores = self.source.import_stores(&row.id).await?;
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
        StockLoader { row, micros: self.micros, absent_zero: self.absent_zero, policy }
    }

    fn snapshot(&self, stores: Vec<String>) -> Result<StockPart, Error> {
        let key = Key::Store { code: stores.first().cloned().unwrap_or_default() };
        let part = Part { key, number: 0, stores };
        self.loader().snapshot(&self.piles, &part, (&self.figures, &BTreeMap::new())).map_err(Error::from)
    }

    fn moves(&self, wanted: usize, key: &str) -> Result<Option<StockPart>, Error> {
        if self.kind != FileKind::StockDelta {
            return Ok(None);
        }
        let (mut found, mut number) = (None, 0);
        let mut part = |(part, _)| {
            if number == wanted {
                found = Some(part);
            }
            number += 1;
            Ok(())
        };
        let run = run_of(key);
        movements(&self.loader(), &self.piles, run, &mut part)?;
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
        let new =
            facts.into_iter().zip(ids).filter(|(_, id)| !known.contains_key(id) && here.insert(id.clone()));
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
            ..part.delivery
        };
    }
    part.received_at = incoming.received_at;
    part
}

async fn applied(storage: &Storage, import: &str) -> Result<BTreeSet<String>, Error> {
    let stores = storage.import_stores(import).await?;
    let applied = stores.into_iter().filter(|store| store.state == StoreOutcome::Applied);
    Ok(applied.map(|store| store.store_code).collect())
}

/// Import and part that a key names.
fn parsed(channel: &str, key: &str) -> Option<(String, Named)> {
    let mut parts = key.splitn(4, ':').skip(1);
    let (sha256, mapping, rest) = (parts.next()?, parts.next()?, parts.next()?);
    let import = qudao_model::id::derive("imp_", &[channel, sha256, mapping]);
    let (what, rest) = rest.split_once(':')?;
    let (_, last) = rest.split_once(':')?;
    let named = match what {
        "store" => Named::Store(last.to_owned()),
        "stores" => Named::Group(last.parse().ok()?),
        "moves" => Named::Moves(last.parse().ok()?),
        "slips" => Named::Slips(last.parse().ok()?),
        _ => return None,
    };
    Some((import, named))
}

/// How often the import had been tried again when the part was applied.
fn run_of(key: &str) -> u32 {
    let run = key.rsplit(':').nth(1);
    run.and_then(|run| run.parse().ok()).unwrap_or_default()
}
