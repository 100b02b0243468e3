//! What an answer to a command says about it, and what the platform's own word about the thing it concerns says.
//!
//! Tables, no guesses: what may have been applied and is not known to be is `unknown`.

use super::code::Code;
use crate::schedule::{STEP_MAX, back_off, jittered};
use qudao_host::{Answered, AskFailure, EffectState, Told};
use qudao_model::{
    AfterSaleState, Entity, Facts, OrderState,
    entity::{PaymentState, RefundState},
    fault::{Class, Retry},
    observation::PaymentClaim,
};
use qudao_storage::CommandState;
use std::time::Duration;

/// How a call of a command ended. None pauses its channel: where the grant is gone the next question says so, and one
/// command that is not allowed must not keep payments from being asked for.
pub(super) struct Outcome {
    pub(super) state: CommandState,
    pub(super) code: Option<String>,
    pub(super) message: Option<String>,
    pub(super) failure: Option<AskFailure>,
}

/// Reads an answer. `left` says whether anything left or came back.
pub(super) fn of_answer(answered: &Answered, left: bool) -> Outcome {
    let failure = match &answered.told {
        Ok(Told::Effect(effect)) => {
            let state = match effect.state {
                EffectState::Succeeded => CommandState::Succeeded,
                EffectState::Accepted => CommandState::Accepted,
                EffectState::Failed => CommandState::Failed,
            };
            let (code, message) = (effect.code.clone(), Some(effect.message.clone()));
            return Outcome { state, code, message, failure: None };
        }
        Ok(Told::Page(_)) => {
            let (code, message) =
                (Some(Code::Unknown.as_str().to_owned()), "the connector gave a page instead of an effect");
            return Outcome {
                state: CommandState::Unknown,
                code,
                message: Some(message.to_owned()),
                failure: None,
            };
        }
        Err(failure) => failure,
    };
    let state = after_failure(failure, left || answered.unsettled());
    let message = Some(format!("{}: {}", failure.code, failure.message));
    Outcome { state, code: Some(failure.code.clone()), message, failure: Some(failure.clone()) }
}

/// Where a failed call leaves its command. Once something left, only the platform's word about it settles anything: it may
/// have done it and its answer was lost, forged, cut off or unreadable, whatever else the failure says of itself. A platform
/// that says no is no failure but an effect.
fn after_failure(failure: &AskFailure, left: bool) -> CommandState {
    match (failure.class, failure.retry) {
        _ if left => CommandState::Unknown,
        // Nothing left: it goes out later, or after a person mended something.
        (_, Retry::After(_) | Retry::Now) | (Class::Operator | Class::Defect, Retry::Never) => {
            CommandState::Queued
        }
        (Class::Platform | Class::Sender, Retry::Never) => CommandState::Failed,
    }
}

impl Outcome {
    /// How long until it is looked at again; nothing where the schedule of its connector says it.
    pub(super) fn wait(&self, attempts: u32, seed: &str) -> Option<Duration> {
        match (self.state, &self.failure) {
            (CommandState::Queued, Some(AskFailure { retry: Retry::After(wait), .. })) if !wait.is_zero() => {
                Some((*wait).min(STEP_MAX.saturating_mul(100)))
            }
            (CommandState::Queued, Some(AskFailure { retry: Retry::Never, .. })) => {
                Some(jittered(STEP_MAX, seed))
            }
            (CommandState::Queued, _) => Some(back_off(attempts.saturating_add(1), seed)),
            _ => None,
        }
    }
}

/// What the thing a command is about says of the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Word {
    /// Nothing of it was done, as far as this tells.
    NotDone,
    /// Under way.
    Accepted,
    /// It ended otherwise, by this word.
    Failed(Code),
    /// Done.
    Done,
}

/// How far a thing is that a command can be about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Payment(PaymentState),
    Refund(RefundState),
    Order(OrderState),
    AfterSale(AfterSaleState),
}

impl Standing {
    pub(super) fn of_facts(facts: &Facts) -> Option<Standing> {
        match facts {
            Facts::Payment(facts) => Some(Standing::Payment(match facts.state {
                PaymentClaim::Pending => PaymentState::Pending,
                PaymentClaim::Authorized => PaymentState::Authorized,
                PaymentClaim::Paid => PaymentState::Paid,
                PaymentClaim::Closed => PaymentState::Closed,
                PaymentClaim::Failed => PaymentState::Failed,
            })),
            Facts::Refund(facts) => Some(Standing::Refund(facts.state)),
            Facts::Order(facts) => facts.state.map(Standing::Order),
            Facts::AfterSale(facts) => Some(Standing::AfterSale(facts.state)),
            Facts::Listing(_) | Facts::Slip(_) => None,
        }
    }

