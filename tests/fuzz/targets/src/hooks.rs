//! Inbound parsers: one request, as anybody on the internet may send it, and as a platform that errs may sign it.
//!
//! ```text
//! both 1766623748
//! expect SO1 100
//! === request
//! POST /hooks/wechat-main?a=b
//! Wechatpay-Serial: PUB_KEY_ID_0116368834202025122400321962002600
//!
//! {"id": …}
//! === plain
//! what is decrypted
//! ```

use crate::parts::{Message, Parts};
use crate::pretend::{Pretend, World};
use crate::{Reached, oracle};
use qudao_sdk::{Class, Connector, Request, Verdict};

/// Longest dedupe key that a gateway takes.
const DEDUPE_KEY_BYTES: usize = 512;

/// Delivers an input to a connector, twice.
pub fn run<C: Connector>(world: &World, data: &[u8]) -> Reached {
    let parts = Parts::of(data);
    let Some(bytes) = parts.get("request") else { return Reached::Nothing };
    let request = request(bytes);
    let host = || Pretend::new(world, parts.head).decrypting(parts.get("plain"));
    let told = C::webhook(&request, &host());
    assert_eq!(told, C::webhook(&request, &host()), "the same delivery again");
    match told {
        Ok(Verdict::Accepted(acceptance) | Verdict::Ignored(acceptance)) => {
            let length = acceptance.dedupe_key.len();
            assert!((1..=DEDUPE_KEY_BYTES).contains(&length), "dedupe_key has {length} bytes");
            oracle::facts(&acceptance.observations, &acceptance.notes);
            oracle::answer(&acceptance.answer);
            Reached::Understood
        }
        Ok(Verdict::Rejected(refusal) | Verdict::Failed(refusal)) => {
            assert!(oracle::word(&refusal.reason), "reason {:?}", refusal.reason);
            oracle::answer(&refusal.answer);
            Reached::Refused
        }
        Err(failure) => {
            assert_ne!(failure.class, Class::Defect, "{failure}");
            assert!(oracle::word(&failure.code), "code {:?}", failure.code);
            Reached::Refused
        }
    }
}

fn request(bytes: &[u8]) -> Request {
    let message = Message::of(bytes);
    let (method, target) = message.first.split_once(' ').unwrap_or(("POST", &message.first));
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query.to_owned())),
        None => (target, None),
    };
    Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query,
        headers: message.headers,
        body: message.body.to_vec(),
    }
}
