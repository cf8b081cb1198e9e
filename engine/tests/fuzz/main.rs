//! Anything at all as a webhook: reading and verifying it never panics, and never disagrees with a
//! full parse.
//!
//! `RELINK_FUZZ_CASES` says how many inputs; `make fuzz` takes ten million. What ever failed is
//! kept beside this file and tried first.

#![expect(clippy::unwrap_used, reason = "a test stops where something is wrong")]

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, FileFailurePersistence, TestRunner};
use relink_engine::webhook::{Envelope, SigningKey, Timestamp};
use serde_json::Value;

const CASES: u32 = 20_000;

#[expect(
    clippy::disallowed_methods,
    reason = "a fuzz run is told how long to run"
)]
fn runner() -> TestRunner {
    let cases = std::env::var("RELINK_FUZZ_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok())
        .unwrap_or(CASES);
    let kept = FileFailurePersistence::Direct(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fuzz/failed.txt"
    ));
    TestRunner::new(Config {
        cases,
        failure_persistence: Some(Box::new(kept)),
        max_shrink_iters: 10_000,
        ..Config::default()
    })
}

/// Keys that are read, among others, escaped now and then.
fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => prop::sample::select(vec![
            "organizationId", "webhookTimestamp", "type", "action", "createdAt", "oauthClientId",
            "userId", "activeTokensForUser", "data", "actor", "agentSession", "webhookId", "id",
            "identifier", "name", "issue", "issueId",
        ]).prop_map(|name| format!("\"{name}\"")),
        1 => Just("\"\\u006frganizationId\"".to_owned()),
        1 => "[a-z]{0,4}".prop_map(|name| format!("\"{name}\"")),
    ]
}

fn scalar() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => any::<i64>().prop_map(|number| number.to_string()),
        1 => any::<f64>().prop_map(|number| {
            if number.is_finite() { number.to_string() } else { "1e999".to_owned() }
        }),
        4 => any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
        1 => prop::sample::select(vec![
            "null", "true", "\"\\u0000\"", "\"\\ud800\"", "-", "\"", "01", "1e5", "\"\\u0041\"", "",
        ]).prop_map(str::to_owned),
    ]
}

fn json() -> impl Strategy<Value = String> {
    let object = |inner: BoxedStrategy<String>| {
        vec((key(), inner), 0..6).prop_map(|members| {
            let members: Vec<String> = members
                .into_iter()
                .map(|(key, value)| format!("{key}:{value}"))
                .collect();
            format!("{{{}}}", members.join(","))
        })
    };
    let value = scalar().prop_recursive(3, 24, 6, move |inner| {
        prop_oneof![
            object(inner.clone().boxed()),
            vec(inner, 0..4).prop_map(|items| format!("[{}]", items.join(",")))
        ]
    });
    object(value.boxed())
}

/// JSON, JSON with something wrong in it, and noise.
fn body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => json().prop_map(String::into_bytes),
        2 => (json(), any::<prop::sample::Index>(), any::<u8>()).prop_map(|(json, at, byte)| {
            let mut bytes = json.into_bytes();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            bytes
        }),
        1 => (json(), any::<prop::sample::Index>())
            .prop_map(|(json, at)| json.as_bytes()[..at.index(json.len())].to_vec()),
        1 => vec(any::<u8>(), 0..64),
    ]
}

/// Cuts a text as the envelope does, and takes out NUL.
fn kept(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_default()
        .replace('\0', "\u{fffd}")
        .chars()
        .take(200)
        .collect()
}

fn agrees(body: &[u8]) -> Result<(), TestCaseError> {
    let read = Envelope::read(body);
    prop_assert!(read.is_none() || std::str::from_utf8(body).is_ok());
    let Ok(whole) = serde_json::from_slice::<Value>(body) else {
        return Ok(());
    };
    prop_assert_eq!(read.is_some(), whole.is_object());
    let Some(read) = read else { return Ok(()) };
    prop_assert!(read.workspace.len() <= 200 || read.workspace == kept(&whole["organizationId"]));
    prop_assert_eq!(read.event, kept(&whole["type"]));
    prop_assert_eq!(
        read.oauth_client.as_deref(),
        whole["oauthClientId"].as_str()
    );
    let stamp = &whole["webhookTimestamp"];
    let expected = match (stamp.as_i64(), stamp.as_f64()) {
        (Some(at), _) => Timestamp::At(at),
        (None, Some(at)) => Timestamp::At(at as i64),
        (None, None) if stamp.is_null() => Timestamp::Missing,
        (None, None) => Timestamp::Wrong,
    };
    prop_assert_eq!(read.timestamp, expected);
    Ok(())
}

