//! `keys`: handles that use a key. Asking for a key that the manifest does not name ends the call; one that it names
//! and the operator did not give is `not_configured`, because a connector may have two ways to verify.

use crate::{
    Reason,
    bindings::imported::keys::{self, Certificate, KeyError},
    sandbox::{Denied, State},
};
use qudao_keys::{Key, UseError};
use qudao_model::manifest::KeyKind;
use std::{collections::BTreeSet, sync::Arc};
use wasmtime::component::{Resource, ResourceTableError};

/// What a guest's handle stands for.
#[allow(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct Handle(Arc<Key>);

type Used<T> = wasmtime::Result<Result<T, KeyError>>;

/// Tokens that a guest named and may use.
pub(crate) struct Tokens(Vec<(String, Arc<Key>)>);

impl Tokens {
    pub(crate) fn new(tokens: Vec<(String, Arc<Key>)>) -> Tokens {
        Tokens(tokens)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// With each marker of one of these tokens replaced.
    pub(crate) fn fill(&self, data: &[u8], escape: bool) -> Result<Vec<u8>, UseError> {
        let tokens: Vec<_> = self.0.iter().map(|(name, key)| (name.as_str(), &**key)).collect();
        qudao_keys::fill(data, &tokens, escape)
    }
}

impl State {
    /// Tokens by their names in the manifest. Naming what is no token there ends the call.
    pub(crate) fn tokens(&self, names: &[String]) -> Used<Tokens> {
        let mut tokens: Vec<(String, Arc<Key>)> = Vec::new();
        for name in names.iter().collect::<BTreeSet<_>>() {
            match self.granted.keys.get(name) {
                Some(Some(key)) if key.kind() == KeyKind::Token => {
                    tokens.push((name.clone(), Arc::clone(key)));
                }
                Some(None) => return Ok(Err(not_configured(name))),
                Some(Some(_)) | None => {
                    let explain = format!("the manifest names no token {name:?}");
                    return Err(Denied::because(Reason::KeyNotGranted, explain));
                }
            }
        }
        Ok(Ok(Tokens::new(tokens)))
    }

    fn use_key<T>(
        &mut self,
        handle: &Resource<Handle>,
        with: impl FnOnce(&Key) -> Result<T, UseError>,
    ) -> Used<T> {
        self.host_call()?;
        let key = self.handles.get(handle)?;
        Ok(with(&key.0).map_err(|error| KeyError { code: error.code.to_owned(), message: error.message }))
    }
}

impl keys::Host for State {
    fn open(&mut self, name: String) -> Used<Resource<Handle>> {
        self.host_call()?;
        let Some(key) = self.granted.keys.get(&name) else {
            return Err(Denied::because(
                Reason::KeyNotGranted,
                format!("the manifest names no secret {name:?}"),
            ));
        };
        let Some(key) = key else {
            return Ok(Err(not_configured(&name)));
        };
        match self.handles.push(Handle(Arc::clone(key))) {
            Ok(handle) => Ok(Ok(handle)),
            Err(ResourceTableError::Full) => {
                let limit = self.limits.handles;
                Err(Denied::because(Reason::LimitHandles, format!("more than {limit} open keys")))
            }
            Err(error) => Err(error.into()),
        }
    }
}

impl keys::HostKey for State {
    fn ids(&mut self, key: Resource<Handle>) -> wasmtime::Result<Vec<String>> {
        self.host_call()?;
        Ok(self.handles.get(&key)?.0.ids())
    }

    fn verify(
        &mut self,
        key: Resource<Handle>,
        id: Option<String>,
        data: Vec<u8>,
        signature: Vec<u8>,
    ) -> Used<bool> {
        self.use_key(&key, |key| key.verify(id.as_deref(), &data, &signature))
    }

    fn sign(&mut self, key: Resource<Handle>, data: Vec<u8>) -> Used<Vec<u8>> {
        self.use_key(&key, |key| key.sign(&data))
    }

    fn decrypt(
        &mut self,
        key: Resource<Handle>,
        nonce: Vec<u8>,
        associated_data: Vec<u8>,
        ciphertext: Vec<u8>,
    ) -> Used<Vec<u8>> {
        self.use_key(&key, |key| key.decrypt(&nonce, &associated_data, &ciphertext))
    }

    fn mac(&mut self, key: Resource<Handle>, data: Vec<u8>) -> Used<Vec<u8>> {
        self.use_key(&key, |key| key.mac(&data))
    }

    fn mac_with(
        &mut self,
        key: Resource<Handle>,
        algorithm: String,
        data: Vec<u8>,
        tokens: Vec<String>,
    ) -> Used<Vec<u8>> {
        let tokens = match self.tokens(&tokens)? {
            Ok(tokens) => tokens,
            Err(error) => return Ok(Err(error)),
        };
        self.use_key(&key, |key| key.mac_with(&algorithm, &tokens.fill(&data, false)?))
    }

    fn certificates(&mut self, key: Resource<Handle>) -> wasmtime::Result<Vec<Certificate>> {
        self.host_call()?;
        let told = self.handles.get(&key)?.0.certificates();
        Ok(told.into_iter().map(certificate).collect())
    }

    fn drop(&mut self, key: Resource<Handle>) -> wasmtime::Result<()> {
        self.handles.delete(key)?;
        Ok(())
    }
}

fn not_configured(name: &str) -> KeyError {
    KeyError { code: "not_configured".into(), message: format!("the channel has no secret {name}") }
}

fn certificate(told: qudao_keys::Certificate) -> Certificate {
    let qudao_keys::Certificate { issuer, serial, signature_algorithm } = told;
    Certificate { issuer, serial, signature_algorithm }
}
