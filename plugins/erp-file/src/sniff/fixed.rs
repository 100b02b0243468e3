//! Fixed columns: where they begin and end, in bytes, with or without a line of headings.
//!
//! With headings a column begins under its heading. Without, a column begins where all lines have something behind a blank, where a
//! known store code or a date stands, where a number with zeros before it begins, and between a colour and a size.

use super::lines::Line;
use super::stores::Known;
use super::words::{self, words};
use super::{clean, dates, numbers};
use std::ops::Range;

/// A column by bytes from 0, end exclusive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Span {
    /// First byte.
    pub start: usize,
    /// Byte behind the last.
    pub end: usize,
    /// Its heading, or a word for what stands in it.
    pub heading: String,
}

/// Columns and the lines that have them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Layout {
    /// The columns.
    pub spans: Vec<Span>,
    /// Places of the lines that are data.
    pub data: Vec<usize>,
    /// Place of the first line of headings.
    pub header: Option<usize>,
}

/// Finds the columns.
pub(crate) fn layout(lines: &[Line], known: &Known, label: &str) -> Option<Layout> {
    with_headings(lines).or_else(|| by_bytes(lines, known, label))
}

// ---- with headings ----

/// Headings with their first bytes: words with blanks between, three of them in the dictionary. Headings of two words have one blank
/// inside, where at least two stand between columns.
fn headings(line: &Line) -> Option<Vec<(usize, String)>> {
    let singles = parts(line);
    let mut joined: Vec<(usize, String)> = Vec::new();
    let mut end = 0;
    for (at, text) in &singles {
        match joined.last_mut() {
            Some((_, last)) if *at == end + 1 => {
                last.push(' ');
                last.push_str(text);
            }
            _ => joined.push((*at, text.clone())),
        }
        end = at + encoding_rs::GBK.encode(text).0.len();
    }
    [joined, singles].into_iter().find_map(|found| {
        let known = found.iter().filter(|(_, word)| words().knows(&clean::heading(word))).count();
        (known >= 3 && known * 3 >= found.len() * 2).then_some(found)
    })
}

/// Words between blanks, with their first bytes.
fn parts(line: &Line) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = Vec::new();
    let mut at = 0;
    for part in line.bytes.split(|byte| *byte == b' ') {
        if !part.is_empty() {
            let (text, _) = encoding_rs::GBK.decode_without_bom_handling(part);
            let text = std::str::from_utf8(part).map_or_else(|_| text.into_owned(), str::to_owned);
            found.push((at, clean::plain(&text)));
        }
        at += part.len() + 1;
    }
    found
}

fn with_headings(lines: &[Line]) -> Option<Layout> {
    let (header, names) =
        lines.iter().enumerate().take(60).find_map(|(at, line)| headings(line).map(|names| (at, names)))?;
    let first = names.first().map_or(0, |(start, _)| *start);
    let fits = |line: &Line| {
        let begins = line.byte(first) != b' ' && !line.text.trim().is_empty();
        begins
            && headings(line).is_none()
            && !is_rule(&line.text)
            && !is_title(&line.text)
            && gaps(line, &names)
    };
    let data: Vec<usize> = (header + 1..lines.len()).filter(|at| lines.get(*at).is_some_and(fits)).collect();
    let rows: Vec<&Line> = data.iter().filter_map(|at| lines.get(*at)).collect();
    let mut starts: Vec<usize> = names.iter().map(|(start, _)| *start).collect();
    // Of the last column there may be nothing but its heading.
    let end = rows.iter().map(|line| line.bytes.len()).max().filter(|end| starts.last() < Some(end));
    let end = end.or(lines.get(header).map(|line| line.bytes.len())).unwrap_or(0);
    for place in 1..starts.len() {
        let ends = starts.get(place + 1).copied().unwrap_or(end);
        let before = starts.get(place - 1).copied().unwrap_or(0);
        let start = starts.get(place).and_then(|start| number_start(&rows, before, *start..ends));
        if let Some((slot, start)) = starts.get_mut(place).zip(start) {
            *slot = start;
        }
    }
    let ends: Vec<usize> = starts.iter().skip(1).copied().chain([end]).collect();
    let spans = names.iter().zip(starts.iter().zip(ends)).map(|((_, heading), (start, end))| Span {
        start: *start,
        end,
        heading: clean::heading(heading),
    });
    (data.len() >= 2).then(|| Layout { spans: spans.collect(), data, header: Some(header) })
}

