//! From recorded deliveries and recorded answers.

use super::Seeds;
use crate::parts::{Message, join};
use crate::pretend::World;
use qudao_sdk::fixtures::{AskCase, Case, Channel, NativeHost, Recorded};
use qudao_sdk::{
    Certificate, Connector, Fen, Host, HttpError, Incoming, Key, KeyError, Level, MacAlgorithm, Outgoing,
    Timestamp,
};
use std::cell::RefCell;

/// What the real keys made of a delivery.
#[derive(Default)]
struct Seen {
    plain: Option<Vec<u8>>,
    digests: Vec<Vec<u8>>,
}

/// Recorded deliveries: digests become zeros, and what was encrypted stands beside in clear.
pub fn hooks<C: Connector>(world: &World) -> Seeds {
    let cases = Case::load_all(&world.folder).expect("cases of the fixtures");
    let seed = |case: Case| {
        let channel = Channel::load(&world.folder, &case.channel).expect("a channel");
        let native = NativeHost::of(&case, &channel, &world.manifest).expect("a host");
        let recording = Recording { native: &native, seen: RefCell::default() };
        let _told = C::webhook(&case.request, &recording);
        let Seen { plain, digests } = recording.seen.into_inner();
        let request = &case.request;
        let query = request.query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
        let first = format!("{} {}{query}", request.method, request.path);
        let mut message = Message::write(&first, &request.headers, &request.body);
        for digest in digests {
            message = zeros(&message, &digest);
        }
        let mut head = format!("{} {}", case.channel, case.now.as_second());
        for (order, expected) in &case.context.orders {
            head.push_str(&format!("\nexpect {order} {}", expected.amount_fen));
        }
        let plain = plain.as_deref().map(|plain| ("plain", plain));
        (case.name, join(head.as_bytes(), [("request", message.as_slice())].into_iter().chain(plain)))
    };
    cases.into_iter().map(seed).collect()
}

/// The digest of a key that believes everything in the place of the right one.
fn zeros(message: &[u8], digest: &[u8]) -> Vec<u8> {
    let mut message = message.to_vec();
    let texts = [data_encoding::HEXUPPER.encode(digest), data_encoding::HEXLOWER.encode(digest)];
    for text in texts {
        while let Some(at) = memchr::memmem::find(&message, text.as_bytes()) {
            message[at..at + text.len()].fill(b'0');
        }
    }
    message
}

/// Recorded polls, fetches and commands.
pub fn asks(world: &World) -> Seeds {
    let cases = AskCase::load_all(&world.folder).expect("asks of the fixtures");
    let seed = |case: AskCase| {
        let head = format!("{} {}", case.channel, case.now.as_second());
        let asked = serde_json::to_vec(&case.asked).expect("JSON");
        let answers: Vec<(String, Vec<u8>)> = case.answers.iter().map(answer).collect();
        let answers = answers.iter().map(|(name, message)| (name.as_str(), message.as_slice()));
        (case.name, join(head.as_bytes(), [("asked", asked.as_slice())].into_iter().chain(answers)))
    };
    cases.into_iter().map(seed).collect()
}

fn answer(recorded: &Recorded) -> (String, Vec<u8>) {
    if let Some(error) = &recorded.error {
        let sent = if error.sent { " sent" } else { "" };
        return (format!("answer {}{sent}", error.code), Vec::new());
    }
    let body = recorded.body.as_ref().map_or(recorded.body_base64.as_slice(), String::as_bytes);
    let status = recorded.status.unwrap_or(200);
    (format!("answer {status}"), Message::write("", &recorded.headers, body))
}

/// The native host, remembering what its keys gave.
struct Recording<'a> {
    native: &'a NativeHost,
    seen: RefCell<Seen>,
}

impl Host for Recording<'_> {
    fn now(&self) -> Timestamp {
        self.native.now()
    }

    fn log(&self, level: Level, text: &str, fields: &[(&str, &str)]) {
        self.native.log(level, text, fields);
    }

    fn random(&self, count: u32) -> Vec<u8> {
        self.native.random(count)
    }

    fn settings_json(&self) -> String {
        self.native.settings_json()
    }

    fn key(&self, name: &str) -> Result<Box<dyn Key + '_>, KeyError> {
        Ok(Box::new(RecordingKey { key: Host::key(self.native, name)?, seen: &self.seen }))
    }

    fn send(&self, request: &Outgoing) -> Result<Incoming, HttpError> {
        self.native.send(request)
    }

    fn expected_payment(&self, order_no: &str) -> Option<Fen> {
        self.native.expected_payment(order_no)
    }
}

struct RecordingKey<'a> {
    key: Box<dyn Key + 'a>,
    seen: &'a RefCell<Seen>,
}

impl Key for RecordingKey<'_> {
    fn ids(&self) -> Vec<String> {
        self.key.ids()
    }

    fn verify(&self, id: Option<&str>, data: &[u8], signature: &[u8]) -> Result<bool, KeyError> {
        // What is not signed well is worth being read as well.
        self.key.verify(id, data, signature).map(|_| true)
    }

    fn sign(&self, data: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.key.sign(data)
    }

    fn decrypt(&self, nonce: &[u8], aad: &[u8], ciphertext: &[u8]) -> Result<Vec<u8>, KeyError> {
        let plain = self.key.decrypt(nonce, aad, ciphertext)?;
        self.seen.borrow_mut().plain = Some(plain.clone());
        Ok(plain)
    }

    fn mac(&self, data: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.key.mac(data)
    }

    fn mac_with(&self, algorithm: MacAlgorithm, data: &[u8], tokens: &[&str]) -> Result<Vec<u8>, KeyError> {
        let digest = self.key.mac_with(algorithm, data, tokens)?;
        self.seen.borrow_mut().digests.push(digest.clone());
        Ok(digest)
    }

    fn certificates(&self) -> Vec<Certificate> {
        self.key.certificates()
    }
}
