//! `qudao onboard` as somebody meets it who has never seen it: a file, a mapping, its mistakes, what would count.

use crate::program::{Folder, files, root};
use serde_json::{Value, json};
use std::{fs, path::PathBuf};

/// A small stock file with a fault of each kind that people make, in the encoding of its ERP.
const STOCK: &str = "门店,货号,数量,单价,日期\n0012,QD13A100-30-S,7,399.00,2013-01-05\n0012,QD13A100-30-M,一双,399.00,2013-01-05\n\
    9999,QD13A100-30-L,2,39.005,2013-01-05\n0012,QD13A100-30-XL,4\n\n0012,QD13A100-30-S,7,399.00,2013-01-05\n合计,,13,,\n";
pub(crate) const MAPPING: &str = r#"kind: stock_snapshot
container: {format: delimited, encoding: utf-8, delimiter: ",", quote: "\"", doubled_quote: true, row_ref: line}
rows: {blank: skip, header_rows: [1], stop_at: {column: 门店, regex: ^合计$}}
fields:
  - {to: store_code, from: 门店, type: code, known: stores, required: true}
  - {to: sku, from: 货号, type: code, required: true}
  - {to: quantity, from: 数量, type: quantity, required: true}
  - {to: unit_price_fen, from: 单价, type: money, min: 0}
  - {to: occurred_at, from: 日期, type: datetime, formats: ["%Y-%m-%d"], required: true}
duplicates: {key: [store_code, sku], policy: error}
"#;
const STORES: &str =
    "code,name,region,ownership\n0012,成都锦里巷加盟店,西南,franchise\n0108,西安南门加盟店,西北,加盟\n";

/// A folder with stores, the connector and a file.
pub(crate) fn folder() -> Folder {
    let folder = Folder::new();
    fs::create_dir_all(folder.path().join("plugins")).unwrap();
    fs::copy(files(), folder.path().join("plugins/files.wasm")).unwrap();
    folder.write(
        "connectors.yaml",
        "version: 1\ngateway: {hooks: 127.0.0.1:0, admin: 127.0.0.1:0}\nstores: stores.csv\nchannels: {}\n",
    );
    folder.write("stores.csv", STORES);
    folder.write("库存.csv", STOCK);
    folder.write("m.yaml", MAPPING);
    folder
}

fn vector(name: &str) -> PathBuf {
    root().join("plugins/erp-file/fixtures/vectors").join(name)
}

