//! Base64 as signatures need it: the standard alphabet, padding required, nothing lenient.
//!
//! Lenient decoders are a way around checks: two texts for one signature, URL-safe letters, two values joined.
//!
//! ```
//! use qudao_sdk::base64;
//! assert_eq!(base64::decode("aGk=").unwrap(), b"hi");
//! assert_eq!(base64::encode(b"hi"), "aGk=");
//! for bad in ["aGk", "aGk=\n", "aG k=", "aGl=", "-_8=", "aGk=aGk="] {
//!     assert!(base64::decode(bad).is_err(), "{bad}");
//! }
//! ```

use data_encoding::BASE64;

/// The text is not standard base64 with padding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not standard base64 with padding")]
pub struct Base64Error;

/// Reads bytes.
pub fn decode(text: impl AsRef<[u8]>) -> Result<Vec<u8>, Base64Error> {
    let text = text.as_ref();
    // The library takes several texts one behind the other for one.
    let (body, _) = text.split_at(text.len().saturating_sub(2));
    if body.contains(&b'=') {
        return Err(Base64Error);
    }
    BASE64.decode(text).map_err(|_| Base64Error)
}

/// Writes bytes.
pub fn encode(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}
