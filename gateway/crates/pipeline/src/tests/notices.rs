//! Webhooks through the same intake: what the gateway adds must not make a repeated notice look like another one.

use super::kit::{Bench, Platform, SHOP, config, page, sold};
use crate::{
    ask::Asks as _,
    intake::{Rules, acceptance},
    seal::FORGOTTEN,
};
use qudao_model::{EntityKind, Request, Verdict};
use qudao_storage::{Committed, Incoming, Moves};
use std::{collections::BTreeMap, sync::Arc};

async fn notice(bench: &Bench, platform: &Platform, key: &str) -> Committed {
    let manifest = platform.manifest();
    let request = Request {
        method: "POST".to_owned(),
        path: "/".to_owned(),
        query: None,
        headers: Vec::new(),
        body: b"an order".to_vec(),
    };
    let incoming = Incoming {
        channel: SHOP.to_owned(),
        received_at: bench.now(),
        request,
        verdict: Verdict::Accepted(acceptance(
            key,
            vec![sold("O1", "s1", 1), sold("O2", "s2", 2)],
            Vec::new(),
        )),
        connector: manifest.label(),
        micros: 0,
        personal: manifest.personal,
    };
    bench.schedule.intake.take_in(manifest, incoming, Moves::default()).await.unwrap()
}

#[tokio::test]
async fn the_same_notice_stays_the_same_whatever_the_gateway_learnt_since() {
    let shop = Platform::new(|_| page(Vec::new()));
    let bench = Bench::with(&[(SHOP, &shop)], "shop,s1,A-1\n", "").await;
    let first = notice(&bench, &shop, "n-1").await;
    assert_eq!(first.duplicate_of, None);
    assert_eq!(bench.order("O1").await.lines[0].sku.as_deref(), Some("A-1"));
    // Both listings change, and one order is forgotten.
    let rules = Rules::of(&config(bench.folder.path(), "shop,s1,B-1\nshop,s2,B-2\n", ""));
    bench.schedule.intake.rules.store(Arc::new(rules));
    let id = EntityKind::Order.id(SHOP, &["O1"]);
    bench.storage.forget_subject(&id).await.unwrap();
    bench.storage.put_subject_keys(BTreeMap::from([(id, FORGOTTEN.to_vec())])).await.unwrap();
    let again = notice(&bench, &shop, "n-1").await;
    assert_eq!(again.duplicate_of.as_deref(), Some(first.delivery_id.as_str()));
    for order_no in ["O1", "O2"] {
        assert!(bench.order(order_no).await.anomalies.is_empty(), "{order_no}");
    }
    assert_eq!(bench.deliveries().await.len(), 1);
}
