//! Builds the program anew when what `qudao plugin new` carries in it has changed: rustc sees only the macro, not the folders.

#[allow(clippy::print_stdout, reason = "this is how a build script talks to cargo")]
fn main() {
    for carried in ["../sdk", "../examples/hello-connector", "../Cargo.toml", "../Cargo.lock"] {
        println!("cargo::rerun-if-changed={carried}");
    }
}
