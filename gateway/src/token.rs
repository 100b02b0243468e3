//! The bearer token of the private listener: the configuration's, or one made at first start and kept in
//! `data/admin-token`, readable by its owner only.

use crate::error::Error;
use data_encoding::BASE64URL_NOPAD;
use qudao_config::Config;
use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// Random bytes of a token that is made: 256 bits, 43 characters.
const RANDOM_BYTES: usize = 32;
/// Readable and writable by its owner, by nobody else.
pub(crate) const OWNER_ONLY: u32 = 0o600;

/// A token and the file that holds it, where there is one.
pub(crate) struct Token {
    /// As it stands behind `Bearer`.
    pub(crate) text: Zeroizing<String>,
    /// `data/admin-token`, when the gateway made it.
    pub(crate) file: Option<PathBuf>,
}

impl Token {
    /// The configured token, or the one in the data folder, which is made where it is missing.
    pub(crate) fn of(config: &Config, data: &Path) -> Result<Token, Error> {
        if let Some(secret) = &config.gateway.admin_token {
            return Token::configured(secret.expose());
        }
        let file = file(data);
        let text = match read(&file)? {
            Some(text) => text,
            None => make(&file)?,
        };
        Ok(Token { text: text.into(), file: Some(file) })
    }

    fn configured(secret: &[u8]) -> Result<Token, Error> {
        let text =
            str::from_utf8(secret).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_graphic()));
        let text = text.ok_or_else(|| {
            Error::refused("gateway.admin_token holds something other than visible ASCII characters")
                .hint("a bearer token is letters, digits and -._~+/=, without blanks; remove the setting to have one made")
        })?;
        Ok(Token { text: text.to_owned().into(), file: None })
    }
}

/// Reads a token file; nothing where there is none.
pub(crate) fn read(file: &Path) -> Result<Option<String>, Error> {
    match fs::read_to_string(file) {
        Ok(text) if text.trim().is_empty() => Ok(None),
        Ok(text) => Ok(Some(text.trim().to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::file("read", file)(error)),
    }
}

fn file(data: &Path) -> PathBuf {
    data.join("admin-token")
}

fn make(file: &Path) -> Result<String, Error> {
    let mut random = [0; RANDOM_BYTES];
    getrandom::fill(&mut random)
        .map_err(|error| Error::system("make an admin token")(io::Error::other(error.to_string())))?;
    let text = BASE64URL_NOPAD.encode(&random);
    write(file, text.as_bytes())?;
    Ok(text)
}

/// Writes a file that only its owner may read, durably: what is sealed under a key must not outlast the key.
pub(crate) fn write(file: &Path, bytes: &[u8]) -> Result<(), Error> {
    // An empty file that somebody made may be open to others; a new one is not.
    let old = fs::remove_file(file)
        .or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) });
    old.and_then(|()| OpenOptions::new().write(true).create_new(true).mode(OWNER_ONLY).open(file))
        .and_then(|mut open| open.write_all(bytes).and_then(|()| open.sync_all()))
        .and_then(|()| qudao_storage::sync_name(file))
        .map_err(Error::file("write", file))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_made_token_is_long_owner_only_and_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let at = file(folder.path());
        assert_eq!(read(&at).unwrap(), None);
        let made = make(&at).unwrap();
        assert_eq!(made.len(), 43);
        assert_eq!(fs::metadata(&at).unwrap().permissions().mode() & 0o777, OWNER_ONLY);
        assert_eq!(read(&at).unwrap(), Some(made.clone()));
        assert_ne!(make(&at).unwrap(), made);
    }

    #[test]
    fn a_configured_token_that_no_header_can_carry_is_refused() {
        assert!(Token::configured(b"two words").is_err());
        assert!(Token::configured("令牌".as_bytes()).is_err());
        assert_eq!(Token::configured(b"s3cret").unwrap().text.as_str(), "s3cret");
    }
}
