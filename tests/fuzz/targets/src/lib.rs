//! What the fuzzers call: one function a target, from bytes to how far they came. A panic is a finding.
//!
//! The same bodies run under cargo-fuzz (the folder above), under the fuzzer of this crate's program, which needs no nightly
//! toolchain, and in the suite, which feeds them every fixture and every input that once was a finding (`../crashes`).
//! Signatures keep a fuzzer out of what lies behind them, so keys here believe everything ([`pretend`]).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::format_push_string,
    clippy::needless_for_each,
    clippy::ptr_arg,
    reason = "a panic is a finding; files are vectors, because that is what can be read by pieces"
)]

pub mod asks;
pub mod blind;
pub mod configuration;
pub mod erp;
#[cfg(feature = "gateway")]
pub mod folding;
#[cfg(feature = "gateway")]
pub mod guest;
pub mod hooks;
pub mod keys;
pub mod model;
pub mod mutate;
pub mod oracle;
pub mod parts;
pub mod pretend;
#[cfg(feature = "gateway")]
pub mod private;
pub mod seeds;

use pretend::World;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// How far an input came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reached {
    /// It has not the frame that the target wants.
    Nothing,
    /// It was refused in good order.
    Refused,
    /// It was read to its end.
    Understood,
}

/// One thing to fuzz.
pub struct Target {
    /// As on the command line.
    pub name: &'static str,
    /// What is fed, in a few words.
    pub about: &'static str,
    /// Runs one input.
    pub run: fn(&[u8]) -> Reached,
    /// Inputs to begin with, by name: made from the project's own fixtures.
    pub seeds: fn() -> Vec<(String, Vec<u8>)>,
    /// Longest input.
    pub max_len: u32,
}

macro_rules! worlds {
    ($($world:ident: $connector:ty, $folder:literal;)+) => {
        $(static $world: LazyLock<World> = LazyLock::new(|| World::of::<$connector>($folder));)+
    };
}

worlds! {
    WECHAT_PAY: qudao_wechat_pay::WechatPay, "wechat-pay";
    ALIPAY: qudao_alipay::Alipay, "alipay";
    TMALL: qudao_tmall::Tmall, "tmall";
    JD: qudao_jd::Jd, "jd";
    JDDJ: qudao_jddj::Jddj, "jddj";
    QIMEN: qudao_qimen::Qimen, "qimen";
}

macro_rules! targets {
    ($($(#[$when:meta])* $name:ident, $max_len:literal, $about:literal, $run:expr, $seeds:expr;)+) => {
        $(
            $(#[$when])*
            #[doc = $about]
            pub fn $name(data: &[u8]) -> Reached {
                let run: fn(&[u8]) -> Reached = $run;
                run(data)
            }
        )+

        /// All of them.
        pub const TARGETS: &[Target] = &[
            $($(#[$when])* Target { name: stringify!($name), about: $about, run: $name, seeds: $seeds, max_len: $max_len },)+
        ];
    };
}

targets! {
    hook_wechat_pay, 16_384, "requests to the WeChat Pay connector",
        |data| hooks::run::<qudao_wechat_pay::WechatPay>(&WECHAT_PAY, data),
        || seeds::hooks::<qudao_wechat_pay::WechatPay>(&WECHAT_PAY);
    hook_alipay, 16_384, "requests to the Alipay connector",
        |data| hooks::run::<qudao_alipay::Alipay>(&ALIPAY, data),
        || seeds::hooks::<qudao_alipay::Alipay>(&ALIPAY);
    hook_jddj, 16_384, "requests to the JDDJ connector",
        |data| hooks::run::<qudao_jddj::Jddj>(&JDDJ, data),
        || seeds::hooks::<qudao_jddj::Jddj>(&JDDJ);
    hook_qimen, 32_768, "requests to the Qimen connector",
        |data| hooks::run::<qudao_qimen::Qimen>(&QIMEN, data),
        || seeds::hooks::<qudao_qimen::Qimen>(&QIMEN);
    ask_wechat_pay, 16_384, "answers of WeChat Pay",
        |data| asks::run::<qudao_wechat_pay::WechatPay>(&WECHAT_PAY, data),
        || seeds::asks(&WECHAT_PAY);
    ask_alipay, 16_384, "answers of Alipay",
        |data| asks::run::<qudao_alipay::Alipay>(&ALIPAY, data),
        || seeds::asks(&ALIPAY);
    ask_tmall, 65_536, "answers of Tmall",
        |data| asks::run::<qudao_tmall::Tmall>(&TMALL, data),
        || seeds::asks(&TMALL);
    ask_jd, 65_536, "answers of JD",
        |data| asks::run::<qudao_jd::Jd>(&JD, data),
        || seeds::asks(&JD);
    ask_jddj, 65_536, "answers of JDDJ",
        |data| asks::run::<qudao_jddj::Jddj>(&JDDJ, data),
        || seeds::asks(&JDDJ);
    erp_text, 32_768, "ERP files: delimited, fixed, JSON lines", erp::run, || seeds::erp(seeds::TEXT);
    erp_markup, 32_768, "ERP files: XML, Excel's XML, HTML", erp::run, || seeds::erp(seeds::MARKUP);
    erp_workbook, 65_536, "ERP files: xlsx, xls, DBF", erp::run, || seeds::erp(seeds::WORKBOOK);
    erp_sniff, 32_768, "ERP files that nobody has described", erp::sniffed, seeds::sniffed;
    config, 16_384, "connectors.yaml, stores and listings", configuration::run, seeds::configuration;
    mapping, 16_384, "mapping documents", configuration::mapping, seeds::mappings;
    model, 16_384, "money, times, ids, forms, facts, events, transcripts", model::run, seeds::model;
    #[cfg(feature = "gateway")]
    fold, 32_768, "facts, in any order, to entities and events", folding::run, seeds::folding;
    #[cfg(feature = "gateway")]
    guest, 32_768, "what a connector returns over the contract", guest::run, seeds::guest;
    #[cfg(feature = "gateway")]
    api, 4_096, "requests to the private listener", private::run, seeds::private;
    keys, 16_384, "secrets, certificates, ciphertexts", keys::run, seeds::keys;
}

/// The target of this name.
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

/// Root of the checkout.
pub fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(3).unwrap_or(here)
}

/// Inputs that once were findings, of one target.
pub fn crashes(target: &str) -> PathBuf {
    root().join("tests/fuzz/crashes").join(target)
}
