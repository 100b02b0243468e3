//! Hello: a stored-card platform that does not exist, to begin a connector from.
//!
//! It posts JSON notices and signs each with a shared secret. The steps are those of every connector: verify before
//! reading anything, read the platform's own shape (`wire`), say it in the model's words (`map`). What the platform is
//! told in return stands here, too. `fixtures/` holds one recorded delivery for each way it can end.

mod map;
mod wire;

use qudao_sdk::{
    Accepted, Connector, Failure, Host, KeyKind, Manifest, Refused, Request, Stop, Verdict, answer, base64,
    prelude::*, schemars::JsonSchema,
};
use serde::Deserialize;

/// A notice older or newer than this is refused: somebody may be sending a recorded one again.
const WINDOW_SECONDS: i64 = 300;

/// The connector.
pub struct Hello;

/// What `settings:` of a channel holds. `qudao check` holds connectors.yaml against it.
#[derive(Deserialize, JsonSchema)]
#[schemars(crate = "qudao_sdk::schemars", deny_unknown_fields)]
struct Settings {
    /// Number of the shop, as the platform's back office shows it. A notice for another shop is refused.
    shop: String,
}

impl Connector for Hello {
    fn manifest() -> Manifest {
        qudao_sdk::manifest("hello", env!("CARGO_PKG_VERSION"), "Hello payment notices")
            .settings::<Settings>()
            .required("secret", KeyKind::HmacSha256, "Shared secret: back office, developer settings")
            .build()
    }

    fn webhook(request: &Request, host: &dyn Host) -> Result<Verdict, Failure> {
        // Whoever is refused learns nothing but that; the reason is for the operator.
        read(request, host).or_refuse(|_| answer::text(401, "fail"))
    }
}

fn read(request: &Request, host: &dyn Host) -> Result<Verdict, Stop> {
    let settings: Settings = host.settings()?;
    verify(request, host)?;
    let notice: wire::Notice = serde_json::from_slice(&request.body)
        .map_err(|error| Refused::because("malformed_body", error.to_string()))?;
    if notice.shop != settings.shop {
        let explain = format!("the notice is for shop {}, this channel is {}", notice.shop, settings.shop);
        return Err(Refused::because("merchant_mismatch", explain).into());
    }
    let done = answer::text(200, "success");
    let accepted = Accepted::by(&notice.id);
    Ok(match notice.event.as_str() {
        "payment_succeeded" => accepted.observe([map::payment(&notice)?]).answer(done),
        // A new kind of notice is no mistake: keep it where a person can see it, and acknowledge it.
        _ => accepted.note([map::unknown(&notice)]).ignored(done),
    })
}

/// Checks `X-Signature`: base64 of HMAC-SHA-256 over `X-Timestamp`, a point and the body. The key stays in the gateway.
fn verify(request: &Request, host: &dyn Host) -> Result<(), Stop> {
    let timestamp = header(request, "X-Timestamp")?;
    let signature = base64::decode(header(request, "X-Signature")?)
        .map_err(|_| Refused::because("bad_signature", "X-Signature is not base64"))?;
    let signed = [timestamp.as_bytes(), b".", &request.body].concat();
    if !same(&host.key("secret")?.mac(&signed)?, &signature) {
        return Err(
            Refused::because("bad_signature", "X-Signature does not fit the secret of this channel").into()
        );
    }
    // After the signature: a time that nobody vouches for is worth nothing.
    let seconds: i64 = timestamp
        .parse()
        .map_err(|_| Refused::because("bad_timestamp", "X-Timestamp is not unix seconds"))?;
    let age = host.now().as_second().saturating_sub(seconds);
    if age.saturating_abs() > WINDOW_SECONDS {
        let explain = format!("X-Timestamp is {age} s old, at most {WINDOW_SECONDS} s are allowed");
        return Err(Refused::because("timestamp_out_of_window", explain).into());
    }
    Ok(())
}

/// A header that must be there exactly once.
fn header<'a>(request: &'a Request, name: &'static str) -> Result<&'a str, Refused> {
    let mut values = request.header_values(name);
    match (values.next(), values.next()) {
        (Some(value), None) => Ok(value),
        (None, _) => Err(Refused::because("missing_header", format!("there is no {name}"))),
        (Some(_), Some(_)) => Err(Refused::because("duplicate_header", format!("{name} is there twice"))),
    }
}

/// Whether two signatures are equal, in a time that does not tell where they differ.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |different, (a, b)| different | (a ^ b)) == 0
}

qudao_sdk::export!(Hello);
