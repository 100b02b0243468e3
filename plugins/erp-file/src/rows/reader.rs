//! One member, ready to be read from row after row.
//!
//! Stores and dates repeat from row to row, so what a cell became is kept and taken again while the cell is the same.

use super::barcode::Rules;
use super::clean;
use super::moment::{BAD, Moments};
use super::number::Style;
use super::values::{Fault, Faults, Slot, Values};
use super::view::{Directory, Source, View, raw, word};
use crate::sheet::Cell;
use regex::Regex;
use std::borrow::Cow;
use std::collections::HashMap;

/// Bytes of one member. More is a text that runs on to where a quote is missing, and rows have to fit into one message.
pub(crate) const TEXT_BYTES_MAX: usize = 2_000;

/// A member and how it is read.
#[derive(Debug)]
pub(crate) struct Reader {
    pub(crate) rule: Rule,
    memo: Memo,
    last: Kept,
}

/// What does not change from row to row.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a key of the mapping")]
pub(crate) struct Rule {
    /// Slot that it fills.
    pub(crate) target: usize,
    pub(crate) source: Source,
    /// What rejects call its column.
    pub(crate) column: Option<String>,
    pub(crate) how: How,
    pub(crate) required: bool,
    pub(crate) missing: Vec<String>,
    pub(crate) fill_down: bool,
    pub(crate) regex: Option<Regex>,
    pub(crate) unwrap: bool,
    pub(crate) known: bool,
    pub(crate) sign: Option<Sign>,
    /// The time of the day, if apart, and what rejects call its column.
    pub(crate) time: Option<(Source, Option<String>)>,
}

/// How a member is read.
#[derive(Debug)]
pub(crate) enum How {
    Code { pad: Option<(usize, char)>, pattern: Option<Regex> },
    Barcode(Rules),
    Pieces(Style),
    Integer(Style),
    Money(Style),
    Moment(Moments),
    Day(Moments),
    Enum { map: HashMap<String, String>, unknown: String },
    Text,
    Flag { yes: Vec<String>, no: Vec<String> },
}

/// Another column that gives the sign.
#[derive(Debug)]
pub(crate) struct Sign {
    pub(crate) source: Source,
    pub(crate) column: String,
    pub(crate) plus: Vec<String>,
    pub(crate) minus: Vec<String>,
}

