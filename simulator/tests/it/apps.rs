use std::path::PathBuf;

use relink_simulator::{Actor, DemoApp, NewApp, Options, Simulator};
use serde_json::{Value, json};

use crate::receiver::{Receiver, signature};
use crate::setup::{Answer, CHALLENGE, Linear, Tokens, VERIFIER, param};

const REFUSED_CODE: &str = "Invalid grant: authorization code is invalid";
const REFUSED_REFRESH: &str = "Invalid grant: refresh token is invalid";

/// The demo world with a second application.
async fn two_apps() -> (Linear, DemoApp) {
    let linear = Linear::start().await;
    let second = linear
        .simulator
        .add_app(named("Second"))
        .expect("an application");
    (linear, second)
}

fn named(name: &str) -> NewApp {
    NewApp {
        name: name.into(),
        ..NewApp::default()
    }
}

fn code_for(linear: &Linear, app: &DemoApp, workspace: &str, changes: &[(&str, &str)]) -> String {
    let mut all = vec![("client_id", app.client_id.as_str())];
    all.extend_from_slice(changes);
    linear.code(workspace, &all)
}

async fn connect(linear: &Linear, app: &DemoApp, workspace: &str) -> Tokens {
    linear
        .exchange_as(app, &code_for(linear, app, workspace, &[]))
        .await
        .tokens()
}

async fn open(linear: &Linear, changes: &[(&str, &str)]) -> Answer {
    Answer::of(
        linear
            .http
            .get(linear.authorize_url(changes))
            .send()
            .await
            .expect("a page"),
    )
    .await
}

async fn ask(linear: &Linear, token: &str, query: &str) -> Value {
    linear.graphql(token, query, json!({})).await.body["data"].clone()
}

fn installed_apps(linear: &Linear, workspace: &str) -> Value {
    let state = linear.simulator.state();
    let all = state["workspaces"].as_array().expect("workspaces");
    all.iter()
        .find(|home| home["url_key"] == workspace)
        .expect("a workspace")["installed_apps"]
        .clone()
}

#[tokio::test]
async fn an_app_is_added_with_what_a_test_says_and_the_rest_is_made_up() {
    let linear = Linear::start().await;
    let made_up = linear.control("apps", json!({"name": "Second"})).await.body;
    assert!(
        made_up["webhook_secret"]
            .as_str()
            .expect("a secret")
            .starts_with("lin_wh_")
    );
    assert_eq!(
        made_up["redirect_uris"],
        json!(linear.simulator.app().redirect_uris)
    );
    let said = json!({
        "name": "Third", "client_id": "third", "client_secret": "its secret",
        "webhook_secret": "lin_wh_its",
        "webhook_url": "http://127.0.0.1:9/", "private_to_workspace": "globex",
        "redirect_uris": ["https://third.example/back"],
    });
    let answer = linear.control("apps", said.clone()).await.body;
    for name in [
        "client_id",
        "client_secret",
        "webhook_secret",
        "redirect_uris",
    ] {
        assert_eq!(answer[name], said[name]);
    }
    let minted = json!(linear.simulator.minted()).to_string();
    for secret in [
        &made_up["client_secret"],
        &made_up["webhook_secret"],
        &said["client_secret"],
        &said["webhook_secret"],
    ] {
        assert!(minted.contains(secret.as_str().expect("a secret")));
    }
}

#[tokio::test]
async fn apps_that_linear_would_refuse_cannot_be_added() {
    let linear = Linear::start().await;
    let taken = linear.simulator.app().client_id;
    for wrong in [
        json!({"name": "S"}),
        json!({"name": "A Linear app"}),
        json!({"name": "Second", "client_id": taken}),
        json!({"name": "Second", "client_secret": ""}),
        json!({"name": "Second", "redirect_uris": []}),
        json!({"name": "Second", "redirect_uris": ["/back"]}),
        json!({"name": "Second", "redirect_uris": ["myapp://back"]}),
        json!({"name": "Second", "redirect_uris": ["https://a.example/", "https://a.example/"]}),
        json!({"name": "Second", "redirect_uri": "https://a.example/"}),
    ] {
        assert_eq!(
            linear.control("apps", wrong.clone()).await.status,
            400,
            "{wrong}"
        );
    }
    let nowhere = json!({"name": "Second", "private_to_workspace": "nowhere"});
    assert_eq!(linear.control("apps", nowhere).await.status, 404);
    assert_eq!(
        linear.simulator.state()["apps"].as_array().map(Vec::len),
        Some(1)
    );
}

