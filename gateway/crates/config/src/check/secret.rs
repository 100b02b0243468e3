//! Secrets: where they are, whether they are there. Nothing of a secret is ever part of a finding, nor is what was written
//! in the place of one.

use std::io::{ErrorKind, Read as _};
use std::path::Path;

use zeroize::Zeroize as _;

use super::Check;
use crate::suggest::nearest;
use crate::tree::{Entry, Node, Value, join};
use crate::{Finding, Secret, mask};

/// Key files are a few KiB; bundles of certificates some dozen.
const SECRET_BYTES_MAX: u64 = 256 * 1024;

impl Check<'_> {
    /// `name` is the secret's name, for hints.
    pub(super) fn secret(&mut self, pointer: &str, node: &Node, name: &str) {
        match &node.value {
            Value::Refused => {}
            Value::Text(_) | Value::Number(_) | Value::Bool(_) => {
                let finding = self.literal(pointer, node, name);
                self.add(finding);
            }
            Value::Null | Value::List(_) => {
                let what =
                    if matches!(node.value, Value::Null) { "nothing behind it" } else { "a list behind it" };
                let finding = self.at(pointer, "secret_shape", format!("{} has {what}", called(name)));
                self.add(finding.hint(places(name)));
            }
            Value::Map(_) => self.place(pointer, node, name),
        }
    }

    fn literal(&self, pointer: &str, node: &Node, name: &str) -> Finding {
        let text =
            format!("{} is written out here; a configuration only says where secrets are", called(name));
        let finding = self.at(pointer, "literal_secret", text);
        let variable = node.text().and_then(|text| {
            let inner = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
            inner.or_else(|| text.strip_prefix('$')).or_else(|| text.strip_prefix("env:")).map(str::trim)
        });
        match variable.filter(|name| mask::is_env_name(name)) {
            Some(variable) => finding.hint(format!("write `{name}: {{env: {variable}}}`")),
            None => {
                finding.hint(format!("{}; if this file was shared, have a new secret made", places(name)))
            }
        }
    }

    /// A map, which must be `{env: NAME}` or `{file: PATH}`.
    fn place(&mut self, pointer: &str, node: &Node, name: &str) {
        let mut known: Vec<&Entry> = Vec::new();
        for entry in node.entries() {
            if matches!(entry.key.as_str(), "env" | "file") {
                known.push(entry);
                continue;
            }
            let key = if entry.hidden { "…" } else { entry.key.as_str() };
            let text = format!("unknown key `{key}` in {}", called(name));
            let near = match entry.key.to_ascii_lowercase().as_str() {
                "path" | "filename" => Some("file"),
                "envvar" | "env_var" | "var" | "variable" | "environment" => Some("env"),
                key => nearest(key, ["env", "file"]),
            };
            let finding = self.error(entry.key_span, "unknown_key", text);
            self.add(
                finding.hint(near.map_or_else(|| places(name), |near| format!("did you mean `{near}`?"))),
            );
        }
        match known.as_slice() {
            [one] if one.key == "env" => self.env_secret(&join(pointer, "env"), &one.node, (pointer, name)),
            [one] => self.file_secret(&join(pointer, "file"), &one.node, (pointer, name)),
            [] if node.entries().next().is_some() => {}
            [] => {
                let finding = self.at(pointer, "secret_shape", format!("{} names no place", called(name)));
                self.add(finding.hint(places(name)));
            }
            [..] => {
                let finding =
                    self.at(pointer, "secret_shape", format!("{} has both `env` and `file`", called(name)));
                self.add(finding.hint("keep one of the two"));
            }
        }
    }

    fn env_secret(&mut self, at: &str, node: &Node, (pointer, name): (&str, &str)) {
        let Some(variable) = node.text().filter(|text| mask::is_env_name(text)) else {
            let code = if node.text().is_some() { "literal_secret" } else { "secret_shape" };
            let text = format!(
                "`env` of {} must name an environment variable: capitals, digits and `_`",
                called(name)
            );
            let finding = self.at(at, code, text);
            self.add(finding.hint(format!(
                "write `{{env: {}}}`; the secret itself is the variable's value",
                name_of_variable(name)
            )));
            return;
        };
        let why = match self.env.var(variable) {
            Some(value) if !value.trim().is_empty() => {
                self.outcome.secrets.insert(pointer.to_owned(), Secret::new(value.into_bytes()));
                return;
            }
            Some(_) => "is empty",
            None => "is not set",
        };
        let finding =
            self.at(at, "secret_env", format!("environment variable `{variable}` of {} {why}", called(name)));
        self.add(finding.hint(format!(
            "set it where the gateway is started, or put the secret into a file: `{{file: secrets/{name}}}`"
        )));
    }

    fn file_secret(&mut self, at: &str, node: &Node, (pointer, name): (&str, &str)) {
        let Some(written) = node.text().filter(|text| mask::is_path(text)) else {
            let code = if node.text().is_some_and(|text| !text.is_empty()) {
                "literal_secret"
            } else {
                "secret_shape"
            };
            let finding = self.at(
                at,
                code,
                format!("`file` of {} must be the path of a file, not what is in it", called(name)),
            );
            self.add(finding.hint(places(name)));
            return;
        };
        let path = self.document.folder().join(written);
        match read(&path) {
            Ok(bytes) => {
                let private = !is_public(&bytes);
                self.outcome.secrets.insert(pointer.to_owned(), Secret::new(bytes));
                if private && readable_by_everybody(&path) {
                    let text =
                        format!("secret file `{}` can be read by every user of this machine", path.display());
                    let finding = self.at(at, "secret_file_readable", text);
                    self.add(finding.warning().hint(format!("chmod 600 {}", path.display())));
                }
            }
            Err(why) => {
                let finding = self.at(at, "secret_file", format!("secret file `{}` {why}", path.display()));
                let near = near_file(&path, written);
                self.add(finding.hint(near.unwrap_or_else(|| match why.as_str() {
                    "does not exist" => "paths are relative to this file".to_owned(),
                    "is a folder" => "name the file in it".to_owned(),
                    _ => "it must hold the secret and may end with one line break".to_owned(),
                })));
            }
        }
    }
}

