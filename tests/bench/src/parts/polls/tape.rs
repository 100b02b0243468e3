//! Stands between a gateway and a simulator and keeps every request, to send them again later.

use crate::http::{self, Connection};
use anyhow::{Context, Result};
use qudao_sim::tmall::Shop;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

type Calls = Arc<Mutex<Vec<Vec<u8>>>>;

pub(super) struct Tape {
    address: SocketAddr,
    calls: Calls,
}

impl Tape {
    /// Passes everything on to the shop.
    pub(super) fn before(shop: &Shop) -> Result<Tape> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let (address, calls, to) = (listener.local_addr()?, Calls::default(), shop_address(shop)?);
        let kept = Arc::clone(&calls);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let calls = Arc::clone(&kept);
                // A connection that breaks is the gateway's to repair.
                thread::spawn(move || drop(pass(stream, to, &calls)));
            }
        });
        Ok(Tape { address, calls })
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What was asked until now.
    pub(super) fn stop(self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.calls.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Where a shop listens.
pub(super) fn shop_address(shop: &Shop) -> Result<SocketAddr> {
    shop.url().trim_start_matches("http://").parse().context("the simulator's address")
}

fn pass(mut from: TcpStream, to: SocketAddr, calls: &Calls) -> Result<()> {
    from.set_nodelay(true)?;
    let mut shop = Connection::open(to)?;
    let (mut buffer, mut chunk) = (Vec::new(), [0; 16 * 1024]);
    loop {
        let read = from.read(&mut chunk)?;
        if read == 0 {
            return Ok(());
        }
        buffer.extend_from_slice(chunk.get(..read).unwrap_or_default());
        while let Some((_, _, end)) = http::message(&buffer) {
            let request: Vec<u8> = buffer.drain(..end).collect();
            shop.send(&request)?;
            from.write_all(shop.whole())?;
            calls.lock().unwrap_or_else(PoisonError::into_inner).push(request);
        }
    }
}
