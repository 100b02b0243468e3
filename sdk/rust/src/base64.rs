//! Base64 as signatures need it: the standard alphabet, padding required, nothing lenient.
//!
//! Lenient decoders are a way around checks: two texts for one signature, URL-safe letters, two values joined by a comma.
//!
//! ```
//! use qudao_sdk::base64;
//! assert_eq!(base64::decode("aGk=").unwrap(), b"hi");
//! assert_eq!(base64::encode(b"hi"), "aGk=");
//! for bad in ["aGk", "aGk=\n", "aG k=", "aGl=", "-_8="] {
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
    BASE64.decode(text.as_ref()).map_err(|_| Base64Error)
}

/// Writes bytes.
pub fn encode(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}
