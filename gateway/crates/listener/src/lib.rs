//! A bounded HTTP/1 listener: takes a socket and a router, and keeps strangers from using more than their share.
//!
//! Every resource a stranger can hold is named and bounded in [`Limits`]: connections, time and bytes for the header,
//! time for the body, time for the answer, time to take it. A drain stops accepting, lets the requests in flight finish and is bounded
//! itself. What a request means is the router's business; this crate only answers 400, 408, 414, 431, 500 and 503 itself,
//! each without a body.
//!
//! Two surprises. [`serve`] raises the soft limit of open files to the hard one, because a connection is a file and the
//! usual soft limit of 1,024 would let a handful of idle clients lock everybody out. And a connection that has not sent
//! a byte has no buffers yet, so that ten thousand idle ones cost little more than their sockets.

mod accept;
mod body;
mod connection;
mod guard;
mod limits;
mod stall;

pub use accept::{BindError, Drained, bind, serve};
pub use limits::Limits;
