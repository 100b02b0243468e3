//! Keys in every form operators have them, and what each may do. All keys are test keys.

#![cfg(test)]

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der},
    rsa::{KeyPair, KeySize},
    signature::KeyPair as _,
};
use data_encoding::{BASE64, HEXLOWER};
use pem::{EncodeConfig, LineEnding, Pem};
use qudao_keys::{Key, ParseError};
use qudao_model::manifest::KeyKind;

const CERTIFICATE_1: &str = include_str!("data/certificate_1.pem");
const CERTIFICATE_2: &str = include_str!("data/certificate_2.pem");
const PRIVATE_1: &str = include_str!("data/private_key_1.pem");
const PRIVATE_2: &str = include_str!("data/private_key_2.pem");
const MIXED_ROOTS: &str = include_str!("data/mixed_roots.pem");
const SERIAL_1: &str = "5E8B1D462F51802BBAA1DF7782C66D1C375E1BA2";
const SERIAL_2: &str = "5734713AA4C604E4F3CD07127E742E4FDF47D399";

fn armoured(label: &str, der: &[u8]) -> String {
    pem::encode_config(&Pem::new(label, der), EncodeConfig::new().set_line_ending(LineEnding::LF))
}

fn parsed(kind: KeyKind, secret: impl AsRef<[u8]>) -> Key {
    Key::parse(kind, secret.as_ref()).unwrap()
}

#[test]
fn every_form_of_an_rsa_pair_signs_and_verifies() {
    let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let pkcs8 = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).unwrap();
    let spki = AsDer::<PublicKeyX509Der<'_>>::as_der(pair.public_key()).unwrap();
    let wrapped = armoured("X", spki.as_ref());
    let wrapped: String =
        wrapped.lines().filter(|line| !line.starts_with('-')).collect::<Vec<_>>().join("\r\n");
    // 26 bytes of PKCS#8 stand before the PKCS#1 key of 2048 bits.
    let pkcs1 = &pkcs8.as_ref()[26..];

    let privates = [
        armoured("PRIVATE KEY", pkcs8.as_ref()),
        armoured("RSA PRIVATE KEY", pkcs1),
        BASE64.encode(pkcs8.as_ref()),
        BASE64.encode(pkcs1),
        format!("Bag Attributes\n  friendlyName: x\n{}", armoured("PRIVATE KEY", pkcs8.as_ref())),
    ];
    let publics = [
        armoured("PUBLIC KEY", spki.as_ref()),
        armoured("RSA PUBLIC KEY", pair.public_key().as_ref()),
        BASE64.encode(spki.as_ref()),
        format!("  {}\n", BASE64.encode(spki.as_ref())),
        wrapped,
    ];
    for private in &privates {
        let signature = parsed(KeyKind::RsaPrivateKey, private).sign(b"data").unwrap();
        assert_eq!(signature.len(), 256);
        for public in &publics {
            let public = parsed(KeyKind::RsaPublicKey, public);
            assert_eq!(public.verify(None, b"data", &signature), Ok(true));
            assert_eq!(public.verify(None, b"date", &signature), Ok(false));
            assert_eq!(public.verify(None, b"data", b""), Ok(false));
        }
    }
}

#[test]
fn a_bundle_is_asked_by_serial() {
    let bundle = parsed(KeyKind::X509Certificates, format!("{CERTIFICATE_1}\n{CERTIFICATE_2}"));
    assert_eq!(bundle.ids(), [SERIAL_1, SERIAL_2]);
    let first = parsed(KeyKind::RsaPrivateKey, PRIVATE_1).sign(b"data").unwrap();
    let second = parsed(KeyKind::RsaPrivateKey, PRIVATE_2).sign(b"data").unwrap();
    assert_eq!(bundle.verify(Some(SERIAL_1), b"data", &first), Ok(true));
    assert_eq!(bundle.verify(Some(SERIAL_2), b"data", &second), Ok(true));
    assert_eq!(bundle.verify(Some(SERIAL_1), b"data", &second), Ok(false));
    assert_eq!(bundle.verify(None, b"data", &second), Ok(true));
    assert_eq!(bundle.verify(None, b"other", &second), Ok(false));
    assert_eq!(bundle.verify(Some("00"), b"data", &first).unwrap_err().code, "unknown_id");
}

#[test]
fn certificates_without_an_rsa_key_are_passed_over() {
    let in_file = MIXED_ROOTS.matches("BEGIN CERTIFICATE").count();
    let usable = parsed(KeyKind::X509Certificates, MIXED_ROOTS).ids().len();
    assert_eq!((in_file, usable), (3, 2));
}

