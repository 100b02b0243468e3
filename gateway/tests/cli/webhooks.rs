//! Webhooks out on the command line: what it says and how it ends, in English and Chinese.

use crate::program::{Folder, Serving, channel};
use data_encoding::BASE64;
use rustix::process::Signal;
use serde_json::json;
use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
        mpsc::Receiver,
    },
    time::Duration,
};

#[test]
fn a_secret_is_fresh_and_one_of_standard_webhooks() {
    let folder = Folder::new();
    let make = || folder.run(&["webhooks", "secret"]).expect(0).out;
    let (one, other) = (make(), make());
    assert_ne!(one, other);
    let random = BASE64.decode(one.trim().strip_prefix("whsec_").unwrap().as_bytes()).unwrap();
    assert_eq!(random.len(), 32);
    let json = folder.run(&["webhooks", "secret", "--json"]).expect(0).json();
    assert!(json["secret"].as_str().unwrap().starts_with("whsec_"), "{json}");
}

#[test]
fn help_in_chinese() {
    insta::assert_snapshot!(Folder::new().run(&["webhooks", "--help", "--lang", "zh"]).all(), @r#"
    exit code 0
    --- stdout
    查看事件推送（webhook）：启用、重发、放弃、测试、生成密钥

    用法: qudao webhooks [OPTIONS]
           qudao webhooks <COMMAND>

    命令:
      list       列出所有推送地址，与不带子命令相同
      show       查看一个推送地址：进度、等待的事件、原因
      enable     恢复已停用的推送地址，或立即重试失败的
      redeliver  重新推送一段事件
      parked     列出对方尚未接收的事件，以及排在其后的
      skip       放弃一个等待重试的事件，继续推送排在其后的
      ping       发送一个不属于事件流的签名事件，查看结果
      secret     生成一个新密钥
      help       Print this message or the help of the given subcommand(s)

    选项:
          --config <FILE>  写有数据目录的配置文件 [default: connectors.yaml]
          --data <DIR>     数据目录；给出后不再读取配置文件
          --json           输出 JSON
          --lang <LANG>    回答所用的语言：en、zh（默认按 LANG 环境变量）
      -h, --help           显示帮助

    推送失败会自动重试，间隔最长一小时，直到成功。对方返回 410 时停止推送，用 qudao webhooks enable 恢复。事件不会丢失。详见 docs/feed.md。
    退出码：0 正常；2 有推送地址已停用，或待重试的事件太多、不再推送新事件；ping 未送达时为 1。
    --- stderr
    "#);
}

#[test]
fn without_a_gateway_nothing_can_be_said() {
    let folder = Folder::configured();
    let said = folder.run(&["webhooks"]).expect(1);
    assert!(said.err.contains("no gateway runs"), "{}", said.all());
    let said = folder.run(&["webhooks", "ping", "hq", "--lang", "zh"]).expect(1);
    assert!(said.err.contains("没有运行中的网关"), "{}", said.all());
    folder.run(&["webhooks", "redeliver", "hq"]).expect(64);
    folder.run(&["webhooks", "redeliver", "hq", "--after", "-1"]).expect(64);
}

#[tokio::test]
async fn what_is_not_there_is_said_so() {
    let folder = Folder::configured();
    let _serving = Serving::start(&folder);
    let said = folder.run(&["webhooks"]).expect(0);
    assert!(said.out.is_empty() && said.err.contains("feed.webhooks"), "{}", said.all());
    assert_eq!(folder.run(&["webhooks", "list", "--json"]).expect(0).out, "");
    for arguments in [
        &["show", "hq"][..],
        &["enable", "hq"],
        &["ping", "hq"],
        &["redeliver", "hq", "--after", "0"],
        &["parked", "hq"],
        &["skip", "hq", "1"],
    ] {
        let said = folder.run(&[&["webhooks"], arguments].concat()).expect(1);
        assert_eq!(
            said.err, "error: there is no webhook `hq`\nhint: qudao webhooks lists them\n",
            "{arguments:?}"
        );
    }
    // A name that would be another path is no name.
    let said = folder.run(&["webhooks", "enable", "../channels/hello-main", "--lang", "zh"]).expect(1);
    assert_eq!(
        said.err,
        "错误：没有名为“../channels/hello-main”的推送地址\n提示：qudao webhooks 列出所有推送地址\n"
    );
}

const KEY: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
/// Nothing takes so long.
const PATIENCE: Duration = Duration::from_mins(1);

/// A consumer that tells the test of each request: its `webhook-id`.
struct Consumer {
    address: SocketAddr,
    status: Arc<AtomicU16>,
    ids: Receiver<String>,
}

impl Consumer {
    fn start() -> Consumer {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let status = Arc::new(AtomicU16::new(204));
        let (tell, ids) = std::sync::mpsc::channel();
        let answer = Arc::clone(&status);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if tell.send(take(&stream.unwrap(), &answer)).is_err() {
                    return;
                }
            }
        });
        Consumer { address, status, ids }
    }

    /// The next so many ids.
    fn next(&self, count: usize) -> Vec<String> {
        (0..count).map(|_| self.ids.recv_timeout(PATIENCE).unwrap()).collect()
    }
}