#[test]
fn a_preview_shows_rows_beside_cells_and_every_fault_with_its_remedy() {
    let folder = folder();
    let said =
        folder.run(&["onboard", "preview", "--mapping", "m.yaml", "库存.csv", "--rejects", "rejects.csv"]);
    insta::assert_snapshot!(said.all(), @r#"
    exit code 1
    --- stdout
    库存.csv  stock: how much there is

    1 good row
      ROW  STORE  SKU            QTY    YUAN  TIME        IN THE FILE
        2  0012   QD13A100-30-S    7  399.00  2013-01-05  0012 │ QD13A100-30-S │ 7 │ 399.00 │ 2013-01-05

    1 store
      STORE  NAME              ROWS  SKUS  PIECES
      0012   成都锦里巷加盟店     1     1       7

    4 faults in 3 rows

      not_a_number  1×  `…` is not a number
          row 3  数量  一双
        → Write the number in digits, without words or blanks.

      sub_fen  1×  `…` has more than two decimals
          row 4  单价  39.005
        → Round it to whole fen in the ERP; nothing is rounded here in silence.

      unknown_store  1×  there is no store `…` in the store directory
          row 4  门店  9999
        → Correct the code. If the store is new, head office adds it to the store directory; the row is then taken without a new export.

      field_count  1×  the line has another number of fields than the header
          row 5  the whole row  0012 | QD13A100-30-XL | 4  (3 instead of 5)
        → A comma inside a text, or a broken line. Export again with texts in quotation marks, or take the comma out of the text.

    1 row repeats another
      row 7  says the same as row 2 once more

    7 rows in the file: 1 good, 3 rejected, 1 repeated, 1 passed over by a rule, 1 blank
    Time: 2013-01-05

    accepted with rejects: 1 good row would count, 3 rows would wait in quarantine

    ok: wrote every reject to rejects.csv
    --- stderr
    "#);
    let csv = fs::read_to_string(folder.path().join("rejects.csv")).unwrap();
    assert!(csv.starts_with('\u{feff}'), "spreadsheets read it as UTF-8");
    insta::assert_snapshot!(csv.trim_start_matches('\u{feff}').replace("\r\n", "\n"), @r#"
    file 文件,row 行,column 列,kind 类别,cell 单元格,what is wrong,how to mend it,问题,怎样改正
    库存.csv,3,数量,not_a_number,一双,`一双` is not a number,"Write the number in digits, without words or blanks.",“一双”不是数字,请只填数字，不要带文字或空格。
    库存.csv,4,单价,sub_fen,39.005,`39.005` has more than two decimals,Round it to whole fen in the ERP; nothing is rounded here in silence.,“39.005”的小数超过两位（不足一分）,请在 ERP 里四舍五入到分；这里不会悄悄取整。
    库存.csv,4,门店,unknown_store,9999,there is no store `9999` in the store directory,"Correct the code. If the store is new, head office adds it to the store directory; the row is then taken without a new export.",门店目录里没有“9999”,请改正门店编码。如果是新店，请总部先加入门店目录；之后无需重新导出，这一行会补上。
    库存.csv,5,,field_count,,the line has another number of fields than the header: 3 instead of 5,"A comma inside a text, or a broken line. Export again with texts in quotation marks, or take the comma out of the text.",这一行的字段数与表头不一致：有 3 个，应为 5 个,文字里有逗号，或者一行断成了两行。请在导出时给文字加引号，或去掉文字里的逗号。
    "#);
}

#[test]
fn the_same_in_chinese() {
    let folder = folder();
    let said = folder.run(&["onboard", "preview", "--mapping", "m.yaml", "库存.csv", "--lang", "zh"]);
    insta::assert_snapshot!(said.all(), @r#"
    exit code 1
    --- stdout
    库存.csv  库存：现有多少

    1 条有效记录
      行  门店  货号           数量    单价  时间        文件中的原文
       2  0012  QD13A100-30-S     7  399.00  2013-01-05  0012 │ QD13A100-30-S │ 7 │ 399.00 │ 2013-01-05

    1 家门店
      门店  名称              行数  货号数  件数
      0012  成都锦里巷加盟店     1       1     7

    3 行中有 4 处错误

      not_a_number  1×  “…”不是数字
          第 3 行  数量  一双
        → 请只填数字，不要带文字或空格。

      sub_fen  1×  “…”的小数超过两位（不足一分）
          第 4 行  单价  39.005
        → 请在 ERP 里四舍五入到分；这里不会悄悄取整。

      unknown_store  1×  门店目录里没有“…”
          第 4 行  门店  9999
        → 请改正门店编码。如果是新店，请总部先加入门店目录；之后无需重新导出，这一行会补上。

      field_count  1×  这一行的字段数与表头不一致
          第 5 行  整行  0012 | QD13A100-30-XL | 4  （有 3 个，应为 5 个）
        → 文字里有逗号，或者一行断成了两行。请在导出时给文字加引号，或去掉文字里的逗号。

    1 行与别的行重复
      第 7 行  内容重复，与第 2 行相同

    文件共 7 行：1 有效，3 被拒，1 重复，1 按规则跳过，1 空行
    时间：2013-01-05

    通过，但有被拒的行：1 条有效记录生效，3 行进入隔离区等待处理
    --- stderr
    "#);
    let mut command = folder.command(&["onboard", "preview", "--mapping", "m.yaml", "库存.csv"]);
    let by_environment = command.env("LANG", "zh_CN.UTF-8").output().unwrap();
    assert_eq!(String::from_utf8(by_environment.stdout).unwrap(), said.out);
}

#[test]
fn colour_is_only_on_terminals() {
    let folder = folder();
    let arguments = ["onboard", "preview", "--mapping", "m.yaml", "库存.csv"];
    let coloured = folder.run_in_colour(&arguments).out;
    assert!(coloured.contains("\u{1b}[1m\u{1b}[31mnot_a_number\u{1b}[0m"), "{coloured:?}");
    assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), folder.run(&arguments).out);
}

#[test]
fn mistakes_of_a_mapping_are_told_with_their_lines() {
    let folder = folder();
    let wrong = MAPPING
        .replace("stock_snapshot", "stock_snapshots")
        .replace("delimiter:", "delimeter:")
        .replace("from: 货号", "from: {cel: [2, 1]}")
        .replace("known: stores", "known: store")
        .replace("type: money, ", "");
    folder.write("m.yaml", &wrong);
    insta::assert_snapshot!(folder.run(&["onboard", "check", "--mapping", "m.yaml", "库存.csv"]).all(), @r#"
    exit code 4
    --- stdout
    --- stderr
    m.yaml:1:7: error: `kind` is not one of `stock_snapshot`, `stock_delta`, `sales`, `prices`
     1 | kind: stock_snapshots
       |       ^^^^^^^^^^^^^^^
    hint: did you mean `stock_snapshot`?

    m.yaml:2:49: error: unknown key `delimeter`
     2 | container: {format: delimited, encoding: utf-8, delimeter: ",", quote: "\"", doubled_quote: true, row_ref: lin…
       |                                                 ^^^^^^^^^
    hint: did you mean `delimiter`?

    m.yaml:5:51: error: `known` is not one of `stores`
     5 |   - {to: store_code, from: 门店, type: code, known: store, required: true}
       |                                                     ^^^^^
    hint: did you mean `stores`?

    m.yaml:6:22: error: unknown key `cel`
     6 |   - {to: sku, from: {cel: [2, 1]}, type: code, required: true}
       |                      ^^^
    hint: did you mean `cell`?

    m.yaml:8:5: error: `type` is missing
     8 |   - {to: unit_price_fen, from: 单价, min: 0}
       |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    hint: the connector says of it: How it is read

    5 errors in m.yaml
    "#);

    folder.write(
        "m.yaml",
        &MAPPING.replace("^合计$", "\"(\"").replace("to: quantity", "to: qty").replace("%d", "%Q"),
    );
    insta::assert_snapshot!(folder.run(&["onboard", "check", "--mapping", "m.yaml", "库存.csv"]).all(), @r#"
    exit code 4
    --- stdout
    --- stderr
    m.yaml:3:68: error: `(` is not a pattern: unclosed group
     3 | rows: {blank: skip, header_rows: [1], stop_at: {column: 门店, regex: "("}}
       |                                                                      ^^^

    m.yaml:4:1: error: stock_snapshot needs a field `quantity`
     4 | fields:
       | ^^^^^^

    m.yaml:7:10: error: `qty` is no member of stock_snapshot
     7 |   - {to: qty, from: 数量, type: quantity, required: true}
       |          ^^^
    hint: there are store_code, sku, barcode, style, color, size, name, brand, category, season, operator, note, quantity, unit_price_fen, occurred_at, bucket, location

    m.yaml:9:59: error: %Q is none of %Y %y %m %d %H %I %M %S %f %p
     9 |   - {to: occurred_at, from: 日期, type: datetime, formats: ["%Y-%m-%Q"], required: true}
       |                                                             ^^^^^^^^^^

    4 errors in m.yaml
    "#);
}

#[test]
fn what_is_left_to_decide_ends_with_2_and_a_file_is_never_overwritten() {
    let folder = folder();
    folder.write(
        "两个数量.csv",
        "门店,货号,数量,数量,日期\n0012,A1,1,7,2013-01-05\n0012,A2,2,8,2013-01-05\n0012,A3,3,9,2013-01-05\n",
    );
    let looked =
        folder.run(&["onboard", "两个数量.csv", "--as", "stock_snapshot", "--write", "new/q.yaml"]).expect(2);
    assert!(looked.out.contains("数量#2") && looked.out.contains("left to decide"), "{}", looked.all());
    let written = fs::read_to_string(folder.path().join("new/q.yaml")).unwrap();
    assert!(written.contains("# TODO ") && written.contains("TODO"), "{written}");
    let tried = folder.run(&["onboard", "preview", "-m", "new/q.yaml", "两个数量.csv"]).expect(2);
    assert!(tried.err.contains("is still to be decided"), "{}", tried.all());
    let again = folder.run(&["onboard", "库存.csv", "--write", "m.yaml"]).expect(4);
    assert!(again.err.contains("is there already"), "{}", again.all());
    assert_eq!(fs::read_to_string(folder.path().join("m.yaml")).unwrap(), MAPPING);
    folder.run(&["onboard", "no-such-file.csv"]).expect(4);
    folder.run(&["onboard", "preview", "库存.csv"]).expect(4);
    folder.run(&["onboard"]).expect(4);
}

#[test]
fn a_look_as_json_is_the_mapping_with_its_evidence() {
    let folder = folder();
    let file = vector("stock_gbk_title_totals.csv");
    let said = folder.run(&["onboard", file.to_str().unwrap(), "--json"]).expect(0).json();
    assert_eq!(said["mapping"]["container"]["encoding"], "gbk");
    let encoding =
        said["findings"].as_array().unwrap().iter().find(|one| one["at"] == "/container/encoding").unwrap();
    assert!(
        encoding["confidence"].as_u64().unwrap() >= 90 && !encoding["why_zh"].as_str().unwrap().is_empty()
    );
    assert_eq!(said["todo"], json!([]));
    let refused =
        folder.run(&["onboard", vector("sec_entity.xml").to_str().unwrap(), "--json"]).expect(3).json();
    assert_eq!(refused["reason"], "xml_doctype");
}

/// What a file has to give, by the collection that the connector is held to.
#[track_caller]
fn check_vector(folder: &Folder, name: &str, exit: i32) {
    let expect = fs::read(vector(&format!("{name}.expect.json"))).unwrap();
    let expect: Value = serde_json::from_slice(&expect).unwrap();
    let mut mapping = expect["mapping"].clone();
    mapping["kind"] = expect["kind"].clone();
    folder.write("vector.yaml", &mapping.to_string());
    let file = vector(name);
    let mut arguments =
        vec!["onboard", "check", "--mapping", "vector.yaml", "--json", file.to_str().unwrap()];
    let previous = expect["previous"].as_str().map(vector);
    if let Some(previous) = &previous {
        arguments.extend(["--previous", previous.to_str().unwrap()]);
    }
    let said = folder.run(&arguments).expect(exit).json();
    let bare = |reject: &Value| json!([reject["row"], reject["column"], reject["kind"]]);
    for member in [
        "kind",
        "verdict",
        "reason",
        "counts",
        "rows",
        "notices",
        "holds",
        "applied",
        "absent",
        "control_total",
        "against",
    ] {
        if let Some(expect) = expect.get(member) {
            assert_eq!(said.get(member), Some(expect), "{name}: {member}");
        }
    }
    let rejects = |from: &Value| from["rejects"].as_array().unwrap().iter().map(bare).collect::<Vec<_>>();
    assert_eq!(rejects(&said), rejects(&expect), "{name}");
}

#[test]
fn checking_prints_exactly_what_a_file_has_to_give() {
    let folder = folder();
    for (name, exit) in [
        ("guard_shrunk.csv", 2),
        ("guard_zeroed.csv", 2),
        ("guard_stale.csv", 3),
        ("guard_empty.csv", 2),
        ("guard_truncated.csv", 3),
        ("guard_total_mismatch.csv", 2),
        ("guard_wrong_columns.csv", 3),
        ("sales_day1_again.csv", 0),
        ("stock_dirty.csv", 1),
        ("sales_hdp.txt", 1),
        ("stock_matrix_stores.xlsx", 0),
    ] {
        check_vector(&folder, name, exit);
    }
}

#[test]
fn old_files_are_told_in_one_table_and_the_worst_decides_the_code() {
    let folder = folder();
    let shrunk: Value =
        serde_json::from_slice(&fs::read(vector("guard_shrunk.csv.expect.json")).unwrap()).unwrap();
    let mut mapping = shrunk["mapping"].clone();
    mapping["kind"] = shrunk["kind"].clone();
    folder.write("chain.yaml", &mapping.to_string());
    for name in ["guard_prev.csv", "guard_shrunk.csv", "guard_stale.csv"] {
        fs::copy(vector(name), folder.path().join(name)).unwrap();
    }
    let said = folder.run(&[
        "onboard",
        "check",
        "-m",
        "chain.yaml",
        "--previous",
        "guard_prev.csv",
        "guard_shrunk.csv",
        "guard_stale.csv",
        "guard_prev.csv",
    ]);
    insta::assert_snapshot!(said.all(), @r#"
    exit code 3
    --- stdout
    FILE              VERDICT  WHY             ROWS  FAULTS  STORES
    guard_shrunk.csv  partial  shrink            46       0       2
    guard_stale.csv   reject   stale_snapshot   120       0       3
    guard_prev.csv    accept                    120       0       3

    guard_shrunk.csv  46 good rows

    1 store waits for a person
      STORE  NAME              WHY     SKUS       PIECES  
      0012   成都锦里巷加盟店  shrink    40  → 8     184  → 32
        shrink  the store lists far fewer SKUs than before
        → If that is right, confirm; else discard and export the whole list.

    Not in the file, so left as they were: 0230 哈尔滨松花江街直营店

    accepted in part: the store lists far fewer SKUs than before (shrink)
      → If that is right, confirm; else discard and export the whole list.

    guard_stale.csv  120 good rows

    rejected: the figures are older than those that count already (stale_snapshot)
      → Nothing to do; send the newest export.

    guard_prev.csv  120 good rows
    new stores against guard_shrunk.csv: 0230

    accepted
    --- stderr
    "#);
}

#[test]
fn a_mapping_becomes_a_channel_only_if_it_is_sound() {
    let folder = folder();
    let before = fs::read_to_string(folder.path().join("connectors.yaml")).unwrap();
    folder.write("wrong.yaml", &MAPPING.replace("known: stores", "known: shops"));
    folder.run(&["onboard", "enable", "chengdu-erp", "-m", "wrong.yaml"]).expect(4);
    let bad_name = folder.run(&["onboard", "enable", "Chengdu", "-m", "m.yaml"]).expect(4);
    assert!(bad_name.err.contains("connectors.yaml:"), "{}", bad_name.all());
    assert_eq!(fs::read_to_string(folder.path().join("connectors.yaml")).unwrap(), before);
    fs::rename(folder.path().join("plugins/files.wasm"), folder.path().join("plugins/erp-file.wasm"))
        .unwrap();
    let said =
        folder.run(&["onboard", "enable", "chengdu-erp", "-m", "m.yaml", "--watch", "inbox"]).expect(0);
    insta::assert_snapshot!(said.out.lines().filter(|line| !line.starts_with("mapping: ")).collect::<Vec<_>>().join("\n"), @r#"
    ok: channel `chengdu-erp` is in connectors.yaml
      chengdu-erp:
        connector: erp-file
        status: live
        settings:
          mapping: m.yaml
          watch: inbox
    "#);
    assert!(folder.path().join("inbox").is_dir());
    let checked = folder.run(&["check", "--json"]).expect(0).json();
    assert_eq!(checked["channels"][0]["name"], "chengdu-erp");
    folder.run(&["onboard", "enable", "chengdu-erp", "-m", "m.yaml"]).expect(4);
}

#[test]
fn one_page_says_what_the_export_has_to_look_like() {
    let folder = folder();
    let pages = [["--lang", "en"], ["--lang", "zh"]]
        .map(|lang| folder.run(&[&["onboard", "sheet", "-m", "m.yaml"][..], &lang].concat()).expect(0).out);
    insta::assert_snapshot!(pages.join("\n"), @r#"
    What the export "m" has to look like

      Stock: how many pieces of each SKU there are.
      A text file, columns separated by `,`, encoded as UTF-8; the header stands in row 1.

      COLUMN            WHAT STANDS IN IT
      门店    required  code of the store: 0012 成都锦里巷加盟店, 0108 西安南门加盟店
      货号    required  text, exactly as in the ERP, with leading zeros
      数量    required  a whole number
      单价              an amount in yuan, at most two decimals
      日期    required  a date like 2026-01-20

      • Send the file as the ERP exports it. Do not open and save it in a spreadsheet: long numbers lose their digits, and 0012 becomes 12.
      • Columns may change places, but their names must stay. New columns do no harm.
      • Each SKU of a store stands in one row. Two rows that differ are both refused.
      • A SKU that is not listed stays as it was. One that is sold out must stand there with 0.
      • Rows with faults are sent back to you with what is wrong and how to mend it; the good ones count.

    导出文件“m”的要求

      库存：每个货号现有多少件。
      文本文件，各列用“,”分隔，编码为 UTF-8；表头在第 1 行。

      列          填什么
      门店  必填  门店编码：0012 成都锦里巷加盟店，0108 西安南门加盟店
      货号  必填  与 ERP 完全一致的文字，保留前导零
      数量  必填  整数
      单价        金额（元），最多两位小数
      日期  必填  日期，形如 2026-01-20

      • 请直接发送 ERP 导出的文件，不要用表格软件打开再保存：长数字会丢位，0012 会变成 12。
      • 列的顺序可以变，列名不能变。增加列没有关系。
      • 同一门店的同一货号只能有一行。两行内容不同时都会被拒。
      • 没有列出的货号保持原数；售罄的货号请写 0。
      • 有错的行会退回给您，并写明问题和改正办法；正确的行照常生效。
    "#);
}

#[test]
fn franchisees_get_help_in_chinese() {
    insta::assert_snapshot!(Folder::new().run(&["onboard", "preview", "--help", "--lang", "zh"]).all(), @r#"
    exit code 0
    --- stdout
    看映射读出来的结果：前几行、各店合计、每一处被拒

    用法: qudao onboard preview [OPTIONS] --mapping <FILE> <FILE>

    选项:
      -m, --mapping <FILE>    映射文件
          --rejects <FILE>    把所有被拒的行写成 CSV，带中英文说明
          --at <TIME>         假定现在是这个时间：RFC 3339 或 unix 秒
          --config <FILE>     配置文件，从中读取门店目录 [default: connectors.yaml]
          --connector <FILE>  读取文件的连接器（.wasm），默认用 plugins/ 里的那个
          --json              输出 JSON
          --lang <LANG>       回答所用的语言：en、zh（默认按 LANG 环境变量）
      -h, --help              显示帮助

    参数:
      <FILE>  ERP 导出的原样文件

    退出码：0 没有问题，1 有被拒的行，2 需要人来决定，3 整个文件被拒，4 用法或映射有错。
    --- stderr
    "#);
    let folder = Folder::new();
    let mut command = folder.command(&["import", "--help"]);
    let said = String::from_utf8(command.env("LC_ALL", "zh_CN.UTF-8").output().unwrap().stdout).unwrap();
    assert!(said.contains("用法: qudao import") && said.contains("命令"), "{said}");
}
