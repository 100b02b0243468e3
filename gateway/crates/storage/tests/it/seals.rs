//! Raw bytes with personal data: sealed on the disk, open to who has the key, an error to everybody else.

use crate::kit::{CHANNEL, accepted, at, failed, open, options, paid, rejected};
use futures_util::TryStreamExt as _;
use qudao_model::{Request, id};
use qudao_storage::{Class, Error, Incoming, Options, Storage, Vault, VerdictKind};
use std::{path::Path, sync::Arc};
use tempfile::TempDir;

const SECRET: &str = "10019545127";

/// No cipher, only enough of one: bytes are turned by the key, and what is no seal of this key is known by its digest.
struct Turned(u8);

impl Turned {
    fn mark(&self, turned: &[u8]) -> String {
        id::sha256_hex(&[&[self.0], turned].concat())
    }
}

impl Vault for Turned {
    fn seal(&self, plain: &[u8]) -> Vec<u8> {
        let turned: Vec<u8> = plain.iter().map(|byte| byte ^ self.0).collect();
        [self.mark(&turned).as_bytes(), &turned].concat()
    }

    fn open(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        let (mark, turned) = sealed.split_at_checked(64)?;
        (mark == self.mark(turned).as_bytes()).then(|| turned.iter().map(|byte| byte ^ self.0).collect())
    }
}

fn with(folder: &Path, key: u8) -> Options {
    Options { vault: Some(Arc::new(Turned(key))), ..options(folder) }
}

async fn opened(folder: &Path, key: u8) -> Storage {
    Storage::open(with(folder, key)).await.unwrap()
}

fn personal(mut incoming: Incoming) -> Incoming {
    incoming.personal = true;
    incoming.request.query = Some(format!("phone={SECRET}"));
    incoming.request.headers.push(("X-Phone".to_owned(), SECRET.to_owned()));
    // Line breaks, and bytes that are no text.
    incoming.request.body = [b"\n\0\xff\n{", SECRET.as_bytes()].concat();
    incoming
}

/// Whether the files of the database hold the secret anywhere.
fn leaks(folder: &Path) -> bool {
    let files = std::fs::read_dir(folder).unwrap().map(|file| std::fs::read(file.unwrap().path()).unwrap());
    files.into_iter().any(|bytes| bytes.windows(SECRET.len()).any(|part| part == SECRET.as_bytes()))
}

#[tokio::test]
async fn nothing_personal_is_on_the_disk_and_it_opens_byte_for_byte() {
    let folder = TempDir::new().unwrap();
    let storage = opened(folder.path(), 7).await;
    let incoming = personal(accepted(1, "n1", vec![paid("SO1", 100)]));
    let request = incoming.request.clone();
    let id = storage.commit(incoming).await.unwrap().delivery_id;
    let lost = storage.commit(personal(failed(2, ""))).await.unwrap().delivery_id;
    storage.commit(personal(rejected(3, "bad_signature"))).await.unwrap();
    assert!(!leaks(folder.path()));
    storage.close().await;
    assert!(!leaks(folder.path()));

    let storage = opened(folder.path(), 7).await;
    for id in [&id, &lost] {
        assert_eq!(storage.delivery_request(id).await.unwrap().as_ref(), Some(&request));
        let row = storage.delivery(id).await.unwrap().unwrap();
        assert_eq!(row.size_bytes, request.body.len() as u64);
        assert_eq!(row.sha256, id::sha256_hex(&request.body));
        assert_eq!((row.method.as_str(), row.path.as_str()), ("POST", "/hooks/till"));
    }
    // What is not personal lies beside it as before.
    let mut clear = accepted(4, "n4", Vec::new());
    clear.request.body = SECRET.into();
    let clear = storage.commit(clear).await.unwrap().delivery_id;
    assert!(leaks(folder.path()));
    assert_eq!(storage.delivery_request(&clear).await.unwrap().unwrap().body, SECRET.as_bytes());
}

