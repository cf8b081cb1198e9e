//! Destinations on the page of deliveries: added, paused, resumed, removed, and what became of each
//! delivery there.

use relink_engine::clock::{DAY, MINUTE, SECOND};
use relink_engine::dispatch::NewDestination;
use relink_engine::identity::{Person, Role};
use relink_engine::store::{Act, AuditActor, MessageState, Sent, SentBatch, Verdict};

use crate::support::webhooks::{SECRET, acme, issue};
use crate::support::{contains, on_disk, program};
use crate::world::{Browser, Reply, World};

const ADD: &str = "/deliveries/destinations";
const PAUSE: &str = "/deliveries/destinations/pause";
const RESUME: &str = "/deliveries/destinations/resume";
const REMOVE: &str = "/deliveries/destinations/remove";
const RESEND: &str = "/deliveries/resend";
const NEWEST: &str = "/deliveries/resend-newest";
const SHOWN: &str = "/deliveries?shown=secret";
const URL: &str = "https://hooks.example.com/linear";

/// Acme, whose deliveries are handed on to one destination. Nobody sends anything: how that went is
/// written down by hand.
struct Scene<'a> {
    world: &'a World,
    browser: Browser<'a>,
    workspace: String,
    person: Person,
    id: String,
}

impl<'a> Scene<'a> {
    async fn new(world: &'a World) -> Scene<'a> {
        let (browser, _program, _id, workspace) = acme(world).await;
        let person = world
            .add("northwind-labs", "lee@northwind.dev", Role::Admin)
            .await;
        let new = NewDestination {
            url: URL,
            ..NewDestination::default()
        };
        let id = world
            .engine
            .destinations(&person)
            .add(new)
            .await
            .unwrap()
            .id;
        Scene {
            world,
            browser,
            workspace,
            person,
            id,
        }
    }

    async fn deliver(&self, number: u32) {
        let body = issue(&self.workspace, number, self.world.engine.now());
        assert_eq!(self.world.deliver(SECRET, &body).await.status, 200);
    }

    /// Everything that is due is tried, and ends like this.
    async fn tried(&self, state: &'static str, status: Option<i64>, answer: &str, again_in: i64) {
        let (store, now) = (&self.world.store, self.world.engine.now());
        let claimed = store
            .messages_claim(&self.id, "worker", now, 10)
            .await
            .unwrap();
        assert!(!claimed.is_empty(), "nothing is due");
        let answer = answer.to_owned();
        let sent = |seq| Sent {
            seq,
            state: MessageState::from_name(state).unwrap(),
            next_at: now + again_in,
            status,
            answer: answer.clone(),
            at: now,
            first: false,
        };
        let sent: Vec<Sent> = claimed
            .into_iter()
            .map(|message| sent(message.seq))
            .collect();
        let verdict = if state == "sent" {
            Verdict::Takes
        } else {
            Verdict::Fails
        };
        let tries = SentBatch {
            destination: &self.id,
            owner: "worker",
            sent: &sent,
            verdict,
            again_at: now,
        };
        store.messages_done(tries, &[]).await.unwrap();
    }

    async fn paused(&self, because: &str) {
        let act = Act {
            organisation_id: self.person.organisation_id.clone(),
            actor: AuditActor::relink(),
            act: "destination.paused",
            subject: URL.to_owned(),
            at: self.world.engine.now(),
        };
        assert!(
            self.world
                .store
                .destination_pause(&self.id, because, &act)
                .await
                .unwrap()
        );
    }

    async fn waiting(&self) -> u64 {
        self.world
            .engine
            .destinations(&self.person)
            .list()
            .await
            .unwrap()[0]
            .waiting
    }

    async fn page(&mut self) -> Reply {
        self.browser.get("/deliveries").await
    }

    async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let location = self.browser.post(path, fields).await.location().to_owned();
        self.browser.get(&location).await
    }
}

/// The only secret that is there as a whole.
fn shown(page: &Reply) -> Option<String> {
    let secrets: Vec<_> = page
        .body
        .split("value=\"whsec_")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    assert!(secrets.len() <= 1, "{}", secrets.len());
    secrets.first().map(|secret| format!("whsec_{secret}"))
}

/// The ids that the list's forms send, in their order.
fn ids(page: &Reply) -> Vec<String> {
    let forms = page
        .body
        .split("<form")
        .filter(|form| form.contains(PAUSE) || form.contains(RESUME));
    forms
        .filter_map(|form| {
            Some(
                form.split("name=\"destination\" value=\"")
                    .nth(1)?
                    .split('"')
                    .next()?
                    .to_owned(),
            )
        })
        .collect()
}

