//! Settings of a channel that the gateway itself acts on, whatever its connector: where files appear, and what figures mean.

use crate::FileSettings;
use qudao_model::stock::Reports;
use qudao_storage::{SameDay, StockPolicy, Tier};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::Duration,
};

/// How long a file must not have changed where nobody says it: a slow copy over a line pauses for seconds.
const SETTLE: Duration = Duration::from_secs(30);

/// A folder that is looked into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Watch {
    /// Which.
    pub(crate) folder: PathBuf,
    /// Which files, by name, where `*` stands for any text; all where it is absent.
    pub(crate) names: Option<String>,
    /// How long size and times of a file must stay the same.
    pub(crate) settle: Duration,
    /// Ending of the name of an empty file that says that the one without it is complete: `.ok`.
    pub(crate) marker: Option<String>,
}

/// The folder of a channel; relative to `base`. Two channels can share one: `inbox/STK_*.csv`, `inbox/SALE_*.csv`.
pub(crate) fn watch(settings: &Value, base: &Path) -> Option<Watch> {
    let written = text(settings, "watch")?;
    let (folder, names) = match written.rsplit_once('/').unwrap_or(("", written)) {
        (folder, names) if names.contains('*') => (folder, Some(names.to_owned())),
        _ => (written, None),
    };
    let marker = text(settings, "marker").map(str::to_owned);
    let settle = span(settings, "settle").unwrap_or(SETTLE);
    Some(Watch { folder: base.join(folder), names, settle, marker })
}

/// What the figures of a channel mean. What becomes of a day's movement beside a day's figure is said in its mapping, `document`.
pub(crate) fn policy(settings: &Value, document: &str) -> StockPolicy {
    let default = StockPolicy::default();
    let number = |name: &str| settings.get(name).and_then(Value::as_i64);
    StockPolicy {
        reports: match text(settings, "reports") {
            Some("available") => Reports::Available,
            _ => Reports::OnHand,
        },
        tier: match text(settings, "tier").map(str::to_ascii_lowercase).as_deref() {
            Some("e1") => Tier::E1,
            Some("e2") => Tier::E2,
            _ => Tier::E0,
        },
        skew: span(settings, "skew").unwrap_or(default.skew),
        post_lag: span(settings, "post_lag").unwrap_or(default.post_lag),
        stale_after: span(settings, "stale_after").unwrap_or(default.stale_after),
        safety: number("safety").unwrap_or(default.safety),
        same_day: match settings.get(document).and_then(|mapping| text(mapping, "same_day")) {
            Some("delta_after") => SameDay::DeltaAfter,
            _ => default.same_day,
        },
        epoch: number("epoch").unwrap_or(default.epoch),
    }
}

/// Stores that there are, where somebody wrote them down.
pub(crate) fn known(settings: &Value) -> Option<BTreeSet<String>> {
    let stores = settings.get("stores").and_then(Value::as_object)?;
    Some(stores.keys().cloned().collect())
}

/// Member of the document that the settings hold.
pub(crate) fn of_document<'a>(files: &'a FileSettings, document: &str, member: &str) -> Option<&'a Value> {
    files.settings.get(document)?.get(member)
}

/// Whether a name fits a pattern; `*` is any text, everything else is itself.
pub(crate) fn fits(pattern: &str, name: &str) -> bool {
    let Some((begin, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut left) = name.strip_prefix(begin) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        match left.split_once(part) {
            Some((_, after)) => left = after,
            None => return false,
        }
    }
    left.ends_with(end)
}

fn text<'a>(settings: &'a Value, name: &str) -> Option<&'a str> {
    settings.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// `30s`, `5m`, `36h`, `500ms`, or a number of seconds.
fn span(settings: &Value, name: &str) -> Option<Duration> {
    let value = settings.get(name)?;
    if let Some(seconds) = value.as_u64() {
        return Some(Duration::from_secs(seconds));
    }
    let text = value.as_str()?;
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits)?;
    let number: u64 = number.parse().ok()?;
    match unit {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" => number.checked_mul(60).map(Duration::from_secs),
        "h" => number.checked_mul(3600).map(Duration::from_secs),
        "d" => number.checked_mul(86400).map(Duration::from_secs),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn spans_are_read() {
        let check = |value: Value, expect: Option<u64>| {
            let settings = json!({ "settle": value });
            assert_eq!(span(&settings, "settle"), expect.map(Duration::from_millis), "{settings}");
        };
        check(json!("30s"), Some(30_000));
        check(json!("500ms"), Some(500));
        check(json!("36h"), Some(36 * 3_600_000));
        check(json!(2), Some(2000));
        check(json!("soon"), None);
        check(json!("30"), None);
        check(json!(null), None);
    }

    #[test]
    fn two_channels_share_a_folder_by_the_names_of_files() {
        let base = Path::new("/etc/qudao");
        let watched = watch(&json!({"watch": "inbox/store/STK_*.csv"}), base).unwrap();
        assert_eq!(watched.folder, Path::new("/etc/qudao/inbox/store"));
        assert_eq!(watched.names.as_deref(), Some("STK_*.csv"));
        assert_eq!(watch(&json!({"watch": "*.csv"}), base).unwrap().folder, base);
        for (pattern, name, expect) in [
            ("STK_*.csv", "STK_20260120.csv", true),
            ("STK_*.csv", "STK_.csv", true),
            ("STK_*.csv", "SALE_20260120.csv", false),
            ("STK_*.csv", "STK_20260120.xls", false),
            ("*库存*.xls", "门店库存日报.xls", true),
            ("*库存*.xls", "门店销售日报.xls", false),
            ("a*a", "a", false),
            ("*", "anything", true),
        ] {
            assert_eq!(fits(pattern, name), expect, "{pattern} {name}");
        }
    }

    #[test]
    fn what_is_not_said_is_as_usual() {
        let base = Path::new("/etc/qudao");
        assert_eq!(policy(&json!({}), "mapping"), StockPolicy::default());
        assert_eq!(watch(&json!({}), base), None);
        let watched = watch(&json!({"watch": "inbox/0012", "marker": ".ok"}), base).unwrap();
        assert_eq!((watched.folder.as_path(), watched.settle), (Path::new("/etc/qudao/inbox/0012"), SETTLE));
        let written = json!({
            "reports": "available", "tier": "e2", "post_lag": "4h", "safety": 2, "epoch": 1,
            "mapping": {"same_day": "delta_after"},
        });
        let told = policy(&written, "mapping");
        assert_eq!((told.safety, told.epoch), (2, 1));
        assert_eq!(
            (told.reports, told.tier, told.same_day),
            (Reports::Available, Tier::E2, SameDay::DeltaAfter)
        );
        assert_eq!(known(&json!({"stores": {"0012": "x"}})).unwrap().len(), 1);
    }
}
