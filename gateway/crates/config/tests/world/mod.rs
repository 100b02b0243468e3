//! A folder with connectors, secrets and an environment, in which a configuration is loaded.
#![allow(dead_code, clippy::unwrap_used, reason = "each test binary uses its part, and fails by panicking")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use qudao_config::{Config, Findings};

pub(crate) struct World {
    folder: tempfile::TempDir,
    pub(crate) env: BTreeMap<String, String>,
}

const FILES: &[(&str, &str)] = &[
    ("plugins/wechat-pay.wasm", "\0asm"),
    ("plugins/alipay/Cargo.toml", "[package]"),
    ("plugins/elsewhere/my-connector.wasm", "\0asm"),
    ("secrets/api_v3_key", "file-secret-0123456789\n"),
    ("secrets/empty", "\n"),
    ("secrets/for-everybody", "open-secret-0123456789"),
    (
        "listings/good.csv",
        "\u{feff}Channel,title,channel_sku,sku\r\n\r\nwechat-main,\"风衣, 米色\",3801192,TR-2041-BE-M\r\nwechat-main,风衣, 3801193 ,TR-2041-BE-L\r\n,,,\r\n",
    ),
    (
        "listings/wrong.csv",
        "channel,channel_sku,sku\n\nwechat-main,3801192,TR-2041-BE-M\nwechat-mian,3801193,TR-2041-BE-L\nelsewhere,1,A\n\
         wechat-main,  3801192,TR-2041-BE-S\nwechat-main,3801194\nwechat-main,3801195,\n\"wechat-mani\",3801196,A\n",
    ),
    ("listings/columns.csv", "channel,sku_id,skus\nwechat-main,1,A\n"),
    ("listings/semicolons.csv", "channel;channel_sku;sku;title\nwechat-main;1;A;T\n"),
    (
        "listings/shortened.csv",
        "channel,channel_sku,sku\nwechat-main,4.5332E+10,A\nwechat-main,2,6.9e+12\nwechat-main,3E+7X,1E5\n",
    ),
    ("listings/empty.csv", "\n\n"),
];

impl World {
    pub(crate) fn new() -> World {
        let folder = tempfile::tempdir().unwrap();
        let world = World {
            folder,
            env: BTreeMap::from(
                [
                    ("WECHAT_API_V3_KEY", "env-secret-0123456789"),
                    ("QUDAO_ADMIN_TOKEN", "token-secret-0123456789"),
                    ("HQ_WEBHOOK_SECRET", "webhook-secret-0123456789"),
                    ("EMPTY", ""),
                ]
                .map(|(name, value)| (name.to_owned(), value.to_owned())),
            ),
        };
        for (name, text) in FILES {
            world.write(name, text.as_bytes(), if name.contains("everybody") { 0o644 } else { 0o600 });
        }
        world.write("listings/gbk.csv", b"channel,channel_sku,sku\nwechat-main,\xb7\xe7\xd2\xc2,A\n", 0o644);
        world.write("secrets/huge", &vec![b'x'; 300 * 1024], 0o600);
        world
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8], mode: u32) {
        let path = self.folder().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        #[cfg(unix)]
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
        #[cfg(not(unix))]
        let _mode = mode;
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder().join("connectors.yaml")
    }

    pub(crate) fn load(&self, text: &[u8]) -> Result<Config, Findings> {
        self.write("connectors.yaml", text, 0o644);
        qudao_config::load(&self.file(), &self.env)
    }

    /// What a person sees, without the name of the folder.
    pub(crate) fn shown(&self, findings: &Findings) -> String {
        findings.to_string().replace(&format!("{}/", self.folder().display()), "")
    }

    pub(crate) fn secrets() -> [&'static str; 5] {
        ["env-secret", "file-secret", "open-secret", "token-secret", "webhook-secret"]
    }
}
