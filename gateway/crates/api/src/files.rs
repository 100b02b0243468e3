//! Files that are handed in: streamed to the disk as they come, never held in memory.

use crate::{
    App,
    extract::Path,
    problem::{Code, Problem},
};
use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use qudao_pipeline::Error;
use schemars::JsonSchema;
use serde::Deserialize;

/// Longest name that every file system of a store takes.
const NAME_BYTES_MAX: usize = 255;

/// Where a file goes.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Place {
    /// As in connectors.yaml.
    channel: String,
    /// Name of the file, without folders, percent-encoded; at most 255 bytes.
    name: String,
}

/// 202 for a new file: it is kept and will be read. 200 where the same bytes were handed in before under the same mapping.
pub(crate) async fn hand_in(
    State(app): State<App>,
    Path(Place { channel, name }): Path<Place>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    check_name(&name)?;
    check_media(&headers)?;
    if app.gateway.channel(&channel).is_none() {
        return Err(Error::UnknownChannel { channel }.into());
    }
    let most = app.gateway.admit_file(&channel)?;
    if declared(&headers).is_some_and(|size| size > most) {
        return Err(Error::FileTooLarge { limit: most }.into());
    }
    let taken = app.gateway.take_file(&channel, &name, body.into_data_stream()).await?;
    let location = format!("/v1/imports/{}", taken.import.id);
    let status = if taken.new { StatusCode::ACCEPTED } else { StatusCode::OK };
    let mut response = (status, Json(taken.import)).into_response();
    if let Ok(location) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// Refuses names that are no names of files, each with what is wrong.
fn check_name(name: &str) -> Result<(), Problem> {
    let detail = if name.chars().all(|letter| letter == '.') {
        "it is no name of a file".to_owned()
    } else if name.len() > NAME_BYTES_MAX {
        format!("it has {} bytes; {NAME_BYTES_MAX} are the most", name.len())
    } else if let Some(wrong) = name.chars().find(|letter| ['/', '\\'].contains(letter)) {
        format!("it contains `{wrong}`")
    } else if let Some(wrong) = name.chars().find(|letter| letter.is_control() || is_invisible(*letter)) {
        format!("it contains the invisible letter U+{:04X}", u32::from(wrong))
    } else if name.trim() != name {
        "it begins or ends with a blank".to_owned()
    } else {
        return Ok(());
    };
    let hint = "give the bare name of the file, such as `stock.csv`, percent-encoded as UTF-8; folders are not wanted";
    Err(Problem::new(Code::BadFileName, detail, hint))
}

/// Letters without a shape, and those that turn the reading direction: with them a name shows as another.
fn is_invisible(letter: char) -> bool {
    matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// The body is the file and nothing else.
fn check_media(headers: &HeaderMap) -> Result<(), Problem> {
    let text =
        |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).unwrap_or_default();
    let hint = "send the bytes of the file as they are: `curl --data-binary @FILE URL`";
    let wrong = |detail: &str| Err(Problem::new(Code::UnsupportedMediaType, detail, hint));
    if text(header::CONTENT_TYPE).trim().to_ascii_lowercase().starts_with("multipart/") {
        return wrong("a form with a file in it is not the file");
    }
    if !matches!(text(header::CONTENT_ENCODING).trim(), "" | "identity") {
        return wrong("the body is compressed for the way");
    }
    Ok(())
}

/// What the sender says the size is.
fn declared(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_pass_and_others_say_what_is_wrong() {
        let long = "x".repeat(256);
        for (name, expect) in [
            ("stock.csv", ""),
            ("门店库存 2025-01-05(终).xls", ""),
            (".hidden", ""),
            ("", "no name"),
            (".", "no name"),
            ("..", "no name"),
            (&long, "256 bytes"),
            ("a/b.csv", "`/`"),
            ("..\\b.csv", "`\\`"),
            ("12:30 库存.csv", ""),
            ("a\0.csv", "U+0000"),
            ("a\r\nx-y: z", "U+000D"),
            ("a\n.csv", "invisible"),
            ("sklad\u{202e}vsc.exe", "invisible"),
            (" a.csv", "blank"),
            ("a.csv\u{3000}", "blank"),
        ] {
            let said = check_name(name).err().map(|problem| problem.detail().to_owned()).unwrap_or_default();
            assert_eq!(said.is_empty(), expect.is_empty(), "{name:?}: {said}");
            assert!(said.contains(expect), "{name:?}: {said}");
        }
    }

    #[test]
    fn only_bare_bytes_are_a_file() {
        for (name, value, fine) in [
            ("content-type", "text/csv", true),
            ("content-type", "application/x-www-form-urlencoded", true),
            ("content-type", "Multipart/form-data; boundary=x", false),
            ("content-encoding", "identity", true),
            ("content-encoding", "gzip", false),
        ] {
            let name: header::HeaderName = name.parse().unwrap();
            let headers = HeaderMap::from_iter([(name, value.parse().unwrap())]);
            assert_eq!(check_media(&headers).is_ok(), fine, "{value}");
        }
    }
}
