//! Every fixture, natively. The gateway's tests run the same files through the component.

use qudao_jddj::Jddj;
use qudao_sdk::fixtures;

#[test]
fn fixtures_pass() {
    let report = fixtures::run::<Jddj>(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"));
    assert!(report.passed(), "{report}");
    assert!(report.outcomes.len() >= 60, "{report}");
}
