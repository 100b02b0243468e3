//! From columns with meanings to the fields, keys and rules of a mapping.

use super::fields::{self, Look, Money};
use super::proposal::{Proposal, candidate, object, why};
use super::roles::{self, Roles};
use super::stores::Known;
use super::table::{Column, Table};
use super::{advice, goods, keys, states, times, titles};
use qudao_sdk::model::FileKind;
use qudao_sdk::model::file::SniffAsked;
use serde_json::{Map, Value, json};

/// What is known of the file beside its columns.
pub(crate) struct Context<'a> {
    /// What the person said.
    pub asked: &'a SniffAsked,
    /// Known stores.
    pub known: Known,
    /// Days are counted from 1904.
    pub from_1904: bool,
}

/// A table with what its columns mean.
pub(crate) struct Read<'a> {
    /// The columns.
    pub table: &'a Table,
    /// What they mean.
    pub roles: Roles,
    /// What the file is about.
    pub kind: FileKind,
    /// Texts above the table with what a field's `from` would be.
    pub titles: Vec<(Value, String)>,
    /// Sizes stand across: there is no column with the quantity, nor with the size.
    pub across: bool,
    /// Names of values that are in the mapping otherwise (`unpivot`).
    pub elsewhere: Vec<String>,
}

/// Decides meanings and kind.
pub(crate) fn read<'a>(
    context: &Context<'_>,
    table: &'a Table,
    across: bool,
    proposal: &mut Proposal,
) -> Read<'a> {
    let mut roles = roles::assign(table, &context.known);
    let (kind, confidence) = context.asked.kind.map_or_else(|| roles.kind(table.paid), |kind| (kind, 100));
    settle(&mut roles, table, kind);
    let said = match kind {
        FileKind::StockSnapshot => ("how much of each SKU there is", "各 SKU 的库存数量"),
        FileKind::StockDelta => ("numbered movements of goods", "带单号的库存变动"),
        FileKind::Sales => ("tickets with lines and payments", "小票、明细与付款"),
        FileKind::Prices => ("prices without quantities", "只有价格，没有数量"),
    };
    proposal.set("kind", json!(kind.as_str()));
    proposal.found(
        "/kind",
        kind.as_str(),
        why(format!("the columns tell {}", said.0), format!("各列内容为{}", said.1)),
        confidence,
    );
    article(&mut roles, table, across);
    Read { table, roles, kind, titles: Vec::new(), across, elsewhere: Vec::new() }
}

/// Meanings that depend on what the file is about.
fn settle(roles: &mut Roles, table: &Table, kind: FileKind) {
    roles.rename(".store_name", "store_code");
    let number = if kind == FileKind::Sales { "ticket_no" } else { "doc_no" };
    for other in ["ticket_no", "doc_no", ".serial", ".number"] {
        if other != number {
            roles.rename(other, number);
        }
    }
    roles.rename(".change", "quantity");
    roles.rename(".counted_at", "occurred_at");
    roles.rename("list_price_fen", "unit_price_fen");
    let composed = roles.has("color") || roles.has("size");
    if kind != FileKind::Prices && !roles.has("sku") && !roles.has("barcode") && !composed {
        roles.rename("style", "sku");
    }
    // names and codes of a store side by side: the code
    if let Some(columns) = roles.tied.get("store_code").cloned() {
        let codes: Vec<usize> = columns
            .into_iter()
            .filter(|at| table.columns.get(*at).is_some_and(|c| c.profile.hanzi == 0))
            .collect();
        if let [only] = codes.as_slice() {
            roles.tied.remove("store_code");
            roles.taken.insert("store_code", roles::Claim { column: *only, score: 80 });
        }
    }
}

/// An article number beside sizes is the style: where sizes stand across, or where it repeats with another size.
fn article(roles: &mut Roles, table: &Table, across: bool) {
    if roles.has("style") {
        return;
    }
    let column = |role: &str| roles.column(table, role);
    let repeats = column("sku").zip(column("size")).is_some_and(|(sku, size)| {
        let mut sizes: std::collections::BTreeMap<&str, std::collections::BTreeSet<&str>> =
            std::collections::BTreeMap::new();
        for (sku, size) in sku.cells.iter().zip(&size.cells) {
            sizes.entry(sku.text.as_str()).or_default().insert(size.text.as_str());
        }
        sizes.values().filter(|sizes| sizes.len() > 1).count() * 2 > sizes.len()
    });
    if across || repeats {
        roles.rename("sku", "style");
    }
}

