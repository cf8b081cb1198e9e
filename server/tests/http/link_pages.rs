//! Redeeming a link code, as whoever was sent one does it: mostly on a phone, mostly without an
//! account.

use axum::http::{Method, StatusCode};
use relink_engine::clock::{DAY, MINUTE};
use relink_engine::identity::Role;

use crate::support::team::{
    CONFIRM, INVITE, acme, answer, enter, hidden, invite, manage, redeem, shown,
};
use crate::support::{contains, on_disk};
use crate::world::{PASSWORD, Reply, Setup, World};

const ENDED: &str = "/link?ended=yes";
const INVALID: &str = "This code is not valid. It was used, ran out, or has a typo. Ask whoever \
    sent it for a new one.";

#[tokio::test]
async fn without_an_account_a_yes_makes_one_and_signs_in() {
    let world = World::new().await;
    let (mut owner, id) = acme(&world).await;
    let code = invite(&mut owner, &id, "elif@acme.example").await;
    let mut phone = world.browser();
    phone.get("/signin").await.shows("I have a link code");
    // As browsers of today ask for a page.
    let page = phone
        .send(Method::GET, "/link", &[], &[("sec-fetch-site", "none")])
        .await;
    page.shows(
        "Enter your link code Next you see which Linear person it stands for, and say yes or no.",
    );
    assert!(
        phone.cookies.is_empty(),
        "looking at the form leaves nothing behind"
    );

    let typed = format!(" {} ", code.to_lowercase().replace('-', " "));
    let page = enter(&mut phone, &typed).await;
    page.shows(
        "Is this you in Linear? ED Elif Demir elif@acme.example AR in Acme Robotics on Linear",
    );
    page.shows(
        "Priya Raman at Northwind Labs asks, so that Northwind Labs’ tools know who you are. It \
            gives nobody access",
    );
    page.shows("Code runs out in 24 h 0 min");
    page.hides(&code);
    let disk = on_disk(&world);
    assert!(
        contains(&disk, "link_code"),
        "the name of the field shows that the session was read"
    );
    assert!(
        !contains(&disk, &code) && !contains(&disk, typed.trim()),
        "it is sealed on its way"
    );

    assert_eq!(answer(&mut phone, &page, "yes").await, ENDED);
    let page = phone.get(ENDED).await;
    page.shows(
        "You are linked Elif Demir in Acme Robotics is you. Northwind Labs’ tools can now tell \
            which Linear work is yours.",
    );
    page.shows("You can close this page; there is nothing else to do.");
    page.shows("Wrong person after all? Tell Priya Raman, who can unlink you.");
    phone
        .get("/team")
        .await
        .shows("Elif Demir elif@acme.example Member, you E-mail never proved Acme Robotics");
    phone.get("/link").await.shows("Enter your link code");

    let mut other = world.browser();
    enter(&mut other, &code).await.shows(INVALID);
}

#[tokio::test]
async fn a_new_account_may_have_a_password_for_later() {
    let world = World::new().await;
    let (mut owner, id) = acme(&world).await;
    let mut phone = world.browser();
    let code = invite(&mut owner, &id, "elif@acme.example").await;
    redeem(&mut phone, &code)
        .await
        .shows("Set a password for later Your e-mail is elif@acme.example.");
    assert_eq!(
        phone
            .post("/link/password", &[("password", "short")])
            .await
            .location(),
        ENDED
    );
    let page = phone.get(ENDED).await;
    page.shows("Error: You are linked, Relink");
    page.shows("This password is too short.");
    phone
        .post("/link/password", &[("password", PASSWORD)])
        .await;
    phone
        .get(ENDED)
        .await
        .shows("Saved. Sign in later with elif@acme.example and this password.");
    phone
        .post("/link/password", &[("password", "another fine sentence")])
        .await;
    let mut laptop = world.browser();
    assert_eq!(
        laptop
            .sign_in("elif@acme.example", PASSWORD)
            .await
            .location(),
        "/integrations",
        "the first one counts"
    );

    owner
        .post("/link/password", &[("password", "another fine sentence")])
        .await;
    assert_eq!(
        world
            .browser()
            .sign_in("priya@northwind.dev", PASSWORD)
            .await
            .location(),
        "/integrations"
    );
    assert!(
        world
            .browser()
            .post("/link/password", &[("password", PASSWORD)])
            .await
            .location()
            .starts_with("/signin")
    );
}

