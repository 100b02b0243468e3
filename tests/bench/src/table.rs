//! A table in Markdown whose columns line up in a terminal as well.

/// One line a row, the head and its rule first.
pub(crate) fn table<const N: usize>(head: [&str; N], rows: Vec<[String; N]>) -> String {
    let cells: Vec<[String; N]> = std::iter::once(head.map(str::to_owned)).chain(rows).collect();
    let width =
        |column: usize| cells.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..N).map(|column| width(column).unwrap_or_default()).collect();
    let mut lines: Vec<String> = Vec::new();
    for (at, row) in cells.iter().enumerate() {
        let padded: Vec<String> =
            row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        lines.push(format!("| {} |\n", padded.join(" | ")));
        if at == 0 {
            let rules: Vec<String> = widths.iter().map(|width| "-".repeat(width + 2)).collect();
            lines.push(format!("|{}|\n", rules.join("|")));
        }
    }
    lines.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let rows = vec![["a".to_owned(), "± 1".to_owned()]];
        assert_eq!(table(["what", "b"], rows), "| what | b   |\n|------|-----|\n| a    | ± 1 |\n");
    }
}
