//! Endpoints as a person reads them, in English and Chinese.

use crate::{
    cli::report::Lines,
    error::Error,
    output::{
        Printer, Table, people,
        style::{self, BAD, DIM, GOOD},
    },
};
use qudao_pipeline::{Attempt, ParkedView, WebhookState, WebhookView, sentences::Lang};
use unicode_width::UnicodeWidthStr as _;

const MICROS_PER_MILLI: u64 = 1000;
/// Columns of a card's labels.
const LABEL: usize = 14;

/// A row an endpoint.
pub(super) fn table(lang: Lang, endpoints: &[WebhookView]) -> Table {
    let mut table = match lang {
        Lang::En => Table::new(["WEBHOOK", "STATE", ">LAG", ">PARKED", "LAST TAKEN", "TYPES", "URL"]),
        Lang::Zh => Table::new(["名称", "状态", ">落后", ">待重试", "最近送达", "事件类型", "地址"]),
    };
    for endpoint in endpoints {
        table.row([
            endpoint.name.clone(),
            endpoint.state.as_str().to_owned(),
            endpoint.lag.to_string(),
            endpoint.parked.to_string(),
            taken(lang, endpoint),
            types(lang, endpoint),
            endpoint.url.clone(),
        ]);
    }
    table
}

fn taken(lang: Lang, endpoint: &WebhookView) -> String {
    endpoint.last_delivered_at.map_or_else(|| lang.pick("never", "从未").to_owned(), people::time)
}

fn types(lang: Lang, endpoint: &WebhookView) -> String {
    if endpoint.types.is_empty() { lang.pick("all", "全部").to_owned() } else { endpoint.types.join(", ") }
}

/// Everything about one.
pub(super) fn card(lang: Lang, endpoint: &WebhookView) -> Lines {
    let mut lines = Lines::default();
    let mut member = |en: &str, zh: &str, text: &str| {
        let label = lang.pick(en, zh);
        let pad = " ".repeat(LABEL.saturating_sub(label.width()));
        let text = people::text(text).replace('\n', " ");
        if !text.is_empty() {
            lines.line(format!("{DIM}{label}{DIM:#}{pad}{text}"));
        }
    };
    let time = |at: Option<qudao_model::Timestamp>| at.map(people::time).unwrap_or_default();
    let (cursor, last, behind) = (endpoint.cursor, endpoint.last_seq, endpoint.lag);
    member("webhook", "名称", &endpoint.name);
    member("url", "地址", &endpoint.url);
    member("types", "事件类型", &types(lang, endpoint));
    member(
        "has come to",
        "进度",
        &match lang {
            Lang::En => format!("{cursor} of {last}, {behind} to go"),
            Lang::Zh => format!("{cursor} / {last}，还差 {behind}"),
        },
    );
    member("parked", "待重试", &endpoint.parked.to_string());
    member("last taken", "最近送达", &taken(lang, endpoint));
    member(
        "last answer",
        "最近应答",
        &endpoint.last_status.map(|status| status.to_string()).unwrap_or_default(),
    );
    member("failures", "连续失败", &endpoint.failures.to_string());
    member("why", "原因", endpoint.reason.as_deref().unwrap_or_default());
    member("since", "开始时间", &time(endpoint.since));
    member("next attempt", "下次尝试", &time(endpoint.next_attempt_at));
    let label = lang.pick("state", "状态");
    let pad = " ".repeat(LABEL.saturating_sub(label.width()));
    let (word, meaning) = (style::word(endpoint.state.as_str()), meaning(lang, endpoint));
    let colon = lang.pick(": ", "：");
    lines.line(format!("{DIM}{label}{DIM:#}{pad}{word}{colon}{meaning}"));
    lines
}

/// What a state means to somebody who waits for events.
fn meaning(lang: Lang, endpoint: &WebhookView) -> &'static str {
    match endpoint.state {
        WebhookState::Active | WebhookState::Failing if endpoint.stopped.is_some() => lang.pick(
            "it gets nothing new: as much is parked as can be",
            "待重试的事件太多，不再推送新事件",
        ),
        WebhookState::Active if endpoint.parked > 0 => lang.pick(
            "events are sent as they come; the parked ones are tried again, those of the same entity wait behind them",
            "事件随到随发；待重试的会自动重推，同一单据的后续事件排在其后",
        ),
        WebhookState::Active => lang.pick("events are sent as they come", "事件随到随发"),
        WebhookState::Failing => lang.pick(
            "it takes nothing at present; one event at a time is tried, nothing is lost",
            "目前推送失败，正在逐个重试；事件不会丢失",
        ),
        WebhookState::Disabled => lang.pick(
            "nothing is sent until it is enabled, nothing is lost",
            "启用之前不再推送；事件不会丢失",
        ),
    }
}

