//! The simulators' own keys: the ones in `keys/`, which are part of the program, or a folder with the same file names.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use data_encoding::BASE64;
use serde::de::DeserializeOwned;
use std::path::PathBuf;

/// Why a simulator cannot work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file of the key folder.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A file that the built-in keys do not have; a defect of this program.
    #[error("there is no built-in key file {0}")]
    Unknown(String),
    /// The identity file.
    #[error("{name} is not the identity this platform needs")]
    Identity {
        /// The file.
        name: String,
        /// Where it went wrong.
        #[source]
        source: serde_json::Error,
    },
    /// A file with another content.
    #[error("{name} is not {expected}")]
    Form {
        /// The file.
        name: String,
        /// What it should be.
        expected: &'static str,
    },
    /// The crypto library refused.
    #[error("cannot {0}")]
    Crypto(&'static str),
    /// A server's address.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The network of this process.
    #[error("cannot make an HTTP client")]
    Client(#[source] reqwest::Error),
    /// Somebody drove the simulator where the platform would not go.
    #[error("{0}")]
    Refused(String),
}

/// Where keys come from.
#[derive(Debug, Clone)]
pub enum Keys {
    /// The test keys under `examples/simulators/keys`.
    BuiltIn,
    /// A folder with files of the same names.
    Folder(PathBuf),
}

macro_rules! built_in {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../keys/", $name)))),*]
    };
}

const BUILT_IN: &[(&str, &str)] = built_in![
    "wechat-pay/identity.json",
    "wechat-pay/test_api_v3_key.txt",
    "wechat-pay/test_platform_private_key.pem",
    "wechat-pay/test_certificate_private_key.pem",
    "wechat-pay/test_stranger_private_key.pem",
    "alipay/identity.json",
    "alipay/test_alipay_private_key.pem",
    "alipay/test_certificate_private_key.pem",
    "alipay/test_stranger_private_key.pem",
    "wechat-pay/test_merchant_public_key.pem",
    "alipay/test_app_public_key.pem",
    "tmall/identity.json",
    "tmall/test_app_secret.txt",
    "tmall/test_session.txt",
    "jd/identity.json",
    "jd/test_app_secret.txt",
    "jd/test_access_token.txt",
    "jddj/identity.json",
    "jddj/test_app_secret.txt",
    "jddj/test_token.txt",
    "qimen/identity.json",
    "qimen/test_app_secret.txt",
];

impl Keys {
    fn text(&self, platform: &str, file: &str) -> Result<String, Error> {
        match self {
            Keys::BuiltIn => {
                let name = format!("{platform}/{file}");
                let found = BUILT_IN.iter().find(|(known, _)| *known == name);
                found.map(|(_, text)| (*text).to_owned()).ok_or(Error::Unknown(name))
            }
            Keys::Folder(folder) => {
                let path = folder.join(file);
                std::fs::read_to_string(&path).map_err(|source| Error::Read { path, source })
            }
        }
    }

    pub(crate) fn identity<T: DeserializeOwned>(&self, platform: &str) -> Result<T, Error> {
        let name = "identity.json";
        serde_json::from_str(&self.text(platform, name)?)
            .map_err(|source| Error::Identity { name: name.to_owned(), source })
    }

    /// A text without the line break behind it.
    pub(crate) fn word(&self, platform: &str, file: &str) -> Result<String, Error> {
        Ok(self.text(platform, file)?.trim_end().to_owned())
    }

    pub(crate) fn signer(&self, platform: &str, file: &str) -> Result<Signer, Error> {
        let wrong = || Error::Form { name: file.to_owned(), expected: "an RSA private key in PKCS#8 PEM" };
        let block = pem::parse(self.text(platform, file)?).map_err(|_| wrong())?;
        RsaKeyPair::from_pkcs8(block.contents()).map(Signer).map_err(|_| wrong())
    }

    pub(crate) fn checker(&self, platform: &str, file: &str) -> Result<Checker, Error> {
        let wrong = || Error::Form { name: file.to_owned(), expected: "a public key in PEM" };
        pem::parse(self.text(platform, file)?)
            .map(|block| Checker(block.into_contents()))
            .map_err(|_| wrong())
    }

    pub(crate) fn sealer(&self, platform: &str, file: &str) -> Result<Sealer, Error> {
        let text = self.text(platform, file)?;
        let key = UnboundKey::new(&AES_256_GCM, text.trim_end().as_bytes())
            .map_err(|_| Error::Form { name: file.to_owned(), expected: "32 characters" })?;
        Ok(Sealer(LessSafeKey::new(key)))
    }
}

/// An RSA private key.
pub(crate) struct Signer(RsaKeyPair);

