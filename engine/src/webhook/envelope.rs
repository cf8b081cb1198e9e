//! The parts of a webhook's body that Relink reads. The rest of it, and its exact bytes, belong to
//! whoever it is handed on to.
//!
//! Read leniently and once: of a key that is there twice the last one counts, as in JavaScript, so
//! what was checked is what is stored. A field of another shape than expected is taken as absent.

use std::fmt;
use std::ops::Range;

use serde::de::{DeserializeOwned, Deserializer as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::clock::Millis;

/// Longer texts are cut for the page; the body keeps them whole.
const TEXT_MAX: usize = 200;
/// Linear's ids of webhooks are UUIDs.
const WEBHOOK_ID_MAX: usize = 64;

/// `webhookTimestamp`, which is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timestamp {
    Missing,
    /// The value is no number.
    Wrong,
    At(Millis),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// `organizationId`. Anybody can write it: until a signature agrees it only says which secrets
    /// to try.
    pub workspace: String,
    pub timestamp: Timestamp,
    pub event: String,
    pub action: String,
    /// RFC 3339, when it happened.
    pub created_at: String,
    /// The app that an event about apps is about.
    pub oauth_client: Option<String>,
    /// The user whose authorization an event is about, and how many tokens they have left.
    pub user: String,
    pub active_tokens: Option<i64>,
    /// The name that people call the thing: "ENG-412", a project's name.
    pub subject: String,
    pub actor: String,
    /// Events with the same one stay in order where that is asked for: the issue they are about, or
    /// the thing itself.
    pub entity: String,
    /// The webhook of Linear's that it came through; empty where that is no plain id.
    pub webhook: String,
    /// The places where the body tells through which webhook it came and when it was sent, which is
    /// all that differs between the bodies of one event. Empty for a body that has to be taken
    /// whole.
    varying: Vec<Range<usize>>,
}

impl Envelope {
    /// `None` for anything but a JSON object.
    #[must_use]
    pub fn read(body: &[u8]) -> Option<Envelope> {
        const TOP: [&str; 14] = [
            "organizationId",
            "webhookTimestamp",
            "webhookId",
            "type",
            "action",
            "createdAt",
            "oauthClientId",
            "userId",
            "activeTokensForUser",
            "data",
            "actor",
            "agentSession",
            "notification",
            "issueData",
        ];
        // What is skipped would not be checked otherwise, and only text can be handed on as text.
        std::str::from_utf8(body).ok()?;
        let [
            workspace,
            timestamp,
            webhook,
            event,
            action,
            created_at,
            client,
            user,
            active,
            data,
            actor,
            session,
            notification,
            sla,
        ] = fields(body, TOP)?;
        let thing = data
            .or(session)
            .or(notification)
            .or(sla)
            .map(Thing::read)
            .unwrap_or_default();
        let (created_at, webhook) = (text(created_at), webhook.and_then(plain_id));
        Some(Envelope {
            workspace: text(workspace),
            varying: varying(body, &created_at, timestamp, webhook),
            webhook: webhook
                .map(|raw| raw.get().trim_matches('"').to_owned())
                .unwrap_or_default(),
            timestamp: read_timestamp(timestamp),
            event: text(event),
            action: text(action),
            created_at,
            oauth_client: client.and_then(value::<String>),
            user: text(user),
            active_tokens: active.and_then(value),
            subject: thing.subject,
            actor: actor
                .and_then(|actor| fields(actor.get().as_bytes(), ["name"]))
                .map(|[name]| text(name))
                .unwrap_or_default(),
            entity: thing.entity,
        })
    }

    /// Names the event that `body` tells of: the same through every webhook of a workspace, and
    /// when Linear stamps a retry anew. The time at which it happened stands in front, so that what
    /// comes together is kept together.
    #[must_use]
    pub fn event_key(&self, body: &[u8]) -> EventKey {
        let mut digest = Sha256::new()
            .chain_update(&self.workspace)
            .chain_update([0]);
        let mut from = 0;
        for part in &self.varying {
            digest.update(&body[from..part.start]);
            from = part.end;
        }
        let digest = digest.chain_update(&body[from..]).finalize();
        let mut key = [0; 22];
        key[..6].copy_from_slice(&happened_at(&self.created_at).unwrap_or(0).to_be_bytes()[2..]);
        key[6..].copy_from_slice(&digest[..16]);
        key
    }
}

/// See [`Envelope::event_key`].
pub type EventKey = [u8; 22];

/// Finds what varies. Without its time nothing would tell an event from the next one that says the
/// same, so such a body is taken whole. Where one webhook's body is handed on in place of
/// another's, nobody may have written more into it than a plain id.
fn varying(
    body: &[u8],
    created_at: &str,
    timestamp: Option<&RawValue>,
    webhook: Option<&RawValue>,
) -> Vec<Range<usize>> {
    let (Some(timestamp), Some(webhook), Some(_)) = (timestamp, webhook, happened_at(created_at))
    else {
        return Vec::new();
    };
    let place = |raw: &RawValue| {
        let start = raw.get().as_ptr().addr() - body.as_ptr().addr();
        start..start + raw.get().len()
    };
    let mut both = vec![place(timestamp), place(webhook)];
    both.sort_by_key(|part| part.start);
    both
}

