//! A ticket while its lines come in.

use super::members::Members;
use super::tender::Paid;
use super::values::{Exact, Fault, Slot};
use qudao_sdk::model::Timestamp;
use qudao_sdk::model::file::{Ticket, TicketLine, TicketType};
use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

/// What a ticket says once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Head {
    pub(crate) store_code: String,
    pub(crate) ticket_no: String,
    pub(crate) occurred: Option<(i64, Exact)>,
    pub(crate) terminal: Option<String>,
    pub(crate) orig_ticket_no: Option<String>,
    pub(crate) order_no: Option<String>,
    pub(crate) training: bool,
    pub(crate) voided: bool,
}

/// A line of it.
#[derive(Debug, Clone)]
#[allow(clippy::struct_field_names, reason = "named as in the model")]
pub(crate) struct Line {
    line_no: Option<i64>,
    sku: Option<String>,
    barcode: Option<String>,
    quantity: i64,
    unit_price_fen: Option<i64>,
    amount_fen: Option<i64>,
    row: u32,
    /// Hash of the members that make two lines the same, and of what they say.
    key: u64,
    content: u64,
}

/// A ticket and the rows of the file that it is made of.
#[derive(Debug, Default)]
pub(crate) struct Group {
    pub(crate) key: u64,
    pub(crate) head: Head,
    pub(crate) lines: Vec<Line>,
    pub(crate) paid: Paid,
    /// Rows of the file with their text, in file order.
    pub(crate) rows: Vec<(u32, String)>,
    pub(crate) faults: BTreeMap<u32, Vec<Fault>>,
}

/// Slots of the members that tickets are made of.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Places {
    store_code: usize,
    ticket_no: usize,
    occurred_at: usize,
    terminal: usize,
    orig_ticket_no: usize,
    order_no: usize,
    training: usize,
    voided: usize,
    line_no: usize,
    sku: usize,
    barcode: usize,
    quantity: usize,
    unit_price_fen: usize,
    amount_fen: usize,
}

impl Places {
    pub(crate) fn of(members: &Members) -> Places {
        let place = |name: &str| members.place(name).unwrap_or(usize::MAX);
        Places {
            store_code: place("store_code"),
            ticket_no: place("ticket_no"),
            occurred_at: place("occurred_at"),
            terminal: place("terminal"),
            orig_ticket_no: place("orig_ticket_no"),
            order_no: place("order_no"),
            training: place("training"),
            voided: place("voided"),
            line_no: place("line_no"),
            sku: place("sku"),
            barcode: place("barcode"),
            quantity: place("quantity"),
            unit_price_fen: place("unit_price_fen"),
            amount_fen: place("amount_fen"),
        }
    }

    pub(crate) fn head(&self, members: &Members) -> Head {
        let text = |place| members.values.text_at(place).map(str::to_owned);
        let yes = |place| members.values.get(place) == Slot::Flag(true);
        Head {
            store_code: text(self.store_code).unwrap_or_default(),
            ticket_no: text(self.ticket_no).unwrap_or_default(),
            occurred: match members.values.get(self.occurred_at) {
                Slot::Time(unix, exact) => Some((unix, exact)),
                Slot::Missing | Slot::Bad | Slot::Text(_) | Slot::Int(_) | Slot::Day(_) | Slot::Flag(_) => {
                    None
                }
            },
            terminal: text(self.terminal),
            orig_ticket_no: text(self.orig_ticket_no),
            order_no: text(self.order_no),
            training: yes(self.training),
            voided: yes(self.voided),
        }
    }

    /// The line of a row, with the hash of the members that make two lines the same.
    pub(crate) fn line(&self, members: &Members, row: u32, key: u64) -> Line {
        let values = &members.values;
        let text = |place| values.text_at(place).map(str::to_owned);
        let told =
            [self.line_no, self.sku, self.barcode, self.quantity, self.unit_price_fen, self.amount_fen];
        Line {
            line_no: values.int_at(self.line_no),
            sku: text(self.sku),
            barcode: text(self.barcode),
            quantity: values.int_at(self.quantity).unwrap_or(0),
            unit_price_fen: values.int_at(self.unit_price_fen),
            amount_fen: values.int_at(self.amount_fen),
            row,
            key,
            content: values.digest(told.into_iter()),
        }
    }

