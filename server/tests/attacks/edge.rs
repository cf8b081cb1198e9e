//! The attacks by somebody who does not finish: that costs nobody else.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{sleep, timeout};

use crate::process::client;
use crate::site::{OWNER, PASSWORD, Site};
use crate::support::{
    SOON, connection, deliver_from, genuine, key, resident_mb, send_from, workspace,
};
use crate::walk::walk;

/// A connection that has sent this much.
async fn sent(site: &Site, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(site.relink.url.strip_prefix("http://").unwrap())
        .await
        .unwrap();
    // Whoever is refused early may find the other side closed.
    let _ = stream.write_all(bytes).await;
    stream
}

/// Reads what comes on a connection until it is closed.
async fn rest(stream: &mut TcpStream, within: Duration) -> String {
    let mut read = Vec::new();
    timeout(within, stream.read_to_end(&mut read))
        .await
        .expect("it was closed")
        .ok();
    String::from_utf8_lossy(&read).into_owned()
}

fn half_a_form(address: &str) -> Vec<u8> {
    format!(
        "POST /signin HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: {address}\r\nContent-Length: \
            100\r\n\r\nemail=ada"
    )
    .into_bytes()
}

async fn many(site: &Site, count: u32, bytes: impl Fn(u32) -> Vec<u8>) -> Vec<TcpStream> {
    join_all((0..count).map(|number| {
        let bytes = bytes(number);
        async move { sent(site, &bytes).await }
    }))
    .await
}