/// The two ways, with names that fit.
fn places(name: &str) -> String {
    format!("write `{name}: {{env: {}}}` or `{name}: {{file: secrets/{name}}}`", name_of_variable(name))
}

/// The secret as the subject of a sentence; that of a webhook has no name of its own.
fn called(name: &str) -> String {
    if name == "secret" { "`secret`".to_owned() } else { format!("secret `{name}`") }
}

fn name_of_variable(name: &str) -> String {
    if name == "secret" {
        return "HQ_WEBHOOK_SECRET".to_owned();
    }
    if !name.is_ascii() {
        return "NAME".to_owned();
    }
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
}

fn failed(error: &std::io::Error) -> String {
    if error.kind() == ErrorKind::NotFound {
        "does not exist".to_owned()
    } else if error.kind() == ErrorKind::PermissionDenied {
        "may not be read by this user".to_owned()
    } else {
        format!("cannot be read: {error}")
    }
}

/// The bytes of a secret file without one trailing line break, or why not.
fn read(path: &Path) -> Result<Vec<u8>, String> {
    let about = std::fs::metadata(path).map_err(|error| failed(&error))?;
    if about.is_dir() {
        return Err("is a folder".to_owned());
    }
    if about.len() > SECRET_BYTES_MAX {
        return Err(format!("is bigger than {SECRET_BYTES_MAX} bytes, which no key is"));
    }
    let file = std::fs::File::open(path).map_err(|error| failed(&error))?;
    // room for all of it at once: growing would leave copies behind
    let mut bytes = Vec::with_capacity(usize::try_from(about.len()).unwrap_or_default() + 1);
    file.take(SECRET_BYTES_MAX).read_to_end(&mut bytes).map_err(|error| failed(&error))?;
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
    }
    if bytes.iter().all(u8::is_ascii_whitespace) {
        bytes.zeroize();
        return Err("is empty".to_owned());
    }
    Ok(bytes)
}

/// Public keys and certificates stand among the secrets because connectors use them alike; anybody may read them.
fn is_public(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let mut begins = text.lines().filter_map(|line| line.strip_prefix("-----BEGIN ")).peekable();
    begins.peek().is_some()
        && begins.all(|kind| kind.starts_with("PUBLIC KEY") || kind.starts_with("CERTIFICATE"))
}

#[cfg(unix)]
fn readable_by_everybody(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).is_ok_and(|about| about.permissions().mode() & 0o004 != 0)
}

#[cfg(not(unix))]
fn readable_by_everybody(_: &Path) -> bool {
    false
}

/// A file of nearly that name in the same folder.
fn near_file(path: &Path, written: &str) -> Option<String> {
    let wanted = path.file_name()?.to_string_lossy().into_owned();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .ok()?
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| *name != wanted)
        .collect();
    names.sort();
    let near = nearest(&wanted, names.iter().map(String::as_str))?;
    Some(format!("did you mean `{}`?", Path::new(written).with_file_name(near).display()))
}