/// Writes fields, keys and rules.
pub(crate) fn write(context: &Context<'_>, read: &Read<'_>, proposal: &mut Proposal) {
    let look = Look {
        known: &context.known,
        kind: read.kind,
        table: read.table,
        roles: &read.roles,
        from_1904: context.from_1904,
        money: Money::of(read.table, &read.roles),
    };
    let mut writer = Writer { look, read, proposal };
    writer.number();
    writer.store(context);
    writer.goods();
    writer.amounts();
    writer.time();
    writer.rest();
    proposal.set("timezone", json!("+08:00"));
    compose(read, proposal);
    keys::duplicates(read, proposal);
    if read.kind == FileKind::StockSnapshot && !proposal.has("occurred_at") {
        proposal.set("as_of", json!({"from": "import_time"}));
        proposal.found(
            "/as_of",
            "import_time",
            why(
                "no column and no title that a mapping can read says of when the stock is: the time of import counts. An old file that is imported late then counts as the newest. Ask for a column or title with the time, or import every file at once",
                "没有映射可读的列或标题写明库存时间：以导入时间为准。晚导入的旧文件会被当作最新的库存。请让 ERP 导出时写明时间，或随到随导",
            ),
            60,
        );
    }
}

struct Writer<'a, 'b> {
    look: Look<'a>,
    read: &'a Read<'a>,
    proposal: &'b mut Proposal,
}

impl Writer<'_, '_> {
    /// Adds a field from the column with a role, or asks where two columns claim it.
    fn add(
        &mut self,
        role: &'static str,
        make: impl Fn(&Look<'_>, &Column, &mut Proposal) -> Map<String, Value>,
    ) -> bool {
        let look = &self.look;
        if let Some(tied) = look.roles.tied.get(role) {
            let columns: Vec<&Column> = tied.iter().filter_map(|at| look.table.columns.get(*at)).collect();
            let Some(first) = columns.first() else { return false };
            let field = make(look, first, self.proposal);
            if let Some(both) = advice::in_and_out(&columns).filter(|_| role == "quantity") {
                advice::ask_in_and_out(field, both, self.proposal);
                return true;
            }
            let to = field.get("to").and_then(Value::as_str).unwrap_or(role).to_owned();
            titles::ask_column(&to, field, &columns, self.proposal);
            return true;
        }
        let Some(column) = look.roles.column(look.table, role) else { return false };
        let field = make(look, column, self.proposal);
        fields::add(self.proposal, look, role, column, field);
        true
    }

    fn number(&mut self) {
        match self.read.kind {
            FileKind::Sales => {
                self.add("ticket_no", |_, column, _| fields::code("ticket_no", column, true));
                self.add("orig_ticket_no", |_, column, _| fields::code("orig_ticket_no", column, false));
                self.add("order_no", |_, column, _| fields::code("order_no", column, false));
                self.add("terminal", |_, column, _| fields::code("terminal", column, false));
                self.add("voided", |_, column, _| fields::base("voided", column, "flag"));
                self.add("training", |_, column, _| fields::base("training", column, "flag"));
                states::flags(self.read.table, self.proposal);
            }
            FileKind::StockDelta => {
                self.add("doc_no", |_, column, _| fields::code("doc_no", column, true));
            }
            FileKind::StockSnapshot | FileKind::Prices => return,
        }
        self.add("line_no", |_, column, _| fields::base("line_no", column, "integer"));
    }

    fn store(&mut self, context: &Context<'_>) {
        let day = self.day_of_titles();
        if self.read.elsewhere.iter().any(|to| to == "store_code") {
            titles::fill(&self.read.titles, &Known::default(), day, self.proposal);
            return;
        }
        self.add("store_code", |look, column, _| fields::store(look, column));
        let known = if self.proposal.has("store_code") { Known::default() } else { context.known.clone() };
        if self.read.kind != FileKind::Sales {
            titles::fill(&self.read.titles, &known, day, self.proposal);
        }
        if !self.proposal.has("store_code") && self.read.kind != FileKind::Prices {
            titles::ask(&context.known, context.asked.store.as_ref(), self.proposal);
        }
        self.contradicted(context);
    }

    /// The member that a day above the table fills, where no column does. A price list's only date is when it begins.
    fn day_of_titles(&self) -> Option<&'static str> {
        let timed = |role: &&str| self.read.roles.has(role);
        match self.read.kind {
            FileKind::Prices if ["effective_from", "occurred_at"].iter().any(timed) => None,
            FileKind::Prices => Some("effective_from"),
            FileKind::StockSnapshot | FileKind::StockDelta | FileKind::Sales => {
                Some("occurred_at").filter(|role| !timed(role))
            }
        }
    }

    /// The store that the person named, against those that the file names.
    fn contradicted(&mut self, context: &Context<'_>) {
        let Some(said) = &context.asked.store else { return };
        let Some(field) = self.proposal.field_of("store_code").cloned() else { return };
        let column = self.read.table.columns.iter().find(|column| field.get("from") == Some(&column.from));
        let theirs: Vec<String> = match column {
            Some(column) => column.profile.distinct.keys().map(|text| context.known.code(text)).collect(),
            None => titles::stated(&self.read.titles).iter().map(|text| context.known.code(text)).collect(),
        };
        if !theirs.is_empty() && (column.is_some() || !theirs.contains(said)) {
            advice::other_store(said, &theirs, self.proposal);
        }
    }

