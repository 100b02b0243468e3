//! A part of a file, in one transaction.

use super::{
    known::{self, snapshots},
    load,
    words::Words,
    write::{self, MovementRow, SnapshotRow, Written},
};
use crate::{
    Applied, Error, Incoming, Movement, MovementDigest, MovementKey, SnapshotDigest, StockPart, StoreOutcome,
    StoreSnapshot, StoreState,
    batch::{Changes, Counters, InboxRow},
    prepared::Prepared,
    sqlite::{
        imports, inbox,
        script::{Script, Texts},
        write_error,
    },
    stock::{
        desk::{Desk, Figures, NewMovement, Numbers, store_keys},
        level::{LevelKey, SELLABLE, Source, bucket_code, figure_mark, movement_mark},
        rule::Mark,
    },
};
use qudao_model::{Answer, Verdict, delivery::Acceptance};
use sqlx::SqliteConnection;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Rows of a store beyond which all of its levels are looked at in one go.
const MANY: usize = 64;
/// Pieces of a row at most: more than the world makes of anything, and millions of such rows can be added up.
const QUANTITY_MAX: u64 = 1_000_000_000_000;

/// A part with numbers for words.
struct Plan<'p> {
    part: &'p StockPart,
    source: i64,
    figures: Vec<Figures>,
    /// New ones, and where each counts.
    moved: Vec<(&'p Movement, LevelKey, Mark)>,
}

/// Applies a part. An error leaves a transaction that was begun open, and `words` of no use.
pub(in crate::sqlite) async fn apply(
    connection: &mut SqliteConnection,
    (words, texts): (&mut Words, &mut Texts),
    part: &StockPart,
    counters: &mut Counters,
) -> Result<Applied, Error> {
    check_quantities(part)?;
    let mut applied = Applied { delivery_id: part.delivery.delivery_id(&part.channel), ..Applied::default() };
    sqlx::query("BEGIN IMMEDIATE").execute(&mut *connection).await.map_err(write_error)?;
    let there: Option<i64> = sqlx::query_scalar("SELECT ordinal FROM inbox WHERE id = ?")
        .bind(&applied.delivery_id)
        .fetch_optional(&mut *connection)
        .await
        .map_err(write_error)?;
    if there.is_some() {
        sqlx::query("ROLLBACK").execute(connection).await.map_err(write_error)?;
        applied.already = true;
        return Ok(applied);
    }
    if !part.movements.is_empty()
        && let Some(import) = known::other_mapping(connection, &part.import).await.map_err(write_error)?
    {
        // A refusal is no trouble: nobody else ends the transaction.
        sqlx::query("ROLLBACK").execute(connection).await.map_err(write_error)?;
        return Err(Error::OtherMapping { import });
    }
    let plan = Plan::of(connection, words, part, &mut applied).await?;
    let mut desk = plan.desk(connection, words).await?;
    let snapshots = plan.take(connection, &mut desk, &mut applied).await?;
    let (differ, same) = desk.finish(
        &applied.delivery_id,
        part.received_at,
        &mut Numbers { seq: &mut counters.seq, commit: &mut counters.stock_commit },
    );
    let renewed: usize = desk.written.renewed.values().map(|(_, skus)| skus.len()).sum();
    (applied.changed, applied.unchanged) = (differ, same + u64::try_from(renewed).unwrap_or_default());
    applied.seq = desk.written.events.last().map(|event| event.seq);
    let movements = plan.movement_rows(&applied.delivery_id);
    let mut script = Script::default();
    words.put(&mut script)?;
    counters.ordinal += 1;
    leave(&mut script, part, counters.ordinal)?;
    script.run(texts, connection).await.map_err(write_error)?;
    let firsts = plan.firsts(&desk);
    let written = Written { movements: &movements, snapshots: &snapshots, firsts: &firsts };
    write::run(connection, texts, &desk, &written).await?;
    sqlx::query("COMMIT").execute(connection).await.map_err(write_error)?;
    Ok(applied)
}

/// Refuses what no store has, before sums could run over.
fn check_quantities(part: &StockPart) -> Result<(), Error> {
    let told = part
        .stores
        .iter()
        .flat_map(|store| store.rows.iter().map(|(sku, _, quantity)| (&store.store_code, sku, *quantity)));
    let moved = part.movements.iter().map(|one| (&one.store_code, &one.sku, one.delta));
    match told.chain(moved).find(|(_, _, quantity)| quantity.unsigned_abs() > QUANTITY_MAX) {
        Some((store, sku, quantity)) => {
            Err(Error::Quantity { store: store.clone(), sku: sku.clone(), quantity })
        }
        None => Ok(()),
    }
}

