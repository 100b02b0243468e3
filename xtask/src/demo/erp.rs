//! The store chain's old ERP: it knows no web and writes two files every evening into the folder that the sample's channels
//! watch. The first evening's figures wait for a person, because nothing is known of those stores yet; the demo looks and
//! confirms. Then comes the second evening, and what the gateway says is compared with what the ERP knows.

use super::folder::Folder;
use super::gateway::Gateway;
use super::verify::{list, text};
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// Channels of the sample that the files belong to.
pub(super) const STOCK: &str = "store-stock";
const SLIPS: &str = "store-sales";
/// What the sample's channels watch.
pub(super) const INBOX: &str = "inbox/store";
const DAYS: u32 = 2;
/// Files of an evening.
const FILES: usize = 2;
/// How long a file may take, its settling included.
const FILE_MAX: Duration = Duration::from_mins(1);
/// The program's words for ways of paying, and the gateway's.
const METHODS: [(&str, &str); 2] = [("card", "bank_card"), ("wechat", "wechat_pay")];

/// The ERP and what it has written.
pub(super) struct Erp {
    simulator: PathBuf,
    inbox: PathBuf,
    seed: u64,
    day: u32,
    confirmed: BTreeSet<String>,
    since: Instant,
    /// What is true by now.
    pub(super) truth: Value,
}

/// What the gateway says about stores.
#[derive(Default)]
pub(super) struct Stores {
    pub(super) imports: Vec<Value>,
    pub(super) stock: Vec<Value>,
    pub(super) slips: Vec<Value>,
    pub(super) quarantine: Vec<Value>,
}

impl Erp {
    pub(super) fn new(simulator: &Path, folder: &Folder, seed: u64) -> Erp {
        let inbox = folder.path.join(INBOX);
        let (simulator, confirmed) = (simulator.to_owned(), BTreeSet::new());
        Erp { simulator, inbox, seed, day: 0, confirmed, since: Instant::now(), truth: Value::Null }
    }

    /// Does what can be done now; whether all files count.
    pub(super) fn advance(&mut self, gateway: &Gateway) -> Result<bool> {
        let imports = gateway.list("/v1/imports")?;
        let waits = |import: &&Value| matches!(text(import, "state"), "held" | "partial");
        for import in imports.iter().filter(waits) {
            let id = text(import, "id");
            if self.confirmed.insert(id.to_owned()) {
                gateway.http.post(&format!("/v1/imports/{id}/confirm"), &json!({}))?;
            }
        }
        let count = |state: &str| imports.iter().filter(|import| text(import, "state") == state).count();
        if let Some(bad) =
            imports.iter().find(|import| matches!(text(import, "state"), "rejected" | "failed" | "discarded"))
        {
            bail!("the file {} was {}: {}", text(bad, "name"), text(bad, "state"), text(bad, "explain"));
        }
        if count("applied") < FILES * self.day as usize {
            if self.since.elapsed() > FILE_MAX {
                bail!("a file of the ERP does not count after {FILE_MAX:?}: {}", Value::from(imports));
            }
            return Ok(false);
        }
        if self.day == DAYS {
            return Ok(true);
        }
        self.day += 1;
        self.since = Instant::now();
        self.truth = self.write()?;
        Ok(false)
    }

    /// One more evening.
    fn write(&self) -> Result<Value> {
        let mut command = Command::new(&self.simulator);
        command.arg("erp").arg("--folder").arg(&self.inbox);
        command.arg("--days").arg(self.day.to_string()).arg("--seed").arg(self.seed.to_string());
        let done = command.output().context("running the ERP")?;
        if !done.status.success() {
            bail!("the ERP ended with {}: {}", done.status, String::from_utf8_lossy(&done.stderr));
        }
        let said: Value = serde_json::from_slice(&done.stdout).context("what the ERP says")?;
        said.get("truth").cloned().context("the truth of the ERP")
    }
}

impl Stores {
    pub(super) fn read(gateway: &Gateway) -> Result<Stores> {
        Ok(Stores {
            imports: gateway.list("/v1/imports")?,
            stock: gateway.list("/v1/stock")?,
            slips: gateway.list("/v1/slips")?,
            quarantine: gateway.list("/v1/quarantine")?,
        })
    }
}

/// Every difference from what the ERP knows.
pub(super) fn differences(truth: &Value, stores: &Stores, events: &[Value]) -> Vec<String> {
    let mut found = Vec::new();
    let said = levels(stores.stock.iter());
    let announced = levels(events.iter().filter_map(|event| event.pointer("/data/stock")));
    let told = list_of_levels(truth);
    for (what, levels) in [("the stock", &said), ("the feed", &announced)] {
        for (key, pieces) in &told {
            if levels.get(key) != Some(pieces) {
                let (store, sku) = key;
                let shown = levels.get(key).map_or_else(|| "nothing".to_owned(), i64::to_string);
                found.push(format!(
                    "{STOCK}: {what} says {shown} of {sku} in {store} but should say {pieces}"
                ));
            }
        }
        for (store, sku) in levels.keys().filter(|key| !told.contains_key(*key)) {
            found.push(format!("{STOCK}: {what} knows {sku} in {store}, which the ERP does not"));
        }
    }
    found.extend(slips(truth, &stores.slips));
    let rows: BTreeSet<(&str, u64)> = stores
        .quarantine
        .iter()
        .map(|reject| (text(reject, "import"), reject.get("row").and_then(Value::as_u64).unwrap_or_default()))
        .collect();
    let faulty = truth.get("faulty").and_then(Value::as_u64).unwrap_or_default();
    if rows.len() as u64 != faulty {
        found.push(format!("{} rows are in quarantine but {faulty} are wrong", rows.len()));
    }
    found
}

