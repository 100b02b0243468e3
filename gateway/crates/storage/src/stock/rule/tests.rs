//! The rule as tables, and the properties that it has for every history.

use super::*;
use proptest::prelude::*;

const ON_HAND: Meaning = Meaning { reports: Reports::OnHand, tier: Tier::E1, skew: 0, post_lag: 0 };
const AVAILABLE: Meaning = Meaning { reports: Reports::Available, ..ON_HAND };

fn time(micros: i64) -> Mark {
    Mark { micros, ..Mark::default() }
}

fn seq(epoch: i64, seq: i64, micros: i64) -> Mark {
    Mark { epoch, seq: Some(seq), micros, ..Mark::default() }
}

fn available(figures: &Figures) -> i64 {
    figures.on_hand - figures.committed
}

#[test]
fn marks_stand_by_epoch_then_number_then_time() {
    let check = |one: Mark, other: Mark, expected: bool| {
        assert_eq!(one.is_after(&other), expected, "{one:?} {other:?}");
    };
    check(time(2), time(1), true);
    check(time(1), time(1), false);
    check(seq(0, 2, 0), seq(0, 1, 9), true);
    check(seq(0, 1, 9), seq(0, 1, 0), false);
    check(seq(0, 1, 9), time(8), true);
    check(time(8), seq(0, 99, 9), false);
    check(seq(1, 1, 0), seq(0, 99, 99), true);
    check(Mark { epoch: 0, ..time(99) }, Mark { epoch: 1, ..time(0) }, false);
}

#[test]
fn the_first_of_two_figures_with_one_mark_stays() {
    let base = |qty, micros| Base { qty, mark: time(micros) };
    assert_eq!(Base::latest(None, base(1, 1)), base(1, 1));
    assert_eq!(Base::latest(Some(base(1, 1)), base(2, 1)), base(1, 1));
    assert_eq!(Base::latest(Some(base(1, 1)), base(2, 2)), base(2, 2));
    assert_eq!(Base::latest(Some(base(2, 2)), base(1, 1)), base(2, 2));
}

#[test]
fn a_commitment_is_in_a_figure_by_name_by_acknowledgement_or_by_presumption() {
    let lots = [Lot { qty: 2, left: Some(100) }, Lot { qty: 3, left: None }];
    let of = |named, reserved: Option<i64>, posted: Option<i64>| Commitment {
        order: "T1",
        lots: &lots,
        named,
        reserved: reserved.map(time),
        posted: posted.map(time),
    };
    let check = |commitment: Commitment<'_>, mark: Option<i64>, meaning: Meaning, pieces, presumed| {
        let told = reflected(&commitment, mark.map(time).as_ref(), None, &meaning);
        assert_eq!(told, Reflected { pieces, presumed }, "{commitment:?} {mark:?} {meaning:?}");
    };
    check(of(0, None, None), Some(i64::MAX), ON_HAND, 0, 0);
    check(of(1, None, None), None, ON_HAND, 1, 0);
    check(of(9, None, None), Some(0), ON_HAND, 5, 0);
    check(of(0, None, Some(50)), Some(49), ON_HAND, 0, 0);
    check(of(0, None, Some(50)), Some(50), ON_HAND, 5, 0);
    check(of(0, Some(50), None), Some(50), ON_HAND, 0, 0);
    check(of(0, Some(50), None), Some(50), AVAILABLE, 5, 0);
    let behind = Meaning { skew: 10, ..ON_HAND };
    check(of(0, None, Some(50)), Some(59), behind, 0, 0);
    check(of(0, None, Some(50)), Some(60), behind, 5, 0);
    let nightly = Meaning { tier: Tier::E0, post_lag: 20, skew: 10, ..ON_HAND };
    check(of(0, None, None), Some(130), nightly, 0, 0);
    check(of(0, None, None), Some(131), nightly, 2, 2);
    check(of(1, None, None), Some(131), nightly, 2, 1);
    check(of(4, None, None), Some(131), nightly, 4, 0);
}

/// A world with one SKU in one store: what happened, in order; the moment of a step is its place.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// A channel sold a piece: the order is known from here on.
    Sell,
    /// The ERP wrote down the promise of an order.
    Reserve(usize),
    /// The till posted the sale of an order, which was written down before at the latest now.
    Post(usize),
    /// Somebody bought at the till, or brought back.
    WalkIn(i64),
    /// The ERP told its figure.
    Snapshot,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => Just(Step::Sell),
        2 => (0_usize..6).prop_map(Step::Reserve),
        3 => (0_usize..6).prop_map(Step::Post),
        1 => (-3_i64..3).prop_map(Step::WalkIn),
        3 => Just(Step::Snapshot),
    ];
    prop::collection::vec(step, 1..30)
}

/// What is known after some steps.
#[derive(Debug, Clone, Default)]
struct World {
    physical: i64,
    /// Of each order: when it was written down, when it was posted.
    orders: Vec<(Option<i64>, Option<i64>)>,
    on_hand: Option<Base>,
    available: Option<Base>,
    walk_ins: Vec<(i64, i64)>,
}

