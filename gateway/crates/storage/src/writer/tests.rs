//! The writer against a database that fails on demand.

use super::*;
use crate::{Known, batch::Counters};
use qudao_model::{Answer, Entity, Request, Timestamp, Verdict, delivery::Acceptance, event::EventDraft};
use tokio::sync::Semaphore;

struct Nothing;

impl Fold for Nothing {
    fn fold(&self, _: &str, _: &[Known]) -> Vec<Entity> {
        Vec::new()
    }
    fn events(&self, _: Option<&Entity>, _: &Entity) -> Vec<EventDraft> {
        Vec::new()
    }
}

/// Keeps what was written, by ordinal and key.
#[derive(Clone, Default)]
struct Fake(Arc<Mutex<Vec<(i64, String)>>>);

impl Writing for Fake {
    async fn look_up(&mut self, _: &Wanted<'_>) -> Result<Found, Error> {
        Ok(Found::default())
    }
    async fn desk_for(&mut self, _: &[Reserving]) -> Result<Desk, Error> {
        Ok(Desk::default())
    }
    async fn look_up_variants(&mut self, _: &[String], _: &mut Found) -> Result<(), Error> {
        Ok(())
    }
    async fn stored(&mut self, _: &str) -> Result<Option<Stored>, Error> {
        Ok(None)
    }
    async fn write(&mut self, changes: Changes<'_>) -> Result<(), Error> {
        let key = |row: &crate::batch::InboxRow<'_>| row.of.content.as_ref().unwrap().dedupe_key.clone();
        let source = crate::Cause::text("on demand");
        if changes.inbox.iter().any(|row| key(row) == "refused") {
            return Err(Error::Commit { source });
        }
        if changes.inbox.iter().any(|row| key(row) == "broken") {
            return Err(Error::Device { source });
        }
        let rows = changes.inbox.iter().map(|row| (row.ordinal, key(row)));
        self.0.lock().unwrap().extend(rows);
        Ok(())
    }
    async fn command(&mut self, _: &str, _: &str) -> Result<Option<CommandRow>, Error> {
        Ok(None)
    }
    async fn edit(&mut self, _: &Edit) -> Result<u64, Error> {
        Ok(0)
    }
    async fn apply_stock(&mut self, _: &StockPart, _: &mut Memory) -> Result<Applied, Error> {
        Ok(Applied::default())
    }
    async fn recover(&mut self) -> Result<Memory, Error> {
        let ordinal = self.0.lock().unwrap().last().map_or(0, |(ordinal, _)| *ordinal);
        Ok(Memory { counters: Counters { ordinal, ..Counters::default() }, ..Memory::default() })
    }
    async fn restrict(&mut self, _: Restriction) -> Result<(), Error> {
        Ok(())
    }
    async fn housekeeping(&mut self) {}
    async fn close(self) {}
}

fn prepared(key: &str) -> Box<Prepared> {
    let request = Request {
        method: "POST".to_owned(),
        path: "/".to_owned(),
        query: None,
        headers: Vec::new(),
        body: Vec::new(),
    };
    let acceptance = Acceptance {
        dedupe_key: key.to_owned(),
        observations: Vec::new(),
        notes: Vec::new(),
        answer: Answer { status: 200, headers: Vec::new(), body: Vec::new() },
    };
    let incoming = crate::Incoming {
        channel: "till".to_owned(),
        received_at: Timestamp::UNIX_EPOCH,
        request,
        verdict: Verdict::Accepted(acceptance),
        connector: "till@1.0.0".to_owned(),
        micros: 0,
        personal: false,
    };
    Box::new(Prepared::new(incoming, None).unwrap())
}

/// Hands all keys in at once, then closes. Gives the fate of each, and what was written.
async fn run(batches: &[&[&str]]) -> (Vec<bool>, Vec<(i64, String)>) {
    let database = Fake::default();
    let (seq, _) = watch::channel(0);
    let (ticks, _) = watch::channel(0);
    let writer = Writer {
        database: database.clone(),
        fold: Arc::new(Nothing),
        memory: None,
        failed_bytes_max: u64::MAX,
        batch_max: 3,
        seq,
        ticks,
        trouble: Trouble::default(),
    };
    let (jobs, queue) = mpsc::channel(100);
    let room = Arc::new(Semaphore::new(100));
    let mut fates = Vec::new();
    for key in batches.iter().copied().flatten() {
        let (done, fate) = oneshot::channel();
        let room = Arc::clone(&room).acquire_owned().await.unwrap();
        jobs.send(Job::Deliver { prepared: prepared(key), done, _room: room }).await.unwrap();
        fates.push(fate);
    }
    drop(jobs);
    writer.run(queue).await;
    let mut good = Vec::new();
    for fate in fates {
        good.push(fate.await.unwrap().is_ok());
    }
    let written = database.0.lock().unwrap().clone();
    (good, written)
}

fn rows(keys: &[&str]) -> Vec<(i64, String)> {
    (1..).zip(keys.iter().map(|key| (*key).to_owned())).collect()
}

#[tokio::test]
async fn one_that_the_database_refuses_fails_alone() {
    let (good, written) = run(&[&["a", "refused", "b"], &["c", "d", "e"]]).await;
    assert_eq!(good, [true, false, true, true, true, true]);
    assert_eq!(written, rows(&["a", "b", "c", "d", "e"]));
}

#[tokio::test]
async fn a_device_that_fails_fails_the_batch_and_no_other() {
    let (good, written) = run(&[&["a", "b", "c"], &["d", "broken", "e"], &["f"]]).await;
    assert_eq!(good, [true, true, true, false, false, false, true]);
    assert_eq!(written, rows(&["a", "b", "c", "f"]));
}

#[tokio::test]
async fn room_is_given_back_once_answered() {
    let (good, _) = run(&[&["a"; 100]]).await;
    assert_eq!(good.len(), 100);
}
