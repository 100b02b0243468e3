//! `qudao deliveries`: the inbox. What came in, what became of it, and once more with what failed.

mod list;
mod retry;
mod show;

use super::{when, word};
use crate::{
    error::{Error, Exit},
    output::Printer,
};
use clap::{Args, Subcommand};
use qudao_model::Timestamp;
use qudao_storage::{DeliveryFilter, VerdictKind};

/// Arguments of `deliveries`.
#[derive(Debug, Subcommand)]
pub(super) enum Deliveries {
    /// List them, newest first
    List(list::List),
    /// Show one: verdict, answer, facts, or its bytes
    Show(show::Show),
    /// Run failed ones again, in the running gateway
    Retry(retry::Retry),
}

/// Which deliveries.
#[derive(Debug, Args)]
struct Which {
    /// Only this channel
    #[arg(long, value_name = "NAME")]
    channel: Option<String>,
    /// Only this verdict: accepted, ignored, rejected, failed
    #[arg(long, value_name = "VERDICT", value_parser = verdict)]
    verdict: Option<VerdictKind>,
    /// Only this reason, e.g. `bad_signature`
    #[arg(long, value_name = "WORD")]
    reason: Option<String>,
    /// Received at or after: RFC 3339, a date, or how long ago (30m, 2h, 3d)
    #[arg(long, value_name = "TIME", value_parser = when::since)]
    since: Option<Timestamp>,
    /// Received before: the same
    #[arg(long, value_name = "TIME", value_parser = when::since)]
    until: Option<Timestamp>,
}

impl Which {
    fn filter(&self) -> DeliveryFilter {
        DeliveryFilter {
            channel: self.channel.clone(),
            verdict: self.verdict,
            reason: self.reason.clone(),
            since: self.since,
            until: self.until,
            ..DeliveryFilter::default()
        }
    }
}

fn verdict(word: &str) -> Result<VerdictKind, String> {
    word::of(word, &VerdictKind::ALL, VerdictKind::as_str)
}

impl Deliveries {
    pub(super) async fn run(self, printer: &mut Printer) -> Result<Exit, Error> {
        match self {
            Deliveries::List(list) => list.run(printer).await,
            Deliveries::Show(show) => show.run(printer).await,
            Deliveries::Retry(retry) => retry.run(printer).await,
        }
    }
}
