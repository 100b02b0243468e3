//! A mapping put together with the header of one file: what is read from where.

use super::barcode::Rules;
use super::clean;
use super::header::{Header, Titles};
use super::matrix::Matrix;
use super::moment::Moments;
use super::number::Style;
use super::reader::{How, Reader, Rule, Sign};
use super::tender::TenderPlan;
use super::view::{Directory, Source};
use crate::mapping::{CheckDigit, Field, FieldType, FileKind, Format, From, Mapping, SignBy};
use crate::sheet::Cell;
use regex::Regex;
use std::borrow::Cow;

/// What a file says about itself before its rows are read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Front {
    pub(crate) name: String,
    pub(crate) columns: Option<Vec<String>>,
    pub(crate) sheet_name: Option<String>,
    pub(crate) root: Vec<(String, String)>,
    pub(crate) date1904: Option<bool>,
    pub(crate) titles: Titles,
}

/// What is read from where.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Names of the slots.
    pub(crate) names: Vec<String>,
    /// Members of a row, or of a ticket's head.
    pub(crate) readers: Vec<Reader>,
    /// Members of a ticket's line, where it is apart from the head.
    pub(crate) line_readers: Vec<Reader>,
    pub(crate) compose: Vec<Composed>,
    pub(crate) matrix: Option<Matrix>,
    pub(crate) tenders: Option<TenderPlan>,
    /// SKU and barcode, and where a row without either is told to be at fault.
    pub(crate) item: Option<Item>,
    pub(crate) header: Header,
    /// Columns of the file that the mapping does not name.
    pub(crate) unmapped: Vec<String>,
}

/// A member made of others.
#[derive(Debug)]
pub(crate) struct Composed {
    pub(crate) target: usize,
    pub(crate) pieces: Vec<Piece>,
}

#[derive(Debug)]
pub(crate) enum Piece {
    Literal(String),
    Member(usize),
}

/// Slots of which a row needs one.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) sku: Option<usize>,
    pub(crate) barcode: Option<usize>,
}

/// Puts a plan together, and collects the columns that the file lacks.
pub(crate) struct Binder<'m> {
    pub(crate) mapping: &'m Mapping,
    pub(crate) front: &'m Front,
    pub(crate) stores: &'m Directory<'m>,
    pub(crate) header: Header,
    pub(crate) names: Vec<String>,
    pub(crate) lacking: Vec<String>,
    used: Vec<usize>,
    nested: bool,
}

