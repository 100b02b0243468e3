//! Tokens: texts that requests carry. They are put where a marker stands, which is the only thing that can be done with one.

use crate::{Key, Material, ParseError, UseError};
use zeroize::Zeroizing;

/// What a marker begins with. Only unreserved characters, so that a marker survives the encoding of forms and queries.
const OPENING: &[u8] = b"~secret.";

/// What it ends with.
const CLOSING: u8 = b'~';

/// Markers that are filled in at once. Requests have one or two; without a bound a guest makes much out of little memory.
const MARKERS_MAX: usize = 100;

pub(crate) struct Token(Zeroizing<Vec<u8>>);

impl Token {
    pub(crate) fn parse(secret: &[u8]) -> Result<Token, ParseError> {
        match secret {
            [] => Err(ParseError::Empty),
            secret if secret.iter().all(u8::is_ascii_graphic) => Ok(Token(Zeroizing::new(secret.to_vec()))),
            _ => Err(ParseError::Token),
        }
    }
}

/// Replaces each `~secret.NAME~` in `data` by the value of the token that `tokens` gives for that name; with `escape`
/// percent-encoded, all but letters, digits and `-._~`. A marker with another name stays as it is, and what a token
/// brings in is not looked at again. More than 100 markers are refused.
///
/// ```
/// use qudao_keys::{Key, fill};
/// use qudao_model::manifest::KeyKind;
/// let session = Key::parse(KeyKind::Token, b"6100/7a==").unwrap();
/// let filled = fill(b"session=~secret.session~&v=~secret.other~", &[("session", &session)], true).unwrap();
/// assert_eq!(filled, b"session=6100%2F7a%3D%3D&v=~secret.other~");
/// ```
pub fn fill(data: &[u8], tokens: &[(&str, &Key)], escape: bool) -> Result<Vec<u8>, UseError> {
    let mut values = Vec::with_capacity(tokens.len());
    for (name, key) in tokens {
        let Material::Token(token) = &key.material else {
            return Err(UseError::wrong_use(key.kind, "attach"));
        };
        values.push((name.as_bytes(), token.0.as_slice()));
    }
    let mut filled = Vec::with_capacity(data.len());
    let (mut rest, mut markers) = (data, 0_usize);
    while let Some((first, others)) = rest.split_first() {
        let found = values.iter().find_map(|(name, value)| Some((after_marker(rest, name)?, value)));
        markers = markers.saturating_add(usize::from(found.is_some()));
        if markers > MARKERS_MAX {
            return Err(UseError::bad_input(&format!("more than {MARKERS_MAX} tokens are to be put in")));
        }
        match found {
            Some((after, value)) if escape => {
                filled.extend(value.iter().flat_map(|byte| escaped(*byte)));
                rest = after;
            }
            Some((after, value)) => {
                filled.extend_from_slice(value);
                rest = after;
            }
            None => {
                filled.push(*first);
                rest = others;
            }
        }
    }
    Ok(filled)
}

/// Whether a marker of any name stands in `text`.
pub fn has_marker(text: &[u8]) -> bool {
    text.windows(OPENING.len()).any(|window| window == OPENING)
}

fn after_marker<'a>(data: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    match data.strip_prefix(OPENING)?.strip_prefix(name)? {
        [CLOSING, after @ ..] => Some(after),
        _ => None,
    }
}

fn escaped(byte: u8) -> Vec<u8> {
    if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
        vec![byte]
    } else {
        format!("%{byte:02X}").into_bytes()
    }
}
