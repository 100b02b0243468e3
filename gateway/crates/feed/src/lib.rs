//! The feed: events in order, by cursor, with waiting.
