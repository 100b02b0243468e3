//! A gateway in this process: real components, real storage, listeners where a test wants them.

use crate::{TestClock, component, invariants, recorded::fixtures, root};
use qudao_config::{Config, Environment};
use qudao_host::{Call, Connector, Expectations, Host, HostOptions};
use qudao_model::{AfterSale, Answer, CloudEvent, EntityKind, Order, Payment, Refund, Request, Timestamp};
use qudao_pipeline::{Channels, Delivery, Gateway, Parts, Report as ReplayReport, Tasks, replay};
use qudao_storage::{EntityFilter, Location, Options, Storage};
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// What a test gateway is made of.
pub struct Builder {
    channels: Vec<Channel>,
    files: Vec<(String, Vec<u8>)>,
    shops: Vec<(Shop, Option<String>)>,
    extra: String,
    top: String,
    now: Timestamp,
}

/// A channel at a simulated platform.
pub struct Shop {
    /// Name of the channel.
    pub name: String,
    /// Folder of plugins/.
    pub plugin: String,
    /// As in connectors.yaml; `base_url` is added.
    pub settings: serde_json::Value,
    /// By name.
    pub secrets: Vec<(String, Vec<u8>)>,
    /// Where the platform listens; also granted.
    pub url: String,
}

struct Channel {
    name: String,
    /// Folder of plugins/, whose fixtures also give settings and secrets.
    plugin: String,
    /// Which file of the fixtures' `channels/`.
    configuration: String,
}

/// A running test gateway. End it with [`TestGateway::finish`].
pub struct TestGateway {
    /// The real thing.
    pub gateway: Arc<Gateway>,
    /// Its clock.
    pub clock: TestClock,
    /// Token of the private listener.
    pub token: String,
    folder: TempDir,
    config: Config,
    listeners: Option<Listeners>,
    tasks: Tasks,
    finished: bool,
}

struct Listeners {
    hooks: SocketAddr,
    admin: SocketAddr,
    stop: CancellationToken,
    serving: tokio::task::JoinSet<qudao_listener::Drained>,
}

impl Builder {
    /// Adds a channel that runs `plugins/<plugin>` as configured in that plugin's fixtures.
    #[must_use]
    pub fn channel(mut self, name: &str, plugin: &str, configuration: &str) -> Builder {
        let (name, plugin, configuration) = (name.to_owned(), plugin.to_owned(), configuration.to_owned());
        self.channels.push(Channel { name, plugin, configuration });
        self
    }

    /// Puts a file beside the configuration.
    #[must_use]
    pub fn file(mut self, name: &str, bytes: &[u8]) -> Builder {
        self.files.push((name.to_owned(), bytes.to_owned()));
        self
    }

    /// Adds a channel at a simulated platform.
    #[must_use]
    pub fn shop(mut self, shop: Shop) -> Builder {
        self.shops.push((shop, None));
        self
    }

    /// The same; its orders take from the store of this code.
    #[must_use]
    pub fn shop_from(mut self, shop: Shop, store_code: &str) -> Builder {
        self.shops.push((shop, Some(store_code.to_owned())));
        self
    }

    /// Adds YAML beside `channels:` as it stands.
    #[must_use]
    pub fn top(mut self, yaml: &str) -> Builder {
        self.top.push_str(yaml);
        self
    }

    /// Sets the clock.
    #[must_use]
    pub fn at(mut self, now: Timestamp) -> Builder {
        self.now = now;
        self
    }

    /// Adds YAML under `channels:` as it stands.
    #[must_use]
    pub fn yaml(mut self, channels: &str) -> Builder {
        self.extra.push_str(channels);
        self
    }

    /// Starts it.
    pub async fn start(self) -> TestGateway {
        let folder = tempfile::tempdir().expect("a temporary folder");
        self.write(folder.path());
        TestGateway::open(folder, TestClock::at(self.now)).await
    }

    /// Writes the configuration and its files only, for a gateway that is started otherwise; gives `connectors.yaml`.
    pub fn write(&self, folder: &Path) -> PathBuf {
        for (name, bytes) in &self.files {
            std::fs::write(folder.join(name), bytes).expect("a file can be written");
        }
        let file = folder.join("connectors.yaml");
        std::fs::write(&file, self.text(folder)).expect("the configuration can be written");
        file
    }

