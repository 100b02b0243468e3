//! The file: a stock snapshot as a chain's old ERP would export it, GBK, the same bytes for the same seed.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

/// Stores of the chain.
pub(crate) const STORES: u32 = 500;
/// One row in so many has a cell that a spreadsheet has spoilt.
const SPOILT_EVERY: u32 = 4_000;
/// Rows in a hundred that have another figure on the second day.
const CHANGED_PER_CENT: u64 = 30;
const CITIES: [&str; 10] = ["成都", "西安", "哈尔滨", "杭州", "长沙", "沈阳", "昆明", "青岛", "郑州", "厦门"];
const COLOURS: [&str; 8] = ["米白", "藏青", "酒红", "墨绿", "卡其", "浅灰", "黑色", "雾蓝"];
const SIZES: [&str; 5] = ["S", "M", "L", "XL", "2XL"];

/// Files of two days, the mapping and the directory that go with them.
pub(crate) struct Made {
    pub(crate) first_day: PathBuf,
    pub(crate) second_day: PathBuf,
    /// JSON, which is YAML as well.
    pub(crate) mapping: PathBuf,
    pub(crate) stores: PathBuf,
    pub(crate) rows: u32,
    /// Size of the first day's file.
    pub(crate) bytes: u64,
    /// Rows that have to be rejected, on either day.
    pub(crate) spoilt: u32,
}

/// Writes all of it into `folder`.
pub(crate) fn make(folder: &Path, rows: u32) -> Result<Made> {
    fs::create_dir_all(folder).context("making a folder")?;
    let within = |name: &str| folder.join(name);
    let made = Made {
        first_day: within("stock-1.csv"),
        second_day: within("stock-2.csv"),
        mapping: within("stock.yaml"),
        stores: within("stores.csv"),
        rows,
        bytes: 0,
        spoilt: rows / SPOILT_EVERY,
    };
    for (path, day) in [(&made.first_day, 1), (&made.second_day, 2)] {
        write_day(path, rows, day).with_context(|| format!("writing {}", path.display()))?;
    }
    fs::write(&made.mapping, serde_json::to_vec_pretty(&mapping())?).context("writing the mapping")?;
    let mut directory = "code,name,region,ownership\n".to_owned();
    for store in 1..=STORES {
        writeln!(directory, "{store:04},{},{},franchise", name(store), city(store))?;
    }
    fs::write(&made.stores, directory).context("writing the store directory")?;
    let bytes = fs::metadata(&made.first_day)?.len();
    Ok(Made { bytes, ..made })
}

/// How the file is read: four typed columns out of six, stores checked, repeats found.
pub(crate) fn mapping() -> Value {
    json!({
        "kind": "stock_snapshot",
        "container": {"format": "delimited", "encoding": "gbk", "bom": false, "delimiter": ",", "quote": "\"",
            "doubled_quote": true, "row_ref": "line"},
        "rows": {"blank": "skip", "header_rows": [1]},
        "fields": [
            {"to": "store_code", "from": "门店", "type": "code", "known": "stores"},
            {"to": "sku", "from": "货号", "type": "code", "required": true},
            {"to": "quantity", "from": "数量", "type": "quantity", "required": true},
            {"to": "occurred_at", "from": "日期", "type": "datetime", "formats": ["%Y-%m-%d"], "required": true},
        ],
        "timezone": "+08:00",
        "duplicates": {"key": ["store_code", "sku"], "policy": "error"},
        "guard": {"max_drop_pct": 30, "min_rows": 10, "scope": "store", "absent_store": "leave_unchanged"},
    })
}

/// Codes and names of the stores.
pub(crate) fn stores() -> impl Iterator<Item = (String, String)> {
    (1..=STORES).map(|store| (format!("{store:04}"), name(store)))
}

fn write_day(path: &Path, rows: u32, day: u32) -> Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    let mut line = String::from("门店,门店名称,货号,品名,数量,日期\r\n");
    let of_store = rows.div_ceil(STORES).max(1);
    for row in 0..rows {
        write_gbk(&mut out, &line)?;
        line.clear();
        let (store, item) = (row / of_store + 1, row % of_store);
        let (style, colour, size) = (item / 40, pick(&COLOURS, item / 5), pick(&SIZES, item));
        write!(line, "{store:04},{},QD13A{style:03}-{:02}-{size},", name(store), item / 5 % 8)?;
        write!(line, "女士印花针织衫 {colour} {size},")?;
        if row % SPOILT_EVERY == SPOILT_EVERY - 1 {
            line.push_str("#REF!");
        } else {
            write!(line, "{}", quantity(row, day))?;
        }
        write!(line, ",2025-01-{:02}\r\n", day + 4)?;
    }
    write_gbk(&mut out, &line)?;
    out.flush().context("writing")
}

fn write_gbk(out: &mut impl std::io::Write, text: &str) -> Result<()> {
    let (bytes, _, lost) = encoding_rs::GBK.encode(text);
    anyhow::ensure!(!lost, "GBK has no letter for something in {text:?}");
    out.write_all(&bytes).context("writing")
}

/// The figure of the first day, or of the second where it changed.
fn quantity(row: u32, day: u32) -> u64 {
    let first = mixed(u64::from(row)) % 100;
    let changes = mixed(u64::from(row) ^ 0x5eed) % 100 < CHANGED_PER_CENT;
    if day == 2 && changes { (first + 7) % 100 } else { first }
}

/// `SplitMix64`: the same everywhere.
fn mixed(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn city(store: u32) -> &'static str {
    pick(&CITIES, store)
}

fn name(store: u32) -> String {
    format!("{}第{store}加盟店", city(store))
}

fn pick(of: &[&'static str], at: u32) -> &'static str {
    of.iter()
        .cycle()
        .nth(usize::try_from(at).unwrap_or_default() % of.len().max(1))
        .copied()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_the_figures_changes_over_night() {
        let changed = (0..10_000).filter(|row| quantity(*row, 1) != quantity(*row, 2)).count();
        assert!((2_700..3_300).contains(&changed), "{changed}");
        assert_eq!(quantity(5, 1), quantity(5, 1));
    }
}
