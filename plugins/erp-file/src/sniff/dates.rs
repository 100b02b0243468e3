//! Dates and times: which written form a column has, settled from all its values.
//!
//! A form is a pattern in strptime letters. The smallest set of forms that reads the column wins; between forms that read the
//! same values the one whose dates lie closer together does. Where the day and the month could change places (`01/02/2013`) in all
//! values, nothing is guessed: a person is asked.

use jiff::civil::{Date, Time};

/// Forms that are tried, the more usual ones first.
pub(crate) const FORMS: [&str; 38] = [
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d",
    "%Y/%m/%d %p %I:%M:%S",
    "%Y/%m/%d %p %I:%M",
    "%Y-%m-%d %p %I:%M:%S",
    "%Y-%m-%d %p %I:%M",
    "%Y年%m月%d日 %H时%M分%S秒",
    "%Y年%m月%d日 %H时%M分",
    "%Y年%m月%d日 %H:%M:%S",
    "%Y年%m月%d日 %H:%M",
    "%Y年%m月%d日",
    "%Y.%m.%d %H:%M:%S",
    "%Y.%m.%d %H:%M",
    "%Y.%m.%d",
    "%Y%m%d%H%M%S",
    "%Y%m%d%H%M",
    "%Y%m%d %H:%M:%S",
    "%Y%m%d",
    "%Y-%m-%dT%H:%M:%S",
    "rfc3339",
    "epoch_ms",
    "epoch_s",
    "%y-%m-%d",
    "%y/%m/%d",
    "%y.%m.%d",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %H:%M",
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M:%S",
    "%d.%m.%Y",
];

/// A day as a number that grows with time, and whether the form told more than the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// Days, as `YYYYMMDD`.
    pub day: i32,
    /// The time of the day was given too.
    pub timed: bool,
    /// A fraction of a second was written and dropped.
    pub fraction: bool,
}

impl Stamp {
    /// Whether a shop can mean it.
    pub(crate) fn is_plausible(self) -> bool {
        (20_000_101..21_000_101).contains(&self.day)
    }
}

/// Reads text by a form.
pub(crate) fn read(form: &str, text: &str) -> Option<Stamp> {
    match form {
        "rfc3339" => rfc3339(text),
        "epoch_ms" => epoch(text, 13, 1000),
        "epoch_s" => epoch(text, 10, 1),
        _ => strptime(form, text),
    }
}

fn rfc3339(text: &str) -> Option<Stamp> {
    let zoned = text.ends_with('Z') || text.get(19..).is_some_and(|tail| tail.contains(['+', '-']));
    let stamp: jiff::Timestamp = text.parse().ok().filter(|_| zoned)?;
    Some(stamp_of(stamp.to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::offset(8))).date(), true))
}

fn epoch(text: &str, figures: usize, per_second: i64) -> Option<Stamp> {
    let number: i64 = text.parse().ok().filter(|_| text.len() == figures)?;
    let stamp = jiff::Timestamp::from_second(number.checked_div(per_second)?).ok()?;
    Some(stamp_of(stamp.to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::offset(8))).date(), true))
        .filter(|stamp| stamp.is_plausible())
}

fn stamp_of(date: Date, timed: bool) -> Stamp {
    let day = i32::from(date.year()) * 10_000 + i32::from(date.month()) * 100 + i32::from(date.day());
    Stamp { day, timed, fraction: false }
}

#[derive(Default)]
struct Parts {
    year: Option<i16>,
    month: Option<i8>,
    day: Option<i8>,
    hour: Option<i8>,
    minute: i8,
    second: i8,
}

fn strptime(form: &str, text: &str) -> Option<Stamp> {
    let mut parts = Parts::default();
    let mut letters = form.chars().peekable();
    let mut rest = text;
    while let Some(letter) = letters.next() {
        if letter != '%' {
            rest = rest.strip_prefix(letter)?;
            if letter == ' ' {
                rest = rest.trim_start();
            }
            continue;
        }
        let directive = letters.next()?;
        let touching = letters.peek() == Some(&'%');
        rest = directed(directive, touching, rest, &mut parts)?;
    }
    let fraction = rest.strip_prefix('.').is_some_and(|tail| {
        form.ends_with("%S") && !tail.is_empty() && tail.bytes().all(|byte| byte.is_ascii_digit())
    });
    if !rest.is_empty() && !fraction {
        return None;
    }
    let timed = parts.hour.is_some();
    Time::new(parts.hour.unwrap_or_default(), parts.minute, parts.second, 0).ok()?;
    if parts.year.is_none() && timed {
        return Some(Stamp { day: 20_000_101, timed, fraction });
    }
    let date = Date::new(parts.year?, parts.month?, parts.day?).ok()?;
    Some(Stamp { fraction, ..stamp_of(date, timed) })
}

fn directed<'a>(directive: char, touching: bool, rest: &'a str, parts: &mut Parts) -> Option<&'a str> {
    if directive == 'p' {
        return ["上午", "下午", "中午", "凌晨", "晚上", "AM", "PM", "am", "pm"]
            .iter()
            .find_map(|word| rest.strip_prefix(word));
    }
    let most = if directive == 'Y' { 4 } else { 2 };
    let run = rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
    let least = if directive == 'Y' {
        4
    } else if touching || directive == 'y' {
        2
    } else {
        1
    };
    let (figures, behind) = rest.split_at_checked(run).filter(|_| run >= least)?;
    let number: i16 = figures.parse().ok()?;
    let small = i8::try_from(number).ok();
    match directive {
        'Y' => parts.year = Some(number),
        'y' => parts.year = number.checked_add(2000),
        'm' => parts.month = small,
        'd' => parts.day = small,
        'H' => parts.hour = small,
        'I' => parts.hour = small.filter(|hour| (1..=12).contains(hour)),
        'M' => parts.minute = small?,
        'S' => parts.second = small?,
        _ => return None,
    }
    (directive != 'I' || parts.hour.is_some()).then_some(behind)
}

