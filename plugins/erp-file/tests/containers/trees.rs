//! XML, `SpreadsheetML`, HTML and DBF: one trap a test.

use super::kit::{container, reason, shown};

#[track_caller]
fn xml(container_json: &str, text: &str, expect: &[&str]) {
    assert_eq!(shown(&container(container_json), &text.as_bytes().to_vec()), expect);
}

#[test]
fn records_of_xml() {
    let plain = r#"{"format":"xml","record":"t","line":"ls/l","tender":"p"}"#;
    xml(
        plain,
        "<r><t n='1'>\n <a> x </a><ls><l k='2'><q>3</q></l></ls><p>cash</p><p v='4'/></t></r>",
        &["1: @n=1 a= x  lines[@k=2 q=3] tenders[.=cash; @v=4]"],
    );
    xml(plain, "<r><t/><x><t><ls/></t></x></r>", &["1: ", "2: ls= lines[]"]);
    xml(plain, "<t><a>&#20013;&amp;<![CDATA[<b>]]></a></t>", &["1: a=中&<b>"]);
    xml(
        plain,
        "<?xml version='1.0'?><!-- x --><r xmlns:z='u'><z:t z:n='1'><z:a>2</z:a></z:t></r>",
        &["1: @n=1 a=2"],
    );
    xml(
        r#"{"format":"xml","record":"t","namespace":"urn:a"}"#,
        "<r xmlns='urn:a'><t><a>1</a></t></r>",
        &["1: a=1"],
    );
}