#[tokio::test]
async fn a_destination_is_added_and_its_secret_shown_once() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    let page = browser.get("/deliveries").await;
    page.shows(
        "Handed on Every accepted delivery is sent on to your destinations, signed as Standard \
            Webhooks describes and retried for",
    );
    page.shows(
        "No destination yet: deliveries are kept here, where programs read them over the API.",
    );
    page.shows("Add a destination");
    page.hides("Send deliveries again");
    let fields = [
        ("url", URL),
        ("events[]", "Issue"),
        ("events[]", "Comment"),
        ("ordered", "yes"),
    ];
    assert_eq!(browser.post(ADD, &fields).await.location(), SHOWN);
    let waiting = on_disk(&world);

    let page = browser.get(SHOWN).await;
    page.shows(
        "Signing secret for hooks.example.com, shown once. Relink seals it and never shows it \
            again.",
    );
    page.shows("Verify with any Standard Webhooks library.");
    assert_eq!(page.header("cache-control"), "no-store");
    let secret = shown(&page).expect("a secret");
    assert!(
        contains(&waiting, "hooks.example.com"),
        "the address shows that the right files were read"
    );
    assert!(
        !contains(&waiting, &secret) && !contains(&on_disk(&world), &secret),
        "it is sealed on its way"
    );

    let again = browser.get(SHOWN).await;
    again.shows(
        "This secret was shown already. If it got lost, remove the destination and add it again: \
            that makes a new one.",
    );
    again.hides(&secret);
    let list = browser.get("/deliveries").await;
    list.hides(&secret);
    list.hides("shown already");
    let ending = &secret[secret.len() - 4..];
    list.shows(&format!(
        "Active {URL} Issue, Comment events, in order for each issue. Secret whsec_····{ending} \
            Took no delivery yet"
    ));
    list.shows("Send deliveries again");
}

#[tokio::test]
async fn a_new_secret_is_shown_to_nobody_else() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    let mut admin = world
        .member("northwind-labs", "ada@northwind.dev", Role::Admin)
        .await;
    browser.post(ADD, &[("url", URL)]).await;
    assert_eq!(shown(&admin.get(SHOWN).await), None);
    let mut member = world
        .member("northwind-labs", "mia@northwind.dev", Role::Member)
        .await;
    member.get(SHOWN).await.hides("shown already");
    assert!(shown(&browser.get(SHOWN).await).is_some());
}

#[tokio::test]
async fn what_cannot_be_a_destination_is_refused_at_its_field() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    let https = "Enter an address that starts with https://, without a user name or password, of \
        2,000 characters at most.";
    let public = "This address is not on the public internet. To send to your own network, whoever \
        runs this \
        Relink sets RELINK_ALLOW_PRIVATE_DESTINATIONS=true.";
    let cases = [
        ("", "Issue", https),
        ("http://hooks.example.com/", "Issue", https),
        ("\"><img src=x>", "Issue", https),
        ("https://127.0.0.1/hooks", "Issue", public),
        ("https://localhost/", "Issue", public),
        (
            URL,
            "Nonsense",
            "One of the event types does not exist. Pick from the list.",
        ),
    ];
    for (url, event, words) in cases {
        let reply = browser
            .post(
                ADD,
                &[
                    ("url", url),
                    ("events[]", event),
                    ("events[]", "Comment"),
                    ("ordered", "yes"),
                ],
            )
            .await;
        assert_eq!(reply.location(), "/deliveries", "{url}");
        let page = browser.get("/deliveries").await;
        page.shows("Error: Deliveries, Relink");
        page.shows(words);
        page.hides("Nonsense");
        page.hides("<img src=x");
        let field = page
            .body
            .split("<input")
            .find(|field| field.contains("id=\"url\""))
            .expect("the field");
        let field = field
            .split("/>")
            .next()
            .unwrap()
            .split("<p")
            .next()
            .unwrap();
        assert!(
            field.contains("aria-invalid=\"true\"") && field.contains("autofocus"),
            "{field}"
        );
        assert!(
            url.contains('<') || field.contains(&format!("value=\"{url}\"")),
            "{field}"
        );
        assert!(
            page.body.contains("value=\"Comment\" checked")
                && page.body.contains("value=\"yes\" checked"),
            "picks are kept"
        );
    }
    let page = browser.get("/deliveries").await;
    page.hides("aria-invalid");
    page.hides("value=\"Comment\" checked");
    page.shows("No destination yet");
}