#[tokio::test]
async fn every_code_that_is_not_good_gets_the_same_answer() {
    let world = World::new().await;
    let (mut owner, id) = acme(&world).await;
    let code = invite(&mut owner, &id, "elif@acme.example").await;
    let expired = invite(&mut owner, &id, "ada@acme.example").await;
    redeem(&mut world.browser(), &code)
        .await
        .shows("You are linked");
    world.advance(DAY);
    for code in [
        code.as_str(),
        &expired,
        "0000-0000-0000-0000",
        "",
        "nonsense",
        "\"><img src=x>",
        &"-".repeat(5_000),
    ] {
        let mut phone = world.browser();
        let page = enter(&mut phone, code).await;
        page.shows("Error: Enter your link code, Relink");
        page.shows(INVALID);
        page.hides("<img src=x");
        assert!(
            page.body.contains("aria-invalid=\"true\"") && page.body.contains("autofocus"),
            "the field takes the focus"
        );
        phone.get("/link").await.hides("not valid");
    }
}

#[tokio::test]
async fn a_code_that_runs_out_on_the_screen_is_not_confirmed() {
    let world = World::new().await;
    let (mut owner, id) = acme(&world).await;
    let fields = [
        ("workspace", id.as_str()),
        ("person", "elif@acme.example"),
        ("valid", "1"),
    ];
    owner.post(INVITE, &fields).await;
    let code = shown(&mut owner).await;
    world.advance(59 * MINUTE);
    let mut phone = world.browser();
    let preview = enter(&mut phone, &code).await;
    preview.shows("Code runs out in 1 min");
    world.advance(MINUTE);
    assert_eq!(answer(&mut phone, &preview, "yes").await, "/link");
    phone.get("/link").await.shows(INVALID);

    let code = invite(&mut owner, &id, "elif@acme.example").await;
    let preview = enter(&mut phone, &code).await;
    // The session ran out, and the code with it.
    phone.cookies.clear();
    assert_eq!(answer(&mut phone, &preview, "yes").await, "/link");
    phone.get("/link").await.shows(
        "That took too long, so Relink forgot the code. Nothing was changed. Enter it again.",
    );
    redeem(&mut phone, &code).await.shows("You are linked");
}

#[tokio::test]
async fn thats_not_me_ends_the_code() {
    let world = World::new().await;
    let (mut owner, id) = acme(&world).await;
    let code = invite(&mut owner, &id, "elif@acme.example").await;
    let mut phone = world.browser();
    let preview = enter(&mut phone, &code).await;
    assert_eq!(answer(&mut phone, &preview, "no").await, ENDED);
    let page = phone.get(ENDED).await;
    page.shows(
        "Nothing was linked The code no longer works. Priya Raman now sees that it pointed at \
            someone else and can send you a",
    );
    enter(&mut phone, &code).await.shows(INVALID);
    owner
        .get("/team")
        .await
        .shows("Elif Demir’s code for Acme Robotics was answered with “That’s not me”");
    assert!(
        phone.get("/team").await.location().starts_with("/signin"),
        "nobody was signed in by that"
    );
}

#[tokio::test]
async fn whoever_has_an_account_signs_in_first_and_comes_back() {
    let world = World::new().await;
    let (mut owner, id) = acme(&world).await;
    world
        .add("northwind-labs", "elif@acme.example", Role::Member)
        .await;
    let code = invite(&mut owner, &id, "elif@acme.example").await;
    let mut phone = world.browser();
    let page = enter(&mut phone, &code).await;
    page.shows(
        "Somebody has an account with elif@acme.example here. If that is you, sign in first; then \
            you are back on this page.",
    );
    assert!(
        page.body.contains("href=\"/signin?next=/link\"") && !page.body.contains("value=\"yes\"")
    );
    // A form that was made by hand.
    assert_eq!(answer(&mut phone, &page, "yes").await, "/link");
    phone.get("/link").await.shows("sign in first");

    let fields = [
        ("email", "elif@acme.example"),
        ("password", PASSWORD),
        ("next", "/link"),
    ];
    assert_eq!(phone.post("/signin", &fields).await.location(), "/link");
    let signed_in = phone.get("/link").await;
    signed_in.shows("A yes adds this to your account, elif@acme.example.");
    // The question from before was another one.
    assert_eq!(answer(&mut phone, &page, "yes").await, "/link");
    assert_eq!(answer(&mut phone, &signed_in, "yes").await, ENDED);
    let page = phone.get(ENDED).await;
    page.shows("You are linked");
    page.hides("Set a password for later");
    owner
        .get("/team")
        .await
        .shows("elif@acme.example Member Acme Robotics");
}

