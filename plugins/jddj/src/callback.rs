//! What comes in: a form whose business part is JSON, in clear or encrypted. The signature covers the decoded values, the
//! business part always in clear; so an encrypted one is opened first, and whether opening or the signature fails, the
//! caller and the record see the same.

use crate::sign;
use qudao_sdk::{Accepted, Host, KeyProblem, Note, Refused, Request, Stop, Timestamp};
use qudao_sdk::{base64, charset::Charset, form::Form, json, same, time};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

const PLAIN: &str = "jd_param_json";
const ENCRYPTED: &str = "encrypt_jd_param_json";

/// A callback that is the platform's.
pub(crate) struct Callback {
    /// The last part of the path.
    name: String,
    payload: Payload,
    /// Names the payload where it has no numbers of its own.
    digest: String,
}

/// The business part. Names, phones and remarks stay in it, and so does a granted token.
struct Payload(Map<String, Value>);

/// What a callback is about.
enum About {
    /// An order, to be read.
    Order(&'static str),
    /// A bill, an item: noted by number and status.
    Bill {
        kind: &'static str,
        number: &'static str,
    },
    Rider,
    Stock,
    Token,
    Unknown,
}

impl Callback {
    /// Form, addressee, signature, in this order.
    pub(crate) fn verified(request: &Request, app_key: &str, host: &dyn Host) -> Result<Callback, Stop> {
        let name = name(&request.path)?;
        let mut fields = fields(&request.body)?;
        let signature = taken(&mut fields, "sign")?;
        match fields.get("app_key").map(String::as_str) {
            Some(key) if key == app_key => {}
            Some(key) => {
                let explain = format!("the callback is for the app key {key:.64}, the channel is {app_key}");
                return Err(Refused::because("app_mismatch", explain).into());
            }
            None => return Err(missing("app_key").into()),
        }
        if let Some(encrypted) = fields.remove(ENCRYPTED) {
            let both = fields.insert(PLAIN.to_owned(), opened(&encrypted, host)?).is_some();
            if both {
                let explain = format!("there are both {PLAIN} and {ENCRYPTED}");
                return Err(Refused::because("malformed_body", explain).into());
            }
        }
        let signed = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        if !same(&sign::sign(&signed, &[], host)?, &signature) {
            return Err(bad_signature().into());
        }
        let payload = fields.get(PLAIN).ok_or_else(|| missing(PLAIN))?;
        let malformed =
            |error: json::JsonError| Refused::because("malformed_json", format!("{PLAIN} {error}"));
        let digest = sign::digest(payload, &[], host)?;
        Ok(Callback { name, digest, payload: Payload(json::read(payload.as_bytes()).map_err(malformed)?) })
    }

    /// What is noted, and what is to be fetched.
    pub(crate) fn accepted(&self) -> Result<Accepted, Refused> {
        match self.about() {
            About::Order(kind) => {
                let (accepted, number) = self.bill(kind, "order_no")?;
                Ok(accepted.fetch("order", &[&number]))
            }
            About::Bill { kind, number } => Ok(self.bill(kind, number)?.0),
            About::Rider => {
                let (number, status) = (self.payload.need("orderId")?, self.payload.need("deliveryStatus")?);
                let key = format!("{}:{number}:{status}", self.name);
                let note = note(
                    "rider_status",
                    self.payload.at("deliveryStatusTime"),
                    [("order_no", number), ("status", status)],
                );
                Ok(Accepted::by(key).note([note]))
            }
            About::Stock => self.stock(),
            About::Token => Ok(self.by_digest().note([note("token_granted", None, [])])),
            About::Unknown => {
                let event =
                    note("unknown_event", self.payload.at("timestamp"), [("event_type", self.name.clone())]);
                let accepted = self.by_digest().note([event]);
                // One that names itself an order's: reading the order costs little and shows what it was about.
                let about_order = self.name.to_ascii_lowercase().contains("order");
                Ok(match self.payload.text("billId").filter(|_| about_order) {
                    Some(number) => accepted.fetch("order", &[&number]),
                    None => accepted,
                })
            }
        }
    }

    fn about(&self) -> About {
        match self.name.as_str() {
            "newOrder" => About::Order("order_new"),
            "orderWaitOutStore" => About::Order("order_accepted"),
            "deliveryOrder" => About::Order("order_delivering"),
            "finishOrder" => About::Order("order_delivered"),
            "userCancelOrder" => About::Order("order_cancelled"),
            "applyCancelOrder" => About::Order("order_cancel_requested"),
            "newAfterSaleBill" => About::Bill { kind: "after_sale_new", number: "aftersale_no" },
            "newSku" => About::Bill { kind: "item_new", number: "channel_sku" },
            "updateSku" => About::Bill { kind: "item_changed", number: "channel_sku" },
            "pushDeliveryStatus" => About::Rider,
            "stockIsHave" => About::Stock,
            "getToken" => About::Token,
            _ => About::Unknown,
        }
    }

