//! One call of the platform: parameters, signature, answer.

use crate::settings::{Settings, Times};
use crate::signing::Parameters;
use crate::trouble::{ErrorResponse, Kind, Trouble};
use crate::wire::{self, Envelope};
use qudao_sdk::json::JsonError;
use qudao_sdk::{Failure, Host, Incoming, Key, Outgoing, Timestamp, time, token};
use serde::de::DeserializeOwned;
use std::time::Duration;

/// Name of the secret that stands for the shop's grant.
const SESSION: &str = "session";

/// The platform, as one channel sees it during one call of the connector.
pub(crate) struct Top<'host> {
    host: &'host dyn Host,
    key: Box<dyn Key + 'host>,
    pub(crate) settings: Settings,
    pub(crate) times: Times,
    pub(crate) now: Timestamp,
}

impl<'host> Top<'host> {
    /// Settings, clock and secret.
    pub(crate) fn open(host: &'host dyn Host) -> Result<Top<'host>, Failure> {
        let (settings, now): (Settings, _) = (host.settings()?, host.now());
        let times = settings.times(now)?;
        Ok(Top { host, key: host.key("app_secret")?, settings, times, now })
    }

    /// Calls `method` and reads its answer. A grant that is said to be over is tried once more before it is believed:
    /// behind the platform's entry some machines learn of a new grant late.
    pub(crate) fn call<T: DeserializeOwned>(
        &self,
        method: &str,
        arguments: &[(&str, &str)],
    ) -> Result<T, Trouble> {
        match self.call_once(method, arguments) {
            Err(trouble) if trouble.is_about_the_grant() => self.call_once(method, arguments),
            first => first,
        }
    }

    fn call_once<T: DeserializeOwned>(&self, method: &str, arguments: &[(&str, &str)]) -> Result<T, Trouble> {
        let (timestamp, session) = (time::to_shanghai(self.now), token(SESSION));
        let system = [
            ("method", method),
            ("app_key", self.settings.app_key.as_str()),
            ("session", &session),
            ("timestamp", &timestamp),
            ("format", "json"),
            ("v", "2.0"),
            ("sign_method", self.settings.sign_method.as_str()),
        ];
        let parameters = Parameters::of(system.iter().chain(arguments).copied());
        let signed = parameters.sign(self.settings.sign_method, self.key.as_ref(), "", &[SESSION])?;
        let request = Outgoing {
            method: "POST".to_owned(),
            url: self.settings.url(),
            headers: vec![(
                "content-type".to_owned(),
                "application/x-www-form-urlencoded;charset=utf-8".to_owned(),
            )],
            body: signed.encode().into_bytes(),
        };
        self.read(method, &self.host.send_with(&request, &[SESSION])?)
    }

    fn read<T: DeserializeOwned>(&self, method: &str, answer: &Incoming) -> Result<T, Trouble> {
        match answer.status {
            429 => return Err(Trouble::told(Kind::RateLimited, "status 429", retry_after(answer))),
            500.. => {
                let words = format!("status {}", answer.status);
                return Err(Trouble::told(Kind::Transient, words, retry_after(answer)));
            }
            _ => {}
        }
        // Errors of the entry machines are XML whatever was asked for.
        if answer.body.trim_ascii_start().starts_with(b"<") {
            let text = String::from_utf8_lossy(&answer.body);
            let error: Option<ErrorResponse> = quick_xml::de::from_str(&text).ok();
            return Err(error.unwrap_or_default().read(self.now));
        }
        // What is cut off may come whole next time; what has another shape will not.
        let unexpected = |error: JsonError| {
            let kind = match error {
                JsonError::Syntax { .. } => Kind::Transient,
                JsonError::Shape { .. } => Kind::Permanent,
            };
            Trouble::told(kind, format!("{method}: {error}"), None)
        };
        match wire::open(&answer.body).map_err(unexpected)? {
            Envelope::Answer(answer) => Ok(answer),
            Envelope::Error(error) => Err(error.read(self.now)),
        }
    }
}

fn retry_after(answer: &Incoming) -> Option<Duration> {
    let header = answer.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("retry-after"));
    header?.1.parse().ok().map(Duration::from_secs)
}