    fn text(&self, folder: &Path) -> String {
        let mut text = String::from(
            "version: 1\ngateway: {hooks: \"127.0.0.1:0\", admin: \"127.0.0.2:0\", data: data}\nchannels:\n",
        );
        for channel in &self.channels {
            text.push_str(&channel.yaml(folder));
        }
        for (shop, store_code) in &self.shops {
            text.push_str(&shop.yaml(folder));
            if let Some(code) = store_code {
                text.push_str(&format!("    stock_from: {code:?}\n"));
            }
        }
        text.push_str(&self.extra);
        text.push_str(&self.top);
        text
    }
}

/// Writes secrets to files, and the YAML that names them.
fn secrets_of<'a>(folder: &Path, channel: &str, all: impl Iterator<Item = (&'a String, &'a [u8])>) -> String {
    let secrets = folder.join("secrets").join(channel);
    std::fs::create_dir_all(&secrets).expect("a folder for secrets");
    let mut lines = String::new();
    for (name, secret) in all {
        let file = secrets.join(name);
        std::fs::write(&file, secret).expect("a secret can be written");
        lines.push_str(&format!("      {name}: {{file: {:?}}}\n", file.display().to_string()));
    }
    if lines.is_empty() { "{}\n".to_owned() } else { format!("\n{lines}") }
}

impl Shop {
    fn yaml(&self, folder: &Path) -> String {
        let secrets = self.secrets.iter().map(|(name, bytes)| (name, bytes.as_slice()));
        let secrets = secrets_of(folder, &self.name, secrets);
        let mut settings = self.settings.clone();
        settings["base_url"] = self.url.clone().into();
        format!(
            "  {}:\n    connector: {:?}\n    settings: {settings}\n    network: [{:?}]\n    limits: {{rate_per_second: 10000, \
             rate_burst: 10000}}\n    secrets: {secrets}",
            self.name,
            component(&self.plugin).display().to_string(),
            self.url,
        )
    }
}

impl Channel {
    fn yaml(&self, folder: &Path) -> String {
        let written = qudao_sdk::fixtures::Channel::load(&fixtures(&self.plugin), &self.configuration)
            .unwrap_or_else(|error| panic!("channel {}: {error}", self.configuration));
        let secrets = written.secrets.iter().map(|(name, secret)| (name, secret.0.as_slice()));
        let secrets = secrets_of(folder, &self.name, secrets);
        format!(
            "  {}:\n    connector: {:?}\n    settings: {}\n    secrets: {secrets}",
            self.name,
            component(&self.plugin).display().to_string(),
            written.settings,
        )
    }
}

impl TestGateway {
    /// Nothing configured yet; the clock stands at the start of 2026.
    pub fn builder() -> Builder {
        let now = "2026-01-01T00:00:00Z".parse().expect("a time");
        let (channels, files, shops) = (Vec::new(), Vec::new(), Vec::new());
        Builder { channels, files, shops, extra: String::new(), top: String::new(), now }
    }

    async fn open(folder: TempDir, clock: TestClock) -> TestGateway {
        let config = load(&folder.path().join("connectors.yaml"));
        let fold = Gateway::fold_of(&config);
        let linked = fold.linked.clone();
        let storage = open_storage(&config.gateway.data.join("qudao.sqlite"), fold).await;
        let parts = Parts { host: host(), storage, clock: Arc::new(clock.clone()), vault: vault(), linked };
        let gateway = Gateway::start(&config, parts).await.unwrap_or_else(|findings| panic!("{findings}"));
        let token = "test-token-of-the-private-listener".to_owned();
        let tasks = Tasks::new();
        gateway.run_imports(&tasks);
        gateway.run_webhooks(&tasks).await;
        TestGateway { gateway, clock, token, folder, config, listeners: None, tasks, finished: false }
    }

    /// Hands a request in as the public listener would.
    pub async fn receive(&self, channel: &str, request: &Request) -> Answer {
        let delivery = Delivery { channel: channel.to_owned(), request: request.clone() };
        self.gateway.receive(delivery).await.unwrap_or_else(|error| panic!("not received: {error}"))
    }

    /// Hands a recorded delivery in, with the clock set as it was then.
    pub async fn replay_recorded(&self, channel: &str, case: &qudao_sdk::fixtures::Case) -> Answer {
        self.clock.set(case.now);
        self.receive(channel, &case.request).await
    }

