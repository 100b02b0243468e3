//! What `plugin new` copies: the example connector, under another name, and where there is no checkout the SDK itself.
//!
//! Both are put into this program when it is built, so that they are of the same version and need no network. The
//! example is compiled and tested with the workspace like every other crate; only its Cargo.toml is written anew.

use include_dir::{Dir, DirEntry, include_dir};
use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::Path,
};

static EXAMPLE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../examples/hello-connector");
static SDK: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../sdk/rust");
static WIT: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../sdk/wit");
static MODEL: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../sdk/model");
static KEYS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../sdk/keys");
/// Versions of what the SDK depends on, and the lints that its crates name.
const WORKSPACE: &str = include_str!("../../../../Cargo.toml");
/// The versions that this build was tested with.
pub(super) const LOCK: &str = include_str!("../../../../Cargo.lock");

/// Names that the example has and a copy must not keep.
pub(super) struct Names {
    /// `kuaishou`, `my-shop`.
    pub(super) name: String,
    /// `Kuaishou`, `MyShop`.
    pub(super) type_name: String,
    /// `qudao_kuaishou`, `qudao_my_shop`.
    pub(super) library: String,
}

impl Names {
    /// Names made of the connector's.
    pub(super) fn of(name: &str) -> Names {
        let type_name = name.split('-').flat_map(|word| {
            let (first, rest) = word.split_at_checked(1).unwrap_or_default();
            [first.to_uppercase(), rest.to_owned()]
        });
        Names {
            name: name.to_owned(),
            type_name: type_name.collect(),
            library: format!("qudao_{}", name.replace('-', "_")),
        }
    }

    fn rename(&self, text: &str) -> String {
        text.replace("qudao_hello", &self.library)
            .replace("HELLO_", &format!("{}_", self.name.replace('-', "_").to_uppercase()))
            .replace("Hello", &self.type_name)
            .replace("hello", &self.name)
    }
}

/// Writes the example under other names, all but its Cargo.toml.
pub(super) fn example(to: &Path, names: &Names) -> io::Result<()> {
    files(&EXAMPLE, &mut |path, bytes| {
        if path == Path::new("Cargo.toml") || path.starts_with("target") || path == Path::new("Cargo.lock") {
            return Ok(());
        }
        let renamed = str::from_utf8(bytes).map(|text| names.rename(text));
        write(&to.join(path), renamed.as_ref().map_or(bytes, |text| text.as_bytes()))
    })
}

/// Writes the SDK as a workspace of its own.
pub(super) fn sdk(to: &Path) -> io::Result<()> {
    for (folder, dir) in [("sdk/rust", &SDK), ("sdk/wit", &WIT), ("sdk/model", &MODEL), ("sdk/keys", &KEYS)] {
        files(dir, &mut |path, bytes| write(&to.join(folder).join(path), bytes))?;
    }
    write(&to.join("Cargo.toml"), sdk_workspace().as_bytes())
}

/// The workspace's Cargo.toml with the SDK's crates as its only members.
fn sdk_workspace() -> String {
    let members = "members = [\"sdk/rust\", \"sdk/model\", \"sdk/keys\"]";
    let (before, rest) = WORKSPACE.split_once("members = [").unwrap_or((WORKSPACE, "]"));
    let (_, after) = rest.split_once(']').unwrap_or_default();
    let kept = after.lines().filter(|line| !line.starts_with("exclude = "));
    format!("{before}{members}{}\n", kept.collect::<Vec<_>>().join("\n"))
}

/// The version range of a dependency, as the workspace has it.
pub(super) fn dependency(name: &str) -> String {
    let start = format!("{name} = ");
    let line = WORKSPACE.lines().find(|line| line.starts_with(&start));
    line.map_or_else(|| format!("{name} = \"*\""), str::to_owned)
}

/// Every file but hidden ones: what editors and test tools leave lying about is no source.
fn files(dir: &Dir<'_>, each: &mut dyn FnMut(&Path, &[u8]) -> io::Result<()>) -> io::Result<()> {
    for entry in dir.entries() {
        match entry {
            DirEntry::Dir(inner) => files(inner, each)?,
            DirEntry::File(file) => {
                let name = file.path().file_name().unwrap_or_default().to_string_lossy();
                if !name.starts_with('.') {
                    each(file.path(), file.contents())?;
                }
            }
        }
    }
    Ok(())
}

/// Writes a new file and the folders above it.
pub(super) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    OpenOptions::new().write(true).create_new(true).open(path)?.write_all(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_where_they_stand() {
        let names = Names::of("my-shop");
        let text = names.rename("qudao_hello::Hello of `hello` with HELLO_SECRET");
        assert_eq!(text, "qudao_my_shop::MyShop of `my-shop` with MY_SHOP_SECRET");
    }

    #[test]
    fn the_workspace_of_the_sdk_has_its_members_only() {
        let text = sdk_workspace();
        assert!(text.contains("members = [\"sdk/rust\", \"sdk/model\", \"sdk/keys\"]\n"), "{text}");
        assert!(!text.contains("gateway/crates/*") && !text.contains("exclude"), "{text}");
        assert!(text.contains("[workspace.lints.clippy]") && text.contains("serde_json = "), "{text}");
    }
}
