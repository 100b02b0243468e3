//! The ERP's reports, as they come out of it: GBK, title lines, a total at the end, and rows that somebody typed wrongly.

use super::{ErpFile, Slip};
use crate::{beijing, market::yuan_text};
use std::{collections::BTreeMap, fmt::Write as _};

/// How much there is. Two rows are wrong on purpose: a store that nobody knows, and a quantity that is no number.
pub(super) fn stock(levels: &BTreeMap<String, BTreeMap<String, i64>>, evening: i64) -> ErpFile {
    let mut text = format!("门店库存日报,,,,,\r\n日期:{},,,,,\r\n", beijing(evening, "%Y年%m月%d日 %H:%M"));
    text.push_str("门店编号,款号,颜色,尺码,库存数量,零售价\r\n");
    let mut total = 0;
    for (store, levels) in levels {
        for (sku, qty) in levels {
            total += qty;
            row(&mut text, store, sku, &qty.to_string());
        }
    }
    for (store, qty) in [("9999", "0"), ("0012", "若干")] {
        row(&mut text, store, "QD26A000-01-M", qty);
    }
    let _written = write!(text, "合计,,,,{total},\r\n");
    ErpFile { name: beijing(evening, "STK_%Y%m%d.csv"), bytes: gbk(&text), faulty: 2 }
}

fn row(text: &mut String, store: &str, sku: &str, qty: &str) {
    let mut parts = sku.split('-');
    let mut part = || parts.next().unwrap_or_default();
    let _written = write!(text, "{store},{},{},{},{qty},\r\n", part(), part(), part());
}

/// What was sold, a row a line, ways of paying on the first line of a slip. The last slip does not add up, on purpose.
pub(super) fn sales(slips: &[Slip], evening: i64) -> ErpFile {
    let mut text = String::from("门店,小票号,时间,行号,货号,数量,单价,金额,现金,找零,银行卡,微信,支付宝\r\n");
    for slip in slips {
        for (line, no) in slip.lines.iter().zip(1..) {
            let at = beijing(slip.at, "%Y-%m-%d %H:%M:%S");
            let (price, amount) = (yuan_text(line.unit_price_fen), yuan_text(line.qty * line.unit_price_fen));
            let tenders = if no == 1 { tenders(slip) } else { ",,,,".to_owned() };
            let (store, slip_no, sku, qty) = (&slip.store_code, &slip.slip_no, &line.sku, line.qty);
            let _written =
                write!(text, "{store},{slip_no},{at},{no},{sku},{qty},{price},{amount},{tenders}\r\n");
        }
    }
    let at = beijing(evening, "%Y-%m-%d %H:%M:%S");
    let no = beijing(evening, "0012BAD%Y%m%d");
    let _written = write!(text, "0012,{no},{at},1,QD26A000-01-M,1,99.00,99.00,,,,90.00,\r\n");
    ErpFile { name: beijing(evening, "SALE_%Y%m%d.csv"), bytes: gbk(&text), faulty: 1 }
}

fn tenders(slip: &Slip) -> String {
    let fen = |kind: &str| slip.tenders.get(kind).copied().filter(|fen| *fen != 0);
    let cell = |fen: Option<i64>| fen.map(yuan_text).unwrap_or_default();
    let change = Some(slip.change_fen).filter(|fen| *fen != 0);
    let cash = fen("cash").map(|fen| fen + slip.change_fen);
    let cells = [cash, change, fen("card"), fen("wechat"), fen("alipay")];
    cells.map(cell).join(",")
}

fn gbk(text: &str) -> Vec<u8> {
    encoding_rs::GBK.encode(text).0.into_owned()
}
