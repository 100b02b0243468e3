//! What a person has to know of a proposal that no key of the mapping says: signs by words, a store that the file contradicts,
//! goods in and out in two columns, tickets whose payments have no amounts.

use super::proposal::{Proposal, candidate, object, why};
use super::table::{Column, Table};
use super::words::words;
use serde_json::{Map, Value, json};

/// Says where signs come from, and asks for words whose sign nobody knows.
pub(crate) fn signs(table: &Table, to: &str, proposal: &mut Proposal) {
    let Some(sign) = proposal.field_of(to).and_then(|field| field.get("sign_by").cloned()) else { return };
    let list = |key: &str| -> Vec<String> {
        let words = sign.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
        words.iter().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let (plus, minus) = (list("plus"), list("minus"));
    let column = sign.get("column").cloned().unwrap_or_default();
    let at = format!("/fields/{}/sign_by", proposal.place_of(to));
    let name = column.as_str().unwrap_or_default().to_owned();
    proposal.found(
        &at,
        &name,
        why(
            format!(
                "the numbers have no sign: `{name}` gives it, + for {}, - for {}; check the words",
                plus.join(", "),
                minus.join(", ")
            ),
            format!(
                "数字没有正负号：由“{name}”列决定，{} 为正，{} 为负；请核对",
                plus.join("、"),
                minus.join("、")
            ),
        ),
        85,
    );
    let Some(own) = table.columns.iter().find(|own| own.from == column) else { return };
    let known = |word: &&String| !plus.contains(word) && !minus.contains(word);
    let open: Vec<String> = own.profile.distinct.keys().filter(known).cloned().collect();
    if open.is_empty() || to != "quantity" {
        return;
    }
    let with = |more: &[String], less: &[String]| {
        let plus: Vec<&String> = plus.iter().chain(more).collect();
        let minus: Vec<&String> = minus.iter().chain(less).collect();
        json!({"column": column, "plus": plus, "minus": minus})
    };
    let words = open.join(", ");
    proposal.ask(
        &at,
        why(
            format!(
                "Do {words} in `{name}` bring goods in or take them out? Until this is known their rows go to quarantine. The answer is the whole map, for example {}; a word whose rows go both ways belongs in neither list.",
                with(&open, &[])
            ),
            format!(
                "“{name}”列中的 {words} 是入还是出？在确定之前，这些行进入隔离区。答案是整个映射，例如 {}；有进有出的词两边都不要写。",
                with(&open, &[])
            ),
        ),
        vec![
            candidate(with(&open, &[]), format!("in: {words} count as plus")),
            candidate(with(&[], &open), format!("out: {words} count as minus")),
            candidate(with(&[], &[]), "neither is certain: their rows go to quarantine"),
        ],
    );
}

/// Two columns that claim the quantity, one of what came in and one of what went out.
pub(crate) fn in_and_out<'a>(columns: &[&'a Column]) -> Option<(&'a Column, &'a Column)> {
    let find = |parts: &[&str]| {
        columns.iter().copied().find(|column| {
            let low = column.heading.to_lowercase();
            parts.iter().any(|part| low.contains(part))
        })
    };
    let came =
        find(&["入库", "入数", "收入", "收货", "进货", "调入", "in_qty", "inqty", "qtyin", "received"])?;
    let went =
        find(&["出库", "出数", "发出", "发货", "付出", "调出", "out_qty", "outqty", "qtyout", "issued"])?;
    (came.place != went.place).then_some((came, went))
}

