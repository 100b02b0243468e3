//! Tmall and Taobao connector: reads orders and after-sales of one shop from the open platform.
//!
//! Two lists by time of change (`orders`, `refunds`) miss nothing; the message service, where it is set up, tells the same sooner.
//! List rows and messages are hints alone: facts come from the whole trade and the whole refund, asked for by number. Nothing is
//! changed at the platform but that messages are confirmed, after what they led to is stored.
//!
//! Names of the platform stay in `wire`, meaning is given in `map`, `walk` says why no change is lost, `trouble` what to do
//! about errors.

mod call;
mod map;
mod messages;
mod settings;
mod signing;
mod things;
mod trouble;
mod walk;
mod wire;

use call::Top;
use qudao_sdk::{Connector, Failure, Host, KeyKind, Manifest, Page};
use settings::Settings;
use things::Thing;
use walk::List;

/// The connector.
pub struct Tmall;

/// All kinds of trade in goods and services that the platform names; left out, it would give five of them. Insurance, funds and
/// foreign shops are other business.
const TRADE_TYPES: &str = "fixed,auction,guarantee_trade,step,independent_simple_trade,independent_shop_trade,auto_delivery,\
    ec,cod,b2c_cod,game_equipment,shopex_trade,netcn_trade,external_trade,instant_trade,hotel_trade,super_market_trade,\
    super_market_cod_trade,taohua,waimai,o2o_offlinetrade,nopaid,eticket,tmall_i18n,pre_auth_type,fenxiao";

const ORDERS: List = List {
    thing: Thing::Order,
    method: "taobao.trades.sold.increment.get",
    fields: "tid,status,created,modified,type",
    types: TRADE_TYPES,
};

const REFUNDS: List = List {
    thing: Thing::AfterSale,
    method: "taobao.refunds.receive.get",
    fields: "refund_id,tid,oid,status,refund_fee,modified",
    types: TRADE_TYPES,
};

/// Seconds before each further time that something is asked for by its number, and when to leave it to the lists.
const AGAIN_S: [u32; 4] = [5, 30, 120, 600];
const GIVE_UP_S: u32 = 3_600;

impl Connector for Tmall {
    fn manifest() -> Manifest {
        let about = "Orders and after-sales of a Tmall or Taobao shop";
        qudao_sdk::manifest("tmall", env!("CARGO_PKG_VERSION"), about)
            .settings::<Settings>()
            .required("app_secret", KeyKind::SharedSecret, "App secret of `app_key`, from the console")
            .required("session", KeyKind::Token, "Access token that the shop granted to `app_key`")
            .network(settings::ORIGIN)
            .network("{settings.base_url}")
            .poll("orders", 60, "Trades by time of change")
            .poll("refunds", 60, "Refunds and exchanges by time of change")
            .poll("messages", 10, "Messages of the group `tmc_group`, where it is set")
            .fetch(Thing::Order.kind(), &AGAIN_S, GIVE_UP_S)
            .fetch(Thing::AfterSale.kind(), &AGAIN_S, GIVE_UP_S)
            .personal()
            .build()
    }

    fn poll(stream: &str, cursor: Option<&str>, host: &dyn Host) -> Result<Page, Failure> {
        let top = Top::open(host)?;
        match stream {
            "orders" => walk::poll(&ORDERS, cursor, &top),
            "refunds" => walk::poll(&REFUNDS, cursor, &top),
            "messages" => messages::poll(cursor, &top),
            _ => Err(Failure::unsupported("such stream")),
        }
    }

    fn fetch(kind: &str, key: &[String], host: &dyn Host) -> Result<Page, Failure> {
        let thing = [Thing::Order, Thing::AfterSale].into_iter().find(|thing| thing.kind() == kind);
        let (Some(thing), [no]) = (thing, key) else {
            return Err(Failure::unsupported("such fetch"));
        };
        let mut page = Page::empty();
        thing.fetch(no, &Top::open(host)?, &mut page)?;
        Ok(page)
    }
}

qudao_sdk::export!(Tmall: poll);