#[tokio::test]
async fn each_app_acts_as_its_own_bot_user() {
    let (linear, second) = two_apps().await;
    let (one, two) = (
        linear.connect("globex").await,
        connect(&linear, &second, "globex").await,
    );
    let query = "{ viewer { id name email app } }";
    let (one, two) = (
        ask(&linear, &one.access, query).await,
        ask(&linear, &two.access, query).await,
    );
    assert_eq!(
        (&one["viewer"]["name"], &two["viewer"]["name"]),
        (&json!("Relink (demo)"), &json!("Second"))
    );
    assert_eq!(
        (&one["viewer"]["app"], &two["viewer"]["app"]),
        (&json!(true), &json!(true))
    );
    assert_ne!(one["viewer"]["id"], two["viewer"]["id"]);
    assert_ne!(one["viewer"]["email"], two["viewer"]["email"]);
}

#[tokio::test]
async fn each_app_is_known_by_its_client_id() {
    let (linear, second) = two_apps().await;
    let token = linear.connect("globex").await.access;
    let query = "query($id: String!) { applicationInfo(clientId: $id) { name } }";
    let answer = linear
        .graphql(&token, query, json!({"id": second.client_id}))
        .await;
    assert_eq!(answer.body["data"]["applicationInfo"]["name"], "Second");
}

#[tokio::test]
async fn an_unknown_client_id_ends_on_an_error_page() {
    let (linear, _) = two_apps().await;
    let answer = open(&linear, &[("client_id", "nobody")]).await;
    assert_eq!(answer.status, 400);
    assert!(
        answer
            .body
            .as_str()
            .expect("HTML")
            .contains("Invalid client_id parameter for the application.")
    );
}

#[tokio::test]
async fn the_consent_page_names_the_app_that_asks() {
    let (linear, second) = two_apps().await;
    let page = open(&linear, &[("client_id", &second.client_id)])
        .await
        .body
        .to_string();
    assert!(page.contains("<strong>Second</strong>") && !page.contains("Relink (demo)"));
}

#[tokio::test]
async fn redirect_uris_are_each_app_s_own() {
    let linear = Linear::start().await;
    let own = "https://second.example/back";
    let second = NewApp {
        redirect_uris: Some(vec![own.into()]),
        ..named("Second")
    };
    let second = linear.simulator.add_app(second).expect("an application");
    assert_eq!(
        open(
            &linear,
            &[("client_id", &second.client_id), ("redirect_uri", own)]
        )
        .await
        .status,
        200
    );
    assert_eq!(
        open(&linear, &[("client_id", &second.client_id)])
            .await
            .status,
        400
    );
    assert_eq!(open(&linear, &[("redirect_uri", own)]).await.status, 400);
}

#[tokio::test]
async fn a_private_app_is_denied_outside_its_own_workspace() {
    let linear = Linear::start().await;
    let private = NewApp {
        private_to_workspace: Some("globex".into()),
        ..named("Private")
    };
    let private = linear.simulator.add_app(private).expect("an application");
    let changes = [("client_id", private.client_id.as_str())];
    let elsewhere = linear.approve("initech", &changes).expect("a redirect");
    assert_eq!(param(&elsewhere, "error").as_deref(), Some("access_denied"));
    linear
        .control(
            "rename",
            json!({"workspace": "globex", "url_key": "globex-two"}),
        )
        .await;
    assert!(
        param(
            &linear.approve("globex-two", &changes).expect("a redirect"),
            "code"
        )
        .is_some()
    );
    assert!(
        param(&linear.approve("initech", &[]).expect("a redirect"), "code").is_some(),
        "the first app stays public"
    );
}

