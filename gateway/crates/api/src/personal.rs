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
const ACTOR: &str = "admin-token";
/// Longer texts are no purpose.
const TEXT_MAX: usize = 500;

/// Why somebody does it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reason {
    /// Why, in a few words; it is kept in the audit.
    #[schemars(length(min = 1, max = 500))]
    #[serde(default)]
    purpose: String,
    /// Who, as far as the caller knows; it is kept beside the token's name.
    #[serde(default)]
    #[schemars(length(max = 500))]
    actor: Option<String>,
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
        self.purpose.trim().is_empty()
    }

    /// Purpose and actor as they are written down.
    pub(crate) fn checked(self) -> Result<(String, String), Problem> {
        let purpose = self.purpose.trim();
        let who = self.actor.as_deref().map(str::trim).filter(|who| !who.is_empty());
        let bad = |detail: &str| {
            let hint =
                "say why in a few words, such as `parcel returned, address to be confirmed`; it is kept";
            Err(Problem::new(Code::BadBody, detail, hint))
        };
        if purpose.is_empty() {
            return bad("`purpose` is missing or empty");
        }
        if [Some(purpose), who].into_iter().flatten().any(|text| text.chars().count() > TEXT_MAX) {
            return bad("`purpose` and `actor` have 500 characters at most");
        }
        let actor = who.map_or_else(|| ACTOR.to_owned(), |who| format!("{ACTOR} ({who})"));
        Ok((purpose.to_owned(), actor))
    }
}
