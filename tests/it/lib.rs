//! Behaviour tests live in `tests/it`.
