//! Borders of fixed columns that the rows leave open: text at the left of its column, then a number at the right of its own, and
//! between them bytes that are blank in every row. To which of the two the blanks belong, no row tells.

use super::fixed::Span;
use super::lines::Line;
use super::proposal::{Proposal, candidate, why};
use serde_json::{Value, json};

/// Blanks that have to stand between for the border to be open: fewer move it by too little to matter.
const OPEN_LEAST: usize = 4;
/// Widths that columns of text usually have.
const USUAL: [usize; 9] = [10, 12, 15, 16, 20, 24, 30, 40, 50];

/// A border that could be elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Border {
    /// Place of the column of numbers.
    pub place: usize,
    /// Behind the widest text before it.
    pub text_end: usize,
    /// First byte of the widest number.
    pub number: usize,
}

/// Finds open borders between columns.
pub(crate) fn open(rows: &[&Line], spans: &[Span]) -> Vec<Border> {
    let pairs = spans.windows(2).enumerate().filter_map(|(at, pair)| match pair {
        [left, right] => Some((at + 1, left, right)),
        _ => None,
    });
    let found = pairs.filter_map(|(place, left, right)| {
        let filled = |line: &Line, at: usize| line.byte(at) != b' ';
        let ends = rows.iter().map(|line| {
            (left.start..left.end).rev().find(|at| filled(line, *at)).map_or(left.start, |at| at + 1)
        });
        let text_end = ends.max()?;
        let mut number = right.end;
        for line in rows {
            let first = (right.start..right.end).find(|at| filled(line, *at))?;
            let figures = |at: usize| matches!(line.byte(at), b'0'..=b'9' | b'-' | b'.' | b',');
            if !(first..right.end).all(figures) {
                return None;
            }
            number = number.min(first);
        }
        let text = rows.iter().any(|line| !line.byte(text_end.saturating_sub(1)).is_ascii_digit());
        (text && number >= text_end + OPEN_LEAST).then_some(Border { place, text_end, number })
    });
    found.collect()
}

/// Asks where the borders are; the proposal has them behind the text, where no later number is cut.
pub(crate) fn ask(spans: &[Span], names: &[Value], borders: &[Border], proposal: &mut Proposal) {
    let Some(first) = borders.first() else { return };
    let name = |place: usize| names.get(place).and_then(Value::as_str).unwrap_or_default();
    let said: Vec<String> = borders
        .iter()
        .map(|border| {
            let (left, right) = (name(border.place.saturating_sub(1)), name(border.place));
            format!("{left} | {right}: {}-{}", border.text_end + 1, border.number)
        })
        .collect();
    let start = spans.get(first.place.saturating_sub(1)).map_or(0, |span| span.start);
    let mut candidates = vec![candidate(
        columns(spans, names, borders, &|border, _| border.text_end),
        "the blanks belong to the number: no number is cut, but a longer text later makes its row a reject",
    )];
    for width in USUAL {
        let end = start + width;
        if (first.text_end..=first.number).contains(&end) && end > first.text_end {
            let usual = |border: &Border, left: usize| {
                let end = left + width;
                let fits = (border.text_end..=border.number).contains(&end);
                if fits { end } else { border.text_end }
            };
            let shown = format!("the text has {width} bytes, the number begins at byte {}", end + 1);
            candidates.push(candidate(columns(spans, names, borders, &usual), shown));
        }
    }
    let (list, example) = (said.join("; "), "[{\"name\": \"sku\", \"start\": 5, \"width\": 10}]");
    proposal.ask(
        "/container/columns",
        why(
            format!(
                "Bytes that are blank in every row stand between text and number ({list}): where does the number's column begin? Look it up in the description of the file. Too late a border cuts a wider number, too early a one makes a longer text a reject. The answer is the list of all columns, for example {example}"
            ),
            format!(
                "文字与数字之间有每一行都为空的字节（{list}）：数字列从哪里开始？请查阅文件格式说明。边界太靠后会截断更宽的数字，太靠前会使更长的文字成为拒收行。答案是全部列的列表，例如 {example}"
            ),
        ),
        candidates,
    );
}

/// All columns with the open borders at chosen places.
fn columns(
    spans: &[Span],
    names: &[Value],
    borders: &[Border],
    chosen: &dyn Fn(&Border, usize) -> usize,
) -> Value {
    let at = |place: usize| {
        let left = place.checked_sub(1).and_then(|left| spans.get(left)).map_or(0, |span| span.start);
        borders.iter().find(|border| border.place == place).map(|border| chosen(border, left))
    };
    let list = spans.iter().zip(names).enumerate().map(|(place, (span, name))| {
        let start = at(place).unwrap_or(span.start);
        let end = at(place + 1).unwrap_or(span.end);
        json!({"name": name, "start": start + 1, "width": end.saturating_sub(start)})
    });
    Value::Array(list.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_between_text_and_number() {
        let line = |text: &str| Line { bytes: text.as_bytes().to_vec(), text: text.to_owned() };
        let lines = [line("K1  shirt               5"), line("K2  coat               15")];
        let rows: Vec<&Line> = lines.iter().collect();
        let span = |start, end| Span { start, end, heading: String::new() };
        let spans = [span(0, 4), span(4, 9), span(9, 25)];
        let found = open(&rows, &spans);
        assert_eq!(found, [Border { place: 2, text_end: 9, number: 23 }]);
        let names = [json!("sku"), json!("name"), json!("qty")];
        let mut proposal = Proposal::default();
        ask(&spans, &names, &found, &mut proposal);
        let todo = &proposal.todo[0];
        assert!(todo.question.contains("name | qty: 10-23"), "{}", todo.question);
        assert_eq!(todo.candidates[0].value[2], json!({"name": "qty", "start": 10, "width": 16}));
        assert_eq!(todo.candidates[1].value[1], json!({"name": "name", "start": 5, "width": 10}));
        assert_eq!(todo.candidates[1].value[2], json!({"name": "qty", "start": 15, "width": 11}));
    }
}
