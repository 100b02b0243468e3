//! What `feed` asks for, done by `host`.

use futures_util::future::{BoxFuture, FutureExt as _};
use qudao_feed::webhooks::{Answered, Outbound, Sender};
use qudao_host::{Posted, WebhookSender};
use qudao_model::Timestamp;
use std::sync::Arc;

/// Posts to an endpoint outside.
pub(super) struct HostSender(Arc<WebhookSender>);

impl HostSender {
    pub(super) fn new(sender: WebhookSender) -> HostSender {
        HostSender(Arc::new(sender))
    }
}

impl Sender for HostSender {
    fn send(&self, event: Arc<Outbound>, at: Timestamp) -> BoxFuture<'static, Answered> {
        let sender = Arc::clone(&self.0);
        async move {
            match sender.post(&event.id, event.body.clone(), at).await {
                Posted::Status { status, retry_after, explain } => {
                    Answered::Status { status, retry_after, explain }
                }
                Posted::Silent { explain } => Answered::Silent { explain },
                Posted::Unreachable { explain } => Answered::Unreachable { explain },
            }
        }
        .boxed()
    }
}
