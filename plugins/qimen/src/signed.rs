//! How a call is signed: names and values of headers that it lists, query and form, in order of their names, then the raw body.
//!
//! Everything is bytes, because the caller digests bytes of its own character set. A name without a value is part of the
//! text, unlike in calls to the platform. Whatever `sign_method` says, the digest is MD5.

use data_encoding::HEXUPPER;
use qudao_sdk::charset::Charset;
use qudao_sdk::form::Form;
use qudao_sdk::{Key, MacAlgorithm, Refused, Request, Stop, same};
use std::collections::BTreeMap;

/// Header that names the headers that are signed.
const SIGNED_HEADERS: &str = "top-sign-list";

/// Name and value.
type Pair = (Vec<u8>, Vec<u8>);

/// A call: its parameters, decoded once, and its body, untouched.
pub(crate) struct Call<'request> {
    charset: Charset,
    parameters: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Fields of a form post; they are parameters as well.
    form: Option<Form>,
    body: &'request [u8],
}

impl<'request> Call<'request> {
    /// Reads what is signed.
    pub(crate) fn read(request: &'request Request) -> Result<Call<'request>, Refused> {
        let content_type = request.header_values("content-type").next().unwrap_or_default();
        let charset = charset(content_type)?;
        let is_form = media_type(content_type) == "application/x-www-form-urlencoded";
        let mut parameters = BTreeMap::new();
        let headers = signed_headers(request)?;
        let query = pairs(request.query.as_deref().unwrap_or_default().as_bytes(), "the query")?;
        let form = if is_form { pairs(&request.body, "the body")? } else { None };
        let forms = query.iter().chain(&form).flat_map(Form::pairs);
        let owned = |(name, value): (&[u8], &[u8])| (name.to_vec(), value.to_vec());
        for (name, value) in headers.into_iter().chain(forms.map(owned)) {
            if let Some(twice) = parameters.insert(name.clone(), value).map(|_| name) {
                let explain = format!("the parameter {} stands twice", String::from_utf8_lossy(&twice));
                return Err(Refused::because("duplicate_parameter", explain));
            }
        }
        let body: &[u8] = if is_form { &[] } else { &request.body };
        Ok(Call { charset, parameters, form, body })
    }

    /// Whether the signature is one of the secret; letter case counts.
    pub(crate) fn verify(&self, signature: &str, key: &dyn Key) -> Result<(), Stop> {
        let mut text = Vec::new();
        for (name, value) in self.parameters.iter().filter(|(name, _)| name.as_slice() != b"sign") {
            text.extend_from_slice(name);
            text.extend_from_slice(value);
        }
        text.extend_from_slice(self.body);
        let digest = key.mac_with(MacAlgorithm::Md5Wrapped, &text, &[])?;
        if same(&HEXUPPER.encode(&digest), signature) {
            return Ok(());
        }
        Err(Refused::because("bad_signature", "the signature is not one of the secret app_secret").into())
    }

    /// What tells this content from another, for calls to which the sender gives no number of their own.
    pub(crate) fn digest(&self, key: &dyn Key) -> Result<String, Stop> {
        let mut text = self.body.to_vec();
        for (name, value) in self.form.iter().flat_map(Form::pairs) {
            text.extend_from_slice(name);
            text.push(b'=');
            text.extend_from_slice(value);
            text.push(b'&');
        }
        let digest = key.mac_with(MacAlgorithm::HmacSha256, &text, &[])?;
        Ok(HEXUPPER.encode(&digest).chars().take(32).collect())
    }

    /// The value of a parameter that must be there.
    pub(crate) fn required(&self, name: &str) -> Result<String, Refused> {
        let value = self.parameters.get(name.as_bytes()).filter(|value| !value.is_empty());
        let missing = || Refused::because("missing_parameter", format!("the parameter {name} is missing"));
        self.text(value.ok_or_else(missing)?, name)
    }

    /// The method, without the platform's prefix.
    pub(crate) fn method(&self) -> Result<String, Refused> {
        let method = self.required("method")?;
        Ok(method.strip_prefix("taobao.qimen.").map(str::to_owned).unwrap_or(method))
    }

    /// Whether there is neither a body nor a field.
    pub(crate) fn is_empty(&self) -> bool {
        self.body.trim_ascii().is_empty() && self.form.is_none()
    }

    /// Fields of a form post, in order.
    pub(crate) fn form(&self) -> Result<Option<Vec<(String, String)>>, Refused> {
        let read = |(name, value)| Ok((self.text(name, "a field")?, self.text(value, "a field")?));
        self.form.as_ref().map(|form| form.pairs().map(read).collect()).transpose()
    }

    /// The body as text.
    pub(crate) fn body_text(&self) -> Result<String, Refused> {
        self.text(self.body, "the body")
    }

    fn text(&self, bytes: &[u8], what: &str) -> Result<String, Refused> {
        let wrong = |error| Refused::because("bad_encoding", format!("{what} {error}"));
        self.charset.decode(bytes).map_err(wrong)
    }
}

/// Type without parameters, in lower case.
pub(crate) fn media_type(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// UTF-8 where nothing is said; whatever begins with GB is one family.
fn charset(content_type: &str) -> Result<Charset, Refused> {
    let named = content_type.split(';').skip(1).filter_map(|part| part.trim().split_once('='));
    let label = named
        .filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))
        .map(|(_, value)| value.trim().trim_matches('"').to_ascii_lowercase())
        .next();
    match label.as_deref() {
        None | Some("") => Ok(Charset::Utf8),
        Some(label) if label.starts_with("gb") => Ok(Charset::Gb18030),
        Some(label) => Charset::named(label)
            .ok_or_else(|| Refused::because("bad_encoding", format!("charset {label} is not known"))),
    }
}

/// Pairs of a query or form. A name alone has an empty value.
fn pairs(encoded: &[u8], what: &str) -> Result<Option<Form>, Refused> {
    let parts = encoded.split(|byte| *byte == b'&').filter(|part| !part.is_empty());
    let whole = |part: &[u8]| if part.contains(&b'=') { part.to_vec() } else { [part, b"="].concat() };
    let parts: Vec<Vec<u8>> = parts.map(whole).collect();
    if parts.is_empty() {
        return Ok(None);
    }
    let wrong = |error| Refused::because("malformed_body", format!("{what} {error}"));
    Form::parse(&parts.join(&b'&')).map(Some).map_err(wrong)
}

/// Headers that the caller signed, decoded like parameters; one that is not there counts as empty.
fn signed_headers(request: &Request) -> Result<Vec<Pair>, Refused> {
    let list = request.header_values(SIGNED_HEADERS).next().unwrap_or_default();
    let names = list.split(',').map(str::trim).filter(|name| !name.is_empty());
    let decoded = |name: &str| {
        let value = request.header_values(name).next().unwrap_or_default();
        let field = format!("v={}", value.replace('&', "%26"));
        let form = Form::parse(field.as_bytes())
            .map_err(|error| Refused::because("bad_encoding", format!("the header {name} {error}")))?;
        Ok((name.as_bytes().to_vec(), form.bytes("v").unwrap_or_default().to_vec()))
    };
    names.map(decoded).collect()
}
