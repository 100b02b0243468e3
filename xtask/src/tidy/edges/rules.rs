//! The rules themselves: who owns which technology, who may see which crate of ours. ARCHITECTURE.md draws them.

/// One technology and who may use it directly.
pub(super) struct Owner {
    pub(super) technology: &'static str,
    /// Crates that exist to hold it.
    pub(super) owners: &'static [&'static str],
    /// Others that may, each with its reason.
    pub(super) also: &'static [(&'static str, &'static str)],
}

/// Allows every crate of ours.
pub(super) const ANY: &str = "any";

const REFERENCE: &str = "the native reference that the gateway is measured against";
const CONSUMER: &str = "a program of HQ: takes the webhooks from outside";
const FUZZ: &str = "feeds the private listener's routes without a socket";
const CRASH: &str = "looks into the database beside the gateway that it killed";
const DISK: &str = "looks at what a failing disk left";
const SIMULATOR: &str = "plays the platform from outside";

pub(super) const OWNERS: &[Owner] = &[
    Owner { technology: "wasmtime", owners: &["qudao-host"], also: &[] },
    Owner {
        technology: "reqwest",
        owners: &["qudao-host"],
        also: &[
            ("qudao", "the command line reads the private listener"),
            ("qudao-sim", SIMULATOR),
            ("qudao-kit", "tests speak HTTP to the gateway"),
            ("qudao-it", "tests speak HTTP to the gateway"),
        ],
    },
    Owner {
        technology: "sqlx",
        owners: &["qudao-storage"],
        also: &[("qudao-bench", REFERENCE), ("qudao-crash", CRASH), ("qudao-simulation", DISK)],
    },
    Owner {
        technology: "axum",
        owners: &["qudao-ingress", "qudao-api", "qudao-listener"],
        also: &[
            ("qudao-bench", REFERENCE),
            ("feed-consumer", CONSUMER),
            ("qudao-it", CONSUMER),
            ("qudao-fuzz", FUZZ),
        ],
    },
    Owner { technology: "hyper", owners: &["qudao-listener"], also: &[("qudao-sim", SIMULATOR)] },
    // Below SQL: what is copied back when, and a VFS that fails on command.
    Owner { technology: "libsqlite3-sys", owners: &["qudao-storage"], also: &[("qudao-simulation", DISK)] },
    Owner { technology: "saphyr-parser", owners: &["qudao-config"], also: &[] },
    Owner {
        technology: "clap",
        owners: &["qudao"],
        also: &[
            ("qudao-sim", "a command line of its own"),
            ("xtask", "a command line of its own"),
            ("qudao-bench", "a command line of its own"),
            ("qudao-crash", "a command line of its own"),
            ("qudao-fuzz", "a command line of its own"),
            ("qudao-simulation", "a command line of its own"),
        ],
    },
    Owner {
        technology: "aws-lc-rs",
        owners: &["qudao-keys"],
        also: &[
            ("qudao-vault", "seals what is stored; its keys are the gateway's own, no connector uses them"),
            ("qudao-sim", "signs as the platform does"),
            ("qudao-kit", "signs as the platform does"),
            ("qudao-it", "signs as the platform does"),
            ("qudao-bench", "signs as the platform does; verifies in the reference"),
        ],
    },
];

const MODEL: &str = "qudao-model";

/// What a member may depend on, among the members.
pub(super) fn allowed(from: &str, development: bool) -> &'static [&'static str] {
    if development {
        return for_tests(from);
    }
    match from {
        "qudao-model" | "qudao-address" | "qudao-listener" | "qudao-sim" | "feed-consumer" => &[],
        "qudao-keys" | "qudao-build" | "qudao-storage" | "qudao-vault" => &[MODEL],
        "qudao-config" => &[MODEL, "qudao-address"],
        "qudao-sdk" => &[MODEL, "qudao-keys"],
        "qudao-host" => &[MODEL, "qudao-keys", "qudao-address"],
        "qudao-feed" => &[MODEL, "qudao-storage"],
        "qudao-pipeline" => {
            &[MODEL, "qudao-config", "qudao-host", "qudao-storage", "qudao-feed", "qudao-vault"]
        }
        "qudao-ingress" => &[MODEL, "qudao-pipeline"],
        "qudao-api" => &[MODEL, "qudao-pipeline", "qudao-feed", "qudao-storage"],
        "qudao" | "qudao-kit" | "qudao-it" | "qudao-bench" | "qudao-crash" | "qudao-fuzz"
        | "qudao-simulation" => &[ANY],
        "xtask" => &["qudao-build", MODEL],
        _ => &[MODEL, "qudao-sdk"],
    }
}

/// Tests may in addition see the kit, the builder and what their own crate may see.
fn for_tests(from: &str) -> &'static [&'static str] {
    match from {
        "qudao-model" | "qudao-keys" | "qudao-sdk" | "qudao-build" | "qudao-sim" | "qudao-vault"
        | "qudao-address" | "xtask" => &[MODEL, "qudao-keys", "qudao-sdk", "qudao-build"],
        "qudao-host" => &[MODEL, "qudao-keys", "qudao-build", "qudao-sdk"],
        "qudao-config" | "qudao-storage" | "qudao-feed" | "qudao-pipeline" | "qudao-ingress"
        | "qudao-api" | "qudao-listener" | "qudao" | "qudao-kit" | "qudao-it" | "qudao-bench"
        | "qudao-crash" | "qudao-fuzz" | "qudao-simulation" => &[ANY],
        _ => &[MODEL, "qudao-sdk", "qudao-keys"],
    }
}
