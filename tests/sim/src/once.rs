//! A command leaves a second time only after the platform was asked what became of the first.
//!
//! A platform that knows a number does nothing twice under it, so that what it did says nothing about this; its calls do.

use qudao_sim::calls::Call;

/// Calls that give money back.
const GIVES: [&str; 2] = ["POST /v3/refund/domestic/refunds", "alipay.trade.refund"];
/// Calls that ask about it; with WeChat Pay its number stands behind the path.
const WECHAT_ASKS: &str = "GET /v3/refund/domestic/refunds/";
const ALIPAY_ASKS: &str = "alipay.trade.fastpay.refund.query";

/// Asserts it of the refund of this number.
pub(crate) fn hold(calls: &[Call], no: &str) {
    let mut is_done = false;
    for call in calls {
        if asks(call, no) {
            is_done = false;
        } else if GIVES.contains(&call.name.as_str()) && call.about.as_deref() == Some(no) {
            assert!(
                !is_done,
                "refund {no} was done, and was sent again although nobody had asked what became of it"
            );
            is_done = call.applied && call.outcome == "ok";
        }
    }
}

fn asks(call: &Call, no: &str) -> bool {
    call.name.strip_prefix(WECHAT_ASKS) == Some(no)
        || (call.name == ALIPAY_ASKS && call.about.as_deref() == Some(no))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(name: &str, about: Option<&str>, applied: bool) -> Call {
        let (outcome, about) = ("ok".to_owned(), about.map(str::to_owned));
        Call { at: 0, name: name.to_owned(), about, outcome, applied, answered: false, faults: Vec::new() }
    }

    #[test]
    fn what_was_asked_about_or_never_came_may_leave_again() {
        let [wechat, alipay] = GIVES;
        let asked = format!("{WECHAT_ASKS}R1");
        hold(
            &[call(wechat, Some("R1"), true), call(&asked, None, true), call(wechat, Some("R1"), true)],
            "R1",
        );
        hold(&[call(alipay, Some("R1"), false), call(alipay, Some("R1"), true)], "R1");
        hold(&[call(alipay, Some("R1"), true), call(alipay, Some("R2"), true)], "R1");
    }

    #[test]
    #[should_panic(expected = "refund R1 was done, and was sent again")]
    fn what_may_have_been_done_may_not() {
        let given = || call(GIVES[1], Some("R1"), true);
        hold(&[given(), call(ALIPAY_ASKS, Some("R2"), true), given()], "R1");
    }
}
