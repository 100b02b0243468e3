//! A delivery made ready for the writer: everything that needs no look into the database is worked out here, on the
//! caller's thread, because the writer is one and its time is what limits the gateway.

use crate::{Error, FILE_METHOD, FILE_SHA256, FILE_SIZE, Incoming, Moves, Vault, VerdictKind, vault};
use data_encoding::HEXLOWER;
use qudao_model::{Answer, Note, Observation, Request, Timestamp, Verdict, delivery::Acceptance, id};
use sha2::{Digest, Sha256};

/// What a row of the inbox has beside headers and body.
pub(crate) const KEPT_ROW_BYTES: usize = 1024;

/// Methods of deliveries that no platform sent by itself: what we asked for, and what the gateway knows.
const OWN_METHODS: [&str; 6] = ["POLL", "FETCH", "COMMAND", "LISTINGS", "LINK", FILE_METHOD];

/// What the writer needs to know of one delivery.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) channel: String,
    pub(crate) received_at: Timestamp,
    /// As it is stored: of a sealed one the body is the seal around query, headers and body.
    pub(crate) request: Request,
    pub(crate) sealed: bool,
    /// Of the plain body.
    pub(crate) size: u64,
    /// Of the plain body.
    pub(crate) sha256: Vec<u8>,
    pub(crate) kind: VerdictKind,
    pub(crate) reason: Option<String>,
    pub(crate) explain: Option<String>,
    pub(crate) answer: Answer,
    pub(crate) connector: String,
    pub(crate) micros: u64,
    /// Of an understood delivery.
    pub(crate) content: Option<Content>,
    /// Of a restored delivery: the id it keeps.
    pub(crate) restored_id: Option<String>,
    /// What moves with it.
    pub(crate) moves: Moves,
}

/// What an understood delivery says.
#[derive(Debug)]
pub(crate) struct Content {
    pub(crate) dedupe_key: String,
    /// Whether a platform told it by itself, as opposed to what we asked for or know ourselves.
    pub(crate) is_notice: bool,
    /// Over facts and notes, not over raw bytes: platforms sign and stamp each retry anew.
    pub(crate) hash: Vec<u8>,
    /// Id that the first delivery of this key gets.
    pub(crate) id: String,
    pub(crate) facts: Vec<Fact>,
    /// JSON list.
    pub(crate) notes: Option<String>,
}

/// One fact with what it is stored under.
#[derive(Debug)]
pub(crate) struct Fact {
    pub(crate) family: String,
    pub(crate) observation: Observation,
    pub(crate) json: String,
}

impl Prepared {
    /// Seals where the delivery holds personal data, and fails where there is nothing to seal with.
    pub(crate) fn new(incoming: Incoming, vault: Option<&dyn Vault>) -> Result<Prepared, Error> {
        let Incoming { channel, received_at, mut request, verdict, connector, micros, personal } = incoming;
        let kind = VerdictKind::from(&verdict);
        let (size, sha256) = measure(&request);
        // Of a rejected one nothing is kept that could be sealed.
        let sealed = personal && kind != VerdictKind::Rejected;
        if sealed {
            request.body = vault::seal(vault, &mut request)?;
        }
        let (content, reason, explain, answer) = match verdict {
            Verdict::Accepted(acceptance) | Verdict::Ignored(acceptance) => {
                let (content, answer) = Content::new(&channel, &request.method, acceptance);
                (Some(content), None, None, answer)
            }
            Verdict::Rejected(refusal) | Verdict::Failed(refusal) => {
                (None, Some(refusal.reason), Some(refusal.explain), refusal.answer)
            }
        };
        Ok(Prepared {
            channel,
            received_at,
            request,
            sealed,
            size,
            sha256,
            kind,
            reason,
            explain,
            answer,
            connector,
            micros,
            content,
            restored_id: None,
            moves: Moves::default(),
        })
    }

    /// Id of a delivery that was not understood; `ordinal` keeps apart what came twice in one microsecond.
    pub(crate) fn refused_id(&self, ordinal: i64) -> String {
        let hash = HEXLOWER.encode(&self.sha256);
        let at = self.received_at.as_microsecond().to_string();
        id::derive("dlv_", &[self.channel.as_str(), &hash, &at, &ordinal.to_string()])
    }

    /// About how many bytes its row takes while all of it is kept; the database counts alike.
    pub(crate) fn kept_bytes(&self) -> u64 {
        let headers = self.request.headers.iter().map(|(name, value)| name.len() + value.len() + 6);
        let bytes = self.request.body.len() + headers.sum::<usize>() + KEPT_ROW_BYTES;
        bytes.try_into().unwrap_or(u64::MAX)
    }

    /// Bytes it takes while it waits.
    pub(crate) fn weight(&self) -> usize {
        let facts = self.content.iter().flat_map(|content| &content.facts);
        self.request.body.len() + facts.map(|fact| fact.json.len()).sum::<usize>() + 4096
    }
}

impl Content {
    fn new(channel: &str, method: &str, acceptance: Acceptance) -> (Content, Answer) {
        let Acceptance { dedupe_key, observations, notes, answer } = acceptance;
        let facts: Vec<Fact> = observations
            .into_iter()
            .map(|observation| Fact {
                family: observation.family_id(channel),
                json: observation.canonical_json(),
                observation,
            })
            .collect();
        let notes = notes_json(&notes);
        let mut hash = Sha256::new();
        for text in facts.iter().map(|fact| &fact.json).chain(&notes) {
            hash.update(text);
            hash.update([0x1F]);
        }
        let hash = hash.finalize().to_vec();
        let id = id::derive("dlv_", &[channel, &dedupe_key]);
        let is_notice = !OWN_METHODS.contains(&method);
        (Content { dedupe_key, is_notice, hash, id, facts, notes }, answer)
    }

    /// What its facts are known under: the key of the notice. What we asked for ourselves has none, so that a fact that
    /// two pages tell is one fact.
    pub(crate) fn notice_key(&self) -> &str {
        if self.is_notice { &self.dedupe_key } else { "" }
    }

    /// Id of a delivery whose key was used before for other content.
    pub(crate) fn variant_id(&self, channel: &str) -> String {
        let hash = HEXLOWER.encode(&self.hash);
        id::derive("dlv_", &[channel, &self.dedupe_key, &hash])
    }
}

/// Size and hash of the body; of a part of a file those of the file, which is kept elsewhere.
fn measure(request: &Request) -> (u64, Vec<u8>) {
    if request.method == FILE_METHOD {
        let header = |name| request.headers.iter().find(|(one, _)| one == name).map(|(_, value)| value);
        let size = header(FILE_SIZE).and_then(|size| size.parse().ok());
        let hash = header(FILE_SHA256).and_then(|hash| HEXLOWER.decode(hash.as_bytes()).ok());
        if let (Some(size), Some(hash)) = (size, hash) {
            return (size, hash);
        }
    }
    let size = request.body.len().try_into().unwrap_or(u64::MAX);
    (size, Sha256::digest(&request.body).to_vec())
}

fn notes_json(notes: &[Note]) -> Option<String> {
    // Serialising plain structs with text keys cannot fail.
    (!notes.is_empty()).then(|| serde_json::to_string(notes).unwrap_or_default())
}
