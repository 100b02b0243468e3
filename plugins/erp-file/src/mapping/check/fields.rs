//! Fields: where they stand and how they are read.

use super::{Found, is_number};
use crate::mapping::words::types;
use crate::mapping::{Field, FieldType, From, Place};
use crate::rows::wrong_form;

impl Found<'_> {
    pub(super) fn fields(&mut self) {
        for (number, field) in self.mapping.fields.iter().enumerate() {
            let at = format!("/fields/{number}");
            self.known(&format!("{at}/to"), &field.to);
            let fields = self.mapping.fields.iter();
            if fields.take(number).any(|other| other.to == field.to) {
                self.say(format!("{at}/to"), format!("`{}` is filled twice", field.to));
            }
            if let Some(types) =
                types(self.mapping.kind, &field.to).filter(|types| !types.contains(&field.of))
            {
                let words: Vec<String> = types.iter().map(|of| word(*of)).collect();
                self.say(format!("{at}/type"), format!("`{}` is read as {}", field.to, words.join(" or ")));
            }
            self.from(&format!("{at}/from"), &field.from);
            self.field(&at, field);
            if matches!(field.of, FieldType::Datetime | FieldType::Date) {
                self.dates(&at, field);
            }
        }
    }

    fn field(&mut self, at: &str, field: &Field) {
        if let Some(pattern) = &field.regex {
            self.pattern(&format!("{at}/regex"), pattern, Some("v"));
        }
        if let Some(pattern) = &field.pattern {
            self.pattern(&format!("{at}/pattern"), pattern, None);
        }
        if field.pad_left.as_ref().is_some_and(|pad| pad.with.chars().count() != 1) {
            self.say(format!("{at}/pad_left/char"), "must be one character");
        }
        if field.of == FieldType::Enum && field.value_map.is_empty() {
            self.say(at, "an enum needs a value_map: what the file writes, and what it is");
        }
        if field.lengths.iter().any(|length| ![8, 12, 13, 14].contains(length)) {
            self.say(format!("{at}/lengths"), "barcodes have 8, 12, 13 or 14 digits");
        }
        if field.range.is_some_and(|[least, most]| least > most) {
            self.say(format!("{at}/range"), "the smallest comes first");
        }
        if let Some(sign) = &field.sign_by {
            if !is_number(field.of) {
                self.say(format!("{at}/sign_by"), "only numbers have a sign");
            }
            if sign.plus.iter().any(|word| sign.minus.contains(word)) {
                self.say(format!("{at}/sign_by"), "a word stands for plus and for minus");
            }
        }
    }

    fn dates(&mut self, at: &str, field: &Field) {
        for (number, form) in field.formats.iter().flatten().enumerate() {
            if let Some(wrong) = wrong_form(form, field.ampm_zh) {
                self.say(format!("{at}/formats/{number}"), wrong);
            }
        }
        for (number, form) in field.time_formats.iter().enumerate() {
            if let Some(wrong) = wrong_form(form, field.ampm_zh) {
                self.say(format!("{at}/time_formats/{number}"), wrong);
            }
        }
        let formats = field.formats.as_ref().is_some_and(|formats| !formats.is_empty());
        if !formats && field.excel_serial.is_none() && (self.is_text() || self.is_nested()) {
            let hint = Some("for example formats: [\"%Y-%m-%d\"]".to_owned());
            self.hint(at, "dates in text need formats", hint);
        }
        if field.excel_serial.is_some_and(|base| base != 1900 && base != 1904) {
            self.say(format!("{at}/excel_serial"), "spreadsheets count from 1900 or 1904");
        }
        if field.excel_serial_range.is_some_and(|[least, most]| least > most || least < 0) {
            self.say(
                format!("{at}/excel_serial_range"),
                "the smallest comes first, and neither is below zero",
            );
        }
        if let Some(from) = &field.time_from {
            self.from(&format!("{at}/time_from"), from);
            if field.time_formats.is_empty() {
                let hint = Some("for example time_formats: [\"%H%M%S\"]".to_owned());
                self.hint(format!("{at}/time_from"), "a time of its own needs time_formats", hint);
            }
        }
    }

    fn from(&mut self, at: &str, from: &From) {
        let place = match from {
            From::Name(name) if name.trim().is_empty() => return self.say(at, "is empty"),
            From::Name(_) => return,
            From::Place(place) => place,
        };
        let record = place.record.is_some() || place.index.is_some();
        if given(place) + usize::from(record) != 1 {
            let all = "column_index, cell, line_regex, sheet_name, file_name, root_attr, const, or record with index";
            return self.say(at, format!("must have exactly one of {all}"));
        }
        if place.column_index == Some(0)
            || place.index == Some(0)
            || place.cell.is_some_and(|cell| cell.contains(&0))
        {
            self.say(at, "rows and columns are counted from 1");
        }
        if let Some([row, _]) = place.cell.filter(|[row, _]| *row >= self.mapping.rows.first_data()) {
            let first = self.mapping.rows.first_data();
            self.say(
                format!("{at}/cell"),
                format!("row {row} is not above the data, which begins in row {first}"),
            );
        }
        if let Some(pattern) = &place.line_regex {
            self.pattern(&format!("{at}/line_regex"), pattern, Some("v"));
        }
        if let Some(pattern) = &place.file_name {
            self.pattern(&format!("{at}/file_name"), pattern, Some("v"));
        }
        if record {
            self.record(at, place);
        }
    }

    fn record(&mut self, at: &str, place: &Place) {
        let (Some(record), Some(_)) = (&place.record, place.index) else {
            return self.say(at, "record and index belong together");
        };
        let Some(records) = &self.mapping.records else {
            return self.say(at, "there are types of record only where `records` says which");
        };
        let known = [records.file_head.as_ref(), Some(&records.head), Some(&records.line)];
        if !known.contains(&Some(record)) {
            let known: Vec<&str> = known.into_iter().flatten().map(String::as_str).collect();
            self.say(format!("{at}/record"), format!("`{record}` is none of {}", known.join(", ")));
        }
    }
}

/// How many places are given, records not counted.
fn given(place: &Place) -> usize {
    let given = [
        place.column_index.is_some(),
        place.cell.is_some(),
        place.line_regex.is_some(),
        place.sheet_name.is_some(),
        place.file_name.is_some(),
        place.root_attr.is_some(),
        place.constant.is_some(),
    ];
    given.into_iter().filter(|given| *given).count()
}

fn word(of: FieldType) -> String {
    serde_json::to_value(of).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}
