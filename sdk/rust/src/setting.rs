//! Lengths of time and times among a channel's settings.
//!
//! Both are texts in connectors.yaml. The schema refuses most wrong ones before anything runs, with their line; what it lets
//! through is refused here, in the same words for every connector. Which lengths are allowed is the connector's to say.

use crate::{Failure, Timestamp};
use jiff::SignedDuration;

/// A time of RFC 3339, for the schema: `#[schemars(regex(pattern = setting::TIME))]`. It takes 29 February of every year, which
/// only [`time`] can tell.
pub const TIME: &str = concat!(
    r"^[0-9]{4}-",
    r"((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|[12][0-9]))",
    r"[Tt ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?",
    r"([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$",
);

/// Reads a length of time such as `10m`, if the setting is there.
///
/// ```
/// use qudao_sdk::setting;
/// let overlap = setting::length("overlap", Some("10m")).unwrap();
/// assert_eq!(overlap.unwrap().as_secs(), 600);
/// assert_eq!(setting::length("overlap", None), Ok(None));
/// let failure = setting::length("overlap", Some("soon")).unwrap_err();
/// assert_eq!(failure.to_string(), "bad_settings: the setting `overlap` is no length of time such as `10m`");
/// ```
pub fn length(name: &str, text: Option<&str>) -> Result<Option<SignedDuration>, Failure> {
    let length = text.map(str::parse).transpose();
    length.map_err(|_| bad(name, "no length of time such as `10m`"))
}

/// Reads a time of RFC 3339, if the setting is there.
///
/// ```
/// use qudao_sdk::setting;
/// let since = setting::time("since", Some("2026-01-31T00:00:00+08:00")).unwrap();
/// assert_eq!(since.unwrap().to_string(), "2026-01-30T16:00:00Z");
/// assert!(setting::time("since", Some("yesterday")).is_err());
/// ```
pub fn time(name: &str, text: Option<&str>) -> Result<Option<Timestamp>, Failure> {
    let time = text.map(str::parse).transpose();
    time.map_err(|_| bad(name, "no time such as `2026-01-31T00:00:00+08:00`"))
}

/// That a setting is not what it has to be, for the operator to set right.
///
/// ```
/// let failure = qudao_sdk::setting::bad("overlap", "not within 0s to 6h");
/// assert_eq!(failure.to_string(), "bad_settings: the setting `overlap` is not within 0s to 6h");
/// ```
pub fn bad(name: &str, is: &str) -> Failure {
    Failure::operator("bad_settings", format!("the setting `{name}` is {is}"))
}
