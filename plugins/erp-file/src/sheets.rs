//! Containers: from bytes to records.
//!
//! [`open`] looks at the first bytes before it believes the mapping: a workbook under the name of a text file is
//! `format_mismatch`, not a thousand bad rows. Every reader gives records in file order with the row number that people see,
//! keeps to [`limits`], and answers damaged or hostile input with a [`FileFault`]. All but .xls are read a piece at a time;
//! that one is bounded in size.

mod biff;
mod claims;
mod compound;
mod dbf;
mod delimited;
pub mod encoding;
mod fixed;
mod html;
mod identify;
mod jsonl;
pub mod limits;
mod lines;
pub mod markup;
mod number;
mod row;
mod source;
mod spreadsheetml;
mod tags;
mod unpack;
mod xls;
mod xlsx;
mod xml;

pub use identify::{Identified, foreign, identify};

use crate::mapping::{Container, Format};
use crate::sheet::{Bytes, FileFault, Record, Sheet};

/// Opens a file by its mapping.
pub fn open<'a>(container: &Container, bytes: &'a dyn Bytes) -> Result<Box<dyn Sheet + 'a>, FileFault> {
    identify::expect(container.format, bytes)?;
    Ok(match container.format {
        Format::Delimited => Box::new(delimited::Delimited::open(container, bytes)?),
        Format::Fixed => Box::new(fixed::Fixed::open(container, bytes)?),
        Format::Xlsx => Box::new(xlsx::Workbook::open(container, bytes)?),
        Format::Xls => Box::new(xls::Workbook::open(container, bytes)?),
        Format::Dbf => Box::new(dbf::Table::open(container, bytes)?),
        Format::Xml => Box::new(xml::Records::open(container, bytes)?),
        Format::Jsonl => Box::new(jsonl::JsonLines::open(container, bytes)?),
        Format::HtmlTable => Box::new(html::Table::open(container, bytes)?),
        Format::Spreadsheetml => Box::new(spreadsheetml::Worksheet::open(container, bytes)?),
    })
}

/// The first records, at most `most`, as the mapping's container gives them. A fault behind some records ends them silently.
pub fn head(
    container: &Container,
    bytes: &dyn Bytes,
    most: usize,
) -> Result<Vec<Record<'static>>, FileFault> {
    let mut sheet = open(container, bytes)?;
    let mut records = Vec::new();
    while records.len() < most {
        match sheet.next() {
            Ok(Some(record)) => records.push(record.into_owned()),
            Err(fault) if records.is_empty() => return Err(fault),
            Ok(None) | Err(_) => break,
        }
    }
    Ok(records)
}

/// Names of the sheets that a mapping can choose from, visible ones first; tables of a page are called by their number.
/// Empty where a layout has no sheets.
pub fn sheet_names(format: Format, bytes: &dyn Bytes) -> Result<Vec<String>, FileFault> {
    match format {
        Format::Xlsx => xlsx::names(bytes),
        Format::Xls => xls::names(bytes),
        Format::Spreadsheetml => spreadsheetml::names(bytes),
        Format::HtmlTable => Ok((1..=html::tables(bytes)?).map(|number| number.to_string()).collect()),
        Format::Delimited | Format::Fixed | Format::Dbf | Format::Xml | Format::Jsonl => Ok(Vec::new()),
    }
}

/// The byte of `eof_char`, written `0x1A` or as the character itself.
fn eof_byte(container: &Container) -> Option<u8> {
    let written = container.eof_char.as_deref()?;
    let hex = written.strip_prefix("0x").or_else(|| written.strip_prefix("0X"));
    match hex {
        Some(hex) => u8::from_str_radix(hex, 16).ok(),
        None => written.as_bytes().first().copied().filter(|_| written.len() == 1),
    }
}

/// The sheet to read: the one that is wanted, else the first that can be seen.
fn choose_sheet(wanted: Option<&str>, visible: &[String], all: &[String]) -> Result<String, FileFault> {
    let found = match wanted {
        Some(wanted) => all.iter().find(|name| name.trim() == wanted.trim()),
        None => visible.first().or(all.first()),
    };
    found.cloned().ok_or_else(|| missing_sheet(wanted.unwrap_or_default(), all))
}

fn missing_sheet(wanted: &str, all: &[String]) -> FileFault {
    FileFault::new("missing_sheet", format!("no sheet is called `{wanted}`; there are: {}", all.join(", ")))
}
