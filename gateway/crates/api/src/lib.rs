//! The private listener: entities, inbox, feed, metrics, OpenAPI.
