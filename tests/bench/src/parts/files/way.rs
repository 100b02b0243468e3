//! One way of reading the file, in a process of its own, so that its peak memory is its own. Prints what it measured.

use super::made;
use crate::args::{FileWay, ReadFile};
use crate::figures::nanos;
use crate::server::peak_kib;
use anyhow::{Context, Result, bail};
use qudao_erp_file::ErpFile;
use qudao_host::{Call, FileBytes, FileCall, Grants, Host, HostOptions, Limits, NoExpectations, Put};
use qudao_model::Timestamp;
use qudao_model::file::{Emitted, FileOutcome};
use qudao_sdk::Files as _;
use qudao_sdk::fixtures::NativeHost;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::time::Instant;

/// What a way of reading came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Told {
    /// Good rows.
    pub(crate) rows: u64,
    /// Rows with a fault; 0 where nothing is checked.
    pub(crate) rejects: u64,
    /// Until everything was read and checked.
    pub(crate) read_nanos: u64,
    /// Until everything was in a database as well, where it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) whole_nanos: Option<u64>,
    /// Most memory that the process ever held.
    pub(crate) peak_kib: u64,
    /// Of whom does it, where that is not this project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<String>,
}

/// Reads, and prints [`Told`] as JSON.
pub(crate) fn run(asked: &ReadFile) -> Result<()> {
    let (rows, rejects, took) = match asked.way {
        FileWay::Split => split(asked)?,
        FileWay::Native => native(asked)?,
        FileWay::Sandbox => sandboxed(asked)?,
    };
    let told = Told {
        rows,
        rejects,
        read_nanos: took,
        whole_nanos: None,
        peak_kib: peak_kib("self")?,
        version: None,
    };
    println!("{}", serde_json::to_string(&told)?);
    Ok(())
}

/// Decodes and splits, and reads one number of each row: the least that anybody has to do.
fn split(asked: &ReadFile) -> Result<(u64, u64, u64)> {
    let begun = Instant::now();
    let file = fs::File::open(&asked.file).context("opening the file")?;
    let text = Decoded {
        file,
        decoder: encoding_rs::GBK.new_decoder_without_bom_handling(),
        raw: Vec::new(),
        end: false,
    };
    let mut reader = csv::ReaderBuilder::new().has_headers(true).buffer_capacity(PIECE).from_reader(text);
    let (mut row, mut rows, mut sum) = (csv::ByteRecord::new(), 0, 0_i64);
    while reader.read_byte_record(&mut row).context("splitting the file")? {
        let number = row.get(4).and_then(|cell| std::str::from_utf8(cell).ok()?.parse::<i64>().ok());
        sum += number.unwrap_or_default();
        rows += 1;
    }
    let took = nanos(begun.elapsed());
    anyhow::ensure!(sum > 0, "no figures in {}", asked.file.display());
    Ok((rows, 0, took))
}

const PIECE: usize = 256 * 1024;

/// GBK as UTF-8, piece by piece.
struct Decoded {
    file: fs::File,
    decoder: encoding_rs::Decoder,
    raw: Vec<u8>,
    end: bool,
}

impl std::io::Read for Decoded {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        loop {
            if self.raw.is_empty() && !self.end {
                self.raw.resize(PIECE, 0);
                let read = self.file.read(&mut self.raw)?;
                self.raw.truncate(read);
                self.end = read == 0;
            }
            let (_, read, written, _) = self.decoder.decode_to_utf8(&self.raw, into, self.end);
            self.raw.drain(..read);
            if written > 0 || self.end {
                return Ok(written);
            }
        }
    }
}

/// The connector's own code without a sandbox around it.
fn native(asked: &ReadFile) -> Result<(u64, u64, u64)> {
    let host = NativeHost::at(Timestamp::now()).with_settings(settings(asked)?);
    let file = Disk::open(asked)?;
    let begun = Instant::now();
    let outcome = ErpFile::read(&file, &host).ok().context("the connector failed natively")?;
    let took = nanos(begun.elapsed());
    checked(&outcome, file.rows.get())?;
    Ok((outcome.rows, outcome.counts.rejects, took))
}

