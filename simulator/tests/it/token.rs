use serde_json::json;

use crate::setup::{Answer, CALLBACK, CHALLENGE, Linear, VERIFIER};

const PKCE: [(&str, &str); 2] = [
    ("code_challenge", CHALLENGE),
    ("code_challenge_method", "S256"),
];

#[tokio::test]
async fn a_code_becomes_exactly_the_documented_body() {
    let linear = Linear::start().await;
    let answer = linear.exchange(&linear.code("globex", &[])).await;
    let tokens = answer.tokens();
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.body,
        json!({
            "access_token": tokens.access, "token_type": "Bearer", "expires_in": 86399,
            "scope": "read write", "refresh_token": tokens.refresh,
        })
    );
    assert!(tokens.access.starts_with("lin_oauth_") && tokens.refresh.starts_with("lin_refresh_"));
}

#[tokio::test]
async fn read_is_always_among_the_scopes() {
    let linear = Linear::start().await;
    let answer = linear
        .exchange(&linear.code("globex", &[("scope", "write")]))
        .await;
    assert_eq!(answer.body["scope"], "read write");
}

#[tokio::test]
async fn scopes_come_as_a_list_from_an_old_application() {
    let linear = Linear::start().await;
    linear.set(json!({"scope_as_array": true}));
    let answer = linear.exchange(&linear.code("globex", &[])).await;
    assert_eq!(answer.body["scope"], json!(["read", "write"]));
}

#[tokio::test]
async fn a_code_works_once() {
    let linear = Linear::start().await;
    let code = linear.code("globex", &[]);
    assert_eq!(linear.exchange(&code).await.status, 200);
    let again = linear.exchange(&code).await;
    again.assert_oauth_error(
        "invalid_grant",
        "Invalid grant: authorization code is invalid",
    );
}

#[tokio::test]
async fn of_many_exchanges_of_one_code_one_wins() {
    let linear = Linear::start().await;
    let code = linear.code("globex", &[]);
    let tries = (0..8).map(|_| linear.exchange(&code));
    let mut wins = 0;
    for answer in futures_of(tries).await {
        wins += u32::from(answer.status == 200);
    }
    assert_eq!(wins, 1);
}

/// Runs all at once on this task.
async fn futures_of(tries: impl Iterator<Item = impl Future<Output = Answer>>) -> Vec<Answer> {
    let mut running: Vec<_> = tries.map(Box::pin).collect();
    let mut done = Vec::new();
    std::future::poll_fn(|context| {
        running.retain_mut(|attempt| match attempt.as_mut().poll(context) {
            std::task::Poll::Ready(answer) => {
                done.push(answer);
                false
            }
            std::task::Poll::Pending => true,
        });
        if running.is_empty() {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    done
}

#[tokio::test]
async fn a_code_lives_ten_minutes() {
    let linear = Linear::start().await;
    let (kept, late) = (linear.code("globex", &[]), linear.code("globex", &[]));
    linear.simulator.advance_s(599);
    assert_eq!(linear.exchange(&kept).await.status, 200);
    linear.simulator.advance_s(1);
    let answer = linear.exchange(&late).await;
    answer.assert_oauth_error(
        "invalid_grant",
        "Invalid grant: authorization code has expired",
    );
}

#[tokio::test]
async fn the_redirect_uri_must_be_the_one_of_the_authorize_request() {
    let linear = Linear::start().await;
    let code = linear.code("globex", &[]);
    let other = "http://127.0.0.1:3000/oauth/linear/callback";
    let answer = linear
        .token(&[
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", other),
        ])
        .await;
    answer.assert_oauth_error(
        "invalid_request",
        "Invalid request: `redirect_uri` is invalid",
    );
}

#[tokio::test]
async fn what_is_missing_is_named() {
    let linear = Linear::start().await;
    let answer = linear
        .token(&[("grant_type", "authorization_code"), ("code", "x")])
        .await;
    answer.assert_oauth_error("invalid_request", "Missing parameter: `redirect_uri`");
}

#[tokio::test]
async fn json_bodies_are_refused() {
    let linear = Linear::start().await;
    let app = linear.simulator.app();
    let body =
        json!({"grant_type": "refresh_token", "refresh_token": "x", "client_id": app.client_id});
    let request = linear
        .http
        .post(format!("{}/oauth/token", linear.base))
        .json(&body);
    let answer = Answer::of(request.send().await.expect("an answer")).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.body["error"]),
        (400, &json!("invalid_request"))
    );
}

#[tokio::test]
async fn a_wrong_secret_in_the_body_is_400() {
    let linear = Linear::start().await;
    let id = linear.simulator.app().client_id;
    let fields = [
        ("client_id", id.as_str()),
        ("client_secret", "wrong"),
        ("grant_type", "refresh_token"),
    ];
    let answer = linear.form("/oauth/token", &fields).await;
    answer.assert_oauth_error("invalid_client", "Invalid client: client is invalid");
}

#[tokio::test]
async fn a_wrong_secret_with_basic_is_401_with_a_challenge() {
    let linear = Linear::start().await;
    let request = linear.http.post(format!("{}/oauth/token", linear.base));
    let request = request.basic_auth(linear.simulator.app().client_id, Some("wrong"));
    let response = request
        .form(&[("grant_type", "refresh_token")])
        .send()
        .await
        .expect("an answer");
    assert_eq!(response.status(), 401);
    assert!(response.headers().contains_key("www-authenticate"));
    assert_eq!(Answer::of(response).await.body["error"], "invalid_client");
}

#[tokio::test]
async fn basic_is_as_good_as_the_body() {
    let linear = Linear::start().await;
    let (app, tokens) = (linear.simulator.app(), linear.connect("globex").await);
    let request = linear.http.post(format!("{}/oauth/token", linear.base));
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens.refresh.as_str()),
    ];
    let request = request
        .basic_auth(app.client_id, Some(app.client_secret))
        .form(&fields);
    assert_eq!(request.send().await.expect("an answer").status(), 200);
}

