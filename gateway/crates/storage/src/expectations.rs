//! Expected payments in memory, so that a connector's question costs no look into the database.

use crate::Expectation;
use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
};

/// Channel → order number → amount in fen.
#[derive(Debug, Default)]
pub(crate) struct Expectations(RwLock<HashMap<String, HashMap<String, i64>>>);

impl Expectations {
    pub(crate) fn new(all: Vec<Expectation>) -> Expectations {
        let expectations = Expectations::default();
        for one in all {
            expectations.set(one);
        }
        expectations
    }

    pub(crate) fn set(&self, one: Expectation) {
        let mut channels = self.0.write().unwrap_or_else(PoisonError::into_inner);
        channels.entry(one.channel).or_default().insert(one.order_no, one.amount_fen);
    }

    pub(crate) fn amount_fen(&self, channel: &str, order_no: &str) -> Option<i64> {
        let channels = self.0.read().unwrap_or_else(PoisonError::into_inner);
        channels.get(channel)?.get(order_no).copied()
    }
}
