//! Components of our own connectors, built once per test process and shared through `target/plugins`.

use crate::root;
use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Mutex, OnceLock},
};

/// Path of the component of `plugins/<name>`; built when it is not there or its sources changed.
pub fn component(name: &str) -> PathBuf {
    static BUILT: OnceLock<Mutex<BTreeMap<String, PathBuf>>> = OnceLock::new();
    let mut built = BUILT.get_or_init(Mutex::default).lock().expect("a build does not panic");
    built
        .entry(name.to_owned())
        .or_insert_with(|| {
            let out = root().join("target/plugins").join(format!("{name}.wasm"));
            // `cargo xtask test` has built it already and says so; building again costs seconds a process.
            if std::env::var_os("QUDAO_COMPONENTS_BUILT").is_none() || !out.exists() {
                build(name, &out);
            }
            out
        })
        .clone()
}

/// The zoo of `tests/guests`: one component that misbehaves as its setting `mode` says.
pub fn zoo() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let make = || {
        let mut quiet = |_: &str| {};
        let (source, out) = (root().join("tests/guests/zoo"), root().join("target/zoo"));
        let toolchain = qudao_build::target::ensure(&mut quiet);
        let built = toolchain
            .and_then(|toolchain| qudao_build::component(&source, Some(&out), toolchain, &mut quiet));
        built.unwrap_or_else(|error| panic!("the zoo does not build: {error}")).path
    };
    BUILT.get_or_init(make).clone()
}

fn build(name: &str, out: &std::path::Path) {
    let mut quiet = |_: &str| {};
    let built = qudao_build::target::ensure(&mut quiet).and_then(|toolchain| {
        let folder = root().join("plugins").join(name);
        qudao_build::component(&folder, out.parent(), toolchain, &mut quiet)
    });
    if let Err(error) = built {
        panic!("plugins/{name} does not build: {error}");
    }
}
