//! From what the operator wrote to what the host is granted: settings, secrets, network, limits.

use super::FileSettings;
use qudao_config::Channel;
use qudao_host::{Component, Expectations, Grants, Limits, Rate, limits::TICK};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::{sync::Arc, time::Duration};

/// SHA-256 of all that could mend a channel whose platform refuses it, secrets included.
pub(super) fn fingerprint(channel: &Channel, files: Option<&FileSettings>, digest: &str) -> String {
    let mut hash = Sha256::new();
    let settings = channel.settings.to_string();
    let secrets = channel.secrets.iter().flat_map(|(name, secret)| [name.as_bytes(), secret.expose()]);
    let network = channel.network.iter().map(String::as_bytes);
    let document = files.map(|files| files.digest.as_bytes());
    let parts =
        [digest.as_bytes(), settings.as_bytes()].into_iter().chain(secrets).chain(network).chain(document);
    for part in parts {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    data_encoding::HEXLOWER.encode(&hash.finalize())
}

/// The rights of a channel, with the host's own figures where the operator wrote none.
pub(super) fn grants(
    channel: &Channel,
    (files, component): (Option<&FileSettings>, &Component),
    expectations: &Arc<dyn Expectations>,
) -> Grants {
    let secrets = channel
        .secrets
        .iter()
        .map(|(name, secret)| (name.clone(), secret.expose().to_vec().into()))
        .collect();
    Grants {
        channel: channel.name.clone(),
        settings: settings(channel, files, component),
        secrets,
        network: channel.network.clone(),
        limits: limits(channel),
        rate: Some(rate(channel)),
        expectations: Arc::clone(expectations),
    }
}

/// The settings with the document by its content, where there is one: that is what the schema describes.
fn settings(channel: &Channel, files: Option<&FileSettings>, component: &Component) -> Value {
    let mut settings = channel.settings.clone();
    let document = component.manifest().files.as_ref().map(|files| files.document.as_str());
    if let (Some(document), Some(files), Some(members)) = (document, files, settings.as_object_mut()) {
        members.insert(document.to_owned(), files.settings.get(document).cloned().unwrap_or_default());
    }
    settings
}

/// How fast the channel may ask, with what the operator wrote over the host's own figures.
fn rate(channel: &Channel) -> Rate {
    let default = Rate::default();
    let per_second = channel.limits.rate_per_second.unwrap_or(default.per_second);
    Rate { per_second, burst: channel.limits.rate_burst.unwrap_or(default.burst) }
}

/// The host's limits with what the operator wrote over them. The configuration has checked the ranges, so a figure that
/// does not fit this machine's word is as good as the largest.
fn limits(channel: &Channel) -> Limits {
    let (written, default) = (&channel.limits, Limits::default());
    let bytes = |written: Option<u64>, default: usize| {
        written.map_or(default, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX))
    };
    let count = |written: Option<u32>, default: usize| {
        written.map_or(default, |count| usize::try_from(count).unwrap_or(usize::MAX))
    };
    Limits {
        memory_bytes: bytes(written.memory_bytes, default.memory_bytes),
        table_elements: count(written.table_elements, default.table_elements),
        call: written.call.unwrap_or(default.call),
        ask: written.ask.unwrap_or(default.ask),
        cpu_ticks: written.cpu.map_or(default.cpu_ticks, ticks),
        fuel: written.fuel.unwrap_or(default.fuel),
        hostcall_fuel: bytes(written.hostcall_fuel, default.hostcall_fuel),
        result_bytes: bytes(written.result_bytes, default.result_bytes),
        observations: count(written.observations, default.observations),
        host_calls: written.host_calls.unwrap_or(default.host_calls),
        log_lines: count(written.log_lines, default.log_lines),
        log_line_bytes: bytes(written.log_line_bytes, default.log_line_bytes),
        handles: count(written.handles, default.handles),
        body_bytes: bytes(written.body_bytes, default.body_bytes),
        file_bytes: written.file_bytes.unwrap_or(default.file_bytes),
        answer_bytes: bytes(written.answer_bytes, default.answer_bytes),
        http_requests: written.http_requests.unwrap_or(default.http_requests),
        http_request: written.http_request.unwrap_or(default.http_request),
        http_response_bytes: bytes(written.http_response_bytes, default.http_response_bytes),
        parallel: written.parallel.unwrap_or(default.parallel),
        ..default
    }
}

/// Processor time in the host's ticks, at least one.
fn ticks(cpu: Duration) -> u32 {
    let ticks = cpu.as_millis().div_ceil(TICK.as_millis().max(1));
    u32::try_from(ticks).unwrap_or(u32::MAX).max(1)
}