async fn status(site: &Site, path: &str) -> u16 {
    let asked = client().get(format!("{}{path}", site.relink.url)).send();
    timeout(SOON, asked)
        .await
        .unwrap_or_else(|_| panic!("{path} is not answered"))
        .unwrap()
        .status()
        .as_u16()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_a_form_from_600_connections_holds_up_no_page_no_style_and_no_sign_in() {
    let site = Site::open().await;
    let page = site.page("/integrations").await;
    let style = page
        .split('"')
        .find(|part| part.ends_with(".css"))
        .expect("a stylesheet")
        .to_owned();
    // Some from one address, the others from one each.
    let mut half = many(&site, 600, |n| {
        half_a_form(&format!("203.0.{}.7", if n < 300 { 0 } else { n % 256 }))
    })
    .await;
    for path in ["/signin", style.as_str(), "/healthz", "/readyz"] {
        assert_eq!(status(&site, path).await, 200, "{path}");
    }
    let fields = [("email", OWNER), ("password", PASSWORD)];
    let sign_in = client()
        .post(format!("{}/signin", site.relink.url))
        .form(&fields)
        .send();
    assert_eq!(
        timeout(SOON, sign_in)
            .await
            .expect("an answer")
            .unwrap()
            .headers()["location"],
        "/integrations"
    );
    let refused = rest(&mut half[0], Duration::from_secs(20)).await;
    assert!(refused.starts_with("HTTP/1.1 408"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_a_head_is_waited_for_ten_seconds_also_on_a_connection_that_was_used() {
    let site = Site::open().await;
    let half = b"GET /healthz HTTP/1.1\r\nHost:";
    let (mut new, mut silent) = (sent(&site, half).await, sent(&site, b"").await);
    let mut used = sent(&site, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await;
    let mut answer = vec![0; 4_096];
    assert!(used.read(&mut answer).await.unwrap() > 0);
    used.write_all(half).await.unwrap();
    let began = Instant::now();
    for (stream, what) in [
        (&mut new, "a new one"),
        (&mut used, "a used one"),
        (&mut silent, "a silent one"),
    ] {
        let left = Duration::from_secs(15).saturating_sub(began.elapsed());
        assert_eq!(rest(stream, left).await, "", "{what}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn neither_half_heads_nor_kept_connections_hold_up_a_stop() {
    let mut site = Site::open().await;
    let _half = many(&site, 20, |_| b"GET /healthz HTTP/1.1\r\nHost:".to_vec()).await;
    let mut kept = many(&site, 20, |_| {
        b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n".to_vec()
    })
    .await;
    for stream in &mut kept {
        assert!(stream.read(&mut [0; 4_096]).await.unwrap() > 0);
    }
    site.relink.signal("TERM");
    let began = Instant::now();
    assert_eq!(site.relink.exit_code().await, Some(0));
    assert!(
        began.elapsed() < Duration::from_secs(6),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_half_of_a_body_holds_up_a_stop() {
    let mut site = Site::open().await;
    let key = key(&site, "slow");
    let _form = sent(&site, &half_a_form("203.0.113.7")).await;
    let body = "Content-Length: 100\r\n\r\nhalf";
    let _webhook = sent(
        &site,
        format!("POST /webhooks/linear HTTP/1.1\r\nHost: x\r\nLinear-Signature: 00\r\n{body}")
            .as_bytes(),
    )
    .await;
    let api = format!(
        "POST /api/v1/connections/none/graphql HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \
            {key}\r\n{body}"
    );
    let _api = sent(&site, api.as_bytes()).await;
    // Taken by now: connections are taken in the order in which they come.
    assert_eq!(status(&site, "/healthz").await, 200);
    site.relink.signal("TERM");
    let began = Instant::now();
    assert_eq!(site.relink.exit_code().await, Some(0));
    assert!(
        began.elapsed() < Duration::from_secs(4),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_passwords_are_in_the_trail_also_when_the_server_stops_right_after() {
    let mut site = Site::open().await;
    for number in 0..12 {
        let fields = [("email", OWNER), ("password", "not the password at all")];
        let sent = client()
            .post(format!("{}/signin", site.relink.url))
            .form(&fields)
            .header("x-forwarded-for", format!("203.0.113.{number}"));
        assert_eq!(sent.send().await.unwrap().status(), 303);
    }
    site.relink.signal("TERM");
    assert_eq!(site.relink.exit_code().await, Some(0));
    let trail = site.place.run(&["audit", "export", "--org", "north"], "");
    let trail = String::from_utf8(trail.stdout).unwrap();
    assert_eq!(trail.matches("sign-in.failed").count(), 12, "{trail}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_through_an_untrusted_proxy_counts_as_it_and_the_log_says_once_what_to_set() {
    let site = Site::open_with(&[("RELINK_TRUSTED_PROXIES", "192.0.2.1")]).await;
    for number in 0..8 {
        let fields = [("email", OWNER), ("password", "not the password at all")];
        let sent = client()
            .post(format!("{}/signin", site.relink.url))
            .form(&fields)
            .header("x-forwarded-for", format!("203.0.113.{number}"));
        sent.send().await.unwrap();
    }
    let said = site.relink.said();
    assert_eq!(
        said.matches("set RELINK_TRUSTED_PROXIES").count(),
        1,
        "{said}"
    );
    assert!(!said.contains("203.0.113."), "{said}");
    let sign_in = |browser: &reqwest::Client| {
        browser
            .post(format!("{}/signin", site.relink.url))
            .form(&[("email", OWNER), ("password", PASSWORD)])
            .send()
    };
    let elsewhere = client();
    assert!(
        sign_in(&elsewhere).await.unwrap().headers()["location"]
            .to_str()
            .unwrap()
            .starts_with("/signin"),
        "a stranger waits"
    );
    assert_eq!(
        sign_in(&site.browser).await.unwrap().headers()["location"],
        "/integrations",
        "the owner's own browser does not"
    );
}

fn a_wrong_password(number: u32) -> Vec<u8> {
    let form = format!("email=nobody{number}%40example.com&password=not+the+password+at+all");
    let (network, length) = (number % 32, form.len());
    format!(
        "POST /signin HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: \
            2001:db8:0:{network:x}::{number:x}\r\nConnection: close\r\n\
            Content-Type: application/x-www-form-urlencoded\r\nContent-Length: \
            {length}\r\n\r\n{form}"
    )
    .into_bytes()
}

async fn signs_in(site: &Site, browser: &reqwest::Client, from: &str) -> String {
    let form = browser
        .post(format!("{}/signin", site.relink.url))
        .form(&[("email", OWNER), ("password", PASSWORD)]);
    let reply = timeout(SOON, form.header("x-forwarded-for", from).send())
        .await
        .expect("an answer")
        .unwrap();
    reply.headers()["location"].to_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_passwords_from_32_networks_at_once_hold_up_no_page_and_no_right_password() {
    let site = Site::open().await;
    let flood = many(&site, 768, a_wrong_password).await;
    let (elsewhere, page) = (client(), timeout(SOON, site.page("/settings")));
    let (page, new, known) = tokio::join!(
        page,
        signs_in(&site, &elsewhere, "203.0.113.202"),
        signs_in(&site, &site.browser, "2001:db8::1")
    );
    assert!(page.expect("an answer").contains("Settings"));
    assert_eq!(
        (new.as_str(), known.as_str()),
        ("/integrations", "/integrations")
    );
    let answered = flood
        .iter()
        .filter(|stream| stream.try_read(&mut [0]).is_ok())
        .count();
    assert!(answered < 512, "or nobody had to wait: {answered}");
}

/// A connection from this address of this machine.
async fn from(site: &Site, address: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket
        .bind(format!("{address}:0").parse().unwrap())
        .unwrap();
    socket
        .connect(
            site.relink
                .url
                .strip_prefix("http://")
                .unwrap()
                .parse()
                .unwrap(),
        )
        .await
        .unwrap()
}

async fn is_answered(stream: &mut TcpStream) -> bool {
    let mut answer = [0; 12];
    // Whoever is not let in may not even come to ask.
    let _ = stream
        .write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        .await;
    timeout(SOON, stream.read_exact(&mut answer))
        .await
        .expect("an answer or an end")
        .is_ok_and(|_| &answer == b"HTTP/1.1 200")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_address_has_1024_connections_and_leaves_room_for_others() {
    let site = Site::open_with(&[("RELINK_TRUSTED_PROXIES", "192.0.2.1")]).await;
    let mut all = join_all((0..1_200).map(|_| from(&site, "127.0.0.9"))).await;
    let let_in = join_all(all.iter_mut().map(is_answered)).await;
    assert_eq!(
        let_in.into_iter().filter(|answered| *answered).count(),
        1_024
    );
    assert!(
        is_answered(&mut from(&site, "127.0.0.10").await).await,
        "somebody else"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_key_with_600_unfinished_bodies_takes_its_share_and_no_more() {
    let site = Site::open().await;
    site.connect("acme-robotics").await;
    let (greedy, other) = (key(&site, "greedy"), key(&site, "other"));
    let id = connection(&site)["id"].as_str().unwrap().to_owned();
    let before = resident_mb(&site);
    let head = format!(
        "POST /api/v1/connections/{id}/graphql HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \
            {greedy}\r\nContent-Length: 1048576\r\n\r\n"
    );
    let body = [head.into_bytes(), vec![b' '; 1_048_000]].concat();
    let bodies = timeout(Duration::from_secs(60), many(&site, 600, |_| body.clone()))
        .await
        .expect("all are taken or refused");
    let grown = resident_mb(&site).saturating_sub(before);
    assert!(grown < 200, "{grown} MB");
    let url = format!("{}/api/v1/connections/{id}/graphql", site.relink.url);
    let asked = client()
        .post(url)
        .bearer_auth(&other)
        .json(&serde_json::json!({ "query": "{ viewer { id } }" }))
        .send();
    assert_eq!(
        timeout(SOON, asked)
            .await
            .expect("an answer")
            .unwrap()
            .status(),
        200,
        "another key is served"
    );
    drop(bodies);
}

async fn deliver(site: &Site, workspace: &str, number: u32) -> u16 {
    deliver_from("127.0.0.1", site, workspace, number, "").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_bodies_signed_by_nobody_keep_no_genuine_webhook_out() {
    let site = Site::open().await;
    let workspace = workspace(&site).await;
    let slow = |signature: &'static str| {
        let head = format!(
            "POST /webhooks/linear HTTP/1.1\r\nHost: x\r\n{signature}Content-Length: \
                5242880\r\n\r\n"
        );
        [head.into_bytes(), vec![b' '; 4_000_000]].concat()
    };
    let mut unsigned = many(&site, 28, |_| slow("")).await;
    let refused = timeout(SOON, async {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(unsigned[0].read_u8().await.unwrap());
        }
        String::from_utf8(head).unwrap().to_lowercase()
    });
    let refused = refused.await.expect("before the body");
    assert!(
        refused.starts_with("http/1.1 401") && refused.contains("\r\nconnection: close"),
        "{refused}"
    );
    let mut pretended = many(&site, 28, |_| slow("Linear-Signature: 00\r\n")).await;
    let told: Vec<u16> = join_all((0..150).map(|number| deliver(&site, &workspace, number))).await;
    assert!(told.iter().all(|status| *status == 200), "{told:?}");
    // A whole body has five seconds.
    let late = rest(&mut pretended[0], Duration::from_secs(12)).await;
    assert!(
        late.starts_with("HTTP/1.1 400") || late.starts_with("HTTP/1.1 503"),
        "{late}"
    );
}

/// After a start no address has proved anything.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_bodies_from_a_dozen_addresses_keep_no_first_webhook_out() {
    let site = Site::open().await;
    let workspace = workspace(&site).await;
    let slow = |number: u32| {
        let from = number % 12;
        let head = format!(
            "X-Forwarded-For: 203.0.{from}.7\r\nLinear-Signature: 00\r\nContent-Length: \
                20000\r\n\r\n"
        );
        format!(
            "POST /webhooks/linear HTTP/1.1\r\nHost: localhost\r\n{head}{}",
            "x".repeat(16 * 1024)
        )
        .into_bytes()
    };
    let held = many(&site, 1_080, slow).await;
    sleep(Duration::from_millis(500)).await;
    for number in 0..20 {
        assert_eq!(
            deliver_from(
                &format!("198.51.{number}.5"),
                &site,
                &workspace,
                number,
                "small"
            )
            .await,
            200,
            "{number}"
        );
    }
    drop(held);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_bodies_signed_by_nobody_keep_no_large_webhook_out_from_two_addresses_nor_from_forty()
{
    let site = Site::open().await;
    let (workspace, large) = (workspace(&site).await, "x".repeat(200_000));
    let pretended = |addresses: u32| {
        move |number: u32| {
            let address = format!(
                "X-Forwarded-For: 198.51.100.{}\r\nLinear-Signature: 00\r\n",
                number % addresses
            );
            let head = format!(
                "POST /webhooks/linear HTTP/1.1\r\nHost: x\r\n{address}Content-Length: \
                    5000000\r\n\r\n"
            );
            [head.into_bytes(), vec![b' '; 4_800_000]].concat()
        }
    };
    // From a new address first, which is known by what it signed then.
    for (addresses, connections) in [(2, 14), (40, 80)] {
        let held = many(&site, connections, pretended(addresses)).await;
        for number in 0..5 {
            let told = deliver_from(
                "192.0.2.7",
                &site,
                &workspace,
                100 * addresses + number,
                &large,
            )
            .await;
            assert_eq!(told, 200, "{addresses} addresses, {number}");
        }
        drop(held);
    }
}

/// Another organisation, whose owner knows the secret of a webhook of its own: its workspace.
async fn second_organisation(site: &Site, secret: &str) -> String {
    let email = "eve@example.com";
    let added = [
        "user", "add", "--email", email, "--name", "Eve", "--org", "second", "--role", "owner",
    ];
    assert!(site.place.run(&added, PASSWORD).status.success());
    let eve = client();
    let form = eve
        .post(format!("{}/signin", site.relink.url))
        .form(&[("email", email), ("password", PASSWORD)]);
    assert_eq!(form.send().await.unwrap().status(), 303);
    walk(&eve, &site.relink.url, &site.linear_url, "globex", &[]).await;
    let own = [
        "webhook",
        "secret",
        "add",
        "--org",
        "second",
        "--workspace",
        "globex",
        "--json",
    ];
    let workspaces = site
        .place
        .json(&["connection", "list", "--org", "second", "--json"], "");
    site.place.json(&own, secret);
    workspaces["connections"][0]["workspace"]["id"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// An admin can sign as their own workspace from wherever they like, and send again what somebody
/// else was sent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_organisation_signs_or_sends_again_keeps_no_large_webhook_of_another_out() {
    let site = Site::open().await;
    let (workspace, large) = (workspace(&site).await, "x".repeat(60_000));
    let own = "lin_wh_the_secret_of_whoever_attacks";
    let second = second_organisation(&site, own).await;
    let seen = genuine(&site.linear.app().webhook_secret, &workspace, 1, "seen");
    assert_eq!(send_from("192.0.2.7", &site, seen.clone()).await, 200);
    let addresses: Vec<String> = (1..=5).map(|n| format!("203.0.{n}.7")).collect();
    for (number, address) in (0..).zip(&addresses) {
        let signed = genuine(own, &second, number, "mine");
        assert_eq!(send_from(address, &site, signed).await, 200);
        assert_eq!(send_from(address, &site, seen.clone()).await, 200);
    }
    let slow = |number: u32| {
        // Two fill what is behind the beginnings, three the beginnings.
        let (size, from) = match number {
            0..66 => (1_100_000, number % 2),
            _ => (60_000, 2 + number % 3),
        };
        let head = format!(
            "POST /webhooks/linear HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {}\r\n\
                Linear-Signature: 00\r\nContent-Length: {size}\r\n\r\n",
            addresses[from as usize]
        );
        [head.into_bytes(), vec![b' '; size - 14_000]].concat()
    };
    let held = many(&site, 350, slow).await;
    sleep(Duration::from_millis(500)).await;
    for number in 2..10 {
        let told = deliver_from("192.0.2.7", &site, &workspace, number, &large).await;
        assert_eq!(told, 200, "{number}");
    }
    drop(held);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_session_has_twenty_open_pages_and_somebody_removed_has_none_however_much_goes_on() {
    let site = Site::open().await;
    let workspace = workspace(&site).await;
    let open = async |browser: &reqwest::Client| {
        browser
            .get(format!("{}/live?from=0-0", site.relink.url))
            .send()
            .await
            .unwrap()
    };
    let mut streams = Vec::new();
    for _ in 0..25 {
        streams.push(open(&site.browser).await);
    }
    let opened = streams
        .iter()
        .filter(|stream| stream.status() == 200)
        .count();
    assert_eq!((opened, streams[24].status().as_u16()), (20, 503));

    let added = [
        "user",
        "add",
        "--email",
        "eve@example.com",
        "--name",
        "Eve",
        "--org",
        "north",
        "--role",
        "member",
    ];
    assert!(site.place.run(&added, PASSWORD).status.success());
    let eve = client();
    let fields = [("email", "eve@example.com"), ("password", PASSWORD)];
    assert_eq!(
        eve.post(format!("{}/signin", site.relink.url))
            .form(&fields)
            .send()
            .await
            .unwrap()
            .status(),
        303
    );
    let mut stream = open(&eve).await;
    assert_eq!(stream.status(), 200);
    let removed = site.place.run(
        &[
            "member",
            "remove",
            "--org",
            "north",
            "--email",
            "eve@example.com",
        ],
        "",
    );
    assert!(
        removed.status.success(),
        "{}",
        String::from_utf8_lossy(&removed.stderr)
    );
    let busy = async {
        for number in 0.. {
            deliver(&site, &workspace, number).await;
            sleep(Duration::from_millis(300)).await;
        }
    };
    let ended = async { while stream.chunk().await.unwrap().is_some() {} };
    tokio::select! {
        () = ended => {}
        () = busy => {}
        () = sleep(Duration::from_secs(15)) => panic!("it lives on"),
    }
}

/// Sends far more than is taken, as Node's own client and its `fetch` do.
const BIG: &str = r#"
const [url, runs] = [process.argv[1], Number(process.argv[2])];
const body = Buffer.alloc(12 * 1024 * 1024, 32), told = {};
const note = (what) => { told[what] = (told[what] ?? 0) + 1; };
const headers = { 'linear-signature': '00' };
const classic = () => new Promise((done) => {
  const long = { ...headers, 'content-length': body.length };
  const request = require('http').request(url, { method: 'POST', headers: long }, (reply) => {
    reply.on('data', () => {}).on('end', () => done(note(reply.statusCode)))
      .on('error', (error) => done(note(error.code)));
  });
  request.on('error', (error) => done(note(error.code)));
  request.end(body);
});
const chunked = () => new Promise((done) => {
  const request = require('http').request(url, { method: 'POST', headers }, (reply) => {
    reply.on('data', () => {}).on('end', () => done(note(reply.statusCode)))
      .on('error', (error) => done(note(error.code)));
  });
  request.on('error', (error) => done(note(error.code)));
  for (let at = 0; at < body.length; at += 65536) request.write(body.subarray(at, at + 65536));
  request.end();
});
const fetched = () => fetch(url, { method: 'POST', headers, body }).then(
  (reply) => reply.text().then(() => note(reply.status)),
  (error) => note(String(error.cause ?? error)),
);
(async () => {
  for (let run = 0; run < runs; run++) { await classic(); await chunked(); await fetched(); }
  console.log(JSON.stringify(told));
})();
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_client_that_sends_too_much_reads_that_it_does() {
    let site = Site::open().await;
    for (path, runs) in [("/webhooks/linear", 100), ("/signin", 30)] {
        let url = format!("{}{path}", site.relink.url);
        let node = tokio::process::Command::new("node")
            .args(["-e", BIG, &url, &runs.to_string()])
            .output()
            .await
            .unwrap();
        let told: Value = serde_json::from_slice(&node.stdout)
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&node.stderr)));
        assert_eq!(told, serde_json::json!({ "413": 3 * runs }), "{path}");
    }
}
