//! Glue between a connector's Rust and the component it becomes. Only here are generated bindings touched.
//!
//! Facts leave as an envelope (entity, key, time, schema) and a payload of JSON; the host reads them back into the model.
//! A panic is told to the operator's log with message and place, and then ends the call: the host sees a trap.

use crate::{
    Certificate, Connector, Effect, Failure, Fen, File, Files, Host, HttpError, Incoming, Key, KeyError,
    KeyProblem, Level, MacAlgorithm, Outgoing, Page, Retry,
};
use crate::{Note, Observation, Timestamp, Verdict, time};
use imports::qudao::connector::{clock, expectations, http, keys, log, random, settings, types};
use qudao_model::delivery::{Acceptance, Header, Refusal};
use qudao_model::{Answer, Facts, Request, file::Emitted};
use serde::Serialize;
use std::marker::PhantomData;
use std::sync::Once;

#[allow(missing_docs, unsafe_code, clippy::all, clippy::pedantic, reason = "generated")]
pub mod imports {
    wit_bindgen::generate!({ path: "../wit", world: "imports", generate_all });
}

#[allow(missing_docs, unsafe_code, clippy::all, clippy::pedantic, reason = "generated")]
pub mod describes {
    wit_bindgen::generate!({
        path: "../wit",
        world: "describes",
        pub_export_macro: true,
        export_macro_name: "export_describe",
    });
}

/// Bindings to a world whose imports are those of [`imports`].
macro_rules! sharing_world {
    ($name:ident { $($bindings:tt)* }) => {
        #[allow(missing_docs, unsafe_code, clippy::all, clippy::pedantic, reason = "generated")]
        pub mod $name {
            wit_bindgen::generate!({
                path: "../wit",
                pub_export_macro: true,
                with: {
                    "qudao:connector/types@1.0.0": crate::guest::imports::qudao::connector::types,
                    "qudao:connector/log@1.0.0": crate::guest::imports::qudao::connector::log,
                    "qudao:connector/clock@1.0.0": crate::guest::imports::qudao::connector::clock,
                    "qudao:connector/random@1.0.0": crate::guest::imports::qudao::connector::random,
                    "qudao:connector/settings@1.0.0": crate::guest::imports::qudao::connector::settings,
                    "qudao:connector/keys@1.0.0": crate::guest::imports::qudao::connector::keys,
                    "qudao:connector/http@1.0.0": crate::guest::imports::qudao::connector::http,
                    "qudao:connector/expectations@1.0.0": crate::guest::imports::qudao::connector::expectations,
                },
                $($bindings)*
            });
        }
    };
}

sharing_world!(webhooks { world: "webhooks", export_macro_name: "export_webhook" });
sharing_world!(polls { world: "polls", export_macro_name: "export_poll" });
sharing_world!(commands { world: "commands", export_macro_name: "export_command" });
sharing_world!(files { world: "files", export_macro_name: "export_file" });

use commands::exports::qudao::connector::command::Effect as WireEffect;
use polls::exports::qudao::connector::poll::Page as WirePage;

/// What [`crate::export!`] exports: a connector behind the generated traits.
pub struct Glue<C>(PhantomData<C>);

impl<C: Connector> describes::exports::qudao::connector::describe::Guest for Glue<C> {
    fn manifest() -> String {
        json_text(&C::manifest())
    }
}

impl<C: Connector> webhooks::exports::qudao::connector::webhook::Guest for Glue<C> {
    fn handle(request: types::Request) -> Result<types::Verdict, types::Failure> {
        report_panics();
        C::webhook(&request_in(request), &Gateway).map_err(failure_out).and_then(verdict_out)
    }
}

impl<C: Connector> polls::exports::qudao::connector::poll::Guest for Glue<C> {
    fn poll(stream: String, cursor: Option<String>) -> Result<WirePage, types::Failure> {
        report_panics();
        C::poll(&stream, cursor.as_deref(), &Gateway).map(page_out).map_err(failure_out)
    }

    fn fetch(kind: String, key: Vec<String>) -> Result<WirePage, types::Failure> {
        report_panics();
        C::fetch(&kind, &key, &Gateway).map(page_out).map_err(failure_out)
    }
}

impl<C: Connector> commands::exports::qudao::connector::command::Guest for Glue<C> {
    fn run(kind: String, payload: Vec<u8>) -> Result<WireEffect, types::Failure> {
        report_panics();
        let payload = serde_json::from_slice(&payload).map_err(|error| {
            failure_out(Failure::defect("malformed_json", format!("the payload: {error}")))
        })?;
        C::command(&kind, &payload, &Gateway).map(effect_out).map_err(failure_out)
    }
}

