//! A simulator that listens until the program is stopped, and posts what it has to tell.

use crate::args::{Listen, Platform, Serve, Story};
use anstream::println;
use qudao_sim::callback::Told;
use qudao_sim::clock::Clock;
use qudao_sim::market::Stock;
use qudao_sim::{Error, Keys, alipay, jd, jddj, qimen, tmall, wechat_pay};
use reqwest::Url;
use serde_json::{Value, json};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// How often a sender looks whether there is something to tell.
const LOOK: Duration = Duration::from_millis(50);

/// An open simulator, and where it posts.
pub(crate) struct Open {
    simulator: Simulator,
    to: Option<Url>,
}

enum Simulator {
    Tmall(tmall::Shop),
    Jd(jd::Shop),
    Jddj(jddj::Station),
    Qimen(qimen::Caller),
    WechatPay(wechat_pay::cashier::Cashier),
    Alipay(alipay::cashier::Cashier),
}

fn clock(at: Option<i64>) -> Clock {
    at.map_or_else(Clock::ticking, Clock::stopped)
}

fn keys(from: Option<PathBuf>) -> Keys {
    from.map_or(Keys::BuiltIn, Keys::Folder)
}

/// A listener of a platform whose notices are told by a story otherwise.
fn cashier(listen: &Listen, story: Story) -> (SocketAddr, Clock, u64, Keys) {
    let address = listen.listen.unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    (address, clock(story.at), story.seed.unwrap_or(1), keys(story.from))
}

pub(crate) fn open(platform: Platform) -> Result<Open, Error> {
    let mut to = None;
    let simulator = match platform {
        Platform::Tmall { numbers, serve } => {
            let Serve { listen, stock, seed, at, from } = serve;
            let ids = if numbers { tmall::Ids::Numbers } else { tmall::Ids::Text };
            let options =
                tmall::Options { listen, seed, keys: keys(from), ids, ..tmall::Options::with(clock(at)) };
            let shop = tmall::Shop::start(options)?;
            shop.stock(Stock::of(stock))?;
            Simulator::Tmall(shop)
        }
        Platform::Jd { serve: Serve { listen, stock, seed, at, from } } => {
            let shop = jd::Shop::start(jd::Options {
                listen,
                seed,
                keys: keys(from),
                ..jd::Options::with(clock(at))
            })?;
            shop.stock(Stock::of(stock))?;
            Simulator::Jd(shop)
        }
        Platform::Jddj { to: hook, encrypted, serve } => {
            to = hook;
            let Serve { listen, stock, seed, at, from } = serve;
            let options =
                jddj::Options { listen, seed, keys: keys(from), encrypted, ..jddj::Options::with(clock(at)) };
            let station = jddj::Station::start(options)?;
            station.stock(Stock::of(stock))?;
            Simulator::Jddj(station)
        }
        Platform::Qimen { to: hook, form, serve } => {
            to = hook;
            let Serve { listen, seed, at, from, .. } = serve;
            let form = form.into();
            let options =
                qimen::Options { listen, seed, keys: keys(from), form, ..qimen::Options::with(clock(at)) };
            Simulator::Qimen(qimen::Caller::start(options)?)
        }
        Platform::WechatPay { mode, listen, story } => {
            let (listen, clock, seed, keys) = cashier(&listen, story);
            let signing = mode.into();
            let options = wechat_pay::cashier::Options::with(clock);
            let options = wechat_pay::cashier::Options { listen, seed, keys, signing, ..options };
            Simulator::WechatPay(wechat_pay::cashier::Cashier::start(options)?)
        }
        Platform::Alipay { mode, listen, story } => {
            let (listen, clock, seed, keys) = cashier(&listen, story);
            let options = alipay::cashier::Options::with(clock);
            let options = alipay::cashier::Options { listen, seed, keys, mode: mode.into(), ..options };
            Simulator::Alipay(alipay::cashier::Cashier::start(options)?)
        }
    };
    Ok(Open { simulator, to })
}

/// Address and what a channel needs to know; secrets are in the key folder.
fn told(simulator: &Simulator) -> Value {
    match simulator {
        Simulator::Tmall(shop) => {
            let (app_key, nick) = (shop.app_key(), shop.seller_nick());
            json!({"platform": "tmall", "url": shop.url(), "app_key": app_key, "seller_nick": nick})
        }
        Simulator::Jd(shop) => {
            let (app_key, vender_id) = (shop.app_key(), shop.vender_id());
            json!({"platform": "jd", "url": shop.url(), "app_key": app_key, "vender_id": vender_id})
        }
        Simulator::Jddj(station) => {
            json!({"platform": "jddj", "url": station.url(), "app_key": station.app_key()})
        }
        Simulator::Qimen(caller) => {
            let (app_key, customer_id) = (caller.app_key(), caller.customer_id());
            json!({"platform": "qimen", "url": caller.url(), "app_key": app_key, "customer_id": customer_id})
        }
        Simulator::WechatPay(cashier) => {
            let (mchid, serial) = (cashier.mchid(), cashier.merchant_serial());
            json!({"platform": "wechat-pay", "url": cashier.url(), "mchid": mchid, "mch_serial": serial})
        }
        Simulator::Alipay(cashier) => {
            json!({"platform": "alipay", "url": cashier.url(), "app_id": cashier.app_id()})
        }
    }
}

/// Until somebody stops the program.
pub(crate) fn serve(open: &Open) -> anyhow::Result<()> {
    println!("{}", told(&open.simulator));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        tokio::select! {
            stopped = tokio::signal::ctrl_c() => Ok(stopped?),
            failed = tell(open) => failed,
        }
    })
}

/// Posts what there is to tell, for ever.
async fn tell(open: &Open) -> anyhow::Result<()> {
    loop {
        tokio::time::sleep(LOOK).await;
        let Some(to) = &open.to else { continue };
        let outcomes = match &open.simulator {
            Simulator::Jddj(station) => station.deliver(to.as_str()).await?,
            Simulator::Qimen(caller) => caller.deliver(to.as_str()).await?,
            Simulator::Tmall(_) | Simulator::Jd(_) | Simulator::WechatPay(_) | Simulator::Alipay(_) => {
                Vec::<Told>::new()
            }
        };
        for outcome in outcomes {
            println!("{}", json!(outcome));
        }
    }
}