    /// The amount of the line at hand.
    pub(crate) fn amount(&self) -> usize {
        self.amount_fen
    }
}

impl Group {
    /// The first row of the file that it stands in.
    pub(crate) fn first(&self) -> u32 {
        self.rows.first().map_or(0, |(row, _)| *row)
    }

    /// Takes the faults of a row.
    pub(crate) fn blame(&mut self, row: u32, faults: Vec<Fault>) {
        if !faults.is_empty() {
            self.faults.entry(row).or_default().extend(faults);
        }
    }

    /// Finds lines that stand twice: the same again goes out of the ticket and is returned with the row that it repeats; where they
    /// differ, both are at fault.
    pub(crate) fn settle_repeats(&mut self) -> Vec<(u32, u32)> {
        let mut first: HashMap<u64, (u64, u32)> = HashMap::new();
        let mut repeats = Vec::new();
        let mut conflicts = Vec::new();
        self.lines.retain(|line| match first.get(&line.key) {
            None => {
                first.insert(line.key, (line.content, line.row));
                true
            }
            Some((content, row)) if *content == line.content => {
                repeats.push((line.row, *row));
                false
            }
            Some((_, row)) => {
                conflicts.push((*row, line.row));
                true
            }
        });
        for (one, other) in conflicts {
            for (row, against) in [(one, other), (other, one)] {
                let known = self.faults.entry(row).or_default();
                if !known.iter().any(|fault| fault.kind == "duplicate_conflict") {
                    known.push(Fault::of(None, "duplicate_conflict").with("against", against));
                }
            }
        }
        repeats
    }

    /// Checks that what was sold is what was paid.
    pub(crate) fn check_total(&mut self) {
        let sold = self.lines.iter().filter_map(|line| line.amount_fen).fold(0_i64, i64::saturating_add);
        let paid = self.paid.total();
        if sold != paid {
            let fault = Fault::of(None, "tender_mismatch").with("stated", paid).with("computed", sold);
            self.blame(self.first(), vec![fault]);
        }
    }

    /// Without the lines that are at fault.
    pub(crate) fn drop_bad_lines(&mut self) {
        let faults = &self.faults;
        self.lines.retain(|line| !faults.contains_key(&line.row));
    }

    /// The ticket; nothing where it has no line or no time.
    pub(crate) fn ticket(&self) -> Option<Ticket> {
        let (unix, exact) = self.head.occurred?;
        let (mut out, mut back) = (true, true);
        for line in &self.lines {
            out &= line.quantity > 0;
            back &= line.quantity < 0;
        }
        let lines = self.lines.iter().zip(1..).map(|(line, place)| TicketLine {
            line_no: line.line_no.unwrap_or(place),
            sku: line.sku.clone(),
            barcode: line.barcode.clone(),
            quantity: line.quantity,
            unit_price_fen: line.unit_price_fen,
            amount_fen: line.amount_fen,
            src_row: line.row,
        });
        let head = &self.head;
        (!self.lines.is_empty()).then(|| Ticket {
            src_row: self.first(),
            store_code: head.store_code.clone(),
            ticket_no: head.ticket_no.clone(),
            terminal: head.terminal.clone(),
            r#type: match (out, back) {
                (true, _) => TicketType::Sale,
                (false, true) => TicketType::Return,
                (false, false) => TicketType::Exchange,
            },
            occurred_at: Timestamp::from_second(unix).unwrap_or_default(),
            occurred_precision: exact.into(),
            orig_ticket_no: head.orig_ticket_no.clone(),
            order_no: head.order_no.clone(),
            training: head.training,
            voided: head.voided,
            lines: lines.collect(),
            tenders: self.paid.tenders(),
        })
    }
}

/// A hash of what a ticket says, wherever it stands in the file.
pub(crate) fn content(ticket: &Ticket) -> u64 {
    let mut told = ticket.clone();
    told.src_row = 0;
    told.lines.iter_mut().for_each(|line| line.src_row = 0);
    let mut hasher = DefaultHasher::new();
    serde_json::to_string(&told).unwrap_or_default().hash(&mut hasher);
    hasher.finish()
}
