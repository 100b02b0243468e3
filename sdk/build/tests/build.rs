//! Components made of a module without code, which has every import and export of a world.
#![allow(clippy::unwrap_used, reason = "a test")]

use qudao_build::{Toolchain, component, componentise, inspect};
use std::fs;
use wit_component::{StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{LiftLowerAbi, ManglingAndAbi, Resolve};

/// The module of a connector that uses and exports all that `world` has.
fn module(world: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(concat!(env!("CARGO_MANIFEST_DIR"), "/../wit")).unwrap();
    let world = resolve.select_world(&[package], Some(world)).unwrap();
    let mut module = dummy_module(&resolve, world, ManglingAndAbi::Legacy(LiftLowerAbi::Sync));
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false).unwrap();
    module
}

#[test]
fn a_component_shows_what_it_can_do() {
    let bytes = componentise(&module("webhooks")).unwrap();
    let found = inspect(&bytes).unwrap();
    insta::assert_snapshot!(found.imports.join("\n"), @r#"
    qudao:connector/log@1.0.0
    qudao:connector/clock@1.0.0
    qudao:connector/random@1.0.0
    qudao:connector/settings@1.0.0
    qudao:connector/keys@1.0.0
    qudao:connector/types@1.0.0
    qudao:connector/http@1.0.0
    qudao:connector/expectations@1.0.0
    "#);
    insta::assert_snapshot!(found.exports.join("\n"), @"qudao:connector/webhook@1.0.0");
    assert_eq!(found.size_bytes, bytes.len());
    assert!(found.producers.iter().any(|producer| producer.name == "wit-component"), "{:?}", found.producers);
}

#[test]
fn the_least_component_imports_nothing() {
    let found = inspect(&componentise(&module("describes")).unwrap()).unwrap();
    assert_eq!(found.imports, Vec::<String>::new());
}

#[test]
fn says_what_is_not_a_component() {
    let check = |bytes: &[u8], expect: &str| {
        let error = inspect(bytes).unwrap_err().to_string();
        assert!(error.contains(expect), "{error}");
    };
    check(&module("webhooks"), "is a core module, not a component");
    check(b"#!/bin/sh", "is not WebAssembly");
    check(b"", "is not WebAssembly");
}

#[test]
fn says_what_a_folder_lacks() {
    let folder = tempfile::tempdir().unwrap();
    let build = || component(folder.path(), None, Toolchain::Installed, &mut |_| {}).unwrap_err().to_string();
    assert!(build().ends_with("has no Cargo.toml; `qudao plugin new NAME` makes a connector"), "{}", build());
    let manifest = folder.path().join("Cargo.toml");
    fs::write(&manifest, "[package]\nname = \"lonely\"\nedition = \"2024\"\n[lib]\npath = \"lib.rs\"\n")
        .unwrap();
    fs::write(folder.path().join("lib.rs"), "").unwrap();
    assert!(
        build().ends_with("its Cargo.toml needs `[lib] crate-type = [\"cdylib\", \"rlib\"]`"),
        "{}",
        build()
    );
    fs::write(&manifest, "[package\n").unwrap();
    assert!(build().contains("cargo metadata"), "{}", build());
}
