//! One form of a date, in the letters of strptime.

use super::{Moment, whole_second};
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;
use qudao_sdk::model::Timestamp;
use qudao_sdk::model::file::Precision;

/// A form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Form {
    /// RFC 3339 with its own offset.
    Rfc3339,
    /// Seconds since 1970, in so many parts of one.
    Epoch(i64),
    /// Letters.
    Letters(Vec<Item>),
}

/// A part of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Item {
    /// A number of the date.
    Number {
        /// Letter of the directive.
        letter: char,
        /// Fewest digits: as many as `most` where another number touches.
        least: usize,
        /// Most digits.
        most: usize,
    },
    /// Before or after noon; true where it is written in Chinese.
    Noon(bool),
    /// One blank or more.
    Blank,
    /// The character itself.
    Literal(char),
}

impl Form {
    /// Reads a form; the error says what is wrong with it.
    pub(crate) fn parse(text: &str, ampm_zh: bool) -> Result<Form, String> {
        match text {
            "rfc3339" => return Ok(Form::Rfc3339),
            "epoch_s" => return Ok(Form::Epoch(1)),
            "epoch_ms" => return Ok(Form::Epoch(1000)),
            _ => {}
        }
        let folded = super::super::clean::folded(text);
        let mut items = Vec::new();
        let mut letters = folded.chars();
        while let Some(letter) = letters.next() {
            let item = match letter {
                '%' => directive(letters.next(), ampm_zh)?,
                letter if letter.is_whitespace() => Item::Blank,
                letter => Item::Literal(letter),
            };
            if item != Item::Blank || items.last() != Some(&Item::Blank) {
                items.push(item);
            }
        }
        if !items.iter().any(|item| matches!(item, Item::Number { .. })) {
            return Err(format!("`{text}` has no directive such as %Y, %m or %d"));
        }
        touch(&mut items);
        Ok(Form::Letters(items))
    }

    /// Reads a text by the form, all of it.
    pub(crate) fn read(&self, text: &str, offset: Offset) -> Option<Moment> {
        match self {
            Form::Rfc3339 => {
                let at: Timestamp = text.parse().ok()?;
                Some(Moment { at: whole_second(offset.to_datetime(at))?, precision: Precision::Second })
            }
            Form::Epoch(parts) => {
                let number: i64 = text.parse().ok()?;
                let at = Timestamp::from_second(number.checked_div_euclid(*parts)?).ok()?;
                Some(Moment { at: offset.to_datetime(at), precision: Precision::Second })
            }
            Form::Letters(items) => letters(items, text),
        }
    }
}

fn directive(letter: Option<char>, zh: bool) -> Result<Item, String> {
    let (least, most) = match letter {
        Some('Y') => (4, 4),
        Some('y') => (2, 2),
        Some('m' | 'd' | 'H' | 'I' | 'M' | 'S') => (1, 2),
        Some('f') => (1, 9),
        Some('p') => return Ok(Item::Noon(zh)),
        Some('%') => return Ok(Item::Literal('%')),
        Some(letter) => return Err(format!("%{letter} is none of %Y %y %m %d %H %I %M %S %f %p")),
        None => return Err("a % stands at the end".to_owned()),
    };
    Ok(Item::Number { letter: letter.unwrap_or('%'), least, most })
}

/// Where two numbers touch, both have all their digits.
fn touch(items: &mut [Item]) {
    let numbers: Vec<bool> = items.iter().map(|item| matches!(item, Item::Number { .. })).collect();
    for (index, item) in items.iter_mut().enumerate() {
        let before = index.checked_sub(1).and_then(|index| numbers.get(index)) == Some(&true);
        let behind = numbers.get(index + 1) == Some(&true);
        if let Item::Number { least, most, letter } = item
            && (before || behind)
            && *letter != 'f'
        {
            *least = *most;
        }
    }
}

/// What was read so far.
#[derive(Default)]
struct Parts {
    year: Option<i16>,
    month: Option<i8>,
    day: Option<i8>,
    hour: Option<i8>,
    minute: Option<i8>,
    second: Option<i8>,
    afternoon: Option<bool>,
}

fn letters(items: &[Item], text: &str) -> Option<Moment> {
    let mut parts = Parts::default();
    let mut rest = text;
    for item in items {
        rest = match item {
            Item::Number { letter, least, most } => {
                let digits = rest.bytes().take(*most).take_while(u8::is_ascii_digit).count();
                let (number, behind) = rest.split_at_checked(digits).filter(|_| digits >= *least)?;
                parts.set(*letter, number)?;
                behind
            }
            Item::Noon(zh) => {
                let (afternoon, behind) = noon(rest, *zh)?;
                parts.afternoon = Some(afternoon);
                behind
            }
            Item::Blank => {
                let behind = rest.trim_start();
                (behind.len() < rest.len()).then_some(behind)?
            }
            Item::Literal(letter) => rest.strip_prefix(*letter)?,
        };
    }
    if rest.is_empty() { parts.moment() } else { None }
}

fn noon(rest: &str, zh: bool) -> Option<(bool, &str)> {
    let words: &[(&str, bool)] = if zh {
        &[("上午", false), ("下午", true), ("AM", false), ("PM", true), ("am", false), ("pm", true)]
    } else {
        &[("AM", false), ("PM", true), ("am", false), ("pm", true)]
    };
    words.iter().find_map(|(word, afternoon)| rest.strip_prefix(word).map(|rest| (*afternoon, rest)))
}

impl Parts {
    fn set(&mut self, letter: char, digits: &str) -> Option<()> {
        let small = || digits.parse::<i8>().ok();
        match letter {
            'Y' => self.year = Some(digits.parse().ok()?),
            'y' => self.year = Some(2000 + digits.parse::<i16>().ok()?),
            'm' => self.month = Some(small()?),
            'd' => self.day = Some(small()?),
            'H' => self.hour = Some(small()?),
            'I' => self.hour = Some(small().filter(|hour| (1..=12).contains(hour))?),
            'M' => self.minute = Some(small()?),
            'S' => self.second = Some(small()?),
            _ => {}
        }
        Some(())
    }

    /// A form without a day is a time of the day; it stands on the first day of 1970.
    fn moment(&self) -> Option<Moment> {
        let date = match (self.year, self.month, self.day) {
            (Some(year), Some(month), Some(day)) => Date::new(year, month, day).ok()?,
            (None, None, None) => Date::constant(1970, 1, 1),
            _ => return None,
        };
        let hour = match (self.hour, self.afternoon) {
            (Some(12), Some(false)) => 0,
            (Some(hour), Some(true)) if hour < 12 => hour + 12,
            (hour, _) => hour.unwrap_or(0),
        };
        let time = Time::new(hour, self.minute.unwrap_or(0), self.second.unwrap_or(0), 0).ok()?;
        let precision = match (self.hour, self.second) {
            (None, _) => Precision::Day,
            (Some(_), None) => Precision::Minute,
            (Some(_), Some(_)) => Precision::Second,
        };
        Some(Moment { at: DateTime::from_parts(date, time), precision })
    }
}
