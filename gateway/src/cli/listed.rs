//! A page of what is kept, as `list` commands tell it: a table, or one JSON object a line.

use crate::{
    error::{Error, Exit},
    output::{Printer, Table},
};
use qudao_storage::{LIMIT_MAX, Page};
use serde::Serialize;

/// A page, and what is said where it is empty or not the last one.
pub(super) struct Listed<'a, T> {
    pub(super) page: &'a Page<T>,
    /// In place of a table without rows.
    pub(super) nothing: &'a str,
    /// Behind `--limit N shows up to …`: what else leads to the rest; may be empty.
    pub(super) narrower: &'a str,
}

impl<T: Serialize> Listed<'_, T> {
    pub(super) fn tell(
        self,
        printer: &mut Printer,
        json: bool,
        table: impl FnOnce(&[T]) -> Table,
    ) -> Result<Exit, Error> {
        let Page { items, next } = self.page;
        if json {
            items.iter().try_for_each(|item| printer.json_line(item))?;
            return Ok(Exit::Done);
        }
        if items.is_empty() {
            printer.note(self.nothing)?;
        } else {
            printer.table(&table(items))?;
        }
        if next.is_some() {
            let narrower = self.narrower;
            printer.next(format_args!("\nThere are more; --limit N shows up to {LIMIT_MAX}{narrower}."))?;
        }
        Ok(Exit::Done)
    }
}
