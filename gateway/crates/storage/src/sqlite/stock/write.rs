//! Writes what is on a desk.

use super::stored;
use crate::{
    Error, Movement, StoreSums,
    sqlite::{
        script::{Insert, Script, Texts},
        write_error,
    },
    stock::{
        desk::{CommitmentKey, Desk, Held},
        event::StockEvent,
        level::{Level, LevelKey, freshness_code},
        rule::Mark,
    },
};
use qudao_model::file::Precision;
use sqlx::SqliteConnection;

/// Rows of one statement of a large part.
const CHUNK: usize = 512;

static LEVELS: Insert = Insert {
    head:
        "INSERT INTO stock_levels (store, sku, bucket, source, base, epoch, seq, as_of, span, revision, moved,
        movements, committed, presumed, safety, version, updated_at)",
    columns: 17,
    tail: "ON CONFLICT (store, sku, bucket) DO UPDATE SET source = excluded.source, base = excluded.base,
        epoch = excluded.epoch, seq = excluded.seq, as_of = excluded.as_of, span = excluded.span,
        revision = excluded.revision, moved = excluded.moved,
        movements = excluded.movements, committed = excluded.committed, presumed = excluded.presumed,
        safety = excluded.safety, version = excluded.version, updated_at = excluded.updated_at",
};
/// Of levels that were not there before, in the order of the table.
static NEW_LEVELS: Insert = Insert { head: LEVELS.head, columns: 17, tail: "" };
/// Bound: watermark, store, bucket, JSON list of SKUs.
const RENEW: &str = "UPDATE stock_levels SET epoch = ?, seq = ?, as_of = ?, span = ?, revision = ?
    WHERE store = ? AND bucket = ? AND sku IN (SELECT value FROM json_each(?))";
static EVENTS: Insert = Insert {
    head: "INSERT INTO stock_events (seq, commit_no, kind, changed, store, sku, bucket, source, made_of, on_hand,
        committed, safety, as_of, freshness, version, anomalies)",
    columns: 16,
    tail: "",
};
static COMMITS: Insert =
    Insert { head: "INSERT INTO stock_commits (position, delivery, at)", columns: 3, tail: "" };
static IDS: Insert = Insert { head: "INSERT INTO stock_ids (run)", columns: 1, tail: "" };
static ZEROS: Insert = Insert {
    head: "INSERT INTO stock_zeros (store, bucket, source, epoch, seq, as_of, span, revision)",
    columns: 8,
    tail: "ON CONFLICT (store, bucket) DO UPDATE SET source = excluded.source, epoch = excluded.epoch,
        seq = excluded.seq, as_of = excluded.as_of, span = excluded.span, revision = excluded.revision",
};
static COMMITMENTS: Insert = Insert {
    head: "INSERT INTO stock_commitments (order_id, store, sku, order_no, lots, promised, open, presumed)",
    columns: 8,
    tail: "ON CONFLICT (order_id, store, sku) DO UPDATE SET lots = excluded.lots,
        promised = excluded.promised, open = excluded.open,
        presumed = excluded.presumed",
};
static ANOMALIES: Insert = Insert {
    head: "INSERT INTO stock_anomalies (store, sku, bucket, code, first_seen_at, detail)",
    columns: 6,
    tail: "",
};
const NO_ANOMALIES: &str = "DELETE FROM stock_anomalies WHERE store = ? AND sku = ? AND bucket = ?";
static MOVEMENTS: Insert = Insert {
    head: "INSERT INTO stock_movements (source, doc_no, line, store, sku, bucket, delta, kind, at, precision, epoch, seq,
        rank, order_no, digest, delivery)",
    columns: 16,
    tail: "",
};
static SNAPSHOTS: Insert = Insert {
    head: "INSERT INTO stock_snapshots (source, store, epoch, seq, as_of, span, revision, skus, units, first, digest)",
    columns: 11,
    tail: "ON CONFLICT (source, store) DO UPDATE SET epoch = excluded.epoch, seq = excluded.seq,
        as_of = excluded.as_of, span = excluded.span, revision = excluded.revision, skus = excluded.skus,
        units = excluded.units, first = excluded.first, digest = excluded.digest",
};

/// Bound: when, source, store.
const FIRST: &str = "UPDATE stock_snapshots SET first = ? WHERE source = ? AND store = ?";

/// What a part writes beside what is on the desk.
#[derive(Default)]
pub(super) struct Written<'w> {
    pub(super) movements: &'w [MovementRow<'w>],
    pub(super) snapshots: &'w [SnapshotRow],
    /// Source, store, and as of when its first snapshot is, where that came late.
    pub(super) firsts: &'w [(i64, i64, i64)],
}

