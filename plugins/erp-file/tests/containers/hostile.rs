//! Files made to hurt the reader: each is refused with a reason, and quickly.

use super::kit::{container, read, reason, vector};
use qudao_erp_file::sheet::Bytes;
use std::io::{Cursor, Write};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// A workbook of one sheet with the given parts.
fn workbook(sheet: &[u8], more: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let rels = "<Relationships xmlns='http://schemas.openxmlformats.org/package/2006/relationships'>\
        <Relationship Id='r1' Type='http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet' Target='worksheets/sheet1.xml'/>\
        <Relationship Id='r2' Type='http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings' Target='sharedStrings.xml'/>\
        </Relationships>";
    let book = "<workbook xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main' \
        xmlns:r='http://schemas.openxmlformats.org/officeDocument/2006/relationships'>\
        <sheets><sheet name='S' sheetId='1' r:id='r1'/></sheets></workbook>";
    let root = "<Relationships xmlns='http://schemas.openxmlformats.org/package/2006/relationships'>\
        <Relationship Id='r1' Type='http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument' Target='xl/workbook.xml'/>\
        </Relationships>";
    let mut parts = vec![
        ("_rels/.rels", root.as_bytes().to_vec()),
        ("xl/workbook.xml", book.as_bytes().to_vec()),
        ("xl/_rels/workbook.xml.rels", rels.as_bytes().to_vec()),
        ("xl/worksheets/sheet1.xml", sheet.to_vec()),
    ];
    parts.extend(more.iter().cloned());
    for (name, bytes) in parts {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(&bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn sheet(rows: &str) -> Vec<u8> {
    format!("<worksheet xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main'><sheetData>{rows}</sheetData></worksheet>").into_bytes()
}

const XLSX: &str = r#"{"format":"xlsx"}"#;

#[test]
fn a_plain_workbook_is_read() {
    let book = workbook(&sheet("<row r='7'><c r='B7'><v>1.50</v></c><c t='b'><v>1</v></c></row>"), &[]);
    assert_eq!(super::kit::shown(&container(XLSX), &book), ["7: |#1.5|TRUE"]);
}

#[test]
fn zip_bombs_are_weighed_before_they_are_opened() {
    let rows = "<row/>".repeat(6_000_000);
    let bomb = workbook(&sheet(&rows), &[]);
    assert!(bomb.len() < 200_000, "a bomb is small: {}", bomb.len());
    assert_eq!(reason(&container(XLSX), &bomb), "too_large_unpacked");
}

#[test]
fn what_a_workbook_may_not_hold() {
    let long = format!("<row><c t='inlineStr'><is><t>{}</t></is></c></row>", noise(5_000_000));
    let far = "<row r='1'><c r='XFE1'><v>1</v></c></row>";
    let doctype = b"<!DOCTYPE x [<!ENTITY a 'b'>]><sst/>".to_vec();
    let repeated = format!("<row>{}</row>", "<c t='s'><v>0</v></c>".repeat(200));
    let strings = format!(
        "<sst xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main'><si><t>{}</t></si></sst>",
        noise(100_000)
    );
    for (book, expect) in [
        (workbook(&sheet(&long), &[]), "too_large_unpacked"),
        (workbook(&sheet(far), &[]), "too_many_cells"),
        (workbook(&sheet(""), &[("xl/sharedStrings.xml", doctype)]), "xml_doctype"),
        (workbook(&sheet(&repeated), &[("xl/sharedStrings.xml", strings.into_bytes())]), "too_long_line"),
        (workbook(b"<worksheet><sheetData><row><c>", &[]), "format_mismatch"),
    ] {
        assert_eq!(reason(&container(XLSX), &book), expect);
    }
}

/// Text that does not pack well.
fn noise(length: usize) -> String {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from(b'a' + u8::try_from(state >> 24).unwrap() % 26)
    };
    (0..length).map(|_| next()).collect()
}

/// A file that goes on for ever: every byte is made when it is asked for.
struct Endless {
    head: &'static [u8],
    byte: u8,
    asked: std::cell::Cell<u64>,
}

impl Bytes for Endless {
    fn size(&self) -> u64 {
        1 << 40
    }

    fn read(&self, offset: u64, max: u32) -> Vec<u8> {
        self.asked.set(self.asked.get() + u64::from(max));
        assert!(self.asked.get() < 64 << 20, "the reader does not stop");
        let byte =
            |at: u64| usize::try_from(at).ok().and_then(|at| self.head.get(at)).copied().unwrap_or(self.byte);
        (offset..offset + u64::from(max)).map(byte).collect()
    }
}

#[test]
fn endless_texts_end_the_reading() {
    for (json, head, byte, expect) in [
        (
            r#"{"format":"delimited","delimiter":",","encoding":"gbk"}"#,
            b"a,b\n" as &[u8],
            b'x',
            "too_long_line",
        ),
        (r#"{"format":"delimited","delimiter":",","quote":"\""}"#, b"a,\"b", b',', "too_long_line"),
        (
            r#"{"format":"fixed","columns":[{"name":"a","start":1,"width":2}]}"#,
            b"ab\n",
            b'x',
            "too_long_line",
        ),
        (r#"{"format":"jsonl"}"#, b"{\"a\":\"", b'x', "too_long_line"),
        (r#"{"format":"xml","record":"t"}"#, b"<?xml version='1.0'?><t>", b'x', "too_long_line"),
        (r#"{"format":"xml","record":"t"}"#, b"<?xml version='1.0'?><t><a b='", b'x', "too_long_line"),
        (r#"{"format":"xml","record":"t"}"#, b"<?xml version='1.0'?><!--", b'<', "too_long_line"),
        (r#"{"format":"xml","record":"t"}"#, b"<?xml version='1.0'?><t><![CDATA[", b'<', "too_long_line"),
        (r#"{"format":"html_table"}"#, b"<html><table><tr><td>", b'x', "too_long_line"),
        (r#"{"format":"html_table"}"#, b"<html><table><tr><td x=\"", b'>', "too_long_line"),
        (r#"{"format":"html_table"}"#, b"<html><!--", b'-', "too_long_line"),
        (r#"{"format":"xls"}"#, b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", 0, "too_large"),
    ] {
        let file = Endless { head, byte, asked: std::cell::Cell::new(0) };
        assert_eq!(reason(&container(json), &file), expect, "{json} {}", String::from_utf8_lossy(head));
    }
}

#[test]
fn rows_of_very_many_cells_are_refused() {
    let commas = ",".repeat(20_000);
    let csv = container(r#"{"format":"delimited","delimiter":",","quote":"\""}"#);
    assert_eq!(reason(&csv, &commas.clone().into_bytes()), "too_many_cells");
    assert_eq!(reason(&csv, &format!("\"a\"{commas}").into_bytes()), "too_many_cells");
    let html = container(r#"{"format":"html_table"}"#);
    let spans = b"<html><table><tr><td colspan=9999>a<td colspan=9999>b</table>".to_vec();
    assert_eq!(reason(&html, &spans), "too_many_cells");
    let xml = container(r#"{"format":"xml","record":"t"}"#);
    let many = format!("<t>{}</t>", "<a/>".repeat(70_000));
    assert_eq!(reason(&xml, &many.into_bytes()), "too_many_cells");
}

#[test]
fn what_is_none_of_ours_is_named() {
    let csv = container(r#"{"format":"delimited","delimiter":","}"#);
    for (bytes, expect) in [
        (b"%PDF-1.7 ...".to_vec(), "PDF"),
        (b"\x1F\x8B\x08\0".to_vec(), "gzip"),
        (b"PK\x03\x04 no archive at all".to_vec(), "damaged zip"),
        (b"<html><body>".to_vec(), "HTML"),
        (vector("stock_biff5.xls").bytes, "compound"),
        (vector("stock_dbase3.dbf").bytes, "dBase"),
        (vector("stock_spreadsheetml.xml").bytes, "spreadsheet namespace"),
    ] {
        let fault = read(&csv, &bytes).1.expect("a fault");
        assert_eq!(fault.reason, "format_mismatch");
        assert!(fault.detail.contains(expect), "{}", fault.detail);
    }
    let xlsx = container(XLSX);
    assert_eq!(reason(&xlsx, &b"a,b\n".to_vec()), "format_mismatch");
    assert_eq!(reason(&xlsx, &Vec::new()), "format_mismatch");
}

#[test]
fn texts_that_begin_like_something_else_stay_texts() {
    // Bytes of versions of dBase, of a program, of an old workbook.
    for text in [
        b"\xCB\xC4\t\t,1\r\n,,,,,,,,,,,,,,,\r,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,\r".to_vec(),
        b"MZ001,2\n".to_vec(),
        b"c,\t\t\n".to_vec(),
    ] {
        let found = qudao_erp_file::sheets::identify(&text);
        assert!(
            found.iter().any(|found| found.format == qudao_erp_file::mapping::Format::Delimited),
            "{found:?}"
        );
    }
}

#[test]
fn chains_of_sectors_must_end() {
    let mut file = vector("stock_sizegroups.xls").bytes;
    // The allocation table is in the sector that the header names first: let every sector follow itself.
    let first = u32::from_le_bytes(file[76..80].try_into().unwrap());
    let table = (first as usize + 1) * 512;
    for sector in 0_u32..128 {
        let at = table + sector as usize * 4;
        file[at..at + 4].copy_from_slice(&sector.to_le_bytes());
    }
    assert_eq!(reason(&container(r#"{"format":"xls"}"#), &file), "format_mismatch");
}
