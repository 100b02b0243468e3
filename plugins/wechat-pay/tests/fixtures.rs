//! Every recorded notice, natively.

use qudao_sdk::fixtures;
use qudao_wechat_pay::WechatPay;

#[test]
fn every_recorded_notice_is_judged_as_its_fixture_says() {
    let report = fixtures::run::<WechatPay>(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"));
    assert!(report.passed(), "{report}");
}
