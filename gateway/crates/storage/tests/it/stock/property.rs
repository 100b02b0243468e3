//! ST1 to ST3 of the stock rule, against real files: whatever comes in whatever order, how often, in whatever parts.

use super::{ERP, STORE, has, moved, order, part, policy, shop};
use crate::kit::{Kept, at};
use proptest::prelude::*;
use qudao_model::{Facts, OrderState, StockLevel, stock::Reports};
use qudao_storage::{
    Movement, StoreSnapshot, Tier,
    stock_rule::{Base, Commitment, Figures, Lot, Mark, Meaning, Moved, figures},
};
use std::{collections::BTreeMap, time::Duration};

const SKUS: [&str; 3] = ["A", "B", "C"];
const POST_LAG: i64 = 5;

/// One thing that the gateway is told.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Told {
    /// As of a second, which of the SKUs are listed; whether the others have none. The second decides the figures.
    Snapshot(i64, u8, bool),
    /// Number, second, SKU, pieces, order.
    Movement(i64, i64, usize, i64, Option<u8>),
    /// Number, revision, SKUs by bit, state.
    Order(u8, i64, u8, State),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Unpaid,
    ToShip,
    Shipped,
    Cancelled,
}

impl State {
    fn word(self) -> OrderState {
        match self {
            State::Unpaid => OrderState::AwaitingPayment,
            State::ToShip => OrderState::ToShip,
            State::Shipped => OrderState::Shipped,
            State::Cancelled => OrderState::Cancelled,
        }
    }
}

fn figure(second: i64, sku: usize) -> i64 {
    (second * 7 + i64::try_from(sku).unwrap() * 3) % 11
}

fn skus(bits: u8) -> Vec<usize> {
    (0..SKUS.len()).filter(|sku| bits & (1 << sku) != 0).collect()
}

fn told() -> impl Strategy<Value = Vec<Told>> {
    let snapshot = (0_i64..20, 1_u8..8, prop::bool::weighted(0.2))
        .prop_map(|(at, skus, zero)| Told::Snapshot(at, skus, zero));
    let movement = (0_i64..20, 0_usize..3, -2_i64..3, prop::option::of(0_u8..3))
        .prop_map(|(at, sku, delta, order)| Told::Movement(0, at, sku, delta, order));
    let states = prop::sample::select(vec![State::Unpaid, State::ToShip, State::Shipped, State::Cancelled]);
    let order = (0_u8..3, 1_u8..8, 0_i64..20, states)
        .prop_map(|(no, skus, at, state)| Told::Order(no, at, skus, state));
    prop::collection::vec(prop_oneof![3 => snapshot, 3 => movement, 3 => order], 1..14).prop_map(|mut all| {
        // A key names one content: each movement gets a number, each second one snapshot, each revision one order.
        for (told, n) in all.iter_mut().zip(0..) {
            if let Told::Movement(number, ..) = told {
                *number = n;
            }
        }
        let mut seen = std::collections::BTreeSet::new();
        all.retain(|told| match told {
            Told::Snapshot(at, ..) => seen.insert((0, *at)),
            Told::Movement(number, ..) => seen.insert((1, *number)),
            Told::Order(no, at, ..) => seen.insert((2 + i64::from(*no), *at)),
        });
        all
    })
}

fn snapshot(at: i64, bits: u8, zero: bool) -> StoreSnapshot {
    let rows: Vec<_> = skus(bits).into_iter().map(|sku| (SKUS[sku], figure(at, sku))).collect();
    StoreSnapshot { absent_zero: zero, ..has(STORE, at, &rows) }
}

fn movement(number: i64, at: i64, sku: usize, delta: i64, order: Option<u8>) -> Movement {
    let order = order.map(|order| format!("T{order}"));
    moved(&format!("D{number}"), at, SKUS[sku], delta, order.as_deref())
}