#[test]
fn aes_opens_what_was_sealed_and_nothing_else() {
    const KEY: &[u8] = b"egDKnRCDsx6IV7Y8TWQlvuxXNXw3VPml";
    let mut sealed = b"plain".to_vec();
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, KEY).unwrap())
        .seal_in_place_append_tag(
            Nonce::assume_unique_for_key(*b"123456789012"),
            Aad::from(b"aad"),
            &mut sealed,
        )
        .unwrap();
    let key = parsed(KeyKind::Aes256Gcm, KEY);
    assert_eq!(key.decrypt(b"123456789012", b"aad", &sealed).unwrap(), b"plain");
    let code = |nonce: &[u8], aad: &[u8], sealed: &[u8]| key.decrypt(nonce, aad, sealed).unwrap_err().code;
    assert_eq!(code(b"123456789012", b"other", &sealed), "decrypt_failed");
    assert_eq!(code(b"123456789013", b"aad", &sealed), "decrypt_failed");
    assert_eq!(code(b"123456789012", b"aad", b"short"), "decrypt_failed");
    assert_eq!(code(b"12345678", b"aad", &sealed), "bad_input");
}

#[test]
fn hmac_is_the_one_of_rfc_4231() {
    let mac = parsed(KeyKind::HmacSha256, "Jefe").mac(b"what do ya want for nothing?").unwrap();
    assert_eq!(HEXLOWER.encode(&mac), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

#[test]
fn a_kind_allows_its_own_verb_only() {
    let keys = [
        parsed(KeyKind::RsaPrivateKey, PRIVATE_1),
        parsed(KeyKind::X509Certificates, CERTIFICATE_1),
        parsed(KeyKind::Aes256Gcm, [7; 32]),
        parsed(KeyKind::HmacSha256, "x"),
    ];
    for key in keys {
        let allowed = key.kind().verb();
        let tried = [
            ("verify", key.verify(None, b"", b"").map(|_| ())),
            ("sign", key.sign(b"").map(|_| ())),
            ("decrypt", key.decrypt(&[0; 12], b"", &[0; 16]).map(|_| ())),
            ("mac", key.mac(b"").map(|_| ())),
        ];
        for (verb, result) in tried {
            let wrong = result.is_err_and(|error| error.code == "wrong_use");
            assert_eq!(wrong, verb != allowed, "{:?} {verb}", key.kind());
        }
    }
}

#[test]
fn what_is_no_key_is_refused_with_what_it_must_be() {
    let small = BASE64.encode(&[0x30, 0x03, 0x02, 0x01, 0x01]);
    let encrypted = armoured("ENCRYPTED PRIVATE KEY", b"x");
    let older = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\neA==\n-----END RSA PRIVATE KEY-----\n";
    let cases: [(KeyKind, &str, ParseError); 14] = [
        (KeyKind::RsaPublicKey, "", ParseError::Empty),
        (KeyKind::RsaPublicKey, "not a key!", ParseError::Encoding),
        (KeyKind::RsaPublicKey, &small, ParseError::PublicKey),
        (
            KeyKind::RsaPublicKey,
            CERTIFICATE_1,
            ParseError::Label {
                expected: "PUBLIC KEY or RSA PUBLIC KEY".into(),
                found: "CERTIFICATE".into(),
            },
        ),
        (KeyKind::RsaPrivateKey, &small, ParseError::PrivateKey),
        (KeyKind::RsaPrivateKey, &encrypted, ParseError::Encrypted),
        (KeyKind::RsaPrivateKey, older, ParseError::Encrypted),
        (KeyKind::RsaPrivateKey, &format!("{PRIVATE_1}{PRIVATE_2}"), ParseError::Several { found: 2 }),
        (KeyKind::X509Certificates, "\n", ParseError::Empty),
        (KeyKind::X509Certificates, "text", ParseError::Encoding),
        (KeyKind::X509Certificates, &armoured("CERTIFICATE", b"x"), ParseError::Certificate { at: 1 }),
        (
            KeyKind::X509Certificates,
            PRIVATE_1,
            ParseError::Label { expected: "CERTIFICATE".into(), found: "PRIVATE KEY".into() },
        ),
        (KeyKind::Aes256Gcm, "short", ParseError::AesLength { found: 5 }),
        (KeyKind::HmacSha256, "", ParseError::Empty),
    ];
    for (kind, secret, expected) in cases {
        assert_eq!(Key::parse(kind, secret.as_bytes()).unwrap_err(), expected, "{kind:?}");
    }
}

#[test]
fn nothing_printed_holds_a_secret() {
    let key = parsed(KeyKind::Aes256Gcm, "egDKnRCDsx6IV7Y8TWQlvuxXNXw3VPml");
    assert_eq!(format!("{key:?}"), "Key(Aes256Gcm)");
    let error = Key::parse(KeyKind::Aes256Gcm, b"hunter2").unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}