    fn goods(&mut self) {
        let sku = self.add("sku", |_, column, _| fields::code("sku", column, true));
        let barcode = self.add("barcode", |_, column, _| fields::barcode(column, !sku));
        self.add("style", |_, column, _| goods::style(column, !sku && !barcode));
        self.add("color", goods::color);
        if !self.read.across {
            self.add("size", |_, column, _| goods::size(column));
        }
        if !sku && !barcode && !self.proposal.has("style") {
            self.proposal.fields.push(object(&[
                ("to", json!("sku")),
                ("type", json!("code")),
                ("required", json!(true)),
            ]));
            let place = self.proposal.fields.len() - 1;
            ask_any(&format!("/fields/{place}/from"), "sku", self.look.table, self.proposal);
        }
    }

    fn amounts(&mut self) {
        if self.read.kind == FileKind::Prices {
            let list = self.read.roles.has("list_price_fen");
            self.add("list_price_fen", |look, column, _| fields::money(look, "list_price_fen", column, true));
            self.add("unit_price_fen", |look, column, _| {
                fields::money(look, "unit_price_fen", column, !list)
            });
            self.add("member_price_fen", |look, column, _| {
                fields::money(look, "member_price_fen", column, false)
            });
            return;
        }
        if !self.read.across && !self.add("quantity", |look, column, _| fields::quantity(look, column)) {
            self.proposal.fields.push(object(&[
                ("to", json!("quantity")),
                ("type", json!("quantity")),
                ("required", json!(true)),
            ]));
            let place = self.proposal.fields.len() - 1;
            ask_any(&format!("/fields/{place}/from"), "quantity", self.look.table, self.proposal);
        }
        advice::signs(self.read.table, "quantity", self.proposal);
        if self.read.kind == FileKind::StockDelta {
            return;
        }
        self.add("unit_price_fen", |look, column, _| fields::money(look, "unit_price_fen", column, false));
        if self.read.kind == FileKind::Sales {
            self.add("amount_fen", |look, column, _| fields::money(look, "amount_fen", column, false));
            advice::signs(self.read.table, "amount_fen", self.proposal);
        }
        self.unit();
    }

    /// Fen or yuan, where the numbers do not tell.
    fn unit(&mut self) {
        if !self.look.money.unsure {
            return;
        }
        let place = self.proposal.place_of("unit_price_fen");
        self.proposal.ask(
            &format!("/fields/{place}/unit"),
            why(
                "Are the prices in yuan or in fen? They are whole numbers.",
                "价格的单位是元还是分？都是整数。",
            ),
            vec![candidate("yuan", "yuan"), candidate("fen", "fen: 39900 is 399.00")],
        );
    }

    fn time(&mut self) {
        if self.read.kind == FileKind::Prices {
            // a price list's only date is when it begins
            if !self.add("effective_from", |look, column, proposal| {
                times::day(look, "effective_from", column, proposal)
            }) {
                self.add("occurred_at", |look, column, proposal| {
                    times::day(look, "effective_from", column, proposal)
                });
            }
            self.add("effective_to", |look, column, proposal| {
                times::day(look, "effective_to", column, proposal)
            });
            return;
        }
        if !self.proposal.has("occurred_at") {
            self.add("occurred_at", times::occurred);
        }
        if self.read.kind == FileKind::StockSnapshot && !self.proposal.has("occurred_at") {
            titles::printed(&self.read.titles, self.proposal);
        }
    }

    fn rest(&mut self) {
        if self.read.kind != FileKind::StockDelta {
            return;
        }
        self.add("reason", |_, column, _| fields::base("reason", column, "text"));
        self.add("operator", |_, column, _| fields::base("operator", column, "text"));
    }
}

/// Asks which of all columns a value is.
fn ask_any(at: &str, to: &str, table: &Table, proposal: &mut Proposal) {
    let columns = table.columns.iter().take(40);
    let candidates = columns.map(|column| {
        candidate(column.from.clone(), format!("{}: {}", column.heading, column.profile.examples()))
    });
    let word = fields::said(to);
    proposal.ask(
        at,
        why(
            format!("Which column is {}? No heading says it.", word.0),
            format!("哪一列是{}？表头中没有写明。", word.1),
        ),
        candidates.collect(),
    );
}

/// The SKU from its parts.
fn compose(read: &Read<'_>, proposal: &mut Proposal) {
    if proposal.has("sku") || proposal.has("barcode") || read.kind == FileKind::Prices {
        return;
    }
    let has =
        |part: &str, proposal: &Proposal| proposal.has(part) || read.elsewhere.iter().any(|to| to == part);
    let parts: Vec<String> = ["style", "color", "size"]
        .iter()
        .filter(|part| has(part, proposal))
        .map(|part| format!("{{{part}}}"))
        .collect();
    if parts.len() < 2 {
        return;
    }
    let sku = parts.join("-");
    proposal.set("compose", json!({"sku": sku}));
    proposal.found(
        "/compose/sku",
        &sku,
        why(
            "there is no column with a whole SKU; this is how SKUs are usually joined: check it",
            "没有完整的 SKU 列；这是常见的组合方式，请核对",
        ),
        70,
    );
}