/// Why one takes nothing, in one line.
pub(super) fn why(lang: Lang, endpoint: &WebhookView) -> String {
    let (name, meaning) = (&endpoint.name, meaning(lang, endpoint));
    let reason = endpoint.reason.as_deref().map(|text| people::text(text).replace('\n', " "));
    let since = endpoint.since.map(people::time);
    let reason = match &endpoint.stopped {
        Some(stopped) => {
            let (parked, seq, subject) = (stopped.parked, stopped.seq, people::text(&stopped.subject));
            let told = match lang {
                Lang::En => format!("{parked} events, the oldest is {seq} about {subject}"),
                Lang::Zh => format!("共 {parked} 个，最早的是 {seq}（{subject}）"),
            };
            let semicolon = lang.pick("; ", "；");
            Some(reason.map_or_else(|| told.clone(), |reason| format!("{told}{semicolon}{reason}")))
        }
        None => reason,
    };
    match lang {
        Lang::En => {
            let since = since.map(|at| format!(" (since {at})")).unwrap_or_default();
            format!("{name}{since}: {meaning}{}", reason.map(|text| format!("; {text}")).unwrap_or_default())
        }
        Lang::Zh => {
            let since = since.map(|at| format!("（自 {at}）")).unwrap_or_default();
            format!("{name}{since}：{meaning}{}", reason.map(|text| format!("；{text}")).unwrap_or_default())
        }
    }
}

/// What to do next about one that takes nothing.
pub(super) fn next(printer: &mut Printer, lang: Lang, endpoint: &WebhookView) -> Result<(), Error> {
    let name = &endpoint.name;
    match (endpoint.state, lang) {
        (WebhookState::Active | WebhookState::Failing, Lang::En) if endpoint.stopped.is_some() => printer.next(
            format_args!("See what they are and why: qudao webhooks parked {name}; give one up: qudao webhooks skip {name} SEQ"),
        ),
        (WebhookState::Active | WebhookState::Failing, Lang::Zh) if endpoint.stopped.is_some() => printer.next(
            format_args!("查看原因：qudao webhooks parked {name}；放弃一个：qudao webhooks skip {name} 序号"),
        ),
        (WebhookState::Active, _) => Ok(()),
        (WebhookState::Failing, Lang::En) => printer.next(format_args!(
            "Once it is mended it goes on by itself; at once with: qudao webhooks enable {name}"
        )),
        (WebhookState::Failing, Lang::Zh) => {
            printer.next(format_args!("对方恢复后会自动继续；立即重试：qudao webhooks enable {name}"))
        }
        (WebhookState::Disabled, Lang::En) => {
            printer.next(format_args!("Once it takes events again: qudao webhooks enable {name}"))
        }
        (WebhookState::Disabled, Lang::Zh) => {
            printer.next(format_args!("对方可以接收后：qudao webhooks enable {name}"))
        }
    }
}

/// A row an event that is parked.
pub(super) fn parked(lang: Lang, events: &[ParkedView]) -> Table {
    let mut table = match lang {
        Lang::En => Table::new([">SEQ", "TYPE", "ENTITY", ">FAILURES", "NEXT ATTEMPT", "WHY"]),
        Lang::Zh => Table::new([">序号", "事件类型", "单据", ">失败次数", "下次尝试", "原因"]),
    };
    for event in events {
        let behind = || lang.pick("waits behind another one", "排在另一个之后").to_owned();
        table.row([
            event.seq.to_string(),
            event.r#type.clone(),
            event.subject.clone(),
            event.failures.to_string(),
            event.next_attempt_at.map(people::time).unwrap_or_default(),
            match &event.explain {
                Some(text) => people::text(text).replace('\n', " "),
                None if event.failures == 0 => behind(),
                None => String::new(),
            },
        ]);
    }
    table
}

