//! A JD (POP) shop behind the JOS gateway: orders and refund applications.
//!
//! [`Shop::start`] opens `/routerjson` on an address of this machine. Values are text, order amounts yuan, refund amounts
//! fen, and a time that is not there is `0001-01-01 00:00:00`, all as the real one has it.

mod gateway;
mod verify;
mod wire;

use crate::clock::Clock;
use crate::engine::{Common, Server};
use crate::market::{
    Basket, Case, CaseState, Drive, Edit, Edited, Hold, Later, Market, Rules, Sale, Stage, Stock, Truth,
};
use crate::{Error, Keys};
use gateway::{Books, Desk};
use serde::Deserialize;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::sync::Arc;

const WORD: &str = "jd";

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
}

impl Options {
    /// A free port of this machine, the built-in keys, a clock that stands at `now` (unix seconds).
    pub fn at(now: i64) -> Options {
        Options::with(Clock::stopped(now))
    }

    /// The same with a clock.
    pub fn with(clock: Clock) -> Options {
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Options { listen, clock, seed: 1, keys: Keys::BuiltIn }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Identity {
    app_key: String,
    vender_id: String,
}

/// The shop; its gateway is at `/routerjson`. It closes when it is dropped.
#[derive(Debug)]
pub struct Shop {
    server: Server,
    desk: Arc<Desk>,
}

static RULES: Rules = Rules {
    order_digits: ("3", 12),
    case_digits: ("2", 10),
    line_ids: false,
    accepts: false,
    whole_order_cases: true,
    tells_cases: true,
    line_offs: true,
    platform_offs: true,
    pauses: true,
    parts: false,
    visible: |sale| sale.stage != Stage::Unpaid,
    hold: Hold::Locked,
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
            later: Later::default(),
            token: options.keys.word(WORD, "test_access_token.txt")?,
        };
        let secret = options.keys.word(WORD, "test_app_secret.txt")?;
        let desk = Arc::new(Desk::new(common.clone(), identity, secret, books));
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

    /// Number of the shop, as orders tell it.
    pub fn vender_id(&self) -> &str {
        &self.desk.identity.vender_id
    }

    /// The shop's grant.
    pub fn access_token(&self) -> String {
        self.desk.books().token.clone()
    }

    /// The merchant grants anew: the old token is refused from now on.
    pub fn grant(&self, token: &str) {
        token.clone_into(&mut self.desk.books().token);
    }

    /// Somebody orders; the order's number.
    pub fn place(&self, basket: Basket) -> Result<String, Error> {
        self.desk.place(basket)
    }

    /// Something happens to an order.
    pub fn edit(&self, order_no: &str, edit: &Edit) -> Result<Edited, Error> {
        self.desk.edit(order_no, edit)
    }

    /// Many orders with a past; their numbers.
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

/// The platform's word for the state of an order.
fn state(sale: &Sale) -> &'static str {
    match (sale.stage, sale.hold) {
        (Stage::Unpaid, _) => "NOT_PAY",
        (Stage::ToAccept | Stage::ToShip, Some(Hold::Paused)) => "PAUSE",
        (Stage::ToAccept | Stage::ToShip, Some(Hold::Locked | Hold::Forbidden | Hold::CancelAsked)) => {
            "LOCKED"
        }
        (Stage::ToAccept | Stage::ToShip, None) if sale.basket.kind.as_deref() == Some("75") => {
            "WAIT_SEND_CODE"
        }
        (Stage::ToAccept | Stage::ToShip, None) => "WAIT_SELLER_STOCK_OUT",
        (Stage::Shipped, _) => "WAIT_GOODS_RECEIVE_CONFIRM",
        (Stage::Finished, _) => "FINISHED_L",
        (Stage::Cancelled, _) => "TRADE_CANCELED",
    }
}

fn case_state(case: &Case) -> &'static str {
    match case.state {
        CaseState::Requested => "0",
        CaseState::Approved | CaseState::AwaitingReturn | CaseState::ReturnInTransit => "1",
        CaseState::Refused => "2",
        CaseState::Succeeded => "3",
        CaseState::Cancelled => "11",
    }
}
