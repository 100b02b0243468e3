//! The dictionary: what columns of shops' files are called (`words.tsv`), sizes, and words for totals, directions, payments.

use super::clean;
use std::collections::BTreeMap;
use std::sync::OnceLock;

const TABLE: &str = include_str!("words.tsv");
/// Score of a heading that stands in the dictionary as it is.
pub(crate) const EXACT: u32 = 100;

/// Meanings of headings.
pub(crate) struct Words {
    /// Word, its meanings with the place of the word in the meaning's line.
    by_word: BTreeMap<&'static str, Vec<(&'static str, usize)>>,
}

/// The dictionary, read once.
pub(crate) fn words() -> &'static Words {
    static WORDS: OnceLock<Words> = OnceLock::new();
    WORDS.get_or_init(|| {
        let mut by_word: BTreeMap<&'static str, Vec<(&'static str, usize)>> = BTreeMap::new();
        for (meaning, list) in TABLE.lines().filter_map(|line| line.split_once('\t')) {
            for (place, word) in list.split(' ').enumerate() {
                by_word.entry(word).or_default().push((meaning, place));
            }
        }
        Words { by_word }
    })
}

impl Words {
    /// Meanings that a heading can have, with a score of at most [`EXACT`]: the whole heading, the heading without what stands
    /// in brackets, then the longest word that it begins or ends with or contains.
    pub(crate) fn meanings(&self, heading: &str) -> Vec<(&'static str, u32)> {
        let low = heading.to_lowercase();
        // the second of two equal headings is written `数量#2`
        let low =
            low.split_once('#').map_or(low.as_str(), |(name, _)| if name.is_empty() { &low } else { name });
        let low: String = low.chars().filter(|c| !matches!(c, '_' | '-' | '.' | ':' | '*')).collect();
        if let Some(found) = self.by_word.get(low.as_str()) {
            return found.iter().map(|(meaning, place)| (*meaning, ranked(EXACT, *place))).collect();
        }
        let bare = without_brackets(&low);
        if let Some(found) = self.by_word.get(bare.as_str()) {
            return found.iter().map(|(meaning, place)| (*meaning, ranked(95, *place))).collect();
        }
        self.contained(&bare)
    }

    fn contained(&self, bare: &str) -> Vec<(&'static str, u32)> {
        let length = bare.chars().count();
        // short Latin words stand out beside Chinese ones only
        let least = if clean::has_hanzi(bare) { 3 } else { 4 };
        let mut best: BTreeMap<&'static str, u32> = BTreeMap::new();
        for (word, meanings) in &self.by_word {
            let own = word.chars().count();
            let long_enough = if clean::has_hanzi(word) { own >= 2 } else { own >= least };
            if !long_enough || !bare.contains(word) {
                continue;
            }
            let share = u32::try_from(own * 30 / length.max(1)).unwrap_or(30);
            let end = if bare.ends_with(word) { 8 } else { 0 };
            for (meaning, _) in meanings {
                let score = best.entry(meaning).or_default();
                *score = (*score).max(50 + share + end);
            }
        }
        // `微信/支付宝` is either: no guess
        if best.keys().filter(|meaning| TENDERS.contains(meaning)).count() > 1 {
            best.retain(|meaning, _| !TENDERS.contains(meaning));
        }
        best.into_iter().collect()
    }

    /// Ways of paying that a heading names together: `微信/支付宝`.
    pub(crate) fn joined_tenders(&self, heading: &str) -> Vec<&'static str> {
        let parts = heading.split(['/', '+', '、', '&', '|']);
        let kinds: Vec<&'static str> = parts.filter_map(|part| self.tender(part)).collect();
        if kinds.len() > 1 { kinds } else { Vec::new() }
    }

    /// Whether a heading is one that the dictionary has as it is.
    pub(crate) fn knows(&self, heading: &str) -> bool {
        self.meanings(heading).iter().any(|(_, score)| *score >= 90)
    }

    /// How a way of paying is called in our words, by what a till calls it.
    pub(crate) fn tender(&self, name: &str) -> Option<&'static str> {
        let low = clean::heading(name).to_lowercase();
        let found = self.by_word.get(low.as_str())?;
        TENDERS.into_iter().find(|kind| found.iter().any(|(meaning, _)| meaning == kind))
    }
}

/// A word that stands later in its line counts a little less, so that equals differ only where the dictionary says so.
fn ranked(score: u32, place: usize) -> u32 {
    score.saturating_sub(u32::try_from(place / 12).unwrap_or(0))
}

fn without_brackets(heading: &str) -> String {
    let mut depth = 0_u32;
    let mut kept = String::new();
    for c in heading.chars() {
        match c {
            '(' | '[' | '【' | '<' => depth += 1,
            ')' | ']' | '】' | '>' => depth = depth.saturating_sub(1),
            _ if depth == 0 => kept.push(c),
            _ => {}
        }
    }
    kept
}

