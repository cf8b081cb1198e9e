use super::*;
use crate::rendered;
use crate::sample_views::owner;
use crate::view::{AppDraft, AppProblem, AppView, KeyView, Moment, OwnAppsView, SessionView};

fn view(own_apps: Option<OwnAppsView>) -> SettingsView {
    let person = owner();
    SettingsView {
        client_id: Some("a91f2c7e5d0b4c1e8f33".to_owned()),
        redirect_uri: "https://relink.northwind.dev/oauth/linear/callback".to_owned(),
        secret_set: true,
        simulated: false,
        app_configured: true,
        create_app: CreateAppView {
            url: "https://linear.app/new?a=b".to_owned(),
            webhook: true,
        },
        own_apps,
        theme: Theme::System,
        person,
        sessions: Vec::new(),
        version: "0.1.0".to_owned(),
        database: "SQLite".to_owned(),
        sealing_key: "k".to_owned(),
        next_sweep: None,
        clock: ClockView::Unknown,
        mail_from: None,
        keys: None,
        new_key: None,
        audit: None,
        refused: None,
        notice: None,
    }
}

fn app(id: &str, workspaces: u64) -> AppView {
    AppView {
        id: id.to_owned(),
        name: format!("Acme {id}"),
        client_id: format!("0123456789abcdef-{id}"),
        has_secret: true,
        has_webhook_secret: false,
        overlap_open: false,
        overlap_until: None,
        workspaces,
    }
}

fn own(apps: Vec<AppView>) -> SettingsView {
    view(Some(OwnAppsView {
        apps,
        draft: AppDraft::default(),
    }))
}

fn page(view: SettingsView) -> String {
    rendered::html(|| settings(view, None).main).replace("<!>", "")
}

fn refused(app: &str, problem: AppProblem) -> String {
    let draft = AppDraft {
        app: app.to_owned(),
        name: "Acme <b>".to_owned(),
        client_id: "typed-client-id".to_owned(),
        problem: Some(problem),
    };
    let own_apps = Some(OwnAppsView {
        apps: vec![self::app("a1", 0)],
        draft,
    });
    let refused = rendered::html(|| {
        let content = settings(view(own_apps), None);
        assert!(content.refused, "the title says so");
        content.main
    });
    refused.replace("<!>", "")
}

