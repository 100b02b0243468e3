//! What a connector asks its platform for, and what it can have it do.

use super::type_of;
use crate::{
    error::Error,
    output::{Printer, Table, style::BOLD},
};
use qudao_model::manifest::{FetchSpec, Manifest};
use serde_json::Value;

pub(super) fn show(printer: &mut Printer, manifest: &Manifest) -> Result<(), Error> {
    polls(printer, manifest)?;
    fetches(printer, manifest)?;
    commands(printer, manifest)
}

fn polls(printer: &mut Printer, manifest: &Manifest) -> Result<(), Error> {
    let mut table = Table::new(["  STREAM", "EVERY", "WHAT"]);
    for poll in &manifest.polls {
        table.row([format!("  {}", poll.name), span(poll.every_s), poll.description.clone()]);
    }
    section(printer, "polls (streams it reads)", &table)
}

fn fetches(printer: &mut Printer, manifest: &Manifest) -> Result<(), Error> {
    let mut table = Table::new(["  KIND", "ASKED AGAIN AFTER", "GIVEN UP AFTER"]);
    for FetchSpec { kind, schedule_s, give_up_s } in &manifest.fetches {
        let schedule = schedule_s.iter().map(|seconds| span(*seconds)).collect::<Vec<_>>().join(", ");
        table.row([format!("  {kind}"), schedule, span(*give_up_s)]);
    }
    section(printer, "fetches (single things it asks for)", &table)
}

fn commands(printer: &mut Printer, manifest: &Manifest) -> Result<(), Error> {
    let mut table = Table::new(["  KIND", "SETTLED BY", "PAYLOAD"]);
    for command in &manifest.commands {
        table.row([
            format!("  {}", command.kind),
            command.settled_by.clone(),
            payload(&command.payload_schema),
        ]);
    }
    section(printer, "commands (what it can have the platform do)", &table)
}

fn section(printer: &mut Printer, title: &str, table: &Table) -> Result<(), Error> {
    // Most connectors have none, and a list of what is not there helps nobody.
    if table.is_empty() {
        return Ok(());
    }
    printer.line(format_args!("\n{BOLD}{title}{BOLD:#}"))?;
    printer.table(table)
}

/// Members of a payload: `order_no: string, amount_fen: integer, reason?: string`.
fn payload(schema: &Value) -> String {
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let members = schema["properties"].as_object().into_iter().flatten().map(|(name, property)| {
        let open = if required.contains(&name.as_str()) { "" } else { "?" };
        let kind = Some(type_of(property)).filter(|kind| !kind.is_empty());
        format!("{name}{open}: {}", kind.as_deref().unwrap_or("any"))
    });
    members.collect::<Vec<_>>().join(", ")
}

/// `45s`, `5m`, `2h`, `30d`, in the largest unit that is exact.
fn span(seconds: u32) -> String {
    const UNITS: [(&str, u32); 3] = [("d", 86_400), ("h", 3_600), ("m", 60)];
    match UNITS.iter().find(|(_, size)| seconds >= *size && seconds.is_multiple_of(*size)) {
        Some((unit, size)) => format!("{}{unit}", seconds / size),
        None => format!("{seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn spans_and_payloads_are_short() {
        assert_eq!([0, 45, 60, 90, 7_200, 86_400].map(span), ["0s", "45s", "1m", "90s", "2h", "1d"]);
        let schema = json!({"required": ["order_no"], "properties": {
            "order_no": {"type": "string"}, "reason": {"type": ["string", "null"]}, "more": {},
        }});
        assert_eq!(payload(&schema), "more?: any, order_no: string, reason?: string");
    }
}