/// Where a column of numbers that stand at its right begins: in the middle of the gap between the widest text before it and the widest
/// number. A wider number in a later file must not be cut: it would be read as a smaller one. The column that begins at `before`
/// stays in front of it, though nothing may stand there.
fn number_start(rows: &[&Line], before: usize, within: Range<usize>) -> Option<usize> {
    let (mut text_end, mut first, mut last) = (before + 1, usize::MAX, 0);
    for line in rows {
        let filled = within.clone().rev().find(|at| line.byte(*at) != b' ')?;
        let run = (0..filled).rev().find(|at| line.byte(*at) == b' ').map_or(0, |blank| blank + 1);
        if !(run..=filled).all(|at| matches!(line.byte(at), b'0'..=b'9' | b',' | b'.' | b'-')) {
            return None;
        }
        let text = (0..run).rev().find(|at| line.byte(*at) != b' ').map_or(0, |at| at + 1);
        (text_end, first, last) = (text_end.max(text), first.min(run), last.max(run));
    }
    (first < last && text_end < first).then(|| text_end + (first - text_end) / 2)
}

/// A line has something in the last column, and its text does not run through the columns like a sentence.
fn gaps(line: &Line, names: &[(usize, String)]) -> bool {
    let second = names.get(1).map_or(0, |(start, _)| *start);
    let label = line.bytes.get(..second.min(line.bytes.len())).unwrap_or_default();
    let (label, _) = encoding_rs::GBK.decode_without_bom_handling(label);
    let squeezed = clean::heading(&label);
    words::total_word(&squeezed).is_none() && line.bytes.len() > second && !squeezed.contains(':')
}

/// A line of dashes.
pub(crate) fn is_rule(text: &str) -> bool {
    let text = text.trim();
    text.len() >= 3 && text.chars().all(|c| matches!(c, '-' | '=' | '_' | '+' | '*' | '─' | '━' | '┄' | '—'))
}

fn is_title(text: &str) -> bool {
    let text = text.trim();
    text.contains("第")
        && text.contains("页")
        && text.chars().count() < 80
        && clean::plain(text).contains(':')
}

// ---- without headings ----

fn by_bytes(lines: &[Line], known: &Known, label: &str) -> Option<Layout> {
    let usual = usual_length(lines)?;
    let data: Vec<usize> =
        lines.iter().enumerate().filter(|(_, line)| line.bytes.len() == usual).map(|(at, _)| at).collect();
    let rows: Vec<&Line> = data.iter().filter_map(|at| lines.get(*at)).collect();
    let mut cuts: Vec<usize> = vec![0, usual];
    let stores = store_span(&rows, known, usual);
    let dated = date_spans(&rows, usual);
    for (start, end) in stores.iter().chain(&dated) {
        cuts.extend([*start, *end]);
    }
    let fast = cuts.clone();
    cuts.extend(left_starts(&rows, usual));
    normalise(&mut cuts);
    move_numbers(&rows, &mut cuts, &fast);
    let inner = gap_splits(&rows, &cuts);
    cuts.extend(inner);
    normalise(&mut cuts);
    let inner = number_splits(&rows, &cuts, &dated);
    cuts.extend(inner);
    normalise(&mut cuts);
    let inner = size_splits(&rows, &cuts, label);
    cuts.extend(inner);
    normalise(&mut cuts);
    drop_blanks(&rows, &mut cuts);
    let spans: Vec<Span> = cuts
        .windows(2)
        .filter_map(|pair| match pair {
            [start, end] => Some(Span { start: *start, end: *end, heading: String::new() }),
            _ => None,
        })
        .collect();
    (spans.len() >= 3).then_some(Layout { spans, data, header: None })
}

/// A stretch that is blank in all rows belongs to the column before it.
fn drop_blanks(rows: &[&Line], cuts: &mut Vec<usize>) {
    let before = cuts.clone();
    for pair in before.windows(2) {
        let [start, end] = pair else { continue };
        let blank = rows.iter().all(|line| (*start..*end).all(|at| line.byte(at) == b' '));
        if blank && *start > 0 {
            cuts.retain(|cut| cut != start);
        }
    }
}

fn normalise(cuts: &mut Vec<usize>) {
    cuts.sort_unstable();
    cuts.dedup();
}

/// The length that four of five lines have.
fn usual_length(lines: &[Line]) -> Option<usize> {
    let mut lengths: Vec<usize> =
        lines.iter().map(|line| line.bytes.len()).filter(|length| *length > 0).collect();
    lengths.sort_unstable();
    let middle = lengths.get(lengths.len() / 2).copied()?;
    let same = lengths.iter().filter(|length| **length == middle).count();
    (same * 5 >= lengths.len() * 4 && middle >= 8 && same >= 3).then_some(middle)
}

