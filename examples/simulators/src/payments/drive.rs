//! `POST /_sim/…` of payment platforms: what a buyer, or a merchant's clerk, does by hand.

use super::{Edit, Purchase, Till};
use crate::Error;
use serde_json::{Value, json};

/// `orders` asks a buyer for money, `orders/NO` does something to the payment.
pub(crate) fn drive(what: &str, how: Value, till: &mut Till, now: i64) -> Result<Value, Error> {
    let wrong = |error: serde_json::Error| Error::Refused(error.to_string());
    match what.split_once('/') {
        None if what == "orders" => {
            let purchase: Purchase = serde_json::from_value(how).map_err(wrong)?;
            Ok(json!({"order_no": till.place(purchase, now)?}))
        }
        Some(("orders", no)) => {
            let edit: Edit = serde_json::from_value(how).map_err(wrong)?;
            till.edit(no, &edit, now)?;
            Ok(json!({"order_no": no}))
        }
        _ => Err(Error::Refused(format!("there is no POST /_sim/{what}"))),
    }
}
