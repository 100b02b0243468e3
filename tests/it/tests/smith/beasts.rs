//! Components made instruction by instruction, for limits that no compiled language can reach: tables, memories and instances
//! by number, and the ways in which a guest can lie below the level of types. The zoo in tests/guests has the others.

use crate::{
    Caller,
    shaped::{AFTER, ByHand, DESCRIBE, HANDLE, REALLOC, RETURNED_AT, START, at},
};
use qudao_host::limits::{COMPONENT_BYTES, MANIFEST_BYTES};
use qudao_kit::{call, host};
use qudao_model::Verdict;
use wasm_encoder::{
    BlockType, Component, Function, HeapType, InstanceSection, InstructionSink, MemorySection, MemoryType,
    Module, ModuleArg, ModuleSection,
};

/// What loading it says, or else what calling it says.
async fn told(wasm: Vec<u8>) -> String {
    let component = match host().load(wasm).await {
        Ok(component) => component,
        Err(error) => return format!("not loaded: {error}"),
    };
    let who = Caller::plain();
    let connector = component.connect(who.grants()).unwrap();
    let called = connector.webhook(&who.request, call(who.now)).await;
    match called.verdict {
        Verdict::Accepted(_) | Verdict::Ignored(_) => called.verdict.as_str().to_owned(),
        Verdict::Rejected(refusal) | Verdict::Failed(refusal) => {
            format!("{}: {}", refusal.reason, refusal.explain)
        }
    }
}

async fn check(what: &str, wasm: Vec<u8>, expect: &str) {
    let told = told(wasm).await;
    assert!(told.contains(expect), "{what}: {told}");
    assert_eq!(host().metrics().in_use, 0, "{what}");
}

/// A connector, all right but for one function.
fn but(name: &'static str, write: impl FnOnce(&mut InstructionSink<'_>)) -> Vec<u8> {
    let mut function = Function::new([]);
    let mut code = function.instructions();
    write(&mut code);
    code.end();
    ByHand { bodies: vec![(name, function)], ..ByHand::default() }.component()
}

/// Runs for ever.
fn spin(code: &mut InstructionSink<'_>) {
    code.loop_(BlockType::Empty).br(0).end().unreachable();
}

/// So many instances, each with so many memories.
fn crowd(instances: u32, memories: u32) -> Vec<u8> {
    let mut section = MemorySection::new();
    for _ in 0..memories {
        section.memory(MemoryType {
            minimum: 1,
            maximum: None,
            memory64: false,
            shared: false,
            page_size_log2: None,
        });
    }
    let mut module = Module::new();
    module.section(&section);
    let mut all = InstanceSection::new();
    for _ in 0..instances {
        all.instantiate(0, Vec::<(&str, ModuleArg)>::new());
    }
    let mut component = Component::new();
    component.section(&ModuleSection(&module)).section(&all);
    component.finish()
}

#[tokio::test]
async fn a_good_one_made_by_hand_is_called() {
    // An answer of zeros only: an acceptance without a key.
    let zeros = but(HANDLE, |code| {
        code.i32_const(RETURNED_AT + 64);
    });
    check("zeros", zeros, "dedupe_key: must have 1 to 512 bytes").await;
}

#[tokio::test]
async fn what_is_too_large_or_too_many_is_not_loaded() {
    check("a large file", vec![0; COMPONENT_BYTES + 1], "not loaded: the component has 67108865 bytes").await;
    check("17 instances", crowd(17, 0), "not loaded: the component cannot be compiled").await;
    check("3 memories", crowd(1, 3), "not loaded: the component cannot be compiled").await;
    check("16 instances", crowd(16, 0), "does not export qudao:connector/describe").await;
    let memory = |pages| ByHand { pages, ..ByHand::default() }.component();
    check("a memory of 257 MiB", memory(257 * 16), "not loaded: the component cannot be compiled").await;
    check("a memory of 65 MiB", memory(65 * 16), "limit_memory").await;
    let table = |elements| ByHand { elements, ..ByHand::default() }.component();
    check("a table of 20,001", table(20_001), "not loaded: the component cannot be compiled").await;
    check("a table of 20,000", table(20_000), "limit_memory").await;
}

