//! Words that take a row out of the sales: voided tickets and those of training.
//!
//! A till writes them into a column of states or types among ordinary words. Read as a sale such a ticket would count, so the
//! column becomes the flags `voided` and `training`. Words that nobody knows are asked for: until then their rows are rejects.

use super::fields;
use super::proposal::{Proposal, candidate, why};
use super::table::{Column, Table};
use super::words;
use serde_json::{Value, json};

/// Distinct values that a column of states has at most.
const STATES_MAX: usize = 12;
/// States of a ticket that count.
const ORDINARY: [&str; 22] = [
    "正常",
    "已完成",
    "完成",
    "有效",
    "已结账",
    "已结算",
    "已支付",
    "已付款",
    "已收款",
    "成功",
    "交易成功",
    "已审核",
    "normal",
    "completed",
    "complete",
    "closed",
    "paid",
    "valid",
    "ok",
    "success",
    "done",
    "posted",
];
/// Headings of the state of a ticket.
const HEADINGS: [&str; 11] = [
    "状态",
    "单据状态",
    "交易状态",
    "小票状态",
    "订单状态",
    "销售状态",
    "票据状态",
    "status",
    "state",
    "ticketstatus",
    "billstatus",
];

/// What a word makes of its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// The ticket was taken back as if it had never been.
    Voided,
    /// Nobody bought anything.
    Training,
    /// It counts.
    Ordinary,
    /// Nobody knows.
    Unknown,
}

/// What a word of a column of states makes of its row.
pub(crate) fn state(word: &str) -> State {
    let low = word.trim().to_lowercase();
    let denied = ["未", "非", "不", "否"].iter().any(|not| low.starts_with(not));
    let has = |parts: &[&str]| parts.iter().any(|part| low.contains(part));
    let is = |whole: &[&str]| whole.contains(&low.as_str());
    let voids = has(&["作废", "废单", "废票", "撤单"])
        || is(&["void", "voided", "cancelled", "canceled", "取消", "已取消", "废"]);
    let trains = has(&["培训", "练习", "训练"]) || is(&["training", "train", "practice"]);
    match (voids, trains) {
        (true | false, true) if !denied => State::Training,
        (true, false) if !denied => State::Voided,
        (false, false) if !is(&ORDINARY) && words::sale_direction(word).is_none() => State::Unknown,
        (true | false, true | false) => State::Ordinary,
    }
}

/// Adds the flags that the file's words call for.
pub(crate) fn flags(table: &Table, proposal: &mut Proposal) {
    for (to, wanted) in [("voided", State::Voided), ("training", State::Training)] {
        if let Some(column) = own(table, to, proposal) {
            words_of(column, to, wanted, proposal);
            continue;
        }
        let found = table.columns.iter().find(|column| {
            is_states(column) && column.profile.distinct.keys().any(|word| state(word) == wanted)
        });
        let Some(column) = found else { continue };
        let place = proposal.fields.len();
        proposal.fields.push(fields::base(to, column, "flag"));
        let said = (format!("/fields/{place}"), format!("{} → {to}", column.heading));
        let (english, chinese) =
            if to == "voided" { ("voided", "作废") } else { ("made in training", "练习/培训") };
        proposal.found(
            &said.0,
            &said.1,
            why(
                format!("words in it say that a ticket was {english}: it must not count as a sale"),
                format!("该列含有表示{chinese}的词：这样的小票不得计入销售"),
            ),
            90,
        );
        words_of(column, to, wanted, proposal);
    }
    if !proposal.has("voided") && !proposal.has("training") {
        unsaid(table, proposal);
    }
}

/// The column that the field was made from because of its heading.
fn own<'a>(table: &'a Table, to: &str, proposal: &mut Proposal) -> Option<&'a Column> {
    let from = proposal.field_of(to)?.get("from").cloned();
    table.columns.iter().find(|column| Some(&column.from) == from.as_ref())
}

fn is_states(column: &Column) -> bool {
    let profile = &column.profile;
    let other = column
        .meanings
        .iter()
        .any(|(role, score)| *score >= 90 && matches!(*role, ".name" | "sku" | "color" | "size"));
    !other
        && !profile.distinct.is_empty()
        && profile.distinct.len() <= STATES_MAX
        && profile.numbers < profile.filled
}

