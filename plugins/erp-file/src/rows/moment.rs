//! Dates and times: forms in the letters of strptime, days of spreadsheets, and two cells that are one moment.

use crate::mapping::{Field, Mapping};
use jiff::civil::{Date, DateTime, Time};
use jiff::{Span, tz::Offset};
use qudao_sdk::model::Timestamp;
use qudao_sdk::model::file::Precision;

mod form;
use form::Form;

/// Kind of the reject of a text that is no date.
pub(crate) const BAD: &str = "bad_date";
/// Kind of the reject of a date that cannot be meant.
pub(crate) const OUT: &str = "date_out_of_range";

/// How the dates of a member are written.
#[derive(Debug, Clone)]
pub(crate) struct Moments {
    forms: Vec<Form>,
    times: Vec<Form>,
    pad: usize,
    drop_fraction: bool,
    /// Day that the number 0 stands for, and the least and largest number.
    serial: Option<(Date, [i64; 2])>,
    range: [Date; 2],
    offset: Offset,
}

/// A moment of the file's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    /// Local time.
    pub(crate) at: DateTime,
    /// How exact it is.
    pub(crate) precision: Precision,
}

impl Moments {
    /// As a field writes them. `date1904` is what the workbook itself says.
    pub(crate) fn of(field: &Field, mapping: &Mapping, date1904: Option<bool>) -> Moments {
        let zh = field.ampm_zh;
        let dates: Vec<Form> =
            field.formats.iter().flatten().filter_map(|text| Form::parse(text, zh).ok()).collect();
        let native = dates.is_empty();
        let base = field
            .excel_serial
            .or(date1904.map(|late| if late { 1904 } else { 1900 }))
            .or(native.then_some(1900));
        let serial = base.filter(|_| field.excel_serial.is_some() || native).map(|base| {
            let zero = if base == 1904 { Date::constant(1904, 1, 1) } else { Date::constant(1899, 12, 30) };
            (zero, field.excel_serial_range.unwrap_or([20_000, 80_000]))
        });
        Moments {
            forms: dates,
            times: field.time_formats.iter().filter_map(|text| Form::parse(text, zh).ok()).collect(),
            pad: field.time_pad.and_then(|pad| usize::try_from(pad).ok()).unwrap_or(0).min(20),
            drop_fraction: field.drop_fraction,
            serial,
            range: range(mapping),
            offset: Offset::from_seconds(mapping.offset_seconds()).unwrap_or(Offset::UTC),
        }
    }

    /// Reads a text, or the text of a number.
    pub(crate) fn read(&self, text: &str) -> Result<Moment, &'static str> {
        let text = if self.drop_fraction { without_fraction(text) } else { text };
        let written = self.forms.iter().find_map(|form| form.read(text, self.offset));
        let moment = written.or_else(|| self.day(text)).ok_or(BAD)?;
        self.within(moment)
    }

    /// Reads what a container holds as a date and time: `2013-01-05T20:15:00`.
    pub(crate) fn read_native(&self, text: &str) -> Result<Moment, &'static str> {
        let at: DateTime = text.parse().map_err(|_| BAD)?;
        let at = whole_second(at).ok_or(BAD)?;
        let precision = if at.time() == Time::midnight() { Precision::Day } else { Precision::Second };
        self.within(Moment { at, precision })
    }

    /// Puts a time of the day, written apart, to a day.
    pub(crate) fn with_time(&self, moment: Moment, text: &str) -> Result<Moment, &'static str> {
        let padded = format!("{text:0>width$}", width = self.pad);
        let read = self.times.iter().find_map(|form| form.read(&padded, self.offset)).ok_or(BAD)?;
        Ok(Moment { at: moment.at.date().to_datetime(read.at.time()), precision: read.precision })
    }

    /// Seconds since 1970 in UTC.
    pub(crate) fn unix(&self, moment: Moment) -> Option<i64> {
        self.offset.to_timestamp(moment.at).ok().map(Timestamp::as_second)
    }

    fn within(&self, moment: Moment) -> Result<Moment, &'static str> {
        let [first, last] = self.range;
        if (first..=last).contains(&moment.at.date()) { Ok(moment) } else { Err(OUT) }
    }

    /// A day of a spreadsheet, with a fraction for the time.
    fn day(&self, text: &str) -> Option<Moment> {
        let (zero, [least, most]) = self.serial?;
        let (days, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let fraction = fraction.get(..15).unwrap_or(fraction);
        if days.len() > 6 || !digits(days) || !digits(fraction) {
            return None;
        }
        let days: i64 = days.parse().ok().filter(|days| (least..=most).contains(days))?;
        let scale = 10_i128.pow(u32::try_from(fraction.len()).ok()?);
        let seconds = (fraction.parse::<i128>().ok()? * 86_400 * 2 + scale) / (scale * 2);
        let span = Span::new().try_days(days).ok()?.try_seconds(i64::try_from(seconds).ok()?).ok()?;
        let at = zero.to_datetime(Time::midnight()).checked_add(span).ok()?;
        let precision = if seconds == 0 { Precision::Day } else { Precision::Second };
        Some(Moment { at, precision })
    }
}

