//! A load generator that costs little itself: keep-alive connections, one request after the other.

use std::error::Error;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// One address that is asked for again and again.
#[derive(Clone)]
pub struct Target {
    addr: String,
    path: String,
    cookie: String,
}

pub struct Outcome {
    pub per_second: f64,
}

impl Target {
    pub fn new(addr: &str, path: &str, cookie: Option<&str>) -> Target {
        let cookie = cookie.map_or_else(String::new, |cookie| format!("cookie: {cookie}\r\n"));
        Target { addr: addr.to_owned(), path: path.to_owned(), cookie }
    }

    fn request(&self, encoding: &str) -> Vec<u8> {
        let Target { addr, path, cookie } = self;
        format!("GET {path} HTTP/1.1\r\nhost: {addr}\r\naccept: text/html\r\naccept-encoding: {encoding}\r\n{cookie}\r\n").into_bytes()
    }

    /// The body of one good answer, unpacked and in one piece.
    pub async fn once(&self) -> Result<String, Box<dyn Error>> {
        let mut stream = TcpStream::connect(&self.addr).await?;
        stream.write_all(&self.request("identity")).await?;
        let mut buffer = Vec::new();
        let reply = read_reply(&mut stream, &mut buffer).await?;
        if !reply.good {
            return Err(format!("{} answered {}", self.path, String::from_utf8_lossy(&buffer[..64.min(buffer.len())])).into());
        }
        Ok(String::from_utf8(if reply.chunked { unchunked(&buffer[reply.head..]) } else { buffer[reply.head..].to_vec() })?)
    }

    /// How many bytes of body travel.
    pub async fn bytes(&self, brotli: bool) -> Result<usize, Box<dyn Error>> {
        let mut stream = TcpStream::connect(&self.addr).await?;
        stream.write_all(&self.request(if brotli { "br" } else { "identity" })).await?;
        let mut buffer = Vec::new();
        let reply = read_reply(&mut stream, &mut buffer).await?;
        Ok(buffer.len() - reply.head)
    }
}

/// Asks over `connections` at once for as long as it takes.
pub async fn load(target: &Target, connections: usize, span: Duration) -> Result<Outcome, Box<dyn Error>> {
    let started = Instant::now();
    let mut workers = JoinSet::new();
    for _ in 0..connections {
        workers.spawn(worker(target.clone(), started + span));
    }
    let mut done = 0;
    while let Some(outcome) = workers.join_next().await {
        done += outcome??;
    }
    Ok(Outcome { per_second: f64::from(done) / started.elapsed().as_secs_f64() })
}

async fn worker(target: Target, until: Instant) -> io::Result<u32> {
    let mut stream = TcpStream::connect(&target.addr).await?;
    stream.set_nodelay(true)?;
    let request = target.request("identity");
    let mut buffer = Vec::with_capacity(128 * 1024);
    let mut done = 0;
    while Instant::now() < until {
        stream.write_all(&request).await?;
        buffer.clear();
        if !read_reply(&mut stream, &mut buffer).await?.good {
            return Err(io::Error::other("an answer that is not 200"));
        }
        done += 1;
    }
    Ok(done)
}

struct Reply {
    good: bool,
    chunked: bool,
    /// Where the body begins.
    head: usize,
}

/// Reads one whole answer into the buffer.
async fn read_reply(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<Reply> {
    let head = loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        more(stream, buffer).await?;
    };
    let headers = String::from_utf8_lossy(&buffer[..head]).to_ascii_lowercase();
    let length =
        headers.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next()).and_then(|text| text.parse::<usize>().ok());
    match length {
        Some(length) => {
            while buffer.len() < head + length {
                more(stream, buffer).await?;
            }
        }
        None => {
            while !buffer.ends_with(b"0\r\n\r\n") {
                more(stream, buffer).await?;
            }
        }
    }
    Ok(Reply { good: headers.starts_with("http/1.1 200"), chunked: length.is_none(), head })
}

async fn more(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<()> {
    if stream.read_buf(buffer).await? == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
}

fn unchunked(mut body: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some(end) = body.windows(2).position(|window| window == b"\r\n") {
        let size = std::str::from_utf8(&body[..end]).ok().and_then(|text| usize::from_str_radix(text, 16).ok()).unwrap_or(0);
        if size == 0 {
            break;
        }
        whole.extend_from_slice(&body[end + 2..end + 2 + size]);
        body = &body[end + 4 + size..];
    }
    whole
}