/// The delivery of the part, and which stores of the import count.
fn leave(script: &mut Script, part: &StockPart, ordinal: i64) -> Result<(), Error> {
    let prepared = delivery(part)?;
    let id = part.delivery.delivery_id(&part.channel);
    let row = InboxRow { ordinal, id, positions: Vec::new(), of: &prepared };
    inbox::write(script, &Changes { inbox: vec![row], ..Changes::default() })?;
    let stores: Vec<StoreState> = part
        .stores
        .iter()
        .map(|store| StoreState {
            store_code: store.store_code.clone(),
            state: StoreOutcome::Applied,
            reason: None,
            before: store.before,
            now: store.now,
        })
        .collect();
    imports::stores(script, &part.import, &stores, part.received_at)
}

fn delivery(part: &StockPart) -> Result<Prepared, Error> {
    let acceptance = Acceptance {
        dedupe_key: part.delivery.dedupe_key.clone(),
        observations: Vec::new(),
        notes: Vec::new(),
        answer: Answer { status: 200, headers: Vec::new(), body: Vec::new() },
    };
    let incoming = Incoming {
        channel: part.channel.clone(),
        received_at: part.received_at,
        request: part.delivery.request(),
        verdict: Verdict::Accepted(acceptance),
        connector: part.delivery.connector.clone(),
        micros: part.delivery.micros,
        personal: false,
    };
    Prepared::new(incoming, None)
}

