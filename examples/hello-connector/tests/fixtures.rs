//! Every recorded delivery, natively. `qudao plugin test` runs the same files through the component.

#[test]
fn fixtures_give_what_they_expect() {
    let report =
        qudao_sdk::fixtures::run::<qudao_hello::Hello>(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"));
    assert!(report.passed(), "{report}");
}
