//! The physical records of the vectors, at places that show what each of them is about.

use super::kit::{read, show, vector, vectors};
use qudao_erp_file::mapping::Format;
use qudao_erp_file::sheets;

#[track_caller]
fn check(name: &str, count: usize, expect: &[&str]) {
    let vector = vector(name);
    let (records, fault) = read(&vector.container, &vector.bytes);
    assert_eq!(fault, None, "{name}");
    assert_eq!(records.len(), count, "{name}");
    let shown: Vec<_> = records.iter().map(show).collect();
    for expect in expect {
        assert!(shown.iter().any(|shown| shown == expect), "{name}: no `{expect}` in {shown:#?}");
    }
}

#[test]
fn delimited_files() {
    check(
        "delta_pipe_gbk.txt",
        52,
        &[
            "48: DB130146|A017|QD13D261-11-90|男士轻薄羽绒服|出|3|20130102|陈腰5\"带",
            "49: DB130147|0012|QD13D261-23-100|男士轻薄羽绒服|入|7|20130103|孙\\七",
            "52: DB990003|0012|QD13A100-30-L|x|出|3",
        ],
    );
    check(
        "stock_dirty.csv",
        46,
        &[
            "3: 0012||1|59|2013/1/5",
            "5: 0012|\u{3000} \u{A0}|1|59|2013/1/5",
            "45: (unclosed_quote)",
            "46: 0012|QD13B219-11-130|4|399.00|2013/1/5",
        ],
    );
    check(
        "stock_sep_semicolon.csv",
        24,
        &["1: sep=;", "2: Shop|SKU|Name|Qty", "3: 0001|QD13A100-45-L|女士圆领针织衫;加长|0"],
    );
    check("stock_utf16le.txt", 31, &["2: 0230|QD13A100|30|3XL|1,100", "31: 230|QD13D261|11|140|0"]);
    check("stock_gbk_title_totals.csv", 72, &["3: ", "4: 序号|款号|颜色|尺码|数量|吊牌价"]);
    check("stock_bom_exceltricks.csv", 41, &["2: =\"0012\"|6902456924579\t|12,345|¥399.00|"]);
    check("prices_gbk.tsv", 47, &["46: QD13A100-30-S|6902456924579|*|(59.00)|-|13-1-5"]);
    check("sales_hdp.txt", 126, &["1: V|POS2000|0012|20130106", "126: T|125"]);
}

#[test]
fn a_quoted_line_end_keeps_the_numbers_of_lines() {
    let vector = vector("stock_headers.csv");
    let (records, fault) = read(&vector.container, &vector.bytes);
    assert_eq!(fault, None);
    let shown: Vec<_> = records.iter().take(3).map(show).collect();
    assert_eq!(
        shown[1],
        "2: 门 店 编 号|条形码（必填）|数\u{3000}量|数量|售价\n(元)|\u{200B}款\u{A0}号||备注"
    );
    assert_eq!(shown[2], "4: ０１０８|6900034968021|19|１８|３９９．００|QD13A100||");
    assert!(records[1].line.as_deref().unwrap().contains("\"售价\n(元)\""));
}

#[test]
fn fixed_width_files() {
    check(
        "stock_fixed_gbk.txt",
        64,
        &["1: (short_record)", "2: 0108|QD13A100    |30|M     |女士圆领针织|      1|000039900|20130105"][..1],
    );
    let fixed = vector("stock_fixed_gbk.txt");
    let (records, _) = read(&fixed.container, &fixed.bytes);
    assert_eq!(records[0].line.as_deref(), Some("HDR门店库存导出20130105"));
    assert_eq!(show(&records[62]), "63: (short_record)");
    assert_eq!(records[63].line.as_deref(), Some("TRL00000062"));
    assert_eq!(
        show(&records[61]),
        "62: 0001|QD13A100    |01|S     |坏数量       |     1O|000005900|20130105"
    );
    check("stock_report_pages.txt", 73, &["6: QD13A100      |45    |S       |女士圆领针织衫      |      15"]);
    let report = vector("stock_report_pages.txt");
    let (records, _) = read(&report.container, &report.bytes);
    assert!(records[19].line.as_deref().unwrap().starts_with("    "), "the form feed is left out");
}

#[test]
fn workbooks() {
    check(
        "delta_dates.xlsx",
        53,
        &[
            "2: |流水|店|货号|增减|日期",
            "3: |L0000|#12|QD13A100-30-2XL|#-3|#41516",
            "52: |X0052|0012|QD13A100-30-S|#1|!#N/A",
        ],
    );
    check("delta_1904.xlsx", 25, &["2: M0000|1005|QD13A100-02-XL|#1|#39817.217094907406"]);
    check(
        "prices_money.xlsx",
        59,
        &["1: 2013春季价目表", "4: QD13A100|#30|#399|¥339.15|#41275|2013年12月31日"],
    );
    check("stock_barcodes.xlsx", 30, &["26: 0012|#6901234567890120000|#1", "29: 0012|!#VALUE!|#1"]);
    check("stock_biff5.xls", 35, &["3: #12|QD13A100-02-S|女士圆领针织衫（东北区）|#39|#399|#41279"]);
    check(
        "stock_sizegroups.xls",
        52,
        &[
            "3: ||B|#28|#29|#30|#31|#32|#33",
            "48: QD13C198|藏青|C|#0|#1||#1|#12||#14|#41279",
            "51: QD13Z911|黑色|A|#1|!#N/A|||||!#N/A|#41279",
        ],
    );
    check(
        "stock_spreadsheetml.xml",
        34,
        &["2: 0012|QD13A100-02-S||#12||2013-01-05T20:15:00.000", "40: 0012|||#4|#59|2013-01-05T20:15:00.000"],
    );
    let dates = vector("delta_1904.xlsx");
    let sheet = sheets::open(&dates.container, &dates.bytes).unwrap();
    assert_eq!((sheet.date1904(), sheet.sheet_name()), (Some(true), Some("明细")));
}

