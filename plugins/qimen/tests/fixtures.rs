//! Every fixture, natively. The gateway's tests run the same files through the component.

use qudao_qimen::Qimen;
use qudao_sdk::fixtures;

#[test]
fn fixtures_pass() {
    let report = fixtures::run::<Qimen>(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"));
    assert!(report.passed(), "{report}");
    assert!(report.outcomes.len() >= 29, "{report}");
}