#[test]
fn xml_that_is_refused() {
    let record = container(r#"{"format":"xml","record":"t"}"#);
    let named = container(r#"{"format":"xml","record":"t","namespace":"urn:a"}"#);
    let deep = format!("<r><t>{}{}</t></r>", "<a>".repeat(100), "</a>".repeat(100));
    for (container, text, expect) in [
        (&record, "<r><t>&x;</t></r>", "format_mismatch"),
        (&record, "<r><t></r>", "format_mismatch"),
        (&record, "<r><t>", "format_mismatch"),
        (&record, "<r><!DOCTYPE r><t/></r>", "xml_doctype"),
        (&record, "<!-- c --><!DOCTYPE html><html/>", "format_mismatch"),
        (&record, "<z:r><t/></z:r>", "format_mismatch"),
        (&named, "<r xmlns='urn:b'><t/></r>", "format_mismatch"),
        (&record, &deep, "too_deep"),
    ] {
        assert_eq!(reason(container, &text.as_bytes().to_vec()), expect, "{text}");
    }
}

#[test]
fn declared_encodings_are_followed() {
    let declared = container(r#"{"format":"xml","encoding":"declared","record":"t"}"#);
    let gbk = b"<?xml version=\"1.0\" encoding=\"gb2312\"?><r><t a=\"\xD6\xD0\"/></r>".to_vec();
    assert_eq!(shown(&declared, &gbk), ["1: @a=中"]);
    let wide: Vec<u8> = "<?xml version='1.0' encoding='UTF-16'?><r><t a='中'/></r>"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert_eq!(shown(&declared, &wide), ["1: @a=中"]);
    let lies = b"<?xml version=\"1.0\" encoding=\"UTF-8\"?><r><t a=\"\xD6\xD0\"/></r>".to_vec();
    assert_eq!(reason(&declared, &lies), "bad_encoding");
}

#[test]
fn worksheets_of_2003() {
    let sheet = |rows: &str| {
        format!(
            "<?xml version='1.0'?><Workbook xmlns='urn:schemas-microsoft-com:office:spreadsheet' \
             xmlns:ss='urn:schemas-microsoft-com:office:spreadsheet'><Worksheet ss:Name='one'><Table><Row/></Table></Worksheet>\
             <Worksheet ss:Name='two'><Table>{rows}</Table></Worksheet></Workbook>"
        )
    };
    let cell = |attributes: &str, kind: &str, value: &str| {
        format!("<Cell {attributes}><Data ss:Type='{kind}'>{value}</Data></Cell>")
    };
    let two = r#"{"format":"spreadsheetml","sheet":"two"}"#;
    let rows = format!(
        "<Row>{}{}</Row><Row ss:Index='5'>{}</Row><Row>{}{}</Row>",
        cell("ss:MergeAcross='2'", "String", "a<B>b</B>"),
        cell("", "Number", "1.50"),
        cell("ss:Index='3'", "Error", "#REF!"),
        cell("", "Boolean", "1"),
        cell("", "String", ""),
    );
    xml(two, &sheet(&rows), &["1: ab|||#1.5", "5: ||!#REF!", "6: TRUE|"]);
    assert_eq!(reason(&container(two), &sheet("<Row ss:Index='99999999'/>").into_bytes()), "format_mismatch");
    let none = container(r#"{"format":"spreadsheetml","sheet":"three"}"#);
    assert_eq!(reason(&none, &sheet("").into_bytes()), "missing_sheet");
}

#[track_caller]
fn html(more: &str, table: &str, expect: &[&str]) {
    let container = container(&format!(r#"{{"format":"html_table","encoding":"utf-8"{more}}}"#));
    assert_eq!(shown(&container, &format!("<html><body>{table}</body></html>").into_bytes()), expect);
}

#[test]
fn tables_of_careless_pages() {
    html("", "<table><tr><td>a<td>b<tr><th>c</table>", &["1: a|b", "2: c"]);
    html(
        "",
        "<TABLE Border=1><TR><TD colspan=2> a\n b </TD><td>c&lt;&nbsp;&amp;&#22;&bogus;</td></TR></TABLE>",
        &["1: a b||c<\u{A0}&\u{16}&bogus;"],
    );
    html(
        "",
        "<style>td{x:'<table>'}</style><!-- <table> --><table><tr><td title='>'>a < b<br>c</td></tr></table>",
        &["1: a < b\nc"],
    );
    html(r#","br":" / ""#, "<table><tr><td>a<br/>b</td></tr><tr></tr></table>", &["1: a / b", "2: "]);
    html(
        r#","table_index":2"#,
        "<table><tr><td>x</table><table><tr><td>y<table><tr><td>z</table></td></table>",
        &["1: y z"],
    );
}

#[test]
fn cells_that_span_rows() {
    let table = "<table><tr><td rowspan=2>a</td><td>b</td><td rowspan=3>c</td></tr><tr><td>d</td></tr><tr><td>e</td><td>f</td></tr></table>";
    html("", table, &["1: a|b|c", "2: |d|", "3: e|f|"]);
    html(r#","rowspan":"repeat""#, table, &["1: a|b|c", "2: a|d|c", "3: e|f|c"]);
}

#[test]
fn a_page_without_the_table_is_refused() {
    let third = container(r#"{"format":"html_table","encoding":"utf-8","table_index":3}"#);
    assert_eq!(reason(&third, &b"<html><table><tr><td>x</table></html>".to_vec()), "format_mismatch");
    let first = container(r#"{"format":"html_table","encoding":"utf-8"}"#);
    assert_eq!(reason(&first, &b"<html><table><tr><td>x</td></tr>".to_vec()), "format_mismatch");
}

/// A table with a nullable varying text and a nullable integer.
fn foxpro() -> Vec<u8> {
    let mut file = vec![0x30, 113, 1, 5, 3, 0, 0, 0, 0, 0, 0, 0];
    file.resize(32, 0);
    for (name, kind, width, flags) in [("A", b'V', 4, 2), ("B", b'I', 4, 2), ("_NullFlags", b'0', 1, 1)] {
        let mut field = name.as_bytes().to_vec();
        field.resize(11, 0);
        field.extend([kind, 0, 0, 0, 0, width, 0, flags]);
        field.resize(32, 0);
        file.extend(field);
    }
    file.push(0x0D);
    let (header, record) = (u16::try_from(file.len()).unwrap().to_le_bytes(), 10_u16.to_le_bytes());
    file.splice(8..12, header.into_iter().chain(record));
    file.extend(b" ab\0\x02\x07\0\0\0\x01");
    file.extend(b" abcd\xFF\xFF\xFF\xFF\x00");
    file.extend(b" abcd\x07\0\0\0\x06");
    file
}

#[test]
fn nulls_and_varying_texts_of_foxpro() {
    let table = container(r#"{"format":"dbf"}"#);
    assert_eq!(shown(&table, &foxpro()), ["1: ab|#7", "2: abcd|#-1", "3: |"]);
    let mut cut = foxpro();
    cut.truncate(cut.len() - 1);
    assert_eq!(reason(&table, &cut), "format_mismatch");
}
