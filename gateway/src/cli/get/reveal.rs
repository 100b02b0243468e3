//! `qudao get order ID --reveal`: who gets an order, in clear. Only the running gateway may open it, because it writes down
//! who asked and why.

use super::card;
use crate::{
    admin::Admin,
    cli::Format,
    error::{Error, Exit},
    output::Printer,
    store::DataPath,
};
use qudao_config::{Environment, ProcessEnvironment};
use qudao_model::Receiver;
use serde_json::json;

pub(super) async fn run(
    id: &str,
    purpose: &str,
    at: &DataPath,
    format: Format,
    printer: &mut Printer,
) -> Result<Exit, Error> {
    if purpose.trim().is_empty() {
        return Err(Error::usage("--purpose is empty").hint("say why in a few words; it is written down"));
    }
    let admin = Admin::find(&at.folder()?, &at.config)?;
    let body = json!({"purpose": purpose, "actor": user(&ProcessEnvironment)});
    let receiver = admin.post(&format!("/v1/orders/{id}/reveal"), Some(&body)).await?.done()?;
    if format.json {
        printer.json(&receiver)?;
        return Ok(Exit::Done);
    }
    // The API's JSON has no order of its own; the model has.
    let order = serde_json::from_value::<Receiver>(receiver.clone()).ok();
    let order = order.and_then(|receiver| serde_json::to_string(&receiver).ok()).unwrap_or_default();
    card::members(&receiver, &order, printer)?;
    printer.next("\nIt is written down who asked and why.")?;
    Ok(Exit::Done)
}

/// Who sits at the terminal, as far as the environment says.
pub(crate) fn user(environment: &dyn Environment) -> Option<String> {
    environment.var("USER").or_else(|| environment.var("LOGNAME")).filter(|user| !user.is_empty())
}
