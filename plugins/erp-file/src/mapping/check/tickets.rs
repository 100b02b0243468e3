//! Tickets and their payments.

use super::Found;
use crate::mapping::{FileKind, TenderMode, Tenders};
use crate::rows::TENDER_KINDS;

impl Found<'_> {
    pub(super) fn tickets(&mut self) {
        let sales = self.mapping.kind == FileKind::Sales;
        let Some(ticket) = &self.mapping.ticket else {
            if sales {
                let hint = Some("ticket: {key: [store_code, ticket_no], atomic: true}".to_owned());
                self.hint("", "sales need `ticket`: how lines become tickets", hint);
            }
            return;
        };
        if !sales {
            self.say("/ticket", "only sales have tickets");
        }
        if ticket.key.is_empty() {
            self.say("/ticket/key", "needs at least one member");
        }
        for (number, name) in ticket.key.iter().enumerate() {
            self.filled(&format!("/ticket/key/{number}"), name);
        }
        if ticket.check_total && ticket.tenders.is_none() {
            self.say(
                "/ticket/check_total",
                "there is nothing to check against: `tenders` says where payments stand",
            );
        }
        if let Some(tenders) = &ticket.tenders {
            self.tenders(tenders);
        }
    }

    fn tenders(&mut self, tenders: &Tenders) {
        let at = "/ticket/tenders";
        let lacks = match tenders.mode {
            TenderMode::ColumnsFirstLine | TenderMode::ColumnsRepeated => {
                tenders.columns.is_empty().then_some("columns")
            }
            TenderMode::TextRepeated => tenders.column.is_none().then_some("column"),
            TenderMode::Records => tenders
                .name_index
                .and(tenders.amount_index)
                .is_none()
                .then_some("name_index and amount_index"),
            TenderMode::Nested => {
                tenders.name.as_ref().and(tenders.amount.as_ref()).is_none().then_some("name and amount")
            }
        };
        if let Some(lacks) = lacks {
            self.say(at, format!("this mode needs {lacks}"));
        }
        let columns = matches!(tenders.mode, TenderMode::ColumnsFirstLine | TenderMode::ColumnsRepeated);
        if !columns && tenders.value_map.is_empty() {
            self.say(at, "this mode needs a value_map: what the file calls a way of paying, and which it is");
        }
        if tenders.mode == TenderMode::Records
            && self.mapping.records.as_ref().is_none_or(|records| records.tender.is_none())
        {
            self.say(at, "payments are records only where `records.tender` says which");
        }
        if tenders.mode == TenderMode::Nested && self.mapping.container.tender.is_none() {
            self.say(at, "nested payments need `container.tender`: where they stand");
        }
        for (name, column) in &tenders.columns {
            self.tender(&format!("{at}/columns/{}/kind", escaped(name)), &column.kind);
            if column.sign.is_some_and(|sign| sign != 1 && sign != -1) {
                self.say(format!("{at}/columns/{}/sign", escaped(name)), "is 1 or -1");
            }
        }
        for (name, kind) in &tenders.value_map {
            self.tender(&format!("{at}/value_map/{}", escaped(name)), kind);
        }
    }

    fn tender(&mut self, at: &str, kind: &str) {
        if !TENDER_KINDS.contains(&kind) {
            let hint = Some(format!("there are {}", TENDER_KINDS.join(", ")));
            self.hint(at, format!("`{kind}` is no way of paying"), hint);
        }
    }
}

/// A name inside a JSON pointer.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
