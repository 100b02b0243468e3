//! Secrets are put in where markers stand, and no guest ever sees one.

use super::{
    server::{listen, scripted},
    zoo::{at, grants, zoo},
};
use qudao_host::{Answered, Grants, Told};
use qudao_model::Asked;
use serde_json::json;
use zeroize::Zeroizing;

const OK: &str = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
const TOKEN: &str = "6100/7a+hunter2";

/// A channel with every secret.
fn granted(mode: &str) -> Grants {
    let mut grants = grants(mode);
    let mut give = |name: &str, secret: &[u8]| {
        grants.secrets.insert(name.to_owned(), Zeroizing::new(secret.to_vec()));
    };
    give("session", TOKEN.as_bytes());
    give("shared", b"64bb53fbe56279527314d695e0715f13");
    give("roots", include_bytes!("../../../../../sdk/keys/tests/data/mixed_roots.pem"));
    grants
}

async fn ask(grants: Grants) -> Answered {
    let asked = Asked::Poll { stream: "orders".into(), cursor: None };
    zoo().await.connect(grants).unwrap().ask(asked, at("2025-12-25T00:49:08Z")).await
}

fn told(answered: &Answered) -> Vec<&str> {
    let Ok(Told::Page(page)) = &answered.told else { panic!("{answered:?}") };
    page.notes.iter().map(|note| note.fields["text"].as_str().unwrap()).collect()
}

/// What a platform sees of a request with these settings.
async fn sent(path: &str, content_type: &str, body: &str) -> (String, Answered) {
    let (listener, base) = listen().await;
    let (_server, seen) = scripted(listener, vec![OK]);
    let mut grants = granted("tokens");
    let url = format!("{base}{path}");
    grants.settings =
        json!({"mode": "tokens", "base_url": base, "url": url, "content_type": content_type, "body": body});
    grants.network = vec![base];
    let answered = ask(grants).await;
    let seen = seen.lock().unwrap().join("|");
    (seen, answered)
}

#[tokio::test]
async fn a_request_carries_the_token_and_the_record_does_not() {
    let (seen, answered) = sent(
        "/router?a=1&session=~secret.session~&b=~secret.other~",
        "application/x-www-form-urlencoded",
        "token=~secret.session~",
    )
    .await;
    assert_eq!(told(&answered), ["200 "]);
    assert!(
        seen.starts_with("POST /router?a=1&session=6100%2F7a%2Bhunter2&b=~secret.other~ HTTP/1.1\r\n"),
        "{seen}"
    );
    assert!(seen.contains("\r\nauthorization: Bearer 6100/7a+hunter2\r\n"), "{seen}");
    assert!(seen.ends_with("\r\n\r\ntoken=6100%2F7a%2Bhunter2"), "{seen}");
    assert!(!format!("{answered:?}").contains("hunter2"));
    let (seen, _) = sent("/", "text/plain", "token=~secret.session~").await;
    assert!(seen.ends_with("\r\n\r\ntoken=6100/7a+hunter2"), "{seen}");
}

#[tokio::test]
async fn a_token_is_no_place() {
    let (seen, answered) = sent("/~secret.session~", "text/plain", "").await;
    assert_eq!((told(&answered), seen.as_str()), (vec!["bad_request sent=false"], ""));
    assert!(answered.transcript.exchanges.is_empty());
}

#[tokio::test]
async fn only_tokens_are_put_in_and_only_those_that_are_there() {
    let mut without = granted("tokens");
    without.secrets.remove("session");
    without.settings = json!({"mode": "tokens", "url": "https://open.example/"});
    without.network = vec!["https://open.example".into()];
    assert_eq!(told(&ask(without).await), ["not_configured sent=false"]);
    let failure = ask(granted("other_token")).await.told.unwrap_err();
    assert_eq!(
        (failure.code.as_str(), failure.message.as_str()),
        ("key_not_granted", "the manifest names no token \"mac\"")
    );
}

#[tokio::test]
async fn a_digest_covers_a_token_that_the_guest_does_not_know() {
    let key = qudao_keys::Key::parse(
        qudao_model::manifest::KeyKind::SharedSecret,
        b"64bb53fbe56279527314d695e0715f13",
    );
    let digest = key.unwrap().mac_with("md5_wrapped", format!("session{TOKEN}v2.0").as_bytes()).unwrap();
    let expect = data_encoding::HEXUPPER.encode(&digest);
    assert_eq!(told(&ask(granted("digest")).await), [expect]);
    let mut without = granted("digest");
    without.secrets.remove("session");
    assert_eq!(told(&ask(without).await), ["not_configured"]);
}

#[tokio::test]
async fn certificates_are_told() {
    let answered = ask(granted("certificates")).await;
    let told = told(&answered);
    assert_eq!(told.len(), 3);
    assert!(told[1].ends_with(",O=Ant Financial,C=CN 7109322365511151903 1.2.840.113549.1.1.11"), "{told:?}");
}
