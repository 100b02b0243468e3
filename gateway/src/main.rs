//! qudao.
fn main() {}
