use super::*;
use crate::view::Tone;

fn connected() -> Connected {
    Connected {
        connection: "c1".to_owned(),
        workspace: "Globex".to_owned(),
        viewer: "Relink".to_owned(),
        again: false,
    }
}

fn said(notice: &Notice) -> String {
    assert_eq!(notice.tone, Tone::Good);
    format!("{} {}", notice.fact, notice.rest)
}

#[test]
fn a_connected_workspace_is_said_with_what_is_next() {
    let own_webhook = connected_words(&connected(), false, None);
    assert_eq!(
        said(&own_webhook),
        "Globex is connected. Next: paste its webhook secret, so deliveries can be verified."
    );
    let paste = Next::link("Paste the webhook secret", "/integrations/c1#webhooks");
    assert_eq!(own_webhook.next, [paste]);
    let asked = Next::link("Which one is you?", "/team#me");
    let by_app = connected_words(&connected(), true, Some(asked.clone()));
    assert_eq!(
        said(&by_app),
        "Globex is connected. Its deliveries arrive through the Linear app’s own webhook."
    );
    assert_eq!(by_app.next, [asked]);
    assert_eq!(
        said(&connected_again(&connected())),
        "Globex is connected again. Linear answered as “Relink”."
    );
}