#[tokio::test]
async fn whoever_never_set_a_password_is_removed_and_comes_back_as_new() {
    let world = World::new().await;
    let (mut owner, id) = acme(&world).await;
    let code = invite(&mut owner, &id, "elif@acme.example").await;
    redeem(&mut world.browser(), &code)
        .await
        .shows("You are linked");
    let account = async || {
        world
            .store
            .user_by_email("elif@acme.example")
            .await
            .unwrap()
            .map(|user| user.id)
    };
    let before = account().await;

    // The session is lost, and the owner tries with a new code.
    let page = manage(&mut owner, "elif@acme.example").await;
    let member = hidden(&page, "/team/remove", "member").remove(0);
    let fields = [
        ("workspace", hidden(&page, "/team/unlink", "workspace")),
        ("person", hidden(&page, "/team/unlink", "person")),
    ];
    owner
        .post(
            "/team/unlink",
            &fields
                .each_ref()
                .map(|(name, values)| (*name, values[0].as_str())),
        )
        .await;
    let second = invite(&mut owner, &id, "elif@acme.example").await;
    let mut phone = world.browser();
    let page = enter(&mut phone, &second).await;
    page.shows(
        "Somebody has an account with elif@acme.example here. If that is you, sign in first; then \
            you are back on this page.",
    );
    page.shows(
        "You never set a password? Ask whoever invited you to remove you from the team and invite \
            you again; where the account is another team’s, ask whoever runs this Relink.",
    );

    assert_eq!(
        owner
            .post("/team/remove", &[("member", &member)])
            .await
            .location(),
        "/team"
    );
    assert_eq!(account().await, None);
    let third = invite(&mut owner, &id, "elif@acme.example").await;
    let page = redeem(&mut phone, &third).await;
    page.shows("You are linked Elif Demir in Acme Robotics is you.");
    page.shows("Set a password for later Your e-mail is elif@acme.example.");
    assert!(
        account().await.is_some_and(|after| Some(after) != before),
        "a fresh account"
    );
    owner
        .get("/team")
        .await
        .shows("Elif Demir elif@acme.example Member E-mail never proved Acme Robotics");
}

#[tokio::test]
async fn a_store_that_fails_is_told_of_and_keeps_the_code() {
    let world = World::new().await;
    let (mut owner, id) = acme(&world).await;
    let code = invite(&mut owner, &id, "elif@acme.example").await;
    let failing = "Relink cannot reach its database right now. Try again in a minute.";
    let mut phone = world.browser();
    world.sql("ALTER TABLE invites RENAME TO elsewhere").await;
    let page = enter(&mut phone, &code).await;
    page.shows(failing);
    assert!(
        page.body.contains(&format!("value=\"{code}\"")),
        "to be sent again"
    );
    world.sql("ALTER TABLE elsewhere RENAME TO invites").await;

    let preview = enter(&mut phone, &code).await;
    world.sql("ALTER TABLE invites RENAME TO elsewhere").await;
    assert_eq!(
        phone.get("/link").await.status,
        StatusCode::SERVICE_UNAVAILABLE
    );
    assert_eq!(answer(&mut phone, &preview, "yes").await, "/link");
    let page = phone.get("/link").await;
    page.shows(failing);
    assert!(page.body.contains(&format!("value=\"{code}\"")));
    world.sql("ALTER TABLE elsewhere RENAME TO invites").await;
    redeem(&mut phone, &code).await.shows("You are linked");
}

