//! A load generator that costs little itself: keep-alive connections, one request after the other.

use std::error::Error;
use std::io;
use std::time::Duration;

use memchr::memmem;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// One request that is made again and again.
#[derive(Clone)]
pub struct Target {
    addr: String,
    /// The request line and what goes with it, without the encoding.
    head: String,
    body: String,
}

pub struct Outcome {
    pub per_second: f64,
    /// The time that 99 of a hundred requests did not exceed.
    pub p99: Duration,
}

impl Target {
    /// A page, for whoever has this cookie.
    pub fn page(addr: &str, path: &str, cookie: Option<&str>) -> Target {
        let cookie = cookie.map_or_else(String::new, |cookie| format!("cookie: {cookie}\r\n"));
        let head = format!("GET {path} HTTP/1.1\r\nhost: {addr}\r\naccept: text/html\r\n{cookie}");
        Target {
            addr: addr.to_owned(),
            head,
            body: String::new(),
        }
    }

    /// A call of the API with a key.
    pub fn call(addr: &str, path: &str, key: &str, body: &str) -> Target {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {addr}\r\nauthorization: Bearer {key}\r\ncontent-type: \
                application/json\r\ncontent-length: {}\r\n",
            body.len()
        );
        Target {
            addr: addr.to_owned(),
            head,
            body: body.to_owned(),
        }
    }

    fn request(&self, encoding: &str) -> Vec<u8> {
        format!(
            "{}accept-encoding: {encoding}\r\n\r\n{}",
            self.head, self.body
        )
        .into_bytes()
    }

    /// The body of one good answer, unpacked and in one piece.
    pub async fn once(&self) -> Result<String, Box<dyn Error>> {
        let mut stream = TcpStream::connect(&self.addr).await?;
        stream.write_all(&self.request("identity")).await?;
        let mut buffer = Vec::new();
        let reply = read_reply(&mut stream, &mut buffer).await?;
        if !reply.good {
            return Err(format!(
                "{} answered {}",
                self.head,
                String::from_utf8_lossy(&buffer[..64.min(buffer.len())])
            )
            .into());
        }
        Ok(String::from_utf8(if reply.chunked {
            unchunked(&buffer[reply.head..])
        } else {
            buffer[reply.head..].to_vec()
        })?)
    }

    /// Measures the bytes of body that travel.
    pub async fn bytes(&self, brotli: bool) -> Result<usize, Box<dyn Error>> {
        let mut stream = TcpStream::connect(&self.addr).await?;
        stream
            .write_all(&self.request(if brotli { "br" } else { "identity" }))
            .await?;
        let mut buffer = Vec::new();
        let reply = read_reply(&mut stream, &mut buffer).await?;
        Ok(buffer.len() - reply.head)
    }
}

/// Asks over `connections` at once for as long as it takes.
pub async fn load(
    target: &Target,
    connections: usize,
    span: Duration,
) -> Result<Outcome, Box<dyn Error>> {
    let request = target.request("identity");
    let make = || {
        let request = request.clone();
        move |buffer: &mut Vec<u8>| {
            if buffer.is_empty() {
                buffer.extend_from_slice(&request);
            }
        }
    };
    load_each(&target.addr, connections, span, make).await
}

/// [`load`] with a new request each time, which is written over the one before.
pub async fn load_each<F>(
    addr: &str,
    connections: usize,
    span: Duration,
    make: impl Fn() -> F,
) -> Result<Outcome, Box<dyn Error>>
where
    F: FnMut(&mut Vec<u8>) + Send + 'static,
{
    let started = Instant::now();
    let mut workers = JoinSet::new();
    for _ in 0..connections {
        workers.spawn(worker(addr.to_owned(), started + span, make()));
    }
    let mut took = Vec::new();
    while let Some(outcome) = workers.join_next().await {
        took.extend(outcome??);
    }
    let per_second = took.len() as f64 / started.elapsed().as_secs_f64();
    took.sort_unstable();
    let p99 = took.get(took.len() * 99 / 100).copied().unwrap_or_default();
    Ok(Outcome {
        per_second,
        p99: Duration::from_micros(u64::from(p99)),
    })
}

/// Answers how many microseconds each request took.
async fn worker(
    addr: String,
    until: Instant,
    mut fill: impl FnMut(&mut Vec<u8>),
) -> io::Result<Vec<u32>> {
    let mut stream = TcpStream::connect(&addr).await?;
    stream.set_nodelay(true)?;
    let mut request = Vec::new();
    let mut buffer = Vec::with_capacity(128 * 1024);
    let mut took = Vec::with_capacity(1_000_000);
    loop {
        let began = Instant::now();
        if began >= until {
            return Ok(took);
        }
        fill(&mut request);
        stream.write_all(&request).await?;
        buffer.clear();
        if !read_reply(&mut stream, &mut buffer).await?.good {
            return Err(io::Error::other("an answer that is not 200"));
        }
        took.push(u32::try_from(began.elapsed().as_micros()).unwrap_or(u32::MAX));
    }
}

struct Reply {
    good: bool,
    chunked: bool,
    /// The offset at which the body begins.
    head: usize,
}

/// Reads one whole answer into the buffer.
async fn read_reply(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<Reply> {
    let head = loop {
        if let Some(end) = memmem::find(buffer, b"\r\n\r\n") {
            break end + 4;
        }
        more(stream, buffer).await?;
    };
    // As axum spells it, and as Node does.
    let named = [&b"content-length: "[..], b"Content-Length: "]
        .iter()
        .find_map(|name| memmem::find(&buffer[..head], name));
    let length = named.and_then(|at| number(&buffer[at + 16..head]));
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
    Ok(Reply {
        good: buffer.starts_with(b"HTTP/1.1 200"),
        chunked: length.is_none(),
        head,
    })
}

fn number(text: &[u8]) -> Option<usize> {
    let digits = text.iter().position(|byte| !byte.is_ascii_digit())?;
    std::str::from_utf8(&text[..digits]).ok()?.parse().ok()
}

async fn more(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<()> {
    if stream.read_buf(buffer).await? == 0 {
        Err(io::ErrorKind::UnexpectedEof.into())
    } else {
        Ok(())
    }
}

fn unchunked(mut body: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some(end) = body.windows(2).position(|window| window == b"\r\n") {
        let size = std::str::from_utf8(&body[..end])
            .ok()
            .and_then(|text| usize::from_str_radix(text, 16).ok())
            .unwrap_or(0);
        if size == 0 {
            break;
        }
        whole.extend_from_slice(&body[end + 2..end + 2 + size]);
        body = &body[end + 4 + size..];
    }
    whole
}

/// Resident memory of a process in KiB.
pub fn resident_kib(id: u32) -> Result<u64, Box<dyn Error>> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .ok_or("no VmRSS")?;
    Ok(line.split_whitespace().nth(1).ok_or("no number")?.parse()?)
}
