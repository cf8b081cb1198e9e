//! Relink behind the very configurations that README gives, run by the proxies themselves.

use std::fs;
use std::net::IpAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::time::{sleep, timeout};

use crate::process::free_port;
use crate::site::{OWNER, PASSWORD, Site};

const README: &str = include_str!("../../../README.md");
const SOON: Duration = Duration::from_secs(8);
const HOST: &str = "relink.example.com";

/// A proxy that runs until it is dropped.
struct Proxy {
    child: Child,
    port: u16,
    _dir: TempDir,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // Asked and not killed: nginx has children of its own.
        let _ = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status();
        let _ = self.child.wait();
    }
}

/// The block of README in this language.
fn configuration(language: &str) -> &'static str {
    README
        .split(&format!("```{language}\n"))
        .nth(1)
        .expect("a block in README")
        .split("```")
        .next()
        .unwrap()
}

fn changed(text: &str, changes: &[(&str, &str)]) -> String {
    changes.iter().fold(text.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from} is not in README");
        text.replace(from, to)
    })
}

fn run(command: &mut Command) -> Child {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("`.ci/setup test` installs it")
}

fn certificate(dir: &Path) {
    let subject = format!("/CN={HOST}");
    let made = Command::new("openssl")
        .args([
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", &subject,
            "-keyout", "key.pem", "-out", "cert.pem",
        ])
        .current_dir(dir)
        .output()
        .expect("openssl");
    assert!(made.status.success());
}

fn nginx(relink: u16) -> Proxy {
    let (dir, port) = (tempfile::tempdir().unwrap(), free_port());
    certificate(dir.path());
    let own = changed(
        configuration("nginx"),
        &[
            ("127.0.0.1:3000", &format!("127.0.0.1:{relink}")),
            ("listen 80;", &format!("listen 127.0.0.1:{};", free_port())),
            ("listen 443 ssl;", &format!("listen 127.0.0.1:{port} ssl;")),
            (
                "/etc/letsencrypt/live/relink.example.com/fullchain.pem",
                "cert.pem",
            ),
            (
                "/etc/letsencrypt/live/relink.example.com/privkey.pem",
                "key.pem",
            ),
        ],
    );
    let temp: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|kind| format!("{kind}_temp_path {kind};\n"))
        .collect();
    let whole = format!(
        "user root;\ndaemon off;\npid nginx.pid;\nevents {{}}\nhttp {{\naccess_log \
            off;\n{temp}{own}}}\n"
    );
    fs::write(dir.path().join("nginx.conf"), whole).unwrap();
    let mut command = Command::new("nginx");
    command
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .args(["-e", "stderr", "-c", "nginx.conf", "-p"])
        .arg(dir.path());
    Proxy {
        child: run(&mut command),
        port,
        _dir: dir,
    }
}

fn caddy(relink: u16) -> Proxy {
    let (dir, port) = (tempfile::tempdir().unwrap(), free_port());
    let own = changed(
        configuration("caddy"),
        &[
            ("127.0.0.1:3000", &format!("127.0.0.1:{relink}")),
            (
                "relink.example.com {",
                &format!("relink.example.com:{port} {{\n\ttls internal"),
            ),
        ],
    );
    let whole =
        format!("{{\n\tadmin off\n\tskip_install_trust\n\tauto_https disable_redirects\n}}\n{own}");
    fs::write(dir.path().join("Caddyfile"), whole).unwrap();
    let mut command = Command::new("caddy");
    command
        .env("XDG_DATA_HOME", dir.path())
        .env("XDG_CONFIG_HOME", dir.path())
        .args(["run", "--config"])
        .arg(dir.path().join("Caddyfile"));
    Proxy {
        child: run(&mut command),
        port,
        _dir: dir,
    }
}

fn traefik(relink: u16) -> Proxy {
    let (dir, port) = (tempfile::tempdir().unwrap(), free_port());
    certificate(dir.path());
    let place = |name: &str| dir.path().join(name).display().to_string();
    let (fixed, own) = configuration("yaml")
        .split_once("---\n")
        .expect("two files");
    let fixed = changed(
        fixed,
        &[
            ("\":80\"", &format!("127.0.0.1:{}", free_port())),
            ("\":443\"", &format!("127.0.0.1:{port}")),
            ("/var/lib/traefik/acme.json", &place("acme.json")),
            ("/etc/traefik/relink.yml", &place("relink.yml")),
        ],
    );
    let relink = format!("127.0.0.1:{relink}");
    let own = changed(
        own,
        &[
            ("127.0.0.1:3000", &relink),
            ("tls: { certResolver: letsencrypt }", "tls: {}"),
        ],
    );
    let own = format!(
        "{own}tls:\n  certificates: [{{ certFile: {}, keyFile: {} }}]\n",
        place("cert.pem"),
        place("key.pem")
    );
    fs::write(dir.path().join("traefik.yml"), fixed).unwrap();
    fs::write(dir.path().join("relink.yml"), own).unwrap();
    let mut command = Command::new("traefik");
    command.arg(format!("--configFile={}", place("traefik.yml")));
    Proxy {
        child: run(&mut command),
        port,
        _dir: dir,
    }
}

