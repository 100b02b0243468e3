//! A JDDJ station (shop orders within the hour): orders to be read, and callbacks that tell of them.
//!
//! [`Station::start`] opens `/djapi/order/es/query` on an address of this machine. What happens to an order is put down as a
//! notice; [`Station::deliver`] posts the notices to a receiver, plain or encrypted. Amounts are fen.

mod api;
mod notices;
mod wire;

use crate::callback::{Callback, Poster as _, Retries, Told, post};
use crate::clock::Clock;
use crate::engine::{Common, Server};
use crate::market::{Basket, Case, Drive, Edit, Edited, Hold, Market, Rules, Sale, Stage, Stock, Truth};
use crate::{Error, Keys};
use api::{Books, Desk};
use serde::Deserialize;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::sync::Arc;

pub use notices::Notice;

const WORD: &str = "jddj";

/// What a station is like.
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
    /// Whether the business part of callbacks is encrypted.
    pub encrypted: bool,
    /// How patient it is with receivers.
    pub retries: Retries,
}

impl Options {
    /// A free port of this machine, the built-in keys, a clock that stands at `now` (unix seconds).
    pub fn at(now: i64) -> Options {
        Options::with(Clock::stopped(now))
    }

    /// The same with a clock.
    pub fn with(clock: Clock) -> Options {
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Options { listen, clock, seed: 1, keys: Keys::BuiltIn, encrypted: false, retries: Retries::default() }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Identity {
    app_key: String,
    station_no: String,
    store_code: String,
}

/// The station; orders are read at `/djapi/order/es/query`. It closes when it is dropped.
#[derive(Debug)]
pub struct Station {
    server: Server,
    desk: Arc<Desk>,
    retries: Retries,
}

static RULES: Rules = Rules {
    order_digits: ("2", 15),
    case_digits: ("2", 12),
    line_ids: false,
    accepts: true,
    whole_order_cases: true,
    tells_cases: false,
    line_offs: false,
    platform_offs: false,
    pauses: true,
    parts: false,
    visible: |_| true,
    hold: Hold::Locked,
    case_hold: Hold::CancelAsked,
    state,
    case_state: |_: &Case| "",
};

impl Station {
    /// Opens the station; it listens when this returns.
    pub fn start(options: Options) -> Result<Station, Error> {
        let identity: Identity = options.keys.identity(WORD)?;
        let common = Common::new(options.clock);
        let books = Books { market: Market::new(&RULES, options.seed), notices: Vec::new() };
        let desk = Arc::new(Desk {
            common: common.clone(),
            identity,
            secret: options.keys.word(WORD, "test_app_secret.txt")?,
            token: options.keys.word(WORD, "test_token.txt")?,
            encrypted: options.encrypted,
            books: std::sync::Mutex::new(books),
        });
        let server = Server::start(options.listen, common, desk.clone())?;
        Ok(Station { server, desk, retries: options.retries })
    }

    /// What callers must sign with, and what callbacks are signed with.
    pub fn app_key(&self) -> &str {
        &self.desk.identity.app_key
    }

    /// The secret of [`app_key`](Station::app_key).
    pub fn app_secret(&self) -> &str {
        &self.desk.secret
    }

    /// The shop's grant.
    pub fn token(&self) -> &str {
        &self.desk.token
    }

    /// Somebody orders; the order's number.
    pub fn place(&self, basket: Basket) -> Result<String, Error> {
        self.desk.place(basket)
    }

    /// Something happens to an order.
    pub fn edit(&self, order_no: &str, edit: &Edit) -> Result<Edited, Error> {
        self.desk.edit(order_no, edit)
    }

    /// Many orders with a past, without notices; their numbers.
    pub fn stock(&self, stock: Stock) -> Result<Vec<String>, Error> {
        self.desk.stock(stock)
    }

    /// How things are. JDDJ does not tell what became of the money of a cancelled order, so neither does this.
    pub fn truth(&self) -> Truth {
        self.desk.books().market.truth()
    }

    /// Notices that were not posted yet.
    pub fn waiting(&self) -> Vec<Notice> {
        self.desk.books().notices.clone()
    }

    /// A callback as it would leave now, for tests that post it themselves.
    pub fn callback(&self, notice: &Notice) -> Result<Callback, Error> {
        self.desk.request(notice, 0, false)
    }

    /// Posts all waiting notices to a receiver's base address, such as `http://127.0.0.1:8080/hooks/jddj-main`.
    pub async fn deliver(&self, to: &str) -> Result<Vec<Told>, Error> {
        let notices = std::mem::take(&mut self.desk.books().notices);
        post(&*self.desk, &self.desk.common, to, self.retries, notices).await
    }

    /// Closes the station.
    pub fn stop(mut self) {
        self.server.stop();
    }
}

impl Deref for Station {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

/// The platform's number of the state of an order.
fn state(sale: &Sale) -> &'static str {
    match (sale.stage, sale.hold) {
        (Stage::Unpaid, _) => "31000",
        (Stage::ToAccept | Stage::ToShip, Some(Hold::CancelAsked)) => "20030",
        (Stage::ToAccept | Stage::ToShip, Some(Hold::Locked | Hold::Forbidden)) => "20010",
        (Stage::ToAccept | Stage::ToShip, Some(Hold::Paused)) => "20050",
        (Stage::ToAccept, None) => "41000",
        (Stage::ToShip, None) => "32000",
        (Stage::Shipped, _) => "33040",
        (Stage::Finished, _) => "90000",
        (Stage::Cancelled, _) => "20020",
    }
}
