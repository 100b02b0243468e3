//! Who gets an order, in clear: only with a purpose, and only after it is written down who asked. And the end of it: a
//! forgotten order keeps its mask and can never be shown again.

use crate::{
    App,
    extract::{Json, Path, Query},
    listed::{ById, Limit, Listed},
    problem::{Code, Problem},
};
use axum::extract::State;
use qudao_model::Receiver;
use qudao_storage::AuditEntry;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who is written down: everybody has the one token, and may say who is behind it.
pub(crate) const ACTOR: &str = "admin-token";
/// Longer texts are no purpose.
const TEXT_MAX: usize = 500;

/// What somebody says of it, 500 characters at most.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct Told(String);

impl TryFrom<String> for Told {
    type Error = String;

    fn try_from(text: String) -> Result<Told, String> {
        match text.chars().count() {
            0..=TEXT_MAX => Ok(Told(text.trim().to_owned())),
            count => Err(format!("it has {count} characters; {TEXT_MAX} are the most")),
        }
    }
}

/// Why somebody does it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reason {
    /// Why, in a few words; it is kept in the audit.
    #[schemars(with = "Option<String>", required, length(min = 1, max = 500), regex(pattern = r"\S"))]
    purpose: Option<Told>,
    /// Who, as far as the caller knows; it is kept beside the token's name.
    #[schemars(with = "Option<String>", length(max = 500))]
    actor: Option<Told>,
}

/// Why somebody looks, where it is not always asked for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Looking {
    /// Why, in a few words; it is kept in the audit. Wanted where there may be personal data.
    #[schemars(with = "Option<String>", length(max = 500))]
    purpose: Option<Told>,
    /// Who, as far as the caller knows; it is kept beside the token's name.
    #[schemars(with = "Option<String>", length(max = 500))]
    actor: Option<Told>,
}

impl From<Looking> for Reason {
    fn from(looking: Looking) -> Reason {
        Reason { purpose: looking.purpose, actor: looking.actor }
    }
}

/// An order that was forgotten.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Forgotten {
    /// The order.
    id: String,
    /// Always true: what was sealed of it cannot be read any more, whether or not there was anything.
    forgotten: bool,
}

/// Which page of the audit.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Audits {
    /// Most rows of one page, 1 to 1000; absent: 100.
    #[serde(default)]
    #[schemars(with = "u32", range(min = 1, max = 1000))]
    limit: Limit,
    /// `next` of the page before.
    #[schemars(extend("format" = "cursor"))]
    cursor: Option<String>,
}

pub(crate) async fn reveal(
    State(app): State<App>,
    Path(ById { id }): Path<ById>,
    Json(reason): Json<Reason>,
) -> Result<axum::Json<Receiver>, Problem> {
    let (purpose, actor) = reason.checked()?;
    let receiver = app.gateway.reveal(&id, &purpose, &actor).await?;
    Ok(axum::Json(receiver))
}

pub(crate) async fn forget(
    State(app): State<App>,
    Path(ById { id }): Path<ById>,
    Json(reason): Json<Reason>,
) -> Result<axum::Json<Forgotten>, Problem> {
    let (purpose, actor) = reason.checked()?;
    app.gateway.forget(&id, &purpose, &actor).await?;
    Ok(axum::Json(Forgotten { id, forgotten: true }))
}

pub(crate) async fn audit(
    State(app): State<App>,
    Query(query): Query<Audits>,
) -> Result<axum::Json<Listed<AuditEntry>>, Problem> {
    let page = app.gateway.storage().audits(query.limit.0, query.cursor.as_deref()).await?;
    Ok(axum::Json(page.into()))
}

impl Reason {
    /// Whether nobody said why.
    pub(crate) fn is_silent(&self) -> bool {
        self.purpose.as_ref().is_none_or(|Told(purpose)| purpose.is_empty())
    }

    /// Purpose and actor as they are written down.
    pub(crate) fn checked(self) -> Result<(String, String), Problem> {
        let said = |told: Option<Told>| told.map(|Told(text)| text).filter(|text| !text.is_empty());
        let purpose = said(self.purpose).ok_or_else(|| {
            let hint =
                "say why in a few words, such as `parcel returned, address to be confirmed`; it is kept";
            Problem::new(Code::BadBody, "`purpose` is missing or empty", hint)
        })?;
        let actor = said(self.actor).map_or_else(|| ACTOR.to_owned(), |who| format!("{ACTOR} ({who})"));
        Ok((purpose, actor))
    }
}
