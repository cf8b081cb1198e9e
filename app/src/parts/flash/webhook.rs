//! What saving a signing secret or checking a delivery led to.

use super::{Next, Tone, Words};
use crate::view::{CheckView, SignedWith, Signer, Verdict};

pub fn saved(replaced: bool) -> Words {
    let rest = if replaced {
        "Waiting for the first delivery signed with it. The one before is accepted until then, and \
            for a while longer."
    } else {
        "Waiting for the first delivery signed with it."
    };
    Words::new(Tone::Good, "Saved.", rest)
}

pub fn checked(check: CheckView) -> Words {
    let tone = match check.verdict {
        Verdict::Accepted => Tone::Good,
        Verdict::OutOfTime { .. } => Tone::Waiting,
        _ => Tone::Bad,
    };
    Words::new(tone, signed(&check.signer), fate(&check)).then(Next::CheckAnother)
}

fn signed(signer: &Signer) -> String {
    match signer {
        Signer::App => "The delivery is signed with the secret of the Linear app.".to_owned(),
        Signer::Nobody => "The delivery is signed with no secret known here.".to_owned(),
        Signer::Secret {
            workspace,
            secret,
            which,
        } => match which {
            SignedWith::Current => {
                format!("The delivery is signed with the current secret of {workspace}, {secret}.")
            }
            SignedWith::Previous => {
                format!(
                    "The delivery is signed with the previous secret of {workspace}, \
                    {secret}."
                )
            }
            SignedWith::App | SignedWith::Retired | SignedWith::Removed => {
                format!(
                    "The delivery is signed with a secret of {workspace} that is not accepted any \
                        more, {secret}."
                )
            }
        },
    }
}

fn fate(check: &CheckView) -> String {
    let name = check.names.as_deref().unwrap_or_default();
    match &check.verdict {
        Verdict::Accepted => format!("It names {name} and would be accepted."),
        Verdict::OutOfTime { sent: Some(sent) } => {
            format!(
                "It names {name} and would be accepted, were it not for its age: it was sent at \
                    {}.",
                sent.text
            )
        }
        Verdict::OutOfTime { sent: None } => {
            format!("It names {name}, but has no webhookTimestamp, so it would be refused.")
        }
        Verdict::OtherWorkspace => {
            format!(
                "But it names {name}, so it would be refused. Check which secret is set on the \
                    webhook in Linear."
            )
        }
        Verdict::Retired => format!(
            "It names {name}, so it would be refused. If Linear still uses that secret, save it \
                again."
        ),
        Verdict::NotConnected => {
            "It names a workspace that is not connected here, so it would not be accepted."
                .to_owned()
        }
        Verdict::NoWebhook => {
            "The body names no workspace, so it would not be accepted.".to_owned()
        }
        Verdict::Unknown => "It would be refused. The body must be exactly what was sent, to the \
            last byte; if it is, the webhook in \
            Linear has another secret."
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::Moment;

    fn said(signer: Signer, verdict: Verdict) -> String {
        let words = checked(CheckView {
            signer,
            names: Some("Globex".to_owned()),
            verdict,
        });
        format!("{} {}", words.fact, words.rest)
    }

    fn secret(which: SignedWith) -> Signer {
        Signer::Secret {
            workspace: "Globex".to_owned(),
            secret: "lin_wh_····w7Qx".to_owned(),
            which,
        }
    }

    #[test]
    fn every_verdict_has_its_sentence() {
        let sent = |sent| Verdict::OutOfTime { sent };
        let at = Moment::new(String::new(), "22:10 UTC on 9 Nov".to_owned());
        let cases = [
            (
                secret(SignedWith::Current),
                Verdict::Accepted,
                "The delivery is signed with the current secret of Globex, lin_wh_····w7Qx. It \
                    names Globex and would be accepted.",
            ),
            (
                secret(SignedWith::Previous),
                sent(Some(at)),
                "The delivery is signed with the previous secret of Globex, lin_wh_····w7Qx. It \
                    names Globex and would be accepted, were it not for \
                    its age: it was sent at 22:10 UTC on 9 Nov.",
            ),
            (
                Signer::App,
                sent(None),
                "The delivery is signed with the secret of the Linear app. It names Globex, but \
                    has no webhookTimestamp, so it would be refused.",
            ),
            (
                secret(SignedWith::Retired),
                Verdict::Retired,
                "The delivery is signed with a secret of Globex that is not accepted any more, \
                    lin_wh_····w7Qx. It names Globex, so it would be refused. If \
                    Linear still uses that secret, save it again.",
            ),
            (
                secret(SignedWith::Current),
                Verdict::OtherWorkspace,
                "The delivery is signed with the current secret of Globex, lin_wh_····w7Qx. But it \
                    names Globex, so it would be refused. Check which secret \
                    is set on the webhook in Linear.",
            ),
            (
                Signer::Nobody,
                Verdict::Unknown,
                "The delivery is signed with no secret known here. It would be refused. The body \
                    must be exactly what was sent, to the last byte; if it is, \
                    the webhook in Linear has another secret.",
            ),
            (
                Signer::Nobody,
                Verdict::NoWebhook,
                "The delivery is signed with no secret known here. The body names no workspace, so \
                    it would not be accepted.",
            ),
            (
                Signer::App,
                Verdict::NotConnected,
                "The delivery is signed with the secret of the Linear app. It names a workspace \
                    that is not connected here, so it would not be accepted.",
            ),
        ];
        for (signer, verdict, sentence) in cases {
            assert_eq!(said(signer, verdict), sentence);
        }
    }

    #[test]
    fn only_what_would_be_accepted_is_good_news() {
        let tone = |verdict| {
            checked(CheckView {
                signer: Signer::App,
                names: None,
                verdict,
            })
            .tone
        };
        assert_eq!(tone(Verdict::Accepted), Tone::Good);
        assert_eq!(tone(Verdict::OutOfTime { sent: None }), Tone::Waiting);
        assert_eq!(
            [Verdict::Unknown, Verdict::Retired, Verdict::OtherWorkspace].map(tone),
            [Tone::Bad; 3]
        );
    }
}