#[tokio::test]
async fn a_first_app_that_is_private_leaves_the_others_public() {
    let (linear, second) = two_apps().await;
    linear.set(json!({"private_to_workspace": "globex"}));
    let changes = [("client_id", second.client_id.as_str())];
    assert!(
        param(
            &linear.approve("initech", &changes).expect("a redirect"),
            "code"
        )
        .is_some()
    );
}

#[tokio::test]
async fn one_installed_app_does_not_stand_in_the_way_of_another() {
    let (linear, second) = two_apps().await;
    linear.connect("globex").await;
    let without_prompt = [("client_id", second.client_id.as_str()), ("prompt", "")];
    assert_eq!(open(&linear, &without_prompt).await.status, 200);
    connect(&linear, &second, "globex").await;
    let location = linear
        .approve("globex", &without_prompt)
        .expect("a redirect");
    assert_eq!(param(&location, "error").as_deref(), Some("access_denied"));
}

#[tokio::test]
async fn a_person_s_approval_is_for_one_app() {
    let (linear, second) = two_apps().await;
    linear.connect_with("globex", &[("actor", "user")]).await;
    let as_person = [("actor", "user"), ("prompt", "")];
    assert_eq!(open(&linear, &as_person).await.status, 302);
    assert_eq!(
        open(
            &linear,
            &[as_person[0], as_person[1], ("client_id", &second.client_id)]
        )
        .await
        .status,
        200
    );
}

#[tokio::test]
async fn a_code_is_no_use_to_another_app() {
    let (linear, second) = two_apps().await;
    let code = linear.code("globex", &[]);
    linear
        .exchange_as(&second, &code)
        .await
        .assert_oauth_error("invalid_grant", REFUSED_CODE);
    assert_eq!(
        linear.exchange(&code).await.status,
        200,
        "the refusal did not use it up"
    );
}

#[tokio::test]
async fn a_code_made_with_pkce_is_no_use_to_another_app_s_id_alone() {
    let (linear, second) = two_apps().await;
    let code = linear.code(
        "globex",
        &[
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ],
    );
    let exchange = async |app: &DemoApp| {
        let fields = [
            ("grant_type", "authorization_code"),
            ("client_id", &app.client_id),
            ("code", &code),
            ("code_verifier", VERIFIER),
            ("redirect_uri", crate::setup::CALLBACK),
        ];
        linear.form("/oauth/token", &fields).await
    };
    exchange(&second)
        .await
        .assert_oauth_error("invalid_grant", REFUSED_CODE);
    assert_eq!(exchange(&linear.simulator.app()).await.status, 200);
}

#[tokio::test]
async fn a_refresh_token_is_no_use_to_another_app() {
    let (linear, second) = two_apps().await;
    let (one, two) = (
        linear.connect("globex").await,
        connect(&linear, &second, "globex").await,
    );
    linear
        .refresh_as(&second, &one.refresh)
        .await
        .assert_oauth_error("invalid_grant", REFUSED_REFRESH);
    linear
        .refresh(&two.refresh)
        .await
        .assert_oauth_error("invalid_grant", REFUSED_REFRESH);
    assert_eq!(linear.refresh(&one.refresh).await.status, 200);
    assert_eq!(linear.refresh_as(&second, &two.refresh).await.status, 200);
}

#[tokio::test]
async fn a_spent_refresh_token_is_not_replayed_to_another_app() {
    let (linear, second) = two_apps().await;
    let tokens = linear.connect("globex").await;
    linear.refresh(&tokens.refresh).await;
    linear
        .refresh_as(&second, &tokens.refresh)
        .await
        .assert_oauth_error("invalid_grant", REFUSED_REFRESH);
}

#[tokio::test]
async fn the_secret_of_one_app_does_not_prove_another() {
    let (linear, second) = two_apps().await;
    let mixed = DemoApp {
        client_secret: linear.simulator.app().client_secret,
        ..second.clone()
    };
    let tokens = connect(&linear, &second, "globex").await;
    let answer = linear.refresh_as(&mixed, &tokens.refresh).await;
    answer.assert_oauth_error("invalid_client", "Invalid client: client is invalid");
    assert_eq!(
        linear.refresh_as(&second, &tokens.refresh).await.status,
        200
    );
}

