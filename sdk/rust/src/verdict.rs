//! Words in which a connector says what became of a delivery.

use crate::{Answer, Failure, KeyError, Note, Observation, Verdict};
use qudao_model::delivery::{Acceptance, Refusal};
use std::fmt;

/// Verified and understood: collects what was read and ends in a [`Verdict`].
///
/// ```
/// use qudao_sdk::{Accepted, Verdict, answer};
/// let verdict = Accepted::by("notice-17").answer(answer::text(200, "success"));
/// assert_eq!(verdict.as_str(), "accepted");
/// ```
#[derive(Debug, Clone)]
#[must_use = "ends with `answer` or `ignored`"]
pub struct Accepted {
    dedupe_key: String,
    observations: Vec<Observation>,
    notes: Vec<Note>,
}

impl Accepted {
    /// `dedupe_key` is what the platform repeats on every retry of one notice: its notice id.
    pub fn by(dedupe_key: impl Into<String>) -> Accepted {
        Accepted { dedupe_key: dedupe_key.into(), observations: Vec::new(), notes: Vec::new() }
    }

    /// Adds facts, in the order they stand in the delivery.
    pub fn observe(mut self, observations: impl IntoIterator<Item = Observation>) -> Accepted {
        self.observations.extend(observations);
        self
    }

    /// Adds platform facts that the model has no entity for.
    pub fn note(mut self, notes: impl IntoIterator<Item = Note>) -> Accepted {
        self.notes.extend(notes);
        self
    }

    /// Has the gateway fetch a thing once this is committed: for hints that say what changed and not how.
    ///
    /// ```
    /// use qudao_sdk::{Accepted, Verdict, answer};
    /// let verdict = Accepted::by("newOrder:17").fetch("order", &["17"]).answer(answer::text(200, "ok"));
    /// let Verdict::Accepted(acceptance) = verdict else { unreachable!() };
    /// assert_eq!(acceptance.notes[0].kind, "fetch");
    /// ```
    pub fn fetch(mut self, kind: &str, key: &[&str]) -> Accepted {
        self.notes.push(fetch_note(kind, key));
        self
    }

    /// Accepted, with the platform's acknowledgement.
    pub fn answer(self, answer: Answer) -> Verdict {
        Verdict::Accepted(self.acceptance(answer))
    }

    /// Understood, and there is nothing to do; the platform is answered all the same.
    pub fn ignored(self, answer: Answer) -> Verdict {
        Verdict::Ignored(self.acceptance(answer))
    }

    fn acceptance(self, answer: Answer) -> Acceptance {
        let Accepted { dedupe_key, observations, notes } = self;
        Acceptance { dedupe_key, observations, notes, answer }
    }
}

/// The note that has the gateway fetch a thing; `kind` is one of the manifest's `fetches`.
pub fn fetch_note(kind: &str, key: &[&str]) -> Note {
    let fields = [("kind".to_owned(), kind.into()), ("key".to_owned(), key.into())];
    Note { kind: "fetch".to_owned(), at: None, fields: fields.into_iter().collect() }
}

/// A refusal on its way to becoming a verdict: why, before anybody knows how the platform wants to hear it.
///
/// ```
/// use qudao_sdk::{Refused, answer};
/// let refused = Refused::because("bad_signature", "the signature is not one of key 5E8B…");
/// let verdict = refused.answer(answer::text(401, "fail"));
/// assert_eq!(verdict.as_str(), "rejected");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Stable word, see docs/errors.md of the gateway.
    pub reason: &'static str,
    /// For the operator; never leaves the gateway.
    pub explain: String,
}

impl Refused {
    /// A refusal and its reason.
    pub fn because(reason: &'static str, explain: impl Into<String>) -> Refused {
        Refused { reason, explain: explain.into() }
    }

    /// The verdict, with what the platform is told. It should tell nothing about why.
    pub fn answer(self, answer: Answer) -> Verdict {
        Verdict::Rejected(Refusal { reason: self.reason.to_owned(), explain: self.explain, answer })
    }
}

