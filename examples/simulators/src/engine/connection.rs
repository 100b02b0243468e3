//! Connections: reads a request, lets faults strike, answers.

use super::{Ask, Common, Face, Reply, control};
use crate::calls::Call;
use crate::fault::Kind;
use http_body_util::BodyExt;
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// Longer bodies are refused; no platform sends or takes one.
const BODY_MAX: usize = 4 << 20;

pub(super) struct Desk {
    pub(super) common: Arc<Common>,
    pub(super) face: Arc<dyn Face>,
}

/// The connection ends here, on purpose.
#[derive(Debug, thiserror::Error)]
#[error("the connection ends")]
pub(super) struct Cut;

pub(super) async fn serve(
    listener: std::net::TcpListener,
    desk: Arc<Desk>,
    mut stop: oneshot::Receiver<()>,
) -> std::io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            _ = &mut stop => return Ok(()),
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                let desk = desk.clone();
                connections.spawn(async move {
                    let service = service_fn(move |request| respond(desk.clone(), request));
                    // A caller that goes away, and a cut on purpose, end here.
                    drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
                });
            }
        }
    }
}

async fn respond(desk: Arc<Desk>, request: Request<Incoming>) -> Result<Response<Bytestream>, Cut> {
    let mut ask = read(request).await?;
    if let Some(what) = ask.path.strip_prefix("/_sim/") {
        return Ok(sent(control::answer(&desk, &ask, what), false));
    }
    let (name, about) = desk.face.name(&ask);
    ask.twists = desk.common.faults.take(&name, &ask.path);
    let (reply, ending) = struck(&desk, &ask);
    desk.common.calls.add(Call {
        at: desk.common.clock.now(),
        name,
        about,
        outcome: reply.as_ref().map_or_else(|| "none".to_owned(), |(reply, _)| reply.outcome.clone()),
        applied: reply.as_ref().is_some_and(|(_, applied)| *applied),
        answered: !ending.cut && !ending.half,
        faults: ask.twists.iter().map(Kind::word).collect(),
    });
    if let Some(millis) = ending.millis {
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }
    match reply {
        Some((reply, _)) if !ending.cut => Ok(sent(reply, ending.half)),
        _ => Err(Cut),
    }
}

/// How an answer leaves.
#[derive(Default)]
struct Ending {
    cut: bool,
    half: bool,
    millis: Option<u64>,
}

/// The answer and whether the platform did the call; none where the connection ends first.
fn struck(desk: &Desk, ask: &Ask) -> (Option<(Reply, bool)>, Ending) {
    let mut ending = Ending::default();
    let mut instead = None;
    let mut forged = false;
    for twist in &ask.twists {
        match twist {
            Kind::DropBefore => return (None, Ending { cut: true, ..ending }),
            Kind::Delay { millis } => ending.millis = Some(*millis),
            Kind::DropAfterApply => ending.cut = true,
            Kind::HalfBody => ending.half = true,
            Kind::WrongSignature => forged = true,
            Kind::Status { status, retry_after } => {
                let mut reply = Reply::status(*status);
                let wait = retry_after.map(|seconds| ("Retry-After".to_owned(), seconds.to_string()));
                reply.headers.extend(wait);
                instead = Some(reply);
            }
            Kind::PlatformError { code, text } => {
                instead = Some(desk.face.refusal(ask, code, text.as_deref().unwrap_or("simulated")));
            }
            // The platform does these to its rows.
            Kind::Duplicate | Kind::Reorder | Kind::HalfPage => {}
        }
    }
    let applied = instead.is_none();
    let mut reply = instead.unwrap_or_else(|| desk.face.answer(ask));
    if forged {
        reply = desk.face.forge(reply);
    }
    (Some((reply, applied)), ending)
}

async fn read(request: Request<Incoming>) -> Result<Ask, Cut> {
    let (head, body) = request.into_parts();
    let headers = head.headers.iter();
    let headers = headers.map(|(name, value)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    });
    let body = http_body_util::Limited::new(body, BODY_MAX).collect().await.map_err(|_| Cut)?;
    Ok(Ask {
        method: head.method.as_str().to_owned(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: headers.collect(),
        body: body.to_bytes().to_vec(),
        twists: Vec::new(),
    })
}

fn sent(reply: Reply, half: bool) -> Response<Bytestream> {
    let mut builder = Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        builder = builder.header(name, value);
    }
    let mut bytes = Bytes::from(reply.body);
    if half {
        builder = builder.header("Content-Length", bytes.len());
        bytes.truncate(bytes.len() / 2);
    }
    // Only a header that cannot be written makes this fail, and no platform has one.
    builder.body(Bytestream { bytes, half, stage: 0 }).unwrap_or_default()
}

/// A body that can end too early.
#[derive(Debug, Default)]
struct Bytestream {
    bytes: Bytes,
    half: bool,
    stage: u8,
}

impl Body for Bytestream {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        self.stage += 1;
        match self.stage {
            1 => Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut self.bytes))))),
            2 if self.half => {
                // The first half has to leave before the connection ends.
                context.waker().wake_by_ref();
                Poll::Pending
            }
            3 if self.half => Poll::Ready(Some(Err(Cut))),
            _ => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        !self.half && (self.stage > 0 || self.bytes.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        if self.half { SizeHint::default() } else { SizeHint::with_exact(self.bytes.len() as u64) }
    }
}