/// A file on disk whose lines are counted and thrown away.
struct Disk {
    source: FileBytes,
    rows: Cell<u64>,
}

impl Disk {
    fn open(asked: &ReadFile) -> Result<Disk> {
        let source = FileBytes::open(&asked.file).context("opening the file")?;
        Ok(Disk { source, rows: Cell::new(0) })
    }
}

impl qudao_sdk::File for Disk {
    fn size(&self) -> u64 {
        qudao_host::Source::size(&self.source)
    }

    fn name(&self) -> String {
        "stock.csv".to_owned()
    }

    fn read(&self, offset: u64, max: u32) -> Vec<u8> {
        qudao_host::Source::read(&self.source, offset, max).unwrap_or_default()
    }

    fn put(&self, what: Emitted, lines: &[u8]) {
        self.rows.set(self.rows.get() + count(what, lines));
    }
}

/// The component in its sandbox; whoever takes its rows counts them and does nothing else.
fn sandboxed(asked: &ReadFile) -> Result<(u64, u64, u64)> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let options = HostOptions { cache_dir: Some(asked.cache.clone()), ..HostOptions::default() };
        let component = fs::read(&asked.component).context("reading the component")?;
        let component = Host::new(options)?.load(component).await?;
        let settings = settings(asked)?;
        let grants = Grants {
            channel: "erp".to_owned(),
            // Stores are put in with the call, as the gateway does.
            settings: json!({"mapping": settings.get("mapping")}),
            secrets: BTreeMap::new(),
            network: Vec::new(),
            limits: Limits::default(),
            rate: None,
            expectations: Arc::new(NoExpectations),
        };
        let connector = component
            .connect(grants)
            .map_err(|problems| anyhow::anyhow!("the settings do not fit: {problems:?}"))?;
        let call = Call { now: Timestamp::now(), random_seed: Some(1) };
        let source = Arc::new(FileBytes::open(&asked.file)?);
        let begun = Instant::now();
        let (out, mut lines) = tokio::sync::mpsc::channel::<Put>(4);
        // A thread of its own, as in the gateway.
        let counting = tokio::task::spawn_blocking(move || {
            let mut rows = 0;
            while let Some(put) = lines.blocking_recv() {
                rows += count(put.what, &put.lines);
            }
            rows
        });
        let file = FileCall { source, name: "stock.csv".to_owned(), settings, call };
        let read = connector.read_file(file, out).await;
        let (rows, took) = (counting.await?, nanos(begun.elapsed()));
        let outcome = match read.told {
            Ok(outcome) => outcome,
            Err(failure) => bail!("the connector failed: {failure:?}"),
        };
        checked(&outcome, rows)?;
        Ok((outcome.rows, outcome.counts.rejects, took))
    })
}

fn count(what: Emitted, lines: &[u8]) -> u64 {
    if what != Emitted::Rows {
        return 0;
    }
    lines.iter().map(|byte| u64::from(*byte == b'\n')).sum()
}

fn checked(outcome: &FileOutcome, rows: u64) -> Result<()> {
    anyhow::ensure!(outcome.counts.add_up(), "the counts do not add up: {outcome:?}");
    anyhow::ensure!(outcome.rows == rows, "{rows} rows came out: {outcome:?}");
    Ok(())
}

/// The mapping and the store directory, as the gateway hands them in.
fn settings(asked: &ReadFile) -> Result<Value> {
    let mapping: Value = serde_json::from_slice(&fs::read(&asked.mapping).context("reading the mapping")?)?;
    let stores: Map<String, Value> = made::stores().map(|(code, name)| (code, name.into())).collect();
    Ok(json!({"mapping": mapping, "stores": stores}))
}
