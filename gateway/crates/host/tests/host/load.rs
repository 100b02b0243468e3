//! What is not a connector is refused when it is loaded, with a text that says why.

use super::zoo::{host, wasm, zoo};

async fn check(wasm: &[u8], expect: &str) {
    let text = host().load(wasm.to_vec()).await.map(|_| ()).unwrap_err().to_string();
    assert!(text.contains(expect), "{text:?} does not contain {expect:?}");
}

/// A component that does nothing but import one interface with one function, `x`.
fn importing(name: &str) -> Vec<u8> {
    let mut wasm = b"\0asm\x0d\0\x01\0".to_vec();
    // Section of types: one, an instance of a function's type and an export of it.
    wasm.extend([7, 14, 1, 0x42, 2, 1, 0x40, 0, 1, 0, 4, 0, 1, b'x', 1, 0]);
    // Section of imports: one, a plain name, that instance.
    let mut import = vec![1, 0, u8::try_from(name.len()).unwrap()];
    import.extend(name.as_bytes());
    import.extend([5, 0]);
    wasm.extend([10, u8::try_from(import.len()).unwrap()]);
    wasm.extend(import);
    wasm
}

#[tokio::test]
async fn other_bytes_are_not_a_component() {
    check(b"", "the file is empty, not a WebAssembly component").await;
    check(b"#!/bin/sh\n", "the file is something else").await;
    check(b"\0asm\x01\0\0\0", "the file is a core module").await;
    check(b"\0asm\x0d\0\x01\0\xff", "cannot be compiled").await;
    let whole = wasm();
    check(&whole[..whole.len() / 2], "cannot be compiled").await;
    check(&vec![0; (64 << 20) + 1], "67108865 bytes, at most 67108864").await;
}

#[tokio::test]
async fn a_component_that_wants_wasi_is_refused_by_name() {
    check(
        &importing("wasi:cli/environment@0.2.6"),
        "imports wasi:cli/environment@0.2.6, which no connector has",
    )
    .await;
    check(&importing("other:thing/api"), "imports other:thing/api").await;
}

#[tokio::test]
async fn a_component_of_another_contract_is_refused() {
    check(&importing("qudao:connector/log@2.0.0"), "does not fit qudao:connector@1").await;
    check(&importing("qudao:connector/files@1.0.0"), "does not fit qudao:connector@1").await;
}

#[tokio::test]
async fn a_component_that_is_no_connector_is_refused() {
    check(b"\0asm\x0d\0\x01\0", "does not export qudao:connector/describe@1.0.0").await;
}

#[tokio::test]
async fn a_component_tells_what_it_is() {
    let zoo = zoo().await;
    assert_eq!((zoo.manifest().name.as_str(), zoo.manifest().version.as_str()), ("zoo", "0.1.0"));
    assert_eq!((zoo.digest().len(), zoo.size_bytes()), (64, wasm().len()));
    let exports = ["command", "describe", "file", "poll", "webhook"];
    assert_eq!(zoo.exports(), exports.map(|export| format!("qudao:connector/{export}@1.0.0")));
    let imports =
        ["types", "clock", "expectations", "http", "keys", "log", "random", "settings", "sink", "source"];
    for import in imports {
        let name = format!("qudao:connector/{import}@1.0.0");
        assert!(zoo.imports().contains(&name), "{name} not in {:?}", zoo.imports());
    }
    assert_eq!(zoo.imports().len(), imports.len());
}
