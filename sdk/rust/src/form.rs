//! Bodies of type `application/x-www-form-urlencoded`, as bytes.
//!
//! Signatures cover the bytes that the platform encoded, in its own character set; so names and values stay bytes until
//! somebody asks for text. Percent signs are decoded once. A repeated name is visible, never silently first or last.

use crate::charset::{Charset, CharsetError};

/// Everything but letters, digits and `-._~` is escaped, a blank becomes `+`: what every platform decodes alike.
const ESCAPED: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b' ');

/// Writes a form (or a query), UTF-8. The markers of tokens pass unchanged.
///
/// ```
/// use qudao_sdk::{form, token};
/// let session = token("session");
/// assert_eq!(form::encode([("fields", "tid,status"), ("session", session.as_str()), ("q", "a b")]),
///     "fields=tid%2Cstatus&session=~secret.session~&q=a+b");
/// ```
pub fn encode<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let escape =
        |text: &str| percent_encoding::utf8_percent_encode(text, ESCAPED).to_string().replace(' ', "+");
    let pair = |(name, value)| format!("{}={}", escape(name), escape(value));
    pairs.into_iter().map(pair).collect::<Vec<_>>().join("&")
}

/// A decoded form: pairs in the order they were sent.
///
/// ```
/// use qudao_sdk::{charset::Charset, form::Form};
/// let form = Form::parse(b"subject=%D6%D0&total=1.00&note=a+b%2Bc").unwrap();
/// assert_eq!(form.bytes("total"), Some(&b"1.00"[..]));
/// assert_eq!(form.bytes("note"), Some(&b"a b+c"[..]));
/// assert_eq!(form.text("subject", Charset::Gb18030).unwrap().as_deref(), Some("中"));
/// assert_eq!(form.repeated(), None);
/// assert_eq!(Form::parse(b"a=1&b=2&a=3").unwrap().repeated(), Some(&b"a"[..]));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    pairs: Vec<(Vec<u8>, Vec<u8>)>,
}

/// Pairs of one form: a platform sends some dozens; a sender of a million only wants to cost us time.
pub const PAIRS_MAX: usize = 1000;

/// Why bytes are not a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// A percent sign without two hex digits behind it, at this offset.
    #[error("has a percent sign without two hex digits at byte {0}")]
    Escape(usize),
    /// A part without `=` or without a name, at this offset: JSON, XML, nothing.
    #[error("has no name=value pair at byte {0}")]
    Pair(usize),
    /// More than [`PAIRS_MAX`] pairs.
    #[error("has more than {PAIRS_MAX} pairs")]
    TooManyPairs,
}

impl Form {
    /// Reads a body (or a query). Every part must be `name=value`; the value may be empty.
    pub fn parse(body: &[u8]) -> Result<Form, FormError> {
        let mut pairs = Vec::new();
        let mut at = 0;
        // Counted before anything is decoded: a body of a million pairs must cost its sender more than us.
        if body.split(|byte| *byte == b'&').nth(PAIRS_MAX).is_some() {
            return Err(FormError::TooManyPairs);
        }
        for part in body.split(|byte| *byte == b'&') {
            let equals = part.iter().position(|byte| *byte == b'=').filter(|equals| *equals > 0);
            let (name, value) =
                equals.and_then(|equals| part.split_at_checked(equals)).ok_or(FormError::Pair(at))?;
            let value = value.strip_prefix(b"=").unwrap_or(value);
            pairs.push((decode(name, at)?, decode(value, at + name.len() + 1)?));
            at += part.len() + 1;
        }
        Ok(Form { pairs })
    }

    /// Pairs in the order they were sent.
    pub fn pairs(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.pairs.iter().map(|(name, value)| (name.as_slice(), value.as_slice()))
    }

    /// The first name that occurs again.
    pub fn repeated(&self) -> Option<&[u8]> {
        let mut seen = std::collections::BTreeSet::new();
        self.pairs().map(|(name, _)| name).find(|name| !seen.insert(*name))
    }

    /// The value of a name, if it occurs exactly once.
    pub fn bytes(&self, name: &str) -> Option<&[u8]> {
        let mut values = self.pairs().filter(|(at, _)| *at == name.as_bytes()).map(|(_, value)| value);
        match (values.next(), values.next()) {
            (Some(value), None) => Some(value),
            _ => None,
        }
    }

    /// The value of a name as text, if it occurs exactly once.
    pub fn text(&self, name: &str, charset: Charset) -> Result<Option<String>, CharsetError> {
        self.bytes(name).map(|value| charset.decode(value)).transpose()
    }
}

fn decode(part: &[u8], at: usize) -> Result<Vec<u8>, FormError> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part;
    while let [first, after @ ..] = rest {
        rest = match (first, after) {
            (b'%', [high, low, tail @ ..]) => {
                let digit =
                    |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
                let escape = FormError::Escape(at + part.len() - rest.len());
                bytes.push(digit(high).ok_or(escape)? << 4 | digit(low).ok_or(escape)?);
                tail
            }
            (b'%', _) => return Err(FormError::Escape(at + part.len() - rest.len())),
            (b'+', tail) => {
                bytes.push(b' ');
                tail
            }
            (byte, tail) => {
                bytes.push(*byte);
                tail
            }
        };
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, expect: Result<&[(&str, &str)], FormError>) {
        let got = Form::parse(body.as_bytes());
        let expect = expect.map(|pairs| Form {
            pairs: pairs
                .iter()
                .map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec()))
                .collect(),
        });
        assert_eq!(got, expect, "{body}");
    }

    #[test]
    fn forms() {
        check("a=1", Ok(&[("a", "1")]));
        check("a=", Ok(&[("a", "")]));
        check("a=b=c&d=%3D", Ok(&[("a", "b=c"), ("d", "=")]));
        check("a=%2541", Ok(&[("a", "%41")]));
        check("%61=1&a=2", Ok(&[("a", "1"), ("a", "2")]));
        check("", Err(FormError::Pair(0)));
        check("{\"a\":1}", Err(FormError::Pair(0)));
        check("a=1&=2", Err(FormError::Pair(4)));
        check("a=1&", Err(FormError::Pair(4)));
        check(&["a=1"; PAIRS_MAX + 1].join("&"), Err(FormError::TooManyPairs));
        check("ab=1%4", Err(FormError::Escape(4)));
        check("ab=1&c=%zz", Err(FormError::Escape(7)));
    }
}
