//! The schedule, commands, links, listings and the seal against a platform that does what a test says.
#![allow(clippy::wildcard_enum_match_arm, reason = "a script says what it does and is silent about the rest")]

mod commands;
mod fetches;
mod imports;
mod kit;
mod links;
mod listings;
mod notices;
mod polls;
mod replays;
mod review;
mod runner;
mod seals;
mod storms;
mod webhooks;
