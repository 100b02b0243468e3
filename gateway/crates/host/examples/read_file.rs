//! What reading one file costs in the sandbox: `read_file COMPONENT.wasm FILE SETTINGS.json`.
//!
//! Prints the outcome, rows and bytes a second, fuel for each byte and the guest's memory. With it the figures of
//! `limits.rs` are found.

#![allow(clippy::print_stdout, reason = "it prints what it measures")]

use qudao_host::{Call, FileBytes, FileCall, Host, HostOptions, Put};
use qudao_model::Timestamp;
use std::{error::Error, path::Path, sync::Arc, time::Instant};
use tokio::sync::mpsc;

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(read())
}

async fn read() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let mut next = || words.next().ok_or("needs COMPONENT.wasm FILE SETTINGS.json");
    let (component, file, settings) = (next()?, next()?, next()?);
    let host = Host::new(HostOptions::default())?;
    let connector = host.load(std::fs::read(component)?).await?.loose("example");
    let source = FileBytes::open(Path::new(&file))?;
    let size = std::fs::metadata(&file)?.len();
    let call = FileCall {
        source: Arc::new(source),
        name: Path::new(&file).file_name().unwrap_or_default().to_string_lossy().into_owned(),
        settings: serde_json::from_slice(&std::fs::read(settings)?)?,
        call: Call { now: Timestamp::UNIX_EPOCH, random_seed: Some(1) },
    };
    let (out, mut taken) = mpsc::channel::<Put>(4);
    let started = Instant::now();
    let taking = async {
        let (mut puts, mut bytes) = (0_u64, 0_usize);
        while let Some(put) = taken.recv().await {
            puts += 1;
            bytes += put.lines.len();
        }
        (puts, bytes)
    };
    let (read, (puts, bytes)) = tokio::join!(connector.read_file(call, out), taking);
    let took = started.elapsed();
    println!("{:?}", read.told);
    let rows = u128::from(read.told.map_or(0, |outcome| outcome.rows));
    let a_second = |count: u128| count * 1_000_000 / took.as_micros().max(1);
    println!("{took:?}: {} rows/s, {} bytes/s", a_second(rows), a_second(u128::from(size)));
    println!("{puts} puts of {bytes} bytes, {} calls of imports", read.stats.host_calls);
    println!(
        "{} fuel for each byte, {} bytes of memory",
        read.stats.fuel / size.max(1),
        read.stats.memory_bytes
    );
    Ok(())
}
