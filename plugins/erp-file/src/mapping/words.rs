//! The words of a mapping: which members rows of a kind can have, and of which type they are.

use super::{FieldType, FileKind};

/// Members, their types, and the kinds of file that have them: snapshot, delta, sales, prices.
const MEMBERS: &[(&str, &[FieldType], &str)] = {
    use FieldType::{Barcode, Code, Date, Datetime, Enum, Flag, Integer, Money, Quantity, Text};
    const NAME: &[FieldType] = &[Code, Enum, Text];
    &[
        ("store_code", &[Code, Enum], "nmsp"),
        ("sku", &[Code, Enum], "nmsp"),
        ("barcode", &[Barcode], "nmsp"),
        ("style", NAME, "nmsp"),
        ("color", NAME, "nmsp"),
        ("size", NAME, "nmsp"),
        ("name", NAME, "nmsp"),
        ("brand", NAME, "nmsp"),
        ("category", NAME, "nmsp"),
        ("season", NAME, "nmsp"),
        ("operator", NAME, "nms"),
        ("note", NAME, "nmsp"),
        ("quantity", &[Quantity], "nms"),
        ("unit_price_fen", &[Money], "nmsp"),
        ("occurred_at", &[Datetime], "nms"),
        ("bucket", &[Code, Enum], "nm"),
        ("location", NAME, "nm"),
        ("doc_no", &[Code], "m"),
        ("line_no", &[Integer], "ms"),
        ("order_no", &[Code], "ms"),
        ("seq", &[Integer], "m"),
        ("reason", NAME, "m"),
        ("ticket_no", &[Code], "s"),
        ("terminal", NAME, "s"),
        ("amount_fen", &[Money], "s"),
        ("orig_ticket_no", &[Code], "s"),
        ("training", &[Flag], "s"),
        ("voided", &[Flag], "s"),
        ("list_price_fen", &[Money], "p"),
        ("member_price_fen", &[Money], "p"),
        ("effective_from", &[Date], "p"),
        ("effective_to", &[Date], "p"),
    ]
};

fn letter(kind: FileKind) -> char {
    match kind {
        FileKind::StockSnapshot => 'n',
        FileKind::StockDelta => 'm',
        FileKind::Sales => 's',
        FileKind::Prices => 'p',
    }
}

/// Members that rows of this kind can have.
pub fn members(kind: FileKind) -> impl Iterator<Item = &'static str> {
    MEMBERS.iter().filter(move |(_, _, kinds)| kinds.contains(letter(kind))).map(|(name, _, _)| *name)
}

/// Types that a member can be read as; nothing where rows of this kind do not have it.
pub fn types(kind: FileKind, member: &str) -> Option<&'static [FieldType]> {
    let known = MEMBERS.iter().find(|(name, _, kinds)| *name == member && kinds.contains(letter(kind)));
    known.map(|(_, types, _)| *types)
}

/// The known word that is most like this one, if one is.
pub fn nearest<'w>(word: &str, known: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    let scored = known.map(|known| (strsim::normalized_damerau_levenshtein(word, known), known));
    let best = scored.max_by(|(a, _), (b, _)| a.total_cmp(b));
    best.filter(|(score, _)| *score >= 0.5).map(|(_, known)| known)
}