#[tokio::test]
async fn a_legacy_token_is_migrated_by_its_own_app_only() {
    let (linear, second) = two_apps().await;
    let old = linear
        .simulator
        .mint_legacy("globex", Actor::App, "read")
        .expect("a token");
    let migrate = async |app: &DemoApp| {
        let fields = [
            ("access_token", &old),
            ("client_id", &app.client_id),
            ("client_secret", &app.client_secret),
        ];
        linear
            .form(
                "/oauth/migrate_old_token",
                &fields.map(|(name, value)| (name, value.as_str())),
            )
            .await
    };
    migrate(&second)
        .await
        .assert_oauth_error("invalid_grant", "Invalid grant: access token is invalid");
    let pair = migrate(&linear.simulator.app()).await.tokens();
    linear
        .refresh_as(&second, &pair.refresh)
        .await
        .assert_oauth_error("invalid_grant", REFUSED_REFRESH);
}

#[tokio::test]
async fn client_credentials_act_as_the_app_in_the_workspace_that_owns_it() {
    let linear = Linear::start().await;
    linear.set(json!({"client_credentials": true}));
    let private = NewApp {
        private_to_workspace: Some("initech".into()),
        ..named("Private")
    };
    let private = linear.simulator.add_app(private).expect("an application");
    let answer = linear
        .token_as(
            &private,
            &[("grant_type", "client_credentials"), ("scope", "read")],
        )
        .await;
    let token = answer.body["access_token"].as_str().expect("a token");
    let who = ask(
        &linear,
        token,
        "{ viewer { name } organization { urlKey } }",
    )
    .await;
    assert_eq!(
        who,
        json!({"viewer": {"name": "Private"}, "organization": {"urlKey": "initech"}})
    );
}

#[tokio::test]
async fn other_scopes_for_one_client_leave_the_other_client_s_tokens() {
    let (linear, second) = two_apps().await;
    linear.set(json!({"client_credentials": true}));
    let mint = async |app: &DemoApp, scope: &str| {
        let answer = linear
            .token_as(
                app,
                &[("grant_type", "client_credentials"), ("scope", scope)],
            )
            .await;
        answer.body["access_token"]
            .as_str()
            .expect("a token")
            .to_owned()
    };
    let (one, two) = (
        mint(&linear.simulator.app(), "read").await,
        mint(&second, "read").await,
    );
    mint(&second, "read,write").await;
    assert!(linear.works(&one).await && !linear.works(&two).await);
}

/// Both applications in one workspace, each with a receiver of its own.
async fn both_listening(types: Value) -> (Linear, DemoApp, [Receiver; 2]) {
    let linear = Linear::start().await;
    let ((one, first_url), (two, second_url)) =
        (Receiver::start(&[]).await, Receiver::start(&[]).await);
    linear.set(json!({"webhook_url": first_url, "webhook_resource_types": types}));
    let second = NewApp {
        webhook_url: Some(second_url),
        ..named("Second")
    };
    let second = linear.simulator.add_app(second).expect("an application");
    linear.connect("globex").await;
    connect(&linear, &second, "globex").await;
    (linear, second, [one, two])
}

#[tokio::test]
async fn each_app_is_told_at_its_own_address_under_its_own_secret() {
    let (linear, second, [one, two]) = both_listening(json!(["Issue"])).await;
    linear
        .simulator
        .create_issue("globex", "An issue", None, None)
        .expect("an issue");
    let (one, two) = (one.wait(1).await.remove(0), two.wait(1).await.remove(0));
    assert_eq!(
        one.header("linear-signature"),
        signature(&linear.simulator.app().webhook_secret, &one.body)
    );
    assert_eq!(
        two.header("linear-signature"),
        signature(&second.webhook_secret, &two.body)
    );
    assert_ne!(one.json()["webhookId"], two.json()["webhookId"]);
    assert_eq!(one.json()["data"], two.json()["data"]);
}

