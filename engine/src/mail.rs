//! E-mail by SMTP (RFC 5321): link codes for teammates, and alarms for those who can help.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use url::Url;

use crate::text;

/// A mail server that takes longer counts as one that does not answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Mails on their way at a time.
const AT_ONCE: usize = 4;

/// A mail server, and who the mails are from.
#[derive(Clone)]
pub struct MailServer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

/// Leaves out the credentials.
impl fmt::Debug for MailServer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("MailServer")
            .field("from", &self.from)
            .finish_non_exhaustive()
    }
}

/// A fault of the settings for mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    #[error("it is not an address of a mail server")]
    Server,
    #[error("it is not an e-mail address")]
    From,
    #[error("mails would travel to another machine in the clear")]
    InTheClear,
}

impl MailServer {
    /// `server`: `smtps://user:password@host` speaks TLS from the start (RFC 8314), `smtp://…`
    /// turns to it by STARTTLS (RFC 3207), which must succeed. Only where the server is this very
    /// machine nothing is asked for. `from`: "Relink <relink@example.com>".
    pub fn new(server: &str, from: &str) -> Result<MailServer, MailError> {
        let url = Url::parse(server)
            .ok()
            .filter(|url| matches!(url.scheme(), "smtp" | "smtps") && url.host().is_some());
        let url = with_tls(url.ok_or(MailError::Server)?)?;
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.as_str())
            .map_err(|_| MailError::Server)?;
        let from = from.parse().map_err(|_| MailError::From)?;
        Ok(MailServer {
            transport: builder.timeout(Some(PATIENCE)).build(),
            from,
        })
    }

    /// Greets the mail server, signs in where that is set up, and sends nothing.
    ///
    /// # Errors
    /// [`SendError::Server`] or [`SendError::Timeout`]; the text is for whoever runs this.
    pub async fn greet(&self) -> Result<(), SendError> {
        let greeted = timeout(PATIENCE, self.transport.test_connection()).await;
        match greeted.map_err(|_| SendError::Timeout)?? {
            true => Ok(()),
            false => Err(SendError::Refused),
        }
    }

    /// The address that mails are from.
    #[must_use]
    pub fn sender(&self) -> String {
        self.from.to_string()
    }

    /// Whether mails can be from this.
    #[must_use]
    pub fn is_sender(text: &str) -> bool {
        text.parse::<Mailbox>().is_ok()
    }
}

/// Demands TLS: without a word about it, the library would send in the clear, or let whoever is in
/// between decide.
fn with_tls(mut url: Url) -> Result<Url, MailError> {
    if url.scheme() != "smtp" || is_here(&url) {
        return Ok(url);
    }
    let said: Vec<bool> = url
        .query_pairs()
        .filter(|(name, _)| name == "tls")
        .map(|(_, value)| value == "required")
        .collect();
    match said.as_slice() {
        [] => {
            url.query_pairs_mut().append_pair("tls", "required");
            Ok(url)
        }
        [true] => Ok(url),
        _ => Err(MailError::InTheClear),
    }
}

/// The URL standard knows no smtp, so the host stays text.
fn is_here(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost"
        || host
            .parse::<IpAddr>()
            .is_ok_and(|ip| ip.to_canonical().is_loopback())
}

/// The reason why a mail did not go out. Its text is for the log.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    #[error("the address cannot be one")]
    Address,
    #[error("the mail cannot be put together: {0}")]
    Message(#[from] lettre::error::Error),
    #[error("the mail server did not take it: {}", said(.0))]
    Server(lettre::transport::smtp::Error),
    #[error("the mail server did not answer in time")]
    Timeout,
    #[error("the mail server ended the connection")]
    Refused,
}

impl From<lettre::transport::smtp::Error> for SendError {
    fn from(error: lettre::transport::smtp::Error) -> SendError {
        SendError::Server(error)
    }
}

/// The words of a mail server, but for those of one that repeats what it was told to sign in with.
fn said(error: &lettre::transport::smtp::Error) -> String {
    let words = error.to_string();
    if !words.to_ascii_uppercase().contains("AUTH") {
        return words;
    }
    error.status().map_or_else(
        || "it does not let Relink sign in".to_owned(),
        |code| format!("it does not let Relink sign in ({code})"),
    )
}

/// Sends mails about this Relink. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Mail {
    server: MailServer,
    site: Url,
    turns: Arc<Semaphore>,
}