type Levels = BTreeMap<(String, String), i64>;

/// The last word about each level that the ERP has told of; others are made of promises to orders alone.
fn levels<'a>(said: impl Iterator<Item = &'a Value>) -> Levels {
    let said = said.filter(|level| level.get("as_of").is_some());
    let level = |level: &Value| {
        let key = (text(level, "store_code").to_owned(), text(level, "sku").to_owned());
        (key, level.get("on_hand").and_then(Value::as_i64).unwrap_or_default())
    };
    said.map(level).collect()
}

fn list_of_levels(truth: &Value) -> Levels {
    let stores = truth.get("stock").and_then(Value::as_object).into_iter().flatten();
    let levels = stores.flat_map(|(store, levels)| {
        let levels = levels.as_object().into_iter().flatten();
        levels.map(move |(sku, pieces)| ((store.clone(), sku.clone()), pieces.as_i64().unwrap_or_default()))
    });
    levels.collect()
}

fn slips(truth: &Value, said: &[Value]) -> Vec<String> {
    let mut found = Vec::new();
    let mut known: BTreeMap<&str, &Value> = said.iter().map(|slip| (text(slip, "slip_no"), slip)).collect();
    for slip in list(truth, "slips") {
        let no = text(slip, "slip_no");
        let Some(entity) = known.remove(no) else {
            found.push(format!("{SLIPS}: the slip {no} is missing"));
            continue;
        };
        if text(entity, "kind") != text(slip, "kind") || paid(entity) != tendered(slip) {
            found.push(format!("{SLIPS}: the slip {no} is {entity} but should be {slip}"));
        }
    }
    found.extend(known.keys().map(|no| format!("{SLIPS}: the slip {no} was never printed")));
    found
}

/// Fen by the gateway's word for the way of paying.
fn paid(slip: &Value) -> BTreeMap<String, i64> {
    let tender = |tender: &Value| {
        let fen = tender.get("amount_fen").and_then(Value::as_i64).unwrap_or_default();
        (text(tender, "method").to_owned(), fen)
    };
    list(slip, "tenders").map(tender).collect()
}

fn tendered(slip: &Value) -> BTreeMap<String, i64> {
    let word = |kind: &str| {
        METHODS.iter().find(|(theirs, _)| *theirs == kind).map_or(kind, |(_, ours)| ours).to_owned()
    };
    let tenders = slip.get("tenders").and_then(Value::as_object).into_iter().flatten();
    let fen = |fen: &Value| fen.as_i64().unwrap_or_default();
    tenders.map(|(kind, amount)| (word(kind), fen(amount))).filter(|(_, amount)| *amount != 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn truth() -> Value {
        json!({
            "stock": {"0012": {"A": 3}},
            "slips": [{"slip_no": "S1", "kind": "sale", "tenders": {"cash": 100, "wechat": 50, "card": 0}}],
            "faulty": 1,
        })
    }

    fn stores() -> Stores {
        Stores {
            imports: vec![],
            stock: vec![
                json!({"store_code": "0012", "sku": "A", "on_hand": 3, "as_of": "2026-01-20T12:00:00Z"}),
            ],
            slips: vec![json!({"slip_no": "S1", "kind": "sale", "tenders": [
                {"method": "cash", "amount_fen": 100}, {"method": "wechat_pay", "amount_fen": 50}]})],
            quarantine: vec![
                json!({"import": "imp_1", "row": 7, "kind": "bad_date"}),
                json!({"import": "imp_1", "row": 7, "kind": "not_a_number"}),
            ],
        }
    }

    fn event(pieces: i64) -> Value {
        json!({"data": {"stock": {"store_code": "0012", "sku": "A", "on_hand": pieces, "as_of": "2026-01-20T12:00:00Z"}}})
    }

    #[track_caller]
    fn check(change: impl FnOnce(&mut Stores, &mut Vec<Value>), expect: &[&str]) {
        let (mut stores, mut events) = (stores(), vec![event(9), event(3)]);
        change(&mut stores, &mut events);
        assert_eq!(differences(&truth(), &stores, &events), expect);
    }

    #[test]
    fn what_is_equal_is_no_difference() {
        check(|_, _| {}, &[]);
    }

    #[test]
    fn every_difference_is_a_sentence() {
        check(
            |stores, _| stores.stock[0]["on_hand"] = json!(4),
            &["store-stock: the stock says 4 of A in 0012 but should say 3"],
        );
        check(
            |_, events| events.clear(),
            &["store-stock: the feed says nothing of A in 0012 but should say 3"],
        );
        check(|stores, _| stores.slips.clear(), &["store-sales: the slip S1 is missing"]);
        check(|stores, _| stores.quarantine.clear(), &["0 rows are in quarantine but 1 are wrong"]);
        check(
            |stores, _| stores.slips.push(json!({"slip_no": "S2"})),
            &["store-sales: the slip S2 was never printed"],
        );
    }
}
