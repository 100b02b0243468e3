//! The feed as its readers see it and as couriers deliver it, on a real database.

#[cfg(test)]
mod it {
    mod feed;
    mod refunds;
    mod webhooks;
}
