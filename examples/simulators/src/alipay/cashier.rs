//! Alipay as it is asked: `POST /gateway.do` with query, refund, refund query and close.
//!
//! Requests must carry a signature of the application over the bytes of its charset; answers carry one of Alipay over the
//! exact text of their node. Refunds happen at once. Nothing is ever notified from here.

mod gateway;

use super::{Identity, Mode, WORD};
use crate::clock::Clock;
use crate::engine::{Common, Server};
use crate::payments::{Edit, Numbers, Purchase, Till, Truth};
use crate::{Error, Keys, beijing};
use gateway::Desk;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::sync::{Arc, Mutex};

/// What a cashier is like.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Its clock.
    pub clock: Clock,
    /// Decides every number that is made up.
    pub seed: u64,
    /// Identity and keys.
    pub keys: Keys,
    /// Which key signs answers.
    pub mode: Mode,
}

impl Options {
    /// A free port of this machine, the built-in keys, a clock that stands at `now` (unix seconds).
    pub fn at(now: i64) -> Options {
        Options::with(Clock::stopped(now))
    }

    /// The same with a clock.
    pub fn with(clock: Clock) -> Options {
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Options { listen, clock, seed: 1, keys: Keys::BuiltIn, mode: Mode::PublicKey }
    }
}

/// The cashier; its gateway is at `/gateway.do`. It closes when it is dropped.
#[derive(Debug)]
pub struct Cashier {
    server: Server,
    desk: Arc<Desk>,
}

impl Cashier {
    /// Opens; it listens when this returns.
    pub fn start(options: Options) -> Result<Cashier, Error> {
        let identity: Identity = options.keys.identity(WORD)?;
        let common = Common::new(options.clock);
        let (file, certificate_sn) = match options.mode {
            Mode::PublicKey => ("test_alipay_private_key.pem", None),
            Mode::Certificate => ("test_certificate_private_key.pem", Some(identity.certificate_sn.clone())),
        };
        let numbers = Numbers {
            transaction_no: |dice, at| format!("{}2200{}", beijing(at, "%Y%m%d"), dice.digits(16)),
            refund_serial: |_, _| String::new(),
            refund_takes_s: 0,
            early: true,
        };
        let desk = Arc::new(Desk {
            common: common.clone(),
            key: options.keys.signer(WORD, file)?,
            stranger: options.keys.signer(WORD, "test_stranger_private_key.pem")?,
            application: options.keys.checker(WORD, "test_app_public_key.pem")?,
            certificate_sn,
            till: Mutex::new(Till::new(numbers, options.seed)),
            identity,
        });
        let server = Server::start(options.listen, common, desk.clone())?;
        Ok(Cashier { server, desk })
    }

    /// The application that may call.
    pub fn app_id(&self) -> &str {
        &self.desk.identity.app_id
    }

    /// The merchant asks a buyer for money; the order's number.
    pub fn place(&self, purchase: Purchase) -> Result<String, Error> {
        self.desk.till().place(purchase, self.clock().now())
    }

    /// Something happens to a payment.
    pub fn edit(&self, order_no: &str, edit: &Edit) -> Result<(), Error> {
        self.desk.till().edit(order_no, edit, self.clock().now())
    }

    /// How things are now.
    pub fn truth(&self) -> Truth {
        self.desk.till().truth(self.clock().now())
    }

    /// Closes.
    pub fn stop(mut self) {
        self.server.stop();
    }
}

impl Deref for Cashier {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}
