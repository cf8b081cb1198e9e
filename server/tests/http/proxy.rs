//! A way to PostgreSQL that is cut at a message of somebody's choice, in either direction.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// Far away.
const NEVER: i64 = i64::MAX / 2;

#[derive(Clone)]
pub struct Proxy {
    port: u16,
    /// Messages until then, over all connections.
    left: Arc<AtomicI64>,
}

impl Proxy {
    /// Stands in front of whatever `postgres://…` names.
    pub async fn new(url: &str) -> Proxy {
        let server = address(url).to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Proxy {
            port: listener.local_addr().unwrap().port(),
            left: Arc::new(AtomicI64::new(NEVER)),
        };
        let serving = proxy.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (proxy, server) = (serving.clone(), server.clone());
                tokio::spawn(async move {
                    proxy.carry(client, TcpStream::connect(server).await?).await
                });
            }
        });
        proxy
    }

    /// The address that leads through here.
    pub fn url(&self, url: &str) -> String {
        format!(
            "{}?sslmode=disable",
            url.replacen(address(url), &format!("127.0.0.1:{}", self.port), 1)
        )
    }

    /// The connection that carries the `number`th message from now on is cut there, once. The
    /// message does not arrive.
    pub fn cut_at(&self, number: i64) {
        self.left.store(number, Ordering::SeqCst);
    }

    /// Cuts nothing from now on. Answers whether something was.
    pub fn heal(&self) -> bool {
        self.left.swap(NEVER, Ordering::SeqCst) <= 0
    }

    async fn carry(&self, client: TcpStream, server: TcpStream) -> io::Result<()> {
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let ((from_client, to_client), (from_server, to_server)) =
            (client.into_split(), server.into_split());
        // Whichever ends takes the other with it.
        tokio::select! {
            ended = self.pump(from_client, to_server, true) => ended,
            ended = self.pump(from_server, to_client, false) => ended,
        }
    }

    async fn pump(
        &self,
        mut from: OwnedReadHalf,
        mut to: OwnedWriteHalf,
        client: bool,
    ) -> io::Result<()> {
        // Only a client's first message has no type.
        let mut head = if client { 4 } else { 5 };
        loop {
            let mut message = vec![0; head];
            from.read_exact(&mut message).await?;
            let length = u32::from_be_bytes(message[head - 4..].try_into().unwrap()) as usize;
            message.resize(head + length - 4, 0);
            from.read_exact(&mut message[head..]).await?;
            if self.left.fetch_sub(1, Ordering::SeqCst) == 1 {
                return Ok(());
            }
            to.write_all(&message).await?;
            head = 5;
        }
    }
}

/// Host and port.
fn address(url: &str) -> &str {
    let after = url.split_once('@').expect("an address with a user").1;
    after.split(['/', '?']).next().unwrap()
}
