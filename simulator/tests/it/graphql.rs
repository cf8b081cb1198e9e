use serde_json::{Value, json};

use crate::setup::{Answer, Linear};

fn unauthenticated() -> Value {
    json!({"errors": [{
        "message": "Authentication required, not authenticated",
        "extensions": {
            "type": "authentication error", "code": "AUTHENTICATION_ERROR", "statusCode": 401,
            "userError": true,
            "userPresentableMessage": "You need to authenticate to access this operation.",
            "meta": {}, "http": {"status": 401},
        },
    }]})
}

#[tokio::test]
async fn a_bad_token_is_401_with_linears_body() {
    let answer = Linear::start()
        .await
        .graphql("lin_oauth_nobody", "{ viewer { id } }", json!({}))
        .await;
    assert_eq!(
        (answer.status.as_u16(), answer.body),
        (401, unauthenticated())
    );
}

#[tokio::test]
async fn the_authentication_error_may_come_under_another_status() {
    let linear = Linear::start().await;
    linear.set(json!({"auth_error_status": 200}));
    let answer = linear
        .graphql("lin_oauth_nobody", "{ viewer { id } }", json!({}))
        .await;
    assert_eq!(
        (answer.status.as_u16(), answer.body),
        (200, unauthenticated())
    );
}

#[tokio::test]
async fn an_access_token_lives_a_day() {
    let linear = Linear::start().await;
    let tokens = linear.connect("globex").await;
    linear.simulator.advance_s(86_399);
    assert!(linear.works(&tokens.access).await);
    linear.simulator.advance_s(1);
    assert!(!linear.works(&tokens.access).await);
}

#[tokio::test]
async fn oauth_tokens_come_as_bearer_and_api_keys_bare() {
    let linear = Linear::start().await;
    let tokens = linear.connect("globex").await;
    let key = linear
        .simulator
        .mint_api_key("globex", None)
        .expect("a key");
    assert!(!linear.works(&key).await);
    for (value, expected) in [(&key, 200), (&tokens.access, 401)] {
        let request = linear
            .http
            .post(format!("{}/graphql", linear.base))
            .header("authorization", value);
        let response = request
            .json(&json!({"query": "{ viewer { id } }"}))
            .send()
            .await
            .expect("an answer");
        assert_eq!(response.status(), expected);
    }
}

#[tokio::test]
async fn the_viewer_of_an_app_token_is_the_bot() {
    let linear = Linear::start().await;
    let tokens = linear.connect("globex").await;
    let query = "{ viewer { id app email admin isMe } organization { id name urlKey logoUrl \
        previousUrlKeys } }";
    let answer = linear.graphql(&tokens.access, query, json!({})).await;
    let viewer = &answer.body["data"]["viewer"];
    assert_eq!(
        (&viewer["app"], &viewer["isMe"]),
        (&json!(true), &json!(true))
    );
    assert!(
        viewer["email"]
            .as_str()
            .expect("an address")
            .ends_with("@oauthapp.linear.app")
    );
    assert_eq!(answer.body["data"]["organization"]["urlKey"], "globex");
}

#[tokio::test]
async fn the_viewer_of_a_person_s_token_is_the_person() {
    let linear = Linear::start().await;
    let tokens = linear.connect_with("globex", &[("actor", "user")]).await;
    let answer = linear
        .graphql(&tokens.access, "{ viewer { name app } }", json!({}))
        .await;
    assert_eq!(
        answer.body,
        json!({"data": {"viewer": {"name": "Hana Sato", "app": false}}})
    );
}

#[tokio::test]
async fn a_workspace_sees_only_itself() {
    let linear = Linear::start().await;
    let tokens = linear.connect("globex").await;
    let answer = linear
        .graphql(
            &tokens.access,
            "{ users(includeDisabled: true) { nodes { email } } }",
            json!({}),
        )
        .await;
    let people = answer.body["data"]["users"]["nodes"]
        .as_array()
        .expect("people");
    assert!(
        people
            .iter()
            .all(|person| !person["email"].as_str().expect("text").contains("acme"))
    );
}