    pub(super) fn of_entity(entity: &Entity) -> Option<Standing> {
        match entity {
            Entity::Payment(payment) => Some(Standing::Payment(payment.state)),
            Entity::Refund(refund) => Some(Standing::Refund(refund.state)),
            Entity::Order(order) => Some(Standing::Order(order.state)),
            Entity::AfterSale(aftersale) => Some(Standing::AfterSale(aftersale.state)),
            Entity::Listing(_) | Entity::Slip(_) => None,
        }
    }
}

/// What became of a command of this kind, by what it is about.
pub(super) fn word(kind: &str, standing: Standing) -> Word {
    match (kind, standing) {
        ("refund.create", Standing::Refund(RefundState::Succeeded))
        | ("payment.close", Standing::Payment(PaymentState::Closed))
        | ("order.cancel", Standing::Order(OrderState::Cancelled))
        | ("order.ship", Standing::Order(OrderState::Shipped | OrderState::Completed)) => Word::Done,
        ("refund.create", Standing::Refund(RefundState::Processing | RefundState::Abnormal)) => {
            Word::Accepted
        }
        ("refund.create", Standing::Refund(RefundState::Closed)) => Word::Failed(Code::Closed),
        (
            "payment.close",
            Standing::Payment(PaymentState::Paid | PaymentState::PartlyRefunded | PaymentState::Refunded),
        ) => Word::Failed(Code::Paid),
        ("order.cancel", Standing::Order(OrderState::Shipped | OrderState::Completed)) => {
            Word::Failed(Code::Shipped)
        }
        ("order.ship", Standing::Order(OrderState::Cancelled)) => Word::Failed(Code::Cancelled),
        ("aftersale.answer", Standing::AfterSale(state)) if state > AfterSaleState::Requested => Word::Done,
        // It says nothing for sure; the same again is safe.
        _ => Word::NotDone,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_have_been_applied_is_unknown() {
        let (wait, zero) = (Retry::After(Duration::from_secs(3)), Retry::After(Duration::ZERO));
        let check = |class, retry, left, expect| {
            let failure = AskFailure { class, retry, code: "x".to_owned(), message: String::new() };
            assert_eq!(after_failure(&failure, left), expect, "{class:?} {retry:?} {left}");
        };
        for class in [Class::Platform, Class::Sender, Class::Operator, Class::Defect] {
            for retry in [wait, zero, Retry::Now, Retry::Never] {
                check(class, retry, true, CommandState::Unknown);
            }
            for retry in [wait, zero, Retry::Now] {
                check(class, retry, false, CommandState::Queued);
            }
        }
        check(Class::Operator, Retry::Never, false, CommandState::Queued);
        check(Class::Defect, Retry::Never, false, CommandState::Queued);
        check(Class::Platform, Retry::Never, false, CommandState::Failed);
        check(Class::Sender, Retry::Never, false, CommandState::Failed);
    }

    #[test]
    fn the_platforms_word_settles_a_command() {
        let check = |kind, standing, expect| assert_eq!(word(kind, standing), expect, "{kind} {standing:?}");
        check("refund.create", Standing::Refund(RefundState::Succeeded), Word::Done);
        check("refund.create", Standing::Refund(RefundState::Processing), Word::Accepted);
        check("refund.create", Standing::Refund(RefundState::Abnormal), Word::Accepted);
        check("refund.create", Standing::Refund(RefundState::Closed), Word::Failed(Code::Closed));
        check("payment.close", Standing::Payment(PaymentState::Closed), Word::Done);
        check("payment.close", Standing::Payment(PaymentState::Paid), Word::Failed(Code::Paid));
        check("payment.close", Standing::Payment(PaymentState::Pending), Word::NotDone);
        check("order.ship", Standing::Order(OrderState::Shipped), Word::Done);
        check("order.ship", Standing::Order(OrderState::ToShip), Word::NotDone);
        check("order.ship", Standing::Order(OrderState::Cancelled), Word::Failed(Code::Cancelled));
        check("aftersale.answer", Standing::AfterSale(AfterSaleState::Approved), Word::Done);
        check("aftersale.answer", Standing::AfterSale(AfterSaleState::Requested), Word::NotDone);
        check("refund.create", Standing::Payment(PaymentState::Paid), Word::NotDone);
    }
}
