//! From a connector's folder to its component.

use crate::{Error, Toolchain, inspect, run};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::process::Command;
use wit_component::ComponentEncoder;

/// How connectors are compiled, the same inside the workspace and in a folder of its own. Names stay in, so that a panic has a place.
const PROFILE: [&str; 7] = [
    "profile.plugin.inherits='release'",
    "profile.plugin.opt-level=3",
    "profile.plugin.lto=true",
    "profile.plugin.codegen-units=1",
    "profile.plugin.panic='abort'",
    "profile.plugin.debug=false",
    "profile.plugin.strip='debuginfo'",
];

/// A component on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// Name of the connector: its folder's.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// Its size.
    pub size_bytes: u64,
    /// Whether it is another one than before.
    pub changed: bool,
}

/// Builds the connector in `folder` and leaves `<out>/<folder name>.wasm`.
///
/// `out` is `target/plugins` of the connector's workspace where it is `None`. What has not changed is not built again: cargo
/// decides that for the module, and a component is made only of other bytes than last time.
pub fn component(
    folder: &Path,
    out: Option<&Path>,
    toolchain: Toolchain,
    progress: &mut dyn FnMut(&str),
) -> Result<Built, Error> {
    let package = Package::of(folder)?;
    let target = package.target.join(toolchain.folder());
    let mut cargo = toolchain.cargo_build();
    cargo.current_dir(folder).args(["--profile", "plugin", "--package", &package.name, "--lib"]);
    cargo.arg("--target-dir").arg(&target);
    for setting in PROFILE {
        cargo.args(["--config", setting]);
    }
    run::streamed(&mut cargo, progress)?;
    let module = target.join(crate::TARGET).join("plugin").join(format!("{}.wasm", package.library));
    let out = out.map_or_else(|| package.target.join("plugins"), Path::to_owned);
    place(&module, &out, &package.connector, progress)
}

/// Makes a component of a module's bytes; the result is validated.
pub fn componentise(module: &[u8]) -> Result<Vec<u8>, Error> {
    let failed = |error: &dyn std::fmt::Display| Error::Componentise(format!("{error:#}"));
    let mut encoder = ComponentEncoder::default();
    encoder.validate(true);
    encoder.module(module).map_err(|error| failed(&error))?;
    encoder.encode().map_err(|error| failed(&error))
}

fn place(module: &Path, out: &Path, name: &str, progress: &mut dyn FnMut(&str)) -> Result<Built, Error> {
    let bytes = std::fs::read(module).map_err(|source| file("read", module, source))?;
    let path = out.join(format!("{name}.wasm"));
    // Which module the component was made of, and by which version of this crate.
    let stamp = out.join(format!("{name}.wasm.from"));
    let made_of = format!(
        "{} {}\n",
        data_encoding::HEXLOWER.encode(&Sha256::digest(&bytes)),
        env!("CARGO_PKG_VERSION")
    );
    let fresh = path.is_file() && std::fs::read_to_string(&stamp).is_ok_and(|before| before == made_of);
    if !fresh {
        progress(&format!("making {}", path.display()));
        std::fs::create_dir_all(out).map_err(|source| file("create", out, source))?;
        replace(&path, &connector(&bytes)?)?;
        replace(&stamp, made_of.as_bytes())?;
    }
    let size_bytes = std::fs::metadata(&path).map_err(|source| file("read", &path, source))?.len();
    Ok(Built { name: name.to_owned(), path, size_bytes, changed: !fresh })
}

/// A component that can be asked what it is. Without the macro a library makes an empty one, which nobody would miss until then.
fn connector(module: &[u8]) -> Result<Vec<u8>, Error> {
    let component = componentise(module)?;
    let described = |name: &String| name.starts_with("qudao:connector/describe@");
    if inspect(&component)?.exports.iter().any(described) {
        return Ok(component);
    }
    Err(Error::Componentise("it exports nothing".to_owned()))
}

/// A running gateway may have the file mapped, so it is never written in place.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let new = path.with_added_extension(format!("new{}", std::process::id()));
    std::fs::write(&new, bytes).map_err(|source| file("write", &new, source))?;
    std::fs::rename(&new, path).map_err(|source| file("replace", path, source))
}

fn file(doing: &'static str, path: &Path, source: std::io::Error) -> Error {
    Error::File { doing, path: path.to_owned(), source }
}

/// What cargo knows of the folder.
struct Package {
    connector: String,
    name: String,
    library: String,
    target: PathBuf,
}

impl Package {
    fn of(folder: &Path) -> Result<Package, Error> {
        let not = |text: &str| Error::NotAConnector { folder: folder.to_owned(), text: text.to_owned() };
        let manifest = folder.join("Cargo.toml").canonicalize();
        let manifest =
            manifest.map_err(|_| not("has no Cargo.toml; `qudao plugin new NAME` makes a connector"))?;
        let connector = manifest.parent().and_then(Path::file_name).ok_or_else(|| not("has no name"))?;
        let mut cargo = Command::new("cargo");
        cargo.args(["metadata", "--no-deps", "--format-version", "1", "--manifest-path"]).arg(&manifest);
        let metadata: Value = serde_json::from_str(&run::asked(&mut cargo)?)
            .map_err(|error| not(&format!("cargo metadata is not JSON: {error}")))?;
        let packages = metadata.get("packages").and_then(Value::as_array).into_iter().flatten();
        let package = packages
            .into_iter()
            .find(|package| text(package, "manifest_path").is_some_and(|path| Path::new(path) == manifest))
            .ok_or_else(|| not("is a workspace, not a package"))?;
        let library = package.get("targets").and_then(Value::as_array).into_iter().flatten();
        let library =
            library.into_iter().find(|target| is_cdylib(target)).and_then(|target| text(target, "name"));
        Ok(Package {
            connector: connector.to_string_lossy().into_owned(),
            name: text(package, "name").unwrap_or_default().to_owned(),
            library: library
                .ok_or_else(|| not("its Cargo.toml needs `[lib] crate-type = [\"cdylib\", \"rlib\"]`"))?
                .replace('-', "_"),
            target: PathBuf::from(text(&metadata, "target_directory").unwrap_or("target")),
        })
    }
}

fn is_cdylib(target: &Value) -> bool {
    let kinds = target.get("crate_types").and_then(Value::as_array).into_iter().flatten();
    kinds.into_iter().any(|kind| kind == "cdylib")
}

fn text<'a>(value: &'a Value, member: &str) -> Option<&'a str> {
    value.get(member).and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_without_the_macro_is_not_a_connector() {
        let error = connector(b"\0asm\x01\0\0\0").unwrap_err().to_string();
        assert!(error.ends_with("does its lib.rs end with `qudao_sdk::export!(…)`?"), "{error}");
    }

    #[test]
    fn a_file_is_replaced_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kuaishou.wasm");
        for bytes in [&b"one"[..], b"two"] {
            replace(&path, bytes).unwrap();
            assert_eq!(std::fs::read(&path).unwrap(), bytes);
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }
}
