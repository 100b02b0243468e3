//! Words of ours about a command, beside those of the platform; a paragraph each in docs/errors.md.

/// Why a command stands as it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Code {
    Cancelled,
    Closed,
    Confirmed,
    Expired,
    Paid,
    Shadow,
    Shipped,
    Unknown,
    Unsupported,
}

impl Code {
    /// The stable word.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Code::Cancelled => "cancelled",
            Code::Closed => "closed",
            Code::Confirmed => "confirmed",
            Code::Expired => "expired",
            Code::Paid => "paid",
            Code::Shadow => "shadow",
            Code::Shipped => "shipped",
            Code::Unknown => "unknown",
            Code::Unsupported => "unsupported",
        }
    }
}
