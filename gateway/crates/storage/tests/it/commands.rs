//! Commands: kept once, run by their task, moved by the deliveries that tell what became of them.

use crate::kit::{CHANNEL, Kept, at, failed, fresh, polled};
use futures_util::future::join_all;
use qudao_storage::{
    COMMAND_TASK, CommandFilter, CommandMove, CommandState, Error, Moves, NewCommand, PutCommand,
};
use serde_json::json;

fn new(id: &str, key: &str, fen: i64) -> NewCommand {
    NewCommand {
        id: id.to_owned(),
        channel: CHANNEL.to_owned(),
        kind: "refund.create".to_owned(),
        idempotency_key: key.to_owned(),
        payload: json!({"order_no": "SO1", "amount_fen": fen}),
        not_after: Some(at(600)),
        created_at: at(1),
    }
}

fn moved(id: &str, state: CommandState, second: i64) -> Moves {
    let (code, message) = (Some("SYSTEM_ERROR".to_owned()), Some("try again".to_owned()));
    let command = CommandMove { id: id.to_owned(), state, code, message, at: at(second) };
    Moves { command: Some(command), ..Moves::default() }
}

async fn count(kept: &Kept) -> usize {
    kept.storage.commands(&CommandFilter::default()).await.unwrap().items.len()
}

