//! Endpoints that events are sent to: URLs that may be posted to, secrets of the right shape, names of their own.

use data_encoding::BASE64;
use qudao_address::Place;

use super::Check;
use super::origin::{Parts, Wrong, parts};
use crate::tree::{Node, Value, join};

/// What a secret begins with (Standard Webhooks).
const PREFIX: &str = "whsec_";
/// Bytes of a secret.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;
/// Longest name.
const NAME_MAX: usize = 40;

impl Check<'_> {
    pub(super) fn webhooks(&mut self, root: &Node) {
        let webhooks = root.get("feed").and_then(|feed| feed.get("webhooks"));
        let mut names: Vec<String> = Vec::new();
        for (index, webhook) in webhooks.map(Node::items).unwrap_or_default().iter().enumerate() {
            let pointer = format!("/feed/webhooks/{index}");
            for key in ["secret", "previous_secret"] {
                if let Some(secret) = webhook.get(key) {
                    self.webhook_secret(&join(&pointer, key), secret, key);
                }
            }
            self.rotation(&pointer);
            if let Some(url) = webhook.get("url").and_then(Node::text) {
                let private =
                    webhook.get("private").is_some_and(|node| matches!(node.value, Value::Bool(true)));
                self.webhook_url(&join(&pointer, "url"), url, private);
            }
            self.webhook_name(&pointer, webhook, &mut names);
        }
    }

    fn webhook_secret(&mut self, pointer: &str, node: &Node, name: &str) {
        self.secret(pointer, node, name);
        let Some(secret) = self.outcome.secrets.get(pointer) else { return };
        if let Some(why) = wrong_secret(secret.expose()) {
            let finding = self.at(pointer, "webhook_secret", format!("what is in `{name}` {why}"));
            self.add(finding.hint("`qudao webhooks secret` makes one; give the same to the consumer"));
        }
    }

    fn rotation(&mut self, pointer: &str) {
        let at = join(pointer, "previous_secret");
        let secrets = &self.outcome.secrets;
        let secret = secrets.get(&join(pointer, "secret"));
        if secret.is_some() && secret == secrets.get(&at) {
            let finding =
                self.at(&at, "webhook_secret", "`previous_secret` is the same secret as `secret`").warning();
            self.add(finding.hint("put the new one into `secret`, or take `previous_secret` out"));
        }
    }

    fn webhook_url(&mut self, pointer: &str, text: &str, private: bool) {
        let wrong = match parts(text) {
            None => Some((format!("has no scheme: `{text}`"), format!("write `https://{text}`"))),
            Some(parts) => parts
                .fault_of_writing()
                .or_else(|| wrong_address(&parts))
                .or_else(|| wrong_scheme(&parts, private))
                .or_else(|| parts.fault_of_host())
                .or_else(|| wrong_network(&parts, private)),
        };
        if let Some((why, hint)) = wrong {
            let finding = self.at(pointer, "url", format!("`url` {why}"));
            self.add(finding.hint(hint));
        }
    }

    fn webhook_name(&mut self, pointer: &str, webhook: &Node, names: &mut Vec<String>) {
        let written = webhook.get("name").and_then(Node::text);
        let made = || webhook.get("url").and_then(Node::text).map(name_of);
        let Some(name) = written.map(str::to_owned).or_else(made) else { return };
        if names.contains(&name) {
            let (key, text) = if written.is_some() {
                ("name", format!("two webhooks have the name `{name}`"))
            } else {
                ("url", format!("two webhooks would have the name `{name}`, which is made of the URL"))
            };
            let finding = self.at(&join(pointer, key), "webhook_name", text);
            self.add(finding.hint("give each a `name:` of its own; how far it has come is kept under it"));
        }
        names.push(name);
    }
}

fn wrong_scheme(parts: &Parts<'_>, private: bool) -> Option<Wrong> {
    let (host, rest) = (&parts.host, parts.rest);
    match parts.scheme.as_str() {
        "https" => None,
        "http" if private && parts.ip().is_some() && !is_inside(parts) => Some((
            "must be `https` outside a network of your own".to_owned(),
            format!("write `https://{host}{rest}`; its certificate is for the name of the host"),
        )),
        "http" if private => None,
        "http" if is_inside(parts) => wrong_network(parts, private),
        "http" => Some((
            "must be `https`; `http` is only for a network of your own".to_owned(),
            format!("write `https://{host}{rest}`, or add `private: true` where it is a network of your own"),
        )),
        other => Some((
            format!("has the scheme `{other}`, but only `https` is spoken"),
            format!("write `https://{host}{rest}`"),
        )),
    }
}

