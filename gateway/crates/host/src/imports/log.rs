//! `log`: lines for the operator. They are cut and counted; lines beyond the limit are dropped, and since dropping is
//! work too, each counts as a host call. The line of a panic is always kept, because it explains the trap to come.

use crate::{bindings::imported::log, sandbox::State, stats::LogLine};
use std::time::Instant;

/// What the SDK's panic hook puts before message and place.
const PANIC: &str = "panic: ";

impl log::Host for State {
    fn emit(&mut self, level: String, text: String, fields: Vec<(String, String)>) -> wasmtime::Result<()> {
        let limits = &self.limits;
        let line = line(&level, &text, fields, limits.log_line_bytes);
        if line.level == "error" && line.text.starts_with(PANIC) {
            self.panic = Some(line.text.trim_start_matches(PANIC).to_owned());
        }
        if self.log.len() < limits.log_lines {
            if let Some(held) = self.granted.lines.lets(Instant::now()) {
                trace(&self.granted.channel, &line, held);
            }
            self.log.push(line);
            return Ok(());
        }
        self.log_dropped = self.log_dropped.saturating_add(1);
        self.host_call()
    }
}

fn line(level: &str, text: &str, fields: Vec<(String, String)>, bytes: usize) -> LogLine {
    let level = match level {
        "error" => "error",
        "warn" => "warn",
        "debug" => "debug",
        _ => "info",
    };
    let mut left = bytes;
    let text = cut(text, &mut left);
    let mut kept = Vec::new();
    for (name, value) in fields {
        if left == 0 {
            break;
        }
        kept.push((cut(&name, &mut left), cut(&value, &mut left)));
    }
    LogLine { level, text, fields: kept }
}

/// At most as many bytes as are left, whole characters, control characters as spaces: a line stays one line.
pub(crate) fn cut(text: &str, left: &mut usize) -> String {
    let end = text.floor_char_boundary(*left);
    *left -= end;
    let kept = text.chars().scan(0, |at, char| {
        *at += char.len_utf8();
        (*at <= end).then(|| if char.is_control() { ' ' } else { char })
    });
    kept.collect()
}

fn trace(channel: &str, line: &LogLine, held: u64) {
    if held > 0 {
        tracing::warn!(target: "qudao::connector", channel, "{held} log lines of `{channel}` were held back");
    }
    let text = &line.text;
    let fields =
        line.fields.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ");
    match line.level {
        "error" => tracing::error!(target: "qudao::connector", channel, fields, "{text}"),
        "warn" => tracing::warn!(target: "qudao::connector", channel, fields, "{text}"),
        "debug" => tracing::debug!(target: "qudao::connector", channel, fields, "{text}"),
        _ => tracing::info!(target: "qudao::connector", channel, fields, "{text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_at_characters_and_stay_lines() {
        let check = |text: &str, bytes: usize, expect: &str| {
            let mut left = bytes;
            assert_eq!(cut(text, &mut left), expect, "{text:?} {bytes}");
        };
        check("paid", 10, "paid");
        check("paid", 2, "pa");
        check("渠道", 5, "渠");
        check("a\nb\u{1b}[31m", 20, "a b [31m");
        check("", 0, "");
    }

    #[test]
    fn fields_share_the_budget_of_their_line() {
        let fields = vec![
            ("order_no".into(), "SO1".into()),
            ("more".into(), "x".repeat(50)),
            ("z".into(), "z".into()),
        ];
        let line = line("loud", "paid", fields, 20);
        assert_eq!(line.level, "info");
        assert_eq!(line.fields, [("order_no".into(), "SO1".into()), ("more".into(), "x".to_owned())]);
    }
}
