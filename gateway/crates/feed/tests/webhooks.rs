//! Couriers on a real database, with a consumer by script and a clock that the test moves.

#[cfg(test)]
mod webhooks {
    mod courier;
    mod crash;
    mod kit;
}
