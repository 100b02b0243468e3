//! A store chain's old ERP, which knows no web: every evening it writes how much each store has, and what its tills sold, as
//! files in GBK with title lines, totals and the small faults that such files have.
//!
//! A seed decides everything, so that a day can be written again byte for byte. [`Erp::truth`] says what a gateway must know
//! afterwards; rows that are wrong on purpose are in no truth, because nobody can know what they should have been.

mod book;
mod sheet;

pub use book::{Slip, SlipLine};

use crate::dice::Dice;
use book::Book;
use serde::Serialize;
use std::{collections::BTreeMap, path::Path};

/// A store of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Store {
    /// As the store directory has it.
    pub code: &'static str,
    /// Its name.
    pub name: &'static str,
}

/// Stores of the sample's store directory.
pub const STORES: [Store; 3] = [
    Store { code: "0012", name: "成都锦里巷加盟店" },
    Store { code: "0108", name: "西安南门加盟店" },
    Store { code: "0230", name: "哈尔滨松花江街直营店" },
];

/// A file as the ERP writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErpFile {
    /// `STK_20260120.csv`, `SALE_20260120.csv`.
    pub name: String,
    /// GBK.
    pub bytes: Vec<u8>,
    /// Rows that are wrong on purpose.
    pub faulty: usize,
}

/// What is true after the last day.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Truth {
    /// Pieces by store and SKU, as the last stock file says.
    pub stock: BTreeMap<String, BTreeMap<String, i64>>,
    /// Every slip that was printed.
    pub slips: Vec<Slip>,
    /// Rows wrong on purpose, over all files.
    pub faulty: usize,
}

/// The ERP.
#[derive(Debug, Clone)]
pub struct Erp {
    book: Book,
    dice: Dice,
    /// Unix seconds of the first day's evening.
    first_evening: i64,
    day: u32,
    truth: Truth,
}

/// SKUs of each store.
const SKUS: u32 = 40;
/// Tickets of a store in a day.
const TICKETS: u32 = 6;
const DAY_S: i64 = 86_400;

impl Erp {
    /// An ERP whose first day ends at `first_evening`, in unix seconds.
    pub fn open(seed: u64, first_evening: i64) -> Erp {
        Erp::sized(seed, first_evening, SKUS)
    }

    /// The same with so many SKUs in each store, at most some ten thousand.
    pub fn sized(seed: u64, first_evening: i64, skus: u32) -> Erp {
        let mut dice = Dice::new(seed);
        let book = Book::open(&mut dice, &STORES, skus);
        Erp { book, dice, first_evening, day: 0, truth: Truth::default() }
    }

    /// One more day: what its tills sold, then how much there is in the evening.
    pub fn close_day(&mut self) -> [ErpFile; 2] {
        let evening = self.first_evening + DAY_S * i64::from(self.day);
        self.day += 1;
        let slips = self.book.trade(&mut self.dice, TICKETS, evening);
        let sales = sheet::sales(&slips, evening);
        let stock = sheet::stock(self.book.levels(), evening);
        self.truth.stock = self.book.levels().clone();
        self.truth.slips.extend(slips);
        self.truth.faulty += sales.faulty + stock.faulty;
        [sales, stock]
    }

    /// What is true by now.
    pub fn truth(&self) -> &Truth {
        &self.truth
    }

    /// Closes `days` days and writes their files into `folder`, as the ERP does: first under another name, then renamed. What is
    /// there already is left as it is.
    pub fn write(&mut self, folder: &Path, days: u32) -> std::io::Result<Vec<String>> {
        std::fs::create_dir_all(folder)?;
        let mut written = Vec::new();
        for file in (0..days).flat_map(|_| self.close_day()) {
            let path = folder.join(&file.name);
            if !path.exists() {
                let part = folder.join(format!("{}.part", file.name));
                std::fs::write(&part, &file.bytes)?;
                std::fs::rename(&part, &path)?;
                written.push(file.name);
            }
        }
        Ok(written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENING: i64 = 1_768_910_400; // 2026-01-20 20:00 in Beijing

    #[test]
    fn a_seed_writes_the_same_files() {
        let days = |seed| {
            let mut erp = Erp::open(seed, EVENING);
            [erp.close_day(), erp.close_day()]
        };
        assert_eq!(days(7), days(7));
        assert_ne!(days(7), days(8));
    }

    #[test]
    fn a_stock_file_looks_like_one() {
        let [_, stock] = Erp::open(7, EVENING).close_day();
        assert_eq!(stock.name, "STK_20260120.csv");
        let (text, _, broken) = encoding_rs::GBK.decode(&stock.bytes);
        assert!(!broken);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "门店库存日报,,,,,");
        assert!(lines[1].starts_with("日期:2026年01月20日"), "{}", lines[1]);
        assert_eq!(lines[2], "门店编号,款号,颜色,尺码,库存数量,零售价");
        assert!(lines.last().unwrap().starts_with("合计,,,,"));
        assert_eq!(lines.len(), 3 + 3 * SKUS as usize + stock.faulty + 1);
    }

    #[test]
    fn what_was_sold_is_missing_in_the_evening() {
        let mut erp = Erp::open(3, EVENING);
        erp.close_day();
        let before = erp.truth().clone();
        erp.close_day();
        let sold: i64 = erp.truth().slips[before.slips.len()..]
            .iter()
            .flat_map(|slip| &slip.lines)
            .map(|line| line.qty)
            .sum();
        let units = |truth: &Truth| truth.stock.values().flat_map(BTreeMap::values).sum::<i64>();
        assert_eq!(units(&before) - units(erp.truth()), sold);
        assert!(sold > 0);
    }

    #[test]
    fn files_that_are_there_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let first = Erp::open(5, EVENING).write(folder.path(), 1).unwrap();
        assert_eq!(first, ["SALE_20260120.csv", "STK_20260120.csv"]);
        let second = Erp::open(5, EVENING).write(folder.path(), 2).unwrap();
        assert_eq!(second, ["SALE_20260121.csv", "STK_20260121.csv"]);
    }
}
