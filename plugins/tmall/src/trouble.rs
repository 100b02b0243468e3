//! Errors of the platform: whose they are and when to call again.
//!
//! An error comes with status 200 and a number, mostly with a finer word beside it. The number alone says little: 7 is both
//! "wait three seconds" and "no more calls today". What is about one thing only ([`Trouble::is_about_one`]) stops
//! that thing and not the stream. Texts of the platform are not repeated: they may name people.

use qudao_sdk::json::{Id, Text};
use qudao_sdk::{Failure, HttpError, KeyError, Retry, Timestamp};
use serde::Deserialize;
use std::time::Duration;

/// As the platform writes it, in JSON and in XML.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct ErrorResponse {
    #[serde(default)]
    code: Id,
    #[serde(default)]
    sub_code: Text,
    #[serde(default)]
    sub_msg: Text,
    #[serde(default)]
    request_id: Text,
}

/// Why a call gave nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The platform said so.
    Told(Told),
    /// It could not be asked.
    Failed(Failure),
}

/// What the platform said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) kind: Kind,
    /// Number and word of the platform, `50 isv.trade-not-exist`.
    pub(crate) words: String,
    wait: Option<Duration>,
    request_id: Option<String>,
}

/// Classes of error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Too many calls just now.
    RateLimited,
    /// No more calls until midnight in Beijing.
    QuotaExhausted,
    /// Their side; may work next time.
    Transient,
    /// Our clock is more than ten minutes off.
    ClockSkew,
    /// The shop's grant is over.
    AuthExpired,
    /// The application may not call this.
    Permission,
    /// Secret or key are wrong.
    Config,
    /// The connector asks wrongly.
    RequestBug,
    /// This one thing is not to be had.
    Business,
    /// Their side, for ever.
    Permanent,
}

impl Kind {
    /// The stable word.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Kind::RateLimited => "rate_limited",
            Kind::QuotaExhausted => "quota_exhausted",
            Kind::Transient => "transient",
            Kind::ClockSkew => "clock_skew",
            Kind::AuthExpired => "auth_expired",
            Kind::Permission => "permission",
            Kind::Config => "config",
            Kind::RequestBug => "request_bug",
            Kind::Business => "business",
            Kind::Permanent => "permanent",
        }
    }

    /// By number and finer word.
    fn of(code: &str, sub_code: &str) -> Kind {
        let limited = sub_code.starts_with("accesscontrol.limited-by") || sub_code == "isp.call-limited";
        match (code, sub_code) {
            (_, "accesscontrol.limited-by-app-access-count") => Kind::QuotaExhausted,
            ("4" | "5" | "6" | "7" | "8", _) => Kind::RateLimited,
            _ if limited => Kind::RateLimited,
            (_, "isp.null-pointer-exception" | "isp.top-parse-error" | "isp.top-mapping-parse-error") => {
                Kind::Permanent
            }
            _ if sub_code.starts_with("isp.") => Kind::Transient,
            ("10", _) | ("15", "") => Kind::Transient,
            ("27", _) | (_, "invalid-sessionkey" | "session-expired") => Kind::AuthExpired,
            ("11" | "12" | "13" | "42", _) => Kind::Permission,
            ("25" | "26" | "28" | "29", _) => Kind::Config,
            ("31", _) => Kind::ClockSkew,
            _ if sub_code.starts_with("isv.") => Kind::of_caller(sub_code),
            ("9" | "21" | "22" | "23" | "24" | "30" | "32" | "33" | "34" | "40" | "41" | "43", _) => {
                Kind::RequestBug
            }
            // A number that nobody told us of: back off, rather than stop or skip.
            _ => Kind::Transient,
        }
    }

    /// `isv.` is the caller's: a wrong call, a missing right, or a thing that is not there.
    fn of_caller(sub_code: &str) -> Kind {
        let begins = |starts: &[&str]| starts.iter().any(|start| sub_code.starts_with(start));
        if begins(&["isv.missing-parameter", "isv.invalid-parameter", "isv.parameters-mismatch"]) {
            Kind::RequestBug
        } else if begins(&["isv.permission", "isv.invalid-permission"]) {
            Kind::Permission
        } else {
            Kind::Business
        }
    }
}

impl ErrorResponse {
    /// What it means at this time.
    pub(crate) fn read(self, now: Timestamp) -> Trouble {
        let code = self.code.0.unwrap_or_default();
        let sub_code = self.sub_code.0.unwrap_or_default();
        let kind = Kind::of(&code, &sub_code);
        let told_wait = self.sub_msg.0.as_deref().and_then(ban).filter(|_| kind == Kind::RateLimited);
        let midnight = (kind == Kind::QuotaExhausted).then(|| until_midnight(now));
        let words = format!("{code} {sub_code}").trim().to_owned();
        Trouble::Told(Told { kind, words, wait: midnight.or(told_wait), request_id: self.request_id.0 })
    }
}