/// Writes which words mean yes and which mean no; asks for those that nobody knows.
fn words_of(column: &Column, to: &str, wanted: State, proposal: &mut Proposal) {
    let plain = |word: &&String| {
        !["1", "0", "y", "n", "yes", "no", "true", "false", "t", "f", "是", "否", "√", "×"]
            .contains(&word.to_lowercase().as_str())
    };
    let all: Vec<&String> = column.profile.distinct.keys().filter(plain).collect();
    if all.is_empty() {
        return;
    }
    let of = |fits: &dyn Fn(State) -> bool| -> Vec<&String> {
        all.iter().filter(|word| fits(state(word))).copied().collect()
    };
    let yes = of(&|found| found == wanted);
    let no = of(&|found| found != wanted && found != State::Unknown);
    let open = of(&|found| found == State::Unknown);
    let place = proposal.place_of(to);
    if let Some(field) = proposal.field_of(to) {
        field.insert("yes".into(), json!(yes));
        if !no.is_empty() {
            field.insert("no".into(), json!(no));
        }
    }
    if open.is_empty() {
        return;
    }
    let list = joined(&open);
    let both: Vec<&String> = no.iter().chain(&open).copied().collect();
    proposal.ask(
        &format!("/fields/{place}/no"),
        why(
            format!(
                "Do the words {list} in `{}` mean an ordinary ticket, one that is not `{to}`? The answer is the list of words that mean no, for example [\"正常\"]; a word that is in no list sends its rows to quarantine.",
                column.heading
            ),
            format!(
                "“{}”列中的 {list} 是否表示普通小票（不是 {to}）？答案是表示“否”的词的列表，例如 [\"正常\"]；不在任何列表中的词，其行进入隔离区。",
                column.heading
            ),
        ),
        vec![
            candidate(json!(both), "all of them are ordinary tickets: they count"),
            candidate(json!(no), "their rows go to quarantine until somebody looks"),
        ],
    );
}

/// A state of the ticket in words or codes that nobody knows.
fn unsaid(table: &Table, proposal: &mut Proposal) {
    let unknown = |column: &&Column| {
        let heading = column.heading.to_lowercase();
        let words = &column.profile.distinct;
        HEADINGS.contains(&heading.as_str())
            && (2..=STATES_MAX).contains(&words.len())
            && words.keys().any(|word| state(word) == State::Unknown)
    };
    let Some(column) = table.columns.iter().find(unknown) else { return };
    let all: Vec<&String> = column.profile.distinct.keys().collect();
    let whole = |yes: Vec<&String>| -> Value {
        let no: Vec<&&String> = all.iter().filter(|word| !yes.contains(word)).collect();
        let mut field = fields::base("voided", column, "flag");
        field.insert("yes".into(), json!(yes));
        field.insert("no".into(), json!(no));
        Value::Object(field)
    };
    let mut candidates: Vec<_> = all
        .iter()
        .map(|word| candidate(whole(vec![*word]), format!("`{word}` means voided, the others count")))
        .collect();
    candidates.push(candidate(whole(Vec::new()), "none of them means voided: all tickets count"));
    let place = proposal.fields.len();
    proposal.fields.push(fields::base("voided", column, "flag"));
    let list = joined(&all);
    proposal.ask(
        &format!("/fields/{place}"),
        why(
            format!(
                "`{}` tells the state of each ticket ({list}): which of these words mean that it was voided? A voided ticket must not count as a sale. The answer is the whole field, with the lists `yes` and `no`.",
                column.heading
            ),
            format!(
                "“{}”列是小票的状态（{list}）：哪些值表示作废？作废的小票不得计入销售。答案是整个字段，含 yes 与 no 两个列表。",
                column.heading
            ),
        ),
        candidates,
    );
}

fn joined(words: &[&String]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states() {
        for (word, expect) in [
            ("作废", State::Voided),
            ("已作废", State::Voided),
            ("VOID", State::Voided),
            ("未作废", State::Ordinary),
            ("培训", State::Training),
            ("练习单", State::Training),
            ("正常", State::Ordinary),
            ("退货", State::Ordinary),
            ("挂单", State::Unknown),
            ("2", State::Unknown),
        ] {
            assert_eq!(state(word), expect, "{word}");
        }
    }
}
