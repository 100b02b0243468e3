//! Signatures of calls: parameters in order of their names, joined without any separator, digested with the secret.

use crate::settings::SignMethod;
use data_encoding::HEXUPPER;
use qudao_sdk::{Key, KeyError, form};
use std::collections::BTreeMap;

/// Parameters of one call. What is empty is neither signed nor sent, which is the only reading that all clients share.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Parameters(BTreeMap<String, String>);

impl Parameters {
    /// Of pairs in any order; the later of two of one name counts.
    pub(crate) fn of<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Parameters {
        let there = pairs.into_iter().filter(|(name, value)| !name.is_empty() && !value.is_empty());
        Parameters(there.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    /// What is digested. `body` is the raw body that some calls have beside their parameters; parts of an upload are no
    /// parameters.
    pub(crate) fn signed_text(&self, body: &str) -> String {
        let names = self.0.iter().filter(|(name, _)| *name != "sign");
        let mut text = names.fold(String::new(), |text, (name, value)| text + name + value);
        text.push_str(body);
        text
    }

    /// The same with `sign`. Values may hold markers of `tokens`.
    pub(crate) fn sign(
        mut self,
        method: SignMethod,
        key: &dyn Key,
        body: &str,
        tokens: &[&str],
    ) -> Result<Parameters, KeyError> {
        let digest = key.mac_with(method.algorithm(), self.signed_text(body).as_bytes(), tokens)?;
        self.0.insert("sign".to_owned(), HEXUPPER.encode(&digest));
        Ok(self)
    }

    /// As a form body.
    pub(crate) fn encode(&self) -> String {
        form::encode(self.0.iter().map(|(name, value)| (name.as_str(), value.as_str())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use qudao_sdk::fixtures::NativeHost;
    use qudao_sdk::{Host, KeyKind, Timestamp, token};
    use serde::Deserialize;

    #[derive(Deserialize)]
    struct Case {
        id: String,
        secret: String,
        method: SignMethod,
        parameters: BTreeMap<String, String>,
        #[serde(default)]
        body: String,
        text: String,
        sign: String,
        sent: Option<BTreeMap<String, String>>,
        form: Option<String>,
    }

    fn cases() -> Vec<Case> {
        let files = [
            include_str!("../fixtures/signing/calls.json"),
            include_str!("../fixtures/signing/connections.json"),
        ];
        files.into_iter().flat_map(|file| serde_json::from_str::<Vec<Case>>(file).unwrap()).collect()
    }

    fn host(secret: &str, session: Option<&str>) -> NativeHost {
        let key = |kind, secret: &str| qudao_keys::Key::parse(kind, secret.as_bytes()).unwrap();
        let host =
            NativeHost::at(Timestamp::UNIX_EPOCH).with_key("app_secret", key(KeyKind::SharedSecret, secret));
        match session {
            Some(session) => host.with_key("session", key(KeyKind::Token, session)),
            None => host,
        }
    }

    #[test]
    fn signatures_of_the_platform() {
        let cases = cases();
        assert_eq!(cases.len(), 24);
        for case in cases {
            let host = host(&case.secret, None);
            let key = Host::key(&host, "app_secret").unwrap();
            let pairs = case.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            let parameters = Parameters::of(pairs);
            assert_eq!(parameters.signed_text(&case.body), case.text, "{}", case.id);
            let signed = parameters.sign(case.method, key.as_ref(), &case.body, &[]).unwrap();
            assert_eq!(signed.0["sign"], case.sign, "{}", case.id);
            if let Some(sent) = case.sent {
                assert_eq!(signed.0, sent, "{}", case.id);
            }
            if let Some(form) = case.form {
                assert_eq!(signed.encode(), form, "{}", case.id);
            }
        }
    }

    #[test]
    fn a_token_signs_like_its_text() {
        let cases = cases().into_iter().filter(|case| case.parameters.contains_key("session"));
        let mut seen = 0;
        for case in cases {
            let host = host(&case.secret, Some(&case.parameters["session"]));
            let key = Host::key(&host, "app_secret").unwrap();
            let marker = token("session");
            let pairs = case.parameters.iter().map(|(name, value)| {
                (name.as_str(), if name == "session" { marker.as_str() } else { value.as_str() })
            });
            let signed =
                Parameters::of(pairs).sign(case.method, key.as_ref(), &case.body, &["session"]).unwrap();
            assert_eq!(signed.0["sign"], case.sign, "{}", case.id);
            assert_eq!(signed.0["session"], marker);
            seen += 1;
        }
        assert!(seen > 10, "{seen}");
    }
}