impl<C: Files> files::exports::qudao::connector::file::Guest for Glue<C> {
    fn read() -> Result<Vec<u8>, types::Failure> {
        report_panics();
        C::read(&GatewayFile, &Gateway).map(|outcome| json_text(&outcome).into_bytes()).map_err(failure_out)
    }

    fn sniff(asked: Vec<u8>) -> Result<Vec<u8>, types::Failure> {
        report_panics();
        let asked = serde_json::from_slice(&asked).map_err(|error| {
            failure_out(Failure::defect("malformed_json", format!("what is asked: {error}")))
        })?;
        let sniffed = C::sniff(&asked, &GatewayFile, &Gateway).map_err(failure_out)?;
        Ok(json_text(&sniffed).into_bytes())
    }

    fn check() -> Result<Vec<u8>, types::Failure> {
        report_panics();
        C::check(&Gateway).map(|problems| json_text(&problems).into_bytes()).map_err(failure_out)
    }
}

/// The file at hand, through the imports.
struct GatewayFile;

impl File for GatewayFile {
    fn size(&self) -> u64 {
        files::qudao::connector::source::size()
    }

    fn name(&self) -> String {
        files::qudao::connector::source::name()
    }

    fn read(&self, offset: u64, max: u32) -> Vec<u8> {
        files::qudao::connector::source::read(offset, max)
    }

    fn put(&self, what: Emitted, lines: &[u8]) {
        files::qudao::connector::sink::put(what.as_str(), lines);
    }
}

/// The gateway, through the imports.
struct Gateway;

impl Host for Gateway {
    fn now(&self) -> Timestamp {
        time::from_millis(clock::now_ms()).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    fn log(&self, level: Level, text: &str, fields: &[(&str, &str)]) {
        let fields: Vec<_> = fields.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        log::emit(level.as_str(), text, &fields);
    }

    fn random(&self, count: u32) -> Vec<u8> {
        random::bytes(count)
    }

    fn settings_json(&self) -> String {
        settings::json()
    }

    fn key(&self, name: &str) -> Result<Box<dyn Key + '_>, KeyError> {
        match keys::open(name) {
            Ok(key) => Ok(Box::new(GatewayKey(key))),
            Err(error) => Err(key_error(error)),
        }
    }

    fn send(&self, request: &Outgoing) -> Result<Incoming, HttpError> {
        incoming(http::send(&outgoing(request)))
    }

    fn send_with(&self, request: &Outgoing, tokens: &[&str]) -> Result<Incoming, HttpError> {
        incoming(http::send_with(&outgoing(request), &texts(tokens)))
    }

    fn expected_payment(&self, order_no: &str) -> Option<Fen> {
        expectations::payment_fen(order_no).map(Fen)
    }
}

struct GatewayKey(keys::Key);

impl Key for GatewayKey {
    fn ids(&self) -> Vec<String> {
        self.0.ids()
    }

    fn verify(&self, id: Option<&str>, data: &[u8], signature: &[u8]) -> Result<bool, KeyError> {
        self.0.verify(id, data, signature).map_err(key_error)
    }

    fn sign(&self, data: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.0.sign(data).map_err(key_error)
    }

    fn decrypt(&self, nonce: &[u8], aad: &[u8], ciphertext: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.0.decrypt(nonce, aad, ciphertext).map_err(key_error)
    }

    fn mac(&self, data: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.0.mac(data).map_err(key_error)
    }

    fn mac_with(&self, algorithm: MacAlgorithm, data: &[u8], tokens: &[&str]) -> Result<Vec<u8>, KeyError> {
        self.0.mac_with(algorithm.as_str(), data, &texts(tokens)).map_err(key_error)
    }

    fn certificates(&self) -> Vec<Certificate> {
        let certificate = |keys::Certificate { issuer, serial, signature_algorithm }| Certificate {
            issuer,
            serial,
            signature_algorithm,
        };
        self.0.certificates().into_iter().map(certificate).collect()
    }
}

fn outgoing(request: &Outgoing) -> http::Outgoing {
    let Outgoing { method, url, headers, body } = request.clone();
    http::Outgoing { method, url, headers: headers_out(headers), body }
}

fn incoming(answered: Result<http::Incoming, http::HttpError>) -> Result<Incoming, HttpError> {
    let error = |http::HttpError { code, message, sent }| HttpError { code, message, sent };
    let http::Incoming { status, headers, body } = answered.map_err(error)?;
    Ok(Incoming { status, headers: headers_in(headers), body })
}

