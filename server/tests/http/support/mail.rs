//! A mail server that is really spoken to.

use std::sync::{Arc, Mutex};

use relink_engine::mail::{Mail, MailServer};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

use crate::world::{Setup, World};

/// A mail server that takes everything, unless it is told to refuse, and remembers it.
#[derive(Clone, Default)]
pub struct Postbox {
    mails: Arc<Mutex<Vec<String>>>,
    refusing: Arc<Mutex<bool>>,
}

impl Postbox {
    async fn open() -> (Postbox, String) {
        let postbox = Postbox::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap());
        let taking = postbox.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(taking.clone().talk(stream));
            }
        });
        (postbox, url)
    }

    /// RFC 5321, as much of it as a client needs.
    async fn talk(self, stream: TcpStream) {
        let (reading, mut writing) = stream.into_split();
        let mut lines = BufReader::new(reading).lines();
        let mut mail = String::new();
        let mut in_data = false;
        writing.write_all(b"220 postbox\r\n").await.unwrap();
        while let Ok(Some(line)) = lines.next_line().await {
            let answer = if in_data {
                if line != "." {
                    mail.push_str(&line);
                    mail.push('\n');
                    continue;
                }
                in_data = false;
                self.mails.lock().unwrap().push(std::mem::take(&mut mail));
                "250 taken"
            } else if line.starts_with("EHLO") {
                "250 postbox"
            } else if line.starts_with("RCPT") && *self.refusing.lock().unwrap() {
                "550 no such mailbox"
            } else if line == "DATA" {
                in_data = true;
                "354 go on"
            } else {
                "250 well"
            };
            writing
                .write_all(format!("{answer}\r\n").as_bytes())
                .await
                .unwrap();
        }
    }

    /// Everything that came, decoded as far as our plain text is encoded.
    pub fn taken(&self) -> Vec<String> {
        let mails = self.mails.lock().unwrap();
        mails
            .iter()
            .map(|mail| mail.replace("=\n", "").replace("=E2=80=99", "’"))
            .collect()
    }

    pub fn refuse(&self, refusing: bool) {
        *self.refusing.lock().unwrap() = refusing;
    }
}

pub async fn with_mail() -> (World, Postbox) {
    let (postbox, url) = Postbox::open().await;
    let server = MailServer::new(&url, "Relink <relink@northwind.dev>").unwrap();
    let mail = Mail::new(server, Url::parse("https://relink.northwind.dev").unwrap());
    (
        World::with(Setup {
            mail: Some(mail),
            ..Setup::default()
        })
        .await,
        postbox,
    )
}