#[tokio::test]
async fn a_password_in_an_address_is_neither_stored_nor_shown_again() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    browser
        .post(ADD, &[("url", "https://priya:s3cret@hooks.example.com/")])
        .await;
    assert!(!contains(&on_disk(&world), "s3cret"));
    let page = browser.get("/deliveries").await;
    page.shows("without a user name or password");
    page.hides("s3cret");
}

#[tokio::test]
async fn there_are_only_so_many_destinations() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    for number in 0..20 {
        assert_eq!(
            browser
                .post(ADD, &[("url", &format!("{URL}/{number}"))])
                .await
                .location(),
            SHOWN
        );
    }
    assert_eq!(
        browser.post(ADD, &[("url", URL)]).await.location(),
        "/deliveries"
    );
    let page = browser.get("/deliveries").await;
    page.shows("No more addresses can be added. Remove one of those above first.");
    assert_eq!(ids(&page).len(), 20);
    // Those of one host are told apart by their path.
    page.shows("Pause hooks.example.com/linear/7");
}

#[tokio::test]
async fn a_destination_is_paused_resumed_and_removed() {
    let world = World::new().await;
    let mut scene = Scene::new(&world).await;
    scene.deliver(1).await;
    let id = scene.id.clone();
    let field = [("destination", id.as_str())];
    scene.page().await.shows(
        "Took no delivery yet. 1 delivery waits Pause hooks.example.com Remove hooks.example.com",
    );
    for _ in 0..2 {
        let page = scene.post(PAUSE, &field).await;
        page.shows("hooks.example.com is paused. What comes meanwhile waits for it.");
        page.shows("Paused https://hooks.example.com/linear");
        page.shows("Paused since 14:02 UTC today, because somebody paused it.");
        page.hides("Nothing is sent to");
        page.shows("Resume hooks.example.com");
    }
    let page = scene.post(RESUME, &field).await;
    page.shows("hooks.example.com is resumed. What waits is sent first.");
    page.shows("Active https://hooks.example.com/linear");

    let asked = format!("/deliveries?confirm=destination&destination={id}");
    let question = scene.browser.get(&asked).await;
    question.shows("Remove hooks.example.com? Relink");
    question.shows(
        "Remove hooks.example.com? You can add it again later; it gets a new signing secret then.",
    );
    question.shows(
        "1 delivery that waits for it is not sent there Its signing secret is forgotten Keep it \
            Remove",
    );
    assert!(
        question.body.contains("<dialog open"),
        "without JavaScript it is open"
    );
    scene
        .browser
        .get("/deliveries?confirm=destination&destination=nonsense")
        .await
        .hides("<dialog open");
    let mut member = world
        .member("northwind-labs", "mia@northwind.dev", Role::Member)
        .await;
    member.get(&asked).await.hides("<dialog");

    let page = scene.post(REMOVE, &field).await;
    page.shows("hooks.example.com is removed. Nothing more is sent there.");
    page.shows("No destination yet");
    scene.browser.post(REMOVE, &field).await;
    scene
        .browser
        .get("/integrations")
        .await
        .shows("There is nothing here.");
}

#[tokio::test]
async fn only_owners_and_admins_manage_destinations() {
    let world = World::new().await;
    let scene = Scene::new(&world).await;
    scene.deliver(1).await;
    let id = &scene.id;
    let posts = [
        (ADD, format!("url={URL}")),
        (PAUSE, format!("destination={id}")),
        (RESUME, format!("destination={id}")),
        (RESEND, format!("destination={id}&delivery=1")),
        (NEWEST, format!("destination={id}&newest=10")),
        (REMOVE, format!("destination={id}")),
    ];
    let mut member = world
        .member("northwind-labs", "mia@northwind.dev", Role::Member)
        .await;
    let page = member.get("/deliveries").await;
    page.shows("Active https://hooks.example.com/linear All events. Secret whsec_····");
    page.shows("Waiting for hooks.example.com, not tried yet");
    for hidden in [
        ADD,
        RESEND,
        "Send again",
        "Add destination",
        "Pause",
        "Remove",
    ] {
        page.hides(hidden);
    }
    let other = world
        .member("southwind", "sam@southwind.dev", Role::Owner)
        .await;
    for (path, body) in &posts {
        assert_eq!(program(&member, path, body).await, 403, "{path}");
        if *path != ADD {
            assert_eq!(program(&other, path, body).await, 404, "{path}");
        }
    }
    assert_eq!(
        member.post(PAUSE, &[("destination", id)]).await.location(),
        "/integrations"
    );
    member
        .get("/integrations")
        .await
        .shows("Your role does not allow this.");
    let admin = world
        .member("northwind-labs", "ada@northwind.dev", Role::Admin)
        .await;
    for (path, body) in &posts {
        assert_eq!(program(&admin, path, body).await, 303, "{path}");
    }
}

