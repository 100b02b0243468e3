//! The command line.

use clap::{Args, Parser, Subcommand, ValueEnum};
use qudao_sim::story::Scenario;
use qudao_sim::{alipay, wechat_pay};
use reqwest::Url;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  qudao-sim wechat-pay --to http://127.0.0.1:8080/hooks/wechat-main
  qudao-sim alipay --to http://127.0.0.1:8080/hooks/alipay-main --scenario hostile
  qudao-sim alipay --print --seed 7 --at 2026-01-21T04:58:17Z > deliveries.jsonl

Exit codes: 0 every answer was the right one, 1 some were not, 64 wrong usage, 70 internal.";

/// Posts notices that are signed like the real platform's, with test keys, and checks the answers.
#[derive(Debug, Parser)]
#[command(name = "qudao-sim", version, after_help = EXAMPLES, disable_help_subcommand = true)]
pub(crate) struct CommandLine {
    #[command(subcommand)]
    pub(crate) platform: Platform,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Platform {
    /// WeChat Pay APIv3: JSON, AES-256-GCM, Wechatpay-* headers
    #[command(after_help = EXAMPLES)]
    WechatPay {
        /// Key that signs: the public key of newer merchants, the certificate of older ones, or both in turn
        #[arg(long, value_enum, default_value_t = Signing::Both)]
        mode: Signing,
        #[command(flatten)]
        story: Story,
    },
    /// Alipay: urlencoded forms, RSA2, UTF-8 and GBK
    #[command(after_help = EXAMPLES)]
    Alipay {
        /// Key that signs; the receiving channel has to be set to the same
        #[arg(long, value_enum, default_value_t = Mode::PublicKey)]
        mode: Mode,
        #[command(flatten)]
        story: Story,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Story {
    /// Posts to this address
    #[arg(long, value_name = "URL", required_unless_present = "print", conflicts_with = "print")]
    pub(crate) to: Option<Url>,

    /// Posts nothing: prints one request a line, as `qudao try` reads them, with the clock it is meant for
    #[arg(long)]
    pub(crate) print: bool,

    /// What happens
    #[arg(long, value_enum, default_value_t = Happenings::Mixed)]
    pub(crate) scenario: Happenings,

    /// Number of orders; each makes one to three notices
    #[arg(long, value_name = "N", default_value_t = 15)]
    pub(crate) count: u32,

    /// Decides every number; without it each run tells another story
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,

    /// When the story ends, RFC 3339 or unix seconds [default: now]
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) at: Option<i64>,

    /// Notices per second [default: as fast as they are answered]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) rate: Option<u32>,

    /// Redelivers a notice that was not acknowledged up to N times, on the platform's schedule run much faster
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) retry: u32,

    /// Folder with identity and keys of the platform, files named as in examples/simulators/keys/PLATFORM
    #[arg(long, value_name = "KEYS_DIR")]
    pub(crate) from: Option<PathBuf>,

    /// One JSON object a notice, then one with the truth
    #[arg(long, conflicts_with = "print")]
    pub(crate) json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Happenings {
    /// A bit of everything
    Mixed,
    /// Payments, each told once
    Payments,
    /// Payments and refunds, in and out of order
    Refunds,
    /// Every notice three times
    Retries,
    /// Forged, stale and probing notices among honest payments
    Hostile,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Signing {
    PublicKey,
    Certificate,
    Both,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Mode {
    PublicKey,
    Certificate,
}

impl From<Happenings> for Scenario {
    fn from(happenings: Happenings) -> Scenario {
        match happenings {
            Happenings::Mixed => Scenario::Mixed,
            Happenings::Payments => Scenario::Payments,
            Happenings::Refunds => Scenario::Refunds,
            Happenings::Retries => Scenario::Retries,
            Happenings::Hostile => Scenario::Hostile,
        }
    }
}

impl From<Signing> for wechat_pay::Signing {
    fn from(signing: Signing) -> wechat_pay::Signing {
        match signing {
            Signing::PublicKey => wechat_pay::Signing::PublicKey,
            Signing::Certificate => wechat_pay::Signing::Certificate,
            Signing::Both => wechat_pay::Signing::Both,
        }
    }
}

impl From<Mode> for alipay::Mode {
    fn from(mode: Mode) -> alipay::Mode {
        match mode {
            Mode::PublicKey => alipay::Mode::PublicKey,
            Mode::Certificate => alipay::Mode::Certificate,
        }
    }
}

fn time(text: &str) -> Result<i64, String> {
    if let Ok(seconds) = text.parse::<i64>() {
        return jiff::Timestamp::from_second(seconds)
            .map(jiff::Timestamp::as_second)
            .map_err(|e| e.to_string());
    }
    text.parse::<jiff::Timestamp>()
        .map(jiff::Timestamp::as_second)
        .map_err(|_| "give RFC 3339 such as 2026-01-21T04:58:17Z, or unix seconds".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn times_in_both_forms() {
        assert_eq!(time("1768971497"), Ok(1_768_971_497));
        assert_eq!(time("2026-01-21T04:58:17Z"), Ok(1_768_971_497));
        assert_eq!(time("2026-01-21T12:58:17+08:00"), Ok(1_768_971_497));
        assert!(time("yesterday").is_err());
    }
}
