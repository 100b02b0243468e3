//! Calls out: what a platform that errs or lies may answer to a poll, a fetch or a command.
//!
//! ```text
//! main 1773277200
//! === asked
//! {"asked": "poll", "stream": "orders"}
//! === answer 200
//!
//! content-type: application/json
//!
//! {}
//! === answer timeout sent
//! ```

use crate::parts::Parts;
use crate::pretend::{Pretend, World};
use crate::{Reached, oracle};
use qudao_sdk::fixtures::Told;
use qudao_sdk::model::Asked;
use qudao_sdk::{Class, Connector, Failure, Page};

/// Longest cursor that a gateway takes.
const CURSOR_BYTES: usize = 16 << 10;

/// Asks a connector, twice, and goes on from where the page ended.
pub fn run<C: Connector>(world: &World, data: &[u8]) -> Reached {
    let parts = Parts::of(data);
    let asked = parts.get("asked").and_then(|json| serde_json::from_slice::<Asked>(json).ok());
    let Some(asked) = asked.filter(|asked| is_declared(world, asked)) else { return Reached::Nothing };
    let host = || Pretend::new(world, parts.head).answering(parts.all("answer"));
    let told = Told::of::<C>(&asked, &host());
    assert_eq!(told, Told::of::<C>(&asked, &host()), "the same answers again");
    match &told {
        Told::Page(page) => {
            oracle::facts(&page.observations, &page.notes);
            if let Asked::Poll { stream, cursor } = &asked {
                goes_on::<C>((stream, cursor.as_deref()), page, &Pretend::new(world, parts.head));
            }
            Reached::Understood
        }
        Told::Effect(effect) => {
            oracle::facts(&effect.observations, &effect.notes);
            Reached::Understood
        }
        Told::Failed(failure) => {
            assert!(oracle::word(&failure.code), "code {:?}", failure.code);
            assert!(
                failure.class != Class::Defect || is_ours(&asked, failure),
                "a defect of the connector: {failure}"
            );
            Reached::Refused
        }
    }
}

/// Whether it may be our own word that is wrong, that of an input: a cursor, a key or a payload that no gateway would hand over,
/// or an answer which says that the platform did not understand. A request that cannot be sent is found where it is sent.
fn is_ours(asked: &Asked, failure: &Failure) -> bool {
    match failure.code.as_str() {
        "request_bug" => true,
        "bad_cursor" => {
            let given = matches!(asked, Asked::Poll { cursor: Some(_), .. });
            given && !failure.message.contains("written")
        }
        _ => false,
    }
}

/// A gateway calls nothing that the manifest does not name.
fn is_declared(world: &World, asked: &Asked) -> bool {
    let manifest = &world.manifest;
    match asked {
        Asked::Poll { stream, .. } => manifest.polls.iter().any(|poll| poll.name == *stream),
        Asked::Fetch { kind, .. } => manifest.fetches.iter().any(|fetch| fetch.kind == *kind),
        Asked::Command { kind, .. } => manifest.commands.iter().any(|command| command.kind == *kind),
    }
}

/// The cursor of a page is one that the connector takes, and a page that says `more` has moved.
fn goes_on<C: Connector>((stream, from): (&str, Option<&str>), page: &Page, host: &Pretend<'_>) {
    let Some(cursor) = &page.cursor else {
        assert!(!page.more, "more of the same for ever: a page without a cursor");
        return;
    };
    assert!((1..=CURSOR_BYTES).contains(&cursor.len()), "a cursor of {} bytes", cursor.len());
    assert!(!page.more || Some(cursor.as_str()) != from, "more of the same for ever: {cursor}");
    match C::poll(stream, Some(cursor), host) {
        Err(Failure { code, .. }) if code == "bad_cursor" => panic!("does not take its own cursor {cursor}"),
        Ok(_) | Err(_) => {}
    }
}
