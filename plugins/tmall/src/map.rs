//! What trades and refunds mean: from the platform's fields to canonical facts. Pure.

mod refund;
mod trade;
mod words;

pub(crate) use refund::aftersale;
pub(crate) use trade::order;

/// Why there is no fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// A member is missing; the name is the platform's.
    Missing(&'static str),
    /// A word for a state that nobody told us of.
    UnknownState(String),
}

/// The value of a member that must be there.
fn needed<T>(value: Option<T>, name: &'static str) -> Result<T, Unreadable> {
    value.ok_or(Unreadable::Missing(name))
}
