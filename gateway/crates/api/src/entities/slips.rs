//! Slips.

use super::{Asked, Findable, Shown, word};
use crate::{
    listed::Limit,
    problem::{Code, Problem},
};
use qudao_model::{
    Entity, EntityKind, Timestamp,
    slip::{Slip, SlipKind},
};
use qudao_storage::EntityFilter;
use schemars::JsonSchema;
use serde::Deserialize;

/// Which slips; what is absent does not filter.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Slips {
    /// Name of the channel.
    channel: Option<String>,
    /// Code of the store.
    store: Option<String>,
    /// The till's number.
    slip_no: Option<String>,
    /// Number of the order that it hands over.
    order_no: Option<String>,
    /// Which way goods went.
    kind: Option<SlipKind>,
    /// Changed at the till at or after this time, RFC 3339.
    since: Option<Timestamp>,
    /// Most rows of one page, 1 to 1000; absent: 100.
    #[serde(default)]
    #[schemars(with = "u32", range(min = 1, max = 1000))]
    limit: Limit,
    /// `next` of the page before.
    #[schemars(extend("format" = "cursor"))]
    cursor: Option<String>,
}

impl Asked for Slips {
    type Item = Slip;

    fn filter(self) -> EntityFilter {
        EntityFilter {
            channel: self.channel,
            store: self.store,
            transaction_no: self.slip_no,
            order_no: self.order_no,
            state: self.kind.and_then(word),
            since: self.since,
            limit: self.limit.0,
            cursor: self.cursor,
            ..EntityFilter::new(EntityKind::Slip)
        }
    }
}

impl Shown for Slip {
    fn of(entity: Entity) -> Option<Slip> {
        if let Entity::Slip(slip) = entity { Some(*slip) } else { None }
    }
}

impl Findable for Slip {
    const KIND: EntityKind = EntityKind::Slip;

    fn unknown(id: &str) -> Problem {
        let hint = "ids begin with `slp_`; find one by `/v1/slips?store=&slip_no=`";
        Problem::new(Code::UnknownSlip, format!("there is no slip `{id}`"), hint)
    }
}