/// A new movement.
pub(super) struct MovementRow<'w> {
    pub(super) of: &'w Movement,
    pub(super) level: LevelKey,
    pub(super) mark: Mark,
    pub(super) source: i64,
    pub(super) delivery: &'w str,
}

/// The last snapshot of a store.
pub(super) struct SnapshotRow {
    pub(super) source: i64,
    pub(super) store: i64,
    pub(super) mark: Mark,
    pub(super) sums: StoreSums,
    /// As of when the first one is.
    pub(super) first: i64,
    pub(super) digest: String,
}

/// All of it as one text, for a commit of deliveries.
pub(in crate::sqlite) fn put(script: &mut Script, desk: &Desk) -> Result<(), Error> {
    let (new, old) = levels(desk);
    script.rows(&NEW_LEVELS, &new, bind_level)?;
    script.rows(&LEVELS, &old, bind_level)?;
    script.rows(&EVENTS, &desk.written.events, bind_event)?;
    put_rest(script, desk, &Written::default())
}

/// Statement by statement, for a large part.
pub(super) async fn run(
    connection: &mut SqliteConnection,
    texts: &mut Texts,
    desk: &Desk,
    written: &Written<'_>,
) -> Result<(), Error> {
    for ((store, bucket, _), (mark, skus)) in &desk.written.renewed {
        let mut script = Script::default();
        script.statement(RENEW);
        script.bind(mark.epoch)?;
        script.bind(mark.seq)?;
        script.bind(mark.micros)?;
        script.bind(mark.span)?;
        script.bind(mark.revision)?;
        script.bind(*store)?;
        script.bind(*bucket)?;
        // Serialising lists of numbers cannot fail.
        script.bind(serde_json::to_string(skus).unwrap_or_default())?;
        script.run(texts, connection).await.map_err(write_error)?;
    }
    let (new, old) = levels(desk);
    run_rows(connection, texts, (&NEW_LEVELS, &new), bind_level).await?;
    run_rows(connection, texts, (&LEVELS, &old), bind_level).await?;
    run_rows(connection, texts, (&EVENTS, &desk.written.events), bind_event).await?;
    run_rows(connection, texts, (&MOVEMENTS, written.movements), bind_movement).await?;
    let mut script = Script::default();
    put_rest(&mut script, desk, written)?;
    if script.is_empty() {
        return Ok(());
    }
    script.run(texts, connection).await.map_err(write_error)
}

async fn run_rows<T>(
    connection: &mut SqliteConnection,
    texts: &mut Texts,
    (insert, rows): (&'static Insert, &[T]),
    bind: impl Fn(&mut Script, &T) -> Result<(), Error> + Copy,
) -> Result<(), Error> {
    for chunk in rows.chunks(CHUNK) {
        let mut script = Script::default();
        script.rows(insert, chunk, bind)?;
        script.run(texts, connection).await.map_err(write_error)?;
    }
    Ok(())
}

type LevelRow<'d> = (LevelKey, &'d Level);

/// Levels that are new and levels that changed, each in the order of the table.
fn levels(desk: &Desk) -> (Vec<LevelRow<'_>>, Vec<LevelRow<'_>>) {
    let mut new = desk.written.new_levels.clone();
    new.sort_unstable();
    let is_new = |key: &LevelKey| new.binary_search(key).is_ok();
    let rows = desk.written.levels.iter().filter_map(|key| desk.levels.get(key).map(|level| (*key, level)));
    rows.partition(|(key, _)| is_new(key))
}

