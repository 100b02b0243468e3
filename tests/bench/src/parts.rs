//! The parts, a file each, in the order of the page.

mod calls;
mod channels;
mod feed;
pub(crate) mod files;
mod growth;
mod ingest;
mod polls;
mod rates;
mod sides;
mod start;

use crate::args::{Measure, Part};
use crate::section::Section;
use anyhow::Result;
use std::fs;

/// Measures one part into its section.
pub(crate) fn measure(part: Part, measure: &Measure, section: &mut Section) -> Result<()> {
    fs::create_dir_all(measure.part_folder(part))?;
    match part {
        Part::Calls => calls::measure(measure, section),
        Part::Start => start::measure(measure, section),
        Part::Ingest => ingest::measure(measure, section),
        Part::Rates => rates::measure(measure, section),
        Part::Feed => feed::measure(measure, section),
        Part::Polls => polls::measure(measure, section),
        Part::Files => files::measure(measure, section),
        Part::Channels => channels::measure(measure, section),
        Part::Growth => growth::measure(measure, section),
    }
}
