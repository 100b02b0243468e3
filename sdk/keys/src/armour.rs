//! PEM and bare base64 to DER. Platforms hand out both, so operators paste both.

use crate::ParseError;
use data_encoding::BASE64;
use pem::Pem;
use zeroize::Zeroizing;

/// The one DER block in `secret`: PEM with one of `labels`, or bare base64, wrapped or not.
pub(crate) fn single(secret: &[u8], labels: &[&str]) -> Result<Zeroizing<Vec<u8>>, ParseError> {
    if !is_pem(secret) {
        return bare(secret);
    }
    let mut fitting: Vec<_> = blocks(secret, labels)?.collect();
    match (fitting.pop(), fitting.len()) {
        (Some(der), 0) => Ok(der),
        (_, others) => Err(ParseError::Several { found: others + 1 }),
    }
}

/// All DER blocks with one of `labels`, of which there is at least one; blocks with other labels are passed over.
pub(crate) fn blocks(
    secret: &[u8],
    labels: &[&str],
) -> Result<impl Iterator<Item = Zeroizing<Vec<u8>>>, ParseError> {
    let all = pem::parse_many(secret).map_err(|_| ParseError::Encoding)?;
    let Some(first) = all.first().map(|block| block.tag().to_owned()) else {
        return Err(ParseError::Encoding);
    };
    // Contents move into buffers that zeroise themselves before anything is thrown away.
    let all = all.into_iter().map(|block| {
        let passphrase = is_encrypted(&block);
        (block.tag().to_owned(), passphrase, Zeroizing::new(block.into_contents()))
    });
    let fitting: Vec<_> =
        all.filter(|(tag, passphrase, _)| *passphrase || labels.contains(&tag.as_str())).collect();
    if fitting.iter().any(|(_, passphrase, _)| *passphrase) {
        return Err(ParseError::Encrypted);
    }
    if fitting.is_empty() {
        return Err(ParseError::Label { expected: labels.join(" or "), found: first });
    }
    Ok(fitting.into_iter().map(|(_, _, der)| der))
}

/// Whether the secret is meant as PEM.
pub(crate) fn is_pem(secret: &[u8]) -> bool {
    secret.windows(10).any(|window| window == b"-----BEGIN")
}

fn is_encrypted(block: &Pem) -> bool {
    // PKCS#8 says it in the label, the older form in a header (`Proc-Type: 4,ENCRYPTED`).
    block.tag() == "ENCRYPTED PRIVATE KEY"
        || block.headers().get("Proc-Type").is_some_and(|value| value.contains("ENCRYPTED"))
}

fn bare(secret: &[u8]) -> Result<Zeroizing<Vec<u8>>, ParseError> {
    let text: Zeroizing<Vec<u8>> =
        Zeroizing::new(secret.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect());
    if text.is_empty() {
        return Err(ParseError::Empty);
    }
    BASE64.decode(&text).map(Zeroizing::new).map_err(|_| ParseError::Encoding)
}
