//! What `qudao onboard` does where something is missing or in the way.

use crate::{
    onboard::{MAPPING, folder},
    program::{Folder, files},
};
use std::fs;

#[test]
fn a_table_of_rejects_never_takes_the_place_of_another_file() {
    let folder = folder();
    let stores = fs::read_to_string(folder.path().join("stores.csv")).unwrap();
    for command in ["preview", "check"] {
        let said = folder
            .run(&["onboard", command, "-m", "m.yaml", "库存.csv", "--rejects", "stores.csv"])
            .expect(4);
        assert!(said.err.contains("is no table of rejects"), "{}", said.all());
        assert_eq!(fs::read_to_string(folder.path().join("stores.csv")).unwrap(), stores);
        for _ in 0..2 {
            folder.run(&["onboard", command, "-m", "m.yaml", "库存.csv", "--rejects", "r.csv"]).expect(1);
        }
    }
}

#[test]
fn without_a_store_directory_that_is_said_before_every_row() {
    let folder = Folder::new();
    fs::create_dir_all(folder.path().join("plugins")).unwrap();
    fs::copy(files(), folder.path().join("plugins/files.wasm")).unwrap();
    folder.write("m.yaml", MAPPING);
    folder.write("s.csv", "门店,货号,数量,单价,日期\n0012,A1,7,399.00,2013-01-05\n");
    let said = folder.run(&["onboard", "preview", "-m", "m.yaml", "s.csv"]).expect(2);
    assert!(said.err.contains("no store directory was found: looked for connectors.yaml"), "{}", said.all());
    let said = folder.run(&["onboard", "enable", "erp", "-m", "m.yaml"]).expect(4);
    assert!(said.err.contains("`qudao init` writes one"), "{}", said.all());
    folder.write("m.yaml", &format!("{MAPPING}stores: {{\"0012\": 成都}}\n"));
    let said = folder.run(&["onboard", "preview", "-m", "m.yaml", "s.csv"]).expect(0);
    assert!(!said.err.contains("store directory"), "{}", said.all());
}

#[test]
fn one_file_that_is_missing_does_not_hide_what_is_new_in_another() {
    let folder = folder();
    folder.write("one.csv", "门店,货号,数量,单价,日期\n0012,A1,7,399.00,2013-01-05\n");
    folder.write("two.csv", "门店,货号,数量,单价,日期,备注\n0108,A1,7,399.00,2013-01-05,x\n");
    let said = folder.run(&["onboard", "check", "-m", "m.yaml", "one.csv", "no.csv", "two.csv"]);
    insta::assert_snapshot!(said.all(), @r#"
    exit code 4
    --- stdout
    FILE     VERDICT     WHY  ROWS  FAULTS  STORES
    one.csv  accept              1       0       1
    no.csv   unreadable
    two.csv  accept              1       0       1

    no.csv
    there is no file no.csv
      → is the name spelt as in the folder?

    two.csv  1 good row
    new columns against one.csv: 备注
    new stores against one.csv: 0108
    Columns that the mapping leaves alone: `备注`

    accepted
    --- stderr
    "#);
}

#[test]
fn what_is_no_file_of_a_store_says_what_it_is() {
    let folder = folder();
    fs::create_dir(folder.path().join("old")).unwrap();
    folder.write("x.pdf", "%PDF-1.4\n%âãÏÓ\n1 0 obj\n");
    folder.write("head.csv", "门店,货号,数量,日期\n");
    let said = folder.run(&["onboard", "old"]).expect(4);
    assert!(said.err.contains("old is a folder, not a file"), "{}", said.all());
    let said = folder.run(&["onboard", "x.pdf"]).expect(3);
    assert!(said.out.contains("this is no table that can be read"), "{}", said.all());
    let said = folder.run(&["onboard", "head.csv"]);
    assert!(said.out.contains("no rows below them"), "{}", said.all());
    let said = folder.run(&["onboard", "no.csv", "--lang", "zh"]).expect(4);
    assert!(said.err.starts_with("错误：没有文件 no.csv\n提示："), "{}", said.all());
}

#[test]
fn rows_of_a_table_below_titles_stand_beside_their_own_cells() {
    let folder = folder();
    let rows: String =
        (1..=12).map(|row| format!("0012,A{row},{row},399.00,2013-01-05\n")).collect::<Vec<_>>().concat();
    folder.write("m.yaml", &MAPPING.replace("header_rows: [1]", "header_rows: [8]"));
    folder.write("t.csv", &format!("{}门店,货号,数量,单价,日期\n{rows}", "标题,,,,\n".repeat(7)));
    let said = folder.run(&["onboard", "preview", "-m", "m.yaml", "t.csv"]).expect(0);
    for row in 1..=10 {
        let beside = format!("0012 │ A{row} │ {row} │ 399.00");
        assert!(said.out.contains(&beside), "{row}: {}", said.all());
    }
}