#[tokio::test]
async fn an_app_that_is_not_installed_is_told_nothing() {
    let linear = Linear::start().await;
    let (receiver, url) = Receiver::start(&[]).await;
    let second = NewApp {
        webhook_url: Some(url),
        ..named("Second")
    };
    let second = linear.simulator.add_app(second).expect("an application");
    linear.connect("globex").await;
    connect(&linear, &second, "initech").await;
    let before = receiver.wait(1).await.len();
    linear
        .simulator
        .create_issue("globex", "An issue", None, None)
        .expect("an issue");
    receiver.stays_at(before).await;
}

#[tokio::test]
async fn what_an_app_does_is_told_under_its_name() {
    let (linear, second, [one, _]) = both_listening(json!(["Issue"])).await;
    let token = linear
        .exchange_as(
            &second,
            &code_for(&linear, &second, "globex", &[("scope", "write")]),
        )
        .await
        .tokens()
        .access;
    let team =
        ask(&linear, &token, "{ teams { nodes { id } } }").await["teams"]["nodes"][0]["id"].clone();
    let create = "mutation($team: String!) { issueCreate(input: {teamId: $team, title: \"By the \
        app\"}) { success } }";
    assert_eq!(
        linear
            .graphql(&token, create, json!({"team": team}))
            .await
            .status,
        200
    );
    let actor = one.wait(1).await.remove(0).json()["actor"].clone();
    assert_eq!(
        actor,
        json!({"id": second.client_id, "name": "Second", "type": "oauthClient"})
    );
}

#[tokio::test]
async fn uninstalling_one_app_leaves_the_other() {
    let (linear, second, [one, two]) = both_listening(json!(["Issue"])).await;
    let kept = linear.connect("globex").await;
    let gone = connect(&linear, &second, "globex").await;
    let asked = json!({"workspace": "globex", "client_id": second.client_id});
    assert_eq!(
        linear.control("uninstall", asked).await.body,
        json!({"uninstalled": true})
    );
    assert!(!linear.works(&gone.access).await && linear.works(&kept.access).await);
    linear
        .refresh_as(&second, &gone.refresh)
        .await
        .assert_oauth_error("invalid_grant", REFUSED_REFRESH);
    assert_eq!(linear.refresh(&kept.refresh).await.status, 200);
    assert_eq!(
        installed_apps(&linear, "globex"),
        json!([linear.simulator.app().client_id])
    );
    let told = two.wait(1).await.remove(0).json();
    assert_eq!(
        (&told["type"], &told["action"]),
        (&json!("OAuthApp"), &json!("revoked"))
    );
    assert_eq!(told["oauthClientId"], second.client_id);
    linear
        .simulator
        .create_issue("globex", "An issue", None, None)
        .expect("an issue");
    assert_eq!(one.wait(1).await.remove(0).json()["type"], "Issue");
    two.stays_at(1).await;
    one.stays_at(1).await;
}

#[tokio::test]
async fn an_uninstall_that_names_no_app_is_of_the_first() {
    let (linear, second) = two_apps().await;
    linear.connect("globex").await;
    let kept = connect(&linear, &second, "globex").await;
    assert_eq!(linear.simulator.uninstall("globex"), Ok(true));
    assert!(linear.works(&kept.access).await);
    assert_eq!(installed_apps(&linear, "globex"), json!([second.client_id]));
    let unknown = json!({"workspace": "globex", "client_id": "nobody"});
    assert_eq!(linear.control("uninstall", unknown).await.status, 404);
}

#[tokio::test]
async fn authorisations_are_told_to_the_app_they_are_of() {
    let linear = Linear::start().await;
    let ((one, first_url), (two, second_url)) =
        (Receiver::start(&[]).await, Receiver::start(&[]).await);
    linear.set(json!({"webhook_url": first_url, "webhook_resource_types": ["OAuthAuthorization"]}));
    let second = NewApp {
        webhook_url: Some(second_url),
        ..named("Second")
    };
    let second = linear.simulator.add_app(second).expect("an application");
    linear.connect_with("globex", &[("actor", "user")]).await;
    one.wait(1).await;
    let code = code_for(&linear, &second, "globex", &[("actor", "user")]);
    linear.exchange_as(&second, &code).await.tokens();
    let told = two.wait(1).await.remove(0).json();
    assert_eq!(
        (&told["action"], &told["oauthClientId"]),
        (&json!("created"), &json!(second.client_id))
    );
    assert_eq!(
        told["oauthClient"],
        json!({"id": second.client_id, "name": "Second"})
    );
    assert_eq!(
        told["activeTokensForUser"],
        json!(1),
        "the person's token for the other app is not counted"
    );
    one.stays_at(1).await;
}

