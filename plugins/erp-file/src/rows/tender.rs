//! Payments of a ticket, in the five ways in which files write them.

use super::clean;
use super::number::Style;
use super::plan::Binder;
use super::reader::Sign;
use super::values::{Fault, Faults};
use super::view::{Source, View, raw, value, word};
use crate::mapping::{TenderMode, Tenders};
use crate::sheet::{Cell, Nested};
use qudao_sdk::model::file::TicketTender;
use std::collections::HashMap;

/// Ways of paying, in the order in which a ticket tells them.
pub(crate) const KINDS: [&str; 6] = ["cash", "card", "wechat", "alipay", "voucher", "points"];

/// What was paid, by the order of [`KINDS`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Paid([i64; KINDS.len()]);

impl Paid {
    pub(crate) fn add(&mut self, other: Paid) {
        for (sum, more) in self.0.iter_mut().zip(other.0) {
            *sum = sum.saturating_add(more);
        }
    }

    fn put(&mut self, kind: usize, fen: i64) {
        if let Some(sum) = self.0.get_mut(kind) {
            *sum = sum.saturating_add(fen);
        }
    }

    pub(crate) fn total(&self) -> i64 {
        self.0.iter().fold(0, |sum, fen| sum.saturating_add(*fen))
    }

    /// As a ticket tells it: zeros left out.
    pub(crate) fn tenders(&self) -> Vec<TicketTender> {
        let pairs = KINDS.iter().zip(self.0).filter(|(_, fen)| *fen != 0);
        pairs.map(|(kind, amount_fen)| TicketTender { kind: (*kind).to_owned(), amount_fen }).collect()
    }
}

/// Where payments stand in this file.
#[derive(Debug)]
pub(crate) struct TenderPlan {
    place: Place,
    style: Style,
    kinds: HashMap<String, usize>,
    sign: Option<Sign>,
}

#[derive(Debug)]
enum Place {
    Columns(Vec<Column>),
    Text { source: Source, column: String, pairs: Vec<String>, names: String },
    Records { name: usize, amount: usize, column: String },
    Nested { name: String, amount: String },
}

#[derive(Debug)]
struct Column {
    source: Source,
    name: String,
    kind: usize,
    sign: i64,
}

impl TenderPlan {
    pub(crate) fn bind(binder: &mut Binder<'_>) -> Option<TenderPlan> {
        let tenders = binder.mapping.ticket.as_ref()?.tenders.as_ref()?;
        let place = match tenders.mode {
            TenderMode::ColumnsFirstLine | TenderMode::ColumnsRepeated => {
                Place::Columns(columns(binder, tenders))
            }
            TenderMode::TextRepeated => {
                let (source, column) = binder.named(tenders.column.as_deref().unwrap_or_default());
                let separator = |text: &str| clean::folded(text).into_owned();
                let pairs = tenders
                    .pair_separators
                    .iter()
                    .map(|text| separator(text))
                    .filter(|text| !text.is_empty());
                let names = separator(tenders.name_separator.as_deref().unwrap_or(":"));
                Place::Text { source, column: column.unwrap_or_default(), pairs: pairs.collect(), names }
            }
            TenderMode::Records => {
                let index = |index: Option<u32>| index.unwrap_or(u32::MAX).saturating_sub(1) as usize;
                let column = tenders.name_column.clone().unwrap_or_else(|| "tender".to_owned());
                Place::Records {
                    name: index(tenders.name_index),
                    amount: index(tenders.amount_index),
                    column,
                }
            }
            TenderMode::Nested => Place::Nested {
                name: tenders.name.clone().unwrap_or_default(),
                amount: tenders.amount.clone().unwrap_or_default(),
            },
        };
        let pairs = tenders.value_map.iter();
        let kinds =
            pairs.filter_map(|(word, is)| Some((clean::folded(word).into_owned(), kind(is)?))).collect();
        let style = Style::plain(tenders.thousands.as_deref(), tenders.unit, None);
        let sign = tenders.sign_by.as_ref().map(|sign| binder.sign(sign));
        Some(TenderPlan { place, style, kinds, sign })
    }