/// Reads one request to its end and answers it.
fn take(mut stream: &TcpStream, status: &AtomicU16) -> String {
    let (mut id, mut length) = (String::new(), 0);
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim().split_once(':') else {
            if line.trim().is_empty() {
                break;
            }
            continue;
        };
        match name.to_lowercase().as_str() {
            "webhook-id" => value.trim().clone_into(&mut id),
            "content-length" => length = value.trim().parse().unwrap(),
            _ => {}
        }
    }
    reader.read_exact(&mut vec![0; length]).unwrap();
    let status = status.load(Ordering::SeqCst);
    write!(stream, "HTTP/1.1 {status} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
    id
}

fn ids(folder: &Folder) -> Vec<String> {
    let events = folder.run(&["events", "--json"]).expect(0).json_lines();
    events.iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_webhook_is_looked_after_on_the_command_line_also_over_a_kill() {
    let (folder, consumer) = (Folder::new(), Consumer::start());
    let feed = format!(
        "feed:\n  webhooks:\n    - {{name: hq, url: \"http://{}/\", private: true, parallel: 1, secret: {{file: key}}}}\n",
        consumer.address
    );
    folder.write("key", KEY);
    std::fs::set_permissions(folder.path().join("key"), std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .unwrap();
    folder.configure(&(channel("hello-main", "") + &feed));
    let serving = Serving::start(&folder);
    for number in 1..4 {
        assert_eq!(serving.post("hello-main", number).await.0, 200);
    }
    assert_eq!(consumer.next(3), ids(&folder));
    let said = folder.run(&["webhooks", "ping", "hq"]).expect(0);
    assert!(said.out.starts_with("ok: hq took it: 204 in "), "{}", said.all());
    consumer.next(1);

    consumer.status.store(410, Ordering::SeqCst);
    assert_eq!(serving.post("hello-main", 4).await.0, 200);
    consumer.next(1);
    // The answer is on its way: asked until it has arrived.
    let disabled = |folder: &Folder| folder.run(&["webhooks", "show", "hq", "--json"]).code == 2;
    assert!((0..1_000).any(|_| disabled(&folder)), "410 did not disable it");
    let said = folder.run(&["webhooks", "ping", "hq", "--lang", "zh"]).expect(1);
    assert!(said.out.starts_with("未送达：hq：410"), "{}", said.all());
    consumer.next(1);
    // So that it is durable before the kill: progress is written twice a second.
    serving.signal(Signal::TERM);
    assert!(serving.ended().0.success());

    let serving = Serving::start(&folder);
    serving.signal(Signal::KILL);
    serving.ended();
    let serving = Serving::start(&folder);
    consumer.status.store(204, Ordering::SeqCst);
    assert_eq!(serving.post("hello-main", 5).await.0, 200);
    let said = folder.run(&["webhooks"]).expect(2);
    assert!(said.out.contains("disabled") && said.out.contains("answered 410"), "{}", said.all());
    let said = folder.run(&["webhooks", "redeliver", "hq", "--after", "2"]).expect(0);
    assert!(said.out.contains("it is disabled: qudao webhooks enable hq"), "{}", said.all());
    folder.run(&["webhooks", "enable", "hq"]).expect(0);
    assert_eq!(consumer.next(1), ids(&folder)[2..3]);
    let (rest, mut came) = (ids(&folder)[3..].to_vec(), consumer.next(2));
    // Two entities: which goes first does not matter.
    came.sort_by_key(|id| rest.iter().position(|one| one == id));
    assert_eq!(came, rest, "it goes on where it was");

    let said = folder.run(&["webhooks", "redeliver", "hq", "--after", "999", "--lang", "zh"]).expect(1);
    assert!(said.err.starts_with("错误：还没有推送到这个位置"), "{}", said.all());
    folder.run(&["webhooks", "redeliver", "hq", "--after", "1"]).expect(0);
    assert_eq!(consumer.next(4), ids(&folder)[1..]);
    let one = folder.run(&["webhooks", "list", "--json"]).expect(0).json();
    assert_eq!((&one["name"], &one["state"], &one["last_seq"]), (&json!("hq"), &json!("active"), &json!(5)));
}