#[tokio::test]
async fn users_are_paged_by_cursor_without_gap_or_double() {
    let linear = Linear::start().await;
    let tokens = linear.connect("acme-robotics").await;
    let query = "query($after: String) { users(first: 3, after: $after) { nodes { id } pageInfo { \
        hasNextPage endCursor } } }";
    let (mut seen, mut after) = (Vec::new(), Value::Null);
    loop {
        let answer = linear
            .graphql(&tokens.access, query, json!({"after": after}))
            .await;
        let page = &answer.body["data"]["users"];
        seen.extend(
            page["nodes"]
                .as_array()
                .expect("nodes")
                .iter()
                .map(|node| node["id"].clone()),
        );
        after = page["pageInfo"]["endCursor"].clone();
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    let distinct: std::collections::HashSet<_> = seen.iter().map(Value::to_string).collect();
    assert_eq!((seen.len(), distinct.len()), (8, 8));
}

#[tokio::test]
async fn filters_tell_people_from_bots_and_disabled_users() {
    let linear = Linear::start().await;
    let tokens = linear.connect("acme-robotics").await;
    let count = async |arguments: &str| {
        let query = format!("{{ users({arguments}) {{ nodes {{ id }} }} }}");
        let answer = linear.graphql(&tokens.access, &query, json!({})).await;
        answer.body["data"]["users"]["nodes"]
            .as_array()
            .expect("nodes")
            .len()
    };
    assert_eq!(count("filter: {app: {eq: true}}").await, 2);
    assert_eq!(count("filter: {app: {eq: false}}").await, 6);
    assert_eq!(
        count("filter: {app: {eq: false}}, includeDisabled: true").await,
        7
    );
    assert_eq!(
        count("filter: {email: {eq: \"ada@acme.example\"}}").await,
        1
    );
    assert_eq!(
        count("filter: {or: [{name: {startsWith: \"Ada\"}}, {name: {startsWith: \"Ben\"}}]}").await,
        2
    );
}

#[tokio::test]
async fn a_page_holds_at_most_250() {
    let linear = Linear::start().await;
    let tokens = linear.connect("globex").await;
    let answer = linear
        .graphql(
            &tokens.access,
            "{ users(first: 251) { nodes { id } } }",
            json!({}),
        )
        .await;
    assert_eq!(
        (answer.status.as_u16(), answer.code()),
        (400, "INPUT_ERROR")
    );
}

#[tokio::test]
async fn what_the_published_schema_does_not_have_is_refused() {
    let linear = Linear::start().await;
    let tokens = linear.connect("globex").await;
    for query in [
        "{ viewer { isBot } }",
        "{ users(filter: {guest: {eq: true}}) { nodes { id } } }",
        "{ projects { nodes { team { id } } } }",
        "{ viewer { id }",
        "query($n: Int!) { users(first: $n) { nodes { id } } }",
        "{ users(first: \"three\") { nodes { id } } }",
    ] {
        let answer = linear.graphql(&tokens.access, query, json!({})).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code()),
            (400, "GRAPHQL_VALIDATION_FAILED"),
            "{query}"
        );
        assert_eq!(
            answer.body["errors"][0]["extensions"]["type"],
            "graphql error"
        );
        assert!(answer.body.get("data").is_none());
    }
}

#[tokio::test]
async fn what_is_not_there_is_an_entity_not_found() {
    let linear = Linear::start().await;
    let tokens = linear.connect("globex").await;
    let answer = linear
        .graphql(&tokens.access, "{ issue(id: \"none\") { id } }", json!({}))
        .await;
    assert_eq!(
        (answer.status.as_u16(), answer.code()),
        (400, "INPUT_ERROR")
    );
    assert_eq!(
        answer.body["errors"][0]["message"],
        "Entity not found: Issue"
    );
    assert_eq!(answer.body["data"], Value::Null);
}

#[tokio::test]
async fn an_app_sees_no_private_team_and_none_that_was_taken_away() {
    let linear = Linear::start().await;
    let tokens = linear.connect("acme-robotics").await;
    let keys = async || {
        let answer = linear
            .graphql(
                &tokens.access,
                "{ teams { nodes { id key visibility } } }",
                json!({}),
            )
            .await;
        answer.body["data"]["teams"]["nodes"]
            .as_array()
            .expect("teams")
            .clone()
    };
    let before = keys().await;
    assert!(before.len() == 3 && before.iter().all(|team| team["visibility"] == "public"));
    let asked = json!({"workspace": "acme-robotics", "removed_team_ids": [before[0]["id"]]});
    assert_eq!(linear.control("permissions", asked).await.status, 200);
    assert_eq!(keys().await.len(), 2);
}

#[tokio::test]
async fn only_posts_of_json_are_answered() {
    let linear = Linear::start().await;
    let tokens = linear.connect("globex").await;
    let url = format!("{}/graphql", linear.base);
    assert_eq!(
        linear
            .http
            .get(&url)
            .send()
            .await
            .expect("an answer")
            .status(),
        405
    );
    let request = linear
        .http
        .post(&url)
        .bearer_auth(&tokens.access)
        .form(&[("query", "{ viewer { id } }")]);
    assert_eq!(
        Answer::of(request.send().await.expect("an answer"))
            .await
            .code(),
        "GRAPHQL_VALIDATION_FAILED"
    );
}
