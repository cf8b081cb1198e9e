use std::time::Duration;

use relink_simulator::HandMade;
use serde_json::{Value, json};

use crate::receiver::{Received, Receiver, signature};
use crate::setup::{Linear, START_MS};

/// An installed app whose webhook goes to the receiver, and only for issues.
async fn installed(answers: &[u16]) -> (Linear, Receiver) {
    let linear = Linear::start().await;
    let (receiver, url) = Receiver::start(answers).await;
    linear
        .set(json!({"webhook_url": url, "webhook_resource_types": ["Issue", "PermissionChange"]}));
    linear.connect("globex").await;
    (linear, receiver)
}

/// Waits until the simulator has booked this many attempts of its only delivery.
async fn attempts(linear: &Linear, count: usize) {
    for _ in 0..500 {
        let booked = linear.simulator.deliveries()["deliveries"][0]["attempts"]
            .as_array()
            .map_or(0, Vec::len);
        if booked >= count {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{count} attempts were never booked");
}

fn new_issue(linear: &Linear) {
    linear
        .simulator
        .create_issue("globex", "An issue", None, None)
        .expect("an issue");
}

#[tokio::test]
async fn a_delivery_has_linears_headers_and_the_app_s_signature() {
    let (linear, receiver) = installed(&[]).await;
    new_issue(&linear);
    let sent = receiver.wait(1).await.remove(0);
    let secret = linear.simulator.app().webhook_secret;
    assert!(secret.starts_with("lin_wh_"));
    assert_eq!(
        sent.header("linear-signature"),
        signature(&secret, &sent.body)
    );
    assert_eq!(sent.header("linear-event"), "Issue");
    assert_eq!(sent.header("user-agent"), "Linear-Webhook");
    assert_eq!(
        sent.header("content-type"),
        "application/json; charset=utf-8"
    );
    assert_eq!(sent.header("accept-charset"), "utf-8");
    assert_eq!(sent.header("linear-timestamp"), START_MS.to_string());
    assert_eq!(sent.header("linear-delivery").len(), 36);
}

#[tokio::test]
async fn a_delivery_s_body_has_linears_fields() {
    let (linear, receiver) = installed(&[]).await;
    new_issue(&linear);
    let body = receiver.wait(1).await.remove(0).json();
    assert_eq!(
        (&body["action"], &body["type"]),
        (&json!("create"), &json!("Issue"))
    );
    assert_eq!(body["webhookTimestamp"], json!(START_MS));
    assert_eq!(body["createdAt"], "2026-11-21T10:30:00.000Z");
    assert_eq!(body["actor"]["type"], "user");
    assert_eq!(body["data"]["title"], "An issue");
    for field in ["organizationId", "webhookId", "url"] {
        assert!(body[field].is_string(), "{field}");
    }
    assert!(body.get("updatedFrom").is_none());
}

#[tokio::test]
async fn an_update_tells_what_was_before() {
    let (linear, receiver) = installed(&[]).await;
    let (id, _) = linear
        .simulator
        .create_issue("globex", "Before", None, None)
        .expect("an issue");
    receiver.wait(1).await;
    linear
        .simulator
        .update_issue("globex", &id, "After")
        .expect("a change");
    let body = receiver.wait(2).await.remove(1).json();
    assert_eq!(
        (&body["action"], &body["updatedFrom"]["title"]),
        (&json!("update"), &json!("Before"))
    );
}

#[tokio::test]
async fn retries_come_after_a_minute_an_hour_and_six_hours_byte_for_byte() {
    let (linear, receiver) = installed(&[500, 204, 401, 500]).await;
    new_issue(&linear);
    for (count, wait_s) in [(1, 60), (2, 3_600), (3, 21_600)] {
        attempts(&linear, count).await;
        linear.simulator.advance_s(wait_s - 1);
        receiver.stays_at(count).await;
        linear.simulator.advance_s(1);
    }
    let sent = receiver.wait(4).await;
    assert!(sent.iter().all(|one| one.body == sent[0].body));
    assert!(
        sent.iter()
            .all(|one| one.header("linear-delivery") == sent[0].header("linear-delivery"))
    );
    attempts(&linear, 4).await;
    linear.simulator.advance_s(86_400);
    receiver.stays_at(4).await;
}

#[tokio::test]
async fn retries_are_stamped_and_signed_anew_if_told_so() {
    let (linear, receiver) = installed(&[500]).await;
    linear.set(json!({"webhook_restamp_retries": true}));
    new_issue(&linear);
    attempts(&linear, 1).await;
    linear.simulator.advance_s(60);
    let retry = receiver.wait(2).await.remove(1);
    assert_eq!(retry.json()["webhookTimestamp"], json!(START_MS + 60_000));
    assert_eq!(
        retry.header("linear-signature"),
        signature(&linear.simulator.app().webhook_secret, &retry.body)
    );
}

#[tokio::test]
async fn a_receiver_that_never_answers_is_switched_off() {
    let (linear, receiver) = installed(&[500, 500]).await;
    linear.set(json!({"webhook_retry_after_s": [], "webhook_disable_after": 2}));
    for count in 1..=2 {
        new_issue(&linear);
        receiver.wait(count).await;
    }
    for _ in 0..500 {
        if linear.simulator.state()["webhooks"][0]["enabled"] == false {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    new_issue(&linear);
    receiver.stays_at(2).await;
    let id = linear.simulator.state()["webhooks"][0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    linear.simulator.enable_webhook(&id).expect("a webhook");
    new_issue(&linear);
    receiver.wait(3).await;
}

#[tokio::test]
async fn an_uninstall_sends_oauth_app_revoked_with_our_client_id() {
    let (linear, receiver) = installed(&[]).await;
    linear.simulator.uninstall("globex").expect("an uninstall");
    let sent = receiver.wait(1).await.remove(0);
    let body = sent.json();
    assert_eq!(sent.header("linear-event"), "OAuthApp");
    assert_eq!(
        (&body["type"], &body["action"]),
        (&json!("OAuthApp"), &json!("revoked"))
    );
    assert_eq!(body["oauthClientId"], linear.simulator.app().client_id);
    assert!(body.get("actor").is_none() && body.get("data").is_none());
}

#[tokio::test]
async fn an_application_is_named_by_its_own_id_if_told_so() {
    let (linear, receiver) = installed(&[]).await;
    linear.set(json!({"webhook_application_ids": true}));
    linear.simulator.uninstall("globex").expect("an uninstall");
    let app = linear.simulator.app();
    assert_eq!(
        receiver.wait(1).await.remove(0).json()["oauthClientId"],
        app.id
    );
    assert_ne!(app.id, app.client_id);
}

#[tokio::test]
async fn authorisations_are_told_to_those_who_asked() {
    let linear = Linear::start().await;
    let (receiver, url) = Receiver::start(&[]).await;
    linear.set(json!({"webhook_url": url, "webhook_resource_types": ["OAuthAuthorization"]}));
    let tokens = linear.connect_with("globex", &[("actor", "user")]).await;
    let created = receiver.wait(1).await.remove(0).json();
    assert_eq!(
        (&created["action"], &created["activeTokensForUser"]),
        (&json!("created"), &json!(1))
    );
    linear
        .form("/oauth/revoke", &[("token", &tokens.refresh)])
        .await;
    linear
        .form("/oauth/revoke", &[("token", &tokens.access)])
        .await;
    let all = receiver.wait(3).await;
    let revoked = all
        .iter()
        .map(Received::json)
        .find(|body| body["action"] == "revoked" && body["type"] == "OAuthAuthorization");
    assert_eq!(revoked.expect("an event")["activeTokensForUser"], json!(0));
}

#[tokio::test]
async fn a_workspace_s_own_webhook_has_its_own_secret() {
    let linear = Linear::start().await;
    let (receiver, url) = Receiver::start(&[]).await;
    let (_, secret) = linear
        .simulator
        .add_webhook("globex", &url, None, None)
        .expect("a webhook");
    new_issue(&linear);
    let sent = receiver.wait(1).await.remove(0);
    assert_eq!(
        sent.header("linear-signature"),
        signature(&secret, &sent.body)
    );
    assert_ne!(secret, linear.simulator.app().webhook_secret);
}

#[tokio::test]
async fn events_of_one_workspace_do_not_reach_another_s_webhook() {
    let (linear, receiver) = installed(&[]).await;
    linear
        .simulator
        .create_issue("initech", "Elsewhere", None, None)
        .expect("an issue");
    receiver.stays_at(0).await;
}

#[tokio::test]
async fn the_webhook_keeps_its_id_over_a_reinstallation() {
    let (linear, receiver) = installed(&[]).await;
    new_issue(&linear);
    linear.simulator.uninstall("globex").expect("an uninstall");
    linear.connect("globex").await;
    new_issue(&linear);
    let ids: Vec<Value> = receiver
        .wait(3)
        .await
        .iter()
        .map(|one| one.json()["webhookId"].clone())
        .collect();
    assert!(ids.iter().all(|id| *id == ids[0]));
}

#[tokio::test]
async fn events_by_hand_can_be_wrong_in_every_way() {
    let (linear, receiver) = installed(&[500]).await;
    let asked = HandMade {
        workspace: "globex".into(),
        timestamp_ms: Some(1),
        delivery_id: Some(String::new()),
        secret: Some("lin_wh_other".into()),
        fields: [("organizationId".to_owned(), json!("elsewhere"))]
            .into_iter()
            .collect(),
        ..HandMade::default()
    };
    linear.simulator.send_event(&asked).expect("an event");
    let sent = receiver.wait(1).await.remove(0);
    let body = sent.json();
    assert_eq!(
        (&body["webhookTimestamp"], &body["organizationId"]),
        (&json!(1), &json!("elsewhere"))
    );
    assert!(!sent.headers.contains_key("linear-delivery"));
    assert_eq!(
        sent.header("linear-signature"),
        signature("lin_wh_other", &sent.body)
    );
    linear.simulator.advance_s(86_400);
    receiver.stays_at(1).await;
}

#[tokio::test]
async fn a_logged_delivery_is_sent_again_byte_for_byte() {
    let (linear, receiver) = installed(&[]).await;
    new_issue(&linear);
    let first = receiver.wait(1).await.remove(0);
    let id = first.header("linear-delivery").to_owned();
    assert_eq!(
        linear
            .control("deliveries/redeliver", json!({"id": id}))
            .await
            .status,
        200
    );
    let again = receiver.wait(2).await.remove(1);
    assert_eq!(
        (again.body.clone(), again.header("linear-delivery")),
        (first.body.clone(), id.as_str())
    );
}
