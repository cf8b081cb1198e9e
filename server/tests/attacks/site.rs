//! The site that is attacked: the real binary beside a simulated Linear, with an owner signed in.

use relink_simulator::{Options, Simulator};
use tokio::net::TcpListener;

use crate::process::{Place, Running, client, free_port};
use crate::walk::walk;

pub const OWNER: &str = "ada@example.com";
pub const PASSWORD: &str = "four lamps beside the quiet harbour";

pub struct Site {
    pub linear: Simulator,
    pub linear_url: String,
    pub place: Place,
    pub relink: Running,
    /// The browser of the owner.
    pub browser: reqwest::Client,
}

impl Site {
    /// Opens a site on SQLite, with the organisation `north` that the owner Ada has signed up for.
    pub async fn open() -> Site {
        Site::open_with(&[]).await
    }

    /// The same, with settings of its own.
    pub async fn open_with(settings: &[(&str, &str)]) -> Site {
        Site::open_at(free_port(), settings).await
    }

    /// The same, on this port.
    pub async fn open_at(port: u16, settings: &[(&str, &str)]) -> Site {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let linear_url = format!("http://{}", listener.local_addr().unwrap());
        let redirect_uri = format!("http://127.0.0.1:{port}/oauth/linear/callback");
        let options = Options {
            url: linear_url.clone(),
            redirect_uris: vec![redirect_uri],
            ..Options::default()
        };
        let linear = Simulator::seeded(options).unwrap();
        let app = linear.app();
        tokio::spawn(linear.clone().serve(listener, std::future::pending()));
        let mut place = Place::new()
            .set("LINEAR_URL", &linear_url)
            .set("LINEAR_API_URL", &linear_url)
            .set("LINEAR_CLIENT_ID", &app.client_id)
            .set("LINEAR_CLIENT_SECRET", &app.client_secret)
            .set("LINEAR_WEBHOOK_SECRET", &app.webhook_secret);
        for (name, value) in settings {
            place = place.set(name, value);
        }
        let relink = Running::serve_on(&place, port).await;
        let site = Site {
            linear,
            linear_url,
            place,
            relink,
            browser: client(),
        };
        site.sign_up().await;
        site
    }

    async fn sign_up(&self) {
        let fields = [
            ("organisation", "North"),
            ("name", "Ada"),
            ("email", OWNER),
            ("password", PASSWORD),
        ];
        assert_eq!(self.post("/signup", &fields).await.status(), 303);
    }

    /// The power goes, and comes back.
    pub async fn crash(&mut self) {
        self.relink.signal("KILL");
        self.relink.exit_code().await;
        let port = self.relink.url.rsplit(':').next().unwrap().parse().unwrap();
        self.relink = Running::serve_on(&self.place, port).await;
    }

    /// Posts a form as the owner.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> reqwest::Response {
        self.browser
            .post(format!("{}{path}", self.relink.url))
            .form(fields)
            .send()
            .await
            .unwrap()
    }

    /// Gets a page as the owner.
    pub async fn page(&self, path: &str) -> String {
        let reply = self
            .browser
            .get(format!("{}{path}", self.relink.url))
            .send()
            .await
            .unwrap();
        reply.text().await.unwrap()
    }

    /// Connects a workspace of the simulated Linear.
    pub async fn connect(&self, workspace: &str) {
        let end = walk(
            &self.browser,
            &self.relink.url,
            &self.linear_url,
            workspace,
            &[],
        )
        .await;
        assert_eq!(end, "/integrations");
    }
}
