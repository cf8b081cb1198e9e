use relink_engine::clock::{DAY, HOUR};

use super::*;
use crate::view::samples::{NOW, connections, secret};

fn secrets() -> Vec<SigningSecret> {
    vec![
        secret("acme", "prev", Some(NOW + 23 * HOUR)),
        secret("acme", "gone", Some(NOW)),
        secret("globex", "w7Qx", None),
        secret("acme", "curr", None),
    ]
}

fn by(connection: &str, last_four: &str, retired: bool) -> SignedBy {
    SignedBy::Secret {
        connection_id: connection.to_owned(),
        last_four: last_four.to_owned(),
        retired,
    }
}

fn checked(workspace: &str, signed_by: SignedBy, accepted: bool) -> CheckedDelivery {
    CheckedDelivery {
        workspace_id: Some(workspace.to_owned()).filter(|id| !id.is_empty()),
        sent_at: Some(NOW - DAY),
        signed_by,
        accepted,
        in_time: true,
    }
}

fn late(sent_at: Option<Millis>, signed_by: SignedBy) -> CheckedDelivery {
    CheckedDelivery {
        sent_at,
        in_time: false,
        ..checked("w-acme", signed_by, true)
    }
}

#[test]
fn a_checked_delivery_says_who_signed_it_and_what_would_become_of_it() {
    let cases = [
        (
            checked("w-acme", by("acme", "curr", false), true),
            Tone::Good,
            "The delivery is signed with the current secret of Acme Robotics, lin_wh_····curr. It \
                names Acme Robotics and would be accepted.",
        ),
        (
            late(Some(NOW - 10 * DAY), by("acme", "prev", false)),
            Tone::Waiting,
            "The delivery is signed with the previous secret of Acme Robotics, lin_wh_····prev. \
                It names Acme Robotics and would be accepted, were it not for its age: it was \
                sent at 14:02 UTC on 9 Nov.",
        ),
        (
            late(Some(NOW - DAY), SignedBy::App),
            Tone::Waiting,
            "The delivery is signed with the secret of the Linear app. It names Acme Robotics and \
                would be accepted, were it not for its age: it was sent at 14:02 UTC yesterday.",
        ),
        (
            late(None, SignedBy::App),
            Tone::Waiting,
            "The delivery is signed with the secret of the Linear app. It names Acme Robotics, \
                but has no webhookTimestamp, so it would be refused.",
        ),
        (
            checked("w-acme", by("acme", "gone", true), false),
            Tone::Bad,
            "The delivery is signed with a secret of Acme Robotics that is not accepted any more, \
                lin_wh_····gone. It names Acme Robotics, so it would be refused. If Linear still \
                uses that secret, save it again.",
        ),
        (
            checked("w-acme", by("acme", "lost", true), false),
            Tone::Bad,
            "The delivery is signed with a secret of Acme Robotics that is not accepted any more, \
                lin_wh_····lost. It names Acme Robotics, so it would be refused. If Linear still \
                uses that secret, save it again.",
        ),
        (
            checked("w-acme", by("globex", "w7Qx", false), false),
            Tone::Bad,
            "The delivery is signed with the current secret of Globex, lin_wh_····w7Qx. But it \
                names Acme Robotics, so it would be refused. Check which secret is set on the \
                webhook in Linear.",
        ),
        (
            checked("w-acme", SignedBy::Nobody, false),
            Tone::Bad,
            "The delivery is signed with no secret known here. It would be refused. The body must \
                be exactly what was sent, to the last byte; if it is, the webhook in Linear has \
                another secret.",
        ),
        (
            checked("", SignedBy::Nobody, false),
            Tone::Bad,
            "The delivery is signed with no secret known here. The body names no workspace, so it \
                would not be accepted.",
        ),
    ];
    for (checked, tone, sentence) in cases {
        let said = notice(&checked, &secrets(), &connections(), NOW);
        assert_eq!(format!("{} {}", said.fact, said.rest), sentence);
        assert_eq!(said.tone, tone, "{sentence}");
    }
}

#[test]
fn a_workspace_that_takes_no_deliveries_is_not_connected_here() {
    for (workspace, accepted) in [
        ("w-elsewhere", false),
        ("w-initech", true),
        ("w-hooli", true),
    ] {
        let checked = checked(workspace, SignedBy::App, accepted);
        let said = notice(&checked, &secrets(), &connections(), NOW);
        assert_eq!(
            (said.tone, format!("{} {}", said.fact, said.rest).as_str()),
            (
                Tone::Bad,
                "The delivery is signed with the secret of the Linear app. It names a workspace \
                    that is not connected here, so it would not be accepted."
            ),
            "{workspace}"
        );
    }
}