    /// The whole feed.
    pub async fn events(&self) -> Vec<CloudEvent> {
        invariants::feed(self.gateway.storage()).await
    }

    /// Payments of one order number.
    pub async fn payments(&self, order_no: &str) -> Vec<Payment> {
        invariants::payments(self.gateway.storage(), of_order(EntityKind::Payment, order_no)).await
    }

    /// Refunds of one order number.
    pub async fn refunds(&self, order_no: &str) -> Vec<Refund> {
        invariants::refunds(self.gateway.storage(), of_order(EntityKind::Refund, order_no)).await
    }

    /// Orders of a channel, by number.
    pub async fn orders(&self, channel: &str) -> Vec<Order> {
        let mut orders =
            invariants::orders(self.gateway.storage(), of_channel(EntityKind::Order, channel)).await;
        orders.sort_by(|one, other| one.order_no.cmp(&other.order_no));
        orders
    }

    /// After-sales of a channel, by number.
    pub async fn aftersales(&self, channel: &str) -> Vec<AfterSale> {
        let filter = of_channel(EntityKind::AfterSale, channel);
        let mut aftersales = invariants::aftersales(self.gateway.storage(), filter).await;
        aftersales.sort_by(|one, other| one.aftersale_no.cmp(&other.aftersale_no));
        aftersales
    }

    /// Asks platforms until nothing is due any more at the clock's time.
    pub async fn ask(&self) {
        self.gateway.ask_due(self.gateway.now()).await.unwrap_or_else(|error| panic!("not asked: {error}"));
    }

    /// A channel's connector, for a look at its whole verdict.
    pub async fn connector(&self, channel: &str) -> Connector {
        let stored = Arc::new(Stored(self.gateway.storage().clone()));
        let channels = Channels::load(&self.config, &host(), stored)
            .await
            .unwrap_or_else(|findings| panic!("{findings}"));
        channels.connector(channel).expect("a configured channel").clone()
    }

    /// The folder that holds configuration, secrets and data.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The configuration it runs on.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Opens both listeners on free ports.
    pub async fn listen(&mut self) {
        let hooks = bind().await;
        let admin = bind().await;
        let (hooks_at, admin_at) = (hooks.local_addr().expect("bound"), admin.local_addr().expect("bound"));
        let stop = CancellationToken::new();
        let mut serving = tokio::task::JoinSet::new();
        let public = qudao_ingress::router(Arc::clone(&self.gateway));
        let options = qudao_api::ApiOptions {
            token: self.token.clone().into(),
            metrics: metrics(),
            stop: stop.clone(),
        };
        let private = qudao_api::router(Arc::clone(&self.gateway), options);
        serving.spawn(qudao_listener::serve(hooks, public, qudao_listener::Limits::hooks(), stop.clone()));
        serving.spawn(qudao_listener::serve(admin, private, qudao_listener::Limits::admin(), stop.clone()));
        self.listeners = Some(Listeners { hooks: hooks_at, admin: admin_at, stop, serving });
    }

    /// `http://127.0.0.1:PORT` of the public listener.
    pub fn hooks_url(&self) -> String {
        format!("http://{}", self.listeners.as_ref().expect("listen first").hooks)
    }

    /// `http://127.0.0.1:PORT` of the private listener.
    pub fn admin_url(&self) -> String {
        format!("http://{}", self.listeners.as_ref().expect("listen first").admin)
    }

    /// Posts a recorded delivery over HTTP to `/hooks/{channel}`.
    pub async fn post(&self, channel: &str, request: &Request) -> reqwest::Response {
        let mut post =
            client().post(format!("{}/hooks/{channel}", self.hooks_url())).body(request.body.clone());
        for (name, value) in &request.headers {
            post = post.header(name, value);
        }
        post.send().await.expect("the listener answers")
    }

    /// Replays its inbox into another database, without any platform.
    pub async fn replayed(&self) -> (Storage, ReplayReport) {
        let into = storage(&self.folder().join("again/qudao.sqlite")).await;
        let channels = Channels::load(&self.config, &host(), Arc::new(qudao_host::NoExpectations))
            .await
            .unwrap_or_else(|findings| panic!("{findings}"));
        let report = replay(self.gateway.storage(), &into, &channels, vault(), &mut |_| {}).await;
        (into, report.unwrap_or_else(|error| panic!("no replay: {error}")))
    }