impl Mail {
    /// `site`: what the world calls this Relink, for the links in mails.
    #[must_use]
    pub fn new(server: MailServer, site: Url) -> Mail {
        Mail {
            server,
            site,
            turns: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    /// The address that mails are from.
    #[must_use]
    pub fn sender(&self) -> String {
        self.server.sender()
    }

    /// The absolute address of a page.
    pub(crate) fn page(&self, path: &str) -> String {
        format!("{}{path}", self.site.as_str().trim_end_matches('/'))
    }

    /// Sends plain text. When this answers, the mail server has it.
    pub(crate) async fn send(
        &self,
        name: &str,
        email: &str,
        subject: &str,
        text: &str,
    ) -> Result<(), SendError> {
        let message = message(self.server.from.clone(), name, email, subject, text)?;
        let sending = async {
            let _turn = self.turns.acquire().await;
            self.server.transport.send(message).await
        };
        timeout(PATIENCE, sending)
            .await
            .map_err(|_| SendError::Timeout)??;
        Ok(())
    }
}

/// Names come from anybody, so whatever would end a line of the head or of the text is taken out of
/// them here.
fn message(
    from: Mailbox,
    name: &str,
    email: &str,
    subject: &str,
    body: &str,
) -> Result<Message, SendError> {
    let address: Address = email.parse().map_err(|_| SendError::Address)?;
    let message = Message::builder()
        .from(from)
        .to(Mailbox::new(Some(text::name(name)), address))
        .subject(text::line(subject))
        .header(ContentType::TEXT_PLAIN)
        .body(text::lines(body))?;
    Ok(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_ends_a_line_of_the_head() {
        let from: Mailbox = "Relink <relink@example.com>".parse().unwrap();
        for name in [
            "Eve\r\nBcc: all@example.com\r\n\r\nHello",
            "Eve\nX: y",
            "\r",
            "\u{2028}Eve\u{0}",
            &"w".repeat(10_000),
        ] {
            let subject = format!("{name} needs you");
            let mail = message(from.clone(), name, "eve@example.com", &subject, "Hello").unwrap();
            let mail = String::from_utf8(mail.formatted()).unwrap();
            let (head, body) = mail.split_once("\r\n\r\n").unwrap();
            let names: Vec<_> = head
                .lines()
                .filter(|line| !line.starts_with(' '))
                .filter_map(|line| line.split(':').next())
                .collect();
            let usual = [
                "From",
                "To",
                "Subject",
                "Content-Type",
                "Date",
                "Content-Transfer-Encoding",
                "MIME-Version",
                "Message-ID",
            ];
            assert!(names.iter().all(|name| usual.contains(name)), "{head}");
            assert_eq!(body.trim(), "Hello");
        }
        assert!(matches!(
            message(
                from,
                "Eve",
                "eve@example.com\r\nBcc: b@example.com",
                "s",
                "t"
            ),
            Err(SendError::Address)
        ));
    }

    #[test]
    fn what_acts_in_a_name_is_in_no_subject_and_no_text() {
        let from: Mailbox = "Relink <relink@example.com>".parse().unwrap();
        let name = "Eve\r\nBcc: all@example.com\u{202e}";
        let mail = message(
            from,
            name,
            "eve@example.com",
            &format!("{name} asks"),
            &format!("Hello\n{name}\nBye"),
        )
        .unwrap();
        let mail = String::from_utf8(mail.formatted()).unwrap();
        let (head, body) = mail.split_once("\r\n\r\n").unwrap();
        assert!(
            head.lines()
                .any(|line| line == "Subject: Eve Bcc: all@example.com asks"),
            "{head}"
        );
        assert_eq!(
            body.trim_end(),
            "Hello\r\nEve\r\nBcc: all@example.com\r\nBye"
        );
    }

    fn tls(url: &str) -> Result<String, MailError> {
        with_tls(Url::parse(url).unwrap()).map(|url| url.query().unwrap_or_default().to_owned())
    }

    #[test]
    fn nothing_is_sent_in_the_clear_to_another_machine() {
        for elsewhere in [
            "smtp://user:secret@mail.example.com",
            "smtp://mail.example.com:587",
            "smtp://localhost.example.com",
            "smtp://192.0.2.1",
        ] {
            assert_eq!(tls(elsewhere).as_deref(), Ok("tls=required"), "{elsewhere}");
            for wrong in [
                "opportunistic",
                "none",
                "required&tls=opportunistic",
                "opportunistic&tls=required",
                "",
            ] {
                assert_eq!(
                    tls(&format!("{elsewhere}?tls={wrong}")),
                    Err(MailError::InTheClear),
                    "{elsewhere} {wrong}"
                );
            }
        }
        assert_eq!(
            tls("smtp://mail.example.com?tls=required").as_deref(),
            Ok("tls=required")
        );
        for here in [
            "smtp://127.0.0.1:2525",
            "smtp://user:secret@localhost:25",
            "smtp://[::1]:25",
            "smtp://[::ffff:127.0.0.1]:25",
        ] {
            assert_eq!(tls(here).as_deref(), Ok(""), "{here}");
        }
        assert_eq!(
            tls("smtps://user:secret@mail.example.com").as_deref(),
            Ok("")
        );
    }

    #[tokio::test]
    async fn what_cannot_be_a_mail_server_or_a_sender_is_refused_and_no_password_is_shown() {
        let error = |server: &str, from: &str| MailServer::new(server, from).err();
        for server in [
            "",
            "mail.example.com",
            "http://mail.example.com",
            "smtp://",
            "smtp://localhost?tls=maybe",
        ] {
            assert_eq!(
                error(server, "a@b.example"),
                Some(MailError::Server),
                "{server}"
            );
        }
        assert_eq!(
            error("smtp://mail.example.com", "nobody"),
            Some(MailError::From)
        );
        let server = MailServer::new(
            "smtps://user:secret@mail.example.com",
            "Relink <relink@example.com>",
        )
        .unwrap();
        assert!(!format!("{server:?}").contains("secret"));
    }
}
