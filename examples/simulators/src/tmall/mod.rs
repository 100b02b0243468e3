//! A Tmall shop behind the TOP router: trades, refunds and TMC messages over HTTP.
//!
//! [`Shop::start`] opens `POST /router/rest` on an address of this machine. Orders are placed and edited by hand, each edit
//! moves `modified` to the shop's clock and puts a message into the queue; [`Shop::truth`] tells how things really are.

mod messages;
mod router;
mod verify;
mod wire;

use crate::clock::Clock;
use crate::engine::{Common, Server};
use crate::market::{
    Basket, Case, CaseState, Drive, Edit, Edited, Hold, Later, Market, Rules, Sale, Stage, Stock, Truth,
};
use crate::{Error, Keys};
use messages::Queue;
use router::{Books, Desk};
use serde::Deserialize;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::sync::Arc;

pub use crate::calls::{Call, Calls};

const WORD: &str = "tmall";

/// How ids are written in answers; messages always carry numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ids {
    /// As text.
    #[default]
    Text,
    /// As JSON numbers above 2^53.
    Numbers,
}

/// What a shop is like.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Its clock.
    pub clock: Clock,
    /// Decides every number that is made up.
    pub seed: u64,
    /// Identity and secrets.
    pub keys: Keys,
    /// How ids are written.
    pub ids: Ids,
    /// After how many seconds an unconfirmed message comes again.
    pub redeliver_after_s: i64,
}

impl Options {
    /// A free port of this machine, the built-in keys, a clock that stands at `now` (unix seconds).
    pub fn at(now: i64) -> Options {
        Options::with(Clock::stopped(now))
    }

    /// The same with a clock.
    pub fn with(clock: Clock) -> Options {
        Options {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            clock,
            seed: 1,
            keys: Keys::BuiltIn,
            ids: Ids::Text,
            redeliver_after_s: 600,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Identity {
    app_key: String,
    seller_nick: String,
    user_id: u64,
}

/// The shop; its router is at `/router/rest`. It closes when it is dropped.
#[derive(Debug)]
pub struct Shop {
    server: Server,
    desk: Arc<Desk>,
}

static RULES: Rules = Rules {
    order_digits: ("2", 19),
    case_digits: ("1", 18),
    line_ids: true,
    accepts: false,
    whole_order_cases: false,
    tells_cases: true,
    line_offs: true,
    platform_offs: false,
    pauses: false,
    parts: true,
    visible: |_| true,
    hold: Hold::Forbidden,
    case_hold: Hold::Locked,
    state,
    case_state,
};

impl Shop {
    /// Opens the shop; it listens when this returns.
    pub fn start(options: Options) -> Result<Shop, Error> {
        let identity: Identity = options.keys.identity(WORD)?;
        let common = Common::new(options.clock);
        let books = Books {
            market: Market::new(&RULES, options.seed),
            queue: Queue::new(options.redeliver_after_s, options.seed),
            later: Later::default(),
            session: options.keys.word(WORD, "test_session.txt")?,
            noise: crate::dice::Dice::new(options.seed ^ 0x70),
        };
        let secret = options.keys.word(WORD, "test_app_secret.txt")?;
        let desk = Arc::new(Desk::new(common.clone(), identity, secret, options.ids, books));
        let server = Server::start(options.listen, common, desk.clone())?;
        Ok(Shop { server, desk })
    }

    /// What callers must sign with.
    pub fn app_key(&self) -> &str {
        &self.desk.identity.app_key
    }

    /// The secret of [`app_key`](Shop::app_key).
    pub fn app_secret(&self) -> &str {
        &self.desk.secret
    }

    /// Nick of the shop, as trades tell it.
    pub fn seller_nick(&self) -> &str {
        &self.desk.identity.seller_nick
    }

    /// The shop's grant.
    pub fn session(&self) -> String {
        self.desk.books().session.clone()
    }

    /// The merchant grants anew: the old session is refused from now on.
    pub fn grant(&self, session: &str) {
        session.clone_into(&mut self.desk.books().session);
    }

    /// Somebody orders; the order's number.
    pub fn place(&self, basket: Basket) -> Result<String, Error> {
        self.desk.place(basket)
    }

    /// Something happens to an order.
    pub fn edit(&self, order_no: &str, edit: &Edit) -> Result<Edited, Error> {
        self.desk.edit(order_no, edit)
    }

    /// Many orders with a past, without messages; their numbers.
    pub fn stock(&self, stock: Stock) -> Result<Vec<String>, Error> {
        self.desk.stock(stock)
    }

    /// Edits that happen right after the next answer of this API method; for lists only after that page.
    pub fn edit_after(&self, method: &str, page: Option<u32>, edits: Vec<(String, Edit)>) {
        self.desk.books().later.add(method, page, edits);
    }

    /// How things are.
    pub fn truth(&self) -> Truth {
        self.desk.books().market.truth()
    }

    /// Messages that nobody has confirmed.
    pub fn unconfirmed(&self) -> usize {
        self.desk.books().queue.unconfirmed()
    }

    /// Closes the shop.
    pub fn stop(mut self) {
        self.server.stop();
    }
}

impl Deref for Shop {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

/// The platform's word for the state of a trade.
fn state(sale: &Sale) -> &'static str {
    match sale.stage {
        Stage::Unpaid => "WAIT_BUYER_PAY",
        Stage::ToAccept | Stage::ToShip if sale.hold.is_some() => "PAID_FORBID_CONSIGN",
        Stage::ToAccept | Stage::ToShip if sale.partly_shipped() => "SELLER_CONSIGNED_PART",
        Stage::ToAccept | Stage::ToShip => "WAIT_SELLER_SEND_GOODS",
        Stage::Shipped => "WAIT_BUYER_CONFIRM_GOODS",
        Stage::Finished => "TRADE_FINISHED",
        Stage::Cancelled if sale.paid_fen > 0 => "TRADE_CLOSED",
        Stage::Cancelled => "TRADE_CLOSED_BY_TAOBAO",
    }
}

fn case_state(case: &Case) -> &'static str {
    match case.state {
        CaseState::Requested => "WAIT_SELLER_AGREE",
        CaseState::Approved | CaseState::AwaitingReturn => "WAIT_BUYER_RETURN_GOODS",
        CaseState::ReturnInTransit => "WAIT_SELLER_CONFIRM_GOODS",
        CaseState::Refused => "SELLER_REFUSE_BUYER",
        CaseState::Cancelled => "CLOSED",
        CaseState::Succeeded => "SUCCESS",
    }
}
