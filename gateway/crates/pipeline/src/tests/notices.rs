//! Webhooks through the same intake: what the gateway adds must not make a repeated notice look like another one.

use super::kit::{Bench, Platform, SHOP, config, page, sold};
use crate::{intake::Rules, seal::FORGOTTEN};
use qudao_model::{EntityKind, Observation};
use std::{collections::BTreeMap, sync::Arc};

fn both() -> Vec<Observation> {
    vec![sold("O1", "s1", 1), sold("O2", "s2", 2)]
}

#[tokio::test]
async fn the_same_notice_stays_the_same_whatever_the_gateway_learnt_since() {
    let shop = Platform::new(|_| page(Vec::new()));
    let bench = Bench::with(&[(SHOP, &shop)], "shop,s1,A-1\n", "").await;
    let first = bench.notice(&shop, "n-1", both()).await;
    assert_eq!(first.duplicate_of, None);
    assert_eq!(bench.order("O1").await.lines[0].sku.as_deref(), Some("A-1"));
    // Both listings change, and one order is forgotten.
    let rules = Rules::of(&config(bench.folder.path(), "shop,s1,B-1\nshop,s2,B-2\n", ""));
    bench.schedule.intake.rules.store(Arc::new(rules));
    let id = EntityKind::Order.id(SHOP, &["O1"]);
    bench.storage.forget_subject(&id).await.unwrap();
    bench.storage.put_subject_keys(BTreeMap::from([(id, FORGOTTEN.to_vec())])).await.unwrap();
    let again = bench.notice(&shop, "n-1", both()).await;
    assert_eq!(again.duplicate_of.as_deref(), Some(first.delivery_id.as_str()));
    for order_no in ["O1", "O2"] {
        assert!(bench.order(order_no).await.anomalies.is_empty(), "{order_no}");
    }
    assert_eq!(bench.deliveries().await.len(), 1);
}