#[test]
fn what_is_read_is_what_is_there() {
    runner().run(&body(), |body| agrees(&body)).unwrap();
}

/// The event of a body: all that is in it, but for the webhook that it came through and when.
fn event(body: &[u8]) -> Option<Value> {
    let mut whole: Value = serde_json::from_slice(body).ok()?;
    let members = whole.as_object_mut()?;
    members.remove("webhookId");
    members.remove("webhookTimestamp");
    Some(whole)
}

/// Two bodies are one event only if nothing else differs, whatever is in them.
#[test]
fn bodies_with_one_key_tell_of_one_event() {
    let mutated =
        (body(), any::<prop::sample::Index>(), any::<u8>()).prop_map(|(body, at, byte)| {
            let mut other = body.clone();
            if !other.is_empty() {
                let at = at.index(other.len());
                other[at] = byte;
            }
            (body, other)
        });
    runner()
        .run(&prop_oneof![mutated, (body(), body())], |(one, other)| {
            let (Some(read), Some(also)) = (Envelope::read(&one), Envelope::read(&other)) else {
                return Ok(());
            };
            if read.event_key(&one) == also.event_key(&other) && one != other {
                prop_assert!(event(&one).is_none() || event(&one) == event(&other));
            }
            Ok(())
        })
        .unwrap();
}

/// However its members stand, and whatever they hold: another webhook and another time are the same
/// event, and nothing else is.
#[test]
fn through_another_webhook_it_is_the_same_event() {
    let varying = || ("[a-zA-Z0-9-]{0,40}", any::<i64>());
    let case = (
        vec((key(), json()), 0..5),
        any::<[prop::sample::Index; 3]>(),
        varying(),
        varying(),
        any::<prop::sample::Index>(),
    );
    runner()
        .run(&case, |(members, places, one, other, cut)| {
            let with = |(webhook, at): &(String, i64), created: &str| {
                let mut members: Vec<String> = members
                    .iter()
                    .map(|(key, value)| format!("{key}:{value}"))
                    .collect();
                let own = [
                    format!("\"createdAt\":\"{created}\""),
                    format!("\"webhookId\":\"{webhook}\""),
                    format!("\"webhookTimestamp\": {at} "),
                ];
                // The last one counts, so ours stand behind all others of that name.
                for (own, place) in own.into_iter().zip(places) {
                    let last = members
                        .iter()
                        .rposition(|member| own.starts_with(member.split(':').next().unwrap()))
                        .map_or(0, |at| at + 1);
                    members.insert(last + place.index(members.len() + 1 - last), own);
                }
                format!("{{{}}}", members.join(",")).into_bytes()
            };
            let key = |body: &[u8]| Envelope::read(body).map(|read| read.event_key(body));
            let created = "2026-11-19T14:02:11.214Z";
            let (first, second) = (with(&one, created), with(&other, created));
            prop_assert_eq!(key(&first), key(&second));
            prop_assert!(
                key(&first).is_none()
                    || key(&first) != key(&with(&one, "2026-11-19T14:02:11.215Z"))
            );
            let mut longer = first.clone();
            longer.insert(cut.index(first.len()), b' ');
            prop_assert!(
                key(&longer).is_none()
                    || key(&longer) != key(&first)
                    || event(&longer) == event(&first)
            );
            Ok(())
        })
        .unwrap();
}

#[test]
fn only_the_very_signature_of_the_very_body_verifies() {
    let key = SigningKey::new(&"lin_wh_0123456789abcdef".into()).unwrap();
    let other = SigningKey::new(&"lin_wh_0123456789abcdeg".into()).unwrap();
    let case = (
        body(),
        vec(any::<u8>(), 0..80),
        any::<prop::sample::Index>(),
        0..8_u8,
    );
    runner()
        .run(&case, |(body, noise, at, bit)| {
            let good = key.sign(&body);
            prop_assert!(key.verifies(&body, &good) && !other.verifies(&body, &good));
            prop_assert!(noise == good || !key.verifies(&body, &noise));
            let mut flipped = good;
            flipped[at.index(64)] ^= 1 << bit;
            prop_assert!(!key.verifies(&body, &flipped));
            let mut longer = body.clone();
            longer.push(b' ');
            prop_assert!(!key.verifies(&longer, &good));
            Ok(())
        })
        .unwrap();
}
