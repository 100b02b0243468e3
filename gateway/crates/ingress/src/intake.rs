//! What the public listener needs of the gateway.

use qudao_model::Answer;
use qudao_pipeline::{Delivery, Error, Gateway};
use std::future::Future;

/// Takes deliveries. [`Gateway`] is the one that runs; tests bring their own to show a full disk or a drain.
pub trait Intake: Send + Sync + 'static {
    /// How many bytes of body a channel takes, or why it takes nothing: asked before a byte of the body is read.
    fn admit(&self, channel: &str) -> Result<usize, Error>;

    /// Takes one delivery and gives the connector's answer, after the commit.
    fn receive(&self, delivery: Delivery) -> impl Future<Output = Result<Answer, Error>> + Send;
}

impl Intake for Gateway {
    fn admit(&self, channel: &str) -> Result<usize, Error> {
        Gateway::admit(self, channel)
    }

    async fn receive(&self, delivery: Delivery) -> Result<Answer, Error> {
        Gateway::receive(self, delivery).await
    }
}
