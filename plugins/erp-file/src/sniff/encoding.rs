//! Which encoding a text file has, with the evidence: byte order mark, NULs, a strict decode of the whole file as UTF-8 and as
//! GB18030. Never judged by the first block alone: the first Chinese name may stand late in the file.

use crate::sheet::Bytes;
use encoding_rs::{DecoderResult, Encoding, GB18030, UTF_8};

const PIECE: u32 = 128 * 1024;
/// Characters that are looked at one by one; all are decoded.
const TALLY_MAX: u64 = 500_000;

/// What was found about the bytes of a text file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Evidence {
    /// Label for `container.encoding`.
    pub label: &'static str,
    /// Whether the file begins with a byte order mark.
    pub bom: bool,
    /// Bytes looked at.
    pub bytes: u64,
    /// Nothing but ASCII.
    pub ascii: bool,
    /// Common Chinese characters among all that GB18030 found, in percent.
    pub common: u64,
    /// Characters of four bytes, which GBK does not have.
    pub four_bytes: u64,
    /// Bytes that do not decode in the chosen encoding (half characters in cut fields).
    pub broken: u64,
    /// The file ends with 0x1A.
    pub eof_byte: bool,
    /// 0 to 100.
    pub confidence: u8,
}

#[derive(Default)]
struct Counts {
    seen: u64,
    hanzi: u64,
    common: u64,
    /// Not ASCII, not Chinese, no sign that Chinese texts have.
    strange: u64,
    wide: u64,
    broken: u64,
}

/// Looks at every byte.
pub(crate) fn evidence(file: &dyn Bytes) -> Evidence {
    let head = file.read(0, 64 * 1024);
    let tail = file.read(file.size().saturating_sub(1), 1);
    let base =
        Evidence { bytes: file.size(), eof_byte: tail == [0x1A], confidence: 99, ..Evidence::default() };
    if let Some((encoding, _)) = Encoding::for_bom(&head) {
        let label = match encoding.name() {
            "UTF-16LE" => "utf-16le",
            "UTF-16BE" => "utf-16be",
            _ => "utf-8",
        };
        return Evidence { label, bom: true, confidence: 100, ..base };
    }
    if let Some(label) = wide(&head) {
        return Evidence { label, confidence: 95, ..base };
    }
    let (ascii, unicode) = utf8(file);
    if ascii {
        return Evidence { label: "gbk", ascii, confidence: 60, ..base };
    }
    // a few GBK characters are UTF-8 too, of letters that no Chinese shop writes
    let strange = unicode.broken == 0 && unicode.hanzi == 0 && unicode.strange > 0;
    if unicode.broken == 0 && !strange {
        return Evidence { label: "utf-8", ..base };
    }
    let counts = gb18030(file);
    if strange && (counts.broken > 0 || counts.common * 5 < counts.hanzi * 4 || counts.hanzi == 0) {
        return Evidence { label: "utf-8", confidence: 80, ..base };
    }
    let label = if counts.wide > 0 { "gb18030" } else { "gbk" };
    let common = (counts.common * 100).checked_div(counts.hanzi).unwrap_or(0);
    let confidence = if counts.broken == 0 { 60 + u8::try_from(common * 39 / 100).unwrap_or(0) } else { 70 };
    Evidence { label, common, four_bytes: counts.wide, broken: counts.broken, confidence, ..base }
}

/// ASCII in two-byte units has a NUL in every second place.
fn wide(head: &[u8]) -> Option<&'static str> {
    let zeros = |offset: usize| head.iter().skip(offset).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd, half) = (zeros(0), zeros(1), head.len() / 2);
    if half < 4 || even + odd < half / 4 {
        return None;
    }
    Some(if odd > even { "utf-16le" } else { "utf-16be" })
}

fn pieces(file: &dyn Bytes, mut each: impl FnMut(&[u8], bool)) {
    let mut offset = 0;
    while offset < file.size() {
        let piece = file.read(offset, PIECE);
        if piece.is_empty() {
            break;
        }
        offset += piece.len() as u64;
        each(&piece, offset >= file.size());
    }
}

