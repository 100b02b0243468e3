//! Channels of a simulated gateway, configured as the samples are.

use qudao_kit::Shop;
use serde_json::json;
use std::path::Path;

/// Nobody listens there: what notices tell is not asked about.
const NOBODY: &str = "http://127.0.0.1:9";

/// A platform is waited for so long at most; [`crate::trouble`] delays answers beyond it.
const WAIT: &str = "500ms";

/// Has the gateway of this configuration wait no longer than the simulation can afford.
pub(crate) fn impatient(connectors: &Path) {
    let text = std::fs::read_to_string(connectors).expect("the configuration is there");
    let with = text.replace("limits: {", &format!("limits: {{http_request: {WAIT}, "));
    assert_ne!(text, with, "no limits to be set");
    std::fs::write(connectors, with).expect("the configuration can be written");
}

/// WeChat Pay, with the sample keys; nobody is asked there.
pub(crate) fn wechat(name: &str) -> Shop {
    let secrets = [
        ("api_v3_key", "test_api_v3_key.txt"),
        ("platform_public_key", "test_platform_public_key.pem"),
        ("platform_certificates", "test_platform_certificates.pem"),
        ("merchant_private_key", "test_merchant_private_key.pem"),
    ];
    let settings = json!({"mchid": "1699004182", "appid": "wx5b1e7d92c04af836", "verify": "both",
        "mch_serial": "4C467945498F9747AAF760F83BEBD8774FA1C84E"});
    shop((name, "wechat-pay"), settings, ("wechat-main", &secrets))
}

/// The same for Alipay.
pub(crate) fn alipay(name: &str) -> Shop {
    let secrets = [
        ("alipay_public_key", "test_alipay_public_key.pem"),
        ("app_private_key", "test_app_private_key.pem"),
    ];
    let settings =
        json!({"app_id": "2021004177265309", "seller_id": "2088241736950418", "mode": "public_key"});
    shop((name, "alipay"), settings, ("alipay-main", &secrets))
}

fn shop(
    (name, plugin): (&str, &str),
    settings: serde_json::Value,
    (folder, secrets): (&str, &[(&str, &str)]),
) -> Shop {
    let keys = qudao_kit::root().join("examples/keys").join(folder);
    let read = |file: &str| std::fs::read(keys.join(file)).expect("a sample key");
    let secrets = secrets.iter().map(|(name, file)| ((*name).to_owned(), read(file))).collect();
    Shop { name: name.to_owned(), plugin: plugin.to_owned(), settings, secrets, url: NOBODY.to_owned() }
}
