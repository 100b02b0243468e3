//! Write a connector for qudao.
