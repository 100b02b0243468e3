//! Container, rows, matrix, duplicates, clock: what has to fit together.

use super::{Found, is_number};
use crate::mapping::words::nearest;
use crate::mapping::{FileKind, Format, Policy, Rule, offset_seconds};
use jiff::civil::Date;

/// Encodings that files are read in, as mappings name them.
const ENCODINGS: [&str; 7] = ["utf-8", "gbk", "gb18030", "gb2312", "utf-16le", "utf-16be", "declared"];

/// Whether a label means one of them; other names of the same encodings are fine.
fn is_read(label: &str) -> bool {
    let found = encoding_rs::Encoding::for_label(label.as_bytes());
    let read = [
        encoding_rs::UTF_8,
        encoding_rs::GBK,
        encoding_rs::GB18030,
        encoding_rs::UTF_16LE,
        encoding_rs::UTF_16BE,
    ];
    label == "declared" || found.is_some_and(|found| read.contains(&found))
}

impl Found<'_> {
    pub(super) fn container(&mut self) {
        let container = &self.mapping.container;
        let text = matches!(container.format, Format::Delimited | Format::Fixed | Format::Jsonl);
        if text && container.encoding.is_none() {
            let hint = Some("most legacy systems write gbk; newer ones utf-8".to_owned());
            self.hint(
                "/container",
                "a text needs an encoding: utf-8, gbk, gb18030, utf-16le, utf-16be",
                hint,
            );
        }
        if let Some(label) = container.encoding.as_deref().filter(|label| !is_read(label)) {
            let near = nearest(&label.to_lowercase(), ENCODINGS.into_iter());
            let hint = near.map_or_else(
                || "have the file saved as utf-8 or gbk".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            let all = ENCODINGS.join(", ");
            let text = format!("`{label}` is no encoding that files are read in; there are {all}");
            self.hint("/container/encoding", text, Some(hint));
        }
        let one = |text: &Option<String>| {
            text.as_deref().is_none_or(|text| text.is_empty() || text.chars().count() == 1)
        };
        if container.format == Format::Delimited {
            if container.delimiter.as_deref().is_none_or(str::is_empty) {
                self.say("/container", "a delimited file needs a delimiter: \",\", \"\\t\", \"|\" or \";\"");
            } else if !one(&container.delimiter) {
                self.say("/container/delimiter", "must be one character");
            }
            if !one(&container.quote) {
                self.say("/container/quote", "must be one character, or null where quotes are data");
            }
        }
        if container.format == Format::Xml && container.record.is_none() {
            self.say("/container", "XML needs `record`: the element that is a record");
        }
        if container.format == Format::Fixed {
            self.fixed();
        }
    }

    fn fixed(&mut self) {
        let columns = &self.mapping.container.columns;
        if columns.is_empty() {
            self.say("/container", "fixed width needs `columns`: name, start and width in bytes");
        }
        for (number, column) in columns.iter().enumerate() {
            let at = format!("/container/columns/{number}");
            if column.start == 0 || column.width == 0 {
                self.say(&at, "start is counted from 1, and width is at least 1");
            }
            if columns.iter().take(number).any(|other| other.name == column.name) {
                self.say(format!("{at}/name"), format!("`{}` is there twice", column.name));
            }
        }
    }

    pub(super) fn rows(&mut self) {
        let rows = &self.mapping.rows;
        let first = rows.first_data();
        if rows.header_rows.iter().any(|row| *row == 0 || *row >= first) {
            self.say("/rows/header_rows", "are counted from 1 and stand above the first row of data");
        }
        for (number, rule) in rows.skip.iter().enumerate() {
            self.rule(&format!("/rows/skip/{number}"), rule);
        }
        if let Some(rule) = &rows.stop_at {
            self.rule("/rows/stop_at", rule);
        }
        if let Some(total) = &rows.control_total {
            self.filled("/rows/control_total/of", &total.of);
            let line = rows.stop_at.as_ref().and_then(|rule| rule.line_regex.as_deref());
            if rows.stop_at.is_none() {
                self.say(
                    "/rows/control_total",
                    "the total stands in the row that ends the table: `stop_at` must say which",
                );
            } else if let (None, Some(pattern)) = (&total.column, line) {
                self.pattern("/rows/stop_at/line_regex", pattern, Some("total"));
            } else if total.column.is_none() {
                self.say("/rows/control_total", "needs the column in which the total stands");
            }
        }
        if let Some(trailer) = &rows.trailer {
            self.pattern("/rows/trailer/line_regex", &trailer.line_regex, Some("count"));
        }
    }

    fn rule(&mut self, at: &str, rule: &Rule) {
        let column = rule.column.is_some() || rule.column_index.is_some();
        match (&rule.line_regex, &rule.regex) {
            (Some(pattern), None) if !column => self.pattern(&format!("{at}/line_regex"), pattern, None),
            (None, Some(pattern)) if column => self.pattern(&format!("{at}/regex"), pattern, None),
            _ => self.say(at, "is either line_regex, or column (or column_index) with regex"),
        }
        if rule.column_index == Some(0) {
            self.say(format!("{at}/column_index"), "is counted from 1");
        }
    }

    pub(super) fn unpivot(&mut self) {
        let Some(unpivot) = &self.mapping.unpivot else { return };
        if unpivot.columns.is_empty() == unpivot.column_range.is_none() {
            self.say("/unpivot", "needs either columns or column_range");
        }
        if unpivot.column_range.is_some_and(|[first, last]| first == 0 || first > last) {
            self.say("/unpivot/column_range", "are the first and the last column, from 1");
        }
        match (&unpivot.to, unpivot.levels.is_empty()) {
            (None, true) => {
                let hint = Some("to: size, or levels".to_owned());
                self.hint("/unpivot", "says nowhere what the names of the columns are", hint);
            }
            (Some(_), false) => self.say("/unpivot", "has either `to` or levels"),
            (Some(to), true) => self.known("/unpivot/to", to),
            (None, false) => {}
        }
        for (number, level) in unpivot.levels.iter().enumerate() {
            self.known(&format!("/unpivot/levels/{number}/to"), &level.to);
            if let Some(pattern) = &level.regex {
                self.pattern(&format!("/unpivot/levels/{number}/regex"), pattern, Some("v"));
            }
        }
        if unpivot.by_group.is_some() && unpivot.to.is_none() {
            self.say("/unpivot/by_group", "needs `to`: what the names of the columns are");
        }
        self.known("/unpivot/value", &unpivot.value);
        if !is_number(unpivot.value_type) {
            self.say("/unpivot/value_type", "is quantity, integer or money");
        }
        if unpivot
            .row_total
            .as_ref()
            .is_some_and(|total| total.column.is_some() == total.column_index.is_some())
        {
            self.say("/unpivot/row_total", "needs either column or column_index");
        }
        if self.mapping.ticket.is_some() {
            self.say("/unpivot", "tickets have lines, not matrices");
        }
        if self.is_nested() {
            self.say("/unpivot", "records of this format have no columns");
        }
    }

    pub(super) fn duplicates(&mut self) {
        let Some(rule) = &self.mapping.duplicates else { return };
        if rule.key.is_empty() {
            self.say("/duplicates/key", "needs at least one member");
        }
        for (number, name) in rule.key.iter().enumerate() {
            self.filled(&format!("/duplicates/key/{number}"), name);
        }
        for (number, name) in rule.sum.iter().enumerate() {
            let at = format!("/duplicates/sum/{number}");
            self.filled(&at, name);
            let field = self.mapping.fields.iter().find(|field| field.to == *name);
            if field.is_some_and(|field| !is_number(field.of)) {
                self.say(at, format!("`{name}` is no number"));
            }
        }
        if let Some(by) = &rule.by {
            self.filled("/duplicates/by", by);
        }
        match rule.policy {
            Policy::Sum if rule.sum.is_empty() => {
                let hint = Some("sum: [quantity]".to_owned());
                self.hint("/duplicates", "the policy sum needs `sum`: what is added up", hint);
            }
            Policy::Latest if rule.by.is_none() => {
                let hint = Some("by: occurred_at".to_owned());
                self.hint("/duplicates", "the policy latest needs `by`: what says which is newer", hint);
            }
            Policy::Error | Policy::Sum | Policy::Latest => {}
        }
        if self.mapping.kind == FileKind::Sales && rule.policy != Policy::Error {
            self.say("/duplicates/policy", "lines of tickets are neither added up nor replaced: error");
        }
    }

    pub(super) fn clock(&mut self) {
        let mapping = self.mapping;
        if mapping.timezone.as_deref().is_some_and(|text| offset_seconds(text).is_none()) {
            self.say("/timezone", "is an offset such as +08:00");
        }
        if let Some([first, last]) = &mapping.date_range {
            let days = first.parse::<Date>().ok().zip(last.parse::<Date>().ok());
            if days.is_none_or(|(first, last)| first > last) {
                self.say("/date_range", "are two days such as 2000-01-01, the first one first");
            }
        }
        let Some(guard) = &mapping.guard else { return };
        if guard.max_drop_pct.is_some_and(|pct| pct > 100) {
            self.say("/guard/max_drop_pct", "is at most 100");
        }
        let words = [
            ("scope", &guard.scope, &["store"][..]),
            ("absent_store", &guard.absent_store, &["leave_unchanged"]),
            ("absent_sku", &guard.absent_sku, &["unknown", "zero"]),
        ];
        for (name, said, known) in words {
            if said.as_deref().is_some_and(|said| !known.contains(&said)) {
                self.say(format!("/guard/{name}"), format!("is {}", known.join(" or ")));
            }
        }
    }
}
