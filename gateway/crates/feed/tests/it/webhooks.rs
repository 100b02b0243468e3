//! Couriers, with a consumer by script and a clock that the test moves.

mod courier;
mod crash;
mod kit;