#[tokio::test]
async fn teams_are_taken_away_from_one_app() {
    let (linear, second, [one, two]) = both_listening(json!(["PermissionChange"])).await;
    let tokens = [
        linear.connect("globex").await,
        connect(&linear, &second, "globex").await,
    ];
    let query = "{ teams { nodes { id } } }";
    let team = ask(&linear, &tokens[0].access, query).await["teams"]["nodes"][0]["id"].clone();
    let asked =
        json!({"workspace": "globex", "client_id": second.client_id, "removed_team_ids": [team]});
    assert_eq!(linear.control("permissions", asked).await.status, 200);
    let sees = async |token: &str| {
        ask(&linear, token, query)
            .await
            .to_string()
            .contains(team.as_str().expect("an id"))
    };
    assert!(sees(&tokens[0].access).await && !sees(&tokens[1].access).await);
    assert_eq!(
        two.wait(1).await.remove(0).json()["oauthClientId"],
        second.client_id
    );
    one.stays_at(0).await;
}

#[tokio::test]
async fn events_by_hand_can_come_from_any_app_s_webhook() {
    let (linear, second) = two_apps().await;
    let (receiver, url) = Receiver::start(&[]).await;
    let asked = json!({"workspace": "globex", "webhook": second.client_id, "url": url});
    assert_eq!(linear.control("events", asked).await.status, 200);
    let sent = receiver.wait(1).await.remove(0);
    assert_eq!(
        sent.header("linear-signature"),
        signature(&second.webhook_secret, &sent.body)
    );
    let unknown = json!({"workspace": "globex", "webhook": "nobody", "url": "http://127.0.0.1:9/"});
    assert_eq!(linear.control("events", unknown).await.status, 404);
}

#[tokio::test]
async fn the_page_for_people_shows_every_app_and_uninstalls_each() {
    let (linear, second) = two_apps().await;
    linear.connect("globex").await;
    connect(&linear, &second, "globex").await;
    let page = linear
        .http
        .get(format!("{}/", linear.base))
        .send()
        .await
        .expect("a page")
        .text()
        .await
        .expect("HTML");
    assert!(
        page.contains("Uninstall Second")
            && page.contains(&second.client_id)
            && !page.contains(&second.client_secret)
    );
    let fields = [("workspace", "globex"), ("client_id", &second.client_id)];
    let pressed = linear
        .http
        .post(format!("{}/do/uninstall", linear.base))
        .form(&fields)
        .send()
        .await;
    assert_eq!(pressed.expect("an answer").status(), 303);
    assert_eq!(
        installed_apps(&linear, "globex"),
        json!([linear.simulator.app().client_id])
    );
}

/// A state file that goes when the test does.
struct StateFile(PathBuf);

impl StateFile {
    fn new(name: &str) -> StateFile {
        StateFile(std::env::temp_dir().join(format!(
            "simulated-linear-{name}-{}.json",
            std::process::id()
        )))
    }

    async fn start(&self) -> Linear {
        let options = Options {
            state_file: Some(self.0.clone()),
            ..Options::default()
        };
        Linear::serve(Simulator::seeded(options).expect("a simulator")).await
    }
}

