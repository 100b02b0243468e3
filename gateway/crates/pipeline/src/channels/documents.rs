//! Connectors that read files have a document, the mapping: found by the setting that names it, checked by their schema and
//! by themselves, its problems shown in its own lines.

use super::{meant, pointer};
use qudao_config::{Channel, Config, Finding, Findings, SettingDocument, Stores};
use qudao_host::{AskFailure, Call, Component, GrantProblem};
use qudao_model::{Manifest, Timestamp, file::SettingProblem};
use serde_json::{Value, json};
use std::sync::Arc;

/// What a call with a file gets.
#[derive(Debug, Clone)]
pub struct FileSettings {
    /// The channel's settings, the document by its content, the store directory put in.
    pub settings: Arc<Value>,
    /// SHA-256 of the document.
    pub digest: String,
}

impl FileSettings {
    /// Settings with which files are read: those of `channel`, where there is one, else nothing but the document.
    pub fn new(
        (component, document): (&Component, &SettingDocument),
        stores: &Stores,
        channel: Option<&Channel>,
    ) -> FileSettings {
        let mut settings = channel.map_or_else(|| json!({}), |channel| channel.settings.clone());
        if let Some(members) = settings.as_object_mut() {
            if let Some(files) = &component.manifest().files {
                members.insert(files.document.clone(), document.value().clone());
            }
            if !stores.is_empty() {
                members.insert("stores".to_owned(), json!(stores.names()));
                let codes = channel.map(|channel| stores.codes_for(channel)).unwrap_or_default();
                members.insert("store_codes".to_owned(), json!(codes));
            }
        }
        FileSettings { settings: Arc::new(settings), digest: document.digest() }
    }
}

/// Everything that is wrong with a document, in its own lines: what the connector's schema refuses, and if that is nothing,
/// what the connector itself finds.
///
/// # Errors
/// The connector failed while it looked at it.
pub async fn document_problems(
    component: &Component,
    document: &SettingDocument,
    settings: &FileSettings,
) -> Result<Vec<Finding>, AskFailure> {
    let Some(files) = &component.manifest().files else { return Ok(Vec::new()) };
    let name = &files.document;
    let only = json!({name: document.value()});
    let refused = component.setting_problems(&only);
    let refused: Vec<Finding> =
        refused.iter().filter_map(|problem| schema_finding((document, name), problem)).collect();
    if !refused.is_empty() {
        return Ok(refused);
    }
    let problems = component.loose(name).check_settings(&settings.settings, CALL).await?;
    Ok(problems.iter().map(|problem| own_finding((document, name), problem)).collect())
}

/// Settings mean the same at any time.
const CALL: Call = Call { now: Timestamp::UNIX_EPOCH, random_seed: Some(0) };

/// The document of a channel, where its connector has one and the channel names it.
pub(super) fn of_channel(
    config: &Config,
    channel: &Channel,
    manifest: &Manifest,
) -> Result<Option<SettingDocument>, Findings> {
    match &manifest.files {
        Some(files) => config.setting_document(&channel.name, &files.document),
        None => Ok(None),
    }
}

/// What the schema refuses within the document; other problems are not about it.
pub(super) fn schema_finding(
    (document, name): (&SettingDocument, &str),
    problem: &GrantProblem,
) -> Option<Finding> {
    let inside = |at: &str| at.strip_prefix(&pointer(&[name])).map(str::to_owned);
    match problem {
        GrantProblem::Setting { pointer, text } => {
            let at = inside(pointer)?;
            let text = text.strip_prefix("the setting ").unwrap_or(text);
            let written = document.value().pointer(&at).and_then(Value::as_str);
            let words = text.split_once(" is not one of ").map_or("", |(_, words)| words);
            let words = words.split('`').skip(1).step_by(2);
            let near = written.and_then(|written| qudao_config::nearest(written, words));
            Some(document.finding_at(&at, text, near.map(|near| format!("did you mean `{near}`?"))))
        }
        GrantProblem::UnknownSetting { pointer, known } => {
            let at = inside(pointer)?;
            let key = at.rsplit('/').next().unwrap_or_default().replace("~1", "/").replace("~0", "~");
            Some(document.finding_at_key(&at, format!("unknown key `{key}`"), Some(meant(&key, known))))
        }
        GrantProblem::Secret { .. }
        | GrantProblem::MissingSecret { .. }
        | GrantProblem::UnknownSecret { .. }
        | GrantProblem::Network { .. }
        | GrantProblem::Limit { .. } => None,
    }
}

/// What the connector itself finds wrong within the document.
fn own_finding((document, name): (&SettingDocument, &str), problem: &SettingProblem) -> Finding {
    let at = problem.at.strip_prefix(&pointer(&[name])).unwrap_or_default();
    let key = at.rsplit('/').next().unwrap_or_default();
    // "must be one character" wants its subject.
    let text = match problem.text.strip_prefix("must ") {
        Some(rest) if !key.is_empty() => format!("`{key}` must {rest}"),
        Some(_) | None => problem.text.clone(),
    };
    document.finding_at(at, text, problem.hint.clone())
}

/// What the connector finds wrong with a channel's settings: in the document's lines, or in those of the configuration.
pub(super) async fn check(
    (config, channel): (&Config, &Channel),
    component: &Component,
    (document, settings): (&SettingDocument, &FileSettings),
) -> Vec<Finding> {
    let name = component.manifest().files.as_ref().map_or("", |files| files.document.as_str());
    let within = pointer(&[name]);
    let at_settings = |rest: &str| format!("{}{rest}", pointer(&["channels", &channel.name, "settings"]));
    match component.loose(&channel.name).check_settings(&settings.settings, CALL).await {
        Ok(problems) => {
            let finding = |problem: &SettingProblem| {
                if problem.at.starts_with(&within) {
                    return own_finding((document, name), problem);
                }
                config.finding_at(&at_settings(&problem.at), &problem.text, problem.hint.clone())
            };
            problems.iter().map(finding).collect()
        }
        Err(failure) => {
            let text = format!(
                "the connector could not look at its settings: {}: {}",
                failure.code, failure.message
            );
            vec![config.finding_at(&at_settings(""), text, None)]
        }
    }
}