/// The input with this id.
fn input<'a>(page: &'a str, id: &str) -> &'a str {
    let found = page
        .split("<input")
        .find(|input| input.contains(&format!(r#"id="{id}""#)));
    found
        .and_then(|input| input.split('>').next())
        .unwrap_or_else(|| panic!("no {id} in {page}"))
}

#[test]
fn an_app_shows_what_there_is_to_know_and_to_do() {
    let until = Some(Moment::new(
        "2026-11-20T14:02:00Z".to_owned(),
        "14:02 UTC on 20 Nov".to_owned(),
    ));
    let bare = AppView {
        has_secret: false,
        has_webhook_secret: true,
        overlap_until: until,
        ..app("a2", 0)
    };
    let page = page(own(vec![app("a1", 2), bare]));
    for part in [
        "Apps of your own",
        "For a workspace that needs its own private app.",
        r#"value="0123456789abcdef-a1""#,
        "Client secret set",
        "No signing secret",
        "2 workspaces are connected through it; to remove it, disconnect them first.",
        "No secret, PKCE only",
        "Signing secret set",
        "No workspace is connected through it.",
        "The previous signing secret is accepted until <time datetime=\"2026-11-20T14:02:00Z\">\
            14:02 UTC on 20 Nov</time>.",
        r#"action="/settings/apps/secrets""#,
        r#"action="/settings/apps""#,
    ] {
        assert!(page.contains(part), "{part:?} is not in {page}");
    }
    assert_eq!(
        page.matches(r#"<input type="hidden" name="confirm" value="app">"#)
            .count(),
        1,
        "what is in use cannot be removed"
    );
    assert!(page.contains(r#"<input type="hidden" name="app" value="a2">"#));
}

#[test]
fn no_id_is_there_twice() {
    let page = page(SettingsView {
        keys: Some(Vec::new()),
        ..own(vec![app("a1", 0), app("a2", 0)])
    });
    let mut ids: Vec<&str> = page
        .split(r#" id=""#)
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all);
}

#[test]
fn who_does_not_own_sees_the_operators_app_only() {
    let page = page(view(None));
    assert!(page.contains("Redirect URI") && page.contains("a91f2c7e5d0b4c1e8f33"));
    assert!(!page.contains("Apps of your own") && !page.contains("/settings/apps"));
}

#[test]
fn the_question_is_asked_of_an_app_that_can_be_removed() {
    let asked = |id: &str, view: SettingsView| {
        rendered::html(|| {
            let content = settings(view, Some(("app", id)));
            let title = view! { <h1>{content.title}</h1> };
            view! { {title} {content.dialog} }
        })
    };
    let question = asked("a1", own(vec![app("a1", 0)]));
    assert!(
        question.contains("<h1>Remove Acme a1? Relink</h1>") && question.contains("<dialog open"),
        "{question}"
    );
    assert!(
        question.contains(r#"action="/settings/apps/remove""#)
            && question.contains(r#"name="app" value="a1""#),
        "{question}"
    );
    for (id, view) in [
        ("a1", own(vec![app("a1", 1)])),
        ("none", own(vec![app("a1", 0)])),
        ("a1", view(None)),
    ] {
        let page = asked(id, view);
        assert!(
            page.contains("<h1>Settings, Relink</h1>") && !page.contains("<dialog"),
            "{page}"
        );
    }
}

#[test]
fn the_question_is_asked_of_a_key_that_is_there() {
    let key = KeyView {
        id: "k1".to_owned(),
        name: "ci-runner".to_owned(),
        key: "rlk_····8fQ2".to_owned(),
        last_used: None,
        made_by: None,
    };
    let with_key = SettingsView {
        keys: Some(vec![key]),
        ..view(None)
    };
    let asked = |id: &str| settings(with_key.clone(), Some(("key", id))).title;
    rendered::html(|| {
        assert_eq!(asked("k1"), "Revoke ci-runner? Relink");
        assert_eq!(asked("k2"), "Settings, Relink");
        view! { "" }
    });
    let page = page(with_key);
    assert!(
        page.contains("Command line") && page.contains(r#"action="/settings/keys/revoke""#),
        "{page}"
    );
}

#[test]
fn one_s_own_session_has_no_button() {
    let session = |id: &str, here| SessionView {
        id: id.to_owned(),
        browser: "Firefox on Linux".to_owned(),
        address: "192.0.2.7".to_owned(),
        last_used: None,
        here,
    };
    let one = page(SettingsView {
        sessions: vec![session("s1", true)],
        ..view(None)
    });
    assert!(
        one.contains("This browser")
            && !one.contains("/settings/sessions/end")
            && !one.contains("/signout-elsewhere"),
        "{one}"
    );
    let two = page(SettingsView {
        sessions: vec![session("s1", true), session("s2", false)],
        ..view(None)
    });
    assert_eq!(two.matches("/settings/sessions/end").count(), 1);
    assert!(
        two.contains(r#"name="session" value="s2""#) && two.contains("/signout-elsewhere"),
        "{two}"
    );
}

#[test]
fn a_refused_app_keeps_what_was_typed_and_says_what_is_wrong() {
    let cases = [
        (
            AppProblem::Name,
            "app-name",
            "Enter a name of 1 to 100 characters.",
        ),
        (
            AppProblem::TooMany,
            "app-name",
            "No more apps can be added.",
        ),
        (
            AppProblem::ClientId,
            "app-client-id",
            "This does not look like a client ID.",
        ),
        (
            AppProblem::Known,
            "app-client-id",
            "The app with this client ID is here already.",
        ),
        (
            AppProblem::ClientSecret,
            "app-client-secret",
            "This does not look like a client secret.",
        ),
        (
            AppProblem::WebhookSecret,
            "app-webhook-secret",
            "It starts with lin_wh_.",
        ),
    ];
    for (problem, field, words) in cases {
        let page = refused("", problem);
        assert!(
            page.contains(words) && page.contains("<details open"),
            "{words:?} is not in {page}"
        );
        let wrong = input(&page, field);
        assert!(
            wrong.contains(r#"aria-invalid="true""#) && wrong.contains("autofocus"),
            "{wrong}"
        );
        assert_eq!(page.matches("aria-invalid").count(), 1);
        assert!(input(&page, "app-name").contains("Acme &lt;b&gt;"));
        assert!(input(&page, "app-client-id").contains("typed-client-id"));
    }
}

#[test]
fn refused_secrets_are_those_of_one_app() {
    let page = refused("a1", AppProblem::NoSecret);
    assert!(page.contains("Enter at least one of the two secrets."));
    assert!(input(&page, "app-client-secret-a1").contains(r#"aria-invalid="true""#));
    assert_eq!(page.matches("<details open").count(), 1);
    assert!(
        !input(&page, "app-client-id").contains("typed-client-id"),
        "that form was not sent"
    );
}

#[test]
fn the_way_to_an_app_in_linear_is_where_it_is_needed() {
    let link = "<a href=\"https://linear.app/new?a=b\" rel=\"external noreferrer\">\
        Create the app in Linear</a>";
    let count = |view: SettingsView| page(view).matches(link).count();
    assert_eq!((count(view(None)), count(own(Vec::new()))), (1, 2));
    let none = SettingsView {
        client_id: None,
        app_configured: false,
        ..view(None)
    };
    assert!(
        page(none.clone()).contains("so nothing can be connected.")
            && page(none.clone()).contains("LINEAR_WEBHOOK_SECRET")
    );
    let local = CreateAppView {
        webhook: false,
        ..none.create_app.clone()
    };
    let local = page(SettingsView {
        create_app: local,
        ..none.clone()
    });
    assert!(
        local.contains("Linear takes no webhook address on localhost")
            && !local.contains("LINEAR_WEBHOOK_SECRET")
    );
    let elsewhere = page(SettingsView {
        app_configured: true,
        ..none
    });
    assert!(!elsewhere.contains("nothing can be connected"));
}

#[test]
fn an_instance_tells_its_clock_and_its_next_look() {
    let told = |clock, next_sweep| {
        page(SettingsView {
            clock,
            next_sweep,
            ..view(None)
        })
    };
    let soon = Moment::new("2026-11-19T14:02:19Z".to_owned(), "in 8 s".to_owned());
    let sweeping = told(ClockView::Agrees, Some(soon));
    assert!(
        sweeping.contains(r#"<time datetime="2026-11-19T14:02:19Z">in 8 s</time>"#),
        "{sweeping}"
    );
    assert!(sweeping.contains("Agrees with Linear’s"));
    let wrong = told(ClockView::Behind("40 s".to_owned()), None);
    assert!(wrong.contains("40 s behind Linear’s. Set this machine’s clock"));
    assert!(!wrong.contains("Next sweep"));
}
