//! Rust shapes of sdk/wit, made by `bindgen!`. Everything a guest can call is plain and may trap; only `http.send`
//! suspends the guest. Exports are entered asynchronously, so that a busy guest can be paused.

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
pub(crate) mod describes {
    wasmtime::component::bindgen!({
        world: "describes",
        path: "../../../sdk/wit",
        exports: { default: async },
    });
}

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
pub(crate) mod webhooks {
    wasmtime::component::bindgen!({
        world: "webhooks",
        path: "../../../sdk/wit",
        imports: {
            "qudao:connector/http.send": async | trappable,
            default: trappable,
        },
        exports: { default: async },
        with: { "qudao:connector/keys.key": crate::imports::keys::Handle },
    });
}

pub(crate) use describes::DescribesPre;
pub(crate) use webhooks::{
    Webhooks, WebhooksPre, qudao::connector as imported, qudao::connector::types as wire,
};
