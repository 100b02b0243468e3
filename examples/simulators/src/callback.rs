//! Callbacks: what a platform posts to a receiver by itself, again until it is taken.
//!
//! A platform keeps notices; each attempt is signed anew, with the clock of that moment. Faults strike here as they do on
//! answers: a notice is lost, posted twice, posted out of order, or carries a signature that does not hold.

use crate::Error;
use crate::calls::Call;
use crate::engine::Common;
use crate::fault::Kind;
use reqwest::{Client, redirect};
use serde::Serialize;
use std::time::Duration;

/// Longest wait for an answer.
const ANSWER_MAX: Duration = Duration::from_secs(5);

/// A request as it leaves: below the receiver's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callback {
    /// Added to the receiver's address; empty, or begins with a slash.
    pub path: String,
    /// Without the question mark; may be empty.
    pub query: String,
    /// In order.
    pub headers: Vec<(String, String)>,
    /// Exact bytes.
    pub body: Vec<u8>,
}

/// How patient a platform is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retries {
    /// Attempts after the first.
    pub times: u32,
    /// Pause before each of them; real ones wait minutes.
    pub pause: Duration,
}

impl Default for Retries {
    fn default() -> Retries {
        Retries { times: 3, pause: Duration::from_millis(20) }
    }
}

/// What became of a notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Told {
    /// What it is called.
    pub name: String,
    /// What it is about.
    pub about: String,
    /// How often it was posted.
    pub attempts: u32,
    /// Status of the last answer.
    pub status: Option<u16>,
    /// Body of the last answer, or why there is none.
    pub answer: String,
    /// Whether the receiver took it.
    pub taken: bool,
}

/// A platform that posts.
pub(crate) trait Poster {
    type Notice: Clone + Send + Sync;

    /// Name of a notice and what it is about.
    fn name(&self, notice: &Self::Notice) -> (String, String);

    /// The request, signed now; with a signature that does not hold if `forged`.
    fn request(&self, notice: &Self::Notice, attempt: u32, forged: bool) -> Result<Callback, Error>;

    /// Whether this answer ends the telling.
    fn takes(&self, status: u16, body: &[u8]) -> bool;
}

/// Posts notices to `to` in order, each until it is taken or patience ends.
pub(crate) async fn post<P: Poster + Sync>(
    poster: &P,
    common: &Common,
    to: &str,
    retries: Retries,
    notices: Vec<P::Notice>,
) -> Result<Vec<Told>, Error> {
    let client = Client::builder().no_proxy().redirect(redirect::Policy::none()).timeout(ANSWER_MAX);
    let client = client.build().map_err(Error::Client)?;
    let mut told = Vec::new();
    for (notice, faults) in struck(poster, common, notices) {
        let (name, about) = poster.name(&notice);
        let mut outcome =
            Told { name, about, attempts: 0, status: None, answer: String::new(), taken: false };
        let lost = faults.contains(&Kind::DropBefore);
        while !lost && !outcome.taken && outcome.attempts <= retries.times {
            if outcome.attempts > 0 {
                tokio::time::sleep(retries.pause).await;
            }
            let forged = faults.contains(&Kind::WrongSignature);
            let request = poster.request(&notice, outcome.attempts, forged)?;
            outcome.attempts += 1;
            match send(&client, to, request).await {
                Ok((status, body)) => {
                    outcome.status = Some(status);
                    outcome.taken = poster.takes(status, &body);
                    outcome.answer = String::from_utf8_lossy(&body).into_owned();
                }
                Err(error) => (outcome.status, outcome.answer) = (None, error.to_string()),
            }
            // Nobody is behind a forged notice who would try again.
            if forged {
                break;
            }
        }
        common.calls.add(Call {
            at: common.clock.now(),
            name: outcome.name.clone(),
            about: Some(outcome.about.clone()),
            outcome: if outcome.taken { "taken".to_owned() } else { "not taken".to_owned() },
            applied: !lost,
            answered: outcome.status.is_some(),
            faults: faults.iter().map(Kind::word).collect(),
        });
        told.push(outcome);
    }
    Ok(told)
}

/// Notices as the faults leave them.
fn struck<P: Poster>(poster: &P, common: &Common, notices: Vec<P::Notice>) -> Vec<(P::Notice, Vec<Kind>)> {
    let mut struck = Vec::new();
    let mut reversed = false;
    for notice in notices {
        let (name, _) = poster.name(&notice);
        let faults = common.faults.take(&name, &name);
        reversed |= faults.contains(&Kind::Reorder);
        if faults.contains(&Kind::Duplicate) {
            struck.push((notice.clone(), Vec::new()));
        }
        struck.push((notice, faults));
    }
    if reversed {
        struck.reverse();
    }
    struck
}

async fn send(client: &Client, to: &str, request: Callback) -> Result<(u16, Vec<u8>), reqwest::Error> {
    let query = if request.query.is_empty() { String::new() } else { format!("?{}", request.query) };
    let mut post =
        client.post(format!("{}{}{query}", to.trim_end_matches('/'), request.path)).body(request.body);
    for (name, value) in request.headers {
        post = post.header(name, value);
    }
    let answer = post.send().await?;
    let status = answer.status().as_u16();
    Ok((status, answer.bytes().await?.to_vec()))
}