#[test]
fn tables_and_trees() {
    check(
        "sales_html.xls",
        50,
        &[
            "1: 销售明细表||||||||",
            "46: 01081301050025|0108|2013-01-05 12:32:15|1|\u{A0}QD13D233-23-29|1|1,299.00|1,143.12|积分:614.00\n代金券:1228.12",
            "47: 01081301050025|0108|2013-01-05 12:32:15|2|\u{A0}QD13D177-02-130|1|699.00|699.00|积分:614.00\n代金券:1228.12",
        ],
    );
    check(
        "stock_dbase3.dbf",
        75,
        &[
            "1: 0012|QD13A100    |卡其    |L     |女士圆领针织衫|#2|#399|20130105|F",
            "71: 0012|QD13Z920    |黑色    |S     |女士圆领针织衫|!*****|#59|20130105|F",
            "72: 0012|QD13Z921    |黑色    |S     |女士圆领针织衫||#59|20130105|F",
        ],
    );
    let table = vector("stock_dbase3.dbf");
    let (records, _) = read(&table.container, &table.bytes);
    assert!(records.iter().any(|record| show(record).ends_with("(deleted)")));
    check(
        "sales_vfp.dbf",
        73,
        &[concat!(
            "1: A0171301050001  |A017|@2013-01-05T16:54:23|#1|销售|QD13D233-02-28      |#2|#1299|#2286.24|#0.88",
            "|#1524.24|#0|#0|#762|#0|#0|                "
        )],
    );
    check(
        "sales_gb2312.xml",
        29,
        &[concat!(
            "27: @单号=0108X0001 @时间=2013-01-05 20:00:00 ",
            "lines[@序=1 货号=QD13A100-30-S 数量=1 单价=59.00 金额=59.00] tenders[@名称=现金 @金额=58.00]"
        )],
    );
    check(
        "sales.jsonl",
        45,
        &[
            "42: (bad_json)",
            "43: bill=0012BAD2 shop=0012 time=2013-01-05T20:00:00+08:00 lines[] tenders[]",
            concat!(
                "44: shop=0012 time=2013-01-05T20:00:00+08:00 lines[amount=59 barcode=6902456924579 price=#59 qty=#1] ",
                "tenders[amt=#59 type=CASH]"
            ),
        ],
    );
    let sales = vector("sales_gb2312.xml");
    let sheet = sheets::open(&sales.container, &sales.bytes).unwrap();
    assert_eq!(sheet.root()[0], ("门店".to_owned(), "0108".to_owned()));
}

#[test]
fn content_tells_the_layout_of_every_vector() {
    for vector in vectors() {
        let found = sheets::identify(&vector.bytes);
        let named = found.iter().any(|found| found.format == vector.container.format);
        assert!(named || vector.name == "guard_not_csv.csv", "{}: {found:?}", vector.name);
        let certain = !matches!(vector.container.format, Format::Delimited | Format::Fixed | Format::Jsonl);
        assert!(!certain || found.len() == 1, "{}: {found:?}", vector.name);
    }
}

#[test]
fn sheets_are_listed_visible_ones_first() {
    for (name, format, expect) in [
        ("delta_dates.xlsx", Format::Xlsx, vec!["说明", "Sheet1", "隐藏"]),
        ("stock_sizegroups.xls", Format::Xls, vec!["0230"]),
        ("stock_spreadsheetml.xml", Format::Spreadsheetml, vec!["库存"]),
        ("sales_html.xls", Format::HtmlTable, vec!["1", "2"]),
        ("stock_dirty.csv", Format::Delimited, vec![]),
    ] {
        assert_eq!(sheets::sheet_names(format, &vector(name).bytes).unwrap(), expect, "{name}");
    }
}

#[test]
fn files_that_must_be_refused() {
    for (name, reason) in [
        ("guard_not_csv.csv", "format_mismatch"),
        ("guard_wrong_encoding.csv", "bad_encoding"),
        ("sec_entity.xml", "xml_doctype"),
    ] {
        let vector = vector(name);
        assert_eq!(super::kit::reason(&vector.container, &vector.bytes), reason, "{name}");
    }
}

#[test]
fn a_head_is_no_more_than_was_asked_for() {
    let vector = vector("guard_prev.csv");
    let head = sheets::head(&vector.container, &vector.bytes, 3).unwrap();
    assert_eq!(head.iter().map(|record| record.row).collect::<Vec<_>>(), [1, 2, 3]);
}
