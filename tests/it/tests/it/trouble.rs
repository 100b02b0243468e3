//! No space and no right to write: nothing is acknowledged, and it heals by itself.

use qudao_kit::{TestGateway, recorded};
use qudao_storage::DeliveryFilter;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_and_a_read_only_folder_are_answered_503_and_heal() {
    // Large, so that it does not fit into pages that the database has free.
    let notice = recorded("alipay", "huge_body_param");
    let mut gateway =
        TestGateway::builder().channel("pay", "alipay", &notice.channel).at(notice.now).start().await;
    gateway.listen().await;
    let storage = gateway.gateway.storage().clone();
    for trouble in ["full", "read_only"] {
        match trouble {
            "full" => storage.limit_size(Some(0)).await.unwrap(),
            _ => storage.set_read_only(true).await.unwrap(),
        }
        let answer = gateway.post("pay", &notice.request).await;
        assert_eq!(answer.status(), 503, "{trouble}");
        assert!(answer.headers().contains_key("retry-after"), "{trouble}");
        storage.limit_size(None).await.unwrap();
        storage.set_read_only(false).await.unwrap();
        assert_eq!(storage.deliveries(&DeliveryFilter::default()).await.unwrap().items.len(), 0, "{trouble}");
    }
    assert_eq!(gateway.post("pay", &notice.request).await.status(), 200);
    assert_eq!(gateway.events().await.len(), 1);
    gateway.finish().await;
}