impl Signer {
    /// RSASSA-PKCS1-v1_5 with SHA-256, in base64.
    pub(crate) fn sign(&self, text: &[u8]) -> Result<String, Error> {
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text, &mut signature)
            .map_err(|_| Error::Crypto("sign"))?;
        Ok(BASE64.encode(&signature))
    }

    #[cfg(test)]
    pub(crate) fn public_spki(&self) -> Vec<u8> {
        use aws_lc_rs::encoding::AsDer;
        use aws_lc_rs::signature::KeyPair;
        self.0.public_key().as_der().unwrap().as_ref().to_vec()
    }

    #[cfg(test)]
    pub(crate) fn verifies(&self, text: &[u8], signature: &str) -> bool {
        use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
        let signature = BASE64.decode(signature.as_bytes()).unwrap_or_default();
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, self.public_spki())
            .verify(text, &signature)
            .is_ok()
    }
}

/// An RSA public key.
pub(crate) struct Checker(Vec<u8>);

impl Checker {
    /// Whether the base64 text is a signature of `text`, RSASSA-PKCS1-v1_5 with SHA-256.
    pub(crate) fn verifies(&self, text: &[u8], signature: &str) -> bool {
        use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &self.0);
        BASE64.decode(signature.as_bytes()).is_ok_and(|signature| key.verify(text, &signature).is_ok())
    }
}

/// An AES-256-GCM key.
pub(crate) struct Sealer(LessSafeKey);

impl Sealer {
    /// Ciphertext with the tag behind it, in base64. `nonce` has 12 characters.
    pub(crate) fn seal(&self, nonce: &str, associated: &str, text: &str) -> Result<String, Error> {
        let refused = |_| Error::Crypto("encrypt");
        let nonce = Nonce::try_assume_unique_for_key(nonce.as_bytes()).map_err(refused)?;
        let mut bytes = text.as_bytes().to_vec();
        self.0
            .seal_in_place_append_tag(nonce, Aad::from(associated.as_bytes()), &mut bytes)
            .map_err(refused)?;
        Ok(BASE64.encode(&bytes))
    }

    #[cfg(test)]
    pub(crate) fn open(&self, nonce: &str, associated: &str, sealed: &str) -> String {
        let mut bytes = BASE64.decode(sealed.as_bytes()).unwrap();
        let nonce = Nonce::try_assume_unique_for_key(nonce.as_bytes()).unwrap();
        let plain = self.0.open_in_place(nonce, Aad::from(associated.as_bytes()), &mut bytes).unwrap();
        String::from_utf8(plain.to_vec()).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn public_half(path: &str) -> Vec<u8> {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
        pem::parse(std::fs::read(path).unwrap()).unwrap().into_contents()
    }

    /// The sample channels of connectors.yaml must be able to verify what the simulators sign.
    #[test]
    fn sample_channels_hold_the_other_halves() {
        let signs = |platform, file| Keys::BuiltIn.signer(platform, file).unwrap().public_spki();
        assert_eq!(
            signs("wechat-pay", "test_platform_private_key.pem"),
            public_half("keys/wechat-main/test_platform_public_key.pem")
        );
        assert_eq!(
            signs("alipay", "test_alipay_private_key.pem"),
            public_half("keys/alipay-main/test_alipay_public_key.pem")
        );
        let certificates = public_half("keys/wechat-main/test_platform_certificates.pem");
        let key = signs("wechat-pay", "test_certificate_private_key.pem");
        assert!(certificates.windows(key.len()).any(|part| part == key));
        let examples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../keys");
        for (platform, channel, file) in [
            ("wechat-pay", "wechat-main", "test_api_v3_key.txt"),
            ("tmall", "tmall-main", "test_app_secret.txt"),
            ("tmall", "tmall-main", "test_session.txt"),
            ("jd", "jd-main", "test_app_secret.txt"),
            ("jd", "jd-main", "test_access_token.txt"),
            ("jddj", "jddj-main", "test_app_secret.txt"),
            ("jddj", "jddj-main", "test_token.txt"),
            ("qimen", "qimen-main", "test_app_secret.txt"),
        ] {
            let sample = std::fs::read_to_string(examples.join(channel).join(file)).unwrap();
            assert_eq!(sample, Keys::BuiltIn.text(platform, file).unwrap(), "{channel}/{file}");
        }
    }

    #[test]
    fn a_wrong_folder_is_named() {
        let error =
            Keys::Folder("/nowhere".into()).signer("alipay", "test_alipay_private_key.pem").err().unwrap();
        assert_eq!(error.to_string(), "cannot read /nowhere/test_alipay_private_key.pem");
    }
}
