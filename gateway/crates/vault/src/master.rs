//! The master key as operators have it.

use data_encoding::{BASE64, BASE64_NOPAD, HEXLOWER_PERMISSIVE};
use zeroize::Zeroizing;

use crate::{Error, KEY_BYTES};

/// 32 raw bytes are taken as they are. Otherwise space around is ignored, and it is hex by its 64 characters or base64
/// by its 43 or 44; no text fits two of them.
pub(crate) fn parse(master: &[u8]) -> Result<Zeroizing<[u8; KEY_BYTES]>, Error> {
    if let Ok(raw) = <[u8; KEY_BYTES]>::try_from(master) {
        return Ok(Zeroizing::new(raw));
    }
    let text = master.trim_ascii();
    let decoded = match text.len() {
        64 => HEXLOWER_PERMISSIVE.decode(text),
        44 => BASE64.decode(text),
        43 => BASE64_NOPAD.decode(text),
        _ => return Err(Error::Master { found: text.len() }),
    };
    let decoded = Zeroizing::new(decoded.map_err(|_| Error::Master { found: text.len() })?);
    let key = decoded.as_slice().try_into().map_err(|_| Error::Master { found: text.len() })?;
    Ok(Zeroizing::new(key))
}
