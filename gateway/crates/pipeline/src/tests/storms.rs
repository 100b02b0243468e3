//! Trouble at every step, by seed: what is left in the end is what the platform has, and a replay says so, too.

use super::kit::{Bench, Hands, Platform, Reply, SHOP, askable, open, order, page, refused, silent};
use crate::{
    ask::Asks,
    intake::{Intake, Rules},
    replay::replay_through,
    schedule::Schedule,
};
use qudao_config::Status;
use qudao_model::{
    Asked, Clock as _, Observation, OrderState, Timestamp,
    fault::{Class, Retry},
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

/// Numbers that look random and repeat.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// What happened at the platform, in order: order and second.
type Ledger = Arc<Mutex<Vec<(String, i64)>>>;

fn told(ledger: &[(String, i64)]) -> Vec<Observation> {
    let picture = |(order_no, second): &(String, i64)| {
        let mut facts = order(order_no, if order_no.ends_with('3') { "s3" } else { "s1" }, 1);
        let at = facts.modified_at.unwrap().checked_add(Duration::from_secs(second.unsigned_abs())).unwrap();
        facts.modified_at = Some(at);
        if second % 5 == 4 {
            facts.state = Some(OrderState::Shipped);
        }
        Observation::order(at, facts)
    };
    ledger.iter().map(picture).collect()
}

/// Pages of three changes; every so often it fails, before or after it has done its part.
fn platform(ledger: &Ledger, seed: u64, trouble: &Arc<Mutex<bool>>) -> Arc<Platform> {
    let (ledger, trouble, mut dice) = (Arc::clone(ledger), Arc::clone(trouble), Dice(seed));
    Platform::new(move |asked| {
        let Asked::Poll { cursor, .. } = asked else { return page(Vec::new()) };
        if *trouble.lock().unwrap() {
            match dice.roll(8) {
                0 => return silent(true),
                1 => return silent(false),
                2 => return refused(Class::Platform, Retry::After(Duration::from_secs(3))),
                _ => {}
            }
        }
        let ledger = ledger.lock().unwrap();
        let from: usize = cursor.as_deref().map_or(0, |cursor| cursor.parse().unwrap());
        let to = ledger.len().min(from + 3);
        // One change of overlap, as platforms need it.
        let reply: Reply = page(told(&ledger[from.saturating_sub(1)..to])).cursor(&to.to_string());
        if to < ledger.len() { reply.more() } else { reply }
    })
}

async fn storm(seed: u64) {
    let mut dice = Dice(seed);
    let (ledger, trouble): (Ledger, _) = (Arc::default(), Arc::new(Mutex::new(true)));
    let shop = platform(&ledger, seed.wrapping_mul(31), &trouble);
    let bench = Bench::with(&[(SHOP, &shop)], "shop,s1,A-1\n", "").await;
    let mut schedule = bench.schedule.clone();
    for second in 0..60 {
        for _ in 0..dice.roll(3) {
            ledger.lock().unwrap().push((format!("O{}", dice.roll(12)), second));
        }
        bench.storage.set_read_only(dice.roll(5) == 0).await.unwrap();
        if dice.roll(10) == 0 {
            // The process ends here and begins again: only what is durable is left.
            schedule = Schedule::new(schedule.intake.clone(), Arc::<Hands>::clone(&bench.clock));
            // It fails where storage does; then it begins with what it has.
            drop(schedule.start(vec![askable(SHOP, &shop, Status::Live, "1")]).await);
        }
        schedule.run_due(bench.now()).await.unwrap();
        bench.turn(dice.roll(40));
    }
    *trouble.lock().unwrap() = false;
    bench.storage.set_read_only(false).await.unwrap();
    for _ in 0..40 {
        bench.turn(60);
        schedule.run_due(bench.now()).await.unwrap();
    }
    let truth: BTreeMap<String, Timestamp> = {
        let ledger = ledger.lock().unwrap();
        let pictures = told(&ledger).into_iter().map(|fact| (fact.key[0].clone(), fact.occurred_at));
        // Changes of one second are one picture, and later ones are newer.
        pictures.collect()
    };
    assert!(truth.len() > 8, "seed {seed}");
    for (order_no, modified_at) in &truth {
        let order = bench.order(order_no).await;
        assert_eq!(order.updated_at, *modified_at, "seed {seed}: {order_no}");
        let sku = if order_no.ends_with('3') { None } else { Some("A-1") };
        assert_eq!(order.lines[0].sku.as_deref(), sku, "seed {seed}: {order_no}");
        assert!(order.anomalies.is_empty(), "seed {seed}: {order_no}: {:?}", order.anomalies);
    }
    let events = bench.storage.events(0, 1000, &[]).await.unwrap();
    assert!(events.iter().zip(1..).all(|(event, seq)| event.seq == seq), "seed {seed}");

    let storage = open(&bench.folder.path().join("new"), &bench.vault).await;
    let into = Intake::new(storage.clone(), Arc::clone(&bench.vault), Rules::default());
    let find = |_: &str| -> Option<&dyn Asks> { Some(&*shop) };
    let report = replay_through(&bench.storage, &into, (&find, &|_| None), &mut |_| {}).await.unwrap();
    assert_eq!(report.differences, [], "seed {seed}");
    assert_eq!(storage.events(0, 1000, &[]).await.unwrap(), events, "seed {seed}");
    assert!(bench.clock.now() > super::kit::start_of_day());
}

#[tokio::test]
async fn whatever_fails_the_orders_are_those_of_the_platform() {
    for seed in 1..=6 {
        storm(seed * 7_919).await;
    }
}
