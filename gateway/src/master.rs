//! The master key, under which the keys of personal data lie: the configuration's, or one made at first start and kept in
//! `data/master-key`, readable by its owner only.
//!
//! A gateway that starts with another key than its data was sealed under would lose that data piece by piece, so the
//! key's fingerprint is kept beside the data and another key is refused.

use crate::{error::Error, token};
use qudao_config::{Config, Finding, ProcessEnvironment};
use qudao_vault::Vault;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use zeroize::Zeroizing;

/// The vault of a configuration, for the one that writes. The key is made where there is none.
pub(crate) fn vault(config: &Config, data: &Path) -> Result<Arc<Vault>, Error> {
    let vault = if let Some(secret) = &config.gateway.master_key {
        Vault::new(secret.expose()).map_err(|error| Error::Config(finding(config, &error).into()))?
    } else {
        let file = data.join("master-key");
        let text = match token::read(&file)? {
            Some(text) => text.into(),
            None => make(&file)?,
        };
        open(text.as_bytes(), &file.display().to_string())?
    };
    same_as_before(&vault, data)?;
    Ok(Arc::new(vault))
}

/// What is wrong with the master key that the configuration names.
pub(crate) fn problem(config: &Config) -> Option<Finding> {
    let secret = config.gateway.master_key.as_ref()?;
    Vault::new(secret.expose()).err().map(|error| finding(config, &error))
}

fn finding(config: &Config, error: &qudao_vault::Error) -> Finding {
    let hint = "`openssl rand -hex 32` makes one; keep a copy of it elsewhere";
    let finding = config.finding_at("/gateway/master_key", error.to_string(), Some(hint.to_owned()));
    Finding { code: "master_key", ..finding }
}

/// The vault for reading; nothing where the key is not at hand, which matters only for what is sealed.
pub(crate) fn at_hand(data: &Path, config: Option<&Path>) -> Option<Arc<Vault>> {
    let configured = config.and_then(|file| qudao_config::master_key(file, &ProcessEnvironment));
    let vault = match configured {
        Some(secret) => Vault::new(secret.expose()),
        None => Vault::new(token::read(&data.join("master-key")).ok()??.as_bytes()),
    };
    vault.ok().map(Arc::new)
}

/// The vault for reading everything again. Data that was begun without a key needs none.
pub(crate) fn for_replay(data: &Path, config: &Path) -> Result<Arc<Vault>, Error> {
    match at_hand(data, Some(config)) {
        Some(vault) => Ok(vault),
        None if fingerprint_file(data).exists() => {
            Err(Error::refused("the master key is not at hand, so what is sealed could not be read again")
                .hint("it is what gateway.master_key names, else master-key in the data folder"))
        }
        None => open(generate()?.as_bytes(), "a new key").map(Arc::new),
    }
}

fn open(master: &[u8], place: &str) -> Result<Vault, Error> {
    Vault::new(master).map_err(|error| {
        Error::refused(format!("{place}: {error}"))
            .hint("openssl rand -hex 32 makes one; keep a copy of it elsewhere")
    })
}

fn generate() -> Result<Zeroizing<String>, Error> {
    Vault::generate().map_err(|error| Error::refused(format!("cannot make a master key: {error}")))
}

fn fingerprint_file(data: &Path) -> PathBuf {
    data.join("master-key.id")
}

fn make(file: &Path) -> Result<Zeroizing<String>, Error> {
    let text = generate()?;
    token::write(file, text.as_bytes())?;
    tracing::warn!(
        file = %file.display(),
        "a master key was made in {}: keep a copy of it elsewhere, without it personal data cannot be read again",
        file.display()
    );
    Ok(text)
}

/// Refuses a key that is another one than before.
fn same_as_before(vault: &Vault, data: &Path) -> Result<(), Error> {
    let file = fingerprint_file(data);
    let now = vault.fingerprint();
    match token::read(&file)? {
        None => token::write(&file, now.as_bytes()),
        Some(before) if before == now => Ok(()),
        Some(_) => Err(Error::refused("the master key is not the one that this data folder was begun with").hint(format!(
            "bring the old key back: personal data in {} is sealed under it. Where nothing of it is wanted any more, remove {}",
            data.display(),
            file.display()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::OWNER_ONLY;
    use std::{fs, os::unix::fs::PermissionsExt};

    fn mode(file: &Path) -> u32 {
        fs::metadata(file).unwrap().permissions().mode() & 0o777
    }

    fn config(folder: &Path, gateway: &str) -> Config {
        let file = folder.join("connectors.yaml");
        fs::write(&file, format!("version: 1\ngateway: {gateway}\nchannels: {{}}\n")).unwrap();
        qudao_config::load(&file, &ProcessEnvironment).unwrap()
    }

    #[test]
    fn a_key_is_made_once_for_its_owner_only_and_found_for_reading() {
        let folder = tempfile::tempdir().unwrap();
        let (data, none) = (folder.path(), config(folder.path(), "{}"));
        assert!(at_hand(data, None).is_none());
        let sealed = vault(&none, data).unwrap().seal(b"raw");
        assert_eq!(
            (mode(&data.join("master-key")), mode(&data.join("master-key.id"))),
            (OWNER_ONLY, OWNER_ONLY)
        );
        assert_eq!(vault(&none, data).unwrap().open(&sealed).as_deref(), Some(&b"raw"[..]));
        assert_eq!(at_hand(data, Some(&none.file)).unwrap().open(&sealed).as_deref(), Some(&b"raw"[..]));
        let key = fs::read_to_string(data.join("master-key")).unwrap();
        let id = fs::read_to_string(data.join("master-key.id")).unwrap();
        assert!(!key.contains(&id) && !id.contains(&key));
    }

    #[test]
    fn another_key_and_what_is_no_key_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path();
        vault(&config(data, "{}"), data).unwrap();
        fs::write(data.join("key"), "00".repeat(32)).unwrap();
        let other = config(data, "{master_key: {file: key}}");
        let error = vault(&other, data).unwrap_err();
        assert!(error.to_string().contains("not the one"), "{error}");
        assert!(at_hand(data, Some(&other.file)).is_some(), "the configured key goes before the made one");
        fs::write(data.join("key"), "short").unwrap();
        let short = config(data, "{master_key: {file: key}}");
        let error = vault(&short, data).unwrap_err();
        assert!(error.to_string().contains(":2:23: error: the master key must be 32 bytes"), "{error}");
        assert!(
            problem(&short).is_some() && problem(&other).is_none() && problem(&config(data, "{}")).is_none()
        );
    }
}
