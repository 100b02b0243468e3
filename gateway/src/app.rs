//! A running gateway, put together: host, storage, pipeline and the two listeners, in the order in which they need each
//! other, and taken apart in the opposite one.

use crate::{
    error::Error,
    master, metrics,
    ready::{Published, Ready},
    token::Token,
};
use qudao_api::ApiOptions;
use qudao_config::{Config, Environment, ProcessEnvironment, StorageChoice};
use qudao_host::{Host, HostOptions};
use qudao_listener::{Drained, Limits};
use qudao_model::clock::SystemClock;
use qudao_pipeline::{Folding, Gateway, Parts, Tasks};
use qudao_storage::{Location, Options, Storage};
use qudao_vault::Vault;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// For answers of the private side once the public one is empty: long-polls and streams hear of the end at once, so that
/// only a client that does not read takes this long. With the hooks' 20 seconds it stays below the 25 that a stop may take.
const ADMIN_DRAIN: Duration = Duration::from_secs(2);
/// For background work after both listeners are closed.
const TASKS_DRAIN: Duration = Duration::from_secs(2);

/// A gateway that takes requests.
pub(crate) struct App {
    gateway: Arc<Gateway>,
    tasks: Tasks,
    hooks: Listening,
    admin: Listening,
    /// Ends long-polls and streams of the private side; they resume elsewhere or later.
    going_down: CancellationToken,
    ready: Ready,
    published: Published,
}

/// One listener and how to end it.
struct Listening {
    address: SocketAddr,
    stop: CancellationToken,
    ended: CancellationToken,
}

