//! What the person, or the program, that runs a simulator gets to see.

use crate::post::Outcome;
use anstream::{println, stream::IsTerminal};
use anstyle::{AnsiColor, Style};
use data_encoding::BASE64;
use indicatif::{ProgressBar, ProgressStyle};
use qudao_sim::story::{Delivery, Expect};
use qudao_sim::truth::Truth;
use qudao_sim::{Request, beijing};
use serde::Serialize;
use serde_json::{Value, json};

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const QUIET: Style = Style::new().dimmed();

/// Counts of a run.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Counts {
    pub(crate) posted: usize,
    pub(crate) acknowledged: usize,
    pub(crate) refused: usize,
    pub(crate) unanswered: usize,
    pub(crate) wrong: usize,
}

impl Counts {
    pub(crate) fn add(&mut self, delivery: &Delivery, outcome: &Outcome) {
        self.posted += 1;
        self.acknowledged += usize::from(outcome.acknowledged);
        self.refused += usize::from(outcome.status.is_some() && !outcome.acknowledged);
        self.unanswered += usize::from(outcome.status.is_none());
        self.wrong += usize::from(!outcome.is_right(delivery));
    }
}

/// One aligned line for a person.
pub(crate) fn line(delivery: &Delivery, outcome: &Outcome) {
    let order = &delivery.notice.order;
    let (amount, number) = match delivery.refund() {
        Some(refund) => (-refund.amount_fen, refund.refund_no.as_str()),
        None => (order.total_fen, ""),
    };
    let status = outcome.status.map_or("---".to_owned(), |status| status.to_string());
    let (style, says) = says(delivery, outcome);
    println!(
        "  {QUIET}{}{QUIET:#}  {:<15} {:<18} {number:<17} {:>11}  {status}  {style}{says}{style:#}",
        beijing(crate::now(), "%H:%M:%S"),
        delivery.kind(),
        order.order_no,
        yuan(amount),
    );
}

fn says(delivery: &Delivery, outcome: &Outcome) -> (Style, String) {
    if outcome.status.is_none() {
        return (BAD, format!("no answer: {}", outcome.answer));
    }
    let again =
        if outcome.attempts > 1 { format!(", {} deliveries", outcome.attempts) } else { String::new() };
    match (outcome.acknowledged, delivery.expect) {
        (true, Expect::Accepted) => (GOOD, format!("accepted{again}")),
        (true, Expect::Duplicate) => (GOOD, format!("accepted again{again}")),
        (true, Expect::Rejected(reasons)) => {
            (BAD, format!("accepted, but must be refused: {}", reasons.join(" or ")))
        }
        (false, Expect::Rejected(_)) => (QUIET, "refused, as it should be".to_owned()),
        (false, Expect::Accepted | Expect::Duplicate) => {
            (BAD, format!("refused, but must be accepted{again}"))
        }
    }
}

#[derive(Serialize)]
struct JsonLine<'a> {
    platform: &'a str,
    kind: &'a str,
    notice_id: &'a str,
    order_no: &'a str,
    amount_fen: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    refund_no: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refund_fen: Option<i64>,
    expect: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    reasons: &'a [&'a str],
    outcome: &'a str,
    right: bool,
    attempts: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    answer: &'a str,
    millis: u64,
}

/// One JSON object for a program.
pub(crate) fn json_line(platform: &str, delivery: &Delivery, outcome: &Outcome) {
    let line = JsonLine {
        platform,
        kind: delivery.kind(),
        notice_id: &delivery.notice.id,
        order_no: &delivery.notice.order.order_no,
        amount_fen: delivery.notice.order.total_fen,
        refund_no: delivery.refund().map(|refund| refund.refund_no.as_str()),
        refund_fen: delivery.refund().map(|refund| refund.amount_fen),
        expect: delivery.expect.word(),
        reasons: delivery.expect.reasons(),
        outcome: if outcome.acknowledged { "accepted" } else { "rejected" },
        right: outcome.is_right(delivery),
        attempts: outcome.attempts,
        status: outcome.status,
        answer: &outcome.answer,
        millis: outcome.millis,
    };
    println!("{}", json!(line));
}

/// The end for a program.
pub(crate) fn json_truth(seed: u64, counts: Counts, truth: &Truth) {
    let Counts { posted, acknowledged, refused, unanswered, wrong } = counts;
    println!(
        "{}",
        json!({
            "truth": truth,
            "seed": seed,
            "posted": posted,
            "acknowledged": acknowledged,
            "refused": refused,
            "unanswered": unanswered,
            "wrong": wrong,
        })
    );
}

/// The end for a person.
pub(crate) fn summary(counts: Counts, truth: &Truth) {
    let Counts { posted, acknowledged, refused, unanswered, wrong } = counts;
    let style = if wrong == 0 { GOOD } else { BAD };
    let silent = if unanswered > 0 { format!(", {unanswered} without an answer") } else { String::new() };
    println!(
        "\n  {posted} posted, {acknowledged} accepted, {refused} refused{silent}, {style}{wrong} wrong answers{style:#}"
    );
    let paid: i64 = truth.payments.iter().filter_map(|payment| payment.payer_paid_fen).sum();
    let back: i64 = truth.refunds.iter().map(|refund| refund.amount_fen).sum();
    println!(
        "  a gateway must now know {} payments (¥{}) and {} refunds (¥{}), and nothing of {} other orders",
        truth.payments.len(),
        yuan(paid),
        truth.refunds.len(),
        yuan(back),
        truth.absent.len(),
    );
}

/// One request as `qudao try` and fixtures have it.
pub(crate) fn request_line(path: &str, delivery: &Delivery, request: &Request, now: i64) {
    let order_no = &delivery.notice.order.order_no;
    let expect = match delivery.expect {
        Expect::Rejected(reasons) => json!({"verdict": "rejected", "reason": reasons}),
        Expect::Accepted | Expect::Duplicate => json!({"verdict": "accepted"}),
    };
    let line: Value = json!({
        "description": format!("{} of {order_no}", delivery.kind()),
        "now": now,
        "method": "POST",
        "path": path,
        "headers": request.headers,
        "body_base64": BASE64.encode(&request.body),
        "expect": expect,
    });
    println!("{line}");
}

/// A bar on standard error while standard output goes to a program; nothing where nobody would see it.
pub(crate) fn progress(deliveries: usize) -> ProgressBar {
    if !std::io::stderr().is_terminal() || std::io::stdout().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} notices, {per_sec}, {eta} left");
    let bar = ProgressBar::new(u64::try_from(deliveries).unwrap_or(u64::MAX));
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn yuan(fen: i64) -> String {
    let sign = if fen < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", fen.abs() / 100, fen.abs() % 100)
}