async fn exchange_without_secret(linear: &Linear, code: &str, verifier: Option<&str>) -> Answer {
    let id = linear.simulator.app().client_id;
    let mut fields = vec![
        ("client_id", id.as_str()),
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", CALLBACK),
    ];
    fields.extend(verifier.map(|verifier| ("code_verifier", verifier)));
    linear.form("/oauth/token", &fields).await
}

#[tokio::test]
async fn with_pkce_no_secret_is_needed_for_code_and_refresh() {
    let linear = Linear::start().await;
    let code = linear.code("globex", &PKCE);
    let tokens = exchange_without_secret(&linear, &code, Some(VERIFIER))
        .await
        .tokens();
    let id = linear.simulator.app().client_id;
    let fields = [
        ("client_id", id.as_str()),
        ("grant_type", "refresh_token"),
        ("refresh_token", &tokens.refresh),
    ];
    assert_eq!(linear.form("/oauth/token", &fields).await.status, 200);
}

#[tokio::test]
async fn without_pkce_a_secret_is_needed() {
    let linear = Linear::start().await;
    let answer = exchange_without_secret(&linear, &linear.code("globex", &[]), None).await;
    answer.assert_oauth_error("invalid_client", "Invalid client: client is invalid");
}

#[tokio::test]
async fn a_wrong_verifier_is_refused() {
    let linear = Linear::start().await;
    let wrong = VERIFIER.replace('d', "e");
    let answer =
        exchange_without_secret(&linear, &linear.code("globex", &PKCE), Some(&wrong)).await;
    answer.assert_oauth_error("invalid_grant", "Invalid grant: code verifier is invalid");
}

#[tokio::test]
async fn a_missing_verifier_is_refused() {
    let linear = Linear::start().await;
    let answer = exchange_without_secret(&linear, &linear.code("globex", &PKCE), None).await;
    assert_eq!(answer.body["error"], "invalid_grant");
}

#[tokio::test]
async fn client_credentials_are_off_and_say_so_in_linears_words() {
    let linear = Linear::start().await;
    let answer = linear
        .token(&[("grant_type", "client_credentials"), ("scope", "read")])
        .await;
    answer.assert_oauth_error(
        "Error",
        "Client does not support the client_credentials grant type",
    );
}

#[tokio::test]
async fn client_credentials_give_thirty_days_and_no_refresh_token() {
    let linear = Linear::start().await;
    linear.set(json!({"client_credentials": true}));
    let answer = linear
        .token(&[
            ("grant_type", "client_credentials"),
            ("scope", "read,write"),
        ])
        .await;
    assert_eq!(answer.body["expires_in"], 2_591_999);
    assert!(answer.body.get("refresh_token").is_none());
}

#[tokio::test]
async fn other_grant_types_are_refused() {
    let answer = Linear::start()
        .await
        .token(&[("grant_type", "password")])
        .await;
    assert_eq!(
        (answer.status.as_u16(), &answer.body["error"]),
        (400, &json!("unsupported_grant_type"))
    );
}

#[tokio::test]
async fn the_metadata_name_s256_and_three_ways_of_authenticating() {
    let linear = Linear::start().await;
    let url = format!("{}/.well-known/oauth-authorization-server", linear.base);
    let body = Answer::of(linear.http.get(url).send().await.expect("an answer"))
        .await
        .body;
    assert_eq!(body["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(
        body["token_endpoint_auth_methods_supported"],
        json!(["client_secret_post", "client_secret_basic", "none"])
    );
    assert!(body.get("registration_endpoint").is_none());
}