#[tokio::test]
async fn who_cannot_describe_itself_is_not_loaded() {
    let manifest = |place: i32, length: i32| {
        let write = move |code: &mut InstructionSink<'_>| {
            code.i32_const(RETURNED_AT).i32_const(place).i32_store(at(0, 2));
            code.i32_const(RETURNED_AT).i32_const(length).i32_store(at(4, 2)).i32_const(RETURNED_AT);
        };
        but(DESCRIBE, write)
    };
    let long = i32::try_from(MANIFEST_BYTES + 1).unwrap();
    check("endless", but(DESCRIBE, spin), "not loaded: the component cannot describe itself: limit_fuel")
        .await;
    check("an endless start", but(START, spin), "cannot describe itself: limit_fuel").await;
    check("no manifest", manifest(1024, 0), "not loaded: the manifest").await;
    check("a long manifest", manifest(1024, long), "it has 262145 bytes").await;
    check("from nowhere", manifest(-8, 100), "cannot describe itself: trap").await;
    check("to nowhere", manifest(1024, -1), "cannot describe itself: trap").await;
    let no_text = but(DESCRIBE, |code| {
        code.i32_const(1024).i32_const(-1).i32_store(at(0, 2));
        code.i32_const(RETURNED_AT).i32_const(1024).i32_store(at(0, 2));
        code.i32_const(RETURNED_AT).i32_const(4).i32_store(at(4, 2)).i32_const(RETURNED_AT);
    });
    check("no UTF-8", no_text, "cannot describe itself: trap").await;
}

#[tokio::test]
async fn lies_below_the_types_end_the_call() {
    let returning = |place: i32| {
        but(HANDLE, move |code| {
            code.i32_const(place);
        })
    };
    check("an answer from nowhere", returning(-4096), "trap").await;
    check("an answer across the end", returning(8 * 65_536 - 8), "trap").await;
    check("an answer that is not aligned", returning(1025), "trap").await;
    let none = but(HANDLE, |code| {
        code.i32_const(1024).i32_const(9).i32_store8(at(0, 0)).i32_const(1024);
    });
    check("an answer of no case", none, "trap").await;
    // Behind the discriminants of result and verdict come place and length of the key.
    let endless = but(HANDLE, |code| {
        code.i32_const(1024).i32_const(-1).i32_store(at(20, 2)).i32_const(1024);
    });
    check("a key of 4 GiB", endless, "trap").await;
    let give = |place: i32| {
        but(REALLOC, move |code| {
            code.i32_const(place);
        })
    };
    check("room that is not there", give(-16), "trap").await;
    check("no end of giving room", but(REALLOC, spin), "limit_fuel").await;
    check("no end after the answer", after(), "limit_fuel").await;
}

/// Answers zeros and does not come back from what follows.
fn after() -> Vec<u8> {
    let (mut handle, mut after) = (Function::new([]), Function::new([]));
    handle.instructions().i32_const(1024).end();
    let mut code = after.instructions();
    spin(&mut code);
    code.end();
    ByHand { bodies: vec![(HANDLE, handle), (AFTER, after)], ..ByHand::default() }.component()
}

#[tokio::test]
async fn tables_and_memories_do_not_grow_beyond_their_limits() {
    let grown = |elements: i32| {
        but(HANDLE, move |code| {
            code.ref_null(HeapType::FUNC).i32_const(elements).table_grow(0).drop().unreachable();
        })
    };
    check("a table grows by 20,000", grown(20_000), "table elements asked for, at most 20000").await;
    check("a table grows by 100", grown(100), "trap").await;
    let memory = but(HANDLE, |code| {
        code.i32_const(1024).memory_grow(0).drop().unreachable();
    });
    check("a memory grows by 64 MiB", memory, "bytes of memory asked for, at most 67108864").await;
}
