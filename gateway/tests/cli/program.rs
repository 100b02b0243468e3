//! Runs the program: commands that end, and a gateway that keeps on.

use data_encoding::BASE64;
use qudao_keys::Key;
use qudao_model::manifest::KeyKind;
use serde_json::Value;
use std::{
    fs::{self, Permissions},
    io::{BufRead, BufReader, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, ChildStderr, Command, ExitStatus, Output, Stdio},
    sync::OnceLock,
};
use tempfile::TempDir;

/// Secret of the example connector's channel.
pub(crate) const SECRET: &str = "a-secret-for-tests-and-nothing-else";

/// A temporary folder in which the program runs.
pub(crate) struct Folder {
    dir: TempDir,
}

/// What a command said.
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Folder {
    pub(crate) fn new() -> Folder {
        Folder { dir: tempfile::tempdir().unwrap() }
    }

    /// A folder with a configuration of one channel, `hello-main`, on free ports.
    pub(crate) fn configured() -> Folder {
        let folder = Folder::new();
        folder.configure(&channel("hello-main", ""));
        folder
    }

    /// Writes connectors.yaml with these channels.
    pub(crate) fn configure(&self, channels: &str) {
        let gateway = "version: 1\ngateway: {hooks: 127.0.0.1:0, admin: 127.0.0.1:0}\n";
        self.write("secret.txt", SECRET);
        fs::set_permissions(self.path().join("secret.txt"), Permissions::from_mode(0o600)).unwrap();
        self.write("connectors.yaml", &format!("{gateway}channels:\n{channels}"));
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path().join(name), text).unwrap();
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_qudao"));
        command
            .args(arguments)
            .current_dir(self.path())
            .stdin(Stdio::null())
            .env_clear()
            .env("COLUMNS", "100")
            // Components are compiled once, not once a test.
            .env("XDG_CACHE_HOME", root().join("target/test-cache"));
        for name in ["PATH", "HOME", "CARGO_HOME", "RUSTUP_HOME", "TMPDIR"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        Said::of(self.command(arguments).output().unwrap(), self.path())
    }

    /// The same with colours, as on a terminal.
    pub(crate) fn run_in_colour(&self, arguments: &[&str]) -> Said {
        Said::of(self.command(arguments).env("CLICOLOR_FORCE", "1").output().unwrap(), self.path())
    }

    pub(crate) fn run_with_input(&self, arguments: &[&str], input: &str) -> Said {
        let mut command = self.command(arguments);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        Said::of(child.wait_with_output().unwrap(), self.path())
    }
}

impl Said {
    /// Output with the temporary folder's name taken out.
    fn of(output: Output, folder: &Path) -> Said {
        let text = |bytes: Vec<u8>| {
            let text = String::from_utf8(bytes).unwrap();
            text.replace(&folder.canonicalize().unwrap().display().to_string(), "DIR")
                .replace(&folder.display().to_string(), "DIR")
        };
        Said { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Everything for a snapshot.
    pub(crate) fn all(&self) -> String {
        let Said { code, out, err } = self;
        let visible = |text: &str| text.replace('\u{1b}', "ESC");
        format!("exit code {code}\n--- stdout\n{}--- stderr\n{}", visible(out), visible(err))
    }

    /// Standard output as JSON lines.
    pub(crate) fn json_lines(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Standard output as one JSON value.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.all()))
    }

    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Said {
        assert_eq!(self.code, code, "{}", self.all());
        self
    }
}

/// Root of the checkout.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The component of the example connector, built once a process.
pub(crate) fn hello() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| component("examples/hello-connector"))
}

/// The component that reads files, built once a process.
pub(crate) fn files() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| component("plugins/erp-file"))
}

fn component(folder: &str) -> PathBuf {
    let toolchain = qudao_build::target::ensure(&mut |_| {}).unwrap();
    qudao_build::component(&root().join(folder), None, toolchain, &mut |_| {}).unwrap().path
}

/// YAML of a channel of the example connector; `more` are further members.
pub(crate) fn channel(name: &str, more: &str) -> String {
    let component = hello().display();
    let secret = "secrets: {secret: {file: secret.txt}}";
    format!("  {name}:\n    connector: {component}\n    settings: {{shop: s-001}}\n    {secret}\n{more}")
}

/// A notice of the example's platform and its headers, signed now.
pub(crate) fn notice(number: u32) -> (String, Vec<(&'static str, String)>) {
    let body = format!(
        r#"{{"notice_id":"n-{number}","event":"payment_succeeded","shop":"s-001","order":"SO{number}","serial":"P{number}","yuan":"88.80","paid_at":"2026-01-21 12:58:17"}}"#
    );
    let now = jiff::Timestamp::now().as_second().to_string();
    let key = Key::parse(KeyKind::HmacSha256, SECRET.as_bytes()).unwrap();
    let tag = key.mac(format!("{now}.{body}").as_bytes()).unwrap();
    (body, vec![("x-timestamp", now), ("x-signature", BASE64.encode(&tag))])
}

/// A running gateway. Dropped, it is killed.
pub(crate) struct Serving {
    child: Child,
    log: BufReader<ChildStderr>,
    pub(crate) ready: Value,
    client: reqwest::Client,
}

impl Serving {
    /// Starts it and waits until it says that it is ready.
    pub(crate) fn start(folder: &Folder) -> Serving {
        let mut child =
            folder.command(&["serve"]).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut serving = Serving { child, log, ready: Value::Null, client };
        serving.until("ready: ");
        let ready = fs::read(folder.path().join("data/ready.json")).unwrap();
        serving.ready = serde_json::from_slice(&ready).unwrap();
        serving
    }

    /// Reads the log up to a line with this text; fails where the gateway ends before.
    #[track_caller]
    pub(crate) fn until(&mut self, text: &str) -> String {
        let mut seen = String::new();
        loop {
            let mut line = String::new();
            let read = self.log.read_line(&mut line).unwrap();
            assert!(read > 0, "the log ended without {text:?}:\n{seen}");
            if line.contains(text) {
                return line;
            }
            seen.push_str(&line);
        }
    }

    /// Posts a notice and returns status and body.
    pub(crate) async fn post(&self, channel: &str, number: u32) -> (u16, String) {
        self.try_post(channel, number).await.unwrap()
    }

    /// The same where the gateway may go away meanwhile.
    pub(crate) async fn try_post(&self, channel: &str, number: u32) -> Result<(u16, String), reqwest::Error> {
        let (body, headers) = notice(number);
        let url = format!("http://{}/hooks/{channel}", self.ready["hooks"].as_str().unwrap());
        let mut request = self.client.post(url).body(body);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let answer = request.send().await?;
        Ok((answer.status().as_u16(), answer.text().await?))
    }

    /// Asks the private side without a token.
    pub(crate) async fn status(&self, path: &str) -> u16 {
        let url = format!("http://{}{path}", self.ready["admin"].as_str().unwrap());
        self.client.get(url).send().await.unwrap().status().as_u16()
    }

    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// Waits for its end; gives what it logged since.
    pub(crate) fn ended(mut self) -> (ExitStatus, String) {
        let mut rest = String::new();
        std::io::Read::read_to_string(&mut self.log, &mut rest).unwrap();
        (self.child.wait().unwrap(), rest)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