impl<'m> Binder<'m> {
    pub(crate) fn new(mapping: &'m Mapping, front: &'m Front, stores: &'m Directory<'m>) -> Binder<'m> {
        let header = match &front.columns {
            Some(names) => Header::of_names(names.clone()),
            None => Header::of_rows(&front.titles, &mapping.rows.header_rows),
        };
        let nested = matches!(mapping.container.format, Format::Xml | Format::Jsonl);
        Binder {
            mapping,
            front,
            stores,
            header,
            names: Vec::new(),
            lacking: Vec::new(),
            used: Vec::new(),
            nested,
        }
    }

    /// The plan; the columns that the file lacks, where it does.
    pub(crate) fn bind(mut self) -> Result<Plan, Vec<String>> {
        let mapping = self.mapping;
        let mut readers = Vec::new();
        let mut line_readers = Vec::new();
        for field in &mapping.fields {
            let reader = self.reader(field);
            let of_line = Self::is_of_line(&reader.rule.source, &field.from);
            if of_line { line_readers.push(reader) } else { readers.push(reader) }
        }
        let matrix = Matrix::bind(&mut self);
        let compose: Vec<Composed> =
            mapping.compose.iter().map(|(to, template)| self.composed(to, template)).collect();
        let tenders = TenderPlan::bind(&mut self);
        for rule in mapping.rows.skip.iter().chain(&mapping.rows.stop_at) {
            if let Some(column) = &rule.column {
                self.column(column);
            }
        }
        if let Some(column) = mapping.rows.control_total.as_ref().and_then(|total| total.column.as_deref()) {
            self.column(column);
        }
        if !self.lacking.is_empty() {
            return Err(self.lacking);
        }
        let item = self.item();
        let unmapped = self.unmapped();
        let Binder { names, header, .. } = self;
        Ok(Plan { names, readers, line_readers, compose, matrix, tenders, item, header, unmapped })
    }

    /// The slot of a member.
    pub(crate) fn target(&mut self, name: &str) -> usize {
        let known = self.names.iter().position(|known| known == name);
        known.unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        })
    }

    /// The place of a column by its name; it is noted where the file lacks it.
    pub(crate) fn column(&mut self, name: &str) -> usize {
        let place = self.header.find(name);
        self.used.extend(place);
        if place.is_none() {
            let name = clean::header(name).into_owned();
            if !self.lacking.contains(&name) {
                self.lacking.push(name);
            }
        }
        place.unwrap_or(usize::MAX)
    }

    /// Marks a column as read.
    pub(crate) fn uses(&mut self, column: usize) {
        self.used.push(column);
    }

    /// The source of a column, or of a path where records are nested.
    pub(crate) fn named(&mut self, name: &str) -> (Source, Option<String>) {
        if !self.nested {
            let place = self.column(name);
            return (Source::Column(place), Some(clean::header(name).into_owned()));
        }
        let shown = name.rsplit('/').next().unwrap_or(name).trim_start_matches('@').to_owned();
        let source = match name.strip_prefix("line/") {
            Some(path) => Source::LinePath(path.to_owned()),
            None => Source::Path(name.to_owned()),
        };
        (source, Some(shown))
    }

    fn source(&mut self, from: &From, to: &str) -> (Source, Option<String>) {
        let place = match from {
            From::Name(name) => return self.named(name),
            From::Place(place) => place,
        };
        let given = |text: Option<&str>| {
            let cell = text.map_or(Cell::Empty, |text| Cell::Text(Cow::Owned(text.to_owned())));
            (Source::Given(cell), None)
        };
        if let (Some(record), Some(index)) = (&place.record, place.index) {
            let index = index.saturating_sub(1) as usize;
            let records = self.mapping.records.as_ref();
            let is = |of: Option<&String>| of == Some(record);
            let source = if is(records.and_then(|records| records.file_head.as_ref())) {
                Source::FileHead(index)
            } else if is(records.map(|records| &records.head)) {
                Source::Head(index)
            } else {
                Source::Column(index)
            };
            return (source, Some(to.to_owned()));
        }
        if let Some(index) = place.column_index {
            let column = index.saturating_sub(1) as usize;
            self.uses(column);
            return (Source::Column(column), Some(self.header.name(column)));
        }
        if let Some([row, column]) = place.cell {
            let cells = self.front.titles.get(&row);
            let column = column.saturating_sub(1) as usize;
            let cell = cells.and_then(|cells| cells.get(column)).cloned().unwrap_or(Cell::Empty);
            return (Source::Given(cell), Some(format!("{}{row}", super::header::letter(column))));
        }
        if let Some(pattern) = &place.line_regex {
            let sticky = stickies(self.mapping).position(|known| known == pattern);
            return (Source::Sticky(sticky.unwrap_or(usize::MAX)), None);
        }
        if let Some(name) = &place.root_attr {
            let root = self.front.root.iter().find(|(known, _)| known == name.trim_start_matches('@'));
            return (given(root.map(|(_, value)| value.as_str())).0, Some(name.clone()));
        }
        if let Some(pattern) = &place.file_name {
            let pattern = Regex::new(pattern).ok();
            let text = pattern.as_ref().and_then(|pattern| clean::group(pattern, &self.front.name));
            return given(text);
        }
        if place.sheet_name == Some(true) {
            return given(self.front.sheet_name.as_deref());
        }
        given(place.constant.as_deref())
    }

    fn reader(&mut self, field: &Field) -> Reader {
        let target = self.target(&field.to);
        let (source, column) = self.source(&field.from, &field.to);
        let time = field.time_from.as_ref().map(|from| {
            let shown = format!("{}_time", field.to);
            self.source(from, &shown)
        });
        let sign = field.sign_by.as_ref().map(|sign| self.sign(sign));
        let wrapped = matches!(field.of, FieldType::Code | FieldType::Barcode);
        Reader::new(Rule {
            target,
            source,
            column,
            how: self.how(field),
            required: field.required || self.implied(&field.to),
            missing: field.missing.iter().map(|text| clean::folded(text).into_owned()).collect(),
            fill_down: field.fill_down,
            regex: field.regex.as_deref().and_then(|text| Regex::new(text).ok()),
            unwrap: field.unwrap_excel.unwrap_or(wrapped),
            known: field.known.is_some(),
            sign,
            time,
        })
    }

    /// Another column that gives the sign.
    pub(crate) fn sign(&mut self, sign: &SignBy) -> Sign {
        let folded = |words: &[String]| words.iter().map(|word| clean::folded(word).into_owned()).collect();
        let (source, column) = self.named(&sign.column);
        Sign {
            source,
            column: column.unwrap_or_default(),
            plus: folded(&sign.plus),
            minus: folded(&sign.minus),
        }
    }

    fn how(&self, field: &Field) -> How {
        let folded = |words: &[String]| words.iter().map(|word| clean::folded(word).into_owned()).collect();
        match field.of {
            FieldType::Code => {
                let with = |pad: &crate::mapping::PadLeft| {
                    Some((pad.width.min(200) as usize, pad.with.chars().next()?))
                };
                let pattern =
                    field.pattern.as_deref().and_then(|text| Regex::new(&format!("^(?:{text})$")).ok());
                How::Code { pad: field.pad_left.as_ref().and_then(with), pattern }
            }
            FieldType::Barcode => {
                How::Barcode(Rules::new(&field.lengths, field.checksum != Some(CheckDigit::None)))
            }
            FieldType::Quantity => How::Pieces(Style::of(field)),
            FieldType::Integer => How::Integer(Style::of(field)),
            FieldType::Money => How::Money(Style::of(field)),
            FieldType::Datetime => How::Moment(Moments::of(field, self.mapping, self.front.date1904)),
            FieldType::Date => How::Day(Moments::of(field, self.mapping, self.front.date1904)),
            FieldType::Enum => {
                let pairs = field.value_map.iter();
                let map = pairs.map(|(word, is)| (clean::folded(word).into_owned(), is.clone())).collect();
                How::Enum {
                    map,
                    unknown: field.on_unknown.clone().unwrap_or_else(|| "not_in_list".to_owned()),
                }
            }
            FieldType::Text => How::Text,
            FieldType::Flag => How::Flag { yes: folded(&field.yes), no: folded(&field.no) },
        }
    }

    /// Members without which a row of this kind is nothing.
    fn implied(&self, to: &str) -> bool {
        let needed: &[&str] = match self.mapping.kind {
            FileKind::StockSnapshot | FileKind::StockDelta => &["store_code", "quantity"],
            FileKind::Sales => &["store_code", "ticket_no", "occurred_at", "quantity"],
            FileKind::Prices => &[],
        };
        let checked = self.mapping.ticket.as_ref().is_some_and(|ticket| ticket.check_total);
        needed.contains(&to) || checked && to == "amount_fen"
    }

    /// Whether a member is read from each line of a ticket rather than once from its head.
    fn is_of_line(source: &Source, from: &From) -> bool {
        match source {
            Source::LinePath(_) => true,
            Source::Column(_) => matches!(from, From::Place(place) if place.record.is_some()),
            Source::Head(_)
            | Source::FileHead(_)
            | Source::Sticky(_)
            | Source::Path(_)
            | Source::Given(_) => false,
        }
    }

    fn composed(&mut self, to: &str, template: &str) -> Composed {
        let pieces = pieces(template).into_iter().map(|part| match part {
            Part::Name(name) => Piece::Member(self.target(name)),
            Part::Text(text) => Piece::Literal(text.to_owned()),
        });
        let pieces = pieces.collect();
        Composed { target: self.target(to), pieces }
    }

    fn item(&self) -> Option<Item> {
        let place = |name: &str| self.names.iter().position(|known| known == name);
        let (sku, barcode) = (place("sku"), place("barcode"));
        let wanted = self.mapping.kind != FileKind::Prices && (sku.is_some() || barcode.is_some());
        wanted.then_some(Item { sku, barcode })
    }

    fn unmapped(&self) -> Vec<String> {
        const SHOWN: usize = 100;
        let names = self.header.names().filter(|(place, _)| !self.used.contains(place));
        names.map(|(_, name)| name.to_owned()).take(SHOWN).collect()
    }
}

/// Patterns whose last match in a line is a member of the rows behind it.
pub(crate) fn stickies(mapping: &Mapping) -> impl Iterator<Item = &String> {
    mapping.fields.iter().filter_map(|field| match &field.from {
        From::Place(place) => place.line_regex.as_ref(),
        From::Name(_) => None,
    })
}

/// A part of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part<'t> {
    Name(&'t str),
    Text(&'t str),
}

/// `{style}-{color}` in its parts.
pub(crate) fn pieces(template: &str) -> Vec<Part<'_>> {
    let mut pieces = Vec::new();
    let mut rest = template;
    while let Some((before, behind)) = rest.split_once('{') {
        let Some((name, after)) = behind.split_once('}') else { break };
        if !before.is_empty() {
            pieces.push(Part::Text(before));
        }
        pieces.push(Part::Name(name.trim()));
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(Part::Text(rest));
    }
    pieces
}

/// Names of the members in a template.
pub(crate) fn template_names(template: &str) -> Vec<&str> {
    let names = pieces(template).into_iter().filter_map(|part| match part {
        Part::Name(name) => Some(name),
        Part::Text(_) => None,
    });
    names.collect()
}
