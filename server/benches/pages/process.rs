//! The processes of a run: Relink, the simulated Linear, and the bare server to compare with.

use std::error::Error;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use axum::serve::ListenerExt as _;
use relink_simulator::{Approve, Options, Simulator};
use reqwest::header;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::time::Instant;

const PATIENCE: Duration = Duration::from_secs(20);

fn free_addr() -> std::io::Result<String> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?
        .local_addr()?
        .to_string())
}

pub struct Linear {
    pub simulator: Simulator,
    pub relink_addr: String,
}

impl Linear {
    pub async fn start() -> Result<Linear, Box<dyn Error>> {
        let relink_addr = free_addr()?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let redirect_uris = vec![format!("http://{relink_addr}/oauth/linear/callback")];
        let simulator = Simulator::seeded(Options {
            url,
            redirect_uris,
            ..Options::default()
        })?;
        tokio::spawn(simulator.clone().serve(listener, std::future::pending()));
        Ok(Linear {
            simulator,
            relink_addr,
        })
    }
}

/// A process that ends with the value.
pub struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub struct Relink {
    process: Process,
    _dir: TempDir,
    pub addr: String,
    pub ready_after: Duration,
    client: reqwest::Client,
}

impl Relink {
    pub async fn start(linear: &Linear) -> Result<Relink, Box<dyn Error>> {
        let (dir, addr, app) = (
            tempfile::tempdir()?,
            linear.relink_addr.clone(),
            linear.simulator.app(),
        );
        let client = client()?;
        let started = Instant::now();
        let child = Command::new(env!("CARGO_BIN_EXE_relink"))
            .arg("serve")
            .current_dir(dir.path())
            .env_clear()
            .env("RELINK_ADDR", &addr)
            .env("RELINK_URL", format!("http://{addr}"))
            .env("LINEAR_URL", linear.simulator.url())
            .env("LINEAR_API_URL", linear.simulator.url())
            .env("LINEAR_CLIENT_ID", app.client_id)
            .env("LINEAR_CLIENT_SECRET", app.client_secret)
            .env("RELINK_LOG", "warn")
            .stdout(Stdio::null())
            .spawn()?;
        let process = Process(child);
        until_answering(&client, &format!("http://{addr}/readyz")).await?;
        Ok(Relink {
            process,
            _dir: dir,
            addr,
            ready_after: started.elapsed(),
            client,
        })
    }

    pub fn id(&self) -> u32 {
        self.process.0.id()
    }

    /// Answers the cookie of the owner.
    pub async fn sign_up(&self) -> Result<String, Box<dyn Error>> {
        let form = [
            ("organisation", "Bench"),
            ("name", "Bench"),
            ("email", "bench@example.com"),
            ("password", "long enough password"),
        ];
        let reply = self
            .client
            .post(format!("http://{}/signup", self.addr))
            .form(&form)
            .send()
            .await?;
        let cookie = reply
            .headers()
            .get(header::SET_COOKIE)
            .ok_or("no cookie")?
            .to_str()?;
        Ok(cookie.split(';').next().unwrap_or(cookie).to_owned())
    }

    pub async fn connect(
        &self,
        linear: &Linear,
        cookie: &str,
        workspace: &str,
    ) -> Result<(), Box<dyn Error>> {
        let start = self
            .client
            .post(format!("http://{}/oauth/linear/start", self.addr))
            .header(header::COOKIE, cookie)
            .send()
            .await?;
        let authorize_url = start
            .headers()
            .get(header::LOCATION)
            .ok_or("no way to Linear")?
            .to_str()?
            .to_owned();
        let asked = Approve {
            authorize_url,
            workspace: workspace.to_owned(),
            ..Approve::default()
        };
        let back = linear
            .simulator
            .approve(&asked)
            .map_err(|error| format!("{error:?}"))?
            .ok_or("no way back")?;
        self.client
            .get(back)
            .header(header::COOKIE, cookie)
            .send()
            .await?
            .error_for_status()?;
        Ok(())
    }
}

pub struct Bare {
    _process: Process,
    _file: TempDir,
    pub addr: String,
}

/// This very program, serving the same bytes from one axum handler.
pub async fn bare(body: &str) -> Result<Bare, Box<dyn Error>> {
    let (dir, addr) = (tempfile::tempdir()?, free_addr()?);
    let file = dir.path().join("page.html");
    std::fs::write(&file, body)?;
    let child = Command::new(std::env::current_exe()?)
        .arg("bare")
        .arg(&addr)
        .arg(&file)
        .spawn()?;
    let process = Process(child);
    until_answering(&client()?, &format!("http://{addr}/")).await?;
    Ok(Bare {
        _process: process,
        _file: dir,
        addr,
    })
}

pub async fn bare_server(addr: &str, file: &str) -> Result<(), Box<dyn Error>> {
    let body: &'static str = std::fs::read_to_string(file)?.leak();
    let listener = TcpListener::bind(addr).await?.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    axum::serve(
        listener,
        Router::new().route("/", get(async move || Html(body))),
    )
    .await?;
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "a benchmark's browser is not Relink's client"
)]
fn client() -> reqwest::Result<reqwest::Client> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
}

async fn until_answering(client: &reqwest::Client, url: &str) -> Result<(), Box<dyn Error>> {
    let started = Instant::now();
    while started.elapsed() < PATIENCE {
        if client
            .get(url)
            .send()
            .await
            .is_ok_and(|reply| reply.status().is_success())
        {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    Err(format!("no answer from {url}").into())
}