/// What the values of a column say about its form.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settled {
    /// Forms in the order in which to try them.
    pub forms: Vec<&'static str>,
    /// The form that reads most values.
    pub first: Option<&'static str>,
    /// Forms that would do as well as that one: somebody has to say which.
    pub rivals: Vec<&'static str>,
    /// Cells that the forms read.
    pub read: usize,
    /// Values outside 2000 to 2100.
    pub implausible: usize,
    /// Whether values tell the time of the day.
    pub timed: bool,
    /// Whether values have fractions of a second.
    pub fraction: bool,
    /// Whether values are twelve-hour times with Chinese words.
    pub ampm: bool,
}

/// A value and how many cells have it.
type Counted<'a> = (&'a str, usize);

/// Settles the forms of a column from its values and how often each occurs.
pub(crate) fn settle<'a>(values: impl Iterator<Item = Counted<'a>>) -> Settled {
    let mut open: Vec<Counted<'a>> = values.collect();
    let all = cells(&open);
    let mut settled = Settled::default();
    while settled.forms.len() < 8 {
        let Some((form, reads)) = best(&open) else { break };
        // one odd value among many is a fault, not a second form
        if !settled.forms.is_empty() && reads < 2.max(all / 50) {
            break;
        }
        if settled.forms.is_empty() {
            settled.first = Some(form);
            settled.rivals = rivals(form, &open, reads);
        }
        settled.forms.push(form);
        note(form, &open, &mut settled);
        open.retain(|(value, _)| read(form, value).is_none());
    }
    settled.read = all - cells(&open);
    settled.forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
    settled
}

fn cells(values: &[Counted<'_>]) -> usize {
    values.iter().map(|(_, count)| count).sum()
}

fn note(form: &str, values: &[Counted<'_>], settled: &mut Settled) {
    for stamp in values.iter().filter_map(|(value, _)| read(form, value)) {
        settled.implausible += usize::from(!stamp.is_plausible());
        settled.timed |= stamp.timed;
        settled.fraction |= stamp.fraction;
    }
    settled.ampm |= form.contains("%p");
}

fn count(form: &str, values: &[Counted<'_>]) -> usize {
    values.iter().filter(|(value, _)| read(form, value).is_some()).map(|(_, count)| count).sum()
}

/// From the earliest to the latest plausible day.
fn span(form: &str, values: &[Counted<'_>]) -> i32 {
    let days = values.iter().filter_map(|(value, _)| read(form, value)).filter(|stamp| stamp.is_plausible());
    let (first, last) =
        days.fold((i32::MAX, 0), |(first, last), stamp| (first.min(stamp.day), last.max(stamp.day)));
    last.saturating_sub(first)
}

fn best(values: &[Counted<'_>]) -> Option<(&'static str, usize)> {
    let counted = FORMS.iter().enumerate().map(|(rank, form)| (count(form, values), rank, *form));
    let most = counted.clone().map(|(reads, _, _)| reads).max().filter(|most| *most > 0)?;
    let equal = counted.filter(|(reads, _, _)| *reads == most);
    let (reads, _, form) = equal.min_by_key(|(_, rank, form)| (span(form, values), *rank))?;
    Some((form, reads))
}

fn rivals(chosen: &str, values: &[Counted<'_>], reads: usize) -> Vec<&'static str> {
    let own = span(chosen, values);
    let same = |form: &&&str| {
        let close = swaps(form, chosen) || span(form, values) == own;
        **form != chosen && count(form, values) == reads && close
    };
    FORMS.iter().filter(same).copied().filter(|form| differs(form, chosen, values)).collect()
}

/// Whether the forms differ only in which of day and month comes first.
fn swaps(one: &str, other: &str) -> bool {
    one != other && one.replace("%d", "%x").replace("%m", "%d").replace("%x", "%m") == other
}

fn differs(one: &str, other: &str, values: &[Counted<'_>]) -> bool {
    values.iter().any(|(value, _)| {
        read(one, value).map(|stamp| stamp.day) != read(other, value).map(|stamp| stamp.day)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(values: &[&str], forms: &[&str]) {
        assert_eq!(settle(values.iter().map(|value| (*value, 1))).forms, forms);
    }

    #[test]
    fn one_form() {
        check(&["2013-01-05", "2013-1-6"], &["%Y-%m-%d"]);
        check(&["20130105", "20130230", "20130106"], &["%Y%m%d"]);
        check(&["20130105210000"], &["%Y%m%d%H%M%S"]);
        check(&["2013/1/7 下午 7:55:30"], &["%Y/%m/%d %p %I:%M:%S"]);
        check(&["2013-01-05T20:15:00.000"], &["%Y-%m-%dT%H:%M:%S"]);
        check(&["昨天"], &[]);
    }

    #[test]
    fn two_forms() {
        check(
            &["2013年1月2日 10时01分", "2013年01月05日", "2013年1月7日 1时1分", "2013年01月06日"],
            &["%Y年%m月%d日 %H时%M分", "%Y年%m月%d日"],
        );
        check(
            &["2013-01-06T19:02:21+08:00", "2013-01-06T19:02:22Z", "1357462979000", "1357462979001"],
            &["epoch_ms", "rfc3339"],
        );
    }

    #[test]
    fn day_or_month_first() {
        check(&["05/01/2013", "25/01/2013"], &["%d/%m/%Y"]);
        let settled = settle([("05/06/2013", 9)].into_iter());
        assert!(!settled.rivals.is_empty());
        check(&["13-1-5", "13-1-28", "13-2-1"], &["%y-%m-%d"]);
    }
}
