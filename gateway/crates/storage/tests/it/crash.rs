//! Power fails at any byte of the log: what is there afterwards is whole.

use crate::{
    kit::{CHANNEL, Kept, at, fresh, open, polled},
    moves::{ask, cursor},
    shop::ordered,
};
use qudao_storage::{
    CommandMove, CommandState, DeliveryFilter, Moves, NewCommand, PutCommand, Storage, TaskMove,
};
use std::collections::BTreeSet;
use tempfile::TempDir;

/// Commits page `n` with everything that can move: it ends the task of the page before and asks for the next.
async fn step(kept: &Kept, n: i64) {
    let from = (n > 1).then(|| format!("c{}", n - 1));
    let order = ordered(n, &format!("T{n}"), &[""], &[]);
    let command = CommandMove {
        id: "cmd_1".to_owned(),
        state: CommandState::Sent,
        code: None,
        message: None,
        at: at(n),
    };
    let moves = Moves {
        task: Some(TaskMove::Done { id: ask("next", &(n - 1).to_string(), 0).id(CHANNEL) }),
        asks: vec![ask("next", &n.to_string(), n)],
        command: Some(command),
        ..cursor(from.as_deref(), &format!("c{n}"))
    };
    kept.storage.commit_with(polled(n, "POLL", vec![order]), moves).await.unwrap();
}

/// How many pages are there, after a check that nothing of another one is.
async fn whole(storage: &Storage) -> i64 {
    let command = storage.command("cmd_1").await.unwrap();
    let tasks = storage.tasks(None, 100).await.unwrap();
    let next: Vec<String> =
        tasks.iter().filter(|task| task.kind == "next").map(|task| task.key.concat()).collect();
    assert_eq!(tasks.len() - next.len(), usize::from(command.is_some()), "a command has its task");
    let state = storage.stream(CHANNEL, "orders").await.unwrap();
    let n = state.map_or(0, |state| state.cursor.unwrap().replace('c', "").parse().unwrap());
    assert_eq!(next, (n > 0).then(|| n.to_string()).into_iter().collect::<Vec<_>>());
    let pages = usize::try_from(n).unwrap();
    assert_eq!(storage.deliveries(&DeliveryFilter::default()).await.unwrap().items.len(), pages);
    assert_eq!(storage.events(0, 100, &[]).await.unwrap().len(), pages);
    assert_eq!(storage.last_seq(), pages as u64);
    assert_eq!(storage.orders_without_sku(CHANNEL, 100, None).await.unwrap().len(), pages);
    let told = command.map(|row| (row.deliveries.len(), row.attempts as usize));
    assert_eq!(told.unwrap_or_default(), (pages, pages));
    n
}

#[tokio::test]
async fn wherever_the_log_ends_pages_cursor_tasks_and_commands_agree() {
    let kept = fresh().await;
    let new = NewCommand {
        id: "cmd_1".to_owned(),
        channel: CHANNEL.to_owned(),
        kind: "refund.create".to_owned(),
        idempotency_key: "k1".to_owned(),
        payload: serde_json::Value::Null,
        not_after: None,
        created_at: at(0),
    };
    assert!(matches!(kept.storage.put_command(new).await.unwrap(), PutCommand::New(_)));
    for n in 1..=8 {
        step(&kept, n).await;
    }
    // The files as they lie there while the gateway runs.
    let read = |name: &str| std::fs::read(kept.folder.path().join(name)).unwrap();
    let (database, log) = (read("qudao.sqlite"), read("qudao.sqlite-wal"));
    let copy = TempDir::new().unwrap();
    let mut seen = BTreeSet::new();
    for part in 0..=60 {
        // Never at the border of a page of the log but at its very end.
        let length = if part == 60 { log.len() } else { log.len() / 60 * part + 7 };
        std::fs::write(copy.path().join("qudao.sqlite"), &database).unwrap();
        std::fs::write(copy.path().join("qudao.sqlite-wal"), &log[..length.min(log.len())]).unwrap();
        let storage = open(copy.path()).await;
        seen.insert(whole(&storage).await);
        storage.close().await;
    }
    assert_eq!(seen, (0..=8).collect(), "every number of pages was seen");
}