#[tokio::test]
async fn another_organisation_sees_no_destination_and_no_outcome() {
    let world = World::new().await;
    let scene = Scene::new(&world).await;
    scene.deliver(1).await;
    scene.paused("gone").await;
    let mut other = world
        .member("southwind", "sam@southwind.dev", Role::Owner)
        .await;
    let asked = format!("/deliveries?confirm=destination&destination={}", scene.id);
    for path in ["/deliveries", asked.as_str()] {
        let page = other.get(path).await;
        page.hides("hooks.example.com</");
        page.hides(&scene.id);
        page.hides("Nothing is sent to");
        page.shows("No destination yet");
    }
}

#[tokio::test]
async fn one_that_takes_nothing_any_more_is_warned_of_first() {
    let world = World::new().await;
    let mut scene = Scene::new(&world).await;
    scene.deliver(1).await;
    scene
        .tried("waiting", Some(500), "Out of\n order <img src=x>", MINUTE)
        .await;
    scene
        .page()
        .await
        .shows("Failing https://hooks.example.com/linear");
    scene.page().await.shows(
        "Failing since 14:02 UTC today, last answer 500 Out of order &lt;img src=x&gt;. Took no \
            delivery yet. 1 delivery waits",
    );
    world.advance(DAY);
    scene.deliver(2).await;
    scene.paused("failures").await;
    let warning = "Nothing is sent to hooks.example.com any more. It was paused at 14:02 UTC today \
        because it failed for a day, last answer";
    let page = scene.page().await;
    page.shows(warning);
    page.shows(
        "2 deliveries wait for it. Resume it when it works again; what waits goes first. Resume \
            hooks.example.com",
    );
    page.shows("Paused since 14:02 UTC today, because it failed for a day, last answer 500");
    page.hides("<img src=x");
    let mut member = world
        .member("northwind-labs", "mia@northwind.dev", Role::Member)
        .await;
    let seen = member.get("/deliveries").await;
    seen.shows(warning);
    seen.shows("An admin of your organisation can resume it.");
    seen.hides(RESUME);
    let id = scene.id.clone();
    scene
        .post(RESUME, &[("destination", &id)])
        .await
        .hides("Nothing is sent to");
    scene.paused("gone").await;
    scene.page().await.shows("because it said that it is gone");
}

#[tokio::test]
async fn each_delivery_says_what_became_of_it() {
    let world = World::new().await;
    let mut scene = Scene::new(&world).await;
    scene.deliver(1).await;
    scene.page().await.shows(
        "Handed on Waiting for hooks.example.com, not tried yet Send again to hooks.example.com",
    );
    for again_in in [0, 0, 4 * MINUTE] {
        scene
            .tried("waiting", Some(500), "<img src=x>", again_in)
            .await;
    }
    let page = scene.page().await;
    page.shows("Waiting for hooks.example.com : 500, tried 3 times, again in 4 min");
    page.hides("<img src=x");
    world.advance(4 * MINUTE);
    scene.tried("parked", None, "no connection", 0).await;
    world.advance(41 * SECOND);
    scene
        .page()
        .await
        .shows("Gave up on hooks.example.com : no connection, tried 4 times, last 41 s ago");
    scene.page().await.shows("Took no delivery yet. 1 given up");
    scene.deliver(2).await;
    scene.tried("sent", Some(202), "thanks", 0).await;
    world.advance(2 * MINUTE);
    let page = scene.page().await;
    page.shows("Sent to hooks.example.com, 202, 2 min ago Send again to hooks.example.com");
    page.shows("Active https://hooks.example.com/linear All events.");
    page.shows("Took a delivery 2 min ago. 1 given up");
    // A page that is narrowed to one event says the same of it.
    scene
        .browser
        .get("/deliveries?event=Issue&before=2")
        .await
        .shows("Gave up on hooks.example.com");
    world
        .sql("UPDATE destinations SET events = 'Comment'")
        .await;
    world.sql("DELETE FROM messages").await;
    scene.page().await.shows(
        "Not sent to hooks.example.com, which takes events of other types Send to \
            hooks.example.com",
    );
}