impl Sign {
    /// 1 or -1.
    pub(crate) fn read(&self, view: &View<'_>) -> Result<i64, Fault> {
        let cell = view.cell(&self.source);
        let said = word(cell);
        let is = |words: &[String]| words.iter().any(|word| *word == *said);
        match (is(&self.plus), is(&self.minus)) {
            (true, _) => Ok(1),
            (false, true) => Ok(-1),
            (false, false) => Err(Fault::of(Some(&self.column), "not_in_list").cell(raw(cell))),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Text,
    Number,
    Time,
}

/// A slot that outlives its row.
#[derive(Debug, Default)]
enum Kept {
    #[default]
    Nothing,
    Text(String),
    Slot(Slot),
}

impl Kept {
    fn keep(&mut self, slot: Slot, values: &Values) {
        match (slot, &mut *self) {
            (Slot::Text(span), Kept::Text(text)) => values.text(span).clone_into(text),
            (Slot::Text(span), _) => *self = Kept::Text(values.text(span).to_owned()),
            (slot, _) => *self = Kept::Slot(slot),
        }
    }

    fn slot(&self, values: &mut Values) -> Slot {
        match self {
            Kept::Nothing => Slot::Missing,
            Kept::Text(text) => values.keep(text),
            Kept::Slot(slot) => *slot,
        }
    }
}

#[derive(Debug)]
struct Memo {
    form: Form,
    raw: String,
    kept: Kept,
}

impl Reader {
    pub(crate) fn new(rule: Rule) -> Reader {
        let memo = Memo { form: Form::Text, raw: String::new(), kept: Kept::Nothing };
        Reader { rule, memo, last: Kept::Nothing }
    }

    /// Reads the member into its slot.
    pub(crate) fn read(
        &mut self,
        view: &View<'_>,
        stores: &Directory<'_>,
        values: &mut Values,
        faults: &mut Faults,
    ) {
        let rule = &self.rule;
        let cell = view.cell(&rule.source);
        let (text, form) = match cell {
            Cell::Empty => ("", Form::Text),
            Cell::Text(text) => (&**text, Form::Text),
            Cell::Number(text) => (text.as_str(), Form::Number),
            Cell::Time(text) => (text.as_str(), Form::Time),
            Cell::Error(text) => {
                values.set(rule.target, Slot::Bad);
                return faults.push(Fault::of(rule.column.as_deref(), rule.how.error(text)).cell(text));
            }
        };
        let repeats = rule.repeats();
        if repeats && !text.is_empty() && self.memo.form == form && self.memo.raw == text {
            let slot = self.memo.kept.slot(values);
            return values.set(rule.target, slot);
        }
        let slot = match rule.slot(text, form, (view, stores), values) {
            Ok(Slot::Missing) if rule.fill_down => self.last.slot(values),
            Ok(slot) => {
                if rule.fill_down {
                    self.last.keep(slot, values);
                }
                if repeats && slot != Slot::Missing {
                    text.clone_into(&mut self.memo.raw);
                    self.memo.form = form;
                    self.memo.kept.keep(slot, values);
                }
                slot
            }
            Err(fault) => {
                faults.push(fault);
                Slot::Bad
            }
        };
        if slot == Slot::Missing && rule.required {
            faults.push(Fault::of(rule.column.as_deref(), "required_missing"));
            return values.set(rule.target, Slot::Bad);
        }
        values.set(rule.target, slot);
    }
}

impl How {
    /// Kind of the reject of an error value in a cell.
    fn error(&self, text: &str) -> &'static str {
        let number = matches!(self, How::Pieces(_) | How::Integer(_) | How::Money(_));
        if number && !text.is_empty() && text.bytes().all(|byte| byte == b'*') {
            "numeric_overflow"
        } else {
            "cell_error"
        }
    }
}

impl Rule {
    /// Whether it is worth to keep what a cell became, and right.
    fn repeats(&self) -> bool {
        let costly = match &self.how {
            How::Code { .. } => self.known || self.regex.is_some(),
            How::Moment(_) | How::Day(_) | How::Enum { .. } => true,
            How::Barcode(_)
            | How::Pieces(_)
            | How::Integer(_)
            | How::Money(_)
            | How::Text
            | How::Flag { .. } => false,
        };
        costly && self.time.is_none()
    }

    /// What a cell is.
    fn slot(
        &self,
        cell: &str,
        form: Form,
        (view, stores): (&View<'_>, &Directory<'_>),
        values: &mut Values,
    ) -> Result<Slot, Fault> {
        let fault = |kind: &str| Fault::of(self.column.as_deref(), kind).cell(cell);
        let tidied = if matches!(self.how, How::Text) { clean::tidy(cell) } else { clean::folded(cell) };
        let text = if self.unwrap { clean::unwrapped(&tidied) } else { &*tidied };
        if text.is_empty() || self.missing.iter().any(|missing| missing == text) {
            return Ok(Slot::Missing);
        }
        if clean::is_error(text) {
            return Err(fault("cell_error"));
        }
        let text = match &self.regex {
            Some(pattern) => clean::group(pattern, text).ok_or_else(|| fault(self.how.unmatched()))?,
            None => text,
        };
        if text.len() > TEXT_BYTES_MAX {
            return Err(fault("too_long"));
        }
        let exact = form == Form::Text;
        match &self.how {
            How::Code { pad, pattern } => {
                self.code(text, *pad, pattern.as_ref(), (stores, values)).map_err(fault)
            }
            How::Barcode(rules) => rules.read(text, !exact).map(|digits| values.keep(&digits)).map_err(fault),
            How::Pieces(style) => self.signed(style.pieces(text), view, cell),
            How::Integer(style) => self.signed(style.integer(text), view, cell),
            How::Money(style) => self.signed(style.fen(text, exact), view, cell),
            How::Moment(moments) => self.moment(moments, (text, form), view, cell),
            How::Day(moments) => moments.read(text).map(|day| Slot::Day(day.at.date())).map_err(fault),
            How::Enum { map, unknown } => {
                let is = map.get(text).ok_or_else(|| fault(unknown))?;
                self.store(is, stores).map(|is| values.keep(is)).map_err(fault)
            }
            How::Text => Ok(values.keep(text)),
            How::Flag { yes, no } => flag(text, yes, no).map(Slot::Flag).ok_or_else(|| fault("not_in_list")),
        }
    }

