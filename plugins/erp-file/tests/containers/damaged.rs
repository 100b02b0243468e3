//! Files cut off at many places, and files with flipped bytes: always records or a fault, never a panic.

use super::kit::{Vector, read, vectors};
use proptest::prelude::*;
use qudao_erp_file::mapping::{Container, Format};
use qudao_erp_file::sheet::Bytes;
use qudao_erp_file::sheets;
use std::sync::LazyLock;

static VECTORS: LazyLock<Vec<Vector>> = LazyLock::new(vectors);

/// Reads everything and lists the sheets; only that it ends matters.
fn survive(container: &Container, bytes: &dyn Bytes) -> usize {
    let (records, fault) = read(container, bytes);
    let listed = sheets::sheet_names(container.format, bytes).map_or(0, |names| names.len());
    records.len() + listed + usize::from(fault.is_some()) + sheets::identify(bytes).len()
}

#[test]
fn a_file_that_is_cut_off_gives_records_or_a_fault() {
    for vector in VECTORS.iter() {
        let whole = read(&vector.container, &vector.bytes);
        let step = (vector.bytes.len() / 40).max(1);
        for end in (0..vector.bytes.len()).step_by(step) {
            let cut = vector.bytes[..end].to_vec();
            let (records, fault) = read(&vector.container, &cut);
            assert!(
                records.len() <= whole.0.len(),
                "{} cut at {end} has more records than the whole",
                vector.name
            );
            let trailer =
                matches!(vector.container.format, Format::Delimited | Format::Fixed | Format::Jsonl);
            // Layouts that know their own end notice that it is missing.
            let tail = vector.bytes.len() - end;
            // The last sector of an .xls file is filled up, and a page may go on behind its table.
            let filling = if vector.container.format == Format::Xls { 512 } else { 64 };
            assert!(
                fault.is_some() || trailer || tail < filling,
                "{} cut at {end} of {} passes",
                vector.name,
                vector.bytes.len()
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn flipped_bytes_never_panic(
        which in any::<prop::sample::Index>(),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let vector = which.get(VECTORS.as_slice());
        let mut bytes = vector.bytes.clone();
        for (at, byte) in flips {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        survive(&vector.container, &bytes);
    }

    #[test]
    fn flipped_bytes_of_binary_headers_never_panic(
        which in any::<prop::sample::Index>(),
        flips in prop::collection::vec((0_usize..2048, any::<u8>()), 1..6),
    ) {
        let binary: Vec<_> = VECTORS.iter().filter(|vector| {
            matches!(vector.container.format, Format::Xls | Format::Xlsx | Format::Dbf)
        }).collect();
        let vector = which.get(&binary);
        let mut bytes = vector.bytes.clone();
        for (at, byte) in flips {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        survive(&vector.container, &bytes);
    }

    #[test]
    fn any_bytes_under_any_mapping_never_panic(
        which in any::<prop::sample::Index>(),
        bytes in prop::collection::vec(any::<u8>(), 0..2000),
    ) {
        survive(&which.get(VECTORS.as_slice()).container, &bytes);
    }

    #[test]
    fn any_markup_never_panics(
        which in any::<prop::sample::Index>(),
        parts in prop::collection::vec("(<|</|>|/>|tr|td|table|Row|Cell|Data|小票|行|\"|'|=| |&amp;|&#|;|<!--|-->|<!\\[CDATA\\[|\\]\\]>|<\\?xml|\\?>|rowspan|9)", 0..60),
    ) {
        let trees: Vec<_> = VECTORS.iter().filter(|vector| {
            matches!(vector.container.format, Format::Xml | Format::Spreadsheetml | Format::HtmlTable)
        }).collect();
        survive(&which.get(&trees).container, &format!("<html>{}", parts.concat()).into_bytes());
        survive(&which.get(&trees).container, &format!("<?xml version='1.0'?>{}", parts.concat()).into_bytes());
    }
}
