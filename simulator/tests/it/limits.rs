use serde_json::json;

use crate::setup::{Linear, START_MS};

#[tokio::test]
async fn every_answer_tells_the_limits_with_a_reset_in_milliseconds() {
    let linear = Linear::start().await;
    let tokens = linear.connect("globex").await;
    let response = linear
        .ask(&tokens.access, "{ viewer { id } }", json!({}))
        .send()
        .await
        .expect("an answer");
    let header = |name: &str| response.headers()[name].to_str().expect("text").to_owned();
    assert_eq!(header("x-ratelimit-requests-limit"), "5000");
    assert_eq!(header("x-ratelimit-requests-remaining"), "4999");
    assert_eq!(
        header("x-ratelimit-requests-reset"),
        (START_MS + 3_600_000).to_string()
    );
    assert_eq!(header("x-complexity"), "2");
    assert_eq!(header("x-ratelimit-complexity-limit"), "2000000");
    assert_eq!(header("x-ratelimit-complexity-remaining"), "1999998");
    assert_eq!(header("x-ratelimit-endpoint-name"), "viewer");
    let refused = linear
        .ask("lin_oauth_nobody", "{ viewer { id } }", json!({}))
        .send()
        .await
        .expect("an answer");
    assert_eq!(refused.headers()["x-ratelimit-requests-limit"], "600");
}

#[tokio::test]
async fn a_used_up_allowance_is_http_400_until_the_hour_is_over() {
    let linear = Linear::start().await;
    linear.set(json!({"requests_per_hour": 2}));
    let tokens = linear.connect("globex").await;
    assert!(linear.works(&tokens.access).await && linear.works(&tokens.access).await);
    let answer = linear
        .graphql(&tokens.access, "{ viewer { id } }", json!({}))
        .await;
    let extensions = &answer.body["errors"][0]["extensions"];
    assert_eq!(
        (answer.status.as_u16(), answer.code()),
        (400, "RATELIMITED")
    );
    assert_eq!(
        (&extensions["statusCode"], &extensions["http"]["status"]),
        (&json!(429), &json!(400))
    );
    assert_eq!(extensions["meta"]["rateLimitResult"]["duration"], 3_600_000);
    linear.simulator.advance_s(3_600);
    assert!(linear.works(&tokens.access).await);
}

#[tokio::test]
async fn a_query_that_costs_too_much_is_refused() {
    let linear = Linear::start().await;
    let tokens = linear.connect("globex").await;
    let query = "{ teams(first: 250) { nodes { issues(first: 250) { nodes { id title } } } } }";
    let answer = linear.graphql(&tokens.access, query, json!({})).await;
    assert_eq!(answer.status, 400);
    assert!(
        answer.body["errors"][0]["message"]
            .as_str()
            .expect("a text")
            .contains("too complex")
    );
}

#[tokio::test]
async fn the_rate_limit_status_agrees_with_the_headers() {
    let linear = Linear::start().await;
    let tokens = linear.connect("globex").await;
    let query = "{ rateLimitStatus { kind limits { type allowedAmount remainingAmount period reset \
        } } }";
    let answer = linear.graphql(&tokens.access, query, json!({})).await;
    let limit = &answer.body["data"]["rateLimitStatus"]["limits"][0];
    assert_eq!(
        (&limit["allowedAmount"], &limit["remainingAmount"]),
        (&json!(5000.0), &json!(4999.0))
    );
    assert_eq!(limit["period"], json!(3_600_000.0));
}
