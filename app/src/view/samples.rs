//! The values that the engine would hand over, for tests.

use relink_engine::clock::{HOUR, Millis};
use relink_engine::connection::{ActAs, Connection, Reason, State, TokenTimes, Viewer, Workspace};
use relink_engine::identity::{Person, Role, Standing};
use relink_engine::webhook::SigningSecret;

/// 2026-11-19 14:02:11 UTC.
pub const NOW: Millis = 1_795_096_931_000;

/// A connection that works, to the workspace "w-" and its id.
pub fn connection(id: &str, name: &str) -> Connection {
    let token = TokenTimes {
        issued_at: NOW - HOUR,
        expires_at: NOW + 23 * HOUR,
        fingerprint: "9f3a1c72".to_owned(),
    };
    Connection {
        id: id.to_owned(),
        app_id: None,
        organisation_id: "o1".to_owned(),
        workspace: Workspace {
            id: format!("w-{id}"),
            name: name.to_owned(),
            url_key: id.to_owned(),
            logo_url: None,
        },
        actor: ActAs::App,
        viewer: Viewer {
            id: "v1".to_owned(),
            name: "Relink".to_owned(),
        },
        scopes: vec!["read".to_owned()],
        state: State::Connected { token },
        generation: 3,
        connected_by: "Priya Raman".to_owned(),
        connected_at: NOW - HOUR,
        last_verified_at: None,
        last_error: None,
        refresh_trouble: None,
        kept: false,
    }
}

/// A secret that ends with its id.
pub fn secret(connection: &str, id: &str, retires_at: Option<Millis>) -> SigningSecret {
    SigningSecret {
        id: id.to_owned(),
        connection_id: connection.to_owned(),
        last_four: id.to_owned(),
        added_by: Some("Priya Raman".to_owned()),
        added_at: NOW - HOUR,
        retires_at,
        replaced: false,
        matched_at: None,
    }
}

/// Makes the person who looks at a page, as this member.
pub fn person(user_id: &str, role: Role) -> Person {
    Person {
        user_id: user_id.to_owned(),
        email: "priya@northwind.dev".to_owned(),
        name: "Priya Raman".to_owned(),
        organisation_id: "o1".to_owned(),
        organisation: "Northwind Labs".to_owned(),
        role,
        standing: Standing::Proved,
        address: String::new(),
    }
}

/// Two that work, one that was revoked, and one that ended.
pub fn connections() -> Vec<Connection> {
    let revoked = State::ReconnectRequired {
        since: NOW,
        reason: Reason::Revoked,
        evidence: None,
        token: None,
    };
    let ended = State::Disconnected {
        at: NOW,
        by: None,
        reason: Reason::ByPerson,
        revoked: true,
    };
    vec![
        connection("acme", "Acme Robotics"),
        connection("globex", "Globex"),
        Connection {
            state: revoked,
            ..connection("initech", "Initech Studio")
        },
        Connection {
            state: ended,
            ..connection("hooli", "Hooli")
        },
    ]
}
