use serde_json::json;

use crate::setup::Linear;

const CREATE: &str = "mutation($input: IssueCreateInput!) { issueCreate(input: $input) { success \
    issue { id identifier title botActor { userDisplayName } } } }";

async fn team_id(linear: &Linear, token: &str) -> String {
    let answer = linear
        .graphql(token, "{ teams { nodes { id } } }", json!({}))
        .await;
    answer.body["data"]["teams"]["nodes"][0]["id"]
        .as_str()
        .expect("a team")
        .to_owned()
}

#[tokio::test]
async fn a_missing_scope_is_forbidden_and_not_an_authentication_error() {
    let linear = Linear::start().await;
    let tokens = linear.connect_with("globex", &[("scope", "read")]).await;
    let input = json!({"input": {"teamId": team_id(&linear, &tokens.access).await, "title": "x"}});
    let answer = linear.graphql(&tokens.access, CREATE, input).await;
    let error = &answer.body["errors"][0];
    assert_eq!(error["message"], "Invalid scope: `write` required");
    assert_eq!(error["extensions"]["type"], "forbidden");
    assert_eq!(error["extensions"]["code"], "FORBIDDEN");
    assert_eq!(error["extensions"]["statusCode"], 403);
}

#[tokio::test]
async fn the_narrow_scopes_are_enough_for_what_they_name() {
    let linear = Linear::start().await;
    let tokens = linear
        .connect_with("globex", &[("scope", "issues:create")])
        .await;
    let input = json!({"input": {"teamId": team_id(&linear, &tokens.access).await, "title": "x"}});
    let answer = linear.graphql(&tokens.access, CREATE, input).await;
    let issue = answer.body["data"]["issueCreate"]["issue"]["id"].clone();
    let comment = "mutation($issue: String!) { commentCreate(input: {issueId: $issue, \
        body: \"hi\"}) { success } }";
    assert_eq!(
        linear
            .graphql(&tokens.access, comment, json!({"issue": issue}))
            .await
            .code(),
        "FORBIDDEN"
    );
}

#[tokio::test]
async fn an_issue_with_a_client_s_id_is_created_once() {
    let linear = Linear::start().await;
    let tokens = linear.connect("globex").await;
    let id = "5f0c1d7a-9be2-4c63-a8e1-7f42d90b36ce";
    let input = json!({"input": {"teamId": team_id(&linear, &tokens.access).await, "title": "x",
        "id": id}});
    let first = linear.graphql(&tokens.access, CREATE, input.clone()).await;
    assert_eq!(first.body["data"]["issueCreate"]["issue"]["id"], id);
    let again = linear.graphql(&tokens.access, CREATE, input).await;
    assert_eq!((again.status.as_u16(), again.code()), (400, "INPUT_ERROR"));
}

#[tokio::test]
async fn an_app_may_act_under_another_name_and_a_person_may_not() {
    let linear = Linear::start().await;
    let app = linear.connect("globex").await;
    let person = linear.connect_with("globex", &[("actor", "user")]).await;
    let team = team_id(&linear, &app.access).await;
    let input = json!({"input": {"teamId": team, "title": "x", "createAsUser": "Zoe"}});
    let answer = linear.graphql(&app.access, CREATE, input.clone()).await;
    assert_eq!(
        answer.body["data"]["issueCreate"]["issue"]["botActor"]["userDisplayName"],
        "Zoe"
    );
    assert_eq!(
        linear.graphql(&person.access, CREATE, input).await.code(),
        "INPUT_ERROR"
    );
    let icon = json!({"input": {"teamId": team, "title": "x",
        "displayIconUrl": "https://x.example/i.png"}});
    assert_eq!(
        linear.graphql(&app.access, CREATE, icon).await.code(),
        "INPUT_ERROR"
    );
}

#[tokio::test]
async fn an_app_cannot_create_webhooks() {
    let linear = Linear::start().await;
    let tokens = linear.connect("globex").await;
    let query = "mutation { webhookCreate(input: {url: \"https://x.example/\", resourceTypes: \
        [\"Issue\"]}) { success } }";
    let answer = linear.graphql(&tokens.access, query, json!({})).await;
    assert_eq!(
        answer.body["errors"][0]["message"],
        "Invalid scope: `admin` required"
    );
}

#[tokio::test]
async fn an_admin_s_token_creates_webhooks_at_public_addresses() {
    let linear = Linear::start().await;
    let tokens = linear
        .connect_with("globex", &[("actor", "user"), ("scope", "read,admin")])
        .await;
    let query = "mutation($url: String!) { webhookCreate(input: {url: $url, resourceTypes: \
        [\"Issue\"]}) { success webhook { secret } } }";
    let answer = linear
        .graphql(
            &tokens.access,
            query,
            json!({"url": "https://x.example/hook"}),
        )
        .await;
    let secret = &answer.body["data"]["webhookCreate"]["webhook"]["secret"];
    assert!(secret.as_str().expect("a secret").starts_with("lin_wh_"));
    let answer = linear
        .graphql(
            &tokens.access,
            query,
            json!({"url": "http://127.0.0.1/hook"}),
        )
        .await;
    assert_eq!(answer.code(), "INPUT_ERROR");
}

#[tokio::test]
async fn a_file_is_put_with_the_given_headers_and_fetched_with_the_token() {
    let linear = Linear::serve(
        relink_simulator::Simulator::seeded(relink_simulator::Options::default())
            .expect("a simulator"),
    )
    .await;
    let tokens = linear.connect("globex").await;
    let query = "mutation { fileUpload(contentType: \"text/plain\", filename: \"a.txt\", size: 5) \
        { success uploadFile { uploadUrl assetUrl headers { key value } } } }";
    let answer = linear.graphql(&tokens.access, query, json!({})).await;
    let file = &answer.body["data"]["fileUpload"]["uploadFile"];
    let at = |name: &str| {
        format!(
            "{}{}",
            linear.base,
            file[name].as_str().expect("an address")
        )
    };
    let bare = linear
        .http
        .put(at("uploadUrl"))
        .header("content-type", "text/plain")
        .body("hello");
    assert_eq!(bare.send().await.expect("an answer").status(), 403);
    let header = &file["headers"][0];
    let (key, value) = (
        header["key"].as_str().expect("a key"),
        header["value"].as_str().expect("a value"),
    );
    let put = linear
        .http
        .put(at("uploadUrl"))
        .header("content-type", "text/plain")
        .header(key, value)
        .body("hello");
    assert_eq!(put.send().await.expect("an answer").status(), 200);
    assert_eq!(
        linear
            .http
            .get(at("assetUrl"))
            .send()
            .await
            .expect("an answer")
            .status(),
        401
    );
    let fetched = linear
        .http
        .get(at("assetUrl"))
        .bearer_auth(&tokens.access)
        .send()
        .await
        .expect("an answer");
    assert_eq!(fetched.text().await.expect("a body"), "hello");
}
