//! One stock row as it is spooled: a few bytes instead of a line of JSON.
//!
//! What is written here is read by the same process minutes later, never by another version.

use super::lean::Row;
use qudao_model::{Timestamp, file::Precision, stock::Bucket};

/// A row that was read back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Record<'a> {
    pub(crate) src_row: u32,
    pub(crate) sku: &'a str,
    pub(crate) bucket: Bucket,
    pub(crate) quantity: i64,
    pub(crate) occurred_at: Option<Timestamp>,
    pub(crate) precision: Option<Precision>,
    pub(crate) doc_no: Option<&'a str>,
    pub(crate) line_no: Option<i64>,
    pub(crate) order_no: Option<&'a str>,
    pub(crate) seq: Option<i64>,
    pub(crate) reason: Option<&'a str>,
}

const PRECISIONS: [Precision; 3] = [Precision::Day, Precision::Minute, Precision::Second];

const HAS_TIME: u8 = 1;
const HAS_DOC: u8 = 2;
const HAS_LINE: u8 = 4;
const HAS_ORDER: u8 = 8;
const HAS_SEQ: u8 = 16;
const HAS_REASON: u8 = 32;

/// Appends a row. The store is not in it: rows of one store lie together.
pub(crate) fn write(row: &Row<'_>, sku: &str, bucket: Bucket, at: Option<Timestamp>, to: &mut Vec<u8>) {
    let flag = |there: bool, flag: u8| if there { flag } else { 0 };
    let flags = flag(at.is_some(), HAS_TIME)
        | flag(row.doc_no.is_some(), HAS_DOC)
        | flag(row.line_no.is_some(), HAS_LINE)
        | flag(row.order_no.is_some(), HAS_ORDER)
        | flag(row.seq.is_some(), HAS_SEQ)
        | flag(row.reason.is_some(), HAS_REASON);
    let bucket = place(&Bucket::ALL, &bucket);
    let precision =
        row.occurred_precision.map_or(PRECISIONS.len(), |one| usize::from(place(&PRECISIONS, &one)));
    to.push(flags);
    // Both are below 16: the tables above are short.
    to.push(bucket | u8::try_from(precision).unwrap_or_default() << 4);
    number(row.src_row.into(), to);
    text(sku, to);
    signed(row.quantity.unwrap_or_default(), to);
    if let Some(at) = at {
        signed(at.as_microsecond(), to);
    }
    if let Some(doc_no) = &row.doc_no {
        text(doc_no, to);
    }
    if let Some(line_no) = row.line_no {
        signed(line_no, to);
    }
    if let Some(order_no) = &row.order_no {
        text(order_no, to);
    }
    if let Some(seq) = row.seq {
        signed(seq, to);
    }
    if let Some(reason) = &row.reason {
        text(reason, to);
    }
}

fn place<T: PartialEq>(all: &[T], one: &T) -> u8 {
    let place = all.iter().position(|other| other == one);
    place.and_then(|place| u8::try_from(place).ok()).unwrap_or_default()
}

/// Reads a row; nothing where the bytes are not what was written.
pub(crate) fn read(bytes: &[u8]) -> Option<Record<'_>> {
    let mut from = bytes;
    let from = &mut from;
    let (flags, words) = (byte(from)?, byte(from)?);
    let has = |flag: u8| flags & flag != 0;
    let src_row = u32::try_from(take_number(from)?).ok()?;
    let sku = take_text(from)?;
    let quantity = take_signed(from)?;
    let occurred_at =
        if has(HAS_TIME) { Some(Timestamp::from_microsecond(take_signed(from)?).ok()?) } else { None };
    let doc_no = if has(HAS_DOC) { Some(take_text(from)?) } else { None };
    let line_no = if has(HAS_LINE) { Some(take_signed(from)?) } else { None };
    let order_no = if has(HAS_ORDER) { Some(take_text(from)?) } else { None };
    let seq = if has(HAS_SEQ) { Some(take_signed(from)?) } else { None };
    let reason = if has(HAS_REASON) { Some(take_text(from)?) } else { None };
    let bucket = *Bucket::ALL.get(usize::from(words & 15))?;
    let precision = PRECISIONS.get(usize::from(words >> 4)).copied();
    let record = Record {
        src_row,
        sku,
        bucket,
        quantity,
        occurred_at,
        precision,
        doc_no,
        line_no,
        order_no,
        seq,
        reason,
    };
    from.is_empty().then_some(record)
}

/// LEB128: seven bits a byte, the low ones first.
pub(crate) fn number(mut value: u64, to: &mut Vec<u8>) {
    while value >= 128 {
        to.push(u8::try_from(value & 127).unwrap_or_default() | 128);
        value >>= 7;
    }
    to.push(u8::try_from(value).unwrap_or_default());
}

fn signed(value: i64, to: &mut Vec<u8>) {
    // Zigzag: small numbers of either sign are short.
    number(((value << 1) ^ (value >> 63)).cast_unsigned(), to);
}

fn text(text: &str, to: &mut Vec<u8>) {
    number(text.len() as u64, to);
    to.extend_from_slice(text.as_bytes());
}

fn byte(from: &mut &[u8]) -> Option<u8> {
    let (first, rest) = from.split_first()?;
    *from = rest;
    Some(*first)
}

pub(crate) fn take_number(from: &mut &[u8]) -> Option<u64> {
    let (mut value, mut shift) = (0_u64, 0_u32);
    loop {
        let next = byte(from)?;
        value |= u64::from(next & 127).checked_shl(shift)?;
        if next & 128 == 0 {
            return Some(value);
        }
        shift += 7;
    }
}

fn take_signed(from: &mut &[u8]) -> Option<i64> {
    let value = take_number(from)?;
    Some((value >> 1).cast_signed() ^ -((value & 1).cast_signed()))
}

fn take_text<'a>(from: &mut &'a [u8]) -> Option<&'a str> {
    let length = usize::try_from(take_number(from)?).ok()?;
    let (text, rest) = from.split_at_checked(length)?;
    *from = rest;
    std::str::from_utf8(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back() {
        for value in [0, 1, -1, 63, 64, -64, -65, i64::MAX, i64::MIN] {
            let mut bytes = Vec::new();
            signed(value, &mut bytes);
            let mut from = bytes.as_slice();
            assert_eq!((take_signed(&mut from), from.len()), (Some(value), 0), "{value}");
        }
    }

    #[test]
    fn rows_come_back() {
        let line = r#"{"src_row": 7, "store_code": "0012", "sku": "A\"1", "quantity": -3, "bucket": "damaged",
            "occurred_at": "2013-01-04T16:00:00Z", "occurred_precision": "day", "doc_no": "D1", "line_no": 2,
            "order_no": "O1", "seq": 9, "reason": "调拨"}"#;
        let row: Row<'_> = serde_json::from_str(line).unwrap();
        let at: Timestamp = "2013-01-04T16:00:00Z".parse().unwrap();
        let mut bytes = Vec::new();
        write(&row, "A\"1", Bucket::Damaged, Some(at), &mut bytes);
        let expect = Record {
            src_row: 7,
            sku: "A\"1",
            bucket: Bucket::Damaged,
            quantity: -3,
            occurred_at: Some(at),
            precision: Some(Precision::Day),
            doc_no: Some("D1"),
            line_no: Some(2),
            order_no: Some("O1"),
            seq: Some(9),
            reason: Some("调拨"),
        };
        assert_eq!(read(&bytes), Some(expect));
        assert_eq!(read(&bytes[..bytes.len() - 1]), None);
        bytes.push(0);
        assert_eq!(read(&bytes), None);
    }
}