fn most(rows: &[&Line], percent: usize, fits: impl Fn(&Line) -> bool) -> bool {
    let count = rows.iter().filter(|line| fits(line)).count();
    count * 100 >= rows.len() * percent && count > 0
}

fn ascii(line: &Line, start: usize, end: usize) -> &str {
    line.bytes.get(start..end).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
}

/// Where known store codes stand.
fn store_span(rows: &[&Line], known: &Known, usual: usize) -> Option<(usize, usize)> {
    let width = known.width();
    if width == 0 {
        return None;
    }
    (0..usual.saturating_sub(width))
        .find(|at| most(rows, 80, |line| known.is_code(ascii(line, *at, at + width))))
        .map(|at| (at, at + width))
}

/// Where dates of eight figures stand, from the right; times of six figures behind them.
fn date_spans(rows: &[&Line], usual: usize) -> Vec<(usize, usize)> {
    let mut spans: Vec<(usize, usize)> = Vec::new();
    let mut at = usual.saturating_sub(8) + 1;
    while at > 0 {
        at -= 1;
        let free = spans.iter().all(|(start, _)| at + 8 <= *start);
        let dated = |line: &Line| {
            dates::read("%Y%m%d", ascii(line, at, at + 8)).is_some_and(dates::Stamp::is_plausible)
        };
        if free && most(rows, 80, dated) {
            spans.push((at, at + 8));
        }
    }
    spans
}

/// Places where (nearly) every line has something and many have a blank before it.
fn left_starts(rows: &[&Line], usual: usize) -> Vec<usize> {
    let starts = (1..usual).filter(|at| {
        let all = most(rows, 98, |line| line.byte(*at) != b' ');
        let behind_blank = most(rows, 30, |line| line.byte(at - 1) == b' ');
        all && behind_blank
    });
    starts.collect()
}

/// Numbers stand at the right of their column: the column begins behind the widest text before it. Places that are certain stay.
fn move_numbers(rows: &[&Line], cuts: &mut [usize], certain: &[usize]) {
    let before: Vec<usize> = cuts.to_vec();
    for pair in before.windows(2) {
        let [start, cut] = pair else { continue };
        if certain.contains(cut) {
            continue;
        }
        let is_number = rows.iter().all(|line| {
            line.byte(*cut).is_ascii_digit() || line.byte(*cut) == b'-' || line.byte(*cut) > 0x40
        });
        let digits = most(rows, 90, |line| line.byte(*cut).is_ascii_digit() || line.byte(*cut) == b'-');
        let runs = rows.iter().any(|line| line.byte(cut.saturating_sub(1)).is_ascii_digit());
        if !is_number || !digits || !runs {
            continue;
        }
        let text_end = rows
            .iter()
            .map(|line| text_end(line, *start, *cut))
            .filter(|end| end > start)
            .max()
            .unwrap_or(*cut);
        if let Some(slot) = cuts.iter_mut().find(|own| *own == cut) {
            *slot = text_end.min(*cut);
        }
    }
}

/// Behind the last byte of the text in a column, a number at its right end left out.
fn text_end(line: &Line, start: usize, end: usize) -> usize {
    let mut last = end;
    while last > start && matches!(line.byte(last - 1), b'0'..=b'9' | b'-' | b',' | b'.') {
        last -= 1;
    }
    // a number is behind a blank; figures that touch the text belong to it
    if last < end && line.byte(last.saturating_sub(1)) != b' ' {
        last = end;
    }
    while last > start && line.byte(last - 1) == b' ' {
        last -= 1;
    }
    last
}

/// Where bytes inside a column are blank in all rows, and the column ends with something in all: a number at the right of its own column.
fn gap_splits(rows: &[&Line], cuts: &[usize]) -> Vec<usize> {
    let mut found = Vec::new();
    for pair in cuts.windows(2) {
        let [start, end] = pair else { continue };
        let blank = |at: usize| rows.iter().all(|line| line.byte(at) == b' ');
        let filled = |at: usize| most(rows, 98, |line| line.byte(at) != b' ');
        if end - start < 4 || !filled(*start) || !filled(end - 1) {
            continue;
        }
        found.extend((start + 1..end - 1).find(|at| blank(*at)));
    }
    found
}

