//! The signature of a notice: five headers, and the body byte for byte.

use crate::settings::{Settings, Verify};
use qudao_sdk::{Host, KeyProblem, Refused, Request, Stop, Timestamp, base64};

/// WeChat Pay's own rule, both ways.
const WINDOW_SECONDS: u64 = 300;
/// Documented default, also where the header is absent (the official Go SDK assumes it).
const RSA: &str = "WECHATPAY2-SHA256-RSA2048";
/// Now and then WeChat Pay sends a wrong signature on purpose, to see whether it is refused.
const PROBE: &str = "WECHATPAY/SIGNTEST/";
const PUBLIC_KEY_ID: &str = "PUB_KEY_ID_";

/// What the headers say, not yet verified.
pub struct Signature<'a> {
    signed_at: Timestamp,
    timestamp: &'a str,
    nonce: &'a str,
    value: &'a str,
    serial: &'a str,
}

impl<'a> Signature<'a> {
    /// Takes each header exactly once: a proxy that joins or reorders repeated ones must not choose which counts.
    pub fn read(request: &'a Request) -> Result<Signature<'a>, Refused> {
        let [timestamp, nonce, value, serial, kind] =
            ["Timestamp", "Nonce", "Signature", "Serial", "Signature-Type"].map(|name| header(request, name));
        let (timestamp, nonce, value, serial, kind) = (timestamp?, nonce?, value?, serial?, kind?);
        let present = |value: Option<&'a str>, name| {
            let value = value.filter(|value| !value.is_empty());
            value.ok_or_else(|| Refused::because("missing_header", format!("there is no Wechatpay-{name}")))
        };
        let timestamp = present(timestamp, "Timestamp")?;
        let (nonce, value) = (present(nonce, "Nonce")?, present(value, "Signature")?);
        let serial = present(serial, "Serial")?;
        if kind.is_some_and(|kind| kind != RSA) {
            return Err(Refused::because(
                "unsupported_algorithm",
                format!("Wechatpay-Signature-Type is not {RSA}"),
            ));
        }
        let seconds = timestamp.parse().ok().filter(|_| timestamp.bytes().all(|byte| byte.is_ascii_digit()));
        let signed_at = seconds
            .and_then(|seconds| Timestamp::from_second(seconds).ok())
            .ok_or_else(|| Refused::because("bad_timestamp", "Wechatpay-Timestamp is not unix seconds"))?;
        Ok(Signature { signed_at, timestamp, nonce, value, serial })
    }

    /// Verifies under the key that the serial names.
    pub fn verify(&self, body: &[u8], settings: &Settings, host: &dyn Host) -> Result<(), Stop> {
        let (secret, id) = self.key(settings)?;
        let key = host.key(secret).map_err(|error| {
            if error.problem != KeyProblem::NotConfigured {
                return Stop::from(error);
            }
            self.unknown(&format!("the channel has no secret {secret}")).into()
        })?;
        if id.as_ref().is_some_and(|id| !key.ids().contains(id)) {
            return Err(self.unknown("not one of platform_certificates").into());
        }
        let mut signed = format!("{}\n{}\n", self.timestamp, self.nonce).into_bytes();
        signed.extend_from_slice(body);
        signed.push(b'\n');
        let good = match base64::decode(self.value) {
            Ok(signature) => key.verify(id.as_deref(), &signed, &signature)?,
            Err(_) => false,
        };
        match good {
            true => Ok(()),
            false if self.value.starts_with(PROBE) => {
                let explain =
                    "wrong on purpose: WeChat Pay tests whether we verify, and sends the notice again";
                Err(Refused::because("signature_probe", explain).into())
            }
            false => {
                let explain = format!("the signature is not that of {} over this body", self.serial);
                Err(Refused::because("bad_signature", explain).into())
            }
        }
    }

    /// Whether it was signed just now; asked after the signature is known to be good.
    pub fn check_fresh(&self, now: Timestamp) -> Result<(), Refused> {
        let seconds = now.as_second().abs_diff(self.signed_at.as_second());
        if seconds <= WINDOW_SECONDS {
            return Ok(());
        }
        let explain = format!("signed at {}, {seconds} s from our clock", self.signed_at);
        Err(Refused::because("timestamp_out_of_window", explain))
    }

    /// Secret to verify with, and which certificate of it. Ids of public keys are compared exactly, hex without case.
    fn key(&self, settings: &Settings) -> Result<(&'static str, Option<String>), Refused> {
        if self.serial.starts_with(PUBLIC_KEY_ID) {
            if settings.verify == Verify::Certificate {
                return Err(self.unknown("`verify` is `certificate`"));
            }
            if settings.public_key_id.as_ref().is_some_and(|id| id != self.serial) {
                return Err(self.unknown("not `public_key_id`"));
            }
            return Ok(("platform_public_key", None));
        }
        if settings.verify == Verify::PublicKey {
            return Err(self.unknown("`verify` is `public_key`"));
        }
        Ok(("platform_certificates", Some(self.serial.to_ascii_uppercase())))
    }

    fn unknown(&self, why: &str) -> Refused {
        Refused::because("unknown_serial", format!("Wechatpay-Serial {:?}: {why}", self.serial))
    }
}

fn header<'a>(request: &'a Request, name: &str) -> Result<Option<&'a str>, Refused> {
    let name = format!("Wechatpay-{name}");
    let mut values =
        request.headers.iter().filter(|(at, _)| at.eq_ignore_ascii_case(&name)).map(|(_, value)| value);
    match (values.next(), values.next()) {
        (_, Some(_)) => Err(Refused::because("duplicate_header", format!("{name} occurs more than once"))),
        (value, None) => Ok(value.map(String::as_str)),
    }
}
