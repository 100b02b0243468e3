//! Every fixture, natively. The gateway's tests run the same files through the component.

use qudao_jd::Jd;
use qudao_sdk::fixtures;

#[test]
fn fixtures_pass() {
    let report = fixtures::run::<Jd>(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"));
    assert!(report.passed(), "{report}");
    assert!(report.outcomes.len() >= 80, "{report}");
}
