//! The public listener: partner webhooks only.
