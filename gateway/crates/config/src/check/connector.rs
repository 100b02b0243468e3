//! The component that a channel names: found on disk, or the places where it was looked for.

use std::path::{Path, PathBuf};

use super::Check;
use crate::suggest::nearest;

/// Where components lie beside the configuration, `{}` standing for the name; the first that exists counts.
const PLACES: &[&str] = &["plugins/{}.wasm", "plugins/{}/{}.wasm", "target/plugins/{}.wasm"];
/// Where they lie beside the program, looked at last: `bin/qudao` with `plugins/`, and a build with `target/plugins/`.
const PROGRAM_PLACES: &[&str] = &["plugins/{}.wasm", "../plugins/{}.wasm"];

impl Check<'_> {
    pub(super) fn connector(&mut self, pointer: &str, written: &str) {
        if written.is_empty() {
            return; // the schema says so
        }
        let extension = Path::new(written).extension();
        let wasm = extension.is_some_and(|extension| extension.eq_ignore_ascii_case("wasm"));
        if wasm || written.contains(['/', '\\']) {
            self.component_file(pointer, written, wasm);
        } else {
            self.component_name(pointer, written);
        }
    }

    fn component_file(&mut self, pointer: &str, written: &str, wasm: bool) {
        let path = self.document.folder().join(written);
        let finding = if !wasm {
            self.at(pointer, "connector_missing", format!("`{written}` is neither a name nor a `.wasm` file"))
                .hint("write the connector's name, such as `example-pay`, or the path of its component")
        } else if path.is_dir() {
            self.at(pointer, "connector_missing", format!("`{written}` is a folder, not a component"))
                .hint("name the `.wasm` file in it")
        } else if path.is_file() {
            self.outcome.components.insert(pointer.to_owned(), path);
            return;
        } else {
            let sibling = path.parent().map(|folder| names_in(folder, false)).unwrap_or_default();
            let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
            let finding =
                self.at(pointer, "connector_missing", format!("there is no file `{}`", path.display()));
            match nearest(&stem, sibling.iter().map(String::as_str)) {
                Some(near) => finding.hint(format!(
                    "did you mean `{}`?",
                    Path::new(written).with_file_name(format!("{near}.wasm")).display()
                )),
                None => {
                    finding.hint("paths are relative to this file; `qudao plugin build` makes the component")
                }
            }
        };
        self.add(finding);
    }

    fn component_name(&mut self, pointer: &str, name: &str) {
        let folder = self.document.folder();
        let program = self.env.program_folder();
        let beside_file = PLACES.iter().map(|place| folder.join(place.replace("{}", name)));
        let beside_program = program
            .iter()
            .flat_map(|program| PROGRAM_PLACES.iter().map(|place| program.join(place.replace("{}", name))));
        let places: Vec<PathBuf> = beside_file.chain(beside_program).collect();
        if let Some(found) = places.iter().find(|place| place.is_file()) {
            self.outcome.components.insert(pointer.to_owned(), found.clone());
            return;
        }
        let shown = places.iter().take(PLACES.len()).map(|place| place.display().to_string());
        let mut looked = shown.collect::<Vec<_>>().join(", ");
        if program.is_some() {
            looked.push_str(" and in `plugins` beside the program");
        }
        let finding = self.at(pointer, "connector_missing", format!("there is no connector `{name}`"));
        let source = folder.join("plugins").join(name);
        if source.join("Cargo.toml").is_file() {
            self.add(finding.hint(format!(
                "its source is in {}; `cargo xtask plugins` builds it. Looked for {looked}",
                source.display()
            )));
            return;
        }
        let mut known = names_in(&folder.join("plugins"), true);
        known.extend(names_in(&folder.join("target/plugins"), false));
        let finding = match nearest(name, known.iter().map(String::as_str)) {
            Some(near) => finding.hint(format!("did you mean `{near}`? Looked for {looked}")),
            None => finding.hint(format!("looked for {looked}")),
        };
        self.add(finding);
    }
}

/// Names of components in a folder; with `sources`, folders count too.
fn names_in(folder: &Path, sources: bool) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == "wasm") || (sources && path.is_dir()))
        .filter_map(|path| path.file_stem().map(|stem| stem.to_string_lossy().into_owned()))
        .collect();
    names.sort();
    names.dedup();
    names
}