impl<'p> Plan<'p> {
    /// Sorts out what is known already; every store and SKU gets its number.
    async fn of(
        connection: &mut SqliteConnection,
        words: &mut Words,
        part: &'p StockPart,
        applied: &mut Applied,
    ) -> Result<Plan<'p>, Error> {
        let source = Source::of_files(&part.channel, &part.policy);
        let source = words.source(connection, &part.channel, Some(source)).await.map_err(write_error)?;
        let keys = part.movements.iter().map(|one| &one.key);
        let known = known::known(&mut *connection, &part.channel, keys).await.map_err(write_error)?;
        let new = new_movements(part, known, applied);
        let of_stores = part.stores.iter().map(|store| store.store_code.as_str());
        let of_rows = part.stores.iter().flat_map(|store| &store.rows).map(|row| row.0.as_str());
        let stores = of_stores.chain(new.iter().map(|one| one.store_code.as_str()));
        let skus = of_rows.chain(new.iter().map(|one| one.sku.as_str()));
        words.learn(connection, stores, skus).await.map_err(write_error)?;
        let figures = part.stores.iter().filter_map(|store| figures(store, part, source, words)).collect();
        let moved = new.into_iter().filter_map(|one| {
            let (store, sku) = (words.stores.id(&one.store_code)?, words.skus.id(&one.sku)?);
            let level = LevelKey { store, sku, bucket: bucket_code(one.bucket) };
            Some((one, level, movement_mark(&part.policy, one)))
        });
        Ok(Plan { part, source, figures, moved: moved.collect() })
    }

    /// Everything that the part can touch.
    async fn desk(&self, connection: &mut SqliteConnection, words: &mut Words) -> Result<Desk, Error> {
        let sources = words.all_sources(connection).await.map_err(write_error)?;
        let mut desk = Desk::default();
        (desk.sources, desk.words) = (sources, self.words(words));
        let told: BTreeSet<i64> = self.figures.iter().map(|figures| figures.store).collect();
        load::firsts(connection, &told, &mut desk).await.map_err(write_error)?;
        let earlier: BTreeSet<i64> = self
            .figures
            .iter()
            .filter(|one| self.first(&desk, one) > one.mark.micros)
            .map(|one| one.store)
            .collect();
        let is_whole = |figures: &&Figures| {
            !figures.zeros.is_empty() || figures.rows.len() > MANY || earlier.contains(&figures.store)
        };
        let whole: Vec<i64> = self.figures.iter().filter(is_whole).map(|one| one.store).collect();
        load::stores(connection, &whole, &mut desk).await?;
        let single = self.figures.iter().filter(|figures| !is_whole(figures));
        let single = single.flat_map(|one| one.rows.iter().map(|row| (one.store, row.0)));
        let moved = self.moved.iter().map(|(_, key, _)| (key.store, key.sku));
        let places: BTreeSet<(i64, i64)> = single.chain(moved).collect();
        load::levels(connection, &places, &mut desk).await?;
        load::movements(connection, &mut desk).await?;
        load::commitments_of_levels(connection, &mut desk).await?;
        load::presumed_of_stores(connection, &earlier, &mut desk).await?;
        let orders: BTreeSet<&str> =
            self.moved.iter().filter_map(|(one, _, _)| one.order_ref.as_deref()).collect();
        load::commitments_of_orders(connection, &orders, &mut desk).await?;
        load::named(connection, &orders, &mut desk).await?;
        let stores: BTreeSet<i64> = self
            .figures
            .iter()
            .map(|figures| figures.store)
            .chain(self.moved.iter().map(|(_, key, _)| key.store))
            .chain(desk.commitments.keys().map(|key| key.store))
            .collect();
        load::around(connection, &stores, &mut desk).await?;
        Ok(desk)
    }

    /// Words of the stores and SKUs of the part, by number.
    fn words(&self, words: &Words) -> (HashMap<i64, String>, HashMap<i64, String>) {
        let moved = || self.moved.iter().map(|(one, key, _)| (one, key));
        let of_stores = self.part.stores.iter().zip(&self.figures);
        let stores = of_stores
            .map(|(store, figures)| (figures.store, store.store_code.clone()))
            .chain(moved().map(|(one, key)| (key.store, one.store_code.clone())));
        let mut skus: HashMap<i64, String> = HashMap::new();
        for (sku, _, _) in self.part.stores.iter().flat_map(|store| &store.rows) {
            if let Some(id) = words.skus.id(sku) {
                skus.entry(id).or_insert_with(|| sku.clone());
            }
        }
        skus.extend(moved().map(|(one, key)| (key.sku, one.sku.clone())));
        (stores.collect(), skus)
    }

    /// Takes all of it. Gives the snapshots that are the last of their stores.
    async fn take(
        &self,
        connection: &mut SqliteConnection,
        desk: &mut Desk,
        applied: &mut Applied,
    ) -> Result<Vec<SnapshotRow>, Error> {
        let at = self.part.received_at;
        for figures in &self.figures {
            applied.ignored += desk.figures(figures).ignored;
        }
        let safety = |bucket| if bucket == SELLABLE { self.part.policy.safety } else { 0 };
        for (one, level, mark) in &self.moved {
            let new = NewMovement {
                level: *level,
                source: self.source,
                mark: *mark,
                delta: one.delta,
                safety: safety(level.bucket),
                order: one.order_ref.as_deref(),
            };
            *(if desk.movement(&new, at) { &mut applied.moved } else { &mut applied.before_snapshot }) += 1;
        }
        let mut stores: Vec<i64> = self.figures.iter().map(|figures| figures.store).collect();
        stores.extend(self.moved.iter().map(|(_, key, _)| key.store));
        stores.sort_unstable();
        stores.dedup();
        let mut last = snapshots(connection, self.source, &stores).await.map_err(write_error)?;
        let mut rows = Vec::new();
        for (figures, store) in self.figures.iter().zip(&self.part.stores) {
            if last.get(&figures.store).is_none_or(|last| figures.mark.is_after(last)) {
                last.insert(figures.store, figures.mark);
                rows.push(SnapshotRow {
                    source: self.source,
                    store: figures.store,
                    mark: figures.mark,
                    sums: store.now,
                    first: self.first(desk, figures),
                    digest: digest(store),
                });
            }
        }
        self.check_sequences(connection, desk, applied).await?;
        Ok(rows)
    }

    /// Whether numbers are missing in stores that number what they do.
    async fn check_sequences(
        &self,
        connection: &mut SqliteConnection,
        desk: &mut Desk,
        applied: &mut Applied,
    ) -> Result<(), Error> {
        let epoch = self.part.policy.epoch;
        let mut contained: BTreeMap<i64, i64> = BTreeMap::new();
        let mut numbered: BTreeMap<(i64, i64), Vec<i64>> = BTreeMap::new();
        for figures in &self.figures {
            let Some(seq) = figures.mark.seq else { continue };
            contained.entry(figures.store).and_modify(|last| *last = seq.max(*last)).or_insert(seq);
            numbered.entry((figures.store, self.source)).or_default();
            // It may have what another source lacks.
            for (place, _) in desk.anomalies.range(store_keys(figures.store)) {
                numbered.entry((figures.store, place.bucket)).or_default();
            }
        }
        for (_, level, mark) in &self.moved {
            if let Some(seq) = mark.seq {
                numbered.entry((level.store, self.source)).or_default().push(seq);
            }
        }
        let stores: Vec<i64> = numbered.keys().map(|(store, _)| *store).collect();
        for (store, seq) in known::contained(connection, epoch, &stores).await.map_err(write_error)? {
            contained.entry(store).and_modify(|last| *last = seq.max(*last)).or_insert(seq);
        }
        for ((store, source), new) in numbered {
            let of = (store, source, epoch);
            let sequence = known::sequence(connection, of, contained.get(&store).copied(), &new).await;
            let is_missing =
                desk.sequence((store, source), &sequence.map_err(write_error)?, self.part.received_at);
            if is_missing && source == self.source {
                let code = self.code(store);
                applied.gaps.extend(code);
            }
        }
        Ok(())
    }

    fn first(&self, desk: &Desk, figures: &Figures) -> i64 {
        desk.firsts.get(&(figures.store, self.source)).copied().unwrap_or(figures.mark.micros)
    }

    /// Where a snapshot of this part came late and is the first of its store.
    fn firsts(&self, desk: &Desk) -> Vec<(i64, i64, i64)> {
        let first = |one: &&Figures| self.first(desk, one) == one.mark.micros;
        self.figures.iter().filter(first).map(|one| (self.source, one.store, one.mark.micros)).collect()
    }

    fn code(&self, store: i64) -> Option<String> {
        let moved =
            self.moved.iter().find(|(_, key, _)| key.store == store).map(|(one, _, _)| &one.store_code);
        let figures = self.figures.iter().zip(&self.part.stores).find(|(one, _)| one.store == store);
        moved.or(figures.map(|(_, store)| &store.store_code)).cloned()
    }

    fn movement_rows(&self, delivery: &'p str) -> Vec<MovementRow<'_>> {
        let row = |(of, level, mark): &(&'p Movement, LevelKey, Mark)| MovementRow {
            of,
            level: *level,
            mark: *mark,
            source: self.source,
            delivery,
        };
        self.moved.iter().map(row).collect()
    }
}

