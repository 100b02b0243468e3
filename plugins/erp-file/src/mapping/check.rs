//! What is wrong with a mapping beyond its schema: all of it at once, each with its place and how to mend it.

use super::words::{members, nearest, types};
use super::{FieldType, FileKind, Format, Mapping};
use crate::rows::template_names;

mod fields;
mod shapes;
mod tickets;

/// Something wrong with a mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// JSON pointer into the mapping: `/fields/3/regex`.
    pub at: String,
    /// What is wrong and what would be right.
    pub text: String,
    /// How to mend it.
    pub hint: Option<String>,
}

impl Mapping {
    /// All that is wrong with it. A mapping without any fields is one that is still to be written: then nothing is asked of it
    /// that only fields could give, and every file that it reads is refused.
    pub fn problems(&self) -> Vec<Problem> {
        let mut found = Found { mapping: self, problems: Vec::new() };
        found.container();
        found.rows();
        found.clock();
        if !self.fields.is_empty() {
            found.fields();
            found.unpivot();
            found.compose();
            found.tickets();
            found.duplicates();
            found.needed();
        }
        found.problems
    }

    /// Names of the members that a row has, from wherever they come.
    pub(crate) fn member_names(&self) -> Vec<&str> {
        let fields = self.fields.iter().map(|field| field.to.as_str());
        let unpivot = self.unpivot.iter().flat_map(|unpivot| {
            let levels = unpivot.levels.iter().map(|level| level.to.as_str());
            levels.chain(unpivot.to.as_deref()).chain([unpivot.value.as_str()])
        });
        fields.chain(unpivot).chain(self.compose.keys().map(String::as_str)).collect()
    }
}

/// Problems as they are found.
struct Found<'m> {
    mapping: &'m Mapping,
    problems: Vec<Problem>,
}

impl Found<'_> {
    fn say(&mut self, at: impl Into<String>, text: impl Into<String>) {
        self.problems.push(Problem { at: at.into(), text: text.into(), hint: None });
    }

    fn hint(&mut self, at: impl Into<String>, text: impl Into<String>, hint: Option<String>) {
        self.problems.push(Problem { at: at.into(), text: text.into(), hint });
    }

    /// A pattern must compile, and have the group that counts.
    fn pattern(&mut self, at: &str, pattern: &str, group: Option<&str>) {
        match regex::Regex::new(pattern) {
            Err(error) => {
                let line = error.to_string();
                let told = line.lines().last().unwrap_or("").trim().trim_start_matches("error: ").to_owned();
                self.say(at, format!("`{pattern}` is not a pattern: {told}"));
            }
            Ok(compiled) => {
                let lacks =
                    group.filter(|group| !compiled.capture_names().flatten().any(|name| name == *group));
                if let Some(group) = lacks {
                    let hint = format!("put the part that counts into (?P<{group}>…)");
                    self.hint(at, format!("`{pattern}` has no group `{group}`"), Some(hint));
                }
            }
        }
    }

    /// A member that the mapping fills.
    fn filled(&mut self, at: &str, name: &str) {
        let names = self.mapping.member_names();
        if !names.contains(&name) {
            let hint = nearest(name, names.into_iter()).map(|name| format!("did you mean `{name}`?"));
            self.hint(at, format!("nothing fills `{name}`"), hint);
        }
    }

    /// A member that rows of this kind can have.
    fn known(&mut self, at: &str, name: &str) {
        let kind = self.mapping.kind;
        if types(kind, name).is_none() {
            let near = nearest(name, members(kind)).map(|near| format!("did you mean `{near}`?"));
            let all = || format!("there are {}", members(kind).collect::<Vec<_>>().join(", "));
            let text = format!("`{name}` is no member of {}", kind.as_str());
            self.hint(at, text, Some(near.unwrap_or_else(all)));
        }
    }

    fn compose(&mut self) {
        for (to, template) in &self.mapping.compose {
            let at = format!("/compose/{}", to.replace('~', "~0").replace('/', "~1"));
            self.known(&at, to);
            let names = template_names(template);
            if names.is_empty() {
                let hint = Some("write for example {style}-{color}-{size}".to_owned());
                self.hint(&at, format!("`{template}` names no member"), hint);
            }
            for name in names {
                if name == to {
                    self.say(&at, format!("`{name}` is made of itself"));
                } else {
                    self.filled(&at, name);
                }
            }
        }
    }

    /// What a row of this kind cannot do without.
    fn needed(&mut self) {
        let names = self.mapping.member_names();
        let lacks = |name: &&&str| !names.contains(*name);
        let one_of = |wanted: &[&str]| wanted.iter().any(|name| names.contains(name));
        let (all, items): (&[&str], &[&str]) = match self.mapping.kind {
            FileKind::StockSnapshot | FileKind::StockDelta => {
                (&["store_code", "quantity"], &["sku", "barcode"])
            }
            FileKind::Sales => (&["store_code", "ticket_no", "occurred_at", "quantity"], &["sku", "barcode"]),
            FileKind::Prices => (&[], &["sku", "barcode", "style"]),
        };
        let lacking: Vec<&str> = all.iter().filter(lacks).copied().collect();
        let item = one_of(items);
        let price = one_of(&["unit_price_fen", "list_price_fen", "member_price_fen"]);
        let paid =
            self.mapping.ticket.as_ref().is_some_and(|ticket| ticket.check_total) && !one_of(&["amount_fen"]);
        let kind = self.mapping.kind.as_str();
        for name in lacking {
            self.say("/fields", format!("{kind} needs a field `{name}`"));
        }
        if !item {
            self.say("/fields", format!("{kind} needs one of {}", items.join(", ")));
        }
        if self.mapping.kind == FileKind::Prices && !price {
            self.say("/fields", "prices needs one of unit_price_fen, list_price_fen, member_price_fen");
        }
        if paid {
            self.say(
                "/ticket/check_total",
                "what is paid can be checked only where a field `amount_fen` says what was sold",
            );
        }
    }

    /// Whether records come with names and paths instead of cells.
    fn is_nested(&self) -> bool {
        matches!(self.mapping.container.format, Format::Xml | Format::Jsonl)
    }

    /// Whether cells are text and nothing else.
    fn is_text(&self) -> bool {
        matches!(self.mapping.container.format, Format::Delimited | Format::Fixed | Format::HtmlTable)
    }
}

/// Whether a type is a number.
fn is_number(of: FieldType) -> bool {
    matches!(of, FieldType::Quantity | FieldType::Integer | FieldType::Money)
}

#[cfg(test)]
mod tests;
