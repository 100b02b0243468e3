//! Every fixture, natively. The gateway's tests run the same files through the component.

#![allow(clippy::unwrap_used, reason = "a test ends where its set-up fails")]

use qudao_sdk::fixtures::{self, AskCase, Channel, NativeHost, Told};
use qudao_sdk::model::order::{OrderPaymentState, OrderState};
use qudao_sdk::model::{Facts, OrderFacts};
use qudao_sdk::{Connector, Manifest};
use qudao_tmall::Tmall;
use std::collections::BTreeMap;
use std::path::Path;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures");

#[test]
fn fixtures_pass() {
    let report = fixtures::run::<Tmall>(FIXTURES);
    assert!(report.passed(), "{report}");
    assert!(report.outcomes.len() >= 80, "{report}");
}

/// Whether goods may leave: nothing in an order says it outright.
fn shippable(order: &OrderFacts) -> bool {
    let paid =
        matches!(order.payment_state, Some(OrderPaymentState::Paid | OrderPaymentState::PartlyRefunded));
    let waits = matches!(order.state, Some(OrderState::ToShip | OrderState::PartlyShipped));
    let open = |state: qudao_sdk::model::AfterSaleState| !state.is_settled();
    let asked_back = order.lines.iter().filter_map(|line| line.refund_state).any(open);
    paid && waits && order.holds.is_empty() && !asked_back
}

#[test]
fn what_may_be_shipped_can_be_told() {
    let expected = std::fs::read_to_string(Path::new(FIXTURES).join("shippable.json")).unwrap();
    let expected: BTreeMap<String, bool> = serde_json::from_str(&expected).unwrap();
    let manifest: Manifest = Tmall::manifest();
    let cases = AskCase::load_all(Path::new(FIXTURES)).unwrap();
    let mut seen = 0;
    for case in cases.iter().filter(|case| expected.contains_key(&case.name)) {
        let channel = Channel::load(Path::new(FIXTURES), &case.channel).unwrap();
        let host = NativeHost::of_ask(case, &channel, &manifest).unwrap();
        let Told::Page(page) = Told::of::<Tmall>(&case.asked, &host) else { panic!("{}", case.name) };
        let Facts::Order(order) = &page.observations[0].facts else { panic!("{}", case.name) };
        assert_eq!(shippable(order), expected[&case.name], "{}", case.name);
        seen += 1;
    }
    assert_eq!(seen, 31);
}
