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
    (
        "stores/good.csv",
        "code,name,region,ownership,wechat-pay,till-42,phone\r\n0012,成都锦里巷加盟店,西南,franchise,S12,,028-1\r\n\r\n\
         A017,\"乌鲁木齐天山路, 联营店\",,联营,S17,17,\r\n",
    ),
    (
        "stores/wrong.csv",
        "code,name,region,ownership,wechat-main,wechat-pay\n\n0012,成都锦里巷加盟店,西南,franchise,1,\n12,,西南,franchise,2,\n\
         0013,上海一店,华东,franchize,3,\n0012,成都二店,西南,direct,4,\n0014,上海二店,华东,直营,1,\n0015,上海三店,华东,direct,0012,\n\
         ００16,上海四店,华东,direct,5,\n=\"0017\",上海五店,华东,direct,6,\n1.2E+03,上海六店,华东,direct,7,\n00 18,上海七店,华东,direct,8,\n\
         0019,上海八店,华东,direct\n0020,上海九店,华东,自营,\"S,1\",\n",
    ),
    ("stores/columns.csv", "code,title,region,owner,wechat-mian\n0012,成都锦里巷加盟店,西南,franchise,1\n"),
    ("stores/twice.csv", "code,name,region,ownership,code\n0012,成都锦里巷加盟店,西南,franchise,1\n"),
    ("stores/tabs.csv", "code\tname\tregion\townership\n0012\t成都\t西南\tfranchise\n"),
    ("stores/header-only.csv", "code,name,region,ownership\n"),
    (
        "stores/misspelt-channel.csv",
        "code,name,region,ownership,wechat-mian,note\n0012,成都锦里巷加盟店,西南,franchise,1,\n",
    ),
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
                    ("HQ_WEBHOOK_SECRET", "whsec_d2ViaG9vay1rZXktMDEyMzQ1Njc4OS1hYmNkZWZnaGk="),
                    ("HQ_WEBHOOK_SECRET_OLD", "whsec_d2ViaG9vay1vbGQtMDEyMzQ1Njc4OS1hYmNkZWZnaGk="),
                    ("SHORT_SECRET", "whsec_c2hvcnQtc2VjcmV0"),
                    ("EMPTY", ""),
                ]
                .map(|(name, value)| (name.to_owned(), value.to_owned())),
            ),
        };
        for (name, text) in FILES {
            world.write(name, text.as_bytes(), if name.contains("everybody") { 0o644 } else { 0o600 });
        }
        world.write("stores/gbk.csv", b"code,name,region,ownership\n0012,\xb3\xc9\xb6\xbc,,direct\n", 0o644);
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

    pub(crate) fn secrets() -> [&'static str; 7] {
        ["env-secret", "file-secret", "open-secret", "token-secret", "d2ViaG9vay1", "c2hvcnQ", "whsec_d"]
    }
}
