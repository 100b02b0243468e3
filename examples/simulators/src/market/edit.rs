//! What may happen to an order.

use super::sale::Parcel;
use super::{CaseState, Hold, Pay, Rules, Sale, Stage};
use crate::Error;
use crate::dice::Dice;
use serde::{Deserialize, Serialize};

/// Something that happens. `{"do": "ship", "lines": [0]}` by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Edit {
    /// The buyer pays all that is left.
    Pay,
    /// The buyer pays the deposit of a presale.
    PayDeposit,
    /// The store takes the order.
    Accept,
    /// Lines leave; all that wait where none is named.
    Ship {
        /// Places, from 0.
        #[serde(default)]
        lines: Vec<usize>,
        /// Carrier in the platform's words; made up where empty.
        #[serde(default)]
        carrier: String,
        /// Waybill; made up where empty.
        #[serde(default)]
        waybill: String,
    },
    /// The buyer has the goods and confirms.
    Finish,
    /// Ends an order that was not shipped; what was paid goes back.
    Cancel,
    /// Something stops the order.
    Hold,
    /// The shop or the platform pauses it, where the platform has such a state.
    Pause,
    /// Nothing stops it any more.
    Release,
    /// The shop writes a note.
    Memo {
        /// The note.
        text: String,
    },
    /// The shop changes the price of a line that is not paid.
    Reprice {
        /// Place, from 0.
        #[serde(default)]
        line: usize,
        /// Change, negative to lower.
        change_fen: i64,
    },
    /// The buyer wants money back.
    AskRefund {
        /// Place of the line; the first where absent. Platforms that refund whole orders do not look at it.
        #[serde(default)]
        line: Option<usize>,
        /// How much; all that is left where absent.
        #[serde(default)]
        amount_fen: Option<i64>,
        /// Whether goods come back for it.
        #[serde(default)]
        goods_back: bool,
    },
    /// The shop agrees. Without goods the money goes back, after a look of the platform where it has one.
    Agree {
        /// The platform's number.
        refund_no: String,
    },
    /// The buyer sends the goods back.
    SendBack {
        /// The platform's number.
        refund_no: String,
        /// Waybill.
        waybill: String,
    },
    /// The shop refuses.
    Refuse {
        /// The platform's number.
        refund_no: String,
    },
    /// The buyer takes it back.
    Withdraw {
        /// The platform's number.
        refund_no: String,
    },
    /// The money goes back.
    Settle {
        /// The platform's number.
        refund_no: String,
    },
}

impl Edit {
    /// All that waits leaves.
    pub fn ship() -> Edit {
        Edit::Ship { lines: Vec::new(), carrier: String::new(), waybill: String::new() }
    }

    /// These lines leave.
    pub fn ship_lines(lines: &[usize]) -> Edit {
        Edit::Ship { lines: lines.to_vec(), carrier: String::new(), waybill: String::new() }
    }

    /// A note.
    pub fn memo(text: &str) -> Edit {
        Edit::Memo { text: text.to_owned() }
    }

    /// All of a line back, goods kept or never sent.
    pub fn refund(line: usize) -> Edit {
        Edit::AskRefund { line: Some(line), amount_fen: None, goods_back: false }
    }
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Edited {
    /// The order.
    pub order_no: String,
    /// The after-sale that it was about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refund_no: Option<String>,
}

fn refused<T>(text: impl Into<String>) -> Result<T, Error> {
    Err(Error::Refused(text.into()))
}

impl Sale {
    pub(crate) fn edit(
        &mut self,
        edit: &Edit,
        rules: &Rules,
        dice: &mut Dice,
        at: i64,
    ) -> Result<Edited, Error> {
        let at = at.max(self.modified_at);
        let mut refund_no = None;
        match edit {
            Edit::Pay => self.pay(rules, dice, at)?,
            Edit::PayDeposit => self.pay_deposit(dice, at)?,
            Edit::Accept => self.step(Stage::ToAccept, Stage::ToShip)?,
            Edit::Pause if !rules.pauses => return refused("this platform pauses nothing"),
            Edit::Ship { lines, .. } if !rules.parts && !lines.is_empty() => {
                return refused("this platform ships whole orders");
            }
            Edit::Ship { lines, carrier, waybill } => self.ship(lines, (carrier, waybill), dice, at)?,
            Edit::Finish => self.finish(at)?,
            Edit::Cancel => self.cancel(rules, dice, at)?,
            Edit::Hold => self.hold(rules.hold)?,
            Edit::Pause => self.hold(Hold::Paused)?,
            Edit::Release => self.hold = None,
            Edit::Memo { text } => text.clone_into(&mut self.memo),
            Edit::Reprice { line, change_fen } => self.reprice(*line, *change_fen)?,
            Edit::AskRefund { line, amount_fen, goods_back } => {
                refund_no = Some(self.ask_refund((*line, *amount_fen, *goods_back), rules, dice, at)?);
            }
            Edit::Agree { .. }
            | Edit::SendBack { .. }
            | Edit::Refuse { .. }
            | Edit::Withdraw { .. }
            | Edit::Settle { .. } => refund_no = Some(self.move_case(edit, rules, at)?),
        }
        self.modified_at = at;
        Ok(Edited { order_no: String::new(), refund_no })
    }

