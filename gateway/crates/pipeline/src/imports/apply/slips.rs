//! Tickets as facts about slips: new ones are committed, known ones compared, changed ones are for a person.

use super::{Applying, CHANGED, Given, TICKETS_A_PART, ahead, changed_after_import, file_part};
use crate::{
    Error,
    imports::{
        sieve::ONE_PILE,
        spool::{Fault, Piles, damaged},
        terms::Noted,
    },
    intake::acceptance,
};
use jiff::tz::Offset;
use qudao_model::{
    EntityKind, Observation, Slip, SlipFacts, Timestamp, Verdict,
    file::{RowReject, Ticket, TicketLine, TicketTender},
    slip::{SlipLine, SlipTender},
};
use qudao_storage::{Incoming, Moves};
use serde_json::{Map, Value};
use std::{collections::BTreeMap, sync::Arc};

/// Currency of a till that says nothing of it.
const CURRENCY: &str = "CNY";
/// The word for a ticket that the model cannot take.
const MALFORMED: &str = "malformed_ticket";

impl Applying<'_, '_> {
    /// Applies tickets.
    pub(crate) async fn tickets(&mut self) -> Result<(), Error> {
        let piles = Arc::clone(&self.piles);
        let mut loaded = ahead(move |chunk| chunks(&piles, chunk));
        let mut number = 0;
        while let Some(tickets) = loaded.recv().await {
            self.chunk(number, &tickets?).await?;
            number += 1;
        }
        Ok(())
    }

    async fn chunk(&mut self, number: usize, tickets: &[Ticket]) -> Result<(), Error> {
        let Sorted { new, same, rejects } = self.sorted(tickets).await?;
        self.totals.same += same;
        self.totals.slips += new.len() as u64;
        self.put_rejects(rejects).await?;
        if new.is_empty() {
            return Ok(());
        }
        let row = &self.run.row;
        let mut part =
            file_part(row, self.micros, number, &format!("slips:{}:{number}", self.run.summary.run));
        part.noted = Noted::slips(&self.run.reader.terms).body();
        let incoming = Incoming {
            channel: row.channel.clone(),
            received_at: row.received_at,
            request: part.request(),
            verdict: Verdict::Accepted(acceptance(&part.dedupe_key, new, Vec::new())),
            connector: row.connector.clone(),
            micros: self.micros,
            personal: false,
        };
        self.run.storage().commit_with(incoming, Moves::default()).await?;
        Ok(())
    }

    /// Tells new tickets from known ones.
    async fn sorted(&self, tickets: &[Ticket]) -> Result<Sorted, Error> {
        let run = self.run;
        let offset = offset_of(run.reader);
        let mut sorted = Sorted::default();
        let mut facts: Vec<(&Ticket, SlipFacts)> = Vec::new();
        for ticket in tickets {
            match facts_of(ticket, offset) {
                Ok(one) => facts.push((ticket, one)),
                Err(why) => sorted.rejects.push(malformed(ticket, why)),
            }
        }
        let ids: Vec<String> = facts.iter().map(|(_, facts)| id(&run.row.channel, facts)).collect();
        let known = run.storage().slips_known(&ids).await?;
        let mut here: BTreeMap<String, (Timestamp, SlipFacts)> = BTreeMap::new();
        for ((ticket, facts), id) in facts.into_iter().zip(ids) {
            let at = ticket.occurred_at;
            let before = match (known.get(&id), here.get(&id)) {
                (_, Some((then, one))) => Some(*then == at && *one == facts),
                (Some(slip), None) if undone(slip, at, &facts) => None,
                (Some(slip), None) => Some(same(slip, at, &facts)),
                (None, None) => None,
            };
            match before {
                Some(true) => sorted.same += 1,
                Some(false) => {
                    let mut detail = Map::from_iter([("slip".to_owned(), Value::from(id))]);
                    detail.insert("ticket_no".to_owned(), Value::from(ticket.ticket_no.clone()));
                    sorted.rejects.push(changed_after_import(ticket.src_row, &ticket.store_code, detail));
                }
                None => {
                    here.insert(id, (at, facts.clone()));
                    sorted.new.push(Observation::slip(at, facts));
                }
            }
        }
        debug_assert!(
            sorted.rejects.iter().all(|reject| [CHANGED, MALFORMED].contains(&reject.kind.as_str()))
        );
        Ok(sorted)
    }
}

