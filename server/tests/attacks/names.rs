//! Names that lead here and are not Relink's (DNS rebinding).

use crate::process::{Place, Running, client, free_port};
use crate::site::{OWNER, PASSWORD};

/// Signs up as a page would whose name led to a stranger first and leads here now: to the browser
/// all of it is one site.
async fn signs_up_under(relink: &Running, host: &str) -> (u16, String) {
    let fields = [
        ("organisation", "North"),
        ("name", "Ada"),
        ("email", OWNER),
        ("password", PASSWORD),
    ];
    let sent = client()
        .post(format!("{}/signup", relink.url))
        .form(&fields)
        .header("host", host);
    let sent = sent
        .header("origin", format!("http://{host}"))
        .header("sec-fetch-site", "same-origin");
    let reply = sent.header("accept", "text/html").send().await.unwrap();
    (reply.status().as_u16(), reply.text().await.unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_whose_name_leads_here_makes_nobody_the_owner() {
    let place = Place::new();
    let relink = Running::serve(&place).await;
    let port = relink.url.rsplit(':').next().unwrap();
    for name in [
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "192.0.2.7",
    ] {
        let (status, page) = signs_up_under(&relink, &format!("{name}:{port}")).await;
        assert_eq!(status, 421, "{name}: {page}");
        assert!(
            page.contains("RELINK_URL") && page.contains("Nothing was changed."),
            "{page}"
        );
    }
    let nobody = place.json(
        &[
            "user", "add", "--email", OWNER, "--name", "Ada", "--org", "north", "--role", "owner",
            "--json",
        ],
        PASSWORD,
    );
    assert_eq!(nobody["email"], OWNER, "nobody had signed up");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn this_machines_own_names_are_relinks_and_programs_prove_themselves_under_any() {
    let place = Place::new();
    let relink = Running::serve(&place).await;
    let port = relink.url.rsplit(':').next().unwrap();
    assert_eq!(
        signs_up_under(&relink, &format!("relink.localhost:{port}"))
            .await
            .0,
        303
    );
    for path in ["/webhooks/linear", "/api/v1/connections/none/token"] {
        let sent = client()
            .post(format!("{}{path}", relink.url))
            .header("host", "relink.internal")
            .body("{}");
        assert_eq!(
            sent.send().await.unwrap().status(),
            401,
            "{path} asks who it is, and not where"
        );
    }
}

/// A page whose name leads to the address of the metrics reads them as its own; to its browser that
/// is one site.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_page_whose_name_leads_there_reads_metrics() {
    let mut place = Place::new();
    let addr = format!("127.0.0.1:{}", free_port());
    place.environment = vec![("RELINK_METRICS_ADDR".to_owned(), addr.clone())];
    let _relink = Running::serve(&place).await;
    let asked = async |host: &str, headers: &[(&str, &str)]| {
        let request = client()
            .get(format!("http://{addr}/metrics"))
            .header("host", host);
        let request = headers.iter().fold(request, |request, (name, value)| {
            request.header(*name, *value)
        });
        request.send().await.unwrap().status().as_u16()
    };
    for headers in [
        [("accept-language", "en")],
        [("referer", "http://evil.example:9464/")],
        [("sec-fetch-site", "same-origin")],
    ] {
        assert_eq!(
            asked("evil.example:9464", &headers).await,
            421,
            "{headers:?}"
        );
        assert_eq!(
            asked(&addr, &headers).await,
            200,
            "a person looks under the address"
        );
        assert_eq!(asked("localhost:9464", &headers).await, 200);
    }
    assert_eq!(
        asked("relink.monitoring.svc:9464", &[]).await,
        200,
        "Prometheus has whatever names there are"
    );
}
