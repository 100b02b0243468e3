//! TestGateway, fake platforms, test clock.