    fn code(
        &self,
        text: &str,
        pad: Option<(usize, char)>,
        pattern: Option<&Regex>,
        (stores, values): (&Directory<'_>, &mut Values),
    ) -> Result<Slot, &'static str> {
        let code = padded(without_zero_fraction(text), pad);
        if pattern.is_some_and(|pattern| !pattern.is_match(&code)) {
            return Err("pattern_mismatch");
        }
        Ok(values.keep(self.store(&code, stores)?))
    }

    /// Our code where the member is a store.
    fn store<'c>(&self, code: &'c str, stores: &'c Directory<'_>) -> Result<&'c str, &'static str> {
        if self.known { stores.resolve(code).ok_or("unknown_store") } else { Ok(code) }
    }

    fn signed(&self, number: Result<i64, &'static str>, view: &View<'_>, cell: &str) -> Result<Slot, Fault> {
        let sign = self.sign.as_ref().map_or(Ok(1), |sign| sign.read(view))?;
        let number = number.map_err(|kind| Fault::of(self.column.as_deref(), kind).cell(cell))?;
        Ok(Slot::Int(number.saturating_mul(sign)))
    }

    fn moment(
        &self,
        moments: &Moments,
        (text, form): (&str, Form),
        view: &View<'_>,
        cell: &str,
    ) -> Result<Slot, Fault> {
        let fault = |kind: &str| Fault::of(self.column.as_deref(), kind).cell(cell);
        let read = if form == Form::Time { moments.read_native(text) } else { moments.read(text) };
        let mut moment = read.map_err(fault)?;
        if let Some((source, column)) = &self.time {
            let clock = view.cell(source);
            let said = word(clock);
            if !said.is_empty() {
                let apart = |kind: &str| Fault::of(column.as_deref(), kind).cell(raw(clock));
                moment = moments.with_time(moment, &said).map_err(apart)?;
            }
        }
        let unix = moments.unix(moment).ok_or_else(|| fault(BAD))?;
        Ok(Slot::Time(unix, moment.precision.into()))
    }
}

impl How {
    /// Kind of the reject of a cell in which the pattern finds nothing.
    fn unmatched(&self) -> &'static str {
        if matches!(self, How::Moment(_) | How::Day(_)) { BAD } else { "pattern_mismatch" }
    }
}

/// `12.0`, which a spreadsheet made of `12`.
pub(crate) fn without_zero_fraction(text: &str) -> &str {
    match text.split_once('.') {
        Some((whole, zeros))
            if !whole.is_empty()
                && !zeros.is_empty()
                && whole.bytes().all(|byte| byte.is_ascii_digit())
                && zeros.bytes().all(|byte| byte == b'0') =>
        {
            whole
        }
        _ => text,
    }
}

fn padded(text: &str, pad: Option<(usize, char)>) -> Cow<'_, str> {
    let Some((width, filler)) = pad else { return Cow::Borrowed(text) };
    let lacking = width.saturating_sub(text.chars().count());
    if lacking == 0 {
        return Cow::Borrowed(text);
    }
    Cow::Owned(std::iter::repeat_n(filler, lacking).chain(text.chars()).collect())
}

fn flag(text: &str, yes: &[String], no: &[String]) -> Option<bool> {
    let is = |words: &[String], usual: &[&str]| {
        words.iter().any(|word| word == text) || usual.iter().any(|word| word.eq_ignore_ascii_case(text))
    };
    match (is(yes, &[]), is(no, &[])) {
        (true, _) => Some(true),
        (false, true) => Some(false),
        (false, false) if is(&[], &["1", "y", "yes", "true", "t", "是", "√"]) => Some(true),
        (false, false) => is(&[], &["0", "n", "no", "false", "f", "否", "×"]).then_some(false),
    }
}
