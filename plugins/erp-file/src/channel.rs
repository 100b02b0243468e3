//! The connector: settings of a channel, and the three calls that the gateway makes.

use crate::mapping::{Mapping, Stores};
use crate::rows::{self, About, Out};
use crate::sheet::Bytes;
use crate::sniff;
use qudao_sdk::model::file::{Amendment, Emitted, FileOutcome, RowNotice, RowReject, SniffAsked, Sniffed};
use qudao_sdk::{Connector, Failure, File, Files, Host, Manifest, SettingProblem};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The connector.
pub struct ErpFile;

/// Settings of a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// How the files are read. In connectors.yaml it is the path of a YAML file that holds this.
    pub mapping: Mapping,
    /// Folder that is watched for new files, or those of a folder that are called so: `inbox/STK_*.csv`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watch: Option<String>,
    /// How long a file in it must be quiet before it is read, `30s` where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[0-9]+(ms|s|m|h)$"))]
    pub settle: Option<String>,
    /// Suffix of the file that says that a file beside it is complete: `.ok`. Without one being quiet is enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^\.[0-9A-Za-z._-]{1,20}$"))]
    pub marker: Option<String>,
    /// What a figure of stock is: what lies in the store, or what is left of it after promises. `on_hand` where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reports: Option<Reports>,
    /// What the ERP's movements name: nothing (`e0`), their order or document (`e1`), and a gap-free number (`e2`). `e0` where
    /// it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<Tier>,
    /// How long after a sale at the latest the ERP has booked it, `1h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[0-9]+(ms|s|m|h)$"))]
    pub post_lag: Option<String>,
    /// How much the ERP's clock can be wrong, `5m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[0-9]+(ms|s|m|h)$"))]
    pub skew: Option<String>,
    /// Pieces that are kept back in each store, for the walk-in who holds one already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1_000_000))]
    pub safety: Option<u32>,
    /// Count it up when the ERP was restored or set up anew, so that its numbers and times begin again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1_000_000))]
    pub epoch: Option<u32>,
    /// Age from which a figure counts as stale, `36h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[0-9]+(ms|s|m|h)$"))]
    pub stale_after: Option<String>,
}

/// What a figure of stock is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reports {
    /// What lies in the store.
    OnHand,
    /// What is left after the promises that the ERP knows.
    Available,
}

/// What the ERP's movements name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// Nothing.
    E0,
    /// Their order or document.
    E1,
    /// A gap-free number as well.
    E2,
}

/// What a call reads out of the settings: the gateway has put the stores to them.
#[derive(Debug, Deserialize)]
struct Call {
    mapping: Mapping,
    #[serde(default)]
    stores: Stores,
    #[serde(default)]
    store_codes: BTreeMap<String, String>,
}

impl Connector for ErpFile {
    fn manifest() -> Manifest {
        let sentence = "Files of legacy ERPs and tills, read by a mapping";
        qudao_sdk::manifest("erp-file", env!("CARGO_PKG_VERSION"), sentence)
            .settings::<Settings>()
            .files("mapping")
            .build()
    }
}

impl Files for ErpFile {
    fn read(file: &dyn File, host: &dyn Host) -> Result<FileOutcome, Failure> {
        let Call { mapping, stores, store_codes } = host.settings()?;
        let about = About { name: file.name(), store_codes };
        let mut sink = Sink::new(file);
        let outcome = rows::read(&mapping, &stores, &Pieces(file), &about, &mut sink);
        sink.flush();
        Ok(outcome)
    }

    fn sniff(asked: &SniffAsked, file: &dyn File, _host: &dyn Host) -> Result<Sniffed, Failure> {
        sniff::sniff(&Pieces(file), asked).map_err(|fault| Failure::operator(fault.reason, fault.detail))
    }

    fn check(host: &dyn Host) -> Result<Vec<SettingProblem>, Failure> {
        let Call { mapping, .. } = host.settings()?;
        let told = |problem: crate::mapping::Problem| SettingProblem {
            at: format!("/mapping{}", problem.at),
            text: problem.text,
            hint: problem.hint,
        };
        Ok(mapping.problems().into_iter().map(told).collect())
    }
}

/// The file, piece by piece.
struct Pieces<'f>(&'f dyn File);

impl Bytes for Pieces<'_> {
    fn size(&self) -> u64 {
        self.0.size()
    }

    fn read(&self, offset: u64, max: u32) -> Vec<u8> {
        self.0.read(offset, max)
    }
}

/// Lines of JSON that wait for being put out together.
struct Sink<'f> {
    file: &'f dyn File,
    rows: Vec<u8>,
    rejects: Vec<u8>,
    notices: Vec<u8>,
    amendments: Vec<u8>,
}

/// Bytes that are put out at once: a crossing into the gateway costs as much as many rows.
const TOGETHER: usize = 256 * 1024;

impl<'f> Sink<'f> {
    fn new(file: &'f dyn File) -> Sink<'f> {
        let rows = Vec::with_capacity(TOGETHER + 4096);
        Sink { file, rows, rejects: Vec::new(), notices: Vec::new(), amendments: Vec::new() }
    }

    /// All that waits, rows first: amendments are of rows that are out.
    fn flush(&mut self) {
        let lines = [
            (Emitted::Rows, &mut self.rows),
            (Emitted::Rejects, &mut self.rejects),
            (Emitted::Notices, &mut self.notices),
            (Emitted::Amendments, &mut self.amendments),
        ];
        for (what, lines) in lines {
            if !lines.is_empty() {
                self.file.put(what, lines);
                lines.clear();
            }
        }
    }

    fn flush_if_full(&mut self) {
        let waiting = [&self.rows, &self.rejects, &self.notices, &self.amendments];
        if waiting.iter().any(|lines| lines.len() >= TOGETHER) {
            self.flush();
        }
    }
}

fn append(lines: &mut Vec<u8>, value: &impl Serialize) {
    // A vector takes everything and these types have only text keys, so this cannot fail.
    let _written = serde_json::to_writer(&mut *lines, value);
    lines.push(b'\n');
}

impl Out for Sink<'_> {
    fn row(&mut self, json: &[u8]) {
        self.rows.extend_from_slice(json);
        self.rows.push(b'\n');
        if self.rows.len() >= TOGETHER {
            self.flush();
        }
    }

    fn reject(&mut self, reject: RowReject) {
        append(&mut self.rejects, &reject);
        self.flush_if_full();
    }

    fn notice(&mut self, notice: RowNotice) {
        append(&mut self.notices, &notice);
        self.flush_if_full();
    }

    fn amend(&mut self, amendment: Amendment) {
        append(&mut self.amendments, &amendment);
        self.flush_if_full();
    }
}
