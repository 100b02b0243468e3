//! The command line.

use clap::{Args, Parser, Subcommand, ValueEnum};
use qudao_sim::story::Scenario;
use qudao_sim::{alipay, qimen, wechat_pay};
use reqwest::Url;
use std::net::SocketAddr;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  qudao-sim wechat-pay --to http://127.0.0.1:8080/hooks/wechat-main
  qudao-sim alipay --to http://127.0.0.1:8080/hooks/alipay-main --scenario hostile
  qudao-sim alipay --print --seed 7 --at 2026-01-21T04:58:17Z > deliveries.jsonl
  qudao-sim tmall --listen 127.0.0.1:9101 --stock 50
  qudao-sim jddj --to http://127.0.0.1:8080/hooks/jddj-main
  qudao-sim wechat-pay --listen 127.0.0.1:9103
  qudao-sim erp --folder inbox/0012 --days 2

Exit codes: 0 every answer was the right one, 1 some were not, 64 wrong usage, 70 internal.";

const DRIVING: &str = "\
A simulator that listens prints one JSON line with its address and what a channel has to be set to, and works until it is
stopped. Drive it by hand, with JSON bodies:
  POST /_sim/orders        places an order           {\"items\": [{\"sku\": \"TX26S183-BK-XL\", \"qty\": 2, \"price_fen\": 9900}]}
  POST /_sim/orders/NO     something happens to it   {\"do\": \"pay\"}, {\"do\": \"ship\"}, {\"do\": \"ask_refund\", \"line\": 0} ...
  POST /_sim/stock         many orders at once       {\"count\": 50}
  POST /_sim/reports       a document (qimen)        {\"kind\": \"stock_changed\", \"lines\": [{\"sku\": \"A\", \"qty\": -2}]}
  POST /_sim/clock         sets the clock            {\"at\": \"2026-03-12T00:59:51Z\"}, {\"advance\": 600}
  POST /_sim/faults        asks for trouble          {\"kind\": \"drop_after_apply\", \"match\": \"taobao.trade.fullinfo.get\", \"times\": 2}
  GET  /_sim/ledger        what really happened, and every call
examples/simulators/README.md has all of them.";

/// Stands in for the platforms: posts what they post, answers what they answer, with test keys.
#[derive(Debug, Parser)]
#[command(name = "qudao-sim", version, after_help = EXAMPLES, disable_help_subcommand = true)]
pub(crate) struct CommandLine {
    #[command(subcommand)]
    pub(crate) what: What,
}

#[derive(Debug, Subcommand)]
pub(crate) enum What {
    #[command(flatten)]
    Platform(Platform),
    /// A store chain's old ERP: writes stock and sales files into a folder
    #[command(after_help = EXAMPLES)]
    Erp {
        /// Folder that the files go to, such as the one that a channel watches
        #[arg(long, value_name = "DIR")]
        folder: PathBuf,
        /// Days that are closed, each with two files; files that are there already are left as they are
        #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=366))]
        days: u32,
        /// Decides everything
        #[arg(long, value_name = "N", default_value_t = 1)]
        seed: u64,
        /// Evening of the first day, RFC 3339 or unix seconds
        #[arg(long, value_name = "TIME", value_parser = time, default_value = "2026-01-20T12:00:00Z")]
        at: i64,
    },
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
        listen: Listen,
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
        listen: Listen,
        #[command(flatten)]
        story: Story,
    },
    /// Tmall: the TOP router, trades, refunds and TMC messages
    #[command(after_help = DRIVING)]
    Tmall {
        /// Writes ids as JSON numbers above 2^53 instead of text
        #[arg(long)]
        numbers: bool,
        #[command(flatten)]
        serve: Serve,
    },
    /// JD: the JOS gateway, orders and refund applications
    #[command(after_help = DRIVING)]
    Jd {
        #[command(flatten)]
        serve: Serve,
    },
    /// JDDJ: the order query, and callbacks
    #[command(after_help = DRIVING)]
    Jddj {
        /// Posts callbacks below this address
        #[arg(long, value_name = "URL")]
        to: Option<Url>,
        /// Encrypts the business part of callbacks
        #[arg(long)]
        encrypted: bool,
        #[command(flatten)]
        serve: Serve,
    },
    /// Qimen: documents of a warehouse or an ERP
    #[command(after_help = DRIVING)]
    Qimen {
        /// Posts documents to this address
        #[arg(long, value_name = "URL")]
        to: Option<Url>,
        /// How documents are written
        #[arg(long, value_enum, default_value_t = Form::Xml)]
        form: Form,
        #[command(flatten)]
        serve: Serve,
    },
}

/// Listening instead of telling a story.
#[derive(Debug, Args)]
pub(crate) struct Listen {
    /// Posts nothing: answers queries, refunds and closings at this address; port 0 takes a free one. `--help` of `tmall` says
    /// how it is driven; --at, --seed and --from count, the rest of a story does not
    #[arg(long, value_name = "ADDRESS", conflicts_with_all = ["to", "print"])]
    pub(crate) listen: Option<SocketAddr>,
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Where it listens; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,

    /// Orders that are there from the beginning, with a past of up to twelve hours
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) stock: u32,

    /// Decides every number that is made up
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,

    /// Where its clock stands until it is set, RFC 3339 or unix seconds [default: runs with the machine's]
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) at: Option<i64>,

    /// Folder with identity and secrets, files named as in examples/simulators/keys/PLATFORM
    #[arg(long, value_name = "KEYS_DIR")]
    pub(crate) from: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Form {
    /// XML in UTF-8
    Xml,
    /// XML in GBK
    XmlGbk,
    /// JSON
    Json,
}

impl From<Form> for qimen::Form {
    fn from(form: Form) -> qimen::Form {
        match form {
            Form::Xml => qimen::Form::Xml,
            Form::XmlGbk => qimen::Form::XmlGbk,
            Form::Json => qimen::Form::Json,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Story {
    /// Posts to this address
    #[arg(long, value_name = "URL", required_unless_present_any = ["print", "listen"], conflicts_with = "print")]
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
