use reqwest::header::LOCATION;

use crate::setup::{CALLBACK, CHALLENGE, Linear, param};

async fn open(linear: &Linear, changes: &[(&str, &str)]) -> (u16, Option<String>, String) {
    let response = linear
        .http
        .get(linear.authorize_url(changes))
        .send()
        .await
        .expect("a page");
    let location = response
        .headers()
        .get(LOCATION)
        .map(|value| value.to_str().expect("text").to_owned());
    (
        response.status().as_u16(),
        location,
        response.text().await.expect("a body"),
    )
}

async fn refused(changes: &[(&str, &str)]) -> String {
    let (status, location, page) = open(&Linear::start().await, changes).await;
    assert_eq!((status, location), (400, None));
    page
}

fn request_id(page: &str) -> String {
    let start = page
        .find("name=\"request\" value=\"")
        .expect("a hidden field")
        + 22;
    page[start..].split('"').next().expect("a value").to_owned()
}

async fn decide(
    linear: &Linear,
    request: &str,
    fields: &[(&str, &str)],
) -> (u16, Option<String>, String) {
    let mut all = vec![("request", request)];
    all.extend_from_slice(fields);
    let sent = linear
        .http
        .post(format!("{}/oauth/authorize/decision", linear.base))
        .form(&all)
        .send()
        .await;
    let response = sent.expect("an answer");
    let location = response
        .headers()
        .get(LOCATION)
        .map(|value| value.to_str().expect("text").to_owned());
    (
        response.status().as_u16(),
        location,
        response.text().await.expect("a body"),
    )
}

#[tokio::test]
async fn a_wrong_redirect_uri_is_an_error_page_without_a_redirect() {
    let page = refused(&[(
        "redirect_uri",
        "http://localhost:3001/oauth/linear/callback",
    )])
    .await;
    assert!(page.contains("Invalid redirect_uri parameter for the application."));
}

#[tokio::test]
async fn an_unknown_scope_is_an_error_page_without_a_redirect() {
    assert!(
        refused(&[("scope", "read,offline_access")])
            .await
            .contains("Invalid scope")
    );
}

#[tokio::test]
async fn an_unknown_client_is_an_error_page() {
    assert!(
        refused(&[("client_id", "nobody")])
            .await
            .contains("client_id")
    );
}

#[tokio::test]
async fn the_admin_scope_cannot_go_with_the_app_actor() {
    assert!(
        refused(&[("scope", "read,admin")])
            .await
            .contains("Invalid scope")
    );
}

#[tokio::test]
async fn only_s256_challenges_are_taken() {
    let page = refused(&[
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "plain"),
    ])
    .await;
    assert!(page.contains("code_challenge_method"));
}

#[tokio::test]
async fn a_parameter_given_twice_is_refused() {
    let linear = Linear::start().await;
    let url = format!("{}&state=other", linear.authorize_url(&[]));
    assert_eq!(
        linear.http.get(url).send().await.expect("a page").status(),
        400
    );
}

#[tokio::test]
async fn scopes_may_be_separated_by_commas_or_spaces() {
    let linear = Linear::start().await;
    assert_eq!(open(&linear, &[("scope", "read,write")]).await.0, 200);
    assert_eq!(open(&linear, &[("scope", "read write")]).await.0, 200);
}

#[tokio::test]
async fn the_consent_page_says_that_it_is_simulated_and_offers_every_workspace() {
    let (status, _, page) = open(&Linear::start().await, &[]).await;
    assert_eq!(status, 200);
    assert!(page.contains("This is the simulated Linear."));
    for key in ["acme-robotics", "globex", "initech"] {
        assert!(
            page.contains(&format!("name=\"workspace\" value=\"{key}\"")),
            "{key}"
        );
    }
    assert!(page.contains(">Approve</button>") && page.contains(">Cancel</button>"));
    assert!(!page.contains("<script"));
}

#[tokio::test]
async fn approving_goes_back_with_a_code_and_the_state_verbatim() {
    let linear = Linear::start().await;
    let request = request_id(&open(&linear, &[]).await.2);
    let fields = [
        ("workspace", "globex"),
        ("user", ""),
        ("decision", "approve"),
    ];
    let (status, location, _) = decide(&linear, &request, &fields).await;
    let location = location.expect("a redirect");
    assert_eq!(status, 303);
    assert!(location.starts_with(CALLBACK));
    assert_eq!(param(&location, "state").as_deref(), Some("st&te=1"));
    assert!(param(&location, "code").is_some());
}

