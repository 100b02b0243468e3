//! "This payment should exist": it is asked for until the platform says what became of it, and a notice with another
//! amount is refused.

use crate::{
    App,
    extract::Json,
    problem::{Code, Problem},
};
use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A payment that should exist.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExpectedPayment {
    /// Name of the channel it comes on.
    channel: String,
    /// Merchant's number.
    #[schemars(length(min = 1))]
    order_no: String,
    /// What the order costs; a notice with another amount is refused as `amount_mismatch`.
    #[schemars(range(min = 1))]
    amount_fen: i64,
}

/// Saying the same twice changes nothing; saying another amount replaces the first.
pub(crate) async fn payment(
    State(app): State<App>,
    Json(expected): Json<ExpectedPayment>,
) -> Result<axum::Json<ExpectedPayment>, Problem> {
    let ExpectedPayment { channel, order_no, amount_fen } = &expected;
    if order_no.is_empty() || *amount_fen < 1 {
        let detail = "`order_no` must not be empty, and `amount_fen` must be 1 or more";
        return Err(Problem::new(
            Code::BadBody,
            detail,
            "`amount_fen` is an integer in fen: 12.30 yuan is 1230",
        ));
    }
    app.gateway.expect_payment(channel, order_no, *amount_fen).await?;
    Ok(axum::Json(expected))
}
