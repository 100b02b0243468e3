//! Secrets and buyers' identifiers stay where they belong.

use qudao_kit::{TestGateway, client, recorded};
use std::{
    io,
    path::Path,
    sync::{Arc, Mutex},
};
use tracing_subscriber::fmt::MakeWriter;

/// Everything that is logged.
#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Captured {
    type Writer = Captured;
    fn make_writer(&'a self) -> Captured {
        self.clone()
    }
}

fn files(folder: &Path, found: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
}

fn holds(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

// One thread, so that the captured log of this thread is the log of everything.
#[tokio::test(flavor = "current_thread")]
async fn no_secret_is_in_database_log_feed_or_api_and_no_buyer_is_in_the_log() {
    let log = Captured::default();
    let subscriber =
        tracing_subscriber::fmt().json().with_max_level(tracing::Level::TRACE).with_writer(log.clone());
    let guard = tracing::subscriber::set_default(subscriber.finish());
    let mut gateway = TestGateway::builder()
        .channel("wx", "wechat-pay", "both")
        .channel("ali", "alipay", "public_key")
        .start()
        .await;
    gateway.listen().await;
    let notices = [
        ("wx", recorded("wechat-pay", "txn_success_public_key")),
        ("wx", recorded("wechat-pay", "rej_wrong_apiv3_key")),
        ("wx", recorded("wechat-pay", "rej_signature_not_base64")),
        ("ali", recorded("alipay", "pay_success_public_key")),
        ("ali", recorded("alipay", "rej_wrong_key")),
    ];
    for (channel, case) in &notices {
        gateway.clock.set(case.now);
        gateway.post(channel, &case.request).await;
    }
    let events = gateway.events().await;
    assert_eq!(events.len(), 2);
    let buyers: Vec<String> =
        events.iter().map(|event| event.data["payment"]["payer_ref"].as_str().unwrap().to_owned()).collect();
    let mut places = Vec::new();
    files(&gateway.folder().join("data"), &mut places);
    for path in
        ["/v1/events?after=0", "/v1/deliveries", "/v1/payments", "/v1/channels", "/metrics", "/openapi.json"]
    {
        let get = client().get(format!("{}{path}", gateway.admin_url())).bearer_auth(&gateway.token);
        let answer = get.send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        places.push((path.to_owned(), answer.bytes().await.unwrap().to_vec()));
    }
    drop(guard);
    places.push(("log".to_owned(), log.0.lock().unwrap().clone()));
    let mut secrets = Vec::new();
    files(&gateway.folder().join("secrets"), &mut secrets);
    assert!(secrets.len() >= 4, "there are secrets to look for");
    for (place, bytes) in &places {
        for (name, secret) in &secrets {
            // Any long enough line of a key is as good as the key.
            for line in secret
                .split(|byte| *byte == b'\n')
                .filter(|line| line.len() >= 16 && !line.starts_with(b"---"))
            {
                assert!(!holds(bytes, line), "{name} is in {place}");
            }
        }
        assert!(!holds(bytes, gateway.token.as_bytes()), "the token is in {place}");
    }
    let (_, log) = places.last().unwrap();
    assert!(!log.is_empty(), "something is logged");
    for buyer in buyers {
        assert!(!holds(log, buyer.as_bytes()), "a buyer is in the log");
    }
    gateway.finish().await;
}