/// A browser on another machine, as far as the proxy can see.
#[expect(
    clippy::disallowed_methods,
    reason = "a test's browser is not Relink's client"
)]
fn browser(from: &str, port: u16) -> reqwest::Client {
    reqwest::Client::builder()
        .cookie_store(true)
        .redirect(reqwest::redirect::Policy::none())
        .danger_accept_invalid_certs(true)
        .local_address(from.parse::<IpAddr>().unwrap())
        .resolve(HOST, ([127, 0, 0, 1], port).into())
        .build()
        .unwrap()
}

async fn sign_in(browser: &reqwest::Client, url: &str, password: &str, claimed: &str) -> String {
    let form = [("email", OWNER), ("password", password)];
    let sent = browser
        .post(format!("{url}/signin"))
        .form(&form)
        .header("origin", url);
    let sent = sent
        .header("x-forwarded-for", claimed)
        .header("forwarded", format!("for={claimed}"));
    let reply = timeout(SOON, sent.send())
        .await
        .expect("an answer")
        .unwrap();
    assert_eq!(reply.status(), 303, "{reply:?}");
    reply.headers()["location"].to_str().unwrap().to_owned()
}

/// Everything that a proxy has to do right.
async fn stands_behind(start: fn(u16) -> Proxy) {
    // The proxy's port is known only when it runs, and Relink's address is the proxy's.
    let relink = free_port();
    let proxy = start(relink);
    let url = format!("https://{HOST}:{}", proxy.port);
    let settings = [
        ("RELINK_URL", url.as_str()),
        ("RELINK_TRUSTED_PROXIES", "127.0.0.1"),
    ];
    let site = Site::open_at(relink, &settings).await;
    let guesser = browser("127.0.0.5", proxy.port);
    for _ in 0..200 {
        if guesser
            .get(format!("{url}/healthz"))
            .send()
            .await
            .is_ok_and(|reply| reply.status() == 200)
        {
            break;
        }
        sleep(Duration::from_millis(50)).await;
    }
    let mut last = String::new();
    for number in 0..8 {
        last = sign_in(
            &guesser,
            &url,
            "not the password at all",
            &format!("203.0.113.{number}"),
        )
        .await;
    }
    assert!(last.starts_with("/signin"), "{last}");
    let said = site.relink.said();
    assert!(
        said.contains("127.0.0.5") && !said.contains("203.0.113."),
        "what a client claims counts for nothing: {said}"
    );
    assert!(
        sign_in(&guesser, &url, PASSWORD, "203.0.113.99")
            .await
            .starts_with("/signin"),
        "whoever guesses waits"
    );
    let owner = browser("127.0.0.6", proxy.port);
    assert_eq!(
        sign_in(&owner, &url, PASSWORD, "203.0.113.1").await,
        "/integrations",
        "and nobody else does"
    );
    let page = owner
        .get(format!("{url}/integrations"))
        .send()
        .await
        .unwrap();
    assert_eq!(page.status(), 200, "the cookie came back");
    let mut live = owner
        .get(format!("{url}/live?from=0-0"))
        .send()
        .await
        .unwrap();
    assert_eq!(live.status(), 200);
    let event = timeout(SOON, live.chunk())
        .await
        .expect("events come as they are told")
        .unwrap()
        .unwrap();
    assert!(event.starts_with(b"event:"), "{event:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_configuration_for_nginx_in_readme_says_who_asks_and_holds_nothing_back() {
    stands_behind(nginx).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_configuration_for_caddy_in_readme_says_who_asks_and_holds_nothing_back() {
    stands_behind(caddy).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_configuration_for_traefik_in_readme_says_who_asks_and_holds_nothing_back() {
    stands_behind(traefik).await;
}

/// The proxy is an IPv4 peer, and wears the clothes of IPv6 there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_on_this_machine_is_known_on_a_socket_for_all_addresses() {
    let port = free_port();
    let site = Site::open_at(port, &[("RELINK_ADDR", &format!("[::]:{port}"))]).await;
    let url = &site.relink.url;
    let browser = browser("127.0.0.1", port);
    let try_from = async |claimed: &str, password: &str| {
        let form = [("email", OWNER), ("password", password)];
        let sent = browser
            .post(format!("{url}/signin"))
            .form(&form)
            .header("x-forwarded-for", claimed);
        sent.send().await.unwrap().headers()["location"]
            .to_str()
            .unwrap()
            .to_owned()
    };
    for _ in 0..8 {
        try_from("203.0.113.5", "not the password at all").await;
    }
    assert!(
        site.relink.said().contains("203.0.113.5"),
        "{}",
        site.relink.said()
    );
    assert!(
        try_from("203.0.113.5", PASSWORD)
            .await
            .starts_with("/signin"),
        "whoever guesses waits"
    );
    assert_eq!(
        try_from("203.0.113.6", PASSWORD).await,
        "/integrations",
        "and nobody else does"
    );
}
