//! Processes to test with: `relink` as its users run it, on ports of its own.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

/// Servers in tests show their counts to who shows this.
const METRICS_TOKEN: &str = "the token of whoever counts";

pub const BINARY: &str = env!("CARGO_BIN_EXE_relink");

/// A folder to work in, and the environment that goes with it. Nothing of this machine's own
/// environment leaks in.
pub struct Place {
    pub dir: TempDir,
    pub environment: Vec<(String, String)>,
}

impl Place {
    pub fn new() -> Place {
        let metrics = ("RELINK_METRICS_TOKEN".to_owned(), METRICS_TOKEN.to_owned());
        Place {
            dir: tempfile::tempdir().unwrap(),
            environment: vec![metrics],
        }
    }

    pub fn set(mut self, name: &str, value: &str) -> Place {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn command(&self, args: &[&str]) -> Command {
        self.command_of(Path::new(BINARY), args)
    }

    pub fn command_of(&self, binary: &Path, args: &[&str]) -> Command {
        let mut command = Command::new(binary);
        command
            .args(args)
            .current_dir(self.path())
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs a command to its end with this on stdin.
    pub fn run(&self, args: &[&str], stdin: &str) -> Output {
        let mut child = self
            .command(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that refuses its arguments never reads.
        let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
        child.wait_with_output().unwrap()
    }

    /// Runs a command that must work, and reads the JSON it prints.
    pub fn json(&self, args: &[&str], stdin: &str) -> Value {
        let output = self.run(args, stdin);
        assert!(
            output.status.success(),
            "{args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{args:?}: {}", String::from_utf8_lossy(&output.stdout)))
    }
}

pub fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

fn serving(place: &Place, binary: &Path, port: u16) -> (Command, String) {
    let url = format!("http://127.0.0.1:{port}");
    let mut command = place.command_of(binary, &["serve"]);
    for (name, value) in [
        ("RELINK_ADDR", format!("127.0.0.1:{port}")),
        ("RELINK_URL", url.clone()),
    ] {
        if !place.environment.iter().any(|(own, _)| own == name) {
            command.env(name, value);
        }
    }
    (command, url)
}

/// A process that runs until it is dropped; what it says is kept.
pub struct Running {
    child: Child,
    pub url: String,
    said: Arc<Mutex<String>>,
}

impl Running {
    pub async fn serve(place: &Place) -> Running {
        Running::start(place, Path::new(BINARY)).await
    }

    pub async fn serve_on(place: &Place, port: u16) -> Running {
        Running::start_on(place, Path::new(BINARY), port).await
    }

    pub async fn start(place: &Place, binary: &Path) -> Running {
        Running::start_on(place, binary, free_port()).await
    }

    /// Serves and waits until it is ready.
    async fn start_on(place: &Place, binary: &Path, port: u16) -> Running {
        let (command, url) = serving(place, binary, port);
        let running = Running::spawn(command, url.clone());
        running.wait_until_answering(&format!("{url}/readyz")).await;
        running
    }

    /// Serves by a command of the test's own, and waits until it is ready.
    pub async fn serve_by(command: Command, url: &str) -> Running {
        let running = Running::spawn(command, url.to_owned());
        running.wait_until_answering(&format!("{url}/readyz")).await;
        running
    }

    /// Serves, and says what it has to say to something else than this test.
    pub async fn serve_saying_to(place: &Place, stderr: impl Into<Stdio>) -> Running {
        let (command, url) = serving(place, Path::new(BINARY), free_port());
        let running = Running::spawn_saying_to(command, url.clone(), stderr.into());
        running.wait_until_answering(&format!("{url}/readyz")).await;
        running
    }

    /// Serves with an environment of its own, and waits until it is ready. `deaf`: nobody reads
    /// what it says.
    pub async fn serve_as(place: &Place, own: &[(String, String)], deaf: bool) -> Running {
        let (mut command, url) = serving(place, Path::new(BINARY), free_port());
        command.envs(own.iter().map(|(name, value)| (name, value)));
        let running = if deaf {
            let mut running = Running::spawn_saying_to(command, url.clone(), Stdio::piped());
            drop(running.child.stderr.take());
            running
        } else {
            Running::spawn(command, url.clone())
        };
        running.wait_until_answering(&format!("{url}/readyz")).await;
        running
    }

    /// The simulated Linear on a free port.
    pub async fn simulate(place: &Place, redirect_uri: &str) -> Running {
        let addr = format!("127.0.0.1:{}", free_port());
        let url = format!("http://{addr}");
        let running = Running::spawn(
            place.command(&["simulate", "--addr", &addr, "--redirect-uri", redirect_uri]),
            url.clone(),
        );
        running
            .wait_until_answering(&format!("{url}/control/counts"))
            .await;
        running
    }

    fn spawn(command: Command, url: String) -> Running {
        let mut running = Running::spawn_saying_to(command, url, Stdio::piped());
        let (stderr, heard) = (running.child.stderr.take().unwrap(), running.said.clone());
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let mut heard = heard.lock().unwrap();
                heard.push_str(&line);
                heard.push('\n');
            }
        });
        running
    }

    fn spawn_saying_to(mut command: Command, url: String, stderr: Stdio) -> Running {
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(stderr)
            .spawn()
            .unwrap();
        Running {
            child,
            url,
            said: Arc::default(),
        }
    }

    async fn wait_until_answering(&self, url: &str) {
        let client = client();
        for _ in 0..400 {
            if client
                .get(url)
                .send()
                .await
                .is_ok_and(|response| response.status().is_success())
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("no answer from {url}: {}", self.said());
    }

    /// Reads what it has counted.
    pub async fn metrics(&self) -> String {
        let asked = client()
            .get(format!("{}/metrics", self.url))
            .bearer_auth(METRICS_TOKEN);
        asked.send().await.unwrap().text().await.unwrap()
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Everything on stderr so far.
    pub fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([format!("-{name}"), self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(sent.success());
    }

    pub async fn exit_code(&mut self) -> Option<i32> {
        for _ in 0..600 {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("still running: {}", self.said());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A browser: keeps cookies, follows nothing by itself.
#[expect(
    clippy::disallowed_methods,
    reason = "a test's browser is not Relink's client"
)]
pub fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .cookie_store(true)
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap()
}

/// Every byte of every file below a folder.
pub fn all_bytes(dir: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            bytes.extend(all_bytes(&path));
        } else {
            std::fs::File::open(&path)
                .unwrap()
                .read_to_end(&mut bytes)
                .unwrap();
        }
    }
    bytes
}