/// A text of letters, digits and dashes, as it stands there.
fn plain_id(raw: &RawValue) -> Option<&RawValue> {
    let id = raw.get().strip_prefix('"')?.strip_suffix('"')?;
    let plain = id
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    (plain && id.len() <= WEBHOOK_ID_MAX).then_some(raw)
}

#[derive(Default)]
struct Thing {
    subject: String,
    entity: String,
}

impl Thing {
    fn read(raw: &RawValue) -> Thing {
        const PARTS: [&str; 8] = [
            "id",
            "identifier",
            "name",
            "title",
            "issueId",
            "projectId",
            "issue",
            "project",
        ];
        let Some(
            [
                id,
                identifier,
                name,
                title,
                issue_id,
                project_id,
                issue,
                project,
            ],
        ) = fields(raw.get().as_bytes(), PARTS)
        else {
            return Thing::default();
        };
        let part = |raw: Option<&RawValue>, name: &str| {
            raw.and_then(|raw| fields(raw.get().as_bytes(), [name]))
                .map(|[part]| text(part))
                .unwrap_or_default()
        };
        let first = |texts: [String; 5]| {
            texts
                .into_iter()
                .find(|text| !text.is_empty())
                .unwrap_or_default()
        };
        Thing {
            subject: first([
                text(identifier),
                part(issue, "identifier"),
                text(name),
                text(title),
                part(project, "name"),
            ]),
            // Issues alone have an identifier, and name the project that they are in.
            entity: first([
                if identifier.is_some() {
                    text(id)
                } else {
                    String::new()
                },
                text(issue_id),
                part(issue, "id"),
                first_of(text(project_id), part(project, "id")),
                text(id),
            ]),
        }
    }
}

fn first_of(one: String, other: String) -> String {
    if one.is_empty() { other } else { one }
}

fn read_timestamp(raw: Option<&RawValue>) -> Timestamp {
    let Some(raw) = raw.filter(|raw| raw.get() != "null") else {
        return Timestamp::Missing;
    };
    match (value::<i64>(raw), value::<f64>(raw)) {
        (Some(at), _) => Timestamp::At(at),
        // JavaScript knows no other numbers. The cast saturates, and either end is out of every
        // window.
        (None, Some(at)) => Timestamp::At(at as Millis),
        (None, None) => Timestamp::Wrong,
    }
}

fn value<T: DeserializeOwned>(raw: &RawValue) -> Option<T> {
    serde_json::from_str(raw.get()).ok()
}

/// A text, cut, and without the NUL characters that PostgreSQL does not take.
fn text(raw: Option<&RawValue>) -> String {
    let text: String = raw.and_then(value).unwrap_or_default();
    if text.len() <= TEXT_MAX && !text.contains('\0') {
        return text;
    }
    text.replace('\0', "\u{fffd}")
        .chars()
        .take(TEXT_MAX)
        .collect()
}

/// The values of these keys, as they stand there; `None` for anything but a JSON object. Takes no
/// memory for the others and nests as deep as it likes.
fn fields<'a, const N: usize>(
    json: &'a [u8],
    names: [&str; N],
) -> Option<[Option<&'a RawValue>; N]> {
    struct Picked<'n, const N: usize>([&'n str; N]);

    impl<'a, const N: usize> Visitor<'a> for Picked<'_, N> {
        type Value = [Option<&'a RawValue>; N];

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a JSON object")
        }

        fn visit_map<M: MapAccess<'a>>(self, mut map: M) -> Result<Self::Value, M::Error> {
            let mut found = [None; N];
            while let Some(key) = map.next_key::<Key>()? {
                match self.0.iter().position(|name| *name == key.0) {
                    Some(index) => found[index] = Some(map.next_value()?),
                    None => drop(map.next_value::<IgnoredAny>()?),
                }
            }
            Ok(found)
        }
    }

    let mut json = serde_json::Deserializer::from_slice(json);
    let found = json.deserialize_map(Picked(names)).ok()?;
    json.end().ok()?;
    Some(found)
}

/// A key, whether it is escaped or not.
#[derive(serde::Deserialize)]
struct Key<'a>(#[serde(borrow)] std::borrow::Cow<'a, str>);