impl Drop for StateFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[tokio::test]
async fn apps_and_what_is_theirs_outlive_a_restart() {
    let file = StateFile::new("apps");
    let linear = file.start().await;
    let (receiver, url) = Receiver::start(&[]).await;
    let second = NewApp {
        webhook_url: Some(url),
        private_to_workspace: Some("globex".into()),
        ..named("Second")
    };
    let second = linear.simulator.add_app(second).expect("an application");
    let (one, two) = (
        linear.connect("globex").await,
        connect(&linear, &second, "globex").await,
    );
    let code = code_for(&linear, &second, "globex", &[]);
    receiver.wait(1).await;

    let reborn = file.start().await;
    assert!(reborn.works(&one.access).await && reborn.works(&two.access).await);
    reborn
        .refresh_as(&second, &one.refresh)
        .await
        .assert_oauth_error("invalid_grant", REFUSED_REFRESH);
    assert_eq!(reborn.refresh_as(&second, &two.refresh).await.status, 200);
    assert_eq!(reborn.exchange_as(&second, &code).await.status, 200);
    let changes = [("client_id", second.client_id.as_str())];
    assert_eq!(
        param(
            &reborn.approve("initech", &changes).expect("a redirect"),
            "error"
        )
        .as_deref(),
        Some("access_denied")
    );
    let before = receiver.wait(2).await.len();
    reborn
        .simulator
        .create_issue("globex", "An issue", None, None)
        .expect("an issue");
    let sent = receiver.wait(before + 1).await.remove(before);
    assert_eq!(
        sent.header("linear-signature"),
        signature(&second.webhook_secret, &sent.body)
    );
}

#[tokio::test]
async fn a_state_file_from_when_there_was_one_app_is_that_app_s() {
    let file = StateFile::new("one-app");
    std::fs::write(&file.0, include_str!("one_app.json")).expect("a file");
    let linear = file.start().await;
    let app = linear.simulator.app();
    let state = linear.simulator.state();
    assert_eq!(state["apps"].as_array().map(Vec::len), Some(1));
    assert_eq!(state["app"]["webhook_url"], "http://127.0.0.1:9/hook");
    assert_eq!(
        state["webhooks"][0]["source"]["app"]["client_id"],
        app.client_id
    );
    assert_eq!(installed_apps(&linear, "globex"), json!([app.client_id]));

    let saved: Value = serde_json::from_str(include_str!("one_app.json")).expect("JSON");
    let of = |kind: &str| saved[kind].as_object().expect("records").clone();
    for token in of("refresh").keys() {
        assert_eq!(linear.refresh(token).await.status, 200);
    }
    let (code, _) = of("codes")
        .into_iter()
        .find(|(_, code)| code["used"] == false)
        .expect("an unused code");
    assert_eq!(linear.exchange(&code).await.status, 200);
    let request = of("pending").keys().next().expect("a consent page").clone();
    let answered = linear
        .form(
            "/oauth/authorize/decision",
            &[
                ("request", &request),
                ("workspace", "globex"),
                ("decision", "approve"),
            ],
        )
        .await;
    assert_eq!(answered.status, 303);
    let as_person = linear
        .approve(
            "globex",
            &[("actor", "user"), ("prompt", ""), ("scope", "read")],
        )
        .expect("a redirect");
    assert!(param(&as_person, "code").is_some());
    linear
        .control("workspaces", json!({"name": "Other", "url_key": "other"}))
        .await;
    let elsewhere = linear.approve("other", &[]).expect("a redirect");
    assert_eq!(param(&elsewhere, "error").as_deref(), Some("access_denied"));
}

#[tokio::test]
async fn a_state_file_without_any_app_is_damaged() {
    let file = StateFile::new("no-app");
    let mut saved: Value = serde_json::from_str(include_str!("one_app.json")).expect("JSON");
    saved.as_object_mut().expect("a world").remove("app");
    for apps in [json!([]), json!("nonsense")] {
        saved["apps"] = apps;
        std::fs::write(&file.0, saved.to_string()).expect("a file");
        let options = Options {
            state_file: Some(file.0.clone()),
            ..Options::default()
        };
        let error = Simulator::seeded(options)
            .err()
            .expect("a refusal")
            .to_string();
        assert!(error.contains("damaged"), "{error}");
    }
    saved["app"] = json!("nonsense");
    std::fs::write(&file.0, saved.to_string()).expect("a file");
    let options = Options {
        state_file: Some(file.0.clone()),
        ..Options::default()
    };
    assert!(Simulator::seeded(options).is_err());
}
