//! The one trait a connector implements.

use crate::{Failure, Host, Manifest, Request, Verdict};

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
}