    fn step(&mut self, from: Stage, to: Stage) -> Result<(), Error> {
        if self.stage != from {
            return refused(format!("order {} is {:?}", self.no, self.stage));
        }
        self.stage = to;
        Ok(())
    }

    fn pay(&mut self, rules: &Rules, dice: &mut Dice, at: i64) -> Result<(), Error> {
        if self.basket.pay == Pay::Cod {
            if self.paid_fen > 0 || self.stage == Stage::Cancelled {
                return refused("nothing is due");
            }
        } else {
            self.step(Stage::Unpaid, rules.first_stage())?;
            self.payment_no.get_or_insert_with(|| Sale::throw_payment_no(dice, at));
        }
        self.paid_fen = self.payable_fen();
        self.paid_at = Some(at);
        Ok(())
    }

    fn pay_deposit(&mut self, dice: &mut Dice, at: i64) -> Result<(), Error> {
        match self.basket.pay {
            Pay::Presale { deposit_fen } if self.stage == Stage::Unpaid && self.paid_fen == 0 => {
                self.paid_fen = deposit_fen;
                self.payment_no = Some(Sale::throw_payment_no(dice, at));
                Ok(())
            }
            Pay::Presale { .. } | Pay::Online | Pay::Cod => refused("no deposit is due"),
        }
    }

    fn ship(
        &mut self,
        lines: &[usize],
        (carrier, waybill): (&str, &str),
        dice: &mut Dice,
        at: i64,
    ) -> Result<(), Error> {
        if self.hold.is_some() {
            return refused(format!("order {} is on hold", self.no));
        }
        self.step(Stage::ToShip, Stage::ToShip)?;
        let mut left = Vec::new();
        for (place, line) in self.lines.iter_mut().enumerate() {
            if !line.shipped && !line.closed && (lines.is_empty() || lines.contains(&place)) {
                line.shipped = true;
                left.push(place);
            }
        }
        if left.is_empty() {
            return refused("none of these lines waits");
        }
        let mut made_up = || format!("SF{}", dice.digits(12));
        self.parcels.push(Parcel {
            carrier: if carrier.is_empty() { "467".to_owned() } else { carrier.to_owned() },
            waybill: if waybill.is_empty() { made_up() } else { waybill.to_owned() },
            shipped_at: at,
            lines: left,
        });
        self.shipped_at = Some(at);
        self.settle_stage(at);
        Ok(())
    }

    fn finish(&mut self, at: i64) -> Result<(), Error> {
        self.step(Stage::Shipped, Stage::Finished)?;
        if self.basket.pay == Pay::Cod && self.paid_fen == 0 {
            self.paid_fen = self.payable_fen();
            self.paid_at = Some(at);
        }
        self.ended_at = Some(at);
        Ok(())
    }

    fn cancel(&mut self, rules: &Rules, dice: &mut Dice, at: i64) -> Result<(), Error> {
        if self.stage > Stage::ToShip || self.lines.iter().any(|line| line.shipped) {
            return refused(format!("order {} is on its way", self.no));
        }
        if self.paid_fen > 0 && self.stage == Stage::Unpaid {
            return refused("a deposit is not given back");
        }
        for case in self.cases.iter_mut().filter(|case| case.open()) {
            case.state = CaseState::Cancelled;
            (case.modified_at, case.ended_at) = (at, Some(at));
        }
        if self.paid_fen > 0 {
            let places: Vec<Option<usize>> =
                if rules.whole_order_cases { vec![None] } else { (0..self.lines.len()).map(Some).collect() };
            let owed = places.into_iter().filter(|place| self.refundable_fen(*place) > 0).collect::<Vec<_>>();
            for place in owed {
                let no = self.ask_refund((place, None, false), rules, dice, at)?;
                self.move_case(&Edit::Settle { refund_no: no }, rules, at)?;
            }
        }
        self.close(at);
        Ok(())
    }

    fn hold(&mut self, hold: Hold) -> Result<(), Error> {
        if !matches!(self.stage, Stage::ToAccept | Stage::ToShip)
            || self.lines.iter().any(|line| line.shipped)
        {
            return refused(format!("order {} cannot be held", self.no));
        }
        self.hold = Some(hold);
        Ok(())
    }

    fn reprice(&mut self, place: usize, change_fen: i64) -> Result<(), Error> {
        if self.stage != Stage::Unpaid || self.paid_fen > 0 {
            return refused("the price of a paid order is fixed");
        }
        let before = self.lines.clone();
        let Some(line) = self.lines.get_mut(place) else { return refused("there is no such line") };
        line.adjust_fen += change_fen;
        self.share();
        if self.lines.iter().any(|line| line.net_fen() < 0) {
            self.lines = before;
            return refused("the change is larger than the line");
        }
        Ok(())
    }
}
