//! Rows: what a mapping makes of the records of a container.
//!
//! [`read`] goes through a file once (twice where duplicates are summed up) and hands canonical rows, rejects, notices and
//! amendments to an [`Out`] while it reads. Every physical row ends in exactly one of rows, rejects, notices, skipped and
//! blank; the five counts of the outcome add up. It decides nothing that needs the past.
//!
//! `clean` normalises cells; `number`, `barcode` and `moment` read them; `plan` puts a mapping and the header of a file
//! together; `flat` makes rows, `tickets` tickets; `seen` knows what was there before; `gate` counts and `write` renders. What
//! surprises: rows leave at once and are taken back later by their ordinal, so that memory does not grow with the file.

pub(crate) mod barcode;
pub(crate) mod clean;
mod flat;
mod gate;
mod group;
mod header;
mod matrix;
mod members;
mod moment;
mod number;
mod out;
mod outcome;
mod plan;
mod reader;
mod rules;
mod run;
mod seen;
mod tender;
mod tickets;
mod values;
mod view;
mod write;

pub(crate) use moment::wrong_form;
pub use out::{Collected, Out};
pub(crate) use plan::template_names;
pub(crate) use tender::KINDS as TENDER_KINDS;

use crate::mapping::{Mapping, Policy, Stores};
use crate::sheet::Bytes;
use crate::sheets;
use flat::Adding;
use gate::Gate;
use out::Mute;
use qudao_sdk::model::file::FileOutcome;
use run::{Refused, Run, Whole};
use seen::Totals;
use std::collections::BTreeMap;
use view::Directory;

/// What is known about a file besides its bytes.
#[derive(Debug, Clone, Default)]
pub struct About {
    /// Its name, without folders.
    pub name: String,
    /// The channel's own codes of stores, to ours.
    pub store_codes: BTreeMap<String, String>,
}

/// Reads the file to its end. `stores` are those of the directory; the mapping's own stand in their place.
pub fn read(
    mapping: &Mapping,
    stores: &Stores,
    file: &dyn Bytes,
    about: &About,
    out: &mut dyn Out,
) -> FileOutcome {
    if let Some(problem) = mapping.problems().into_iter().next() {
        return outcome::unusable(mapping, &problem);
    }
    let stores = Directory { stores: mapping.stores.as_ref().unwrap_or(stores), codes: &about.store_codes };
    let summed =
        mapping.duplicates.as_ref().filter(|rule| rule.policy == Policy::Sum && mapping.ticket.is_none());
    let mut adding = Adding::None;
    if let Some(rule) = summed {
        let totals = Adding::First(Totals::new(rule.sum.len()));
        let mut mute = Mute;
        match through(mapping, stores, (file, &about.name), (totals, &mut Gate::new(&mut mute))) {
            Ok((_, Adding::First(totals))) => adding = Adding::Second(totals),
            Ok((_, Adding::None | Adding::Second(_))) => {}
            Err(refused) => return outcome::refused(mapping, refused),
        }
    }
    let mut gate = Gate::new(out);
    match through(mapping, stores, (file, &about.name), (adding, &mut gate)) {
        Ok((whole, _)) => outcome::of(mapping, whole, &gate),
        Err(refused) => outcome::refused(mapping, refused),
    }
}

/// One time through the file.
fn through(
    mapping: &Mapping,
    stores: Directory<'_>,
    (file, name): (&dyn Bytes, &str),
    (adding, gate): (Adding, &mut Gate<'_>),
) -> Result<(Whole, Adding), Refused> {
    let mut sheet = sheets::open(&mapping.container, file)?;
    let mut run = Run::new(mapping, stores, name, adding);
    run.through(sheet.as_mut(), gate)?;
    let whole = run.whole(gate);
    Ok((whole, run.sums()))
}
