//! The members of the row at hand: read, put together, and checked for what no single member can say.

use super::plan::{Piece, Plan};
use super::reader::Reader;
use super::values::{Fault, Faults, Slot, Values};
use super::view::{Directory, View};

/// The members of a row and what is wrong with them.
#[derive(Debug)]
pub(crate) struct Members {
    pub(crate) plan: Plan,
    pub(crate) values: Values,
    pub(crate) faults: Faults,
}

impl Members {
    pub(crate) fn new(plan: Plan) -> Members {
        let values = Values::new(plan.names.len());
        Members { plan, values, faults: Faults::default() }
    }

    /// Forgets the row before.
    pub(crate) fn clear(&mut self) {
        self.values.clear();
        self.faults.clear();
    }

    /// Reads the members of a row, or of a ticket's head.
    pub(crate) fn read(&mut self, view: &View<'_>, stores: &Directory<'_>) {
        let Members { plan, values, faults } = self;
        read(&mut plan.readers, (view, stores), values, faults);
    }

    /// Reads the members of a ticket's line.
    pub(crate) fn read_line(&mut self, view: &View<'_>, stores: &Directory<'_>) {
        let Members { plan, values, faults } = self;
        read(&mut plan.line_readers, (view, stores), values, faults);
    }

    /// Puts together what is made of other members, and wants a SKU or a barcode.
    pub(crate) fn complete(&mut self) {
        for composed in &self.plan.compose {
            let mut bad = false;
            let slot = self.values.build(|values| {
                composed.pieces.iter().all(|piece| match piece {
                    Piece::Literal(text) => {
                        values.push(text);
                        true
                    }
                    Piece::Member(member) => {
                        bad |= values.get(*member) == Slot::Bad;
                        append(values, *member)
                    }
                })
            });
            self.values.set(composed.target, if bad { Slot::Bad } else { slot });
        }
        let Some(item) = &self.plan.item else { return };
        let missing =
            |place: Option<usize>| place.is_none_or(|place| self.values.get(place) == Slot::Missing);
        if missing(item.sku) && missing(item.barcode) {
            let column = item.sku.or(item.barcode).and_then(|place| self.lacking(place));
            self.faults.push(Fault::of(column.as_deref(), "required_missing"));
        }
    }

    /// The store of the row, where it could be read.
    pub(crate) fn store(&self) -> Option<String> {
        let place = self.place("store_code")?;
        self.values.text_at(place).map(str::to_owned)
    }

    /// The slot of a member.
    pub(crate) fn place(&self, name: &str) -> Option<usize> {
        self.plan.names.iter().position(|known| known == name)
    }

    /// The column that would have to be filled for a member.
    fn lacking(&self, place: usize) -> Option<String> {
        let composed = self.plan.compose.iter().find(|composed| composed.target == place);
        let parts = composed.iter().flat_map(|composed| &composed.pieces);
        let part = parts.filter_map(|piece| match piece {
            Piece::Member(member) => Some(*member),
            Piece::Literal(_) => None,
        });
        let mut empty = part.filter(|member| self.values.get(*member) == Slot::Missing);
        let place = empty.next().unwrap_or(place);
        let mut readers = self.plan.readers.iter().chain(&self.plan.line_readers);
        readers.find(|reader| reader.rule.target == place).and_then(|reader| reader.rule.column.clone())
    }
}

fn read(readers: &mut [Reader], from: (&View<'_>, &Directory<'_>), values: &mut Values, faults: &mut Faults) {
    for reader in readers {
        reader.read(from.0, from.1, values, faults);
    }
}

/// Appends a member to the text that is being built; false where it is not there.
fn append(values: &mut Values, member: usize) -> bool {
    match values.get(member) {
        Slot::Text(span) => {
            values.push_span(span);
            true
        }
        Slot::Int(number) => {
            values.push(&number.to_string());
            true
        }
        Slot::Day(day) => {
            values.push(&day.to_string());
            true
        }
        Slot::Missing | Slot::Bad | Slot::Time(..) | Slot::Flag(_) => false,
    }
}
