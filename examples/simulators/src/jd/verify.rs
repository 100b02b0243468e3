//! Whether a call may come in.

use super::gateway::Refusal;
use crate::digest::{joined, md5_wrapped};
use crate::engine::Parameters;
use crate::local_time::unix;

/// The gateway's tolerance either way.
const SKEW_S: i64 = 360;

pub(super) struct Caller<'a> {
    pub(super) app_key: &'a str,
    pub(super) secret: &'a str,
    pub(super) token: &'a str,
    pub(super) now: i64,
}

impl Caller<'_> {
    /// Nothing, or why not.
    pub(super) fn check(&self, asked: &Parameters) -> Result<(), Refusal> {
        let given = |name, missing: Refusal| asked.get(name).ok_or(missing);
        if given("v", Refusal::of("4", "Missing Version", "缺少版本参数"))? != "2.0" {
            return Err(Refusal::of("5", "Unsupported Version", "不支持的版本号"));
        }
        let timestamp = given("timestamp", Refusal::of("7", "Missing Timestamp", "缺少时间戳参数"))?;
        if moment(timestamp).is_none_or(|at| (at - self.now).abs() > SKEW_S) {
            return Err(Refusal::of("8", "Invalid Timestamp", "非法的时间戳参数"));
        }
        let app_key = given("app_key", Refusal::of("20", "Missing app_key", "缺少app_key参数"))?;
        let sign = given("sign", Refusal::of("11", "Missing Signature", "缺少签名参数"))?;
        let text = joined(asked.pairs().filter(|(_, value)| !value.starts_with('@')));
        if app_key != self.app_key || md5_wrapped(self.secret, text.as_bytes()) != sign {
            return Err(Refusal::of("12", "Invalid Signature", "无效签名"));
        }
        let token = given("access_token", Refusal::of("18", "Missing access_token", "缺少access_token参数"))?;
        if token != self.token {
            return Err(Refusal::of("19", "Invalid access_token", "无效access_token"));
        }
        Ok(())
    }
}

/// `yyyy-MM-dd HH:mm:ss`, or the newer form with milliseconds and offset.
fn moment(text: &str) -> Option<i64> {
    unix(text.strip_suffix("+0800").and_then(|text| text.rsplit_once('.')).map_or(text, |(whole, _)| whole))
}
