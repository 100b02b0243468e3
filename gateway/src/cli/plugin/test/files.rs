//! Files with their mapping, through the component.

use super::{SEED, Went};
use crate::error::Error;
use qudao_host::{AskFailure, Call, Component, FileCall, Put};
use qudao_sdk::{
    Failure,
    fixtures::{FileCase, ReadOut},
};
use std::sync::Arc;
use tokio::sync::mpsc;

/// Parts that wait between connector and comparison.
const WAITING: usize = 4;

pub(super) async fn run(case: &FileCase, component: &Component) -> Result<Went, Error> {
    let bytes = case.bytes().map_err(|error| Error::refused(crate::error::chain(&error)))?;
    let connector = component.loose(&case.file);
    let call = FileCall {
        source: Arc::new(bytes),
        name: case.file.clone(),
        settings: case.settings(component.manifest()),
        call: Call { now: FileCase::now(), random_seed: Some(SEED) },
    };
    let (out, mut taken) = mpsc::channel::<Put>(WAITING);
    let taking = async {
        let mut read = ReadOut::default();
        while let Some(put) = taken.recv().await {
            read.put(put.what, &put.lines);
        }
        read
    };
    let (told, read) = tokio::join!(connector.read_file(call, out), taking);
    let verdict = told.told.as_ref().map_or("failed", |outcome| outcome.verdict.as_str());
    let failed = |AskFailure { class, code, message, retry }| Failure { class, code, message, retry };
    let differences = case.compare(&told.told.map_err(failed), &read);
    Ok(Went {
        case: case.file.clone(),
        description: case.description.clone(),
        verdict,
        passed: differences.is_empty(),
        differences,
        stats: told.stats,
    })
}
