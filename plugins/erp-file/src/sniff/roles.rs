//! Which column means what: the dictionary proposes, the values decide, and equals are left to a person.

use super::profile::Profile;
use super::stores;
use super::table::{Column, Table};
use qudao_sdk::model::FileKind;
use std::collections::BTreeMap;

/// What counts as the same score.
const EQUAL: u32 = 2;
/// Below this a column is not taken.
const LEAST: u32 = 35;

/// One column that could have a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Claim {
    /// Place of the column in the table's list.
    pub column: usize,
    /// At most 100.
    pub score: u32,
}

/// Roles of a table's columns.
#[derive(Debug, Clone, Default)]
pub(crate) struct Roles {
    /// Decided ones.
    pub taken: BTreeMap<&'static str, Claim>,
    /// Columns that claim a role with equal right.
    pub tied: BTreeMap<&'static str, Vec<usize>>,
}

/// How well the values of a column fit a role, in percent.
pub(crate) fn fit(role: &str, column: &Column, known: &stores::Known) -> u32 {
    let profile = &column.profile;
    let share = |part: usize| u32::try_from(profile.share(part)).unwrap_or(100);
    if profile.filled == 0 {
        return if matches!(role, "quantity" | "sku" | "store_code") { 60 } else { 80 };
    }
    match role {
        "store_code" | ".store_name" => known.fit(profile),
        "sku" | "style" => code(profile).saturating_sub(if share(profile.gtins) > 50 { 40 } else { 0 }),
        "barcode" => match share(profile.gtins) + share(profile.bad_gtins) {
            found if found >= 40 && profile.gtins > 0 => 100,
            _ => 15,
        },
        "quantity" | ".change" => match (share(profile.numbers), share(profile.whole)) {
            (numbers, whole) if numbers >= 60 && whole * 10 >= numbers * 8 => 100,
            (numbers, _) if numbers >= 60 => 40,
            _ => 0,
        },
        "unit_price_fen" | "list_price_fen" | "member_price_fen" | "amount_fen" | ".change_due" | "cash"
        | "card" | "wechat" | "alipay" | "voucher" | "points" => {
            if share(profile.numbers) >= 50 {
                100
            } else {
                0
            }
        }
        "line_no" | ".row_no" => match share(profile.whole) {
            whole if whole >= 90 && profile.lengths.1 <= 6 => 100,
            _ => 0,
        },
        "occurred_at" | ".counted_at" | "effective_from" | "effective_to" => time(profile),
        ".clock" => clock(profile),
        ".tenders" => {
            if share(super::tender::pairs(profile)) >= 50 {
                100
            } else {
                0
            }
        }
        "size" => 55 + share(profile.sizes).min(90) / 2,
        ".direction" | ".sale_type" | ".group" => {
            if profile.distinct.len() <= 30 {
                100
            } else {
                10
            }
        }
        "voided" | "training" => {
            if profile.distinct.len() <= 3 {
                100
            } else {
                0
            }
        }
        "reason" => {
            if profile.distinct.len() <= 40 {
                95
            } else {
                40
            }
        }
        _ => 90,
    }
}

fn code(profile: &Profile) -> u32 {
    if profile.share(profile.hanzi) > 40 { 25 } else { 100 }
}

fn time(profile: &Profile) -> u32 {
    let settled = profile.dates();
    let read = settled.read + profile.serials().min(profile.cells);
    match profile.share(read) {
        share if share >= 50 => 100,
        share if share >= 20 => 60,
        _ => 0,
    }
}

/// `175353`, `93005`, `17:53`.
fn clock(profile: &Profile) -> u32 {
    let reads = |text: &str| {
        let padded = format!("{text:0>6}");
        ["%H:%M:%S", "%H:%M"].iter().any(|form| super::dates::read(form, text).is_some())
            || super::dates::read("%H%M%S", &padded).is_some()
    };
    let read: usize = profile.distinct.iter().filter(|(text, _)| reads(text)).map(|(_, count)| count).sum();
    if profile.share(read) >= 80 && time(profile) < 60 { 100 } else { 0 }
}