/// An address that is written out needs no name to be looked up, so it can be judged here as `host` does when it connects.
fn wrong_address(parts: &Parts<'_>) -> Option<Wrong> {
    parts.ip().is_some_and(|ip| Place::of(ip) == Place::Nobodys).then(|| {
        (
            format!("leads to an address that events are never sent to: `{}`", parts.host),
            "write the name of the consumer".into(),
        )
    })
}

fn wrong_network(parts: &Parts<'_>, private: bool) -> Option<Wrong> {
    (is_inside(parts) && !private).then(|| {
        (
            format!("leads into a network of your own: `{}`", parts.host),
            "add `private: true` if events shall be sent there".into(),
        )
    })
}

fn is_inside(parts: &Parts<'_>) -> bool {
    parts.host == "localhost" || parts.ip().is_some_and(|ip| Place::of(ip) == Place::OwnNetwork)
}

/// Never says anything of the secret but its shape.
fn wrong_secret(secret: &[u8]) -> Option<&'static str> {
    let text = secret.trim_ascii();
    let Some(encoded) = text.strip_prefix(PREFIX.as_bytes()) else {
        return Some("does not begin with `whsec_`");
    };
    // The library takes several texts one behind the other for one; a consumer's may not.
    let once = encoded.split_at(encoded.len().saturating_sub(2)).0.iter().all(|byte| *byte != b'=');
    match BASE64.decode(encoded) {
        Ok(_) if !once => Some("has two secrets behind `whsec_`"),
        Err(_) => Some("has something other than base64 behind `whsec_`"),
        Ok(bytes) if !SECRET_BYTES.contains(&bytes.len()) => {
            Some("is too short or too long: base64 of 24 to 64 bytes stands behind `whsec_`")
        }
        Ok(_) => None,
    }
}

/// The name of a webhook that has none: host and path of its URL, as far as they fit.
pub(crate) fn name_of(url: &str) -> String {
    let place = url.split_once("://").map_or(url, |(_, rest)| rest);
    let place = place.split(['?', '#']).next().unwrap_or_default();
    let place = place.rsplit_once('@').map_or(place, |(_, host)| host);
    let mut name = String::new();
    for c in place.chars() {
        if c.is_ascii_alphanumeric() {
            name.push(c.to_ascii_lowercase());
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
    }
    name.truncate(NAME_MAX);
    let name = name.trim_end_matches('-');
    if name.is_empty() { "webhook".to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::{BASE64, name_of, wrong_secret};

    #[test]
    fn a_name_is_made_of_host_and_path() {
        for (url, expect) in [
            ("https://hq.example/qudao", "hq-example-qudao"),
            ("https://HQ.example:8443/a//b/?token=geheim#x", "hq-example-8443-a-b"),
            ("https://user:pass@hq.example/", "hq-example"),
            (
                "https://h.example/aaaaaaaaaaaaaaaaaaaaaaaaaaaaa/bbbb",
                "h-example-aaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            ),
            ("http://[::1]:9/", "1-9"),
            ("https://例え/", "webhook"),
        ] {
            assert_eq!(name_of(url), expect, "{url}");
            assert!(name_of(url).len() <= 40);
        }
    }

    #[test]
    fn secrets_have_one_shape() {
        let secret = |bytes: usize| format!("whsec_{}", BASE64.encode(&vec![7; bytes]));
        for (secret, expect) in [
            (secret(24), None),
            (secret(64), None),
            (format!("{}\n", secret(32)), None),
            (secret(23), Some("too short or too long")),
            (secret(65), Some("too short or too long")),
            (secret(24).replace("whsec_", ""), Some("does not begin")),
            (secret(24).replace("whsec_", "whsk_"), Some("does not begin")),
            (secret(25).replace('=', ""), Some("other than base64")),
            ("whsec_".to_owned(), Some("too short")),
            ("whsec_not base64".to_owned(), Some("other than base64")),
            (format!("{}{}", secret(32), BASE64.encode(&[7; 32])), Some("two secrets")),
            (String::new(), Some("does not begin")),
        ] {
            let found = wrong_secret(secret.as_bytes());
            assert_eq!(found.is_some(), expect.is_some(), "{found:?}");
            assert!(found.unwrap_or_default().contains(expect.unwrap_or_default()), "{found:?}");
        }
    }
}
