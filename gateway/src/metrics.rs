//! Numbers for Prometheus: the recorder that every crate's counters go to, and the buckets of their histograms.

use crate::error::Error;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use qudao_pipeline::Tasks;
use std::{io, time::Duration};

/// Microseconds: from a connector that has nothing to do to one that meets its limit of wall time.
const MICROS: [f64; 12] = [25.0, 50.0, 100.0, 250.0, 500.0, 1e3, 2.5e3, 5e3, 1e4, 5e4, 2.5e5, 1e6];
/// How often the recorder tidies up after histograms.
const UPKEEP: Duration = Duration::from_secs(5);

/// Begins to record, once a process.
pub(crate) fn record() -> Result<PrometheusHandle, Error> {
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_micros".to_owned()), &MICROS)
        .and_then(PrometheusBuilder::install_recorder)
        .map_err(|error| Error::system("record metrics")(io::Error::other(error)))
}

/// Keeps the recorder's memory bounded while the gateway runs.
pub(crate) fn keep_up(tasks: &Tasks, recorder: &PrometheusHandle) {
    let (recorder, stopping) = (recorder.clone(), tasks.stopping());
    tasks.spawn("metrics", async move {
        let mut pace = tokio::time::interval(UPKEEP);
        loop {
            tokio::select! {
                _ = pace.tick() => recorder.run_upkeep(),
                () = stopping.cancelled() => break,
            }
        }
    });
}