async fn tell(kept: &Kept, all: &[Told], tier: Tier) {
    for (told, n) in all.iter().zip(0..) {
        let (mut stores, mut movements) = (Vec::new(), Vec::new());
        match *told {
            Told::Snapshot(at, skus, zero) => stores.push(snapshot(at, skus, zero)),
            Told::Movement(number, at, sku, delta, order) => {
                movements.push(movement(number, at, sku, delta, order));
            }
            Told::Order(no, second, bits, state) => {
                let skus: Vec<&str> = skus(bits).into_iter().map(|sku| SKUS[sku]).collect();
                kept.tell(order(second, &format!("T{no}"), &skus, state.word())).await;
                continue;
            }
        }
        // Every file is another file.
        let mut part = part(&n.to_string(), stores, movements);
        part.policy = policy(tier);
        part.policy.post_lag = Duration::from_secs(POST_LAG.unsigned_abs());
        kept.apply(part).await;
    }
}

/// What a reader sees, but for how often it changed.
async fn seen(kept: &Kept) -> Vec<StockLevel> {
    let mut levels = kept.levels(at(0)).await;
    for level in &mut levels {
        (level.version, level.updated_at) = (0, at(0));
        // What was once consumed after a release is a matter of what came first.
        level.anomalies.retain(|one| one.code != qudao_model::anomaly::Code::ConsumedAfterRelease);
        // Who has no figure belongs to whoever made it.
        if level.source != "snapshot" {
            level.channel.clear();
        }
    }
    levels.sort_by(|one, other| one.sku.cmp(&other.sku));
    levels
}

/// The levels by the rule, from the set of all that was told.
fn expected(all: &[Told], tier: Tier) -> BTreeMap<&'static str, Figures> {
    let micros = |second: i64| at(second).as_microsecond();
    let mark = |second| Mark { micros: micros(second), ..Mark::default() };
    let meaning = Meaning { tier, post_lag: POST_LAG * 1_000_000, ..Meaning::NONE };
    let mut last: BTreeMap<u8, (i64, u8, State)> = BTreeMap::new();
    for told in all {
        if let Told::Order(no, second, bits, state) = *told {
            let entry = last.entry(no).or_insert((second, bits, state));
            if second > entry.0 {
                *entry = (second, bits, state);
            }
        }
    }
    let numbers: Vec<String> = (0..3).map(|no| format!("T{no}")).collect();
    let first = all.iter().filter_map(|told| match *told {
        Told::Snapshot(second, ..) => Some(micros(second)),
        Told::Movement(..) | Told::Order(..) => None,
    });
    let first = first.min();
    let mut levels = BTreeMap::new();
    for (sku, word) in SKUS.into_iter().enumerate() {
        let mut base = None;
        let (mut moves, mut named) = (Vec::new(), [0; 3]);
        for told in all {
            match *told {
                Told::Snapshot(second, bits, zero) => {
                    let listed = skus(bits).contains(&sku);
                    let qty = if listed { figure(second, sku) } else { 0 };
                    if listed || zero {
                        base = Some(Base::latest(base, Base { qty, mark: mark(second) }));
                    }
                }
                Told::Movement(_, second, of, delta, order) if of == sku => {
                    moves.push(Moved { mark: mark(second), delta, order: None });
                    if let Some(order) = order.filter(|_| delta < 0) {
                        named[usize::from(order)] -= delta;
                    }
                }
                Told::Movement(..) | Told::Order(..) => {}
            }
        }
        let lots: Vec<Vec<Lot>> = (0..3)
            .map(|no| match last.get(&no) {
                Some((second, bits, state @ (State::ToShip | State::Shipped)))
                    if skus(*bits).contains(&sku) =>
                {
                    vec![Lot { qty: 1, left: (*state == State::Shipped).then(|| micros(*second)) }]
                }
                _ => Vec::new(),
            })
            .collect();
        let commitments: Vec<_> = numbers
            .iter()
            .zip(&lots)
            .zip(named)
            .map(|((order, lots), named)| Commitment { order, lots, named, reserved: None, posted: None })
            .collect();
        levels.insert(word, figures(base.as_ref(), &moves, &commitments, first, &meaning));
    }
    levels
}