/// Tickets of a part, told apart.
#[derive(Default)]
struct Sorted {
    new: Vec<Observation>,
    same: u64,
    rejects: Vec<RowReject>,
}

/// Tickets in the order of the file, as many as fit into a part.
pub(crate) fn chunks(piles: &Piles, chunk: Given<'_, Vec<Ticket>>) -> Result<(), Fault> {
    let mut waiting = Vec::new();
    piles.each(ONE_PILE, |bytes| {
        waiting.push(serde_json::from_slice(bytes).map_err(|_| damaged())?);
        if waiting.len() >= TICKETS_A_PART { chunk(std::mem::take(&mut waiting)) } else { Ok(()) }
    })?;
    if waiting.is_empty() { Ok(()) } else { chunk(waiting) }
}

fn id(channel: &str, facts: &SlipFacts) -> String {
    let key = facts.key();
    EntityKind::Slip.id(channel, &key)
}

fn malformed(ticket: &Ticket, why: String) -> RowReject {
    RowReject {
        row: ticket.src_row,
        column: None,
        kind: MALFORMED.to_owned(),
        detail: Map::from_iter([("why".to_owned(), Value::from(why))]),
        cell: None,
        line: None,
        store_code: Some(ticket.store_code.clone()),
    }
}

/// What a ticket says in the model's words, or why it cannot.
pub(crate) fn facts_of(ticket: &Ticket, offset: Offset) -> Result<SlipFacts, String> {
    let line = |line: &TicketLine| {
        let sku = line.sku.clone().or_else(|| line.barcode.clone());
        Some(SlipLine {
            line_no: line.line_no,
            sku: sku?,
            qty: line.quantity,
            unit_price_fen: line.unit_price_fen,
            amount_fen: line.amount_fen,
        })
    };
    let lines: Option<Vec<SlipLine>> = ticket.lines.iter().map(line).collect();
    let tender = |tender: &TicketTender| {
        let method = tender.method().ok_or_else(|| format!("`{}` is no way of paying", tender.kind))?;
        Ok(SlipTender { method, amount_fen: tender.amount_fen })
    };
    let tenders: Result<Vec<SlipTender>, String> = ticket.tenders.iter().map(tender).collect();
    let facts = SlipFacts {
        store_code: ticket.store_code.clone(),
        terminal: ticket.terminal.clone(),
        slip_no: ticket.ticket_no.clone(),
        business_date: offset.to_datetime(ticket.occurred_at).date().to_string(),
        kind: ticket.r#type,
        currency: CURRENCY.to_owned(),
        lines: lines.ok_or("a line has neither SKU nor barcode")?,
        tenders: tenders?,
        orig_slip_no: ticket.orig_ticket_no.clone(),
        order_no: ticket.order_no.clone(),
        training: ticket.training,
        voided: ticket.voided,
    };
    match Observation::slip(ticket.occurred_at, facts.clone()).problems().first() {
        None => Ok(facts),
        Some(problem) => Err(problem.to_string()),
    }
}

/// Whether these facts tell that a slip was undone, and nothing else that is new. It is the one thing that comes later.
pub(crate) fn undone(slip: &Slip, at: Timestamp, facts: &SlipFacts) -> bool {
    facts.voided && !slip.voided && same(slip, at, &SlipFacts { voided: false, ..facts.clone() })
}

/// Whether a slip says what these facts say.
fn same(slip: &Slip, at: Timestamp, facts: &SlipFacts) -> bool {
    slip.occurred_at == at
        && slip.kind == facts.kind
        && slip.currency == facts.currency
        && slip.lines == facts.lines
        && slip.tenders == facts.tenders
        && slip.orig_slip_no == facts.orig_slip_no
        && slip.order_no == facts.order_no
        && (slip.training, slip.voided) == (facts.training, facts.voided)
}

/// Where the stores' days begin: as the mapping says, else in China.
pub(crate) fn offset_of(reader: &crate::imports::Reader) -> Offset {
    let written = crate::imports::settings::of_document(&reader.files, &reader.document, "timezone");
    written.and_then(Value::as_str).and_then(offset).unwrap_or(Offset::constant(8))
}

/// Reads `+08:00`.
fn offset(text: &str) -> Option<Offset> {
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    Offset::from_seconds(sign * (hours.checked_mul(3600)? + minutes.checked_mul(60)?)).ok()
}
