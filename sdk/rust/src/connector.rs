//! The one trait a connector implements.

use crate::{Effect, Failure, Host, Manifest, Page, Request, Verdict};

/// One platform's protocol. All but the manifest has a default: implement what the platform has.
///
/// There is no `self`: every call runs in a fresh instance and its result depends on the request, the channel's settings
/// and what it asked the [`Host`] for, so that a replay gives the same verdict.
///
/// ```
/// use qudao_sdk::{Accepted, Connector, Failure, Host, Manifest, Request, Verdict, answer};
///
/// struct Yes;
/// impl Connector for Yes {
///     fn manifest() -> Manifest {
///         qudao_sdk::manifest("yes", "0.1.0", "Believes everything").build()
///     }
///     fn webhook(request: &Request, _host: &dyn Host) -> Result<Verdict, Failure> {
///         Ok(Accepted::by(&request.path).answer(answer::text(200, "OK")))
///     }
/// }
/// ```
pub trait Connector {
    /// What it is, its settings and what it wants to use. Must not ask the host anything: it is read before there is a channel.
    fn manifest() -> Manifest;

    /// Verifies, decodes and normalises one inbound request, in one call.
    ///
    /// A refusal is a verdict, not an error. A [`Failure`] says that the connector could not do its work: the platform is
    /// answered with an error status, so that it sends the delivery again.
    fn webhook(request: &Request, host: &dyn Host) -> Result<Verdict, Failure> {
        let (_, _) = (request, host);
        Err(Failure::unsupported("webhook"))
    }

    /// Reads the next page of a stream of the manifest's `polls`. `cursor` is what the page before gave, none at first.
    ///
    /// Observations and cursor are committed together; a page that was not committed is asked for again, so a call must not
    /// change anything at the platform but what the committed cursor tells it to (confirm messages, say).
    fn poll(stream: &str, cursor: Option<&str>, host: &dyn Host) -> Result<Page, Failure> {
        let (_, _, _) = (stream, cursor, host);
        Err(Failure::unsupported("poll"))
    }

    /// Asks for one thing of the manifest's `fetches` by its key. A page without observations: the platform does not know it.
    fn fetch(kind: &str, key: &[String], host: &dyn Host) -> Result<Page, Failure> {
        let (_, _, _) = (kind, key, host);
        Err(Failure::unsupported("fetch"))
    }

    /// Runs a command of the manifest's `commands`. `payload` fits its schema. It must be safe to run again with the same
    /// payload: the platform's own key in it makes it one effect.
    fn command(kind: &str, payload: &serde_json::Value, host: &dyn Host) -> Result<Effect, Failure> {
        let (_, _, _) = (kind, payload, host);
        Err(Failure::unsupported("command"))
    }
}
