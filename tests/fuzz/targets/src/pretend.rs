//! A gateway whose keys believe everything: what is behind a signature is reached without making one.
//!
//! Every signature is right, every digest is zeros, and what is decrypted stands in the input in clear. What a key is called,
//! its certificates and which keys a channel lacks are those of the connector's own fixtures.

use crate::parts::Message;
use qudao_sdk::fixtures::{Channel, NativeHost};
use qudao_sdk::{
    Certificate, Connector, Fen, Host, HttpError, Incoming, Key, KeyError, KeyProblem, Level, MacAlgorithm,
    Manifest, Outgoing, Timestamp,
};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};

/// Requests of one call; a connector that asks more often asks without end.
const SENDS_MAX: u32 = 100_000;
/// Headers of one of them.
const HEADERS_MAX: usize = 100;

/// A connector's fixtures, as far as a host needs them.
pub struct World {
    /// Its folder `fixtures`.
    pub folder: PathBuf,
    /// What it declares.
    pub manifest: Manifest,
    shops: BTreeMap<String, Shop>,
}

/// A channel.
pub struct Shop {
    settings: String,
    keys: BTreeMap<String, Opened>,
}

struct Opened {
    ids: Vec<String>,
    certificates: Vec<Certificate>,
}

impl World {
    /// Of the connector in `plugins/<name>`.
    pub fn of<C: Connector>(name: &str) -> World {
        let folder = crate::root().join("plugins").join(name).join("fixtures");
        let manifest = C::manifest();
        let files = std::fs::read_dir(folder.join("channels")).expect("channels of the fixtures");
        let names = files.map(|file| file.expect("a file").path());
        let names = names.map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned());
        let shops = names.map(|channel| (channel.clone(), Shop::load(&folder, &channel, &manifest)));
        World { shops: shops.collect(), folder, manifest }
    }

    /// The channel of this name, else any.
    pub fn shop(&self, name: &str) -> &Shop {
        self.shops.get(name).or_else(|| self.shops.values().next()).expect("a channel in the fixtures")
    }
}

impl Shop {
    fn load(fixtures: &Path, name: &str, manifest: &Manifest) -> Shop {
        let channel = Channel::load(fixtures, name).expect("a channel of the fixtures");
        let mut host = NativeHost::at(Timestamp::UNIX_EPOCH);
        let keys = channel.keys(manifest).expect("keys of the fixtures");
        let names: Vec<String> = keys.keys().cloned().collect();
        for (name, key) in keys {
            host = host.with_key(&name, key);
        }
        let opened = |name: &String| {
            let key = Host::key(&host, name).expect("it was put there");
            (name.clone(), Opened { ids: key.ids(), certificates: key.certificates() })
        };
        Shop { settings: channel.settings.to_string(), keys: names.iter().map(opened).collect() }
    }
}

/// What a call sees of the gateway.
pub struct Pretend<'a> {
    now: Timestamp,
    shop: &'a Shop,
    plain: Option<&'a [u8]>,
    orders: BTreeMap<String, Fen>,
    answers: RefCell<VecDeque<(&'a str, &'a [u8])>>,
    sends: Cell<u32>,
}

impl<'a> Pretend<'a> {
    /// `head` has the channel and the clock in unix seconds, then lines `expect ORDER FEN`.
    pub fn new(world: &'a World, head: &[u8]) -> Pretend<'a> {
        let text = String::from_utf8_lossy(head);
        let mut lines = text.lines();
        let mut first = lines.next().unwrap_or_default().split(' ');
        let shop = world.shop(first.next().unwrap_or_default());
        let now = first.next().and_then(|seconds| Timestamp::from_second(seconds.parse().ok()?).ok());
        let expected = lines.filter_map(|line| {
            let (order, fen) = line.strip_prefix("expect ")?.rsplit_once(' ')?;
            Some((order.to_owned(), Fen(fen.parse().ok()?)))
        });
        Pretend {
            now: now.unwrap_or(Timestamp::UNIX_EPOCH),
            shop,
            plain: None,
            orders: expected.collect(),
            answers: RefCell::default(),
            sends: Cell::new(0),
        }
    }

    /// With what is decrypted, whatever the ciphertext.
    #[must_use]
    pub fn decrypting(self, plain: Option<&'a [u8]>) -> Pretend<'a> {
        Pretend { plain, ..self }
    }

    /// With what the platform answers: a status or an error's words, and a message.
    #[must_use]
    pub fn answering(self, answers: impl Iterator<Item = (&'a str, &'a [u8])>) -> Pretend<'a> {
        Pretend { answers: RefCell::new(answers.collect()), ..self }
    }
}

impl Host for Pretend<'_> {
    fn now(&self) -> Timestamp {
        self.now
    }