fn put_rest(script: &mut Script, desk: &Desk, written: &Written<'_>) -> Result<(), Error> {
    script.rows(&COMMITS, &desk.written.commits, |script, commit| {
        script.bind(commit.number)?;
        script.bind(commit.delivery.as_str())?;
        script.bind(commit.at.as_microsecond())
    })?;
    script.rows(&IDS, &desk.run_of_ids(), |script, run| script.bind(run.as_slice()))?;
    let zeros: Vec<_> =
        desk.written.zeros.iter().filter_map(|at| Some((*at, *desk.zeros.get(at)?))).collect();
    script.rows(&ZEROS, &zeros, |script, ((store, bucket), (source, mark))| {
        for number in [*store, *bucket, *source, mark.epoch] {
            script.bind(number)?;
        }
        script.bind(mark.seq)?;
        for number in [mark.micros, mark.span] {
            script.bind(number)?;
        }
        script.bind(mark.revision)
    })?;
    let held = desk.written.commitments.iter();
    let held: Vec<_> = held.filter_map(|key| Some((key, desk.commitments.get(key)?))).collect();
    script.rows(&COMMITMENTS, &held, |script, (key, held)| bind_commitment(script, key, held))?;
    for key in &desk.written.anomalies {
        script.statement(NO_ANOMALIES);
        for number in [key.store, key.sku, key.bucket] {
            script.bind(number)?;
        }
    }
    let kept = desk.written.anomalies.iter().filter_map(|key| Some((key, desk.anomalies.get(key)?)));
    let kept: Vec<_> = kept.flat_map(|(key, all)| all.iter().map(move |one| (key, one))).collect();
    script.rows(&ANOMALIES, &kept, |script, (key, anomaly)| {
        for number in [key.store, key.sku, key.bucket] {
            script.bind(number)?;
        }
        script.bind(anomaly.code.as_str())?;
        script.bind(anomaly.first_seen_at.as_microsecond())?;
        script.bind(anomaly.detail.as_str())
    })?;
    for (source, store, first) in written.firsts {
        script.statement(FIRST);
        for number in [first, source, store] {
            script.bind(*number)?;
        }
    }
    script.rows(&SNAPSHOTS, written.snapshots, |script, row| {
        for number in [row.source, row.store, row.mark.epoch] {
            script.bind(number)?;
        }
        script.bind(row.mark.seq)?;
        let mark = [row.mark.micros, row.mark.span, row.mark.revision];
        for number in mark.into_iter().chain([stored(row.sums.skus), row.sums.units, row.first]) {
            script.bind(number)?;
        }
        script.bind(row.digest.as_str())
    })
}

fn bind_level(script: &mut Script, (key, level): &LevelRow<'_>) -> Result<(), Error> {
    for number in [key.store, key.sku, key.bucket, level.source] {
        script.bind(number)?;
    }
    let mark = level.mark();
    script.bind(level.base.map(|base| base.qty))?;
    script.bind(mark.map_or(0, |mark| mark.epoch))?;
    script.bind(mark.and_then(|mark| mark.seq))?;
    script.bind(mark.map(|mark| mark.micros))?;
    let (span, revision) = mark.map_or((0, 0), |mark| (mark.span, mark.revision));
    let rest = [level.moved, level.movements, level.committed, level.presumed, level.safety];
    for number in [span, revision].into_iter().chain(rest).chain([level.version, level.updated_at]) {
        script.bind(number)?;
    }
    Ok(())
}

fn bind_event(script: &mut Script, event: &StockEvent) -> Result<(), Error> {
    let StockEvent { key, shown, .. } = event;
    let first = [stored(event.seq), event.commit, event.kind.code(), event.changed];
    let then = [key.store, key.sku, key.bucket, event.source, shown.made_of.code()];
    for number in first.into_iter().chain(then).chain([shown.on_hand, shown.committed, shown.safety]) {
        script.bind(number)?;
    }
    script.bind(shown.as_of)?;
    script.bind(freshness_code(event.freshness))?;
    script.bind(event.version)?;
    script.bind(event.anomalies.as_deref())
}

fn bind_commitment(script: &mut Script, key: &CommitmentKey, held: &Held) -> Result<(), Error> {
    script.bind(key.order_id.as_str())?;
    script.bind(key.store)?;
    script.bind(key.sku)?;
    script.bind(held.order_no.as_str())?;
    // Serialising plain structs cannot fail.
    script.bind(serde_json::to_string(&held.lots).unwrap_or_default())?;
    script.bind(held.promised)?;
    script.bind(held.open)?;
    script.bind(held.presumed)
}

fn bind_movement(script: &mut Script, row: &MovementRow<'_>) -> Result<(), Error> {
    let MovementRow { of, level, mark, source, delivery } = row;
    script.bind(*source)?;
    script.bind(of.key.doc_no.as_str())?;
    script.bind(of.key.line.as_str())?;
    for number in [level.store, level.sku, level.bucket, of.delta] {
        script.bind(number)?;
    }
    script.bind(of.kind.as_deref())?;
    script.bind(of.occurred_at.as_microsecond())?;
    script.bind(match of.precision {
        Precision::Day => "day",
        Precision::Minute => "minute",
        Precision::Second => "second",
    })?;
    script.bind(mark.epoch)?;
    script.bind(mark.seq)?;
    script.bind(mark.micros)?;
    script.bind(of.order_ref.as_deref())?;
    script.bind(of.digest().as_slice())?;
    script.bind(*delivery)
}
