//! What a fuzzer once found stays mended, what it begins with is read as deeply as it should be, and a short blind run over
//! every target finds nothing.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a panic is a finding"
)]

use qudao_fuzz::blind::SLOW;
use qudao_fuzz::mutate::{Chance, mutate};
use qudao_fuzz::{Reached, TARGETS, Target, crashes, root, target};
use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, Instant};

/// Changed inputs of a target; the fuzzers themselves run millions.
const CHANGED: usize = 40;

/// Longest time for one input. Nothing is measured here: a fuzzer keeps an input that took it [`SLOW`] and promises that the
/// suite fails until that is mended. Its program is built for speed and this one is not, so what was slow there takes longer
/// here, and what is mended takes milliseconds; the rest is left for a machine with other work to do.
const PROMPT: Duration = Duration::from_secs(30);

/// Runs each of the target's findings, every so many of its seeds, and some changes to them.
fn hold(name: &str, understood: usize, every: usize) {
    let target = target(name).expect("a target");
    // First, because some make ready what inputs need.
    let seeds: Vec<(String, Vec<u8>)> = (target.seeds)().into_iter().step_by(every).collect();
    for entry in fs::read_dir(crashes(name)).into_iter().flatten() {
        let path = entry.expect("an entry").path();
        prompt(target, &path.display().to_string(), &fs::read(&path).expect("a finding"));
    }
    let reached = seeds.iter().map(|(seed, bytes)| prompt(target, seed, bytes));
    let deep = reached.filter(|reached| *reached == Reached::Understood).count();
    assert!(deep >= understood, "{name}: {deep} of {} seeds are understood", seeds.len());
    let seeds: Vec<Vec<u8>> = seeds.into_iter().map(|(_, bytes)| bytes).collect();
    let mut chance = Chance::new(1);
    for _ in 0..CHANGED / every {
        let from = &seeds[chance.below(seeds.len())];
        prompt(target, "a change", &mutate(from, &seeds, &mut chance, target.max_len as usize));
    }
}

/// Runs one input, which has to come back in time.
fn prompt(target: &Target, input: &str, bytes: &[u8]) -> Reached {
    let begun = Instant::now();
    let reached = (target.run)(bytes);
    let took = begun.elapsed();
    assert!(
        took < PROMPT,
        "{}: {input} took {took:?}, as what a fuzzer found to take over {SLOW:?}",
        target.name
    );
    reached
}

macro_rules! held {
    ($($name:ident $understood:literal of every $every:literal,)+) => {
        $(#[test] fn $name() { hold(stringify!($name), $understood, $every); })+

        /// Targets that a test holds.
        const HELD: &[&str] = &[$(stringify!($name)),+];
    };
}

// How many seeds are understood: less of them, and a fuzzer stands before a closed door.
held! {
    hook_wechat_pay 55 of every 1,
    hook_alipay 50 of every 1,
    hook_jddj 20 of every 1,
    hook_qimen 15 of every 1,
    ask_wechat_pay 10 of every 1,
    ask_alipay 6 of every 1,
    ask_tmall 60 of every 1,
    ask_jd 60 of every 1,
    ask_jddj 38 of every 1,
    erp_text 22 of every 2,
    erp_markup 8 of every 1,
    erp_workbook 18 of every 1,
    erp_sniff 9 of every 8,
    config 7 of every 1,
    mapping 70 of every 1,
    model 350 of every 1,
    fold 150 of every 1,
    guest 150 of every 1,
    api 230 of every 1,
    keys 10 of every 1,
}

#[test]
fn every_target_is_held_and_has_a_fuzzer() {
    let names = |targets: &[Target]| -> BTreeSet<String> {
        targets.iter().map(|target| target.name.to_owned()).collect()
    };
    let all = names(TARGETS);
    assert_eq!(all, HELD.iter().map(|name| (*name).to_owned()).collect());
    let manifest = fs::read_to_string(root().join("tests/fuzz/Cargo.toml")).unwrap();
    for name in &all {
        let body = fs::read_to_string(root().join(format!("tests/fuzz/fuzz_targets/{name}.rs"))).unwrap();
        assert!(body.contains(&format!("qudao_fuzz::{name}(data)")), "{name}");
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
    }
    let found = fs::read_dir(root().join("tests/fuzz/crashes")).into_iter().flatten();
    for folder in found.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()) {
        assert!(all.contains(&folder), "findings of a target that is gone: {folder}");
    }
}

#[test]
fn a_broken_parser_would_be_found() {
    let panics = |data: &[u8]| -> Reached {
        assert!(!data.windows(3).any(|three| three == b"\"\":" || three == b":-1"), "found");
        Reached::Understood
    };
    let seed = br#"{"total":100,"name":"a"}"#.to_vec();
    let mut chance = Chance::new(1);
    let found = (0..20_000).find(|_| {
        let input = mutate(&seed, std::slice::from_ref(&seed), &mut chance, 256);
        std::panic::catch_unwind(|| panics(&input)).is_err()
    });
    assert!(found.is_some());
}
