//! Keeps secrets that were wrongly written into the file out of everything that is shown.
//!
//! With a tree, what is hidden is known exactly. Without one (the file is not YAML) it is judged by lines, and rather
//! too much is hidden than too little.

use crate::source::{Source, Span};
use crate::tree::{Node, Value};

/// Parts of a key's name that make its value one to hide.
const TELLING: &[&str] =
    &["secret", "token", "passw", "private_key", "api_key", "apikey", "credential", "session"];

/// Keys whose values are names and paths; a date in one does not make it a secret.
const SHOWN: &[&str] =
    &["connector", "data", "hooks", "admin", "storage", "timezone", "stores", "listings", "status"];

/// Whether a key's name says that its value is a secret.
pub(crate) fn tells_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase().replace('-', "_");
    // an id or a path of a key is none, nor are public keys and the name that an application goes by
    let public = key.ends_with("_id") || key.ends_with("_file") || key.contains("public") || key == "app_key";
    !public && (key.ends_with("_key") || TELLING.iter().any(|part| key.contains(part)))
}

/// Hides literal secrets of the tree, in the tree and in the lines.
pub(crate) fn mask_tree(root: &mut Node, source: &mut Source) {
    walk(root, Where::Open, source);
}

/// What kind of place a value stands in.
#[derive(Clone, Copy, PartialEq)]
enum Where {
    /// Shown, unless it looks like a key.
    Open,
    /// Below `channels`: names of channels.
    Channels,
    /// Among the settings: ids stand there, which look like keys and are none.
    Settings,
    /// Below `secrets`: names of secrets.
    Names,
    /// Hidden, whatever it is.
    Secret,
}

/// Keys of platforms have 32 characters, tokens at least twenty; a slip may have cut one in two.
const KEY_MIN: usize = 12;

/// Whether a text looks like key material rather than a word, a name or an address.
fn looks_like_key(text: &str) -> bool {
    let fits =
        text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=' | b'_' | b'-'));
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let letters = text.bytes().filter(u8::is_ascii_alphabetic).count();
    fits && text.len() >= KEY_MIN && digits >= 3 && letters >= 3
}

fn walk(node: &mut Node, place: Where, source: &mut Source) {
    match &mut node.value {
        Value::Map(entries) => {
            // `{env: NAME}` and `{file: PATH}` are places, unless what they hold cannot be one
            for entry in entries {
                let named = match entry.key.as_str() {
                    "env" => entry.node.text().is_some_and(is_env_name),
                    "file" => entry.node.text().is_some_and(is_path),
                    _ => false,
                };
                let inner = match (place, entry.key.as_str()) {
                    _ if named => Where::Settings,
                    (Where::Secret | Where::Names, _) => Where::Secret,
                    (Where::Channels, _) => Where::Open,
                    (_, "channels") => Where::Channels,
                    (_, "secrets") => Where::Names,
                    (_, key) if tells_secret(key) => Where::Secret,
                    (_, key) if key == "settings" || SHOWN.contains(&key) => Where::Settings,
                    _ => place,
                };
                // text with a colon in it reads as a key
                if matches!(place, Where::Open | Where::Secret) && !keys_in(&entry.key).is_empty() {
                    entry.hidden = true;
                    source.mask(entry.key_span);
                }
                walk(&mut entry.node, inner, source);
            }
        }
        Value::List(items) => items.iter_mut().for_each(|item| walk(item, place, source)),
        // nothing and aliases too: their place may hold the text of an anchor
        Value::Text(_) | Value::Number(_) | Value::Bool(_) | Value::Null | Value::Refused
            if matches!(place, Where::Secret | Where::Names) =>
        {
            node.hidden = true;
            source.mask(node.span);
        }
        Value::Text(text) if place == Where::Open && !keys_in(text).is_empty() => {
            node.hidden = true;
            source.mask(node.span);
        }
        Value::Text(text) => {
            if let Some((scheme, rest)) = text.split_once("://")
                && let Some(userinfo) =
                    rest.split(['/', '?', '#']).next().and_then(|host| host.rsplit_once('@'))
            {
                let from = node.span.column + scheme.chars().count() + 3;
                node.hidden = true;
                // with a quote in front the mask begins one character early, which hides no less
                let width = userinfo.0.chars().count() + 1;
                source.mask(Span::at(node.span.line, from, width));
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Refused => {}
    }
}

/// What may stand in `{env: …}`: capitals, as such names are written; a key pasted there is hardly ever all of that.
pub(crate) fn is_env_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_uppercase() || b == b'_')
        && bytes.all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

/// What may stand in `{file: …}`: one line that is not key material.
pub(crate) fn is_path(text: &str) -> bool {
    !text.is_empty() && !text.contains('\n') && !text.contains("-----") && text.len() <= 1024
}

/// Hides what may be a secret in a file that could not be parsed.
pub(crate) fn mask_lines(source: &mut Source) {
    let mut block: Option<usize> = None;
    let mut armour = false;
    for number in 1..=source.line_count() {
        let line = source.line(number).to_owned();
        let body = line.trim_start();
        let indent = line.chars().count() - body.chars().count();
        armour |= body.contains("-----BEGIN");
        if block.is_some_and(|outer| !body.is_empty() && indent <= outer) {
            block = None;
        }
        let from =
            if armour { Some(1) } else { hidden_from(body, block.is_some()).map(|column| column + indent) };
        if body.split([':', '{', ',']).any(|word| word.trim() == "secrets" || tells_secret(word))
            && block.is_none()
        {
            block = Some(indent);
        }
        armour &= !body.contains("-----END");
        for (column, width) in keys_in(&line) {
            source.mask(Span::at(number, column, width));
        }
        if let Some(column) = from {
            source.mask(Span { line: number, column, end_line: number, end_column: usize::MAX });
        }
    }
}

/// Columns and widths of what looks like a key, wherever it stands.
fn keys_in(line: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut column = 1;
    for word in line.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '_' | '-')))
    {
        let width = word.chars().count();
        if looks_like_key(word) {
            found.push((column, width));
        }
        column += width + 1;
    }
    found
}

/// The column (from 1, within `body`) from which a line is hidden.
fn hidden_from(body: &str, inside: bool) -> Option<usize> {
    if body.is_empty() || body.starts_with('#') {
        return None;
    }
    let after_colon =
        body.split_once(':').map(|(key, value)| (key, value.trim_start(), key.chars().count() + 2));
    match after_colon {
        Some((_, "", _)) => None,
        Some((key, value, column)) if inside || tells_secret(key) || key.trim() == "secrets" => {
            (!names_place(value)).then_some(column)
        }
        Some((_, value, column))
            if value.contains("secrets")
                || tells_secret(value)
                || (value.contains("://") && value.contains('@')) =>
        {
            Some(column)
        }
        Some(_) => None,
        None => inside.then_some(1),
    }
}

/// `{env: NAME}` or `{file: PATH}`, closed or not.
fn names_place(value: &str) -> bool {
    let inner = value.trim_start_matches('{').trim_start();
    let rest = inner.strip_prefix("env:").or_else(|| inner.strip_prefix("file:")).map(str::trim);
    let named = rest.map(|rest| rest.split([' ', '}', ',']).next().unwrap_or_default());
    match named {
        Some(name) if inner.starts_with("env:") => is_env_name(name),
        Some(path) => is_path(path) && (path.contains(['/', '.'])),
        None => value.starts_with('#'),
    }
}