    /// Payments that stand on a line of the ticket.
    pub(crate) fn of_line(&self, view: &View<'_>, faults: &mut Faults) -> Paid {
        let mut paid = Paid::default();
        let sign = match self.sign.as_ref().map_or(Ok(1), |sign| sign.read(view)) {
            Ok(sign) => sign,
            Err(fault) => {
                faults.push(fault);
                return paid;
            }
        };
        match &self.place {
            Place::Columns(columns) => {
                for column in columns {
                    match self.amount(view.cell(&column.source), &column.name) {
                        Ok(fen) => paid.put(column.kind, fen.unwrap_or(0).saturating_mul(column.sign * sign)),
                        Err(fault) => faults.push(fault),
                    }
                }
            }
            Place::Text { source, column, pairs, names } => {
                let said = word(view.cell(source));
                for pair in split(&said, pairs) {
                    match self.pair(pair, names, column) {
                        Ok((kind, fen)) => paid.put(kind, fen.saturating_mul(sign)),
                        Err(fault) => faults.push(fault),
                    }
                }
            }
            Place::Records { .. } | Place::Nested { .. } => {}
        }
        paid
    }

    /// A payment that is a record of its own.
    pub(crate) fn of_record(&self, cells: &[Cell<'_>]) -> Result<Paid, Fault> {
        let Place::Records { name, amount, column } = &self.place else { return Ok(Paid::default()) };
        let cell = |place: usize| cells.get(place).unwrap_or(&Cell::Empty);
        self.one(cell(*name), column, cell(*amount), "amount")
    }

    /// A payment inside a nested record.
    pub(crate) fn of_nested(&self, nested: &Nested) -> Result<Paid, Fault> {
        let Place::Nested { name, amount } = &self.place else { return Ok(Paid::default()) };
        let cell = |path: &str| value(nested, path).unwrap_or(&Cell::Empty);
        let shown =
            |path: &'_ str| path.rsplit('/').next().unwrap_or(path).trim_start_matches('@').to_owned();
        self.one(cell(name), &shown(name), cell(amount), &shown(amount))
    }

    fn one(
        &self,
        name: &Cell<'_>,
        name_column: &str,
        amount: &Cell<'_>,
        column: &str,
    ) -> Result<Paid, Fault> {
        let kind = self.kinds.get(&*word(name));
        let kind = kind.ok_or_else(|| Fault::of(Some(name_column), "unknown_tender").cell(raw(name)))?;
        let fen = self.amount(amount, column)?;
        let mut paid = Paid::default();
        paid.put(*kind, fen.ok_or_else(|| Fault::of(Some(column), "required_missing"))?);
        Ok(paid)
    }

    fn pair(&self, pair: &str, names: &str, column: &str) -> Result<(usize, i64), Fault> {
        let fault = |kind: &str| Fault::of(Some(column), kind).cell(pair);
        let (name, amount) = pair.split_once(names).ok_or_else(|| fault("not_a_number"))?;
        let kind = self.kinds.get(name.trim()).ok_or_else(|| fault("unknown_tender"))?;
        Ok((*kind, self.style.fen(amount.trim(), true).map_err(fault)?))
    }

    fn amount(&self, cell: &Cell<'_>, column: &str) -> Result<Option<i64>, Fault> {
        let fault = |kind: &str| Fault::of(Some(column), kind).cell(raw(cell));
        let text = word(cell);
        if matches!(cell, Cell::Error(_)) || clean::is_error(&text) {
            return Err(fault("cell_error"));
        }
        if text.is_empty() {
            return Ok(None);
        }
        let exact = !matches!(cell, Cell::Number(_));
        self.style.fen(&text, exact).map(Some).map_err(fault)
    }
}

/// Which way of paying a word of the mapping is.
pub(crate) fn kind(word: &str) -> Option<usize> {
    KINDS.iter().position(|kind| *kind == word)
}

fn columns(binder: &mut Binder<'_>, tenders: &Tenders) -> Vec<Column> {
    let read = |(name, column): (&String, &crate::mapping::TenderColumn)| {
        let (source, shown) = binder.named(name);
        let kind = kind(&column.kind)?;
        Some(Column {
            source,
            name: shown.unwrap_or_default(),
            kind,
            sign: i64::from(column.sign.unwrap_or(1)),
        })
    };
    tenders.columns.iter().filter_map(read).collect()
}

fn split<'t>(text: &'t str, separators: &[String]) -> Vec<&'t str> {
    let mut parts = vec![text];
    for separator in separators {
        parts = parts.into_iter().flat_map(|part| part.split(separator.as_str())).collect();
    }
    parts.into_iter().map(str::trim).filter(|part| !part.is_empty()).collect()
}
