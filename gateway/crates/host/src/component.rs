//! One compiled connector: from bytes to something that can be connected to channels.

use crate::{
    Connector, Error, GrantProblem, Grants,
    bindings::{CommandsPre, DescribesPre, FilesPre, PollsPre, WebhooksPre},
    cache, call, connector,
    engine::Shared,
    grants::{self, Granted},
    limits::COMPONENT_BYTES,
    manifest::{self, Declared},
    sandbox::State,
};
use qudao_model::Manifest;
use serde_json::Value;
use std::sync::Arc;
use wasmtime::{
    Engine,
    component::{self as engine, InstancePre},
};

/// What every import of a connector begins with; anything else it cannot have.
const OURS: &str = "qudao:connector/";

/// The export that every component must have.
const DESCRIBE: &str = "qudao:connector/describe@1";

/// The export of a connector that takes webhooks.
const WEBHOOK: &str = "qudao:connector/webhook@1";

/// The export of a connector that asks its platform.
const POLL: &str = "qudao:connector/poll@1";

/// The export of a connector that has its platform do something.
const COMMAND: &str = "qudao:connector/command@1";

/// The export of a connector that reads files.
const FILE: &str = "qudao:connector/file@1";

/// A connector, compiled and described. Cloning shares it.
#[derive(Clone)]
pub struct Component(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) host: Arc<Shared>,
    pub(crate) declared: Declared,
    pub(crate) webhooks: Option<WebhooksPre<State>>,
    pub(crate) polls: Option<PollsPre<State>>,
    pub(crate) commands: Option<CommandsPre<State>>,
    pub(crate) files: Option<FilesPre<State>>,
    digest: String,
    imports: Vec<String>,
    exports: Vec<String>,
    size: usize,
}

impl Component {
    /// What it says about itself; checked.
    pub fn manifest(&self) -> &Manifest {
        &self.0.declared.manifest
    }

    /// SHA-256 of the file, lower-case hex.
    pub fn digest(&self) -> &str {
        &self.0.digest
    }

    /// Names of the interfaces it uses: all that it can do.
    pub fn imports(&self) -> Vec<String> {
        self.0.imports.clone()
    }

    /// Names of the interfaces it offers.
    pub fn exports(&self) -> Vec<String> {
        self.0.exports.clone()
    }

    /// Size of the file.
    pub fn size_bytes(&self) -> usize {
        self.0.size
    }

    /// Checks a channel's grants against the manifest. All problems are returned, in the order settings, secrets,
    /// network, limits.
    pub fn connect(&self, grants: Grants) -> Result<Connector, Vec<GrantProblem>> {
        let granted = grants::check(&self.0.declared, grants)?;
        Ok(connector::new(Arc::clone(&self.0), granted))
    }

    /// A connector without a channel, for files that somebody only looks at: no keys, no network, no settings but those of
    /// a call, default limits. `name` is what its lines in logs and metrics are of.
    pub fn loose(&self, name: &str) -> Connector {
        connector::new(Arc::clone(&self.0), Granted::loose(name))
    }

    /// What the manifest's schema refuses of settings.
    pub fn setting_problems(&self, settings: &Value) -> Vec<GrantProblem> {
        grants::setting_problems(&self.0.declared, settings)
    }
}

impl Inner {
    /// What is wrong with a command's payload; nothing where the manifest declares no such command.
    pub(crate) fn payload_problems(&self, kind: &str, payload: &Value) -> Option<Vec<String>> {
        let schema = self.declared.commands.get(kind)?;
        let problem = |error: jsonschema::ValidationError<'_>| match error.instance_path().as_str() {
            "" => error.to_string(),
            pointer => format!("{pointer}: {error}"),
        };
        Some(schema.iter_errors(payload).map(problem).collect())
    }

    /// A manifest that declares what the component does not export would be found out only at the first call.
    fn keeps_its_word(&self) -> Result<(), Error> {
        let manifest = &self.declared.manifest;
        let asks = !manifest.polls.is_empty() || !manifest.fetches.is_empty();
        for (declared, exported, export) in [
            (asks, self.polls.is_some(), POLL),
            (!manifest.commands.is_empty(), self.commands.is_some(), COMMAND),
            (manifest.files.is_some(), self.files.is_some(), FILE),
        ] {
            if declared && !exported {
                let text = format!("it declares calls of {export}, which the component does not export");
                return Err(Error::Manifest { text });
            }
        }
        Ok(())
    }
}