/// Between a number at the right of its column and the next one with zeros before it.
fn number_splits(rows: &[&Line], cuts: &[usize], dated: &[(usize, usize)]) -> Vec<usize> {
    let mut found = Vec::new();
    for pair in cuts.windows(2) {
        let [start, end] = pair else { continue };
        if dated.contains(&(*start, *end)) || end - start < 4 {
            continue;
        }
        let numeric = |line: &Line| {
            (*start..*end).all(|at| matches!(line.byte(at), b'0'..=b'9' | b' ' | b'-' | b'.' | b','))
        };
        if !most(rows, 90, numeric) {
            continue;
        }
        let minus = (*start + 1..*end - 1)
            .find(|at| rows.iter().any(|line| line.byte(*at) == b'-' && line.byte(at - 1).is_ascii_digit()));
        let zeros = (*start + 1..*end - 1).find(|at| {
            rows.iter().all(|line| line.byte(*at) == b'0')
                && most(rows, 90, |line| line.byte(at - 1).is_ascii_digit() || line.byte(at - 1) == b'-')
                && most(rows, 10, |line| line.byte(*start) == b' ')
        });
        found.extend(minus.map(|at| at + 1).or(zeros));
    }
    found
}

/// Between a colour of two or three figures and a size.
fn size_splits(rows: &[&Line], cuts: &[usize], label: &str) -> Vec<usize> {
    let mut found = Vec::new();
    for pair in cuts.windows(2) {
        let [start, end] = pair else { continue };
        let whole_sizes = most(rows, 90, |line| words::is_size(&line.slice(*start, *end, label)));
        if whole_sizes || end - start < 3 {
            continue;
        }
        let split = (start + 2..*end.min(&(start + 4))).find(|cut| {
            let sizes = most(rows, 90, |line| words::is_size(&line.slice(*cut, *end, label)));
            let codes =
                most(rows, 95, |line| ascii(line, *start, *cut).bytes().all(|byte| byte.is_ascii_digit()));
            sizes && codes
        });
        found.extend(split);
    }
    found
}

/// Whether a text is a number of a line that counts others.
pub(crate) fn counts(text: &str) -> Option<i128> {
    numbers::parse(text).filter(numbers::Number::is_whole).map(|number| number.value / numbers::ONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(texts: &[&str]) -> Vec<Line> {
        let line = |text: &&str| {
            let (bytes, _, _) = encoding_rs::GBK.encode(text);
            Line { bytes: bytes.into_owned(), text: (*text).to_owned() }
        };
        texts.iter().map(line).collect()
    }

    #[test]
    fn under_headings() {
        let found = layout(
            &lines(&[
                "款号          色号  尺码    品名                  数量",
                "----------------------------------------------------",
                "QD13A100      45    S       女士圆领针织衫            15",
                "QD13B135      01    130     儿童纯棉T恤            1,203",
                "合    计                                           1,218",
            ]),
            &Known::default(),
            "gbk",
        )
        .expect("columns");
        assert_eq!(found.data, [2, 3]);
        let starts: Vec<usize> = found.spans.iter().map(|span| span.start).collect();
        assert_eq!(starts.get(..4), Some(&[0, 14, 20, 28][..]));
    }

    #[test]
    fn columns_have_a_width_whatever_is_missing() {
        let spans = |texts: &[&str]| {
            let found = layout(&lines(texts), &Known::default(), "gbk").expect("columns");
            found.spans.iter().map(|span| (span.start, span.end)).collect::<Vec<_>>()
        };
        // The rows end before the last heading.
        assert_eq!(
            spans(&["款号      色号  尺码  数量", "QD13A100  45", "QD13B135  01"]),
            [(0, 10), (10, 16), (16, 22), (22, 26)]
        );
        // Nothing stands before a number in the columns beside it.
        let blank = ["款号  色号  尺码  数量", "1                    5", "1                1,203"];
        let found = spans(&blank);
        assert!(found.iter().all(|(start, end)| start < end), "{found:?}");
        assert!(
            found.windows(2).all(|pair| matches!(pair, [(_, end), (start, _)] if end == start)),
            "{found:?}"
        );
    }

    #[test]
    fn by_what_stands_in_them() {
        let known = Known::new(
            &[("0012".to_owned(), String::new()), ("0108".to_owned(), String::new())].into(),
            None,
        );
        let found = layout(
            &lines(&[
                "0108QD13A100    30M     女士针织衫         100003990020130105",
                "0012QD13A100    452XL   女士针织衫        1-00003990020130105",
                "0012QD13A128    1132    男士衬衫           100001990020130105",
                "0012QD13A156    2390    女士针织衫      150000003990020130105",
            ]),
            &known,
            "gbk",
        )
        .expect("columns");
        let spans: Vec<(usize, usize)> = found.spans.iter().map(|span| (span.start, span.end)).collect();
        assert_eq!(spans, [(0, 4), (4, 16), (16, 18), (18, 24), (24, 34), (34, 44), (44, 53), (53, 61)]);
    }
}
