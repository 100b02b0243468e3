//! Signed payment notices, as the platform would send them, laid out as whole HTTP requests before any clock starts.

use anyhow::{Context, Result};
use qudao_model::{Request, Timestamp};
use qudao_sim::story::{Delivery, Plan, Scenario, tell};
use qudao_sim::wechat_pay::{Signing, WechatPay};
use qudao_sim::{Keys, Platform};
use std::thread;

/// Where the sample's first channel takes them.
pub(crate) const PATH: &str = "/hooks/wechat-main";

/// Threads that sign; nothing is measured meanwhile.
const SIGNERS: usize = 2;

/// `count` different notices, signed now.
pub(crate) fn make(count: u32, seed: u64) -> Result<Vec<Request>> {
    let platform = WechatPay::new(&Keys::BuiltIn, Signing::PublicKey)?;
    let now = Timestamp::now().as_second();
    let plan = Plan { seed, orders: count, scenario: Scenario::Payments, start: now };
    let deliveries = tell(&platform, &plan);
    let part = deliveries.len().div_ceil(SIGNERS).max(1);
    thread::scope(|threads| {
        let platform = &platform;
        let signing: Vec<_> =
            deliveries.chunks(part).map(|part| threads.spawn(move || sign(platform, part, now))).collect();
        let mut requests = Vec::with_capacity(deliveries.len());
        for signed in signing {
            requests.extend(signed.join().ok().context("a signing thread")??);
        }
        Ok(requests)
    })
}

fn sign(platform: &WechatPay, deliveries: &[Delivery], now: i64) -> Result<Vec<Request>> {
    let request = |delivery: &Delivery| {
        let signed = platform.request(delivery, now)?;
        Ok(Request {
            method: "POST".into(),
            path: PATH.into(),
            query: None,
            headers: signed.headers,
            body: signed.body,
        })
    };
    deliveries.iter().map(request).collect()
}

/// The bytes on the wire.
pub(crate) fn wire(request: &Request) -> Vec<u8> {
    let Request { method, path, headers, body, .. } = request;
    let fields: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let fields = fields.concat();
    let head =
        format!("{method} {path} HTTP/1.1\r\nHost: bench\r\nContent-Length: {}\r\n{fields}\r\n", body.len());
    [head.as_bytes(), body].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn notices_differ_and_are_as_long_as_real_ones() {
        let notices = make(50, 1).unwrap();
        let bodies: BTreeSet<&[u8]> = notices.iter().map(|notice| &notice.body[..]).collect();
        assert_eq!(bodies.len(), 50);
        assert!(bodies.iter().all(|body| (900..3000).contains(&body.len())));
    }

    #[test]
    fn a_request_on_the_wire_ends_with_its_body() {
        let request = Request {
            method: "POST".into(),
            path: "/a".into(),
            query: None,
            headers: vec![("X".into(), "1".into())],
            body: b"hi".to_vec(),
        };
        let text = String::from_utf8(wire(&request)).unwrap();
        assert_eq!(text, "POST /a HTTP/1.1\r\nHost: bench\r\nContent-Length: 2\r\nX: 1\r\n\r\nhi");
    }
}
