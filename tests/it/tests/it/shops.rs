//! Simulated shops beside a gateway; they live in the kit.

pub(crate) use qudao_kit::market::*;
