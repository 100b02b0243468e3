//! connectors.yaml and the documents that it names: any bytes are read or refused with findings that can be shown, and no
//! finding shows a secret.

use crate::Reached;
use crate::parts::Parts;
use qudao_config::{Config, Findings, SettingDocument};
use qudao_erp_file::mapping::Mapping;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// Secrets that no finding may show.
const SECRET: &str = "kJ8-secret-of-this-channel-0Q";
const WEBHOOK_SECRET: &str = "whsec_a0o4LXNlY3JldC1vZi10aGlzLWZlZWQtMFE=";

/// A folder with what a configuration may name.
struct Folder {
    root: tempfile::TempDir,
    env: BTreeMap<String, String>,
}

static FOLDER: LazyLock<Folder> = LazyLock::new(|| {
    let memory = Path::new("/dev/shm");
    let root = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    let root = root.expect("a temporary folder");
    let connectors =
        ["wechat-pay", "alipay", "tmall", "jd", "jddj", "qimen", "erp-file", "elsewhere/my-connector"];
    let connectors = connectors.map(|name| (format!("plugins/{name}.wasm"), "\0asm"));
    let others = [
        ("secrets/key", SECRET),
        ("secrets/api_v3_key", SECRET),
        ("secrets/wechatpay_public_key.pem", "-----BEGIN PUBLIC KEY-----\n"),
        ("secrets/empty", "\n"),
        ("mappings/good.yaml", "kind: stock_snapshot\n"),
        ("stores/good.csv", "code,name,region,ownership,till\n0012,成都锦里巷加盟店,西南,franchise,1\n"),
        ("listings/good.csv", "channel,channel_sku,sku\nwechat-main,1,A\n"),
    ];
    for (name, text) in connectors.into_iter().chain(others.map(|(name, text)| (name.to_owned(), text))) {
        let path = root.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    let env = [
        ("WECHAT_API_V3_KEY", SECRET),
        ("APP_SECRET", SECRET),
        ("QUDAO_ADMIN_TOKEN", SECRET),
        ("QUDAO_MASTER_KEY", SECRET),
        ("HQ_WEBHOOK_SECRET", WEBHOOK_SECRET),
        ("HQ_WEBHOOK_SECRET_OLD", WEBHOOK_SECRET),
        ("EMPTY", ""),
    ];
    let env = env.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Folder { root, env: env.into() }
});

impl Folder {
    fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.root.path().join(name);
        fs::write(&path, bytes).expect("a file");
        path
    }
}

/// Loads a configuration. Parts `stores.csv` and `listings.csv` are files beside it.
pub fn run(data: &[u8]) -> Reached {
    let parts = Parts::of(data);
    for name in ["stores.csv", "listings.csv"] {
        FOLDER.put(name, parts.get(name).unwrap_or_default());
    }
    let path = FOLDER.put("connectors.yaml", parts.head);
    let loaded = qudao_config::load(&path, &FOLDER.env);
    // They read the same file for one thing only, and must not make more of it.
    let _folder = qudao_config::data_folder(&path);
    match loaded {
        Ok(config) => {
            presentable(&config.warnings);
            named(&config);
            Reached::Understood
        }
        Err(findings) => {
            assert!(findings.iter().any(|one| one.severity == qudao_config::Severity::Error));
            presentable(&findings);
            Reached::Refused
        }
    }
}

/// Documents that settings name.
fn named(config: &Config) {
    for channel in &config.channels {
        if let Err(findings) = config.setting_document(&channel.name, "mapping") {
            presentable(&findings);
        }
    }
}

/// Places are in the file, texts are lines, and there is no secret in them.
fn presentable(findings: &Findings) {
    let shown = findings.to_string();
    let secret = ["kJ8-secret", "a0o4LXNlY3JldC1v"].iter().any(|secret| shown.contains(secret));
    assert!(!secret, "a secret is shown: {shown}");
    for finding in findings {
        assert!(finding.line >= 1 && finding.column >= 1 && finding.width >= 1, "{finding:?}");
        assert!(qudao_config::CODES.contains(&finding.code), "{}", finding.code);
        if let Some(line) = &finding.source_line {
            let length = line.chars().count();
            assert!(finding.column <= length + 1, "{finding:?}");
            assert!(!line.contains('\n'), "{finding:?}");
        }
    }
}

/// Reads a mapping as people write it.
pub fn mapping(data: &[u8]) -> Reached {
    let path = FOLDER.put("mapping.yaml", data);
    let document = match SettingDocument::read(&path) {
        Ok(document) => document,
        Err(findings) => {
            presentable(&findings);
            return Reached::Refused;
        }
    };
    assert_eq!(document.digest(), SettingDocument::read(&path).expect("the same file again").digest());
    let Ok(mapping) = serde_json::from_value::<Mapping>(document.value().clone()) else {
        return Reached::Refused;
    };
    let problems = mapping.problems();
    for problem in &problems {
        assert!(problem.at.is_empty() || problem.at.starts_with('/'), "{problem:?}");
        let finding = document.finding_at(&problem.at, problem.text.clone(), problem.hint.clone());
        presentable(&finding.into());
    }
    let written = serde_json::to_value(&mapping).expect("a mapping is JSON");
    let back: Mapping = serde_json::from_value(written).expect("a mapping that was written can be read");
    assert_eq!((&back, back.problems()), (&mapping, problems));
    Reached::Understood
}