    /// Stops it, opens the same folder again, and leaves the clock where it is.
    pub async fn restart(mut self) -> TestGateway {
        self.stop().await;
        self.gateway.storage().close().await;
        self.finished = true;
        let (clock, folder) =
            (self.clock.clone(), std::mem::replace(&mut self.folder, tempfile::tempdir().expect("a folder")));
        drop(self);
        TestGateway::open(folder, clock).await
    }

    /// Ends the test: asserts the invariants and closes everything.
    pub async fn finish(mut self) {
        self.stop().await;
        invariants::hold(self.gateway.storage()).await;
        self.gateway.storage().close().await;
        self.finished = true;
    }

    async fn stop(&mut self) {
        assert!(self.tasks.drain(std::time::Duration::from_secs(30)).await, "imports did not end");
        if let Some(mut listeners) = self.listeners.take() {
            listeners.stop.cancel();
            while listeners.serving.join_next().await.is_some() {}
        }
    }
}

impl Drop for TestGateway {
    fn drop(&mut self) {
        let ended = self.finished || std::thread::panicking();
        assert!(ended, "end a test with `gateway.finish().await`: it asserts the invariants");
    }
}

fn of_order(kind: EntityKind, order_no: &str) -> EntityFilter {
    EntityFilter { order_no: Some(order_no.to_owned()), ..EntityFilter::new(kind) }
}

fn of_channel(kind: EntityKind, channel: &str) -> EntityFilter {
    EntityFilter { channel: Some(channel.to_owned()), ..EntityFilter::new(kind) }
}

/// The master key of all tests.
pub fn vault() -> Arc<qudao_vault::Vault> {
    Arc::new(qudao_vault::Vault::new(&[7; 32]).unwrap_or_else(|error| panic!("no vault: {error}")))
}

/// The same for storage.
pub fn sealing() -> Arc<dyn qudao_storage::Vault> {
    Gateway::sealing(vault())
}

/// One HTTP client of the tests: no proxy, no redirects.
pub fn client() -> reqwest::Client {
    let builder = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
    builder.build().expect("a client")
}

/// Storage of the real fold in `file`.
pub async fn storage(file: &Path) -> Storage {
    open_storage(file, Gateway::fold()).await
}

async fn open_storage(file: &Path, fold: Arc<dyn qudao_storage::Fold>) -> Storage {
    std::fs::create_dir_all(file.parent().expect("a folder")).expect("the data folder");
    let options = Options { vault: Some(sealing()), ..Options::new(Location::Sqlite(file.to_owned()), fold) };
    Storage::open(options).await.unwrap_or_else(|error| panic!("storage does not open: {error}"))
}

/// One host for all tests of a process; compiled components are shared through `target`.
pub fn host() -> Host {
    static HOST: std::sync::OnceLock<Host> = std::sync::OnceLock::new();
    let make = || {
        let options =
            HostOptions { cache_dir: Some(root().join("target/test-cache")), ..HostOptions::default() };
        Host::new(options).unwrap_or_else(|error| panic!("no host: {error}"))
    };
    HOST.get_or_init(make).clone()
}

/// One recorder for all tests of a process, as there is one in a gateway.
fn metrics() -> metrics_exporter_prometheus::PrometheusHandle {
    static METRICS: std::sync::OnceLock<metrics_exporter_prometheus::PrometheusHandle> =
        std::sync::OnceLock::new();
    let install = || {
        let builder = metrics_exporter_prometheus::PrometheusBuilder::new();
        builder.install_recorder().unwrap_or_else(|error| panic!("no recorder: {error}"))
    };
    METRICS.get_or_init(install).clone()
}

/// Reads a configuration of a test.
pub fn load(file: &Path) -> Config {
    qudao_config::load(file, &NoVariables).unwrap_or_else(|findings| panic!("{findings}"))
}

/// A call at a moment, with seeded randomness.
pub fn call(now: Timestamp) -> Call {
    Call { now, random_seed: Some(0) }
}

struct Stored(Storage);

impl Expectations for Stored {
    fn payment_fen(&self, channel: &str, order_no: &str) -> Option<i64> {
        self.0.expected_payment(channel, order_no)
    }
}

/// An environment without variables: tests give secrets by file.
struct NoVariables;

impl Environment for NoVariables {
    fn var(&self, _name: &str) -> Option<String> {
        None
    }
}

async fn bind() -> tokio::net::TcpListener {
    tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port")
}
