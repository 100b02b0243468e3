//! Digests that platforms prescribe, certificates as they are told, tokens where markers stand. All secrets are test secrets.

#![cfg(test)]

use data_encoding::{BASE64, HEXLOWER, HEXUPPER};
use md5::{Digest as _, Md5};
use qudao_keys::{Certificate, Key, ParseError, fill, has_marker};
use qudao_model::manifest::KeyKind;

const ROOTS: &str = include_str!("data/mixed_roots.pem");
const APPLICATION: &str = include_str!("data/application.pem");

fn key(kind: KeyKind, secret: impl AsRef<[u8]>) -> Key {
    Key::parse(kind, secret.as_ref()).unwrap()
}

#[test]
fn digests_are_those_of_the_platforms() {
    let cases = [
        (
            "md5_wrapped",
            "89615fff35fa554bba4026b7fd035a82",
            "app_key28687411fieldstid,status,payment,ordersformatjsonmethodtaobao.trade.fullinfo.getsession61006c76ad8b9a40a5e7ec666f8f3b064cb103d4f6d11e16ad297368sign_methodmd5tid2168091284125384623timestamp2026-03-13 02:24:52v2.0",
            "E065EEADD5BC1226724897E1349D06AF",
        ),
        (
            "hmac_md5",
            "89615fff35fa554bba4026b7fd035a82",
            "app_key28687411fieldstid,status,payment,ordersformatjsonmethodtaobao.trade.fullinfo.getsession61006c76ad8b9a40a5e7ec666f8f3b064cb103d4f6d11e16ad297368sign_methodhmactid2168091284125384623timestamp2026-03-13 02:24:52v2.0",
            "047A35C90735F66BFF718DCA3A3DE4CB",
        ),
        (
            "hmac_sha256",
            "89615fff35fa554bba4026b7fd035a82",
            "app_key28687411fieldstid,status,payment,ordersformatjsonmethodtaobao.trade.fullinfo.getsession61006c76ad8b9a40a5e7ec666f8f3b064cb103d4f6d11e16ad297368sign_methodhmac-sha256tid2168091284125384623timestamp2026-03-13 02:24:52v2.0",
            "8BCA3678CC3800FEDEA4824FE5D88B4DB00600DB34BC34E31797F08DCDB5901F",
        ),
        (
            "hmac_md5",
            "89615fff35fa554bba4026b7fd035a82",
            "app_key28687411formatjsonmemo老客户😀优先👗methodtaobao.trade.memo.addsession61006c76ad8b9a40a5e7ec666f8f3b064cb103d4f6d11e16ad297368sign_methodhmactid2872623572046953824timestamp2026-03-13 02:24:52v2.0",
            "A5F993534506AD24660CA9092497ADBD",
        ),
        (
            "md5_wrapped",
            "52b509a7513fe6c0b9dca88bba043a46",
            r#"360buy_param_json{"order_id":"337468057549","flag":"2","remark":"顾客要求开发票，抬头：样例服饰（杭州）"}access_tokencf061849d01bc2ae18736d306f12acf0app_keyE72DA8D15CB638C048F70E2F5823F76Amethodjingdong.pop.order.modifyVenderRemarktimestamp2026-03-11 06:18:58v2.0"#,
            "1F3576DAA1CF2FA4AD36AEC90B8D3510",
        ),
        (
            "md5_wrapped",
            "5e7591a2ea728ff74d0ae1451c871b9a",
            r#"app_key5c882fb4f40def9dbfbffd17aca15340formatjsonjd_param_json{"orderId":"2241723748130475","isAgreed":false,"operator":"徐汇店-样","remark":"商品已出库&无法拦截"}timestamp2026-03-04 14:33:57token21e3cdb5-93be-c8d1ad6f646dv1.0"#,
            "029D0C5B5C31357DA2148D34BB2B24D9",
        ),
        (
            "md5_wrapped",
            "bebd2ccddc367073a9a50dae2bc23942",
            "app_key20260396group_name门店组timestamp1772956035000",
            "79D8666DDC91F4F8932331D71C040C35",
        ),
    ];
    for (algorithm, secret, data, expect) in cases {
        let digest = key(KeyKind::SharedSecret, secret).mac_with(algorithm, data.as_bytes()).unwrap();
        assert_eq!(HEXUPPER.encode(&digest), expect, "{algorithm} {data}");
    }
}

#[test]
fn only_known_digests_are_made() {
    let secret = key(KeyKind::SharedSecret, "s");
    let error = secret.mac_with("sha1\n", b"data").unwrap_err();
    assert_eq!(error.code, "bad_input");
    assert_eq!(
        error.message,
        "no digest is called \"sha1\"; there are md5_wrapped, hmac_md5 and hmac_sha256"
    );
    let narrow = key(KeyKind::HmacSha256, "s");
    assert_eq!(narrow.mac_with("hmac_sha256", b"data"), secret.mac_with("hmac_sha256", b"data"));
    assert_eq!(narrow.mac_with("hmac_sha256", b"data"), narrow.mac(b"data"));
    assert_eq!(narrow.mac_with("hmac_md5", b"data").unwrap_err().code, "bad_input");
    assert_eq!(secret.mac(b"data").unwrap_err().code, "wrong_use");
    assert_eq!(key(KeyKind::Token, "t").mac_with("hmac_md5", b"data").unwrap_err().code, "wrong_use");
}

