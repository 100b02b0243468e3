//! Files of legacy ERPs and tills, read by a mapping that people write instead of code.
//!
//! `sheet` and `sheets` turn bytes into records: text with delimiters or byte columns, workbooks, DBF, XML, JSON lines, HTML.
//! `mapping` says what they mean, `rows` reads them by it, `sniff` proposes a mapping for a file that nobody has described.
//! The gateway keeps the bytes, the past and the decision; here a file is read from its first byte to its last, and what it
//! holds is told as it is found. What surprises: memory does not grow with the file, but for some bytes a row where rows
//! have a key.

pub mod mapping;
pub mod rows;
pub mod sheet;
pub mod sheets;
pub mod sniff;

mod channel;

pub use channel::{ErpFile, Settings};

qudao_sdk::export!(ErpFile: file);
