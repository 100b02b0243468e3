//! Where components come from.

use crate::{chance::Chance, shaped};
use arbitrary::Unstructured;
use std::sync::OnceLock;
use wasm_smith::Config;

/// Random bytes that a component is made of. More makes larger ones, which only take longer to compile.
const DNA_BYTES: usize = 6 << 10;
/// A component's own sections, behind the modules in it, are at its end; there changes cost no compilation.
const TAIL_BYTES: usize = 12 << 10;

/// How a component is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Any component that is valid.
    Random,
    /// Imports and exports of a connector, a manifest, and random code.
    Shaped,
    /// A real connector with a few bytes changed, or cut off.
    Changed,
}

/// One component's bytes.
pub(crate) fn component(origin: Origin, chance: &mut Chance) -> Vec<u8> {
    match origin {
        Origin::Random => random(chance),
        Origin::Shaped => shaped::component(chance),
        Origin::Changed => changed(chance),
    }
}

fn random(chance: &mut Chance) -> Vec<u8> {
    let dna = chance.bytes(DNA_BYTES);
    // Half of them use only what the engine has switched on.
    let any = chance.percent(50);
    let config = Config {
        max_modules: 3,
        max_funcs: 20,
        memory64_enabled: any,
        threads_enabled: any,
        gc_enabled: any,
        exceptions_enabled: any,
        reference_types_enabled: any,
        relaxed_simd_enabled: any,
        wide_arithmetic_enabled: any,
        ..Config::default()
    };
    let made = wasm_smith::Component::new(config, &mut Unstructured::new(&dna)).unwrap();
    made.to_bytes()
}

fn changed(chance: &mut Chance) -> Vec<u8> {
    static REAL: OnceLock<Vec<u8>> = OnceLock::new();
    let real = || std::fs::read(qudao_kit::component("wechat-pay")).unwrap();
    let mut wasm = REAL.get_or_init(real).clone();
    let end = wasm.len();
    match chance.below(20) {
        // What still is valid has to be compiled, which takes a second: so few of these.
        0 => change(&mut wasm, 0, end, chance),
        1..5 => wasm.truncate(chance.below(end)),
        5..12 => change(&mut wasm, 0, 256, chance),
        _ => change(&mut wasm, end - TAIL_BYTES, end, chance),
    }
    wasm
}

/// Changes one to four bytes, by a bit or wholly.
fn change(wasm: &mut [u8], from: usize, to: usize, chance: &mut Chance) {
    for _ in 0..=chance.below(4) {
        let at = from + chance.below(to - from);
        wasm[at] = if chance.percent(50) { wasm[at] ^ (1 << chance.below(8)) } else { chance.bytes(1)[0] };
    }
}