/// What ends the reading of a delivery early, so that `?` works in a connector's steps.
///
/// ```
/// use qudao_sdk::{Host, Refused, Request, Stop};
///
/// fn signed_part<'a>(request: &'a Request, host: &dyn Host) -> Result<&'a [u8], Stop> {
///     let signature = request.header_values("x-signature").next();
///     let signature = signature.ok_or_else(|| Refused::because("missing_header", "there is no X-Signature"))?;
///     let key = host.key("public_key")?; // a failure: the operator's to mend
///     let good = key.verify(None, &request.body, signature.as_bytes())?;
///     good.then_some(&request.body[..])
///         .ok_or_else(|| Refused::because("bad_signature", "not of public_key").into())
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// The delivery is bad.
    Refused(Refused),
    /// The connector could not do its work.
    Failed(Failure),
}

impl From<Refused> for Stop {
    fn from(refused: Refused) -> Stop {
        Stop::Refused(refused)
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Stop {
        Stop::Failed(failure)
    }
}

impl From<KeyError> for Stop {
    fn from(error: KeyError) -> Stop {
        Stop::Failed(error.into())
    }
}

/// Ends a chain of steps: a refusal gets the connector's own failure answer. A fact that the model forbids, and a dedupe key that
/// no gateway takes, are the sender's fault here: as a result they would fail the call, and five of them close the channel.
///
/// ```
/// use qudao_sdk::{OrRefuse, Refused, Stop, Verdict, answer};
/// let read: Result<Verdict, Stop> = Err(Refused::because("bad_signature", "no").into());
/// let verdict = read.or_refuse(|refused| answer::text(401, "fail")).unwrap();
/// assert_eq!(verdict.answer().status, 401);
/// ```
pub trait OrRefuse {
    /// Turns a refusal into a verdict with the answer that `answer` makes of it.
    fn or_refuse(self, answer: impl FnOnce(&Refused) -> Answer) -> Result<Verdict, Failure>;
}

impl OrRefuse for Result<Verdict, Stop> {
    fn or_refuse(self, answer: impl FnOnce(&Refused) -> Answer) -> Result<Verdict, Failure> {
        match self.and_then(usable) {
            Ok(verdict) => Ok(verdict),
            Err(Stop::Failed(failure)) => Err(failure),
            Err(Stop::Refused(refused)) => {
                let answer = answer(&refused);
                Ok(refused.answer(answer))
            }
        }
    }
}

/// Longest dedupe key that a gateway takes.
const DEDUPE_KEY_BYTES: usize = 512;

fn usable(verdict: Verdict) -> Result<Verdict, Stop> {
    let (Verdict::Accepted(acceptance) | Verdict::Ignored(acceptance)) = &verdict else { return Ok(verdict) };
    let length = acceptance.dedupe_key.len();
    let problem = match acceptance.observations.iter().flat_map(Observation::problems).next() {
        Some(problem) => problem.to_string(),
        None if length == 0 || length > DEDUPE_KEY_BYTES => {
            format!("the notice's own number has {length} bytes")
        }
        None => return Ok(verdict),
    };
    Err(Refused::because("malformed_resource", problem).into())
}

impl fmt::Display for Refused {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.reason, self.explain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Timestamp, answer};
    use qudao_model::{OrderFact, OrderFacts};

    fn ended(key: &str, order_no: &str) -> String {
        let fact = Observation::order(
            Timestamp::from_second(1_767_225_600).unwrap(),
            OrderFacts::new(order_no, OrderFact::Delivered),
        );
        let read: Result<Verdict, Stop> =
            Ok(Accepted::by(key).observe([fact]).answer(answer::text(200, "success")));
        match read.or_refuse(|_| answer::text(400, "fail")).unwrap() {
            Verdict::Rejected(refusal) => format!("{} {}", refusal.answer.status, refusal.reason),
            told @ (Verdict::Accepted(_) | Verdict::Ignored(_) | Verdict::Failed(_)) => {
                told.as_str().to_owned()
            }
        }
    }

    #[test]
    fn what_no_gateway_takes_is_refused() {
        assert_eq!(ended("n1", "SO1"), "accepted");
        assert_eq!(ended("n1", &"S".repeat(1025)), "400 malformed_resource");
        assert_eq!(ended("", "SO1"), "400 malformed_resource");
        assert_eq!(ended(&"n".repeat(513), "SO1"), "400 malformed_resource");
    }
}
