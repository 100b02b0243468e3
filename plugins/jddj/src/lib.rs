//! JDDJ connector (京东到家, 京东秒送): takes the callbacks of shop orders within the hour, and reads the orders they name.
//!
//! A callback says that something happened to an order, never what the order is now, and the platform's own pages disagree
//! about its numbers. So nothing is concluded from one: it is verified, noted and answered at once, and the gateway then
//! fetches the order. What the model has no entity for (riders, shop stock, after-sale bills) is a note.
//!
//! `sign` has the signature that both directions share, `callback` verifies and reads what comes in, `call` asks, `wire` has
//! the platform's names, `order` gives them meaning. What surprises: all amounts are fen, and answers are JSON in JSON.

mod call;
mod callback;
mod order;
mod sign;
mod wire;

use call::Api;
use callback::Callback;
use qudao_sdk::schemars::JsonSchema;
use qudao_sdk::{Answer, Connector, Failure, Host, KeyKind, Manifest, Page, Request, Stop, Verdict};
use qudao_sdk::{answer, prelude::*};
use serde::Deserialize;

/// The connector.
pub struct Jddj;

/// Settings of a channel.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(crate = "qudao_sdk::schemars")]
struct Settings {
    /// App key of your application at the JDDJ open platform.
    #[schemars(regex(pattern = r"^[0-9A-Za-z]{8,64}$"))]
    app_key: String,
    /// Another origin in place of `https://openapi.jddj.com`: a simulator. Callbacks need none.
    #[schemars(regex(pattern = r"^https?://[^/]+$"))]
    base_url: Option<String>,
}

impl Connector for Jddj {
    fn manifest() -> Manifest {
        qudao_sdk::manifest("jddj", env!("CARGO_PKG_VERSION"), "JDDJ shop orders, from its callbacks")
            .settings::<Settings>()
            .required(
                "app_secret",
                KeyKind::SharedSecret,
                "App secret of your application: signs, and decrypts encrypted callbacks",
            )
            .required("token", KeyKind::Token, "Token that the merchant granted to the application")
            .network(call::ORIGIN)
            .network("{settings.base_url}")
            .fetch("order", &[5, 30, 120, 600, 3600], 7 * 24 * 3600)
            .personal()
            .build()
    }

    fn webhook(request: &Request, host: &dyn Host) -> Result<Verdict, Failure> {
        take(request, host).or_refuse(|_| told("-1", "fail"))
    }

    fn fetch(kind: &str, key: &[String], host: &dyn Host) -> Result<Page, Failure> {
        let settings: Settings = host.settings()?;
        match (kind, key) {
            ("order", [order_no]) => {
                let rows = Api::new(host, settings.base_url.as_deref(), &settings.app_key).order(order_no)?;
                Ok(rows.iter().fold(Page::empty(), order::read))
            }
            ("order", _) => Err(Failure::defect("request_bug", "a key of order is one number")),
            _ => Err(Failure::unsupported(kind)),
        }
    }
}

/// Form, addressee, signature, payload: each check relies on the ones before.
fn take(request: &Request, host: &dyn Host) -> Result<Verdict, Stop> {
    let settings: Settings = host.settings()?;
    let callback = Callback::verified(request, &settings.app_key, host)?;
    Ok(callback.accepted()?.answer(told("0", "success")))
}

/// The members stand in the platform's order.
fn told(code: &str, msg: &str) -> Answer {
    let body = format!(r#"{{"code":"{code}","msg":"{msg}","data":""}}"#);
    answer::with_type(200, "application/json;charset=utf-8", body.into_bytes())
}

qudao_sdk::export!(Jddj: webhook, poll);
