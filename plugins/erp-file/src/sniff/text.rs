//! How a text file divides its lines: the delimiter, quotes, `sep=`, a delimiter at every line's end, records of several types.

use std::collections::BTreeMap;

const DELIMITERS: [char; 7] = [',', '\t', '|', ';', '^', '\u{1}', '~'];
/// Lines that a quoted cell may run over before it is taken for a stray quote.
const RUN_MAX: usize = 4;

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Dialect {
    /// The delimiter; none: there is none.
    pub delimiter: Option<char>,
    /// Lines that have the usual number of cells, in percent.
    pub share: usize,
    /// The usual number of cells.
    pub cells: usize,
    /// Whether quotes quote.
    pub quotes: bool,
    /// The first line is `sep=…`.
    pub sep_line: bool,
    /// Every line ends with the delimiter.
    pub trailing: bool,
    /// Quoted cells that run over line ends.
    pub runs: usize,
    /// Quotes that nobody closes.
    pub strays: usize,
    /// Record types in the first cell, with how often, by first appearance; empty: all records are alike.
    pub types: Vec<(String, usize)>,
}

/// Looks at decoded text.
pub(crate) fn dialect(text: &str) -> Dialect {
    let lines: Vec<&str> = text.lines().collect();
    let sep = lines.first().and_then(|line| line.trim_start_matches('\u{FEFF}').strip_prefix("sep="));
    let stated = sep.and_then(|rest| rest.chars().next());
    let body: Vec<&str> = lines.iter().skip(usize::from(stated.is_some())).copied().collect();
    let candidates = stated.map_or_else(|| DELIMITERS.to_vec(), |one| vec![one]);
    let judged = candidates.into_iter().map(|delimiter| judge(&body, delimiter));
    let best = judged.max_by_key(|found| (found.share.min(95), found.cells)).unwrap_or_default();
    let sure = stated.is_some() || best.share >= 55 || !best.types.is_empty();
    let dialect = if sure { best } else { Dialect::default() };
    Dialect { sep_line: stated.is_some(), ..dialect }
}

/// Cells of one line; `open` where a quote is not closed in it.
pub(crate) struct Split {
    /// The cells, quotes taken off.
    pub cells: Vec<String>,
    /// Cells that were quoted.
    pub quoted: usize,
    /// The last quote is not closed.
    pub open: bool,
}

/// Splits a line; a quote counts at the beginning of a cell only.
pub(crate) fn split(line: &str, delimiter: char, quotes: bool) -> Split {
    let mut split = Split { cells: Vec::new(), quoted: 0, open: false };
    let mut cell = String::new();
    let mut inside = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        if inside {
            match c {
                '"' if chars.peek() == Some(&'"') => {
                    cell.push('"');
                    chars.next();
                }
                '"' => inside = false,
                _ => cell.push(c),
            }
        } else if c == delimiter {
            split.cells.push(std::mem::take(&mut cell));
        } else if c == '"' && quotes && cell.is_empty() {
            inside = true;
            split.quoted += 1;
        } else {
            cell.push(c);
        }
    }
    split.cells.push(cell);
    split.open = inside;
    split
}

fn judge(lines: &[&str], delimiter: char) -> Dialect {
    let quoting = quoting(lines, delimiter);
    let mut found = Dialect { delimiter: Some(delimiter), quotes: quoting, ..Dialect::default() };
    let mut records: Vec<Vec<String>> = Vec::new();
    let mut rest = lines;
    while let Some((line, behind)) = rest.split_first() {
        rest = behind;
        let mut one = split(line, delimiter, quoting);
        if one.open {
            let Some((closed, lines)) = run(line, behind, delimiter) else {
                found.strays += 1;
                continue;
            };
            found.runs += 1;
            rest = behind.get(lines..).unwrap_or_default();
            one = closed;
        }
        if one.cells.iter().any(|cell| !cell.trim().is_empty()) {
            records.push(one.cells);
        }
    }
    measure(&records, &mut found);
    found
}

/// Whether some cell stands in quotes. A lone quote in the middle of a cell is data.
fn quoting(lines: &[&str], delimiter: char) -> bool {
    if matches!(delimiter, ',' | ';') {
        return true;
    }
    lines.iter().any(|line| {
        let one = split(line, delimiter, true);
        one.quoted > 0 && !one.open
    })
}

