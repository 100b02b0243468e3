//! Why the gateway did not simply apply a file or a store: the words of the imports' list. What a connector says of a file
//! comes beside them as it is.

/// One word each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// Fewer SKUs than before, by more than the mapping allows.
    Shrink,
    /// Every quantity is zero, and was not.
    AllZero,
    /// Newer figures count already.
    StaleSnapshot,
    /// The store never had a snapshot.
    FirstSnapshot,
    /// Other figures as of the same moment count already.
    ChangedAfterImport,
    /// The figures are as of a moment that is still to come.
    FutureSnapshot,
    /// A store has more rows than any real one.
    TooManyRows,
    /// Its movements count already, as another mapping read them.
    CountedBefore,
    /// More pieces than any store has.
    QuantityOutOfRange,
    /// The store directory does not have the store.
    UnknownStore,
    /// A snapshot says two things of one SKU.
    DuplicateConflict,
    /// The mapping was changed before the file was read to its end.
    MappingChanged,
    /// A person let it through, and it is being applied.
    Confirmed,
    /// The connector holds the file back and does not say why.
    Held,
}

impl Reason {
    /// The word.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Reason::Shrink => "shrink",
            Reason::AllZero => "all_zero",
            Reason::StaleSnapshot => "stale_snapshot",
            Reason::FirstSnapshot => "first_snapshot",
            Reason::ChangedAfterImport => "changed_after_import",
            Reason::FutureSnapshot => "future_snapshot",
            Reason::TooManyRows => "too_many_rows",
            Reason::CountedBefore => "counted_before",
            Reason::QuantityOutOfRange => "quantity_out_of_range",
            Reason::UnknownStore => "unknown_store",
            Reason::DuplicateConflict => "duplicate_conflict",
            Reason::MappingChanged => "mapping_changed",
            Reason::Confirmed => "confirmed",
            Reason::Held => "held",
        }
    }

    /// Whether `word` is this one.
    pub(crate) fn is(self, word: Option<&str>) -> bool {
        word == Some(self.as_str())
    }
}
