//! Faults on demand: what goes wrong between a simulated platform and its caller.

use serde::{Deserialize, Serialize};
use std::sync::{Mutex, PoisonError};

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Kind {
    /// The call is done at once, the answer comes later.
    Delay {
        /// How much later.
        millis: u64,
    },
    /// The connection ends before the call is looked at.
    DropBefore,
    /// The call is done, then the connection ends without an answer.
    DropAfterApply,
    /// Every row of a list comes twice; a callback is posted twice.
    Duplicate,
    /// The rows of a list, or callbacks, come in the opposite order.
    Reorder,
    /// Only the first half of the rows comes.
    HalfPage,
    /// The connection ends in the middle of the body.
    HalfBody,
    /// An HTTP status instead of an answer; nothing is done.
    Status {
        /// The status, such as 429 or 503.
        status: u16,
        /// Seconds in `Retry-After`.
        #[serde(default)]
        retry_after: Option<u32>,
    },
    /// An error in the platform's own form instead of an answer; nothing is done.
    PlatformError {
        /// The platform's code, with its sub code behind a slash where it has one: `7/accesscontrol.limited-by-api-access-count`.
        code: String,
        /// The platform's text.
        #[serde(default)]
        text: Option<String>,
    },
    /// The answer, or the callback, carries a signature that does not hold. Without effect where answers are not signed.
    WrongSignature,
}

impl Kind {
    /// Its word in ledgers.
    pub fn word(&self) -> &'static str {
        match self {
            Kind::Delay { .. } => "delay",
            Kind::DropBefore => "drop_before",
            Kind::DropAfterApply => "drop_after_apply",
            Kind::Duplicate => "duplicate",
            Kind::Reorder => "reorder",
            Kind::HalfPage => "half_page",
            Kind::HalfBody => "half_body",
            Kind::Status { .. } => "status",
            Kind::PlatformError { .. } => "platform_error",
            Kind::WrongSignature => "wrong_signature",
        }
    }
}

/// A fault, the calls it strikes and how often.
///
/// ```
/// use qudao_sim::fault::{Fault, Kind};
/// let lost = Fault::new(Kind::DropAfterApply).on("taobao.tmc.messages.confirm").times(2);
/// let text = r#"{"kind": "drop_after_apply", "match": "taobao.tmc.messages.confirm", "times": 2}"#;
/// assert_eq!(serde_json::from_str::<Fault>(text).unwrap(), lost);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// What goes wrong.
    #[serde(flatten)]
    pub kind: Kind,
    /// Name of an API method, or part of a path; every call where absent.
    #[serde(rename = "match", default, skip_serializing_if = "Option::is_none")]
    pub on: Option<String>,
    /// How many calls.
    #[serde(default = "once")]
    pub times: u32,
    /// How many matching calls pass unharmed first.
    #[serde(default)]
    pub skip: u32,
}

fn once() -> u32 {
    1
}

impl Fault {
    /// Strikes the next call, whatever it is.
    pub fn new(kind: Kind) -> Fault {
        Fault { kind, on: None, times: 1, skip: 0 }
    }

    /// 429 with `Retry-After`.
    pub fn too_many(retry_after: u32) -> Fault {
        Fault::new(Kind::Status { status: 429, retry_after: Some(retry_after) })
    }

    /// An HTTP status.
    pub fn status(status: u16) -> Fault {
        Fault::new(Kind::Status { status, retry_after: None })
    }

    /// An error in the platform's own form.
    pub fn platform_error(code: &str, text: &str) -> Fault {
        Fault::new(Kind::PlatformError { code: code.to_owned(), text: Some(text.to_owned()) })
    }

    /// Only calls of this API method, or with this in their path.
    #[must_use]
    pub fn on(mut self, name: &str) -> Fault {
        self.on = Some(name.to_owned());
        self
    }

    /// So many calls instead of one.
    #[must_use]
    pub fn times(mut self, times: u32) -> Fault {
        self.times = times;
        self
    }

    /// After so many matching calls went well.
    #[must_use]
    pub fn after(mut self, skip: u32) -> Fault {
        self.skip = skip;
        self
    }

    fn strikes(&self, name: &str, path: &str) -> bool {
        self.on.as_deref().is_none_or(|on| on == name || path.contains(on))
    }
}

/// The faults that are still to come.
#[derive(Debug, Default)]
pub struct Faults(Mutex<Vec<Fault>>);

impl Faults {
    /// Adds one.
    pub fn add(&self, fault: Fault) {
        self.lock().push(fault);
    }

    /// Forgets all.
    pub fn clear(&self) {
        self.lock().clear();
    }

    /// Those that have not struck as often as they should.
    pub fn pending(&self) -> Vec<Fault> {
        self.lock().clone()
    }

    /// What strikes a call now.
    pub(crate) fn take(&self, name: &str, path: &str) -> Vec<Kind> {
        let mut struck = Vec::new();
        let mut faults = self.lock();
        for fault in faults.iter_mut().filter(|fault| fault.strikes(name, path)) {
            if fault.skip > 0 {
                fault.skip -= 1;
            } else if fault.times > 0 {
                fault.times -= 1;
                struck.push(fault.kind.clone());
            }
        }
        faults.retain(|fault| fault.times > 0);
        struck
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Fault>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_strikes_as_often_as_told_and_where_told() {
        let faults = Faults::default();
        faults.add(Fault::new(Kind::DropBefore).on("a.get").times(2).after(1));
        faults.add(Fault::status(503).on("/v3/"));
        let struck = |name: &str, path: &str| faults.take(name, path).len();
        assert_eq!(struck("b.get", "/router"), 0);
        assert_eq!(struck("a.get", "/router"), 0, "the first passes");
        assert_eq!(struck("a.get", "/router"), 1);
        assert_eq!(struck("a.get", "/v3/x"), 2);
        assert_eq!(struck("a.get", "/v3/x"), 0);
        assert!(faults.pending().is_empty());
    }

    #[test]
    fn faults_are_written_as_the_read_me_says() {
        let fault = |text| serde_json::from_str::<Fault>(text).unwrap();
        assert_eq!(fault(r#"{"kind":"status","status":429,"retry_after":3}"#), Fault::too_many(3));
        let limited =
            r#"{"kind":"platform_error","code":"7/isp.call-limited","text":"slow","times":3,"skip":1}"#;
        assert_eq!(fault(limited), Fault::platform_error("7/isp.call-limited", "slow").times(3).after(1));
        assert!(serde_json::from_str::<Fault>(r#"{"kind":"explode"}"#).is_err());
    }
}