#[tokio::test]
async fn without_the_key_there_is_an_error_and_no_garbage() {
    let folder = TempDir::new().unwrap();
    let storage = opened(folder.path(), 7).await;
    let id = storage.commit(personal(accepted(1, "n1", vec![paid("SO1", 100)]))).await.unwrap().delivery_id;
    let lost = storage.commit(personal(failed(2, ""))).await.unwrap().delivery_id;
    storage.close().await;

    let storage = open(folder.path()).await;
    let missing = |error: &Error| matches!(error, Error::VaultMissing);
    assert!(missing(&storage.delivery_request(&id).await.unwrap_err()));
    assert!(missing(&storage.replay_source().try_collect::<Vec<_>>().await.unwrap_err()));
    let verdict = accepted(3, "n2", Vec::new()).verdict;
    assert!(missing(&storage.recommit(&lost, verdict, "plain@1.0.1", 1).await.unwrap_err()));
    // Nor is anything stored that could not be sealed.
    assert!(missing(&storage.commit(personal(accepted(4, "n4", Vec::new()))).await.unwrap_err()));
    storage.commit(personal(rejected(5, "bad_signature"))).await.unwrap();
    assert_eq!(storage.last_seq(), 1);
    // Everything else is there.
    assert_eq!(storage.delivery_observations(&id).await.unwrap(), [paid("SO1", 100)]);
    storage.close().await;

    let storage = opened(folder.path(), 8).await;
    for error in [
        storage.delivery_request(&id).await.unwrap_err(),
        storage.replay_source().try_collect::<Vec<_>>().await.unwrap_err(),
    ] {
        assert!(matches!(&error, Error::VaultWrong { id: which } if *which == id), "{error:?}");
        assert_eq!(error.class(), Class::Operator);
    }
}

#[tokio::test]
async fn retry_and_replay_open_and_seal_again() {
    let folder = TempDir::new().unwrap();
    let storage = opened(folder.path(), 7).await;
    let first = personal(accepted(1, "n1", vec![paid("SO1", 100)]));
    let request = first.request.clone();
    storage.commit(first).await.unwrap();
    let lost = storage.commit(personal(failed(2, ""))).await.unwrap().delivery_id;
    let verdict = accepted(3, "n2", vec![paid("SO2", 100)]).verdict;
    let found = storage.recommit(&lost, verdict, "plain@1.0.1", 1).await.unwrap().delivery_id;
    assert_eq!(storage.delivery(&lost).await.unwrap().unwrap().verdict, VerdictKind::Accepted);
    assert_eq!(storage.delivery_request(&lost).await.unwrap().as_ref(), Some(&request));
    assert!(!leaks(folder.path()));

    let other = TempDir::new().unwrap();
    let into = opened(other.path(), 9).await;
    let replayed: Vec<_> = storage.replay_source().try_collect().await.unwrap();
    assert!(replayed.iter().all(|one| one.incoming.personal && one.incoming.request == request));
    for one in replayed {
        into.restore(one).await.unwrap();
    }
    assert_eq!(into.delivery_request(&found).await.unwrap().as_ref(), Some(&request));
    assert_eq!(into.last_seq(), 2);
    assert!(!leaks(other.path()));
}

#[tokio::test]
async fn sealed_failures_count_by_what_they_take() {
    let folder = TempDir::new().unwrap();
    for round in 0..3 {
        let options = Options { failed_bytes_max: 1_000_000, ..with(folder.path(), 7) };
        let storage = Storage::open(options).await.unwrap();
        for second in 0..6 {
            let mut incoming = personal(failed(round * 6 + second, ""));
            // As headers they are as large as as a body.
            incoming.request.headers = vec![("X".to_owned(), "x".repeat(100_000))];
            storage.commit(incoming).await.unwrap();
        }
        storage.close().await;
    }
    let storage = opened(folder.path(), 7).await;
    let kept: Vec<_> = storage.replay_source().try_collect().await.unwrap();
    assert!((9..=10).contains(&kept.len()), "{}", kept.len());
    assert_eq!(kept.last().map(|one| one.incoming.received_at), Some(at(17)), "the latest are kept");
    assert_eq!(kept.last().map(|one| one.incoming.channel.as_str()), Some(CHANNEL));
    let Request { headers, .. } = &kept.last().unwrap().incoming.request;
    assert_eq!(headers[0].1.len(), 100_000);
}