fn run(line: &str, behind: &[&str], delimiter: char) -> Option<(Split, usize)> {
    let alone = line.split(delimiter).count();
    let mut joined = line.to_owned();
    for (lines, next) in behind.iter().take(RUN_MAX - 1).enumerate() {
        joined.push('\n');
        joined.push_str(next);
        let one = split(&joined, delimiter, true);
        if !one.open {
            // a stray quote closes at the next one, and then swallows whole lines
            return (one.cells.len() >= alone && one.cells.len() < alone + next.split(delimiter).count() + 1)
                .then_some((one, lines + 1));
        }
    }
    None
}

fn measure(records: &[Vec<String>], found: &mut Dialect) {
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    for record in records {
        *counts.entry(record.len()).or_default() += 1;
    }
    let usual =
        counts.iter().filter(|(cells, _)| **cells >= 2).max_by_key(|(cells, lines)| (**lines, **cells));
    let Some((cells, lines)) = usual else { return };
    (found.cells, found.share) = (*cells, lines * 100 / records.len().max(1));
    let ends = records.iter().filter(|record| record.last().is_some_and(|cell| cell.trim().is_empty()));
    // a last column without heading that is always empty is no column
    let heading_ends =
        records.first().is_some_and(|record| record.last().is_some_and(|cell| cell.trim().is_empty()));
    found.trailing = heading_ends && records.len() > 2 && ends.count() * 100 >= records.len() * 90;
    found.types = types(records);
    if !found.types.is_empty() {
        found.trailing = false;
    }
}

/// Types of records: first cells of one to three letters or figures, few of them, each with one number of cells.
fn types(records: &[Vec<String>]) -> Vec<(String, usize)> {
    let mut seen: Vec<(String, usize, usize)> = Vec::new();
    for record in records {
        let Some(first) = record.first().filter(|first| is_type(first) && record.len() >= 2) else {
            return Vec::new();
        };
        match seen.iter_mut().find(|(name, _, _)| name == first) {
            Some((_, count, cells)) => {
                *count += 1;
                *cells = (*cells).max(record.len());
            }
            None => seen.push((first.clone(), 1, record.len())),
        }
    }
    let widths: std::collections::BTreeSet<usize> = seen.iter().map(|(_, _, cells)| *cells).collect();
    let repeat = seen.iter().filter(|(_, count, _)| *count >= 3).count();
    if seen.len() > 9 || widths.len() < 2 || repeat < 2 {
        return Vec::new();
    }
    seen.into_iter().map(|(name, count, _)| (name, count)).collect()
}

fn is_type(cell: &str) -> bool {
    (1..=3).contains(&cell.len())
        && cell.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, delimiter: Option<char>) -> Dialect {
        let found = dialect(text);
        assert_eq!(found.delimiter, delimiter);
        found
    }

    #[test]
    fn delimiters() {
        assert!(check("a,b,c\n1,2,3\n", Some(',')).quotes);
        assert!(!check("a\tb\n1\t2\n", Some('\t')).quotes);
        assert!(check("a\tb\n1\t\"2,0\"\n", Some('\t')).quotes);
        assert!(check("a|b|\n1|2|\n3|4|\n", Some('|')).trailing);
        assert!(!check("a|b|\n1|x5\"y|\n3|4|\n", Some('|')).quotes);
        assert!(check("sep=;\nShop;Qty\n1;\"a;b\"\n", Some(';')).sep_line);
        check("QD13A100      45    S    15\nQD13A156      02    100   0\n", None);
    }

    #[test]
    fn quotes_over_line_ends() {
        let found = check("a,b,c\n1,\"x\ny\",3\n4,5,6\n", Some(','));
        assert_eq!((found.runs, found.strays), (1, 0));
        let found = check("a,b,c\n1,\"x,3\n4,5,6\n7,8,9\n", Some(','));
        assert_eq!((found.runs, found.strays), (0, 1));
    }

    #[test]
    fn types_of_records() {
        let text = "V|X|0012\nH|1|20130105|a|\nD|1|Q|2|3|4\nP|1|2\nH|2|20130105|a|\nD|1|Q|2|3|4\nP|1|2\nH|3|20130105|a|\nD|1|Q|2|3|4\nP|1|2\nT|9\n";
        let found = check(text, Some('|'));
        assert_eq!(
            found.types.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
            ["V", "H", "D", "P", "T"]
        );
    }
}
