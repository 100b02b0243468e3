//! A manifest, said in order.

use crate::{KeyKind, Manifest, SecretSpec};
use qudao_model::manifest::{CommandSpec, FetchSpec, FileSpec, PollSpec, SettingIs};
use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::json;

/// Starts a manifest: name as in `connector:` of connectors.yaml, version (usually `env!("CARGO_PKG_VERSION")`), one sentence.
///
/// ```
/// use qudao_sdk::{KeyKind, manifest, schemars::JsonSchema};
///
/// /// Settings of a channel.
/// #[derive(JsonSchema)]
/// #[schemars(crate = "qudao_sdk::schemars", deny_unknown_fields)]
/// #[allow(dead_code)]
/// struct Settings {
///     /// Number of the shop, as the back office shows it.
///     shop: String,
/// }
///
/// let manifest = manifest("kuaishou", "0.1.0", "Kuaishou orders and refunds")
///     .settings::<Settings>()
///     .required("app_secret", KeyKind::HmacSha256, "App secret: open platform, app, basic data")
///     .network("https://openapi.kwaixiaodian.com")
///     .build();
/// assert_eq!(manifest.secrets[0].name, "app_secret");
/// assert_eq!(manifest.settings_schema["required"][0], "shop");
/// ```
pub fn manifest(name: &str, version: &str, description: &str) -> ManifestBuilder {
    ManifestBuilder(Manifest {
        name: name.to_owned(),
        version: version.to_owned(),
        description: description.to_owned(),
        settings_schema: json!({"type": "object", "additionalProperties": false}),
        secrets: Vec::new(),
        any_of: Vec::new(),
        network: Vec::new(),
        polls: Vec::new(),
        fetches: Vec::new(),
        commands: Vec::new(),
        files: None,
        personal: false,
    })
}

/// A manifest being written; see [`manifest`].
///
/// ```
/// use qudao_sdk::KeyKind;
/// let manifest = qudao_sdk::manifest("toy", "0.1.0", "A toy")
///     .optional("callback_key", KeyKind::RsaPublicKey, "Public key of the platform, PEM")
///     .build();
/// assert!(!manifest.secrets[0].required);
/// ```
#[derive(Debug, Clone)]
#[must_use = "ends with `build`"]
pub struct ManifestBuilder(Manifest);

impl ManifestBuilder {
    /// The type of the channel's `settings`; its JSON Schema, in one piece, is what `qudao check` holds connectors.yaml against.
    pub fn settings<T: JsonSchema>(mut self) -> Self {
        let generator = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
        self.0.settings_schema = generator.into_generator().into_root_schema_for::<T>().to_value();
        self
    }

    /// Reads files. In connectors.yaml the setting `document` is the path of a YAML file; the connector gets its content.
    pub fn files(mut self, document: &str) -> Self {
        self.0.files = Some(FileSpec { document: document.to_owned() });
        self
    }

    /// A secret that every channel must have.
    pub fn required(self, name: &str, kind: KeyKind, description: &str) -> Self {
        self.secret(name, kind, description, true)
    }

    /// A secret that a channel may have.
    pub fn optional(self, name: &str, kind: KeyKind, description: &str) -> Self {
        self.secret(name, kind, description, false)
    }

    /// Makes the secret before it one that a channel must have where `setting` is `value`.
    ///
    /// ```
    /// use qudao_sdk::KeyKind;
    /// let manifest = qudao_sdk::manifest("toy", "0.1.0", "A toy")
    ///     .optional("certificate", KeyKind::X509Certificates, "PEM")
    ///     .when("mode", "certificate")
    ///     .build();
    /// assert!(manifest.secrets[0].is_required(&serde_json::json!({"mode": "certificate"})));
    /// ```
    pub fn when(mut self, setting: &str, value: &str) -> Self {
        if let Some(spec) = self.0.secrets.last_mut() {
            spec.required_when = Some(SettingIs { setting: setting.to_owned(), is: value.to_owned() });
        }
        self
    }

    /// Of these secrets, declared before, a channel must have at least one.
    pub fn any_of(mut self, names: &[&str]) -> Self {
        self.0.any_of.push(names.iter().map(|name| (*name).to_owned()).collect());
        self
    }

    /// An origin it wants to reach, `https://host[:port]`, or `{settings.NAME}` for one that a setting names.
    pub fn network(mut self, origin: &str) -> Self {
        self.0.network.push(origin.to_owned());
        self
    }

    /// A stream that [`crate::Connector::poll`] reads, and how many seconds lie between two starts where the operator says nothing.
    pub fn poll(mut self, name: &str, every_s: u32, description: &str) -> Self {
        let (name, description) = (name.to_owned(), description.to_owned());
        self.0.polls.push(PollSpec { name, every_s, description });
        self
    }

    /// A kind of thing that [`crate::Connector::fetch`] asks for: seconds before each further time while the platform has no
    /// final word (the last one repeats), and seconds after which nobody asks any more.
    pub fn fetch(mut self, kind: &str, schedule_s: &[u32], give_up_s: u32) -> Self {
        let (kind, schedule_s) = (kind.to_owned(), schedule_s.to_vec());
        self.0.fetches.push(FetchSpec { kind, schedule_s, give_up_s });
        self
    }

    /// A command that [`crate::Connector::command`] runs, with the type of its payload, and the kind of fetch that tells what
    /// became of it.
    pub fn command<T: JsonSchema>(mut self, kind: &str, settled_by: &str) -> Self {
        let generator = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
        let payload_schema = generator.into_generator().into_root_schema_for::<T>().to_value();
        let (kind, settled_by) = (kind.to_owned(), settled_by.to_owned());
        self.0.commands.push(CommandSpec { kind, payload_schema, settled_by });
        self
    }

    /// Its deliveries hold personal data in clear: the gateway keeps their raw bytes sealed.
    pub fn personal(mut self) -> Self {
        self.0.personal = true;
        self
    }

    /// The manifest.
    pub fn build(self) -> Manifest {
        self.0
    }

    fn secret(mut self, name: &str, kind: KeyKind, description: &str, required: bool) -> Self {
        let (name, description) = (name.to_owned(), description.to_owned());
        self.0.secrets.push(SecretSpec { name, kind, required, required_when: None, description });
        self
    }
}
