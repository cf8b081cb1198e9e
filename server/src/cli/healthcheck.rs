//! `relink healthcheck`: asks the server that runs here whether it is ready, as container images
//! want to be told. It reads the settings and nothing else.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use url::Position;

use super::output::print;
use super::shared::Outcome;
use crate::config::Config;

/// The server itself waits for its database no longer than three seconds.
const PATIENCE: Duration = Duration::from_secs(5);
/// Bytes of an answer that are read: the checks are all in it.
const ANSWER_MAX: u64 = 16 << 10;

pub async fn run(json: bool, config: &Config) -> Outcome {
    let addr = here(config.addr);
    let answer = match timeout(
        PATIENCE,
        ask(addr, &config.url[Position::BeforeHost..Position::AfterPort]),
    )
    .await
    {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => return Err(format!("{addr} does not answer: {error}").into()),
        Err(_) => {
            return Err(format!("{addr} does not answer within {} s", PATIENCE.as_secs()).into());
        }
    };
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    if head.split(' ').nth(1) == Some("200") {
        let said = serde_json::from_str(body).unwrap_or_default();
        return Ok(print(json, &said, "ready")?);
    }
    let status = head.lines().next().unwrap_or_default();
    Err(format!("{addr} says {status}: {body}").into())
}

/// The address at which a server that listens there is to be found from here.
fn here(listens: SocketAddr) -> SocketAddr {
    let ip = match listens.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listens.port())
}

async fn ask(addr: SocketAddr, host: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(addr).await?;
    let request = format!("GET /readyz HTTP/1.0\r\nHost: {host}\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(ANSWER_MAX).read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
