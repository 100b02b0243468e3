//! `POST /_sim/…` of marketplaces: what a person without a platform account does by hand.

use super::{Basket, Edit, Edited, Stock};
use crate::Error;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// A shop that can be driven.
pub(crate) trait Drive {
    fn place(&self, basket: Basket) -> Result<String, Error>;
    fn edit(&self, no: &str, edit: &Edit) -> Result<Edited, Error>;
    fn stock(&self, stock: Stock) -> Result<Vec<String>, Error>;
}

/// `orders` places one, `orders/NO` does something to it, `stock` places many.
pub(crate) fn drive(what: &str, how: Value, shop: &dyn Drive) -> Result<Value, Error> {
    match what.split_once('/') {
        None if what == "orders" => Ok(json!({"order_no": shop.place(read(how)?)?})),
        None if what == "stock" => Ok(json!({"order_nos": shop.stock(read(how)?)?})),
        Some(("orders", no)) => Ok(json!(shop.edit(no, &read(how)?)?)),
        _ => Err(Error::Refused(format!("there is no POST /_sim/{what}"))),
    }
}

fn read<T: DeserializeOwned>(how: Value) -> Result<T, Error> {
    serde_json::from_value(how).map_err(|error| Error::Refused(error.to_string()))
}
