//! Every fixture of every connector, through the real component, the real commit and the real fold.

use qudao_host::Connector;
use qudao_kit::{TestGateway, root};
use qudao_model::Entity;
use qudao_sdk::fixtures::{AskCase, Case, Channel, FileCase, ReadOut, Sequence, Told};
use qudao_storage::{DeliveryFilter, EntityFilter};
use std::path::PathBuf;

fn plugins() -> Vec<(String, PathBuf)> {
    let folder = std::fs::read_dir(root().join("plugins")).unwrap();
    let mut found: Vec<_> = folder
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), entry.path().join("fixtures")))
        .filter(|(_, fixtures)| fixtures.is_dir())
        .collect();
    found.sort();
    found
}

#[tokio::test]
async fn every_case_gets_the_expected_verdict_through_the_component() {
    for (plugin, fixtures) in plugins() {
        let cases = Case::load_all(&fixtures).unwrap();
        let asks = AskCase::load_all(&fixtures).unwrap();
        let files = FileCase::load_all(&fixtures).unwrap();
        assert!(cases.len() + asks.len() + files.len() > 0, "{plugin} has no fixtures");
        for case in cases {
            let gateway = TestGateway::builder().channel("pay", &plugin, &case.channel).start().await;
            for (order_no, order) in &case.context.orders {
                gateway.gateway.expect_payment("pay", order_no, order.amount_fen).await.unwrap();
            }
            let connector = gateway.connector("pay").await;
            let call = qudao_kit::call(case.now);
            let verdict = connector.webhook(&case.request, call).await.verdict;
            let differences = case.compare(&verdict);
            assert!(differences.is_empty(), "{plugin}/{}: {differences:#?}", case.name);
            let answer = gateway.replay_recorded("pay", &case).await;
            assert_eq!(&answer, verdict.answer(), "{plugin}/{}", case.name);
            gateway.finish().await;
        }
    }
}

