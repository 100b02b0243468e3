//! The folder that everything of one run is in: configuration, components, the gateway's data and log, files of the ERP.

use crate::Options;
use crate::consumer::TYPE;
use anyhow::{Context, Result};
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// The channel that a reload adds and takes away.
pub(crate) const SPARE: &str = "wechat-spare";
/// Key that webhooks are signed with; opens nothing.
const SECRET: &str = "test_webhook_secret.txt";
/// A log that a few dozen notices fill.
const SHORT_LOG: &str = "256KiB";
/// Files of the ERP are watched here.
const INBOX: &str = "inbox";

/// One run's folder.
#[derive(Debug, Clone)]
pub(crate) struct Folder {
    pub(crate) path: PathBuf,
    /// The checkout: test keys, mappings, stores.
    root: PathBuf,
    /// Compiled components of earlier runs: compiling takes longer than all cycles of a test.
    cache: Option<PathBuf>,
    around: Around,
}

/// Whom the gateway speaks to on its own; where there is nobody, it does not.
#[derive(Debug, Clone, Default)]
pub(crate) struct Around {
    /// Origin of the simulated shop.
    pub(crate) shop: Option<String>,
    /// Where a consumer takes webhooks.
    pub(crate) consumer: Option<SocketAddr>,
}

impl Folder {
    /// Makes it anew, with the components in it.
    pub(crate) fn make(options: &Options, name: &str, around: Around) -> Result<Folder> {
        let path = options.folder.join(name);
        if path.exists() {
            fs::remove_dir_all(&path).with_context(|| format!("clearing {}", path.display()))?;
        }
        fs::create_dir_all(&path).with_context(|| format!("making {}", path.display()))?;
        let path = path.canonicalize().context("finding the folder")?;
        let root = options.root.canonicalize().context("finding the checkout")?;
        let folder = Folder { path, root, cache: options.cache.clone(), around };
        fs::create_dir_all(folder.inbox()).context("making the watched folder")?;
        copy(&folder.root.join("target/plugins"), &folder.path.join("plugins"))
            .context("looking for components; `cargo xtask plugins` builds them")?;
        if let Some(cache) = folder.cache.as_deref().filter(|cache| cache.is_dir()) {
            copy(cache, &folder.data().join("cache"))?;
        }
        fs::write(folder.path.join(SECRET), "whsec_Y3Jhc2gtaGFybmVzcy1hbmQtbm90aGluZy1lbHNl")
            .context("writing a secret")?;
        folder.configure(false, false)?;
        Ok(folder)
    }

    /// Keeps compiled components for the next run.
    pub(crate) fn keep_cache(&self) -> Result<()> {
        match &self.cache {
            Some(cache) => copy(&self.data().join("cache"), cache),
            None => Ok(()),
        }
    }

    /// Takes it away, once there is nothing to look for in it.
    pub(crate) fn clear(&self) -> Result<()> {
        fs::remove_dir_all(&self.path).with_context(|| format!("clearing {}", self.path.display()))
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.path.join("connectors.yaml")
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.path.join("data")
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.data().join("qudao.sqlite")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.path.join("gateway.log")
    }

    pub(crate) fn inbox(&self) -> PathBuf {
        self.path.join(INBOX)
    }

    /// Writes the configuration at once, as an editor does; `spare` has one more channel, `copies` a log that is copied back
    /// again and again.
    pub(crate) fn configure(&self, spare: bool, copies: bool) -> Result<()> {
        let draft = self.path.join("connectors.yaml.draft");
        fs::write(&draft, self.yaml(spare, copies)).context("writing the configuration")?;
        fs::rename(&draft, self.config()).context("writing the configuration")
    }

    fn yaml(&self, spare: bool, copies: bool) -> String {
        let examples = self.root.join("examples");
        let examples = examples.display();
        let wechat = |name: &str| {
            let keys = format!("{examples}/keys/wechat-main");
            format!(
                "  {name}:\n    connector: wechat-pay\n    settings: {{mchid: \"1699004182\", appid: wx5b1e7d92c04af836, \
                 verify: both, public_key_id: PUB_KEY_ID_0116990041822026010500211827001264}}\n    secrets:\n      \
                 api_v3_key: {{file: {keys}/test_api_v3_key.txt}}\n      \
                 platform_public_key: {{file: {keys}/test_platform_public_key.pem}}\n      \
                 platform_certificates: {{file: {keys}/test_platform_certificates.pem}}\n"
            )
        };
        let spare = if spare { wechat(SPARE) } else { String::new() };
        let shop = self.around.shop.as_deref().map(|origin| jd(origin, &format!("{examples}/keys/jd-main")));
        format!(
            "version: 1\ngateway: {{hooks: \"127.0.0.1:0\", admin: \"127.0.0.1:0\"{log}}}\nstores: {examples}/stores.csv\nchannels:\n\
             {wechat}{spare}  alipay-main:\n    connector: alipay\n    \
             settings: {{app_id: \"2021004177265309\", seller_id: \"2088241736950418\", mode: public_key}}\n    \
             secrets: {{alipay_public_key: {{file: {examples}/keys/alipay-main/test_alipay_public_key.pem}}}}\n{shop}{stock}{sales}{feed}",
            wechat = wechat("wechat-main"),
            log = if copies { format!(", copy_log_at: {SHORT_LOG}") } else { String::new() },
            shop = shop.unwrap_or_default(),
            feed = self.around.consumer.map(feed).unwrap_or_default(),
            stock = erp("store-stock", &format!("{examples}/mappings/evening-stock.yaml"), "STK_*.csv"),
            sales = erp("store-sales", &format!("{examples}/mappings/evening-sales.yaml"), "SALE_*.csv"),
        )
    }
}

/// Windows overlap by no more than the clocks' seconds, so that a page that was skipped stays missing.
fn jd(origin: &str, keys: &str) -> String {
    format!(
        "  jd-main:\n    connector: jd\n    settings: {{app_key: E159D226862F0D8B2E7FE70402CA0E81, vender_id: \"649295\", \
         overlap: 1s, base_url: \"{origin}\"}}\n    secrets:\n      app_secret: {{file: {keys}/test_app_secret.txt}}\n      \
         access_token: {{file: {keys}/test_access_token.txt}}\n    network: [\"{origin}\"]\n    poll: {{every: 1s}}\n"
    )
}

fn feed(consumer: SocketAddr) -> String {
    format!(
        "feed:\n  webhooks:\n    - {{url: \"http://{consumer}/qudao\", secret: {{file: {SECRET}}}, types: [\"{TYPE}*\"], private: true}}\n"
    )
}

fn erp(name: &str, mapping: &str, files: &str) -> String {
    format!(
        "  {name}:\n    connector: erp-file\n    settings: {{mapping: {mapping}, watch: {INBOX}/{files}, settle: 1s, stale_after: 36h}}\n"
    )
}

/// Copies the files of a folder that are not there yet; folders in it are left alone.
fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("making {}", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("reading {}", from.display()))? {
        let path = entry.context("reading a folder")?.path();
        let Some(name) = path.file_name().filter(|_| path.is_file()) else { continue };
        let place = to.join(name);
        if !place.exists() {
            // Another run may be reading the same folder.
            let draft = to.join(format!("{}.{}", name.to_string_lossy(), std::process::id()));
            fs::copy(&path, &draft).with_context(|| format!("copying {}", path.display()))?;
            fs::rename(&draft, &place).with_context(|| format!("copying {}", path.display()))?;
        }
    }
    Ok(())
}
