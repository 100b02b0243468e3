//! What is configured of an endpoint, as far as it matters here.

/// One endpoint of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Lower-case letters, digits and dashes; unique.
    pub name: String,
    /// Where it is, without user name, password and query: for people.
    pub url: String,
    /// SHA-256 of the whole URL, hexadecimal. Where it changes, the endpoint is tried afresh.
    pub url_digest: String,
    /// Types that are sent, exact or ending in `*`; empty means all.
    pub types: Vec<String>,
    /// Requests at once, each of another entity; at least 1.
    pub parallel: usize,
}
