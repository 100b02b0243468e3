//! JSON over HTTP, as the demo speaks it with the gateway's private listener and with simulated platforms.

use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::time::Duration;

const ANSWER_MAX: Duration = Duration::from_mins(1);

/// Somebody who answers in JSON.
pub(super) struct Http {
    agent: ureq::Agent,
    pub(super) base: String,
    token: Option<String>,
}

impl Http {
    /// `base` without a slash at its end; `token` goes along as a bearer token.
    pub(super) fn new(base: String, token: Option<String>) -> Http {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(ANSWER_MAX))
            .http_status_as_error(false)
            .proxy(None);
        Http { agent: config.build().into(), base, token }
    }

    pub(super) fn get(&self, path: &str) -> Result<Value> {
        let mut request = self.agent.get(format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        read(path, request.call())
    }

    pub(super) fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let mut request = self.agent.post(format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        read(path, request.send_json(body))
    }
}

fn read(path: &str, answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Value> {
    let mut answer = answer.with_context(|| format!("asking for {path}"))?;
    let text = answer.body_mut().read_to_string().with_context(|| format!("reading {path}"))?;
    if !answer.status().is_success() {
        bail!("{path} was answered with {}: {text}", answer.status());
    }
    serde_json::from_str(&text).with_context(|| format!("reading {path}"))
}
