//! `http`: requests to origins in manifest ∩ grant. Any other origin ends the call, so that it cannot pass unseen.

use crate::{
    Reason,
    bindings::{
        imported::http::{self, HttpError, Incoming, Outgoing},
        wire::Header,
    },
    egress::Received,
    no_answer::{Failed, NoAnswer},
    origin::Origin,
    outgoing,
    pace::retry_after,
    sandbox::{Denied, State},
};
use reqwest::{Request, Url};
use std::{sync::Arc, time::Instant};

type Exchanged = wasmtime::Result<Result<Incoming, HttpError>>;

impl http::Host for State {
    async fn send(&mut self, outgoing: Outgoing) -> Exchanged {
        self.exchange(outgoing, &[]).await
    }

    async fn send_with(&mut self, outgoing: Outgoing, tokens: Vec<String>) -> Exchanged {
        self.exchange(outgoing, &tokens).await
    }
}

impl State {
    async fn exchange(&mut self, outgoing: Outgoing, tokens: &[String]) -> Exchanged {
        self.host_call()?;
        let tokens = match self.tokens(tokens)? {
            Ok(tokens) => tokens,
            Err(missing) => {
                return Ok(Err(Failed::unsent(NoAnswer::NotConfigured, missing.message).into()));
            }
        };
        let url = match outgoing::url(&outgoing.url) {
            Ok(url) => url,
            Err(failed) => return Ok(Err(failed.into())),
        };
        let origin = self.allow(&url)?;
        let request = match outgoing::request(url, outgoing, &tokens) {
            Ok(request) => request,
            Err(failed) => return Ok(Err(failed.into())),
        };
        let told = match self.line.replay(&request) {
            Some(recorded) => recorded,
            None => self.go(origin, request).await.map_err(HttpError::from),
        };
        Ok(told.map(incoming))
    }

    fn allow(&mut self, url: &Url) -> wasmtime::Result<Origin> {
        let explain = match Origin::of(url) {
            Ok(origin) if self.granted.origins.contains(&origin) => {
                self.http_request()?;
                return Ok(origin);
            }
            // The origin alone: paths and queries hold data.
            Ok(origin) => format!("{origin} is not both in the manifest and in the channel's `network`"),
            Err(error) => format!("an outgoing url {error}"),
        };
        Err(Denied::because(Reason::NetworkNotGranted, explain))
    }

    /// Over the network, at the channel's pace.
    async fn go(&mut self, origin: Origin, request: Request) -> Result<Received, Failed> {
        let (granted, longest) = (Arc::clone(&self.granted), self.limits.http_request);
        let pace = &granted.pace;
        // Nobody closes the semaphore, so there always is a permit.
        let _under_way = pace.parallel.acquire().await.ok();
        let told = match pace.turn(&origin, Instant::now(), longest) {
            Ok(wait) => {
                if !wait.is_zero() {
                    tokio::time::sleep(wait).await;
                }
                self.line.begin(&request);
                let bytes = self.limits.http_response_bytes.min(self.line.room());
                self.egress.send(request, longest, bytes).await
            }
            Err(wait) => {
                self.line.begin(&request);
                self.line.asked_to_wait(wait);
                let message = format!("{origin} is left alone for {} more ms", wait.as_millis());
                Err(Failed::unsent(NoAnswer::RateLimited, message))
            }
        };
        self.line.end(&told);
        if let Some(wait) = told.as_ref().ok().and_then(|received| retry_after(received, self.now)) {
            self.line.asked_to_wait(wait);
            pace.pause(origin, Instant::now(), wait);
        }
        told
    }
}

fn incoming(received: Received) -> Incoming {
    let header = |(name, value): (String, String)| Header { name, value };
    Incoming {
        status: received.status,
        headers: received.headers.into_iter().map(header).collect(),
        body: received.body,
    }
}