#[tokio::test]
async fn a_signed_in_member_adds_it_to_their_account() {
    let world = World::new().await;
    let (mut owner, id) = acme(&world).await;
    let code = invite(&mut owner, &id, "elif@acme.example").await;
    let mut mara = world
        .member("northwind-labs", "mara@northwind.dev", Role::Member)
        .await;
    let page = enter(&mut mara, &code).await;
    page.shows("A yes adds this to your account, mara@northwind.dev.");
    page.hides("aria-label=\"Main\"");
    assert_eq!(answer(&mut mara, &page, "yes").await, ENDED);
    owner
        .get("/team")
        .await
        .shows("mara@northwind.dev Member Acme Robotics");

    // One person in a workspace is enough.
    let second = invite(&mut owner, &id, "ben@acme.example").await;
    let ended = redeem(&mut mara, &second).await;
    ended.shows(
        "Nothing was linked The code is for Ben Castillo. Your account, mara@northwind.dev, is \
            Elif Demir in Acme Robotics already, and cannot be two people",
    );
    ended.shows("The code still works. Ask Priya Raman to unlink you first");
    redeem(&mut world.browser(), &second)
        .await
        .shows("You are linked Ben Castillo in Acme Robotics is you.");
}

#[tokio::test]
async fn an_answer_counts_for_the_code_that_was_on_the_screen() {
    let world = World::new().await;
    let (mut owner, id) = acme(&world).await;
    let (elif, ben) = (
        invite(&mut owner, &id, "elif@acme.example").await,
        invite(&mut owner, &id, "ben@acme.example").await,
    );
    let mut phone = world.browser();
    let first = enter(&mut phone, &elif).await;
    let second = enter(&mut phone, &ben).await;
    assert_eq!(answer(&mut phone, &first, "yes").await, "/link");
    phone.get("/link").await.shows("Ben Castillo");
    assert_eq!(answer(&mut phone, &second, "yes").await, ENDED);
    phone
        .get(ENDED)
        .await
        .shows("Ben Castillo in Acme Robotics is you.");
    owner
        .get("/team")
        .await
        .shows("Elif Demir elif@acme.example Acme Robotics invited by Priya Raman");
}

#[tokio::test]
async fn a_yes_that_is_sent_twice_is_one() {
    let world = World::new().await;
    let (mut owner, id) = acme(&world).await;
    let code = invite(&mut owner, &id, "elif@acme.example").await;
    let mut phone = world.browser();
    let preview = enter(&mut phone, &code).await;
    // What the browser knew when the button was pressed the second time.
    let before = phone.cookies.clone();
    assert_eq!(answer(&mut phone, &preview, "yes").await, ENDED);
    let signed_in = std::mem::replace(&mut phone.cookies, before.clone());
    assert_eq!(answer(&mut phone, &preview, "yes").await, ENDED);
    assert_eq!(
        phone.cookies, before,
        "the session of the first answer is not thrown out"
    );
    phone
        .get(ENDED)
        .await
        .shows("You are linked Elif Demir in Acme Robotics is you.");
    assert!(
        phone.get("/team").await.location().starts_with("/signin"),
        "the session from before is nobody's"
    );
    phone.cookies = signed_in;
    phone.get(ENDED).await.shows("Set a password for later");
}

#[tokio::test]
async fn a_whole_link_may_be_pasted() {
    let world = World::new().await;
    let (mut owner, id) = acme(&world).await;
    let code = invite(&mut owner, &id, "elif@acme.example").await;
    enter(
        &mut world.browser(),
        &format!("http://localhost:3000/link#{code}"),
    )
    .await
    .shows("Is this you in Linear?");
}

#[tokio::test]
async fn wrong_codes_are_limited_and_a_right_one_is_taken_all_the_same() {
    let world = World::new().await;
    let (mut owner, id) = acme(&world).await;
    let code = invite(&mut owner, &id, "elif@acme.example").await;
    let mut phone = world.browser();
    enter(&mut phone, &code).await;
    for _ in 0..30 {
        phone.get("/link").await.shows("Is this you in Linear?");
    }
    for tries in 1..=10 {
        let page = enter(&mut phone, "0000-0000-0000-0000").await;
        assert!(page.text().contains(INVALID), "try {tries}");
    }
    enter(&mut phone, "0000-0000-0000-0000")
        .await
        .shows("Too many tries. Wait 10 minutes, then try again.");
    world.advance(4 * MINUTE);
    enter(&mut phone, "0000-0000-0000-0000")
        .await
        .shows("Too many tries. Wait 6 minutes, then try again.");
    enter(&mut phone, &code)
        .await
        .shows("Is this you in Linear?");
}

