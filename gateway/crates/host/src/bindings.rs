//! Rust shapes of sdk/wit, made by `bindgen!`. Everything a guest can call is plain and may trap; only `http`, `source.read`
//! and `sink.put` suspend the guest. Exports are entered asynchronously, so that a busy guest can be paused. The imports are those of `webhooks`; the
//! other worlds share them.

/// A module of bindings to a world.
macro_rules! world {
    ($name:ident { $($bindings:tt)* }) => {
        #[allow(
            unreachable_pub,
            unused_qualifications,
            clippy::all,
            clippy::pedantic,
            clippy::unwrap_used,
            clippy::indexing_slicing,
            clippy::wildcard_enum_match_arm,
            reason = "generated"
        )]
        pub(crate) mod $name {
            wasmtime::component::bindgen!({
                path: "../../../sdk/wit",
                exports: { default: async },
                $($bindings)*
            });
        }
    };
}

/// The same for a world whose imports are those of `webhooks`, and perhaps more.
macro_rules! sharing_world {
    ($name:ident { $($bindings:tt)* }) => {
        world!($name {
            with: {
                "qudao:connector/types": crate::bindings::imported::types,
                "qudao:connector/log": crate::bindings::imported::log,
                "qudao:connector/clock": crate::bindings::imported::clock,
                "qudao:connector/random": crate::bindings::imported::random,
                "qudao:connector/settings": crate::bindings::imported::settings,
                "qudao:connector/keys": crate::bindings::imported::keys,
                "qudao:connector/http": crate::bindings::imported::http,
                "qudao:connector/expectations": crate::bindings::imported::expectations,
            },
            $($bindings)*
        });
    };
}

world!(describes { world: "describes" });

world!(webhooks {
    world: "webhooks",
    imports: {
        "qudao:connector/http.send": async | trappable,
        "qudao:connector/http.send-with": async | trappable,
        default: trappable,
    },
    with: { "qudao:connector/keys.key": crate::imports::keys::Handle },
});

sharing_world!(polls { world: "polls" });

sharing_world!(commands { world: "commands" });

sharing_world!(files {
    world: "files",
    imports: {
        "qudao:connector/source.read": async | trappable,
        "qudao:connector/sink.put": async | trappable,
        default: trappable,
    },
});

pub(crate) use commands::{CommandsPre, exports::qudao::connector::command as wire_command};
pub(crate) use describes::DescribesPre;
pub(crate) use files::{
    FilesPre,
    qudao::connector::{sink, source},
};
pub(crate) use polls::{PollsPre, exports::qudao::connector::poll as wire_poll};
pub(crate) use webhooks::{
    Webhooks, WebhooksPre, qudao::connector as imported, qudao::connector::types as wire,
};
