//! Builds connectors: finds a compiler for WebAssembly, runs cargo, turns the module into a component, looks into it.
//!
//! Used by `cargo xtask` and by `qudao plugin build/inspect`. It works for a connector inside a workspace and for one in a
//! folder of its own, and leaves the component at `<out>/<folder name>.wasm`, replaced by a rename, never written in place.
//! The compiler's own messages are passed on line by line, so that a person sees what takes so long.
//!
//! Surprising: two compilers may be on the machine (rustup's and Debian's); each has its own target folder, because cargo
//! would otherwise mix their libraries.

mod component;
mod error;
mod inspect;
mod run;
pub mod target;

pub use component::{Built, component, componentise};
pub use error::{Class, Error};
pub use inspect::{Inspection, Producer, inspect};
pub use target::Toolchain;

/// The target of connectors: no system interface, so that what is not imported does not exist.
pub const TARGET: &str = "wasm32-unknown-unknown";