#[tokio::test]
async fn the_page_tells_nobody_where_it_was() {
    let url = "/link";
    for https in [true, false] {
        let world = World::with(Setup {
            https,
            ..Setup::default()
        })
        .await;
        let page = world.browser().get(url).await;
        assert_eq!(page.status, StatusCode::OK);
        assert_eq!(page.header("cache-control"), "no-store");
        assert_eq!(page.header("referrer-policy"), "no-referrer");
        assert!(
            page.body
                .contains("<meta name=\"referrer\" content=\"no-referrer\""),
            "{}",
            page.body
        );
        let other = world.browser().get("/signup").await;
        assert_eq!(other.header("referrer-policy"), "same-origin");
        assert!(
            other
                .body
                .contains("<meta name=\"referrer\" content=\"same-origin\"")
        );
    }
}

#[tokio::test]
async fn other_sites_answer_nothing() {
    let world = World::new().await;
    let (mut owner, id) = acme(&world).await;
    let code = invite(&mut owner, &id, "elif@acme.example").await;
    let mut phone = world.browser();
    for path in ["/link", CONFIRM, "/link/password"] {
        let reply = phone
            .send(
                Method::POST,
                path,
                &[("code", &code)],
                &[("sec-fetch-site", "cross-site")],
            )
            .await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN, "{path}");
    }
}

