//! Character sets that Chinese platforms name, read strictly: a byte that does not fit is an error, never a U+FFFD.

use encoding_rs::{Encoding, GB18030, UTF_8};

/// A character set, by the name a platform gave it.
///
/// `GBK` and `GB2312` are read as GB18030, which contains both: senders use characters outside of what they declare.
///
/// ```
/// use qudao_sdk::charset::Charset;
/// let gbk = Charset::named("GBK").unwrap();
/// assert_eq!(gbk.decode(b"\xd6\xd0\xb9\xfa").unwrap(), "中国");
/// assert_eq!(gbk.encode("中国"), b"\xd6\xd0\xb9\xfa");
/// assert!(Charset::Utf8.decode(b"\xd6\xd0").is_err());
/// assert!(Charset::named("KLINGON").is_none());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charset {
    /// UTF-8.
    Utf8,
    /// GB18030, and GBK and GB2312 within it.
    Gb18030,
}

/// The bytes are not of the character set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not {}", .0.name())]
pub struct CharsetError(pub Charset);

impl Charset {
    /// By the label a platform uses, without regard to case: `utf-8`, `utf8`, `gbk`, `gb2312`, `gb18030`.
    pub fn named(label: &str) -> Option<Charset> {
        match label.to_ascii_lowercase().as_str() {
            "utf-8" | "utf8" => Some(Charset::Utf8),
            "gbk" | "gb2312" | "gb18030" => Some(Charset::Gb18030),
            _ => None,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.encoding().name()
    }

    /// Text, if every byte fits. A byte order mark is text like any other.
    pub fn decode(self, bytes: &[u8]) -> Result<String, CharsetError> {
        self.encoding()
            .decode_without_bom_handling_and_without_replacement(bytes)
            .map(String::from)
            .ok_or(CharsetError(self))
    }

    /// Bytes. Both sets hold every character.
    pub fn encode(self, text: &str) -> Vec<u8> {
        self.encoding().encode(text).0.into_owned()
    }

    fn encoding(self) -> &'static Encoding {
        match self {
            Charset::Utf8 => UTF_8,
            Charset::Gb18030 => GB18030,
        }
    }
}
