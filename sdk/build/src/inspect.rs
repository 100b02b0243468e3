//! What a component imports and exports, read from its bytes without running it.

use crate::Error;
use wasmparser::{BinaryReaderError, Encoding, Parser, Payload, ProducersSectionReader};

/// What stands in a component. Imports are the whole of what it can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// Interfaces it uses, as `package:name/interface@version`, in the order they stand.
    pub imports: Vec<String>,
    /// Interfaces it offers.
    pub exports: Vec<String>,
    /// Size of the component.
    pub size_bytes: usize,
    /// Who made it: languages, compilers, tools. Sorted, each once.
    pub producers: Vec<Producer>,
}

/// One line of a producers section.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Producer {
    /// `language`, `processed-by`, `sdk`.
    pub field: String,
    /// E.g. `rustc`.
    pub name: String,
    /// May be empty.
    pub version: String,
}

/// Looks into a component.
///
/// ```
/// let error = qudao_build::inspect(b"\0asm\x01\0\0\0").unwrap_err();
/// assert_eq!(error.to_string(), "is a core module, not a component: `qudao plugin build` makes one");
/// ```
#[allow(clippy::wildcard_enum_match_arm, reason = "a section of another kind is none of ours, now or later")]
pub fn inspect(bytes: &[u8]) -> Result<Inspection, Error> {
    let mut found = Inspection {
        imports: Vec::new(),
        exports: Vec::new(),
        size_bytes: bytes.len(),
        producers: Vec::new(),
    };
    // Imports and exports count at the outermost level only; inside, modules import from each other.
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(broken)? {
            Payload::Version { encoding: Encoding::Module, .. } if depth == 0 => {
                let text = "is a core module, not a component: `qudao plugin build` makes one";
                return Err(Error::NotAComponent(text.to_owned()));
            }
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    found.imports.push(import.map_err(broken)?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section {
                    found.exports.push(export.map_err(broken)?.name.name.to_owned());
                }
            }
            Payload::CustomSection(section) => {
                if let wasmparser::KnownCustom::Producers(producers) = section.as_known() {
                    found.producers.extend(read_producers(producers)?);
                }
            }
            _ => {}
        }
    }
    found.producers.sort();
    found.producers.dedup();
    Ok(found)
}

fn read_producers(section: ProducersSectionReader<'_>) -> Result<Vec<Producer>, Error> {
    let mut lines = Vec::new();
    for field in section {
        let field = field.map_err(broken)?;
        for value in field.values {
            let value = value.map_err(broken)?;
            lines.push(Producer {
                field: field.name.to_owned(),
                name: value.name.to_owned(),
                version: value.version.to_owned(),
            });
        }
    }
    Ok(lines)
}

#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
fn broken(error: BinaryReaderError) -> Error {
    Error::NotAComponent(format!("is not WebAssembly: {error}"))
}
