//! What the XML of a workbook claims before a parser counts with it: where cells lie, and how many shared strings there are.
//!
//! A reference with more letters or digits than a sheet has overflows in a parser, and its cell would come to lie anywhere;
//! room for as many strings as are claimed is made before the first one is read.

/// Letters of the last column, XFD.
const LETTERS: u8 = 3;
/// Digits of the last row, 1048576.
const DIGITS: u8 = 7;
/// Bytes of the longest name that counts, `uniqueCount`.
const NAME: usize = 11;

/// Looks at bytes as they come, wherever the pieces end.
#[derive(Default)]
pub(crate) struct Claims {
    at: At,
    name: [u8; NAME],
    length: usize,
    strings: u64,
}

/// Where in an attribute.
#[derive(Clone, Copy, Default)]
enum At {
    #[default]
    Free,
    Name,
    /// Behind a name.
    Named,
    /// Behind the equals sign.
    Equals(What),
    Cell {
        letters: u8,
        digits: u8,
    },
    Strings(u64),
}

#[derive(Clone, Copy)]
enum What {
    Cell,
    Strings,
}

impl Claims {
    /// Whether all references so far lie within a sheet.
    pub(crate) fn fit(&mut self, read: &[u8]) -> bool {
        read.iter().all(|byte| {
            self.at = self.next(*byte);
            !matches!(self.at, At::Cell { letters, digits } if letters > LETTERS || digits > DIGITS)
        })
    }

    /// Most shared strings that were claimed.
    pub(crate) fn strings(&self) -> u64 {
        self.strings
    }

    fn next(&mut self, byte: u8) -> At {
        match (self.at, byte) {
            (At::Cell { letters, digits: 0 }, b'A'..=b'Z' | b'a'..=b'z') => {
                At::Cell { letters: letters + 1, digits: 0 }
            }
            (At::Cell { letters, digits }, b'0'..=b'9') => At::Cell { letters, digits: digits + 1 },
            (At::Cell { .. }, b':') | (At::Equals(What::Cell), b'"' | b'\'') => {
                At::Cell { letters: 0, digits: 0 }
            }
            (At::Equals(What::Strings), b'"' | b'\'') | (At::Strings(0), b'+') => At::Strings(0),
            (At::Strings(claimed), b'0'..=b'9') => {
                let claimed = claimed.saturating_mul(10).saturating_add(u64::from(byte - b'0'));
                self.strings = self.strings.max(claimed);
                At::Strings(claimed)
            }
            (At::Cell { .. } | At::Strings(_), _) => At::Free,
            (At::Name | At::Named, b'=') => self.named().map_or(At::Free, At::Equals),
            (At::Name | At::Named, b' ' | b'\t' | b'\r' | b'\n') => At::Named,
            (At::Equals(what), b' ' | b'\t' | b'\r' | b'\n') => At::Equals(what),
            (at, b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b':' | b'_' | b'-' | b'.' | 0x80..) => {
                self.length = if matches!(at, At::Name) { self.length } else { 0 };
                if let Some(place) = self.name.get_mut(self.length) {
                    *place = byte;
                }
                self.length = (self.length + 1).min(NAME + 1);
                At::Name
            }
            _ => At::Free,
        }
    }

    /// What is claimed by the attribute whose name was read.
    fn named(&self) -> Option<What> {
        match self.name.get(..self.length)? {
            b"r" | b"ref" => Some(What::Cell),
            b"uniqueCount" => Some(What::Strings),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(xml: &str, fits: bool, strings: u64) {
        let mut whole = Claims::default();
        assert_eq!((whole.fit(xml.as_bytes()), whole.strings()), (fits, strings), "{xml}");
        let mut bytewise = Claims::default();
        assert_eq!(xml.bytes().all(|byte| bytewise.fit(&[byte])), fits, "{xml}, byte by byte");
    }

    #[test]
    fn references_of_a_sheet_fit() {
        check("<dimension ref=\"A1:XFD1048576\"/><row r=\"7\"><c r='AB7' s=\"100000000\"><v>69</v>", true, 0);
        check("<c t=\"inlineStr\"><is><t>color=\"123456789\" expr=\"ABCDE\"</t></is></c>", true, 0);
        check("<sheet name=\"x\" r:id=\"rId123456789\"/>", true, 0);
    }

    #[test]
    fn references_beyond_a_sheet_do_not() {
        check("<c r=\"ABCD1\">", false, 0);
        check("<row r=\"10000000000\">", false, 0);
        check("<c s=\"1\"r\n=\n'A12345678'>", false, 0);
        check("<dimension ref=\"A1:A99999999999\"/>", false, 0);
    }

    #[test]
    fn strings_are_counted_as_they_are_claimed() {
        check("<sst count=\"900\" uniqueCount=\"17\">", true, 17);
        check("<sst uniqueCount = '99999999999999999999999'>", true, u64::MAX);
        check("<sst myuniqueCount=\"5\" uniqueCounts=\"6\">", true, 0);
    }
}
