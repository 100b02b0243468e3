//! One entity for a person: a line a member, in the order of the model; money in yuan and times in Beijing.

use super::word;
use crate::{
    error::Error,
    output::{Printer, Table, people, style::DIM},
};
use qudao_model::{Entity, Order};
use serde_json::Value;

/// Members that have a table of their own.
const TABLES: [&str; 1] = ["lines"];

pub(super) fn show(entity: &Entity, printer: &mut Printer) -> Result<(), Error> {
    let value = serde_json::to_value(entity).map_err(|error| Error::Printing(error.into()))?;
    let order = entity.canonical_json();
    members(&value, &order, printer)?;
    if let Entity::Order(order) = entity {
        lines(order, printer)?;
    }
    Ok(())
}

/// Members of an object, in the order in which `order`, the same as text, has them.
pub(super) fn members(value: &Value, order: &str, printer: &mut Printer) -> Result<(), Error> {
    for (name, value) in sorted(value, order).into_iter().filter(|(name, _)| !TABLES.contains(&name.as_str()))
    {
        let label = name.strip_suffix("_fen").unwrap_or(name);
        let text = people::text(&text_of(name, value, order));
        if !text.is_empty() {
            printer.line(format_args!("{DIM}{label:18}{DIM:#}  {text}"))?;
        }
    }
    Ok(())
}

/// JSON values have no order of their own; the text they were read from has.
fn sorted<'a>(value: &'a Value, order: &str) -> Vec<(&'a String, &'a Value)> {
    let mut members: Vec<(&String, &Value)> = value.as_object().into_iter().flatten().collect();
    members.sort_by_key(|(name, _)| order.find(&format!("\"{name}\":")));
    members
}

fn text_of(name: &str, value: &Value, order: &str) -> String {
    match value {
        Value::Null => String::new(),
        Value::Number(fen) if name.ends_with("_fen") => people::yuan(fen.as_i64().unwrap_or_default()),
        Value::String(text) if name.ends_with("_at") => {
            text.parse().map_or_else(|_| text.clone(), people::time)
        }
        Value::String(text) => text.clone(),
        Value::Array(all) if name == "anomalies" => below(all.iter().map(anomaly)),
        Value::Array(all) if all.iter().any(Value::is_object) => {
            below(all.iter().map(|one| text_of("", one, order)))
        }
        Value::Array(words) => words.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
        Value::Object(_) => {
            let member = |(name, value): (&String, &Value)| {
                let text = text_of(name, value, order);
                let label = name.strip_suffix("_fen").unwrap_or(name);
                (!text.is_empty()).then(|| format!("{label} {text}"))
            };
            sorted(value, order).into_iter().filter_map(member).collect::<Vec<_>>().join(", ")
        }
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

/// One under another, beside the label.
fn below(texts: impl Iterator<Item = String>) -> String {
    texts.collect::<Vec<_>>().join(&format!("\n{:20}", ""))
}

fn anomaly(anomaly: &Value) -> String {
    let text = |name: &str| anomaly.get(name).and_then(Value::as_str).unwrap_or_default();
    format!("{}: {}", text("code"), text("detail"))
}

/// What was sold.
fn lines(order: &Order, printer: &mut Printer) -> Result<(), Error> {
    if order.lines.is_empty() {
        return Ok(());
    }
    let mut table =
        Table::new([">LINE", "SKU", "CHANNEL SKU", ">QTY", ">UNIT", ">GROSS", ">NET", "STATE", "TITLE"]);
    for line in &order.lines {
        table.row([
            line.line_no.to_string(),
            line.sku.clone().unwrap_or_else(|| "not listed".to_owned()),
            line.channel_sku.clone(),
            line.qty.to_string(),
            people::yuan(line.unit_price_fen),
            people::yuan(line.gross_fen),
            people::yuan(line.net_fen),
            line.state.as_ref().map(word).unwrap_or_default(),
            line.title.clone(),
        ]);
    }
    printer.line("")?;
    printer.table(&table)
}
