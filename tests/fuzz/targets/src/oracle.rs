//! What a gateway would hold against a connector's result. A fact that it refuses is not told to anybody, and the platform
//! sends the same delivery again for ever: so no input may lead to one.

use qudao_model::{Answer, Facts, Note, Observation};

/// Facts of a result.
pub fn facts(observations: &[Observation], notes: &[Note]) {
    for observation in observations {
        let problems = observation.problems();
        assert!(problems.is_empty(), "a fact that no gateway takes: {problems:?}\n{observation:?}");
        gateways_own(observation);
        let nanos = observation.occurred_at.subsec_nanosecond();
        assert_eq!(nanos % 1_000_000, 0, "occurred_at is finer than a millisecond");
        round_trip(observation);
    }
    for note in notes {
        assert!(words(&note.kind), "the kind of a note: {:?}", note.kind);
        let text = serde_json::to_string(note).expect("a note is JSON");
        assert_eq!(serde_json::from_str::<Note>(&text).expect("and back"), *note);
    }
}

/// A fact as JSON is the fact.
pub fn round_trip(observation: &Observation) {
    let text = observation.canonical_json();
    let back: Observation = serde_json::from_str(&text).expect("a fact that was written can be read");
    assert_eq!(back, *observation);
    assert_eq!(back.canonical_json(), text);
}

fn gateways_own(observation: &Observation) {
    match &observation.facts {
        Facts::Listing(_) | Facts::Slip(_) => panic!("a connector reports no {:?}", observation.kind()),
        Facts::Order(order) => {
            assert!(order.mapped.is_empty(), "mapped is the gateway's own");
            assert!(order.receiver.as_ref().is_none_or(|receiver| receiver.sealed.is_none()));
            let linked = order.payment_refs.iter().any(|at| at.payment_id.is_some() || at.channel.is_some());
            assert!(!linked, "links are the gateway's own");
        }
        Facts::Payment(_) | Facts::Refund(_) | Facts::AfterSale(_) => {}
    }
}

/// What the platform is told.
pub fn answer(answer: &Answer) {
    assert!((200..=599).contains(&answer.status), "status {}", answer.status);
    assert!(answer.body.len() <= 64 << 10, "{} bytes of answer", answer.body.len());
    for (name, value) in &answer.headers {
        assert!(!name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':'));
        assert!(value.bytes().all(|byte| byte == b'\t' || (byte >= b' ' && byte != 0x7f)), "{value:?}");
    }
}

/// A word that programs match on.
pub fn word(word: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=64).contains(&word.len()) && word.bytes().all(fits)
}

fn words(words: &str) -> bool {
    words.len() <= 64 && words.split('.').all(word)
}