#[tokio::test]
async fn cancelling_goes_back_with_access_denied() {
    let linear = Linear::start().await;
    let request = request_id(&open(&linear, &[]).await.2);
    let (_, location, _) = decide(&linear, &request, &[("decision", "cancel")]).await;
    let location = location.expect("a redirect");
    assert_eq!(param(&location, "error").as_deref(), Some("access_denied"));
    assert_eq!(param(&location, "state").as_deref(), Some("st&te=1"));
}

#[tokio::test]
async fn a_consent_page_is_answered_once() {
    let linear = Linear::start().await;
    let request = request_id(&open(&linear, &[]).await.2);
    let fields = [("workspace", "globex"), ("decision", "approve")];
    assert_eq!(decide(&linear, &request, &fields).await.0, 303);
    assert_eq!(decide(&linear, &request, &fields).await.0, 400);
}

#[tokio::test]
async fn the_form_cannot_say_where_to_go() {
    let linear = Linear::start().await;
    let request = request_id(&open(&linear, &[]).await.2);
    let fields = [
        ("workspace", "globex"),
        ("decision", "approve"),
        ("redirect_uri", "http://evil.example/"),
        ("scope", "admin"),
    ];
    let (_, location, _) = decide(&linear, &request, &fields).await;
    assert!(location.expect("a redirect").starts_with(CALLBACK));
}

#[tokio::test]
async fn a_member_installing_the_app_ends_on_a_request_for_approval() {
    let linear = Linear::start().await;
    let state = linear.simulator.state();
    let ivan = state["workspaces"][1]["users"][1]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let request = request_id(&open(&linear, &[]).await.2);
    let fields = [
        ("workspace", "globex"),
        ("user", ivan.as_str()),
        ("decision", "approve"),
    ];
    let (status, location, page) = decide(&linear, &request, &fields).await;
    assert_eq!((status, location), (200, None));
    assert!(page.contains("Your admin must approve this first"));
}

#[tokio::test]
async fn somebody_of_another_workspace_cannot_approve() {
    let linear = Linear::start().await;
    let state = linear.simulator.state();
    let ada = state["workspaces"][0]["users"][0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let request = request_id(&open(&linear, &[]).await.2);
    let fields = [
        ("workspace", "globex"),
        ("user", ada.as_str()),
        ("decision", "approve"),
    ];
    assert_eq!(decide(&linear, &request, &fields).await.0, 400);
}

#[tokio::test]
async fn a_private_app_is_denied_in_other_workspaces() {
    let linear = Linear::start().await;
    linear.set(serde_json::json!({"private_to_workspace": "acme-robotics"}));
    let location = linear.approve("globex", &[]).expect("a redirect");
    assert_eq!(param(&location, "error").as_deref(), Some("access_denied"));
    assert!(
        param(
            &linear.approve("acme-robotics", &[]).expect("a redirect"),
            "code"
        )
        .is_some()
    );
}

#[tokio::test]
async fn an_installed_app_is_denied_without_prompt_consent() {
    let linear = Linear::start().await;
    linear.connect("globex").await;
    let (status, location, _) = open(&linear, &[("prompt", "")]).await;
    assert_eq!(status, 302);
    assert_eq!(
        param(&location.expect("a redirect"), "error").as_deref(),
        Some("access_denied")
    );
}

#[tokio::test]
async fn an_installed_app_may_ask_again_with_prompt_consent() {
    let linear = Linear::start().await;
    linear.connect("globex").await;
    assert_eq!(open(&linear, &[]).await.0, 200);
}

#[tokio::test]
async fn a_person_who_approved_before_is_sent_straight_back_without_prompt_consent() {
    let linear = Linear::start().await;
    linear.connect_with("globex", &[("actor", "user")]).await;
    let (_, location, _) = open(&linear, &[("actor", "user"), ("prompt", "")]).await;
    assert!(param(&location.expect("a redirect"), "code").is_some());
}

#[tokio::test]
async fn a_person_is_asked_again_for_a_scope_not_approved_before() {
    let linear = Linear::start().await;
    linear.connect_with("globex", &[("actor", "user")]).await;
    let changes = [
        ("actor", "user"),
        ("prompt", ""),
        ("scope", "read,write,comments:create"),
    ];
    assert_eq!(open(&linear, &changes).await.0, 200);
}

#[tokio::test]
async fn the_old_name_of_the_app_actor_still_works() {
    let linear = Linear::start().await;
    linear
        .connect_with("globex", &[("actor", "application")])
        .await;
    assert!(linear.is_installed("globex"));
}