/// Ways of paying, in the order in which tickets list them.
pub(crate) const TENDERS: [&str; 6] = ["cash", "card", "wechat", "alipay", "voucher", "points"];

const LETTER_SIZES: [&str; 22] = [
    "XXS", "2XS", "XS", "S", "M", "L", "XL", "XXL", "2XL", "XXXL", "3XL", "XXXXL", "4XL", "5XL", "6XL", "F",
    "FREE", "均码", "均", "SM", "ML", "7XL",
];

/// Whether a text is a size of clothes or shoes.
pub(crate) fn is_size(text: &str) -> bool {
    let whole = text.strip_suffix(".0").unwrap_or(text);
    if LETTER_SIZES.iter().any(|size| size.eq_ignore_ascii_case(whole)) {
        return true;
    }
    let (base, half) = whole.strip_suffix(".5").map_or((whole, false), |base| (base, true));
    let number = base.parse::<u32>().ok().filter(|_| !base.starts_with(['0', '+']));
    number
        .is_some_and(|n| (22..=50).contains(&n) || (!half && (52..=200).contains(&n) && n.is_multiple_of(5)))
}

/// Letter sizes that mean the same in two notations: (doubled letters, with a figure).
pub(crate) const SIZE_TWINS: [(&str, &str); 4] =
    [("XXL", "2XL"), ("XXXL", "3XL"), ("XXXXL", "4XL"), ("XXS", "2XS")];

/// What a total row calls itself, without blanks.
pub(crate) fn total_word(text: &str) -> Option<Total> {
    let squeezed: String = text.chars().filter(|c| !c.is_whitespace() && *c != ':').collect();
    match squeezed.to_lowercase().as_str() {
        "合计" | "总计" | "总合计" | "累计" | "total" | "grandtotal" | "sum" | "共计" => {
            Some(Total::Grand)
        }
        "小计" | "本页小计" | "本页合计" | "页小计" | "分类小计" | "subtotal" => {
            Some(Total::Part)
        }
        _ => None,
    }
}

/// Kinds of total rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Total {
    /// Of the whole file.
    Grand,
    /// Of a part.
    Part,
}

/// Beginnings of lines that only a printed report has.
pub(crate) const FOOTERS: [&str; 9] =
    ["制表人", "制表", "打印时间", "打印日期", "导出时间", "审核", "单位负责人", "页码", "printed"];

/// Which way goods go, by the word of a movement; none where the word says nothing.
pub(crate) fn direction(word: &str) -> Option<bool> {
    let low = word.to_lowercase();
    let ins = ["销售退货", "退货入库", "入", "进", "盈", "收货", "收", "in", "receipt", "+", "增"];
    let outs = ["采购退货", "出", "亏", "损", "销售", "销", "发货", "发", "out", "issue", "-", "减", "领用"];
    if ["销售退货", "顾客退货", "退货入库"].contains(&low.as_str()) {
        return Some(true);
    }
    let found = |list: &[&str]| {
        list.iter().any(|part| low == *part || (clean::has_hanzi(part) && low.contains(part)))
    };
    match (found(&ins), found(&outs)) {
        (true, false) => Some(true),
        (false, true) => Some(false),
        _ => None,
    }
}

/// Whether a word of a sales line means goods that went out (true) or came back (false).
pub(crate) fn sale_direction(word: &str) -> Option<bool> {
    let low = word.to_lowercase();
    let back = ["退", "return", "refund", "冲"].iter().any(|part| low.contains(part));
    let out = ["销售", "sale", "零售", "售出", "正常", "销"].iter().any(|part| low.contains(part));
    match (out, back) {
        (_, true) => Some(false),
        (true, false) => Some(true),
        (false, false) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(heading: &str, meaning: &str) {
        let found = words().meanings(heading);
        assert!(found.iter().any(|(name, _)| *name == meaning), "{heading}: {found:?}");
    }

    #[test]
    fn headings() {
        check("门店", "store_code");
        check("条形码(必填)", "barcode");
        check("数量#2", "quantity");
        check("SKU", "sku");
        check("stock_qty", "quantity");
        check("当前库存数", "quantity");
        check("微信", "wechat");
        check("XSRQ", "occurred_at");
    }

    #[test]
    fn every_line_of_the_table_is_read() {
        assert!(words().by_word.len() > 500);
        assert!(words().by_word.keys().all(|word| *word == clean::heading(word).to_lowercase()));
    }

    #[test]
    fn sizes() {
        for size in ["S", "3XL", "28", "28.0", "130", "均码", "36.5"] {
            assert!(is_size(size), "{size}");
        }
        for other in ["", "0", "12", "QD13", "1299", "合计", "99999"] {
            assert!(!is_size(other), "{other}");
        }
    }

    #[test]
    fn ways() {
        assert_eq!(direction("销售退货"), Some(true));
        assert_eq!(direction("调拨出库"), Some(false));
        assert_eq!(direction("调"), None);
        assert_eq!(direction("不明业务"), None);
        assert_eq!(sale_direction("退货"), Some(false));
    }
}
