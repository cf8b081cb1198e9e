use super::*;
use crate::rendered;

fn html(notice: Notice, manages: bool) -> String {
    rendered::html(|| view! { <NoticeBox notice page="/integrations".to_owned() manages /> })
}

fn connected(next: Option<Next>) -> Notice {
    let notice = Notice::good("Acme is connected.", "Next: paste its webhook secret.");
    let notice = notice.then(Next::link(
        "Paste the webhook secret",
        "/integrations/c1#webhooks",
    ));
    Notice {
        next: notice.next.into_iter().chain(next).collect(),
        ..notice
    }
}

#[test]
fn good_news_is_a_quiet_status_and_bad_news_takes_the_focus() {
    let good = html(Notice::good("Saved.", "Waiting."), true);
    assert!(good.contains(r#"class="flash ok""#) && good.contains(r#"role="status""#));
    assert!(!good.contains("autofocus"));
    for (notice, class) in [
        (Notice::bad("No.", "Nothing was changed."), "flash bad"),
        (
            Notice::waiting("Not now.", "Nothing was changed."),
            "flash wait",
        ),
    ] {
        let page = html(notice, true);
        assert!(page.contains(&format!(r#"class="{class}""#)), "{page}");
        assert!(page.contains(r#"role="alert""#) && page.contains("autofocus"));
    }
}

#[test]
fn a_name_with_markup_stays_text() {
    let page = html(Notice::good("<img src=x> is connected.", "Next."), true);
    assert!(!page.contains("<img") && page.contains("&lt;img"));
}

#[test]
fn who_connects_is_asked_whether_they_are_whom_they_approved_as() {
    let asked = Next::AreYou {
        connection: "c1".into(),
        workspace: "Acme".into(),
        person: "l1".into(),
        name: "Priya <R>".into(),
    };
    let page = html(connected(Some(asked.clone())), true);
    for part in [
        "Are you Priya &lt;R&gt; in Acme?",
        r#"action="/team/me""#,
        r#"<input type="hidden" name="workspace" value="c1">"#,
        r#"<input type="hidden" name="person" value="l1">"#,
        r#"<a href="/integrations" class="btn quiet">Not now</a>"#,
        "Paste the webhook secret",
    ] {
        assert!(page.contains(part), "{part:?} is missing in {page}");
    }
    assert!(
        !html(connected(Some(asked)), false).contains("/team/me"),
        "only those who manage link themselves"
    );
    assert!(!html(connected(None), true).contains("Are you"));
}

#[test]
fn only_those_who_manage_are_offered_the_next_step() {
    let step = r##"<a href="/team#me" class="btn">Which one is you?</a>"##;
    let list = || Some(Next::link("Which one is you?", "/team#me"));
    assert!(html(connected(list()), true).contains(step));
    assert!(!html(connected(list()), false).contains(step));
    assert!(!html(connected(None), true).contains(step));
}

#[test]
fn owners_are_offered_an_app_of_their_own() {
    let denied = |owns, several_apps| {
        let notice = Notice::bad("Linear did not give access.", "Nothing was changed.")
            .then(Next::ConnectAgain)
            .then(Next::OwnApp);
        rendered::html(|| {
            view! {
                <NoticeBox notice page="/integrations".to_owned() manages=true owns several_apps />
            }
        })
    };
    assert!(
        denied(true, false).contains("Add an app of your own")
            && !denied(false, false).contains("Add an app of your own")
    );
    assert!(denied(true, false).contains(r#"action="/oauth/linear/start""#));
    let several = denied(true, true);
    assert!(
        several.contains(r##"href="#connect""##)
            && several.contains("Try again")
            && !several.contains("<form"),
        "{several}"
    );
}