/// Whether all is ASCII, and what there is besides, as UTF-8.
fn utf8(file: &dyn Bytes) -> (bool, Counts) {
    let mut ascii = true;
    let mut counts = Counts::default();
    let mut decoder = UTF_8.new_decoder_without_bom_handling();
    pieces(file, |piece, last| {
        ascii &= piece.is_ascii();
        // once it is certain, the rest need not be decoded
        if !ascii && counts.broken == 0 {
            decode(&mut decoder, piece, last, &mut counts);
        }
    });
    (ascii, counts)
}

fn gb18030(file: &dyn Bytes) -> Counts {
    let mut counts = Counts::default();
    let mut decoder = GB18030.new_decoder_without_bom_handling();
    pieces(file, |piece, last| decode(&mut decoder, piece, last, &mut counts));
    counts
}

fn decode(decoder: &mut encoding_rs::Decoder, mut piece: &[u8], last: bool, counts: &mut Counts) {
    let mut text = String::with_capacity(PIECE as usize * 3);
    loop {
        text.clear();
        let (result, read) = decoder.decode_to_string_without_replacement(piece, &mut text, last);
        piece = piece.get(read..).unwrap_or_default();
        for c in text.chars().filter(|c| !c.is_ascii()) {
            tally(c, counts);
        }
        match result {
            DecoderResult::InputEmpty => return,
            DecoderResult::OutputFull => {}
            DecoderResult::Malformed(..) => counts.broken += 1,
        }
    }
}

fn tally(c: char, counts: &mut Counts) {
    if counts.seen >= TALLY_MAX {
        return;
    }
    counts.seen += 1;
    let mut utf8 = [0; 4];
    let (bytes, _, unmappable) = GB18030.encode(c.encode_utf8(&mut utf8));
    counts.wide += u64::from(!unmappable && bytes.len() == 4);
    counts.strange += u64::from(matches!(c, '\u{80}'..='\u{A0}' | '\u{C0}'..='\u{1FFF}') && c != '×');
    if super::clean::is_hanzi(c) {
        counts.hanzi += 1;
        // the 3,755 characters of everyday use stand first in GB 2312
        counts.common += u64::from(bytes.first().is_some_and(|lead| (0xB0..=0xD7).contains(lead)));
    }
}

/// Text from the beginning of the file, at most so many bytes of it, undecodable bytes replaced: for looking at, not for reading.
pub(crate) fn head_text(file: &dyn Bytes, label: &str, max: u32) -> String {
    let bytes = file.read(0, max);
    let encoding = Encoding::for_label(label.as_bytes()).unwrap_or(UTF_8);
    let (text, _, _) = encoding.decode(&bytes);
    let whole = file.size() <= u64::from(max);
    match text.rfind('\n') {
        // the last line may be cut
        Some(end) if !whole => {
            text.chars().take(text.get(..end).map_or(0, |cut| cut.chars().count())).collect()
        }
        _ => text.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], label: &str) -> Evidence {
        let found = evidence(&bytes.to_vec());
        assert_eq!(found.label, label);
        found
    }

    #[test]
    fn labels() {
        check("门店,货号".as_bytes(), "utf-8");
        check(&GB18030.encode("门店,货号,数量").0, "gbk");
        check(&GB18030.encode("清远𠮷祥路").0, "gb18030");
        assert!(check(b"\xEF\xBB\xBFshop", "utf-8").bom);
        check(b"s\0h\0o\0p\0,\0q\0", "utf-16le");
        assert!(check(b"shop,sku", "gbk").ascii);
    }

    #[test]
    fn the_first_chinese_name_stands_late() {
        let mut bytes = b"0012,QD13A100,1\r\n".repeat(20_000);
        bytes.extend_from_slice(&GB18030.encode("0012,女装,1").0);
        let found = check(&bytes, "gbk");
        assert_eq!((found.broken, found.common), (0, 100));
    }

    #[test]
    fn half_characters_are_counted() {
        let mut bytes = GB18030.encode("女士针织").0.into_owned();
        bytes.pop();
        bytes.extend_from_slice(b" 12\r\n");
        assert_eq!(check(&bytes, "gbk").broken, 1);
    }
}