    fn log(&self, _level: Level, _text: &str, _fields: &[(&str, &str)]) {}

    fn random(&self, count: u32) -> Vec<u8> {
        vec![7; count as usize]
    }

    fn settings_json(&self) -> String {
        self.shop.settings.clone()
    }

    fn key(&self, name: &str) -> Result<Box<dyn Key + '_>, KeyError> {
        let message = format!("the channel has no secret {name}");
        let missing = KeyError { problem: KeyProblem::NotConfigured, message };
        let opened = self.shop.keys.get(name).ok_or(missing)?;
        Ok(Box::new(Believing { opened, plain: self.plain }))
    }

    fn send(&self, request: &Outgoing) -> Result<Incoming, HttpError> {
        sendable(request);
        self.sends.set(self.sends.get() + 1);
        assert!(self.sends.get() < SENDS_MAX, "the connector asks without end");
        let error = |code: &str, sent| HttpError { code: code.to_owned(), message: code.to_owned(), sent };
        let next = self.answers.borrow_mut().pop_front();
        let (said, bytes) = next.ok_or_else(|| error("unreachable", false))?;
        let Ok(status) = said.parse() else {
            let (code, sent) = said.strip_suffix(" sent").map_or((said, false), |code| (code, true));
            // Of a gateway's own words only; a platform cannot say one, and what cannot be sent was found before.
            let can_be = crate::oracle::word(code) && !["bad_request", "not_recorded"].contains(&code);
            return Err(error(if can_be { code } else { "unreachable" }, sent));
        };
        let message = Message::of(bytes);
        Ok(Incoming { status, headers: message.headers, body: message.body.to_vec() })
    }

    fn send_with(&self, request: &Outgoing, _tokens: &[&str]) -> Result<Incoming, HttpError> {
        self.send(request)
    }

    fn expected_payment(&self, order_no: &str) -> Option<Fen> {
        self.orders.get(order_no).copied()
    }
}

/// What a gateway would refuse to send as the connector's own mistake, whatever a platform had said before.
fn sendable(Outgoing { method, url, headers, body: _ }: &Outgoing) {
    assert!(
        ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"].contains(&method.as_str()),
        "method {method:?}"
    );
    let behind = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let named = behind.is_some_and(|behind| !behind.starts_with(['/', '?', '#']) && !behind.is_empty());
    assert!(named && url.bytes().all(|byte| byte.is_ascii_graphic()), "url {url:?}");
    let place = url.split(['?', '#']).next().unwrap_or_default();
    assert!(!qudao_keys::has_marker(place.as_bytes()), "a token stands before the query of {url:?}");
    assert!(headers.len() <= HEADERS_MAX, "{} headers", headers.len());
    for (name, value) in headers {
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        assert!(!name.is_empty() && name.bytes().all(token), "header {name:?}");
        assert!(
            value.bytes().all(|byte| byte == b'\t' || (byte >= b' ' && byte != 0x7f)),
            "{name}: {value:?}"
        );
    }
}

struct Believing<'a> {
    opened: &'a Opened,
    plain: Option<&'a [u8]>,
}

impl Key for Believing<'_> {
    fn ids(&self) -> Vec<String> {
        self.opened.ids.clone()
    }

    fn verify(&self, _id: Option<&str>, _data: &[u8], _signature: &[u8]) -> Result<bool, KeyError> {
        Ok(true)
    }

    fn sign(&self, _data: &[u8]) -> Result<Vec<u8>, KeyError> {
        Ok(vec![0; 256])
    }

    fn decrypt(&self, _nonce: &[u8], _aad: &[u8], ciphertext: &[u8]) -> Result<Vec<u8>, KeyError> {
        Ok(self.plain.unwrap_or(ciphertext).to_vec())
    }

    fn mac(&self, _data: &[u8]) -> Result<Vec<u8>, KeyError> {
        Ok(vec![0; 32])
    }

    fn mac_with(&self, algorithm: MacAlgorithm, _: &[u8], _: &[&str]) -> Result<Vec<u8>, KeyError> {
        Ok(vec![0; length(algorithm)])
    }

    fn certificates(&self) -> Vec<Certificate> {
        self.opened.certificates.clone()
    }
}

fn length(algorithm: MacAlgorithm) -> usize {
    match algorithm {
        MacAlgorithm::Md5Wrapped | MacAlgorithm::HmacMd5 => 16,
        MacAlgorithm::HmacSha256 => 32,
    }
}