    /// A bill by number, status and time, which together name the callback, and its number.
    fn bill(&self, kind: &str, number_is: &'static str) -> Result<(Accepted, String), Refused> {
        let number = self.payload.need("billId")?;
        let status = self.payload.text("statusId");
        let time = self.payload.text("timestamp").unwrap_or_else(|| self.digest.clone());
        let key = format!("{}:{number}:{}:{time}", self.name, status.clone().unwrap_or_default());
        let members = [
            Some((number_is, number.clone())),
            status.map(|status| ("status", status)),
            self.payload.text("outBillId").map(|sku| ("sku", sku)),
        ];
        let note = note(kind, self.payload.at("timestamp"), members.into_iter().flatten());
        Ok((Accepted::by(key).note([note]), number))
    }

    /// Whether a shop still sells an item. `at` tells which of two is the newer one.
    fn stock(&self) -> Result<Accepted, Refused> {
        let payload = &self.payload;
        let (station, sku, time) =
            (payload.need("stationNo")?, payload.need("skuId")?, payload.need("operTime")?);
        let key = format!("{}:{station}:{sku}:{time}", self.name);
        let at = time.parse().ok().and_then(time::from_millis);
        let vendibility = payload.text("vendibility").map(|word| ("vendibility", word));
        let members = [("station_no", station), ("channel_sku", sku)].into_iter().chain(vendibility);
        let mut note = note("stock_flag", at, members);
        note.fields.extend(
            payload
                .0
                .get("have")
                .filter(|have| have.is_boolean())
                .map(|have| ("have".to_owned(), have.clone())),
        );
        Ok(Accepted::by(key).note([note]))
    }

    fn by_digest(&self) -> Accepted {
        Accepted::by(format!("{}:{}", self.name, self.digest))
    }
}

impl Payload {
    /// A text or a number; nothing where it is empty.
    fn text(&self, name: &str) -> Option<String> {
        let value = self.0.get(name).filter(|value| value.is_string() || value.is_number())?;
        Some(json::word(value)).filter(|text| !text.is_empty())
    }

    fn need(&self, name: &str) -> Result<String, Refused> {
        self.text(name).ok_or_else(|| missing(name))
    }

    fn at(&self, name: &str) -> Option<Timestamp> {
        time::shanghai(&self.text(name)?).ok()
    }
}

fn note(
    kind: &str,
    at: Option<Timestamp>,
    members: impl IntoIterator<Item = (&'static str, String)>,
) -> Note {
    let fields = members.into_iter().map(|(name, text)| (name.to_owned(), text.into()));
    Note { kind: kind.to_owned(), at, fields: fields.collect() }
}

fn name(path: &str) -> Result<String, Refused> {
    let name = path.rsplit_once("/djsw/").map(|(_, name)| name);
    let word =
        |name: &&str| (1..=64).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let name = name.filter(word).ok_or_else(|| {
        Refused::because("malformed_parameter", "the path does not end with /djsw/ and the callback's name")
    })?;
    Ok(name.to_owned())
}

fn fields(body: &[u8]) -> Result<BTreeMap<String, String>, Refused> {
    let form =
        Form::parse(body).map_err(|error| Refused::because("malformed_body", format!("the body {error}")))?;
    if let Some(name) = form.repeated() {
        let explain = format!("the parameter {} stands twice", String::from_utf8_lossy(name));
        return Err(Refused::because("duplicate_parameter", explain));
    }
    let text = |bytes| Charset::Utf8.decode(bytes);
    let pairs = form.pairs().map(|(name, value)| Ok((text(name)?, text(value)?)));
    pairs.collect::<Result<_, _>>().map_err(|error: qudao_sdk::charset::CharsetError| {
        Refused::because("bad_encoding", format!("a parameter {error}"))
    })
}

fn taken(fields: &mut BTreeMap<String, String>, name: &str) -> Result<String, Refused> {
    fields.remove(name).filter(|value| !value.is_empty()).ok_or_else(|| missing(name))
}

/// The business part in clear. Whatever is wrong with it, it is as good as wrongly signed.
fn opened(encrypted: &str, host: &dyn Host) -> Result<String, Stop> {
    let bytes = base64::decode(encrypted).map_err(|_| bad_signature())?;
    let plain = host.key("app_secret")?.decrypt(&[], &[], &bytes).map_err(|error| match error.problem {
        KeyProblem::DecryptFailed => bad_signature().into(),
        KeyProblem::NotGranted
        | KeyProblem::NotConfigured
        | KeyProblem::UnknownId
        | KeyProblem::WrongUse
        | KeyProblem::BadInput
        | KeyProblem::Other => Stop::from(error),
    })?;
    Ok(String::from_utf8(plain).map_err(|_| bad_signature())?)
}

fn bad_signature() -> Refused {
    Refused::because(
        "bad_signature",
        "the signature is not of the secret app_secret, or what is encrypted is not",
    )
}

fn missing(name: &str) -> Refused {
    Refused::because("missing_parameter", format!("the parameter {name} is missing"))
}