/// Mail filters write the `#` of a link as `%23`, and people read it as a `/`.
#[tokio::test]
async fn a_code_in_the_path_leads_to_its_page_and_leaves_the_address() {
    let world = World::new().await;
    let (mut owner, id) = acme(&world).await;
    let code = invite(&mut owner, &id, "elif@acme.example").await;
    for path in [
        format!("/link%23{code}"),
        format!("/link/{code}"),
        format!("/link%2523{code}"),
        format!("/link/%23{}/", code.to_lowercase()),
    ] {
        let mut phone = world.browser();
        let ahead = phone
            .send(
                Method::GET,
                &path,
                &[],
                &[("sec-purpose", "prefetch"), ("sec-fetch-site", "none")],
            )
            .await;
        assert!(
            phone.cookies.is_empty() && ahead.status == StatusCode::TOO_EARLY,
            "{path}: {}",
            ahead.status
        );
        assert_eq!(phone.get(&path).await.location(), "/link", "{path}");
        phone
            .get("/link")
            .await
            .shows("Is this you in Linear? ED Elif Demir");
    }
    let mut phone = world.browser();
    assert_eq!(
        phone.get("/link/0000-0000-0000-0000").await.location(),
        "/link"
    );
    phone.get("/link").await.shows(INVALID);
    assert_eq!(
        phone.get("/link/nothing-like-a-code").await.location(),
        "/link"
    );
    phone.get("/link").await.shows(INVALID);
    assert_eq!(phone.get("/linked").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_code_is_read_out_of_what_stands_around_it() {
    let world = World::new().await;
    let (mut owner, id) = acme(&world).await;
    let code = invite(&mut owner, &id, "elif@acme.example").await;
    let wide: String = code
        .chars()
        .map(|c| char::from_u32(u32::from(c) + 0xFEE0).unwrap())
        .collect();
    let whole = format!(
        "Hello Elif,\n\nopen http://localhost:3000/link#{code}\nIt works once. {}",
        "Then say yes. ".repeat(40)
    );
    for typed in [
        format!("{code}."),
        format!("“{code}”"),
        wide,
        whole,
        format!("http://localhost:3000/link%23{code}"),
    ] {
        enter(&mut world.browser(), &typed)
            .await
            .shows("Is this you in Linear? ED Elif Demir");
    }
}

/// Reads what the form of a page sends beside what is typed.
fn form_token(page: &Reply) -> String {
    page.body
        .split("name=\"form\" value=\"")
        .nth(1)
        .expect("a token")
        .split('"')
        .next()
        .unwrap()
        .to_owned()
}

/// A neighbour (another port of the host, a subdomain) can plant a cookie beside the session's.
#[tokio::test]
async fn a_token_that_a_stranger_fetched_is_good_in_no_session_and_ones_own_stays_good() {
    let world = World::new().await;
    let (mut owner, _) = acme(&world).await;
    let mut stranger = world.browser();
    let token = form_token(&stranger.get("/link").await);
    let signed_in = owner.cookies.clone();
    owner.cookies.extend(stranger.cookies);
    let nowhere: &[(&str, &str)] = &[("origin", "null")];
    let refused = owner
        .send(Method::POST, "/signout", &[("form", &token)], nowhere)
        .await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    owner.cookies = signed_in;
    let token = form_token(&owner.get("/link").await);
    let taken = owner
        .send(Method::POST, "/signout", &[("form", &token)], nowhere)
        .await;
    assert_eq!(taken.status, StatusCode::SEE_OTHER);
}

/// Old browsers send `Origin: null` from pages that tell nobody where they were, and do not say
/// that it is the same site.
#[tokio::test]
async fn a_form_without_an_origin_is_taken_by_its_token_and_from_nowhere_else() {
    for https in [false, true] {
        let world = World::with(Setup {
            https,
            ..Setup::default()
        })
        .await;
        let (mut owner, id) = acme(&world).await;
        owner
            .post(
                INVITE,
                &[("workspace", &id), ("person", "elif@acme.example")],
            )
            .await;
        let code = owner
            .get("/team?shown=code")
            .await
            .body
            .split("/link#")
            .nth(1)
            .expect("a code")[..19]
            .to_owned();
        let (mut phone, mut other) = (world.browser(), world.browser());
        let (page, elsewhere) = (phone.get("/link").await, other.get("/link").await);
        let nowhere: &[(&str, &str)] = &[("origin", "null")];
        for (token, why) in [
            (form_token(&elsewhere), "another browser's"),
            (String::new(), "none"),
            ("AAAA".to_owned(), "nonsense"),
        ] {
            let refused = phone
                .send(
                    Method::POST,
                    "/link",
                    &[("code", &code), ("form", &token)],
                    nowhere,
                )
                .await;
            assert_eq!(refused.status, StatusCode::FORBIDDEN, "{why}");
        }
        let token = form_token(&page);
        let fields = [("code", code.as_str()), ("form", &token)];
        let cross = phone
            .send(
                Method::POST,
                "/link",
                &fields,
                &[("origin", "null"), ("sec-fetch-site", "cross-site")],
            )
            .await;
        assert_eq!(
            cross.status,
            StatusCode::FORBIDDEN,
            "the browser says that it comes from elsewhere"
        );
        let named = phone
            .send(
                Method::POST,
                "/link",
                &fields,
                &[("origin", "https://evil.example")],
            )
            .await;
        assert_eq!(named.status, StatusCode::FORBIDDEN);
        let mut without_cookie = world.browser();
        let sent = without_cookie
            .send(Method::POST, "/link", &fields, nowhere)
            .await;
        assert_eq!(
            sent.status,
            StatusCode::FORBIDDEN,
            "no other site's form is sent with the cookie"
        );

        assert_eq!(
            phone
                .send(Method::POST, "/link", &fields, nowhere)
                .await
                .location(),
            "/link"
        );
        let preview = phone.get("/link").await;
        let shown = preview
            .body
            .split("name=\"preview\" value=\"")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap()
            .to_owned();
        let yes = [
            ("preview", shown.as_str()),
            ("answer", "yes"),
            ("form", &form_token(&preview)),
        ];
        assert_eq!(
            phone
                .send(Method::POST, CONFIRM, &yes, nowhere)
                .await
                .location(),
            ENDED
        );
        let page = phone.get(ENDED).await;
        let password = [("password", PASSWORD), ("form", &form_token(&page))];
        assert_eq!(
            phone
                .send(Method::POST, "/link/password", &password, nowhere)
                .await
                .location(),
            ENDED
        );
        assert!(
            world
                .browser()
                .sign_in("elif@acme.example", PASSWORD)
                .await
                .location()
                == "/integrations"
        );
    }
}
