//! One notice is one payment, however often and however parallel it comes.

use futures_util::future::join_all;
use qudao_kit::{TestGateway, recorded, sequence};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_notice_posted_fifty_times_in_parallel_is_one_payment_and_one_event() {
    let notice = recorded("wechat-pay", "txn_success_public_key");
    let mut gateway =
        TestGateway::builder().channel("pay", "wechat-pay", &notice.channel).at(notice.now).start().await;
    gateway.listen().await;
    let answers = join_all((0..50).map(|_| gateway.post("pay", &notice.request))).await;
    for answer in answers {
        assert_eq!(answer.status(), 200);
    }
    let events = gateway.events().await;
    assert_eq!(
        events.iter().map(|event| event.r#type.as_str()).collect::<Vec<_>>(),
        ["qudao.payment.paid.v1"]
    );
    let filter = qudao_storage::DeliveryFilter::default();
    let inbox = gateway.gateway.storage().deliveries(&filter).await.unwrap().items;
    assert_eq!(inbox.iter().map(|row| row.duplicates).collect::<Vec<_>>(), [49]);
    gateway.finish().await;
}

#[tokio::test]
async fn a_retry_with_fresh_headers_changes_nothing_and_gets_the_first_answer() {
    for (plugin, name, count) in
        [("wechat-pay", "seq_retry_same_notification", 5), ("alipay", "seq_alipay_retry", 4)]
    {
        let notices = sequence(plugin, name, count);
        let gateway = TestGateway::builder().channel("pay", plugin, &notices[0].channel).start().await;
        let mut answers = Vec::new();
        for notice in &notices {
            answers.push(gateway.replay_recorded("pay", notice).await);
        }
        answers.dedup();
        assert_eq!((answers.len(), answers[0].status), (1, 200), "{plugin}");
        assert_eq!(gateway.events().await.len(), 1, "{plugin}");
        gateway.finish().await;
    }
}

#[tokio::test]
async fn what_was_stored_is_still_there_after_a_restart_and_is_known_again() {
    let notice = recorded("wechat-pay", "txn_success_public_key");
    let gateway = TestGateway::builder().channel("pay", "wechat-pay", &notice.channel).start().await;
    gateway.replay_recorded("pay", &notice).await;
    let before = gateway.events().await;
    let gateway = gateway.restart().await;
    gateway.replay_recorded("pay", &notice).await;
    assert_eq!(gateway.events().await, before);
    gateway.finish().await;
}
