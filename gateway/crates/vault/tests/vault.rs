//! What is sealed opens again, equal input gives equal bytes, and nothing else opens it.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use data_encoding::{BASE64, HEXLOWER, HEXUPPER};
use proptest::prelude::*;
use qudao_model::Receiver;
use qudao_vault::{Error, Vault};

const MASTER: [u8; 32] = *b"0123456789abcdef\0\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f";

fn vault() -> Vault {
    Vault::new(&MASTER).unwrap()
}

fn receiver() -> Receiver {
    Receiver {
        name: Some("韩测评".into()),
        mobile: Some("10019545127".into()),
        address: Some("示例路503号".into()),
        buyer_message: Some("call 10019545127".into()),
        city: Some("杭州市".into()),
        ..Receiver::default()
    }
}

#[test]
fn a_master_key_is_taken_in_every_form() {
    let sealed = vault().seal(b"raw");
    for form in [HEXLOWER.encode(&MASTER), HEXUPPER.encode(&MASTER), BASE64.encode(&MASTER)] {
        for text in [form.clone(), format!("{form}\n"), form.trim_end_matches('=').to_owned()] {
            assert_eq!(
                Vault::new(text.as_bytes()).unwrap().open(&sealed).as_deref(),
                Some(&b"raw"[..]),
                "{text}"
            );
        }
    }
    let generated = Vault::generate().unwrap();
    assert_eq!(generated.len(), 64);
    assert_ne!(*generated, *Vault::generate().unwrap());
    let other = Vault::new(generated.as_bytes()).unwrap();
    let forms = [HEXLOWER.encode(&MASTER), BASE64.encode(&MASTER)];
    let [hex, base64] = forms.map(|form| Vault::new(form.as_bytes()).unwrap().fingerprint());
    assert_eq!((hex.len(), &hex), (32, &base64));
    assert_ne!(hex, other.fingerprint());
}

#[test]
fn what_is_no_master_key_is_refused_without_repeating_it() {
    for wrong in ["", "short", &"g".repeat(64), &"?".repeat(44), &"0".repeat(63), &"AAAA".repeat(11)] {
        let error = Vault::new(wrong.as_bytes()).unwrap_err();
        assert!(matches!(error, Error::Master { found } if found == wrong.len()), "{wrong}: {error:?}");
        assert!(wrong.is_empty() || !error.to_string().contains(wrong), "{error}");
    }
}

#[test]
fn a_receiver_is_stored_masked_and_opens_in_full() {
    let vault = vault();
    let key = vault.new_subject_key();
    let stored = vault.seal_receiver(&key, "ord_1", &receiver()).unwrap();
    assert_eq!(Receiver { sealed: None, ..stored.clone() }, receiver().masked());
    let sealed = stored.sealed.unwrap();
    let bytes = BASE64.decode(sealed.as_bytes()).unwrap();
    for part in ["韩测评", "10019545127", "示例路"] {
        assert!(!bytes.windows(part.len()).any(|window| window == part.as_bytes()), "{part} is in clear");
    }
    assert_eq!(vault.open_receiver(&key, "ord_1", &sealed).unwrap(), receiver());
}

#[test]
fn sealing_twice_gives_the_same_bytes_and_another_order_others() {
    let vault = vault();
    let key = vault.new_subject_key();
    let seal = |vault: &Vault, key: &[u8], subject: &str| {
        vault.seal_receiver(key, subject, &receiver()).unwrap().sealed.unwrap()
    };
    let once = seal(&vault, &key, "ord_1");
    assert_eq!(
        once,
        seal(&Vault::new(&MASTER).unwrap(), &key, "ord_1"),
        "a replay gives what the first time gave"
    );
    assert_ne!(once.get(..16), seal(&vault, &key, "ord_2").get(..16), "another nonce");
    assert_ne!(once, seal(&vault, &vault.new_subject_key(), "ord_1"));
    // What was sealed before does not go in again.
    let again = Receiver { sealed: Some(once.clone()), ..receiver() };
    assert_eq!(vault.seal_receiver(&key, "ord_1", &again).unwrap().sealed.unwrap(), once);
    assert_eq!(vault.seal(b"body"), vault.seal(b"body"));
}

#[test]
fn nothing_opens_under_another_key_or_for_another_order() {
    let vault = vault();
    let key = vault.new_subject_key();
    let sealed = vault.seal_receiver(&key, "ord_1", &receiver()).unwrap().sealed.unwrap();
    let other = Vault::new(&[7; 32]).unwrap();
    assert!(matches!(other.open_receiver(&key, "ord_1", &sealed), Err(Error::SubjectKey)));
    assert!(matches!(vault.open_receiver(&key, "ord_2", &sealed), Err(Error::Sealed)));
    let fresh = vault.new_subject_key();
    assert!(
        matches!(vault.open_receiver(&fresh, "ord_1", &sealed), Err(Error::Sealed)),
        "an erased key is gone"
    );
    assert!(matches!(vault.open_receiver(&[], "ord_1", &sealed), Err(Error::SubjectKey)));
    assert!(matches!(vault.seal_receiver(&[], "ord_1", &receiver()), Err(Error::SubjectKey)));
    assert_eq!(other.open(&vault.seal(b"body")), None);
    // A wrapped key is no body and a body no wrapped key, though both are under the master key.
    assert_eq!(vault.open(&key), None);
    assert!(matches!(vault.open_receiver(&vault.seal(&[1; 32]), "ord_1", &sealed), Err(Error::SubjectKey)));
}

#[test]
fn every_changed_byte_is_noticed() {
    let vault = vault();
    let sealed = vault.seal(b"raw body");
    for index in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[index] ^= 1;
        assert_eq!(vault.open(&changed), None, "byte {index}");
        assert_eq!(vault.open(&sealed[..index]), None, "cut at {index}");
    }
    assert_eq!(vault.open(&[sealed.as_slice(), b"x"].concat()), None);
}

#[test]
fn nothing_prints_a_key() {
    assert_eq!(format!("{:?}", vault()), "Vault");
}

proptest! {
    #[test]
    fn whatever_is_sealed_opens(body in prop::collection::vec(any::<u8>(), 0..2000), name in ".*", address in proptest::option::of(".*")) {
        let vault = vault();
        prop_assert_eq!(vault.open(&vault.seal(&body)), Some(body));
        let key = vault.new_subject_key();
        let receiver = Receiver { name: Some(name), address, ..Receiver::default() };
        let sealed = vault.seal_receiver(&key, "ord_1", &receiver).unwrap().sealed.unwrap();
        prop_assert_eq!(vault.open_receiver(&key, "ord_1", &sealed).unwrap(), receiver);
    }
}
