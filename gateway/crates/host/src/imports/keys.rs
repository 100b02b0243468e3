//! `keys`: handles that use a key. Asking for a key that the manifest does not name ends the call; one that it names
//! and the operator did not give is `not_configured`, because a connector may have two ways to verify.

use crate::{
    Reason,
    bindings::imported::keys::{self, KeyError},
    sandbox::{Denied, State},
};
use qudao_keys::{Key, UseError};
use std::sync::Arc;
use wasmtime::component::{Resource, ResourceTableError};

/// What a guest's handle stands for.
#[allow(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct Handle(Arc<Key>);

type Used<T> = wasmtime::Result<Result<T, KeyError>>;

impl State {
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
            let message = format!("the channel has no secret {name}");
            return Ok(Err(KeyError { code: "not_configured".into(), message }));
        };
        match self.handles.push(Handle(Arc::clone(key))) {
            Ok(handle) => Ok(Ok(handle)),
            Err(ResourceTableError::Full) => {
                let limit = self.granted.limits.handles;
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

    fn drop(&mut self, key: Resource<Handle>) -> wasmtime::Result<()> {
        self.handles.delete(key)?;
        Ok(())
    }
}