#[tokio::test]
async fn a_command_is_there_with_its_task() {
    let kept = fresh().await;
    let ticks = kept.storage.watch_tasks();
    let put = kept.storage.put_command(new("cmd_1", "k1", 100)).await.unwrap();
    let PutCommand::New(row) = put else { panic!("{put:?}") };
    assert!(ticks.has_changed().unwrap());
    let kept = kept.reopened().await;
    assert_eq!(kept.storage.command("cmd_1").await.unwrap().as_ref(), Some(&row));
    assert_eq!(kept.storage.command("cmd_2").await.unwrap(), None);
    insta::assert_json_snapshot!(row, @r#"
    {
      "id": "cmd_1",
      "channel": "till",
      "kind": "refund.create",
      "idempotency_key": "k1",
      "payload": {
        "amount_fen": 100,
        "order_no": "SO1"
      },
      "state": "queued",
      "attempts": 0,
      "created_at": "2025-12-17T19:33:21Z",
      "updated_at": "2025-12-17T19:33:21Z",
      "not_after": "2025-12-17T19:43:20Z",
      "deliveries": []
    }
    "#);
    let due = kept.storage.due_tasks(at(1), 10).await.unwrap();
    assert_eq!((due[0].kind.as_str(), &due[0].key[..]), (COMMAND_TASK, &["cmd_1".to_owned()][..]));
}

#[tokio::test]
async fn one_key_is_one_command() {
    let kept = fresh().await;
    let same = (0..20).map(|at| kept.storage.put_command(new(&format!("cmd_{at}"), "k1", 100)));
    let puts: Vec<PutCommand> = join_all(same).await.into_iter().map(Result::unwrap).collect();
    let fresh: Vec<_> = puts.iter().filter(|put| matches!(put, PutCommand::New(_))).collect();
    let [PutCommand::New(first)] = fresh[..] else { panic!("{fresh:?}") };
    assert!(
        puts.iter().all(|put| matches!(put, PutCommand::New(row) | PutCommand::Same(row) if row == first))
    );
    // The time until it is wanted may be reckoned anew.
    let later = NewCommand { not_after: None, created_at: at(2), ..new("cmd_x", "k1", 100) };
    assert_eq!(kept.storage.put_command(later).await.unwrap(), PutCommand::Same(first.clone()));
    for other in [new("cmd_y", "k1", 101), NewCommand { kind: "ship".to_owned(), ..new("cmd_y", "k1", 100) }]
    {
        assert_eq!(kept.storage.put_command(other).await.unwrap(), PutCommand::KeyReused(first.clone()));
    }
    assert_eq!((count(&kept).await, kept.storage.tasks(None, 10).await.unwrap().len()), (1, 1));
    // A key is one channel's own.
    let other = NewCommand { channel: "other".to_owned(), ..new("cmd_o", "k1", 100) };
    assert!(matches!(kept.storage.put_command(other).await.unwrap(), PutCommand::New(_)));
    // And an id nobody else's.
    let refused = kept.storage.put_command(new("cmd_o", "k2", 100)).await.unwrap_err();
    assert!(matches!(refused, Error::Commit { .. }), "{refused:?}");
    assert_eq!((count(&kept).await, kept.storage.tasks(None, 10).await.unwrap().len()), (2, 2));
}

#[tokio::test]
async fn a_command_moves_with_the_delivery_that_tells_why() {
    let kept = fresh().await;
    kept.storage.put_command(new("cmd_1", "k1", 100)).await.unwrap();
    kept.storage.advance(CHANNEL, at(2), moved("cmd_1", CommandState::Sent, 2)).await.unwrap();
    let unknown = kept.storage.commit_with(failed(3, "no answer"), moved("cmd_1", CommandState::Unknown, 3));
    let first = unknown.await.unwrap().delivery_id;
    let row = kept.storage.command("cmd_1").await.unwrap().unwrap();
    assert_eq!(
        (row.state, row.attempts, &row.deliveries[..]),
        (CommandState::Unknown, 1, &[first.clone()][..])
    );
    assert_eq!((row.created_at, row.updated_at), (at(1), at(3)));
    assert_eq!((row.code.as_deref(), row.message.as_deref()), (Some("SYSTEM_ERROR"), Some("try again")));

    // Sent again, and settled by asking; the same answer twice is one delivery.
    kept.storage.advance(CHANNEL, at(4), moved("cmd_1", CommandState::Sent, 4)).await.unwrap();
    let asked = || polled(5, "FETCH", Vec::new());
    let second = kept.storage.commit_with(asked(), moved("cmd_1", CommandState::Accepted, 5)).await.unwrap();
    let mut settled = moved("cmd_1", CommandState::Succeeded, 6);
    let command = settled.command.as_mut().unwrap();
    (command.code, command.message) = (None, None);
    assert!(kept.storage.commit_with(asked(), settled).await.unwrap().duplicate_of.is_some());
    let kept = kept.reopened().await;
    let row = kept.storage.command("cmd_1").await.unwrap().unwrap();
    assert_eq!((row.state, row.attempts, row.code, row.message), (CommandState::Succeeded, 2, None, None));
    assert_eq!(row.deliveries, [first, second.delivery_id]);
    assert!(row.state.is_settled());
    // One that is not there moves nothing.
    kept.storage.advance(CHANNEL, at(7), moved("cmd_9", CommandState::Sent, 7)).await.unwrap();
    assert_eq!(count(&kept).await, 1);
}

#[tokio::test]
async fn commands_by_each_filter_and_page() {
    let kept = fresh().await;
    for at_second in 1..=5 {
        let id = format!("cmd_{at_second}");
        // Two of each second, so that ties are cut by pages.
        let created_at = at(at_second / 2);
        let kind = if at_second < 3 { "ship" } else { "refund.create" }.to_owned();
        let new = NewCommand { created_at, kind, ..new(&id, &id, 1) };
        kept.storage.put_command(new).await.unwrap();
    }
    kept.storage.advance(CHANNEL, at(9), moved("cmd_4", CommandState::Failed, 9)).await.unwrap();
    let all = CommandFilter::default;
    let cases = [
        (all(), vec!["cmd_5", "cmd_4", "cmd_3", "cmd_2", "cmd_1"]),
        (CommandFilter { kind: Some("ship".to_owned()), ..all() }, vec!["cmd_2", "cmd_1"]),
        (CommandFilter { state: Some(CommandState::Failed), ..all() }, vec!["cmd_4"]),
        (CommandFilter { channel: Some("other".to_owned()), ..all() }, vec![]),
    ];
    for (filter, expected) in cases {
        let page = kept.storage.commands(&filter).await.unwrap();
        let ids: Vec<&str> = page.items.iter().map(|row| row.id.as_str()).collect();
        assert_eq!(ids, expected, "{filter:?}");
        assert_eq!(page.next, None);
    }
    let mut filter = CommandFilter { limit: 2, ..all() };
    let mut ids = Vec::new();
    loop {
        let page = kept.storage.commands(&filter).await.unwrap();
        ids.extend(page.items.into_iter().map(|row| row.id));
        match page.next {
            None => break,
            next => filter.cursor = next,
        }
    }
    assert_eq!(ids, ["cmd_5", "cmd_4", "cmd_3", "cmd_2", "cmd_1"]);
}

#[test]
fn states_are_read_by_their_word() {
    for state in CommandState::ALL {
        assert_eq!(CommandState::parse(state.as_str()), Some(state));
        assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
    }
    assert_eq!(CommandState::parse("gone"), None);
}
