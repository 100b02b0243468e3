//! Reads request files: JSON lines, or whole indented objects one after another, with what `try` adds to a request.

use crate::error::Error;
use qudao_model::{Request, Timestamp};
use serde::{Deserialize, Deserializer, de::Error as _};
use std::{
    collections::BTreeMap,
    fs,
    io::{self, Read},
    path::Path,
};

/// One request of the file.
#[derive(Debug, Deserialize)]
pub(super) struct Recorded {
    #[serde(flatten)]
    pub(super) request: Request,
    /// The clock that the connector sees.
    #[serde(default, deserialize_with = "now")]
    pub(super) now: Option<Timestamp>,
    /// What the gateway knows.
    #[serde(default)]
    pub(super) context: Context,
}

/// What the gateway knows when the request comes in.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Context {
    /// Payments that are expected, by order number.
    #[serde(default)]
    pub(super) orders: BTreeMap<String, Order>,
}

/// A payment that is expected.
#[derive(Debug, Deserialize)]
pub(super) struct Order {
    /// Its amount.
    pub(super) amount_fen: i64,
}

/// Reads the whole file before anything is run, so that a mistake in the last line does not leave half of it done.
pub(super) fn read(path: &Path) -> Result<Vec<Recorded>, Error> {
    let (name, text) = if path == Path::new("-") {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text).map_err(Error::file("read", "standard input"))?;
        ("standard input".to_owned(), text)
    } else {
        (path.display().to_string(), fs::read_to_string(path).map_err(Error::file("read", path))?)
    };
    let recorded = parse(&name, &text)?;
    if recorded.is_empty() {
        return Err(Error::refused(format!("{name} holds no request"))
            .hint("a request file has one JSON object a line; see `qudao try --help`"));
    }
    Ok(recorded)
}

fn parse(name: &str, text: &str) -> Result<Vec<Recorded>, Error> {
    let mut recorded = Vec::new();
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<serde_json::Value>();
    loop {
        let before = values.byte_offset();
        let value = match values.next() {
            None => return Ok(recorded),
            Some(value) => value.map_err(|error| {
                Error::refused(format!(
                    "{name}:{}:{}: is not JSON: {}",
                    error.line(),
                    error.column(),
                    text_of(&error)
                ))
            })?,
        };
        recorded.push(Recorded::deserialize(value).map_err(|error| {
            let line = line_of(text, before);
            Error::refused(format!("{name}:{line}: is not a request: {error}"))
                .hint("a request is {\"method\", \"path\", \"query\"?, \"headers\": [[name, value], …], \"body_base64\"}")
        })?);
    }
}

/// The message without its place, which stands in front already.
fn text_of(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(at) => text.get(..at).unwrap_or(&text).to_owned(),
        None => text,
    }
}

/// Line of the first thing that is not white space at or after `offset`, from 1.
fn line_of(text: &str, offset: usize) -> usize {
    let blank = text.get(offset..).map_or(0, |rest| rest.len() - rest.trim_start().len());
    text.bytes().take(offset + blank).filter(|byte| *byte == b'\n').count() + 1
}

fn now<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
    let text = match Option::<serde_json::Value>::deserialize(from)? {
        None => return Ok(None),
        Some(serde_json::Value::String(text)) => text,
        Some(other) => other.to_string(),
    };
    super::when::at(&text).map(Some).map_err(|problem| D::Error::custom(format!("`now` {problem}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Result<usize, &str>) {
        let parsed = parse("r.json", text).map(|recorded| recorded.len()).map_err(|error| error.to_string());
        assert_eq!(parsed, expect.map_err(str::to_owned), "{text}");
    }

    #[test]
    fn lines_and_whole_objects() {
        check(r#"{"method":"POST","path":"/","headers":[["A","b"]],"body_base64":"e30="}"#, Ok(1));
        check(
            "{\"method\":\"GET\",\"path\":\"/\"}\n\n{\"method\":\"GET\",\"path\":\"/\",\"now\":1}\n",
            Ok(2),
        );
        check(
            "{\n \"method\": \"GET\",\n \"path\": \"/\",\n \"expect\": {\"verdict\": \"accepted\"}\n}\n",
            Ok(1),
        );
        check("", Ok(0));
    }

    #[test]
    fn mistakes_have_their_line() {
        let line = r#"{"method":"GET","path":"/"}"#;
        check(
            &format!("{line}\n{{\"path\":\"/\"}}"),
            Err("r.json:2: is not a request: missing field `method`"),
        );
        check(&format!("{line}\n{{\"method\":"), Err("r.json:2:10: is not JSON: EOF while parsing a value"));
        check(
            r#"{"method":"GET","path":"/","now":"soon"}"#,
            Err(
                "r.json:1: is not a request: `now` is neither RFC 3339 with an offset (2026-01-21T12:58:17+08:00) \
                 nor unix seconds",
            ),
        );
        check(
            r#"{"method":"GET","path":"/","body_base64":"%"}"#,
            Err("r.json:1: is not a request: is not base64: invalid length at 0"),
        );
    }

    #[test]
    fn knows_the_orders_and_the_clock() {
        let text = r#"{"method":"GET","path":"/","now":"2026-01-21T12:58:17+08:00","context":{"orders":{"SO1":{"amount_fen":100}}}}"#;
        let parsed = parse("r.json", text).unwrap();
        assert_eq!(parsed[0].now.unwrap().to_string(), "2026-01-21T04:58:17Z");
        assert_eq!(parsed[0].context.orders["SO1"].amount_fen, 100);
    }
}