fn on_a_runtime<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// What happened in a store, each at its second.
#[derive(Debug, Clone, Copy)]
enum Happened {
    /// On hand, and with promises off.
    Figures(i64, i64, i64),
    Order(i64, usize),
    /// A piece left, for an order or for somebody.
    Moved(i64, Option<usize>),
}

async fn happen(kept: &Kept, told: &Happened, n: usize, reports: Reports) {
    let (mut stores, mut movements) = (Vec::new(), Vec::new());
    match *told {
        Happened::Figures(second, on_hand, available) => {
            let qty = if reports == Reports::Available { available } else { on_hand };
            stores.push(has(STORE, second, &[("A", qty)]));
        }
        Happened::Moved(second, which) => {
            let order = which.map(|which| format!("T{which}"));
            movements.push(moved(&format!("D{second}"), second, "A", -1, order.as_deref()));
        }
        Happened::Order(second, which) => {
            let mut observation = order(second, &format!("T{which}"), &["A"], OrderState::ToShip);
            if let Facts::Order(facts) = &mut observation.facts {
                facts.times.as_mut().unwrap().created_at = at(second);
            }
            return kept.tell(observation).await;
        }
    }
    let mut part = part(&n.to_string(), stores, movements);
    part.policy.reports = reports;
    kept.apply(part).await;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// ST1: order and repeats change nothing, and the levels are those of the rule.
    #[test]
    fn st1_the_levels_are_those_of_the_set(
        (all, shuffled) in told().prop_flat_map(|all| (Just(all.clone()), Just([all.clone(), all].concat()).prop_shuffle())),
        tier in prop::sample::select(vec![Tier::E0, Tier::E1]),
    ) {
        let (once, again) = on_a_runtime(async {
            let (one, other) = (shop().await, shop().await);
            tell(&one, &all, tier).await;
            tell(&other, &shuffled, tier).await;
            (seen(&one).await, seen(&other).await)
        });
        let expected = expected(&all, tier);
        for level in &once {
            let figures = expected[level.sku.as_str()];
            prop_assert_eq!((level.on_hand, level.committed), (figures.on_hand, figures.committed), "{}", level.sku);
            prop_assert_eq!(level.available, figures.on_hand - figures.committed);
            prop_assert_eq!(level.anomalies.is_empty(), figures.presumed == 0);
        }
        // A level that only a released order ever touched may be there or not: it has nothing.
        let is_named = |level: &StockLevel| all.iter().any(|told| match *told {
            Told::Snapshot(_, bits, _) => skus(bits).iter().any(|sku| SKUS[*sku] == level.sku),
            Told::Movement(_, _, sku, ..) => SKUS[sku] == level.sku,
            Told::Order(..) => level.committed != 0,
        });
        let kept = |levels: Vec<StockLevel>| levels.into_iter().filter(is_named).collect::<Vec<_>>();
        prop_assert_eq!(kept(once), kept(again));
    }

    /// ST2: once the ERP knows all that happened at the till and told its figure, the level is the ERP's, less the orders that
    /// it does not know.
    #[test]
    fn st2_at_rest_a_level_is_what_the_erp_has_less_what_it_does_not_know(
        opening in 0_i64..30,
        history in prop::collection::vec((0_u8..4, 0_usize..8, any::<bool>()), 0..16),
        shuffle in any::<prop::sample::Index>(),
        tier in prop::sample::select(vec![Tier::E0, Tier::E1]),
    ) {
        let (mut erp, mut orders, mut all) = (opening, Vec::<bool>::new(), Vec::new());
        let mut clock = 0;
        for (what, which, dropped) in history {
            clock += 1;
            match what {
                0 => {
                    all.push(Told::Order(u8::try_from(orders.len()).unwrap(), clock, 1, State::ToShip));
                    orders.push(false);
                }
                1 => if let Some(posted) = orders.get_mut(which).filter(|posted| !**posted) {
                    *posted = true;
                    erp -= 1;
                    let no = u8::try_from(which).unwrap();
                    // Without references the order is known to have left, and the figure must be late enough.
                    all.push(Told::Order(no, clock, 1, State::Shipped));
                    if tier == Tier::E1 {
                        all.push(Told::Movement(clock, clock, 0, -1, Some(no)));
                    }
                    clock += POST_LAG + 1;
                },
                2 => {
                    erp -= 1;
                    // A movement that never comes: the figure has it.
                    if !dropped && tier == Tier::E1 {
                        all.push(Told::Movement(clock, clock, 0, -1, None));
                    }
                }
                _ => {}
            }
        }
        let mut rows = vec![("A", erp)];
        if !all.is_empty() {
            let turn = shuffle.index(all.len());
            all.rotate_left(turn);
            rows.push(("B", 0));
        }
        let level = on_a_runtime(async {
            let kept = shop().await;
            tell(&kept, &all, tier).await;
            let mut last = part("last", vec![has(STORE, clock + 1, &rows)], Vec::new());
            last.policy = policy(tier);
            last.policy.post_lag = Duration::from_secs(POST_LAG.unsigned_abs());
            kept.apply(last).await;
            kept.level("A").await
        });
        let unposted = i64::try_from(orders.iter().filter(|posted| !**posted).count()).unwrap();
        prop_assert_eq!((level.on_hand, level.committed), (erp, unposted));
        prop_assert_eq!(level.available, erp - unposted);
        prop_assert_eq!(level.channel, ERP);
    }

    /// ST3: an order that the channel, a document of the ERP and a figure of the ERP report takes its pieces once.
    #[test]
    fn st3_an_order_that_three_report_is_taken_once(
        reports in Just(vec![
            Told::Snapshot(0, 1, false),
            Told::Order(0, 1, 1, State::ToShip),
            Told::Movement(0, 2, 0, -1, Some(0)),
            Told::Order(0, 3, 1, State::Shipped),
        ]).prop_shuffle(),
        after in any::<bool>(),
        again in any::<bool>(),
    ) {
        let opening = figure(0, 0);
        let told: Vec<Told> = if again { [reports.clone(), reports].concat() } else { reports };
        let level = on_a_runtime(async {
            let kept = shop().await;
            tell(&kept, &told, Tier::E1).await;
            if after {
                kept.snapshot(4, &[("A", opening - 1)]).await;
            }
            kept.level("A").await
        });
        prop_assert_eq!((level.on_hand, level.committed, level.available), (opening - 1, 0, opening - 1));
    }

    /// ST14: whether figures have promises taken off or not, the same world leaves the same to be sold.
    #[test]
    fn st14_both_kinds_of_figures_leave_the_same(
        opening in 0_i64..30,
        history in prop::collection::vec((0_u8..5, 0_usize..4), 1..14),
        turn in any::<prop::sample::Index>(),
    ) {
        let (mut clock, mut on_hand, mut orders) = (0, opening, Vec::<bool>::new());
        let mut all = vec![Happened::Figures(0, opening, opening)];
        for (what, which) in history {
            clock += 1;
            match what {
                0 | 1 => {
                    all.push(Happened::Order(clock, orders.len()));
                    orders.push(false);
                }
                2 => if let Some(posted) = orders.get_mut(which).filter(|posted| !**posted) {
                    *posted = true;
                    on_hand -= 1;
                    all.push(Happened::Moved(clock, Some(which)));
                },
                3 => {
                    on_hand -= 1;
                    all.push(Happened::Moved(clock, None));
                }
                _ => {
                    let promised = i64::try_from(orders.iter().filter(|posted| !**posted).count()).unwrap();
                    all.push(Happened::Figures(clock, on_hand, on_hand - promised));
                }
            }
        }
        let turn = turn.index(all.len());
        all.rotate_left(turn);
        let left = |reports| on_a_runtime(async {
            let kept = shop().await;
            for (told, n) in all.iter().zip(0..) {
                happen(&kept, told, n, reports).await;
            }
            kept.level("A").await.available
        });
        let open = i64::try_from(orders.iter().filter(|posted| !**posted).count()).unwrap();
        prop_assert_eq!(left(Reports::OnHand), on_hand - open);
        prop_assert_eq!(left(Reports::Available), on_hand - open, "{:?}", all);
    }
}
