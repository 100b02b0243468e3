//! Inbox, observations, entities and events in one transaction.
