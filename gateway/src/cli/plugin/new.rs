//! `qudao plugin new`: a connector to start from.

use super::{
    checkout,
    copy::{self, Names},
};
use crate::{
    error::{Error, Exit},
    output::{Printer, style::HINT},
};
use clap::Args;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Longest name; it stands in file names, URLs and metrics.
const NAME_MAX: usize = 40;

/// Arguments of `plugin new`.
#[derive(Debug, Args)]
#[command(after_help = "\
Inside a checkout of qudao the connector uses its SDK, and under plugins/ it is part of its workspace. Anywhere else the \
SDK is written beside it (.qudao-sdk), so that nothing but Rust is needed.")]
pub(crate) struct New {
    /// Its name, as `connector:` in connectors.yaml will have it: lower-case letters, digits, single dashes
    #[arg(value_parser = name)]
    name: String,
    /// Folder to make it in [default: plugins of the nearest checkout, else .]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Where the SDK is, seen from the new connector.
enum Sdk {
    /// The connector is a member of the checkout's workspace.
    Member,
    /// In a checkout, at this path.
    Checkout(PathBuf),
    /// Written beside the connector.
    Beside,
}

impl New {
    pub(super) fn run(self, printer: &mut Printer) -> Result<Exit, Error> {
        let here = std::env::current_dir().map_err(Error::system("find the working folder"))?;
        let parent = self.parent(&here)?;
        let folder = parent.join(&self.name);
        if folder.exists() {
            return Err(Error::refused(format!(
                "{} is there already; nothing was written",
                folder.display()
            ))
            .hint("take another name, or another folder with --dir"));
        }
        let sdk = match checkout(&parent) {
            Some(root) if parent == root.join("plugins") => Sdk::Member,
            Some(root) => Sdk::Checkout(root),
            None => Sdk::Beside,
        };
        let names = Names::of(&self.name);
        write(&folder, &names, &sdk).map_err(Error::file("write the connector to", &folder))?;
        format(&folder);
        let shown = folder.strip_prefix(&here).unwrap_or(&folder);
        next_steps(printer, shown, &self.name)?;
        Ok(Exit::Done)
    }

    fn parent(&self, here: &Path) -> Result<PathBuf, Error> {
        let parent = match &self.dir {
            Some(dir) => dir.clone(),
            None => checkout(here).map_or_else(|| here.to_owned(), |root| root.join("plugins")),
        };
        fs::create_dir_all(&parent)
            .and_then(|()| parent.canonicalize())
            .map_err(Error::file("make the folder", &parent))
    }
}

fn name(text: &str) -> Result<String, String> {
    let words = text.split('-');
    let good = |word: &str| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    let starts = text.starts_with(|first: char| first.is_ascii_lowercase());
    if text.len() > NAME_MAX || !starts || !words.into_iter().all(good) {
        return Err(format!(
            "a name is lower-case letters, digits and single dashes, begins with a letter and has at most {NAME_MAX} characters"
        ));
    }
    Ok(text.to_owned())
}

fn write(folder: &Path, names: &Names, sdk: &Sdk) -> std::io::Result<()> {
    copy::example(folder, names)?;
    copy::write(&folder.join("Cargo.toml"), manifest(names, sdk).as_bytes())?;
    if let Sdk::Member = sdk {
        return Ok(());
    }
    copy::write(&folder.join(".gitignore"), b"/target/\n")?;
    // The versions that the gateway was tested with; cargo drops what the connector does not use.
    copy::write(&folder.join("Cargo.lock"), copy::LOCK.as_bytes())?;
    if let Sdk::Beside = sdk { copy::sdk(&folder.join(".qudao-sdk")) } else { Ok(()) }
}

/// Breaks lines anew, because the name has another length than the example's. A machine without rustfmt has it as it is.
fn format(folder: &Path) {
    let sources = ["src/lib.rs", "tests/fixtures.rs"].map(|file| folder.join(file));
    let quiet = Command::new("rustfmt").args(["--edition", "2024"]).args(sources).output();
    drop(quiet);
}

fn manifest(names: &Names, sdk: &Sdk) -> String {
    let name = &names.name;
    let head = |workspace: &str, package: &str| {
        format!(
            "{workspace}[package]\nname = \"qudao-{name}\"\ndescription = \"Connector for {name}\"\n{package}"
        )
    };
    let lib = "\n[lib]\ncrate-type = [\"cdylib\", \"rlib\"]\n";
    let path = match sdk {
        Sdk::Member => {
            let inherited = ["version", "edition", "rust-version", "license", "publish"]
                .map(|member| format!("{member}.workspace = true\n"))
                .concat();
            let head = head("", &inherited);
            return format!(
                "{head}\n[lints]\nworkspace = true\n{lib}\n[dependencies]\nqudao-sdk.workspace = true\n\
                 serde.workspace = true\nserde_json.workspace = true\n"
            );
        }
        Sdk::Checkout(root) => root.join("sdk/rust").display().to_string(),
        Sdk::Beside => ".qudao-sdk/sdk/rust".to_owned(),
    };
    let package = "version = \"0.1.0\"\nedition = \"2024\"\npublish = false\n";
    let head = head(
        "# A workspace of its own: what stands in the folders above does not matter.\n[workspace]\nexclude = [\".qudao-sdk\"]\n\n",
        package,
    );
    let (serde, serde_json) = (copy::dependency("serde"), copy::dependency("serde_json"));
    format!("{head}{lib}\n[dependencies]\nqudao-sdk = {{ path = {path:?} }}\n{serde}\n{serde_json}\n")
}

fn next_steps(printer: &mut Printer, folder: &Path, name: &str) -> Result<(), Error> {
    let shown = folder.display();
    printer.line(format_args!("wrote {shown}: a connector that compiles and whose fixtures pass"))?;
    printer.next(format_args!(
        "\nNext:\n  {HINT}qudao plugin test {shown}{HINT:#}   builds the component and takes it through its fixtures\n  \
         then make src/wire.rs, src/map.rs and src/lib.rs those of your platform; README.md there says how,\n  \
         and write a channel with `connector: {name}` into connectors.yaml"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_file_names_and_urls_take() {
        for good in ["kuaishou", "my-shop", "shop2"] {
            assert_eq!(name(good).as_deref(), Ok(good));
        }
        for bad in ["", "-a", "a-", "a--b", "A", "2go", "a_b", "a/b", "..", "商店", &"a".repeat(41)] {
            assert!(name(bad).is_err(), "{bad:?}");
        }
    }
}