impl World {
    fn take(&mut self, step: Step, at: i64) {
        match step {
            Step::Sell => self.orders.push((None, None)),
            Step::Reserve(order) => {
                if let Some((reserved, _)) = self.orders.get_mut(order) {
                    reserved.get_or_insert(at);
                }
            }
            Step::Post(order) => {
                let Some((reserved, posted)) = self.orders.get_mut(order) else { return };
                reserved.get_or_insert(at);
                if posted.is_none() {
                    *posted = Some(at);
                    self.physical -= 1;
                }
            }
            Step::WalkIn(delta) => {
                self.physical += delta;
                self.walk_ins.push((at, delta));
            }
            Step::Snapshot => {
                let promised = self.orders.iter().filter(|(one, two)| one.is_some() && two.is_none()).count();
                let promised = i64::try_from(promised).unwrap();
                self.on_hand = Some(Base { qty: self.physical, mark: time(at) });
                self.available = Some(Base { qty: self.physical - promised, mark: time(at) });
            }
        }
    }

    /// As seen by an ERP of this kind. `named`: movements name their orders; else acknowledgements tell.
    fn seen(&self, meaning: &Meaning, named: bool) -> Figures {
        let numbers: Vec<String> = (0..self.orders.len()).map(|order| format!("T{order}")).collect();
        let lots = [Lot { qty: 1, left: None }];
        let commitments = numbers.iter().zip(&self.orders).map(|(order, (reserved, posted))| Commitment {
            order,
            lots: &lots,
            named: i64::from(named && posted.is_some()),
            reserved: reserved.map(time),
            posted: posted.filter(|_| !named).map(time),
        });
        let commitments: Vec<_> = commitments.collect();
        let sales = numbers.iter().zip(&self.orders).filter_map(|(order, (_, posted))| {
            named.then_some(Moved { mark: time((*posted)?), delta: -1, order: Some(order) })
        });
        let others =
            self.walk_ins.iter().map(|(at, delta)| Moved { mark: time(*at), delta: *delta, order: None });
        let moved: Vec<_> = sales.chain(others.filter(|_| named)).collect();
        let base = if meaning.reports == Reports::Available { self.available } else { self.on_hand };
        figures(base.as_ref(), &moved, &commitments, None, meaning)
    }
}

proptest! {
    /// ST4: a figure that is older than the acknowledgement of a sale gives nothing back. Without walk-ins nothing else can
    /// raise what is available, either, before the first figure is known.
    #[test]
    fn st4_an_old_figure_never_gives_back_what_was_sold(steps in steps(), opening in 0_i64..20) {
        let mut world = World { physical: opening, ..World::default() };
        world.take(Step::Snapshot, 0);
        let mut before = available(&world.seen(&ON_HAND, false));
        for (step, at) in steps.into_iter().zip(1_i64..) {
            if matches!(step, Step::WalkIn(_)) {
                continue;
            }
            world.take(step, at);
            let after = available(&world.seen(&ON_HAND, false));
            prop_assert!(after <= before, "{step:?} raised {before} to {after}");
            // Sold pieces are off from the moment they were sold, whatever the ERP knows.
            prop_assert_eq!(after, opening - i64::try_from(world.orders.len()).unwrap());
            before = after;
        }
    }

    /// ST13: what a level of another SKU or store has, even below zero, changes nothing here; and a pool counts it as none.
    #[test]
    fn st13_levels_do_not_eat_each_other(mine in -5_i64..20, others in prop::collection::vec(-9_i64..9, 0..6), worse in 1_i64..9) {
        let level = |qty| figures(Some(&Base { qty, mark: time(1) }), &[], &[], None, &ON_HAND);
        let pool = |levels: &[i64]| -> i64 { levels.iter().map(|qty| available(&level(*qty)).max(0)).sum() };
        let all: Vec<i64> = others.iter().copied().chain([mine]).collect();
        prop_assert_eq!(pool(&all), pool(&others) + mine.max(0));
        let with = |qty: i64| -> Vec<i64> { others.iter().copied().chain([mine, qty]).collect() };
        prop_assert_eq!(pool(&with(-1)), pool(&with(-1 - worse)));
    }

    /// ST14: whether figures have promises taken off or not, the same world leaves the same to be sold.
    #[test]
    fn st14_both_kinds_of_figures_leave_the_same(steps in steps(), opening in 0_i64..20, named in any::<bool>()) {
        let mut world = World { physical: opening, ..World::default() };
        world.take(Step::Snapshot, 0);
        for (step, at) in steps.into_iter().zip(1_i64..) {
            world.take(step, at);
            let (one, other) = (world.seen(&ON_HAND, named), world.seen(&AVAILABLE, named));
            prop_assert_eq!(available(&one), available(&other), "{:?}", world);
        }
    }

    /// ST1 for the rule: figures and movements are sets.
    #[test]
    fn st1_order_and_repeats_change_nothing(
        (bases, again) in prop::collection::btree_map(0_i64..50, -5_i64..50, 1..6)
            .prop_map(|all| all.into_iter().collect::<Vec<_>>())
            .prop_flat_map(|all| (Just(all.clone()), Just([all.clone(), all].concat()).prop_shuffle())),
        (moves, shuffled) in prop::collection::vec((0_i64..50, -3_i64..3), 0..8)
            .prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
    ) {
        let told = |bases: &[(i64, i64)], moves: &[(i64, i64)]| {
            let base = bases.iter().fold(None, |there, (micros, qty)| {
                Some(Base::latest(there, Base { qty: *qty, mark: time(*micros) }))
            });
            let moved: Vec<_> = moves.iter()
                .map(|(micros, delta)| Moved { mark: time(*micros), delta: *delta, order: None }).collect();
            figures(base.as_ref(), &moved, &[], None, &ON_HAND)
        };
        prop_assert_eq!(told(&bases, &moves), told(&again, &shuffled));
    }
}
