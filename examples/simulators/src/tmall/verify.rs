//! Whether a call may come in: system parameters, clock, session, signature, in the router's order.

use super::router::Refusal;
use crate::digest::{hmac_md5, hmac_sha256, joined, md5_wrapped};
use crate::engine::Parameters;
use crate::local_time::unix;

/// The router's tolerance either way.
const SKEW_S: i64 = 600;

/// What the router knows of the caller.
pub(super) struct Caller<'a> {
    pub(super) app_key: &'a str,
    pub(super) secret: &'a str,
    pub(super) session: &'a str,
    pub(super) now: i64,
}

impl Caller<'_> {
    /// Nothing, or why not.
    pub(super) fn check(&self, asked: &Parameters, needs_session: bool) -> Result<(), Refusal> {
        let given = |name, missing: Refusal| asked.get(name).ok_or(missing);
        let app_key = given("app_key", Refusal::of(28, "Missing App Key"))?;
        if app_key != self.app_key {
            return Err(Refusal::of(29, "Invalid App Key"));
        }
        let timestamp = given("timestamp", Refusal::of(30, "Missing Timestamp"))?;
        if unix(timestamp).is_none_or(|at| (at - self.now).abs() > SKEW_S) {
            return Err(Refusal::of(31, "Invalid Timestamp"));
        }
        if given("v", Refusal::of(32, "Missing Version"))? != "2.0" {
            return Err(Refusal::of(33, "Invalid Version"));
        }
        // The router's default is XML, which nobody here reads.
        if asked.get("format") != Some("json") {
            return Err(Refusal::of(23, "Invalid Format"));
        }
        if asked.get("simplify").is_some() {
            return Err(
                Refusal::of(41, "Invalid Arguments").sub("isv.invalid-parameter:simplify", "not simulated")
            );
        }
        let sign = given("sign", Refusal::of(24, "Missing Signature"))?;
        if self.sign(asked).as_deref() != Some(sign) {
            return Err(Refusal::of(25, "Invalid Signature").sub("isv.invalid-signature", "签名错误"));
        }
        match asked.get("session") {
            Some(session) if session == self.session => Ok(()),
            Some(_) => Err(Refusal::of(27, "Invalid Session").sub("invalid-sessionkey", "SessionKey非法")),
            None if needs_session => Err(Refusal::of(26, "Missing Session")),
            None => Ok(()),
        }
    }

    /// What the signature has to be; none for a method that does not exist. Empty values take no part.
    fn sign(&self, asked: &Parameters) -> Option<String> {
        let text = joined(asked.pairs().filter(|(name, value)| !name.is_empty() && !value.is_empty()));
        match asked.get("sign_method")? {
            "md5" => Some(md5_wrapped(self.secret, text.as_bytes())),
            "hmac" => Some(hmac_md5(self.secret, text.as_bytes())),
            "hmac-sha256" => Some(hmac_sha256(self.secret, text.as_bytes())),
            _ => None,
        }
    }
}