pub(crate) async fn load(host: Arc<Shared>, wasm: Vec<u8>) -> Result<Component, Error> {
    refuse_other_bytes(&wasm)?;
    let size = wasm.len();
    let shared = Arc::clone(&host);
    let compiling = tokio::task::spawn_blocking(move || compile(&shared, &wasm));
    let (compiled, digest) = compiling.await.map_err(|_| Error::Interrupted)??;
    let imports = imports(&host.engine, &compiled)?;
    let exports = exports(&host.engine, &compiled);
    let pre = host.linker.instantiate_pre(&compiled).map_err(|error| linking(&error))?;
    let describes = describes(&exports, &pre)?;
    let webhooks = exported(&exports, WEBHOOK, &pre, WebhooksPre::new)?;
    let polls = exported(&exports, POLL, &pre, PollsPre::new)?;
    let commands = exported(&exports, COMMAND, &pre, CommandsPre::new)?;
    let files = exported(&exports, FILE, &pre, FilesPre::new)?;
    let json = call::manifest(&host, &describes)
        .await
        .map_err(|stopped| Error::Describing { reason: stopped.reason, explain: stopped.explain })?;
    let declared = manifest::read(&json)?;
    let inner = Inner { host, declared, webhooks, polls, commands, files, digest, imports, exports, size };
    inner.keeps_its_word()?;
    Ok(Component(Arc::new(inner)))
}

fn refuse_other_bytes(wasm: &[u8]) -> Result<(), Error> {
    if wasm.len() > COMPONENT_BYTES {
        return Err(Error::TooLarge { found: wasm.len() });
    }
    // Magic, then version and layer: 13 and 1 for components, 1 and 0 for modules.
    let found = match wasm {
        [] => "empty",
        [0, b'a', b's', b'm', _, 0, 1, 0, ..] => return Ok(()),
        [0, b'a', b's', b'm', 1, 0, 0, 0, ..] => "a core module",
        _ => "something else",
    };
    Err(Error::NotAComponent { found })
}

fn compile(host: &Shared, wasm: &[u8]) -> Result<(engine::Component, String), Error> {
    let digest = cache::digest(wasm);
    if let Some(component) = host.cache.as_ref().and_then(|cache| cache.load(&host.engine, &digest)) {
        return Ok((component, digest));
    }
    let component = engine::Component::new(&host.engine, wasm)
        .map_err(|error| Error::Compiling { text: format!("{error:#}") })?;
    if let Some(cache) = &host.cache {
        cache.store(&host.engine, &digest, &component);
    }
    Ok((component, digest))
}

fn imports(engine: &Engine, compiled: &engine::Component) -> Result<Vec<String>, Error> {
    let named =
        compiled.component_type().imports(engine).map(|(name, _)| name.to_owned()).collect::<Vec<_>>();
    let foreign: Vec<_> = named.iter().filter(|name| !name.starts_with(OURS)).cloned().collect();
    if foreign.is_empty() { Ok(named) } else { Err(Error::ForeignImports { names: foreign }) }
}

fn exports(engine: &Engine, compiled: &engine::Component) -> Vec<String> {
    let component = compiled.component_type();
    let mut names: Vec<String> = component.exports(engine).map(|(name, _)| name.to_owned()).collect();
    // Their order in the file is the linker's.
    names.sort();
    names
}

fn describes(exports: &[String], pre: &InstancePre<State>) -> Result<DescribesPre<State>, Error> {
    if !exports.iter().any(|name| name.starts_with(DESCRIBE)) {
        return Err(Error::NotDescribed);
    }
    DescribesPre::new(pre.clone()).map_err(|error| linking(&error))
}

/// One of the worlds that a component may have.
fn exported<T>(
    exports: &[String],
    export: &str,
    pre: &InstancePre<State>,
    of: impl FnOnce(InstancePre<State>) -> wasmtime::Result<T>,
) -> Result<Option<T>, Error> {
    if !exports.iter().any(|name| name.starts_with(export)) {
        return Ok(None);
    }
    of(pre.clone()).map(Some).map_err(|error| linking(&error))
}

fn linking(error: &wasmtime::Error) -> Error {
    Error::Linking { text: format!("{error:#}") }
}