impl Trouble {
    /// Something that the platform said by other means than its error.
    pub(crate) fn told(kind: Kind, words: impl Into<String>, wait: Option<Duration>) -> Trouble {
        Trouble::Told(Told { kind, words: words.into(), wait, request_id: None })
    }

    /// What the platform said, where it is about the one thing that was asked for.
    pub(crate) fn is_about_one(&self) -> Option<&Told> {
        match self {
            Trouble::Told(told) if matches!(told.kind, Kind::Business | Kind::Permanent) => Some(told),
            Trouble::Told(_) | Trouble::Failed(_) => None,
        }
    }

    /// Whether the grant is said to be over.
    pub(crate) fn is_about_the_grant(&self) -> bool {
        matches!(self, Trouble::Told(Told { kind: Kind::AuthExpired, .. }))
    }
}

/// `This ban will last for 61 more seconds`; at most a day.
fn ban(text: &str) -> Option<Duration> {
    let (_, after) = text.split_once("last for ")?;
    let seconds: u64 = after.split(' ').next()?.parse().ok()?;
    Some(Duration::from_secs(seconds.min(86_400)))
}

/// Daily quotas begin anew at midnight in Beijing.
fn until_midnight(now: Timestamp) -> Duration {
    let of_day = (now.as_second() + 8 * 3600).rem_euclid(86_400);
    Duration::from_secs(u64::try_from(86_400 - of_day).unwrap_or(86_400))
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Failure {
        let told = match trouble {
            Trouble::Failed(failure) => return failure,
            Trouble::Told(told) => told,
        };
        let word = told.kind.as_str();
        let request = told.request_id.map(|id| format!(", request {id}")).unwrap_or_default();
        let text = format!("the platform answered {}{request}", told.words);
        let after = |default: u64| Retry::After(told.wait.unwrap_or(Duration::from_secs(default)));
        match told.kind {
            Kind::RateLimited => Failure::platform(word, text).retry(after(1)),
            Kind::QuotaExhausted | Kind::Transient => Failure::platform(word, text).retry(after(0)),
            Kind::ClockSkew => Failure::operator(word, text).retry(after(60)),
            Kind::AuthExpired | Kind::Permission | Kind::Config => Failure::operator(word, text),
            Kind::RequestBug => Failure::defect(word, text),
            Kind::Business | Kind::Permanent => Failure::platform(word, text),
        }
    }
}

impl From<KeyError> for Trouble {
    fn from(error: KeyError) -> Trouble {
        Trouble::Failed(error.into())
    }
}

impl From<HttpError> for Trouble {
    /// Reading changes nothing, so it may be asked again whether or not the platform saw it.
    fn from(error: HttpError) -> Trouble {
        Trouble::Failed(error.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(code: &str, sub_code: &str, expect: Kind) {
        assert_eq!(Kind::of(code, sub_code), expect, "{code} {sub_code}");
    }

    #[test]
    fn numbers_and_words() {
        check("7", "accesscontrol.limited-by-dynamic-access-count", Kind::RateLimited);
        check("8", "", Kind::RateLimited);
        check("15", "isp.null-pointer-exception", Kind::Permanent);
        check("15", "isv.item-service-error", Kind::Business);
        check("50", "isv.invalid-permission", Kind::Permission);
        check("50", "isv.parameters-mismatch", Kind::RequestBug);
        check("40", "isv.missing-parameter:tid", Kind::RequestBug);
        check("26", "", Kind::Config);
        check("21", "", Kind::RequestBug);
        check("12", "", Kind::Permission);
        check("50", "session-expired", Kind::AuthExpired);
        check("999", "", Kind::Transient);
    }

    #[test]
    fn no_answer() {
        let failure = |code: &str| {
            let error = HttpError { code: code.to_owned(), message: String::new(), sent: false };
            Failure::from(Trouble::from(error))
        };
        assert_eq!(failure("not_configured").class, qudao_sdk::Class::Operator);
        assert_eq!(failure("network_not_granted").class, qudao_sdk::Class::Operator);
        assert_eq!(failure("network_not_granted").retry, Retry::Never);
        assert_eq!(failure("bad_request").class, qudao_sdk::Class::Defect);
        assert_eq!(failure("rate_limited").code, "rate_limited");
        assert_eq!(failure("timeout").class, qudao_sdk::Class::Platform);
        assert_eq!(failure("timeout").retry, Retry::After(Duration::ZERO));
    }

    #[test]
    fn waits() {
        assert_eq!(ban("This ban will last for 61 more seconds"), Some(Duration::from_secs(61)));
        assert_eq!(ban("This ban will last for 999999 more seconds"), Some(Duration::from_hours(24)));
        assert_eq!(ban("wait"), None);
        let at = |text: &str| until_midnight(text.parse().unwrap());
        assert_eq!(at("2026-03-05T15:59:59Z"), Duration::from_secs(1));
        assert_eq!(at("2026-03-05T16:00:00Z"), Duration::from_hours(24));
    }
}