/// What is wrong with a form, if anything.
pub(crate) fn wrong_form(text: &str, ampm_zh: bool) -> Option<String> {
    Form::parse(text, ampm_zh).err()
}

/// First and last day that a date may be.
fn range(mapping: &Mapping) -> [Date; 2] {
    let usual = [Date::constant(2000, 1, 1), Date::constant(2100, 1, 1)];
    let read = |text: &String| text.parse().ok();
    match &mapping.date_range {
        Some([first, last]) => match (read(first), read(last)) {
            (Some(first), Some(last)) => [first, last],
            _ => usual,
        },
        None => usual,
    }
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn without_fraction(text: &str) -> &str {
    match text.rsplit_once('.') {
        Some((kept, fraction)) if digits(fraction) && kept.contains(':') => kept,
        _ => text,
    }
}

fn whole_second(at: DateTime) -> Option<DateTime> {
    at.with().subsec_nanosecond(0).build().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::FieldType;
    use serde_json::json;

    fn moments(extra: &serde_json::Value) -> Moments {
        let mut field = json!({"to": "occurred_at", "from": "日期", "type": FieldType::Datetime});
        field.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let mapping = json!({"kind": "stock_delta", "container": {"format": "delimited"}, "fields": []});
        Moments::of(&serde_json::from_value(field).unwrap(), &serde_json::from_value(mapping).unwrap(), None)
    }

    fn told(moments: &Moments, text: &str) -> String {
        match moments.read(text) {
            Ok(moment) => {
                let at = Timestamp::from_second(moments.unix(moment).unwrap()).unwrap();
                format!("{at} {:?}", moment.precision)
            }
            Err(kind) => kind.to_owned(),
        }
    }

    #[test]
    fn forms_are_tried_in_order() {
        let moments =
            moments(&json!({"formats": ["%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y年%m月%d日", "%Y%m%d"]}));
        let check = |text: &str, expect: &str| assert_eq!(told(&moments, text), expect, "{text}");
        check("2013-1-5 20:07:00", "2013-01-05T12:07:00Z Second");
        check("2013/01/05 8:07", "2013-01-05T00:07:00Z Minute");
        check("2013年1月5日", "2013-01-04T16:00:00Z Day");
        check("20130105", "2013-01-04T16:00:00Z Day");
        check("2013105", BAD);
        check("2013-02-29 00:00:00", BAD);
        check("2013/1/32 00:00", BAD);
        check("1899年12月30日", OUT);
        check("1/5/2013", BAD);
        check("41279", BAD);
    }

    #[test]
    fn spreadsheets_count_days() {
        let early = moments(&json!({"formats": ["%Y%m%d"], "excel_serial": 1900}));
        assert_eq!(told(&early, "41279"), "2013-01-04T16:00:00Z Day");
        assert_eq!(told(&early, "41279.5"), "2013-01-05T04:00:00Z Second");
        assert_eq!(told(&early, "41279.836805555555"), "2013-01-05T12:05:00Z Second");
        assert_eq!(told(&early, "20130105"), "2013-01-04T16:00:00Z Day");
        assert_eq!(told(&early, "12"), BAD);
        let late = moments(&json!({"formats": [], "excel_serial": 1904}));
        assert_eq!(told(&late, "39817"), "2013-01-04T16:00:00Z Day");
    }

    #[test]
    fn special_forms() {
        let machine = moments(&json!({"formats": ["rfc3339", "epoch_ms"]}));
        assert_eq!(told(&machine, "2013-01-06T19:02:21+08:00"), "2013-01-06T11:02:21Z Second");
        assert_eq!(told(&machine, "1357462979000"), "2013-01-06T09:02:59Z Second");
        let zh = moments(&json!({"formats": ["%Y/%m/%d %p %I:%M:%S"], "ampm_zh": true}));
        assert_eq!(told(&zh, "2013/1/7 下午 12:05:30"), "2013-01-07T04:05:30Z Second");
        assert_eq!(told(&zh, "2013/1/7 上午 12:05:30"), "2013-01-06T16:05:30Z Second");
        let iso = moments(&json!({"formats": ["%Y-%m-%dT%H:%M:%S"], "drop_fraction": true}));
        assert_eq!(told(&iso, "2013-01-05T20:15:00.000"), "2013-01-05T12:15:00Z Second");
        let short = moments(&json!({"formats": ["%y-%m-%d"]}));
        assert_eq!(told(&short, "13-1-5"), "2013-01-04T16:00:00Z Day");
    }

    #[test]
    fn a_time_of_its_own_cell() {
        let apart = moments(&json!({"formats": ["%Y%m%d"], "time_formats": ["%H%M%S"], "time_pad": 6}));
        let day = apart.read("20130105").unwrap();
        let at = apart.with_time(day, "93005").unwrap();
        assert_eq!(at.at.to_string(), "2013-01-05T09:30:05");
        assert_eq!(apart.with_time(day, "250000"), Err(BAD));
    }
}