impl App {
    /// Starts everything; when this returns, both listeners take requests and `ready.json` says where.
    pub(crate) async fn start(config: &Config) -> Result<App, Error> {
        let data = &data_folder(&config.gateway.data)?;
        let token = Token::of(config, data)?;
        // Bound first: a port that is taken is told before anything slow begins.
        let hooks = bind("gateway.hooks", config.gateway.hooks)?;
        let admin = bind("gateway.admin", config.gateway.admin)?;

        let metrics = metrics::record()?;
        let vault = master::vault(config, data)?;
        let fold = Gateway::fold_of(config);
        let linked = fold.linked.clone();
        let storage = open_storage(config, fold, Arc::clone(&vault)).await?;
        let host = host(Some(data.join("cache")))?;
        let parts = Parts { host, storage, clock: Arc::new(SystemClock), vault, linked };
        let gateway = Gateway::start(config, parts).await.map_err(Error::Config)?;

        let tasks = Tasks::new();
        gateway.run_schedule(&tasks);
        gateway.run_imports(&tasks);
        gateway.run_webhooks(&tasks).await;
        let going_down = CancellationToken::new();
        metrics::keep_up(&tasks, &metrics);
        let options = ApiOptions { token: token.text, metrics, stop: going_down.clone() };
        let api = qudao_api::router(Arc::clone(&gateway), options);
        let admin_limits = Limits { drain: ADMIN_DRAIN, ..Limits::admin() };
        let ingress = qudao_ingress::router(Arc::clone(&gateway));
        let hooks = spawn(&tasks, "hooks", address(&hooks)?, |stop| {
            qudao_listener::serve(hooks, ingress, Limits::hooks(), stop)
        });
        let admin = spawn(&tasks, "admin", address(&admin)?, |stop| {
            qudao_listener::serve(admin, api, admin_limits, stop)
        });
        let ready = Ready {
            hooks: hooks.address,
            admin: admin.address,
            admin_token_file: token.file,
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let published = ready.publish(data)?;
        info!(gateway.hooks = %ready.hooks, gateway.admin = %ready.admin, "ready: hooks on {}, admin on {}", ready.hooks, ready.admin);
        Ok(App { gateway, tasks, hooks, admin, going_down, ready, published })
    }

    /// Where it is.
    pub(crate) fn ready(&self) -> &Ready {
        &self.ready
    }

    /// The pipeline.
    pub(crate) fn gateway(&self) -> &Gateway {
        &self.gateway
    }

    /// Takes nothing new, finishes what was begun, closes the database. At most 25 seconds.
    pub(crate) async fn stop(self) {
        self.gateway.drain();
        self.going_down.cancel();
        self.hooks.end().await;
        self.admin.end().await;
        self.tasks.drain(TASKS_DRAIN).await;
        self.gateway.storage().close().await;
        drop(self.published);
        info!("stopped");
    }
}

impl Listening {
    async fn end(&self) {
        self.stop.cancel();
        self.ended.cancelled().await;
    }
}

/// The sandbox for a command beside the gateway. Compiled components come from the gateway's cache where there is a data
/// folder, which a command that only looks must not make, else from one of the user's own.
pub(crate) fn host_beside(data: Option<&Path>) -> Result<Host, Error> {
    match data.filter(|data| data.is_dir()) {
        Some(data) => host(Some(data.join("cache"))),
        None => host(user_cache(&ProcessEnvironment)),
    }
}

/// `$XDG_CACHE_HOME/qudao`, else `~/.cache/qudao`. Never a shared temporary folder: what lies there is machine code.
fn user_cache(environment: &dyn Environment) -> Option<PathBuf> {
    let absolute = |name: &str| environment.var(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let caches = absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")));
    caches.map(|caches| caches.join("qudao"))
}

fn host(cache_dir: Option<PathBuf>) -> Result<Host, Error> {
    let options = HostOptions { cache_dir, ..HostOptions::default() };
    Host::new(options).map_err(|source| Error::Host { doing: "start the sandbox".to_owned(), source })
}

/// The database of a configuration, for the one that writes.
async fn open_storage(config: &Config, fold: Arc<Folding>, vault: Arc<Vault>) -> Result<Storage, Error> {
    let StorageChoice::Sqlite = config.gateway.storage else {
        return Err(Error::refused("storage other than sqlite is not in this version"));
    };
    let location = Location::Sqlite(config.gateway.data.clone());
    let mut options = Options::new(location, fold);
    options.vault = Some(Gateway::sealing(vault));
    if let Some(bytes) = config.gateway.copy_log_at {
        options.disk.log_bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
    }
    Storage::open(options).await.map_err(Error::storage("open the database"))
}

/// Makes the data folder where it is missing, and names it so that it means the same from everywhere.
fn data_folder(data: &Path) -> Result<PathBuf, Error> {
    qudao_storage::make_folder(data).map_err(Error::file("make the data folder", data))?;
    data.canonicalize().map_err(Error::file("find the data folder", data))
}

fn bind(setting: &str, address: SocketAddr) -> Result<TcpListener, Error> {
    qudao_listener::bind(address).map_err(|error| {
        Error::refused(format!("cannot listen on {address}: {}", error.source))
            .hint(format!("free the port, or change {setting} in connectors.yaml; port 0 takes any free one"))
    })
}

fn spawn<F>(
    tasks: &Tasks,
    name: &'static str,
    address: SocketAddr,
    serving: impl FnOnce(CancellationToken) -> F,
) -> Listening
where
    F: Future<Output = Drained> + Send + 'static,
{
    let (stop, ended) = (CancellationToken::new(), CancellationToken::new());
    let (serving, guard) = (serving(stop.clone()), ended.clone().drop_guard());
    tasks.spawn(name, async move {
        let _ended = guard;
        let Drained { cut } = serving.await;
        if cut > 0 {
            warn!(
                listener.name = name,
                listener.cut = cut,
                "{cut} connections of {name} did not end in time and were cut"
            );
        }
    });
    Listening { address, stop, ended }
}

fn address(listener: &TcpListener) -> Result<SocketAddr, Error> {
    listener.local_addr().map_err(Error::system("read the address of a listener"))
}