fn texts(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Once an instance, before anything can panic. Not for `describe`, which must not call an import.
fn report_panics() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        std::panic::set_hook(Box::new(|panic| {
            let text = panic.payload_as_str().unwrap_or("a panic without words");
            let place = panic.location().map(|at| format!("{}:{}", at.file(), at.line())).unwrap_or_default();
            log::emit("error", &format!("panic: {text} at {place}"), &[("place".into(), place)]);
        }));
    });
}

fn key_error(error: keys::KeyError) -> KeyError {
    KeyError { problem: KeyProblem::parse(&error.code), message: error.message }
}

fn request_in(request: types::Request) -> Request {
    let types::Request { method, path, query, headers, body } = request;
    Request { method, path, query, headers: headers_in(headers), body }
}

fn headers_in(headers: Vec<types::Header>) -> Vec<Header> {
    headers.into_iter().map(|types::Header { name, value }| (name, value)).collect()
}

fn headers_out(headers: Vec<Header>) -> Vec<types::Header> {
    headers.into_iter().map(|(name, value)| types::Header { name, value }).collect()
}

fn answer_out(answer: Answer) -> types::Answer {
    types::Answer { status: answer.status, headers: headers_out(answer.headers), body: answer.body }
}

fn verdict_out(verdict: Verdict) -> Result<types::Verdict, types::Failure> {
    Ok(match verdict {
        Verdict::Accepted(acceptance) => types::Verdict::Accepted(acceptance_out(acceptance)),
        Verdict::Ignored(acceptance) => types::Verdict::Ignored(acceptance_out(acceptance)),
        Verdict::Rejected(Refusal { reason, explain, answer }) => {
            types::Verdict::Rejected(types::Refusal { reason, explain, answer: answer_out(answer) })
        }
        // Only the host calls a call failed; a connector says so with `Failure`.
        Verdict::Failed(refusal) => {
            return Err(failure_out(Failure::defect(&refusal.reason, refusal.explain)));
        }
    })
}

fn acceptance_out(acceptance: Acceptance) -> types::Acceptance {
    let Acceptance { dedupe_key, observations, notes, answer } = acceptance;
    types::Acceptance {
        dedupe_key,
        observations: observations.into_iter().map(observation_out).collect(),
        notes: notes.into_iter().map(note_out).collect(),
        answer: answer_out(answer),
    }
}

fn page_out(page: Page) -> WirePage {
    let Page { observations, notes, cursor, more } = page;
    WirePage {
        observations: observations.into_iter().map(observation_out).collect(),
        notes: notes.into_iter().map(note_out).collect(),
        cursor,
        more,
    }
}

fn effect_out(effect: Effect) -> WireEffect {
    let Effect { state, code, message, observations, notes } = effect;
    WireEffect {
        state: state.as_str().to_owned(),
        code,
        message,
        observations: observations.into_iter().map(observation_out).collect(),
        notes: notes.into_iter().map(note_out).collect(),
    }
}

fn observation_out(observation: Observation) -> types::Observation {
    let entity = observation.kind().as_str().to_owned();
    let payload = match &observation.facts {
        Facts::Payment(facts) => json_text(facts),
        Facts::Refund(facts) => json_text(facts),
        Facts::Order(facts) => json_text(facts),
        Facts::AfterSale(facts) => json_text(facts),
        Facts::Listing(facts) => json_text(facts),
        Facts::Slip(facts) => json_text(facts),
    };
    types::Observation {
        entity,
        key: observation.key,
        occurred_at: observation.occurred_at.as_millisecond(),
        schema: observation.schema,
        payload: payload.into_bytes(),
    }
}

fn note_out(note: Note) -> types::Note {
    types::Note {
        kind: note.kind,
        at: note.at.map(Timestamp::as_millisecond),
        fields: json_text(&note.fields).into_bytes(),
    }
}

fn failure_out(failure: Failure) -> types::Failure {
    let (retry, retry_after_ms) = match failure.retry {
        Retry::Never => ("never", None),
        Retry::Now => ("now", None),
        Retry::After(wait) => ("after", Some(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX))),
    };
    types::Failure {
        class: failure.class.as_str().to_owned(),
        code: failure.code,
        message: failure.message,
        retry: retry.to_owned(),
        retry_after_ms,
    }
}

fn json_text(value: &impl Serialize) -> String {
    // Plain structs with text keys: serialising cannot fail, and an empty text would be refused by the host.
    serde_json::to_string(value).unwrap_or_default()
}