/// Asks which of the two is read, and says what is lost.
pub(crate) fn ask_in_and_out(
    mut field: Map<String, Value>,
    (came, went): (&Column, &Column),
    proposal: &mut Proposal,
) {
    field.remove("from");
    let at = format!("/fields/{}/from", proposal.fields.len());
    proposal.fields.push(field);
    let (came_name, went_name) = (&came.heading, &went.heading);
    let shown = |column: &Column| column.profile.examples();
    proposal.ask(
        &at,
        why(
            format!(
                "`{came_name}` and `{went_name}` are two quantities of one row, one of goods in and one of goods out. A mapping reads one column of quantities, and none can turn the second one's plus into a minus: whichever is chosen, rows with only the other go to quarantine. Ask for an export with one signed column, or with one column of pieces and one that says in or out. Or have two files exported, goods in and goods out, each for a channel of its own, where the second writes its pieces with a minus."
            ),
            format!(
                "“{came_name}”与“{went_name}”是同一行的两个数量，一入一出。一份映射只读一个数量列，也不能把第二列的正数变成负数：无论选哪一列，只填另一列的行都会进入隔离区。请让 ERP 导出一个带正负号的数量列，或一个数量列加一个出入标志列；也可分别导出入库与出库两个文件，各用一个渠道，出库数量须带负号。"
            ),
        ),
        vec![
            candidate(came.from.clone(), format!("only what came in ({}); what went out is not read", shown(came))),
            candidate(
                went.from.clone(),
                format!("only what went out ({}), and as plus unless a minus stands before it", shown(went)),
            ),
        ],
    );
}

/// A store that the person named and the file contradicts.
pub(crate) fn other_store(said: &str, theirs: &[String], proposal: &mut Proposal) {
    let Some(field) = proposal.field_of("store_code").cloned() else { return };
    let at = format!("/fields/{}", proposal.place_of("store_code"));
    let list: Vec<&str> = theirs.iter().take(5).map(String::as_str).collect();
    let list = list.join(", ");
    if theirs.iter().any(|code| code == said) {
        proposal.found(
            &at,
            &list,
            why(
                format!(
                    "the file says of which store each row is ({list}): that counts, and not store {said} that you named"
                ),
                format!("文件自己写明了门店（{list}）：以文件为准，而不是您指定的门店 {said}"),
            ),
            80,
        );
        return;
    }
    let constant = object(&[
        ("to", json!("store_code")),
        ("from", json!({"const": said})),
        ("type", json!("code")),
        ("known", json!("stores")),
    ]);
    proposal.ask(
        &at,
        why(
            format!(
                "You said that the file is of store {said}, but the file says {list}. Which is right? The answer is the whole field."
            ),
            format!("您指定该文件属于门店 {said}，但文件中写的是 {list}。以哪个为准？答案是整个字段。"),
        ),
        vec![
            candidate(Value::Object(field), format!("the file is right: {list}")),
            candidate(Value::Object(constant), format!("store {said}, for every row")),
        ],
    );
}

/// A column that names one way of paying for each row, without amounts.
pub(crate) fn paid_by_word(table: &Table) -> Option<&Column> {
    table.columns.iter().find(|column| {
        let words_in = &column.profile.distinct;
        let known = words_in.keys().filter(|word| words().tender(word).is_some()).count();
        known > 0 && known * 2 >= words_in.len()
    })
}

/// Asks how tickets were paid.
pub(crate) fn ask_tenders(table: Option<&Table>, proposal: &mut Proposal) {
    let example = "{\"mode\": \"columns_repeated\", \"columns\": {\"现金\": {\"kind\": \"cash\"}}}";
    let without =
        candidate(Value::Null, "read the tickets without their payments: nothing checks their totals");
    if let Some(column) = table.and_then(paid_by_word) {
        let (name, shown) = (&column.heading, column.profile.examples());
        proposal.ask(
            "/ticket/tenders",
            why(
                format!(
                    "`{name}` names a way of paying ({shown}) without an amount. How much was paid in which way cannot be read from a word: a ticket of several lines or ways of paying would be wrong. Ask for an export with a column of money for each way of paying, or with text such as `微信:99.00`. Until then the tickets can be read without payments. An answer of your own is a map, for example {example}"
                ),
                format!(
                    "“{name}”列只写支付方式（{shown}），没有金额。只凭一个词无法知道每种方式付了多少：多行或多种方式付款的小票会出错。请让 ERP 为每种支付方式导出一个金额列，或导出“微信:99.00”这样的文字；在此之前可以先不读付款。自己填写时答案是一个映射，例如 {example}"
                ),
            ),
            vec![without],
        );
        return;
    }
    proposal.ask(
        "/ticket/tenders",
        why(
            format!("How were the tickets paid? No column says it. An answer of your own is a map, for example {example}"),
            format!("小票如何付款？没有列写明。自己填写时答案是一个映射，例如 {example}"),
        ),
        vec![without],
    );
}