/// What to do next about what is parked.
pub(super) fn next_of_parked(
    printer: &mut Printer,
    lang: Lang,
    name: &str,
    events: &[ParkedView],
) -> Result<(), Error> {
    let Some(ParkedView { seq, .. }) = events.iter().find(|event| event.failures > 0) else { return Ok(()) };
    match lang {
        Lang::En => printer.next(format_args!(
            "All are tried again by themselves. One that will never be taken: qudao webhooks skip {name} {seq}"
        )),
        Lang::Zh => printer.next(format_args!(
            "都会自动重试。对方永远不会接收的可以放弃：qudao webhooks skip {name} {seq}"
        )),
    }
}

/// What came of a ping.
pub(super) fn attempt(lang: Lang, name: &str, attempt: &Attempt) -> String {
    let millis = attempt.micros / MICROS_PER_MILLI;
    let status = attempt
        .status
        .map_or_else(|| lang.pick("no answer", "没有应答").to_owned(), |status| status.to_string());
    let explain = people::text(&attempt.explain).replace('\n', " ");
    match (lang, attempt.delivered) {
        (Lang::En, true) => format!("{GOOD}ok{GOOD:#}: {name} took it: {status} in {millis} ms"),
        (Lang::Zh, true) => format!("{GOOD}完成{GOOD:#}：{name} 已接收：{status}，用时 {millis} 毫秒"),
        (Lang::En, false) => format!("{BAD}not taken{BAD:#}: {name}: {status} in {millis} ms: {explain}"),
        (Lang::Zh, false) => format!("{BAD}未送达{BAD:#}：{name}：{status}，用时 {millis} 毫秒：{explain}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use qudao_pipeline::Stopped;

    fn endpoint(name: &str, state: WebhookState) -> WebhookView {
        WebhookView {
            name: name.to_owned(),
            url: format!("https://{name}.example/qudao"),
            types: Vec::new(),
            state,
            cursor: 1200,
            last_seq: 1204,
            lag: 4,
            parked: 0,
            stopped: None,
            failures: 0,
            next_attempt_at: None,
            reason: None,
            since: None,
            last_status: None,
            last_delivered_at: None,
        }
    }

    fn all() -> Vec<WebhookView> {
        let at = |text: &str| Some(text.parse().unwrap());
        vec![
            WebhookView {
                types: vec!["qudao.order.*".to_owned(), "qudao.stock.changed.v1".to_owned()],
                parked: 2,
                last_status: Some(204),
                last_delivered_at: at("2026-03-12T00:59:00Z"),
                ..endpoint("hq", WebhookState::Active)
            },
            WebhookView {
                failures: 7,
                reason: Some("answered 500: try\nlater".to_owned()),
                since: at("2026-03-12T00:30:00Z"),
                next_attempt_at: at("2026-03-12T01:00:00Z"),
                last_status: Some(500),
                ..endpoint("data-lake", WebhookState::Failing)
            },
            WebhookView {
                reason: Some("answered 410".to_owned()),
                last_status: Some(410),
                ..endpoint("old", WebhookState::Disabled)
            },
        ]
    }

    fn plain(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    #[test]
    fn a_table_has_a_row_for_each_and_says_why_one_takes_nothing() {
        let told = |lang| {
            let all = all();
            let why: Vec<String> = all.iter().skip(1).map(|one| why(lang, one)).collect();
            plain(&format!("{}\n{}", table(lang, &all), why.join("\n")))
        };
        insta::assert_snapshot!(told(Lang::En), @r#"
        WEBHOOK    STATE     LAG  PARKED  LAST TAKEN           TYPES                                  URL
        hq         active      4       2  2026-03-12 08:59:00  qudao.order.*, qudao.stock.changed.v1  https://hq.example/qudao
        data-lake  failing     4       0  never                all                                    https://data-lake.example/qudao
        old        disabled    4       0  never                all                                    https://old.example/qudao
        data-lake (since 2026-03-12 08:30:00): it takes nothing at present; one event at a time is tried, nothing is lost; answered 500: try later
        old: nothing is sent until it is enabled, nothing is lost; answered 410
        "#);
        insta::assert_snapshot!(told(Lang::Zh), @r#"
        名称       状态      落后  待重试  最近送达             事件类型                               地址
        hq         active       4       2  2026-03-12 08:59:00  qudao.order.*, qudao.stock.changed.v1  https://hq.example/qudao
        data-lake  failing      4       0  从未                 全部                                   https://data-lake.example/qudao
        old        disabled     4       0  从未                 全部                                   https://old.example/qudao
        data-lake（自 2026-03-12 08:30:00）：目前推送失败，正在逐个重试；事件不会丢失；answered 500: try later
        old：启用之前不再推送；事件不会丢失；answered 410
        "#);
    }

    #[test]
    fn a_card_says_what_waits_and_why() {
        insta::assert_snapshot!(plain(&card(Lang::En, &all()[1]).text()), @r#"
        webhook       data-lake
        url           https://data-lake.example/qudao
        types         all
        has come to   1200 of 1204, 4 to go
        parked        0
        last taken    never
        last answer   500
        failures      7
        why           answered 500: try later
        since         2026-03-12 08:30:00
        next attempt  2026-03-12 09:00:00
        state         failing: it takes nothing at present; one event at a time is tried, nothing is lost
        "#);
        insta::assert_snapshot!(plain(&card(Lang::Zh, &all()[0]).text()), @r#"
        名称          hq
        地址          https://hq.example/qudao
        事件类型      qudao.order.*, qudao.stock.changed.v1
        进度          1200 / 1204，还差 4
        待重试        2
        最近送达      2026-03-12 08:59:00
        最近应答      204
        连续失败      0
        状态          active：事件随到随发；待重试的会自动重推，同一单据的后续事件排在其后
        "#);
    }

    #[test]
    fn one_that_gets_nothing_new_says_by_what() {
        let stopped = Some(Stopped { parked: 1000, seq: 17, subject: "ord_1".to_owned() });
        let reason = Some("answered 422".to_owned());
        let one = WebhookView { parked: 1000, stopped, reason, ..endpoint("hq", WebhookState::Active) };
        insta::assert_snapshot!(plain(&format!("{}\n{}", why(Lang::En, &one), why(Lang::Zh, &one))), @r#"
        hq: it gets nothing new: as much is parked as can be; 1000 events, the oldest is 17 about ord_1; answered 422
        hq：待重试的事件太多，不再推送新事件；共 1000 个，最早的是 17（ord_1）；answered 422
        "#);
    }

    #[test]
    fn parked_events_are_shown_with_what_was_said_of_them() {
        let event = |seq, failures, explain: Option<&str>| ParkedView {
            seq,
            id: format!("evt_{seq}"),
            r#type: "qudao.order.paid.v1".to_owned(),
            subject: "ord_1".to_owned(),
            failures,
            next_attempt_at: (failures > 0).then(|| "2026-03-12T01:00:00Z".parse().unwrap()),
            explain: explain.map(str::to_owned),
        };
        let events =
            [event(17, 3, Some("answered 422: no\nsuch order")), event(19, 0, None), event(20, 1, None)];
        insta::assert_snapshot!(plain(&format!("{}\n{}", parked(Lang::En, &events), parked(Lang::Zh, &events))), @r#"
        SEQ  TYPE                 ENTITY  FAILURES  NEXT ATTEMPT         WHY
         17  qudao.order.paid.v1  ord_1          3  2026-03-12 09:00:00  answered 422: no such order
         19  qudao.order.paid.v1  ord_1          0                       waits behind another one
         20  qudao.order.paid.v1  ord_1          1  2026-03-12 09:00:00
        序号  事件类型             单据   失败次数  下次尝试             原因
          17  qudao.order.paid.v1  ord_1         3  2026-03-12 09:00:00  answered 422: no such order
          19  qudao.order.paid.v1  ord_1         0                       排在另一个之后
          20  qudao.order.paid.v1  ord_1         1  2026-03-12 09:00:00
        "#);
    }

    #[test]
    fn a_ping_says_what_came_of_it() {
        let ping = |delivered, status, explain: &str| Attempt {
            delivered,
            status,
            micros: 12_345,
            explain: explain.to_owned(),
        };
        let all = [
            attempt(Lang::En, "hq", &ping(true, Some(204), "")),
            attempt(Lang::En, "hq", &ping(false, Some(401), "answered 401: wrong\u{1b}[31m signature")),
            attempt(Lang::Zh, "hq", &ping(true, Some(204), "")),
            attempt(Lang::Zh, "hq", &ping(false, None, "connection refused")),
        ];
        insta::assert_snapshot!(plain(&all.join("\n")), @r#"
        ok: hq took it: 204 in 12 ms
        not taken: hq: 401 in 12 ms: answered 401: wrong�[31m signature
        完成：hq 已接收：204，用时 12 毫秒
        未送达：hq：没有应答，用时 12 毫秒：connection refused
        "#);
    }
}
