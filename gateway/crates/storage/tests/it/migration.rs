//! A database that an older version wrote is brought up to date with everything in it.

use crate::{
    kit::{CHANNEL, accepted, at, failed, fresh, open, options, paid, polled, refunded, rejected},
    shop::ordered,
    stock,
};
use futures_util::TryStreamExt as _;
use qudao_model::EntityKind;
use qudao_storage::{DeliveryFilter, EntityFilter, Error, Moves, StockFilter, Storage};
use sqlx::{ConnectOptions as _, Connection as _, migrate::Migrator, sqlite::SqliteConnectOptions};
use std::path::Path;
use tempfile::TempDir;

/// Makes a database in `folder` as the first migrations of `files` left it, with the rows of the one in `from`. Tables and
/// columns of then that are not there any more are none.
async fn as_of(files: &[&str], folder: &Path, from: &Path) {
    let migrations = TempDir::new().unwrap();
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/sqlite");
    for file in files {
        std::fs::copy(sources.join(file), migrations.path().join(file)).unwrap();
    }
    let file = SqliteConnectOptions::new().filename(folder.join("qudao.sqlite"));
    let mut database = file.create_if_missing(true).foreign_keys(false).connect().await.unwrap();
    Migrator::new(migrations.path()).await.unwrap().run(&mut database).await.unwrap();
    let attach = sqlx::query("ATTACH ? AS new").bind(from.join("qudao.sqlite").to_str().unwrap());
    attach.execute(&mut database).await.unwrap();
    let tables = "SELECT name FROM main.sqlite_master WHERE type = 'table' AND substr(name, 1, 1) <> '_'";
    let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut database).await.unwrap();
    for table in tables {
        let columns: Vec<String> = sqlx::query_scalar("SELECT name FROM pragma_table_info(?, 'main')")
            .bind(&table)
            .fetch_all(&mut database)
            .await
            .unwrap();
        let columns = columns.join(",");
        let copy = format!("INSERT INTO main.{table} ({columns}) SELECT {columns} FROM new.{table}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(copy)).execute(&mut database).await.unwrap();
    }
    database.close().await.unwrap();
}

/// Everything that a reader sees.
async fn seen(storage: &Storage) -> String {
    let mut all = vec![format!("{:?}", storage.events(0, 1000, &[]).await.unwrap())];
    for kind in EntityKind::ALL {
        all.push(format!("{:?}", storage.entities(&EntityFilter::new(kind)).await.unwrap()));
    }
    all.push(format!("{:?}", storage.deliveries(&DeliveryFilter::default()).await.unwrap()));
    all.push(format!("{:?}", storage.replay_source().try_collect::<Vec<_>>().await.unwrap()));
    all.push(format!("{:?}", storage.expectations().await.unwrap()));
    all.join("\n")
}

#[tokio::test]
async fn rows_of_the_first_version_are_all_there_and_go_on() {
    let kept = fresh().await;
    let first = kept.commit(accepted(1, "n1", vec![paid("SO1", 100), refunded("SO1", "R1", 30)])).await;
    kept.commit(accepted(2, "n1", vec![paid("SO1", 100), refunded("SO1", "R1", 30)])).await;
    kept.commit(rejected(3, "bad_signature")).await;
    let lost = kept.commit(failed(4, "body")).await.delivery_id;
    kept.storage.expect_payment(CHANNEL, "SO9", 900, None, at(0)).await.unwrap();
    let before = seen(&kept.storage).await;
    kept.storage.close().await;
    let old = TempDir::new().unwrap();
    as_of(&["0001_spine.sql"], old.path(), kept.folder.path()).await;

    // Who only looks must not change it, and says what to do.
    let mut looking = options(old.path());
    looking.read_only = true;
    let refused = Storage::open(looking.clone()).await.err().unwrap();
    assert!(matches!(refused, Error::Migrate { .. }), "{refused:?}");

    let storage = open(old.path()).await;
    assert_eq!(seen(&storage).await, before);
    assert_eq!(storage.expected_payment(CHANNEL, "SO9"), Some(900));
    let again =
        storage.commit(accepted(5, "n1", vec![paid("SO1", 100), refunded("SO1", "R1", 30)])).await.unwrap();
    assert_eq!(again.duplicate_of, Some(first.delivery_id));
    let more = accepted(6, "n2", vec![refunded("SO1", "R2", 10)]);
    assert_eq!(storage.commit_with(more, Moves::default()).await.unwrap().seq, Some(5));
    let verdict = accepted(7, "n3", vec![paid("SO3", 1)]).verdict;
    storage.recommit(&lost, verdict, "plain@1.0.1", 1).await.unwrap();
    let payment = paid("SO1", 100).entity_id(CHANNEL);
    assert_eq!(storage.entity(EntityKind::Payment, &payment).await.unwrap().unwrap().version(), 3);
    Storage::open(looking).await.unwrap().close().await;
}

#[tokio::test]
async fn rows_of_the_version_without_stock_are_all_there_and_orders_begin_to_take() {
    let kept = fresh().await;
    let order = || ordered(1, "T1", &["A"], &[]);
    kept.commit(polled(1, "POLL", vec![order(), ordered(1, "T2", &["A"], &[])])).await;
    kept.commit(accepted(2, "n1", vec![paid("SO1", 100)])).await;
    let before = seen(&kept.storage).await;
    kept.storage.close().await;
    let old = TempDir::new().unwrap();
    let files = ["0001_spine.sql", "0002_marketplaces.sql", "0003_moved_aftersales.sql"];
    as_of(&files, old.path(), kept.folder.path()).await;
    let mut looking = stock::taking(old.path());
    looking.read_only = true;
    let refused = Storage::open(looking.clone()).await.err().unwrap();
    assert!(matches!(refused, Error::Migrate { .. }), "{refused:?}");

    let storage = Storage::open(stock::taking(old.path())).await.unwrap();
    assert_eq!(seen(&storage).await, before);
    let applied =
        storage.apply_stock(stock::part("1", vec![stock::has(stock::STORE, 5, &[("A", 9)])], Vec::new()));
    assert_eq!(applied.await.unwrap().seq, Some(4));
    // An order is reserved once it is heard of again.
    let again = ordered(7, "T1", &["A"], &["42"]);
    assert_eq!(storage.commit(polled(8, "POLL", vec![again])).await.unwrap().seq, Some(6));
    let level = storage.levels(&StockFilter::default(), at(9)).await.unwrap().items.remove(0);
    assert_eq!((level.on_hand, level.committed), (9, 1));
    Storage::open(looking).await.unwrap().close().await;
}