#[tokio::test]
async fn a_delivery_is_sent_again_from_its_row() {
    let world = World::new().await;
    let mut scene = Scene::new(&world).await;
    scene.deliver(1).await;
    scene.tried("sent", Some(200), "", 0).await;
    let id = scene.id.clone();
    let back = "/deliveries?event=Issue";
    assert!(
        scene
            .browser
            .get(back)
            .await
            .body
            .contains(&format!("name=\"back\" value=\"{back}\""))
    );
    let reply = scene
        .browser
        .post(
            RESEND,
            &[("delivery", "1"), ("destination", &id), ("back", back)],
        )
        .await;
    assert_eq!(reply.location(), back);
    let page = scene.browser.get(back).await;
    page.shows(
        "1 delivery goes to hooks.example.com again. How that ends is shown in the rows below.",
    );
    page.shows("Waiting for hooks.example.com, to be sent again");
    assert_eq!(scene.waiting().await, 1);
    let elsewhere = [
        ("delivery", "1"),
        ("destination", id.as_str()),
        ("back", "https://evil.example/"),
    ];
    assert_eq!(
        scene.browser.post(RESEND, &elsewhere).await.location(),
        "/deliveries"
    );

    let admin = world
        .member("northwind-labs", "ada@northwind.dev", Role::Admin)
        .await;
    let told = async |delivery: &str| {
        program(
            &admin,
            RESEND,
            &format!("destination={id}&delivery={delivery}"),
        )
        .await
    };
    assert_eq!(
        (
            told("1").await,
            told("2").await,
            told("x").await,
            told("").await
        ),
        (303, 404, 400, 400)
    );
    // What has no body any more is not sent as if it were empty.
    world.sql("UPDATE delivery_log SET pruned_to = 1").await;
    assert_eq!(told("1").await, 404);
}

#[tokio::test]
async fn the_newest_deliveries_are_sent_again() {
    let world = World::new().await;
    let mut scene = Scene::new(&world).await;
    let id = scene.id.clone();
    let newest =
        |newest: &'static str| [("destination", id.clone()), ("newest", newest.to_owned())];
    let post = async |scene: &mut Scene<'_>, count| {
        let fields = newest(count);
        let fields: Vec<_> = fields
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        scene.post(NEWEST, &fields).await
    };
    post(&mut scene, "10")
        .await
        .shows("Nothing is sent to hooks.example.com again.");
    for number in 1..=12 {
        scene.deliver(number).await;
    }
    for _ in 0..2 {
        scene.tried("sent", Some(200), "", 0).await;
    }
    assert_eq!(scene.waiting().await, 0);
    post(&mut scene, "10")
        .await
        .shows("10 deliveries go to hooks.example.com again.");
    assert_eq!(scene.waiting().await, 10);
    scene.paused("person").await;
    post(&mut scene, "1000").await.shows(
        "12 deliveries wait for hooks.example.com. They are sent once the destination is resumed.",
    );
    let body = format!("destination={id}&newest=");
    for odd in ["7", "-1", "", "x", "1e9"] {
        assert_eq!(
            program(&scene.browser, NEWEST, &format!("{body}{odd}")).await,
            400,
            "{odd}"
        );
    }
}

#[tokio::test]
async fn whoever_is_not_signed_in_changes_nothing() {
    let world = World::new().await;
    let scene = Scene::new(&world).await;
    let nobody = world.browser();
    for path in [ADD, PAUSE, RESUME, REMOVE, RESEND, NEWEST] {
        assert_eq!(
            program(&nobody, path, &format!("destination={}", scene.id)).await,
            401,
            "{path}"
        );
    }
    assert_eq!(
        world
            .engine
            .destinations(&scene.person)
            .list()
            .await
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn the_page_of_a_workspace_says_where_its_deliveries_go() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    let page = format!("/integrations/{}", browser.connect("acme-robotics").await);
    browser
        .get(&page)
        .await
        .shows("Add or change destinations No destination yet");
    browser.post(ADD, &[("url", URL)]).await;
    browser.get(&page).await.shows(&format!(
        "Handed on Where the deliveries of every workspace are sent on to. Add or change \
            destinations Active {URL}"
    ));
    let mut mia = world
        .member("northwind-labs", "mia@northwind.dev", Role::Member)
        .await;
    mia.get(&page)
        .await
        .shows(&format!("See destinations Active {URL}"));
}