/// RFC 3339 to milliseconds.
pub(super) fn happened_at(text: &str) -> Option<Millis> {
    let at = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    i64::try_from(at.unix_timestamp_nanos() / 1_000_000).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Option<Envelope> {
        Envelope::read(json.as_bytes())
    }

    #[test]
    fn what_the_page_and_the_walks_need_is_found() {
        let envelope = read(
            r#"{"action":"update","actor":{"id":"u1","name":"Mara","type":"user"},
               "createdAt":"2026-11-19T14:01:02.180Z",
               "data":{"id":"i1","identifier":"ENG-412","title":"Retry"},
               "type":"Issue","organizationId":"w1",
               "webhookTimestamp":1795096862214,"webhookId":"h1"}"#,
        )
        .unwrap();
        assert_eq!(
            (envelope.workspace.as_str(), envelope.timestamp),
            ("w1", Timestamp::At(1_795_096_862_214))
        );
        assert_eq!(
            (
                envelope.event.as_str(),
                envelope.action.as_str(),
                envelope.actor.as_str()
            ),
            ("Issue", "update", "Mara")
        );
        assert_eq!(
            (envelope.subject.as_str(), envelope.entity.as_str()),
            ("ENG-412", "i1")
        );
    }

    #[test]
    fn a_comment_belongs_to_its_issue() {
        let envelope = read(
            r#"{"type":"Comment",
                "data":{"id":"c1","issueId":"i1","issue":{"id":"i1","identifier":"ENG-398"}}}"#,
        )
        .unwrap();
        assert_eq!(
            (envelope.subject.as_str(), envelope.entity.as_str()),
            ("ENG-398", "i1")
        );
    }

    #[test]
    fn an_issue_in_a_project_is_still_about_itself() {
        let entity = |json: &str| read(json).unwrap().entity;
        assert_eq!(
            entity(
                r#"{"type":"Issue","data":{"id":"i1","identifier":"ENG-1","projectId":"p1",
                    "project":{"id":"p1"}}}"#
            ),
            "i1"
        );
        assert_eq!(
            entity(r#"{"type":"Comment","data":{"id":"c1","issueId":"i1","projectId":"p1"}}"#),
            "i1"
        );
        assert_eq!(
            entity(r#"{"type":"ProjectUpdate","data":{"id":"u1","project":{"id":"p1"}}}"#),
            "p1"
        );
        assert_eq!(
            entity(r#"{"type":"IssueSLA","issueData":{"id":"i1","identifier":"ENG-1"}}"#),
            "i1"
        );
    }

    #[test]
    fn of_a_key_that_is_there_twice_the_last_one_counts() {
        assert_eq!(
            read(r#"{"organizationId":"a","organizationId":"b"}"#)
                .unwrap()
                .workspace,
            "b"
        );
        assert_eq!(
            read(r#"{"organizationId":"a","organizationId":7}"#)
                .unwrap()
                .workspace,
            ""
        );
        assert_eq!(
            read(r#"{"organizationId":"a","\u006frganizationId":"b"}"#)
                .unwrap()
                .workspace,
            "b"
        );
    }

    #[test]
    fn timestamps_are_numbers() {
        let at = |value: &str| {
            read(&format!(r#"{{"webhookTimestamp":{value}}}"#))
                .unwrap()
                .timestamp
        };
        assert_eq!(
            (at("17"), at("-17"), at("1.9e3")),
            (Timestamp::At(17), Timestamp::At(-17), Timestamp::At(1_900))
        );
        assert_eq!(
            (at("1e300"), at("99999999999999999999")),
            (Timestamp::At(i64::MAX), Timestamp::At(i64::MAX))
        );
        assert_eq!(
            (at("\"17\""), at("[]"), at("true")),
            (Timestamp::Wrong, Timestamp::Wrong, Timestamp::Wrong)
        );
        assert_eq!(
            (at("null"), read("{}").unwrap().timestamp),
            (Timestamp::Missing, Timestamp::Missing)
        );
    }

    #[test]
    fn odd_shapes_are_survived_and_anything_but_an_object_is_none() {
        for none in [
            "",
            "null",
            "[]",
            "7",
            "\"{}\"",
            "{",
            "{}x",
            "{\"a\":}",
            "\u{feff}{}",
        ] {
            assert_eq!(read(none), None, "{none:?}");
        }
        assert!(Envelope::read(b"{\"a\":\"\xff\"}").is_none());
        let odd =
            read(r#"{"type":1,"action":{},"data":[1],"actor":"x","organizationId":"w"}"#).unwrap();
        assert_eq!(
            (
                odd.event.as_str(),
                odd.action.as_str(),
                odd.subject.as_str(),
                odd.workspace.as_str()
            ),
            ("", "", "", "w")
        );
        let deep = format!(
            r#"{{"organizationId":"w","x":{}1{},"data":{}{}}}"#,
            "[".repeat(100_000),
            "]".repeat(100_000),
            "[".repeat(9_999),
            "]".repeat(9_999)
        );
        assert_eq!(read(&deep).unwrap().workspace, "w");
    }

    #[test]
    fn texts_are_cut_and_carry_no_nul() {
        let long = read(&format!(r#"{{"type":"a\u0000b{}"}}"#, "ü".repeat(500))).unwrap();
        assert_eq!(long.event.chars().count(), TEXT_MAX);
        assert!(long.event.starts_with("a\u{fffd}b"));
    }

    #[test]
    fn linears_times_are_read() {
        assert_eq!(
            happened_at("2026-11-19T14:02:11.214Z"),
            Some(1_795_096_931_214)
        );
        assert_eq!(
            happened_at("2026-11-19T15:02:11+01:00"),
            Some(1_795_096_931_000)
        );
        assert_eq!((happened_at(""), happened_at("yesterday")), (None, None));
    }
}