/// A connector outside of a gateway, granted all that its manifest names.
pub(crate) async fn connect(plugin: &str, channel: Channel) -> Connector {
    let wasm = std::fs::read(qudao_kit::component(plugin)).unwrap();
    let component = qudao_kit::host().load(wasm).await.unwrap();
    let wanted = component.manifest().network.clone();
    let mut network: Vec<String> = wanted.into_iter().filter(|origin| !origin.starts_with('{')).collect();
    network.extend(channel.settings.get("base_url").and_then(|url| url.as_str()).map(str::to_owned));
    let secrets = channel.secrets.into_iter().map(|(name, bytes)| (name, bytes.0.into())).collect();
    let connected = component.connect(qudao_host::Grants {
        channel: channel.name,
        settings: channel.settings,
        secrets,
        network,
        limits: qudao_host::Limits::default(),
        rate: None,
        expectations: std::sync::Arc::new(qudao_kit::NoExpectations),
    });
    connected.unwrap_or_else(|problems| panic!("{plugin}: {problems:?}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_recorded_question_gets_the_expected_facts_through_the_component() {
    let mut run = 0;
    for (plugin, fixtures) in plugins() {
        for case in AskCase::load_all(&fixtures).unwrap() {
            let connector = connect(&plugin, Channel::load(&fixtures, &case.channel).unwrap()).await;
            let answered = connector.ask_again(&case.transcript(), qudao_kit::call(case.now)).await;
            let differences = case.compare(&told(answered.told));
            assert!(differences.is_empty(), "{plugin}/{}: {differences:#?}", case.name);
            run += 1;
        }
    }
    assert!(run >= 250, "{run} questions were run");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_file_gives_the_expected_rows_and_rejects_through_the_component() {
    let mut run = 0;
    for (plugin, fixtures) in plugins() {
        let cases = FileCase::load_all(&fixtures).unwrap();
        if cases.is_empty() {
            continue;
        }
        let component =
            qudao_kit::host().load(std::fs::read(qudao_kit::component(&plugin)).unwrap()).await.unwrap();
        for case in cases {
            let connector = component.loose(&case.file);
            let call = qudao_host::FileCall {
                source: std::sync::Arc::new(case.bytes().unwrap()),
                name: case.file.clone(),
                settings: case.settings(connector.manifest()),
                call: qudao_kit::call(FileCase::now()),
            };
            let (out, mut puts) = tokio::sync::mpsc::channel::<qudao_host::Put>(4);
            let taking = async {
                let mut read = ReadOut::default();
                while let Some(put) = puts.recv().await {
                    read.put(put.what, &put.lines);
                }
                read
            };
            let (done, read) = tokio::join!(connector.read_file(call, out), taking);
            let told = done.told.map_err(|failure| {
                let qudao_host::AskFailure { class, code, message, retry } = failure;
                qudao_sdk::Failure { class, code, message, retry }
            });
            let differences = case.compare(&told, &read);
            assert!(differences.is_empty(), "{plugin}/{}: {differences:#?}", case.file);
            run += 1;
        }
    }
    assert!(run >= 48, "{run} files were read");
}

/// What the host read, in the words of the fixtures.
fn told(told: Result<qudao_host::Told, qudao_host::AskFailure>) -> Told {
    match told {
        Ok(qudao_host::Told::Page(page)) => {
            let qudao_host::Page { observations, notes, cursor, more } = page;
            Told::Page(qudao_sdk::Page { observations, notes, cursor, more })
        }
        Ok(qudao_host::Told::Effect(effect)) => {
            let state = match effect.state {
                qudao_host::EffectState::Succeeded => qudao_sdk::EffectState::Succeeded,
                qudao_host::EffectState::Accepted => qudao_sdk::EffectState::Accepted,
                qudao_host::EffectState::Failed => qudao_sdk::EffectState::Failed,
            };
            let qudao_host::Effect { code, message, observations, notes, .. } = effect;
            Told::Effect(qudao_sdk::Effect { state, code, message, observations, notes })
        }
        Err(failure) => {
            let qudao_host::AskFailure { class, code, message, retry } = failure;
            Told::Failed(qudao_sdk::Failure { class, code, message, retry })
        }
    }
}

#[tokio::test]
async fn every_sequence_ends_in_the_stated_state() {
    let (mut run, mut personal) = (0, 0);
    for (plugin, fixtures) in plugins() {
        for sequence in Sequence::load_all(&fixtures).unwrap() {
            let load =
                |name: &String| Case::load(&fixtures.join("cases").join(format!("{name}.json"))).unwrap();
            let cases: Vec<Case> = sequence.deliver.iter().map(load).collect();
            let gateway = TestGateway::builder().channel("pay", &plugin, &cases[0].channel).start().await;
            for case in &cases {
                assert_eq!(gateway.replay_recorded("pay", case).await.status, 200, "{}", sequence.name);
            }
            expect(&gateway, &sequence).await;
            personal += usize::from(is_sealed(&gateway).await);
            gateway.finish().await;
            run += 1;
        }
    }
    assert!(run >= 6 && personal > 0, "{run} sequences were run, {personal} of them with personal data");
}

/// Whether the bytes of what came in are kept sealed: all of them where the connector says that they are personal, else none.
async fn is_sealed(gateway: &TestGateway) -> bool {
    let personal = gateway.connector("pay").await.manifest().personal;
    let rows = gateway.gateway.storage().deliveries(&DeliveryFilter::default()).await.unwrap().items;
    assert!(!rows.is_empty() && rows.iter().all(|row| row.personal == personal), "{rows:?}");
    personal
}

/// Each expected entity is there exactly once, and nothing else is.
async fn expect(gateway: &TestGateway, sequence: &Sequence) {
    let mut entities = Vec::new();
    for kind in qudao_model::EntityKind::ALL {
        let page = gateway.gateway.storage().entities(&EntityFilter::new(kind)).await.unwrap();
        entities.extend(page.items.into_iter().map(|entity: Entity| {
            let mut members = serde_json::to_value(&entity).unwrap();
            members["entity"] = kind.as_str().into();
            members
        }));
    }
    assert_eq!(entities.len(), sequence.expect.len(), "{}: {entities:#?}", sequence.name);
    for expected in &sequence.expect {
        let fits = |entity: &&serde_json::Value| {
            expected.iter().all(|(name, value)| entity.get(name) == Some(value))
        };
        assert_eq!(
            entities.iter().filter(fits).count(),
            1,
            "{}: {expected:?} in {entities:#?}",
            sequence.name
        );
    }
}

#[tokio::test]
async fn a_channel_that_could_verify_nothing_is_refused_before_it_starts() {
    let wasm = std::fs::read(qudao_kit::component("wechat-pay")).unwrap();
    let component = qudao_kit::host().load(wasm).await.unwrap();
    for (verify, missing) in [
        ("both", "platform_public_key"),
        ("public_key", "platform_public_key"),
        ("certificate", "platform_certificates"),
    ] {
        let problems = component
            .connect(qudao_host::Grants {
                channel: "pay".into(),
                settings: serde_json::json!({"mchid": "1900000001", "appid": "wx0000000000000000", "verify": verify}),
                secrets: [("api_v3_key".to_owned(), b"0123456789abcdef0123456789abcdef".to_vec().into())].into(),
                network: Vec::new(),
                limits: qudao_host::Limits::default(),
                rate: None,
                expectations: std::sync::Arc::new(qudao_kit::NoExpectations),
            })
            .err()
            .unwrap();
        let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
        let expected = format!("secret {missing} is missing");
        assert!(told.len() == 1 && told[0].starts_with(&expected), "{verify}: {told:?}");
    }
}