#[test]
fn a_shared_secret_opens_aes_128_cbc() {
    const SEALED: &str = "onRqbHyHmelO8oNP413yxZg4BMdOB9cf+G6zhvR9Qi0lUCjRCcWBEAKvZKjNXd9grzW+c4RdKEcayvrtlC+UpO8GpkuPwJWTnktYOfDa16bk+k3eVfbmuYz4Atprrhfk";
    const PLAIN: &str =
        r#"{"billId":"2126689251080268","statusId":"32000","timestamp":"2026-03-11 17:13:16"}"#;
    let sealed = BASE64.decode(SEALED.as_bytes()).unwrap();
    let secret = key(KeyKind::SharedSecret, "6bcf47d93c3c3bd2e0eef01726eb19e5");
    assert_eq!(secret.decrypt(b"", b"", &sealed).unwrap(), PLAIN.as_bytes());
    let code =
        |secret: &Key, nonce: &[u8], sealed: &[u8]| secret.decrypt(nonce, b"", sealed).unwrap_err().code;
    assert_eq!(code(&secret, b"123456789012", &sealed), "bad_input");
    assert_eq!(code(&secret, b"", &sealed[..sealed.len() - 1]), "decrypt_failed");
    assert_eq!(code(&secret, b"", &sealed[..sealed.len() - 16]), "decrypt_failed");
    assert_eq!(code(&secret, b"", b""), "decrypt_failed");
    let other = key(KeyKind::SharedSecret, "6bcf47d93c3c3bd2e0eef01726eb19e5".replace('6', "7"));
    assert_eq!(code(&other, b"", &sealed), "decrypt_failed");
    assert_eq!(
        code(&key(KeyKind::SharedSecret, "0123456789abcdef0123456789abcde"), b"", &sealed),
        "bad_input"
    );
}

/// What the platform calls a certificate's serial number: a digest of issuer and serial.
fn serial_digest(certificate: &Certificate) -> String {
    let digest = Md5::new().chain_update(&certificate.issuer).chain_update(&certificate.serial).finalize();
    HEXLOWER.encode(&digest)
}

#[test]
fn every_certificate_of_a_bundle_is_told_in_its_order() {
    let roots = key(KeyKind::X509Certificates, ROOTS).certificates();
    let told: Vec<_> =
        roots.iter().map(|root| (root.issuer.as_str(), root.signature_algorithm.as_str())).collect();
    let issuer = |name: &str| {
        format!("CN=Vector Root Authority {name},OU=Certification Authority,O=Ant Financial,C=CN")
    };
    let expect = [
        (&*issuer("E1"), "1.2.840.10045.4.3.3"),
        (&*issuer("R1"), "1.2.840.113549.1.1.11"),
        (&*issuer("R2"), "1.2.840.113549.1.1.12"),
    ];
    assert_eq!(told, expect);
    assert!(key(KeyKind::Token, "t").certificates().is_empty());
}

#[test]
fn serial_digests_are_those_that_sdks_compute() {
    let application = key(KeyKind::X509Certificates, APPLICATION).certificates();
    let digests: Vec<_> = application.iter().map(serial_digest).collect();
    assert_eq!(digests, ["ba3391ac4ddf626337fd7bc58117f228"]);
    let roots = key(KeyKind::X509Certificates, ROOTS).certificates();
    let rsa = roots.iter().filter(|root| root.signature_algorithm.starts_with("1.2.840.113549.1.1"));
    let digests: Vec<_> = rsa.map(serial_digest).collect();
    assert_eq!(digests.join("_"), "03c65868850206cf9c22e17a0d47b69b_0bcf8f19afdf0a1e15f11801f98bb1a8");
}

#[test]
fn tokens_stand_where_their_markers_stood() {
    let (session, other) = (key(KeyKind::Token, "a~secret.other~/="), key(KeyKind::Token, "b"));
    let tokens = [("session", &session), ("other", &other)];
    let check = |data: &str, escape: bool, expect: &str| {
        let filled = fill(data.as_bytes(), &tokens, escape).unwrap();
        assert_eq!(String::from_utf8(filled).unwrap(), expect, "{data}");
    };
    check("", false, "");
    check("x~secret.other~y~secret.other~", false, "xbyb");
    // What a token brings in is not filled again.
    check("~secret.session~", false, "a~secret.other~/=");
    check("~secret.session~", true, "a~secret.other~%2F%3D");
    check(
        "~secret.sessio~ ~secret.sessions~ ~secret.~ ~secret.other",
        false,
        "~secret.sessio~ ~secret.sessions~ ~secret.~ ~secret.other",
    );
    check("~secret.~secret.other~", false, "~secret.b");
    assert!(has_marker(b"x~secret.y") && !has_marker(b"~secre") && !has_marker(b"~secret"));
    let secret = key(KeyKind::SharedSecret, "s");
    assert_eq!(fill(b"", &[("s", &secret)], false).unwrap_err().code, "wrong_use");
}

#[test]
fn a_token_is_one_word() {
    let parsed = |secret: &[u8]| Key::parse(KeyKind::Token, secret).map(|_| ()).unwrap_err();
    assert_eq!(parsed(b""), ParseError::Empty);
    for secret in [&b"two words"[..], b"line\n", "渠道".as_bytes(), b"\x00"] {
        assert_eq!(parsed(secret), ParseError::Token);
    }
    assert_eq!(Key::parse(KeyKind::SharedSecret, b"").unwrap_err(), ParseError::Empty);
    let token = key(KeyKind::Token, "hunter2");
    assert_eq!((format!("{token:?}").as_str(), token.kind().verb()), ("Key(Token)", "attach"));
}

#[test]
fn markers_are_counted() {
    let session = Key::parse(KeyKind::Token, b"6100").unwrap();
    let filled = |times| fill("~secret.s~".repeat(times).as_bytes(), &[("s", &session)], false);
    assert_eq!(filled(100).unwrap().len(), 400);
    assert_eq!(filled(101).unwrap_err().message, "more than 100 tokens are to be put in");
}
