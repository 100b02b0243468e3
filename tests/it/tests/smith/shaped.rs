//! Components that look like connectors: exactly the imports and exports of our world, a manifest that passes, and code that
//! nobody wrote. wasm-smith makes the module to a shape; then the functions without which it would never be called (what it
//! says of itself, room for arguments, the start) are, mostly, replaced by ones that work.

use crate::chance::Chance;
use arbitrary::Unstructured;
use std::{collections::BTreeMap, path::Path, sync::OnceLock};
use wasm_encoder::{
    CodeSection, Function, InstructionSink, MemArg, MemArgTarget, MemorySection, Module, RefType, SectionId,
    TableSection, TableType,
    reencode::{Error, Reencode, utils},
};
use wasm_smith::Config;
use wasmparser::{ExternalKind, FunctionBody, MemorySectionReader, Parser, Payload, TypeRef};
use wit_component::{ComponentEncoder, StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{ManglingAndAbi, Resolve, UnresolvedPackageGroup, WorldId};

const WORLD: &str = "package qudao:smith; world smith { include qudao:connector/imports@1.0.0; \
                     export qudao:connector/describe@1.0.0; export qudao:connector/webhook@1.0.0; }";
const MANIFEST: &str = r#"{"name":"smith","version":"0.1.0","description":"Nobody wrote it.","settings_schema":{"type":"object"},"secrets":[{"name":"mac","kind":"hmac_sha256","description":"Any text."}]}"#;
/// What a connector says of itself.
pub(crate) const DESCRIBE: &str = "qudao:connector/describe@1.0.0#manifest";
/// What it says of a request.
pub(crate) const HANDLE: &str = "qudao:connector/webhook@1.0.0#handle";
/// What runs after the host has read what it said.
pub(crate) const AFTER: &str = "cabi_post_qudao:connector/webhook@1.0.0#handle";
/// Room for arguments.
pub(crate) const REALLOC: &str = "cabi_realloc";
/// What runs first.
pub(crate) const START: &str = "_initialize";
/// Pages that a module has from the start.
const PAGES: u64 = 8;
/// Where the manifest is written.
const MANIFEST_AT: i32 = 1024;
/// Where its place and length are written, then what was given out of memory.
pub(crate) const RETURNED_AT: i32 = 16;
const GIVEN_AT: i32 = 8;
/// Where memory is given from.
const FREE_FROM: i32 = 64 << 10;
const DNA_BYTES: usize = 8 << 10;

/// Our world, and a module of its shape without any code.
struct Shape {
    resolve: Resolve,
    world: WorldId,
    /// Without memory worth the name.
    empty: Vec<u8>,
    /// With some.
    module: Vec<u8>,
}

/// A connector of our world, made by hand with something wrong with it.
pub(crate) struct ByHand {
    /// Of memory, from the start.
    pub(crate) pages: u64,
    /// Elements of a table, from the start.
    pub(crate) elements: u64,
    /// Exported functions that are not as they should be.
    pub(crate) bodies: Vec<(&'static str, Function)>,
}

impl Default for ByHand {
    fn default() -> ByHand {
        ByHand { pages: PAGES, elements: 1, bodies: Vec::new() }
    }
}

impl ByHand {
    pub(crate) fn component(self) -> Vec<u8> {
        let shape = shape();
        let (module, functions) = (self.module(&shape.empty), exported(&shape.empty));
        let mut replaced: BTreeMap<u32, Function> = BTreeMap::new();
        for (name, function) in functions {
            let mut bodies = self.bodies.iter();
            let wrong = bodies.find(|(wrong, _)| *wrong == name).map(|(_, body)| body.clone());
            let right = || match name.as_str() {
                DESCRIBE => Some(describing()),
                REALLOC => Some(giving()),
                name => (name == START || name.starts_with("cabi_post_")).then(nothing),
            };
            if let Some(body) = wrong.or_else(right) {
                replaced.insert(function, body);
            }
        }
        shape.encoded(with(&module, replaced))
    }

    /// The empty module with other bounds.
    fn module(&self, empty: &[u8]) -> Vec<u8> {
        let mut module = Module::new();
        let mut sized = Sized { pages: self.pages, elements: self.elements };
        sized.parse_core_module(&mut module, Parser::new(0), empty).unwrap();
        module.finish()
    }
}

/// A module of random code.
pub(crate) fn component(chance: &mut Chance) -> Vec<u8> {
    let shape = shape();
    let dna = chance.bytes(DNA_BYTES);
    let config = config(&shape.module, chance);
    let made = wasm_smith::Module::new(config, &mut Unstructured::new(&dna)).unwrap();
    shape.encoded(tamed(&made.to_bytes(), chance))
}

fn shape() -> &'static Shape {
    static SHAPE: OnceLock<Shape> = OnceLock::new();
    SHAPE.get_or_init(Shape::read)
}

/// Three of four use only what the engine has switched on; the rest anything, and may be refused for it.
fn config(shape: &[u8], chance: &mut Chance) -> Config {
    let any = chance.percent(25);
    Config {
        module_shape: Some(shape.to_vec()),
        disallow_traps: chance.percent(40),
        max_funcs: 60,
        max_data_segments: 0,
        max_memory32_bytes: 64 << 20,
        max_table_elements: if any { 1_000_000 } else { 1_000 },
        memory64_enabled: any,
        threads_enabled: any,
        gc_enabled: any,
        exceptions_enabled: any,
        relaxed_simd_enabled: any,
        wide_arithmetic_enabled: any,
        reference_types_enabled: any,
        compact_imports_enabled: false,
        ..Config::default()
    }
}

impl Shape {
    fn read() -> Shape {
        let mut resolve = Resolve::default();
        let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sdk/wit");
        resolve.push_path(wit).unwrap();
        let package = resolve.push_group(UnresolvedPackageGroup::parse("smith.wit", WORLD).unwrap()).unwrap();
        let world = resolve.select_world(&[package], Some("smith")).unwrap();
        let dummy = dummy_module(&resolve, world, ManglingAndAbi::Legacy(wit_parser::LiftLowerAbi::Sync));
        let module = ByHand::default().module(&dummy);
        Shape { resolve, world, empty: dummy, module }
    }

    fn encoded(&self, mut module: Vec<u8>) -> Vec<u8> {
        embed_component_metadata(&mut module, &self.resolve, self.world, StringEncoding::UTF8, false)
            .unwrap();
        ComponentEncoder::default().module(&module).unwrap().encode().unwrap()
    }
}

/// Gives a module a memory and a table.
struct Sized {
    pages: u64,
    elements: u64,
}

impl Reencode for Sized {
    type Error = std::convert::Infallible;

    fn parse_memory_section(
        &mut self,
        memories: &mut MemorySection,
        section: MemorySectionReader<'_>,
    ) -> Result<(), Error<Self::Error>> {
        for memory in section {
            let mut memory = self.memory_type(memory?)?;
            memory.minimum = self.pages;
            memories.memory(memory);
        }
        Ok(())
    }

    fn intersperse_section_hook(
        &mut self,
        module: &mut Module,
        _: Option<SectionId>,
        before: Option<SectionId>,
    ) -> Result<(), Error<Self::Error>> {
        if before == Some(SectionId::Memory) {
            let (element_type, minimum) = (RefType::FUNCREF, self.elements);
            let mut tables = TableSection::new();
            tables.table(TableType { element_type, table64: false, minimum, maximum: None, shared: false });
            module.section(&tables);
        }
        Ok(())
    }
}

/// The module with some functions replaced.
fn tamed(module: &[u8], chance: &mut Chance) -> Vec<u8> {
    let mut replaced = BTreeMap::new();
    for (name, function) in exported(module) {
        let with = match name.as_str() {
            DESCRIBE if chance.percent(95) => describing(),
            REALLOC if chance.percent(90) => giving(),
            START if chance.percent(85) => nothing(),
            name if name.starts_with("cabi_post_qudao:connector/describe") && chance.percent(95) => nothing(),
            _ => continue,
        };
        replaced.insert(function, with);
    }
    with(module, replaced)
}

/// The module with other bodies, by the place of the function.
fn with(module: &[u8], replaced: BTreeMap<u32, Function>) -> Vec<u8> {
    let mut out = Module::new();
    Replaced { replaced, at: 0 }.parse_core_module(&mut out, Parser::new(0), module).unwrap();
    out.finish()
}

/// Exported functions: name, and place among the module's own.
fn exported(module: &[u8]) -> Vec<(String, u32)> {
    let (mut imported, mut found) = (0, Vec::new());
    for payload in Parser::new(0).parse_all(module).map(Result::unwrap) {
        if let Payload::ImportSection(section) = &payload {
            let is_function = |ty| matches!(ty, TypeRef::Func(_) | TypeRef::FuncExact(_));
            let imports = section.clone().into_imports().map(Result::unwrap);
            imported = u32::try_from(imports.filter(|import| is_function(import.ty)).count()).unwrap();
        }
        if let Payload::ExportSection(section) = &payload {
            let exports = section.clone().into_iter().map(Result::unwrap);
            let functions = exports.filter(|export| export.kind == ExternalKind::Func);
            found.extend(functions.map(|export| (export.name.to_owned(), export.index)));
        }
    }
    found.into_iter().filter_map(|(name, index)| Some((name, index.checked_sub(imported)?))).collect()
}

/// Copies a module but for some functions.
struct Replaced {
    replaced: BTreeMap<u32, Function>,
    at: u32,
}

impl Reencode for Replaced {
    type Error = std::convert::Infallible;

    fn parse_function_body(
        &mut self,
        code: &mut CodeSection,
        body: FunctionBody<'_>,
    ) -> Result<(), Error<Self::Error>> {
        let at = self.at;
        self.at += 1;
        let Some(other) = self.replaced.remove(&at) else {
            return utils::parse_function_body(self, code, body);
        };
        code.function(&other);
        Ok(())
    }
}

pub(crate) fn at(offset: u64, align: u32) -> MemArg {
    MemArg { offset, align, target: MemArgTarget::Memory(0), ordering: None }
}

/// Writes the manifest into memory and says where it is.
fn describing() -> Function {
    let mut function = Function::new([]);
    let mut code = function.instructions();
    let mut padded = MANIFEST.as_bytes().to_vec();
    padded.resize(padded.len().next_multiple_of(8), b' ');
    for (chunk, offset) in padded.chunks_exact(8).zip((0_u64..).step_by(8)) {
        let eight = i64::from_le_bytes(chunk.try_into().unwrap());
        code.i32_const(MANIFEST_AT).i64_const(eight).i64_store(at(offset, 3));
    }
    let length = i32::try_from(MANIFEST.len()).unwrap();
    code.i32_const(RETURNED_AT).i32_const(MANIFEST_AT).i32_store(at(0, 2));
    code.i32_const(RETURNED_AT).i32_const(length).i32_store(at(4, 2));
    code.i32_const(RETURNED_AT).end();
    function
}

/// `cabi_realloc(old, old_size, align, size)` that gives memory and never takes it back.
fn giving() -> Function {
    const SIZE: u32 = 3;
    const PLACE: u32 = 4;
    let mut function = Function::new([(1, wasm_encoder::ValType::I32)]);
    let mut code: InstructionSink<'_> = function.instructions();
    code.i32_const(GIVEN_AT).i32_load(at(0, 2)).i32_const(FREE_FROM).i32_add().local_set(PLACE);
    // What is given is a multiple of eight, so that the next is aligned.
    code.i32_const(GIVEN_AT).i32_const(GIVEN_AT).i32_load(at(0, 2)).local_get(SIZE).i32_const(7).i32_add();
    code.i32_const(-8).i32_and().i32_add().i32_store(at(0, 2));
    code.local_get(PLACE).end();
    function
}

pub(crate) fn nothing() -> Function {
    let mut function = Function::new([]);
    function.instructions().end();
    function
}