/// Gives each role its column. A role with two equal claims is tied.
pub(crate) fn assign(table: &Table, known: &stores::Known) -> Roles {
    let mut claims: BTreeMap<&'static str, Vec<Claim>> = BTreeMap::new();
    for (at, column) in table.columns.iter().enumerate() {
        for (role, score) in &column.meanings {
            let score = score * fit(role, column, known) / 100;
            if score >= LEAST {
                claims.entry(role).or_default().push(Claim { column: at, score });
            }
        }
    }
    let mut roles = Roles::default();
    let mut all: Vec<(&'static str, Claim)> =
        claims.iter().flat_map(|(role, list)| list.iter().map(|claim| (*role, *claim))).collect();
    all.sort_by_key(|(_, claim)| std::cmp::Reverse(claim.score));
    let mut used: Vec<usize> = Vec::new();
    while let Some((role, claim)) = all.first().copied() {
        let rivals: Vec<usize> = all
            .iter()
            .filter(|(other, rival)| *other == role && rival.score + EQUAL >= claim.score)
            .map(|(_, rival)| rival.column)
            .filter(|column| only(*column, role, &all, &used))
            .collect();
        if rivals.len() > 1 {
            roles.tied.insert(role, rivals.clone());
            used.extend(rivals);
        } else {
            roles.taken.insert(role, claim);
            used.push(claim.column);
        }
        all.retain(|(other, rival)| *other != role && !used.contains(&rival.column));
    }
    roles
}

/// Whether a column has no other role that it fits as well.
fn only(column: usize, role: &str, all: &[(&'static str, Claim)], used: &[usize]) -> bool {
    let own = all
        .iter()
        .filter(|(other, claim)| *other == role && claim.column == column)
        .map(|(_, claim)| claim.score);
    let own = own.max().unwrap_or(0);
    !used.contains(&column)
        && !all.iter().any(|(other, claim)| *other != role && claim.column == column && claim.score > own)
}

impl Roles {
    /// The column with a role.
    pub(crate) fn column<'a>(&self, table: &'a Table, role: &str) -> Option<&'a Column> {
        table.columns.get(self.taken.get(role)?.column)
    }

    /// Whether a column has the role or two claim it.
    pub(crate) fn has(&self, role: &str) -> bool {
        self.taken.contains_key(role) || self.tied.contains_key(role)
    }

    /// Gives the column of one role to another that nobody has.
    pub(crate) fn rename(&mut self, from: &'static str, to: &'static str) {
        if self.has(to) {
            return;
        }
        if let Some(claim) = self.taken.remove(from) {
            self.taken.insert(to, claim);
        }
        if let Some(tied) = self.tied.remove(from) {
            self.tied.insert(to, tied);
        }
    }

    /// What the file is about, by the roles that its columns have.
    pub(crate) fn kind(&self, paid: bool) -> (FileKind, u8) {
        let any = |roles: &[&str]| roles.iter().any(|role| self.has(role));
        let pays = paid || any(&["cash", "card", "wechat", "alipay", ".tenders"]);
        let number = any(&[".number", ".serial", "ticket_no", "doc_no"]);
        if number && (pays || any(&["ticket_no"]) && any(&["amount_fen", "unit_price_fen"])) {
            return (FileKind::Sales, if pays { 97 } else { 85 });
        }
        if any(&[".change", ".direction", "doc_no"]) || number && any(&["quantity"]) && !any(&["amount_fen"])
        {
            return (FileKind::StockDelta, if any(&[".change", ".direction"]) { 95 } else { 75 });
        }
        if number && any(&["amount_fen"]) {
            return (FileKind::Sales, 70);
        }
        let prices = any(&["unit_price_fen", "list_price_fen", "member_price_fen"]);
        if prices && !any(&["quantity"]) {
            return (FileKind::Prices, 92);
        }
        (FileKind::StockSnapshot, if any(&["quantity"]) { 90 } else { 50 })
    }
}