/// Movements that are not known yet; the others are counted.
fn new_movements<'p>(
    part: &'p StockPart,
    mut known: BTreeMap<MovementKey, MovementDigest>,
    applied: &mut Applied,
) -> Vec<&'p Movement> {
    let mut new = Vec::with_capacity(part.movements.len().saturating_sub(known.len()));
    for one in &part.movements {
        let digest = one.digest();
        match known.get(&one.key) {
            Some(there) if *there == digest => applied.same += 1,
            Some(_) => applied.conflicting.push(one.key.clone()),
            None => {
                known.insert(one.key.clone(), digest);
                new.push(one);
            }
        }
    }
    new
}

/// Figures of a store with numbers for words; rows of one SKU and bucket are added up.
fn figures(store: &StoreSnapshot, part: &StockPart, source: i64, words: &Words) -> Option<Figures> {
    let mut rows: Vec<(i64, i64, i64)> = Vec::with_capacity(store.rows.len());
    for (sku, bucket, qty) in &store.rows {
        rows.push((words.skus.id(sku)?, bucket_code(*bucket), *qty));
    }
    rows.sort_unstable();
    rows.dedup_by(|next, kept| {
        let same = (next.0, next.1) == (kept.0, kept.1);
        if same {
            kept.2 = kept.2.saturating_add(next.2);
        }
        same
    });
    let mut zeros: Vec<i64> = Vec::new();
    if store.absent_zero {
        zeros.extend(rows.iter().map(|row| row.1).chain([SELLABLE]).collect::<BTreeSet<i64>>());
    }
    Some(Figures {
        store: words.stores.id(&store.store_code)?,
        source,
        mark: figure_mark(&part.policy, store),
        safety: part.policy.safety,
        zeros,
        rows,
    })
}

fn digest(store: &StoreSnapshot) -> String {
    let mut digest = SnapshotDigest::default();
    for (sku, bucket, qty) in &store.rows {
        digest.add(sku, *bucket, *qty);
    }
    digest.hex()
}
