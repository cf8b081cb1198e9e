//! Linear apps of organisations, what is forgotten after a disconnect, and whom alarms are for.

use relink_engine::connection::{Evidence, Reason};
use relink_engine::identity::{Person, Role};
use relink_engine::store::{
    Act, Adoption, AppAdded, AppRemoved, AppRow, AuditActor, Store, WebhookSecretRow,
};
use tokio::task::JoinSet;

use crate::on_both;
use crate::support::{self, Fresh, adoption, member};

on_both!(
    an_app_is_there_once_and_only_for_its_organisation,
    new_secrets_leave_the_others_and_the_webhook_secret_before_is_kept,
    an_app_in_use_stays,
    a_workspace_knows_the_apps_it_is_connected_through,
    a_disconnected_workspace_is_forgotten_with_all_that_belongs_to_it,
    a_workspace_that_is_connected_again_is_not_forgotten,
    what_was_given_up_and_is_accepted_again_is_connected_as_before,
    each_break_is_told_once_whoever_asks,
);

const ORG: &str = "org-north";
const MAX: i64 = 3;

fn act(act: &'static str) -> Act {
    support::act(ORG, act, 20)
}

async fn owner(store: &Store) -> Person {
    member(store, "north", "a@example.com", Role::Owner).await
}

fn app(id: &str, client_id: &str) -> AppRow {
    AppRow {
        id: id.to_owned(),
        organisation_id: ORG.to_owned(),
        name: format!("App {id}"),
        client_id: client_id.to_owned(),
        client_secret_sealed: Some(vec![1]),
        webhook_secret_sealed: Some(vec![2]),
        webhook_secret_before_sealed: None,
        webhook_secret_before_until: None,
        webhook_secret_matched_at: None,
        application_id: None,
        added_by: None,
        added_at: 5,
        connections: 0,
    }
}

async fn add(store: &Store, new: &AppRow) -> AppAdded {
    store.app_add(new, MAX, &act("app.added")).await.unwrap()
}

async fn lines(store: &Store) -> usize {
    store.audit_after(ORG, 0, 100).await.unwrap().len()
}

async fn an_app_is_there_once_and_only_for_its_organisation(fresh: Fresh) {
    let store = &fresh.store;
    owner(store).await;
    let before = lines(store).await;
    assert_eq!(add(store, &app("a1", "client-1")).await, AppAdded::Done);
    assert_eq!(add(store, &app("a2", "client-1")).await, AppAdded::Known);
    assert_eq!(add(store, &app("a2", "client-2")).await, AppAdded::Done);
    assert_eq!(add(store, &app("a3", "client-3")).await, AppAdded::Done);
    assert_eq!(add(store, &app("a4", "client-4")).await, AppAdded::TooMany);
    assert_eq!(
        lines(store).await - before,
        3,
        "what was not done is not told"
    );
    assert_eq!(
        store.app(ORG, "a1").await.unwrap(),
        Some(app("a1", "client-1"))
    );
    assert_eq!(store.app("org-south", "a1").await.unwrap(), None);
    assert_eq!(store.apps("org-south").await.unwrap(), []);
    let elsewhere = support::act("org-south", "app.removed", 20);
    member(store, "south", "b@example.com", Role::Owner).await;
    assert_eq!(
        store.app_remove("a1", &elsewhere).await.unwrap(),
        AppRemoved::NotFound
    );
    assert!(
        !store
            .app_set_secrets("a1", Some(&[9]), None, &elsewhere)
            .await
            .unwrap()
    );
    assert_eq!(
        store.app(ORG, "a1").await.unwrap(),
        Some(app("a1", "client-1"))
    );
}

async fn new_secrets_leave_the_others_and_the_webhook_secret_before_is_kept(fresh: Fresh) {
    let store = &fresh.store;
    owner(store).await;
    add(store, &app("a1", "client-1")).await;
    assert!(
        store
            .app_set_secrets("a1", Some(&[7]), None, &act("app.secrets"))
            .await
            .unwrap()
    );
    let changed = AppRow {
        client_secret_sealed: Some(vec![7]),
        ..app("a1", "client-1")
    };
    assert_eq!(store.app(ORG, "a1").await.unwrap(), Some(changed.clone()));
    let set = async |secret: u8| {
        assert!(
            store
                .app_set_secrets("a1", None, Some(&[secret]), &act("app.secrets"))
                .await
                .unwrap()
        )
    };
    let told = async || {
        let row = store.app(ORG, "a1").await.unwrap().unwrap();
        (
            row.webhook_secret_sealed,
            row.webhook_secret_before_sealed,
            row.webhook_secret_before_until,
        )
    };
    let secret = |secret: u8| Some(vec![secret]);
    store.app_secret_matched("a1", &[2], 30, 40).await.unwrap();
    set(8).await;
    assert_eq!(
        told().await,
        (secret(8), secret(2), None),
        "what has verified something waits for the new one"
    );
    set(9).await;
    assert_eq!(
        told().await,
        (secret(9), secret(2), None),
        "what was mistyped pushes nothing out"
    );
    store.app_secret_matched("a1", &[8], 50, 60).await.unwrap();
    assert_eq!(
        told().await,
        (secret(9), secret(2), None),
        "it is not the present one any more"
    );
    for at in [50, 70] {
        store
            .app_secret_matched("a1", &[9], at, at + 10)
            .await
            .unwrap();
        assert_eq!(
            told().await,
            (secret(9), secret(2), Some(60)),
            "counted from the first time"
        );
    }
    set(10).await;
    assert_eq!(told().await, (secret(10), secret(9), None));
    store
        .app_set_application("a1", "uuid-1", false)
        .await
        .unwrap();
    store
        .app_set_application("a1", "uuid-2", false)
        .await
        .unwrap();
    assert_eq!(
        store
            .app(ORG, "a1")
            .await
            .unwrap()
            .unwrap()
            .application_id
            .as_deref(),
        Some("uuid-1")
    );
}

async fn an_app_in_use_stays(fresh: Fresh) {
    let store = &fresh.store;
    let person = owner(store).await;
    add(store, &app("a1", "client-1")).await;
    let through = Adoption {
        app_id: Some("a1".to_owned()),
        ..adoption(&person, "c1", "w")
    };
    store.connection_adopt(&through).await.unwrap();
    assert_eq!(store.app(ORG, "a1").await.unwrap().unwrap().connections, 1);
    assert_eq!(
        store.app_remove("a1", &act("app.removed")).await.unwrap(),
        AppRemoved::InUse
    );
    store
        .connection_disconnect("c1", &act("connection.disconnected"))
        .await
        .unwrap();
    assert_eq!(
        store.app_remove("a1", &act("app.removed")).await.unwrap(),
        AppRemoved::InUse,
        "its tokens are not void yet"
    );
    let grant = store.grant(ORG, "c1").await.unwrap().unwrap();
    assert_eq!(grant.app_id.as_deref(), Some("a1"));
    assert!(store.grant_revoked("c1", grant.generation).await.unwrap());
    assert_eq!(
        store.app_remove("a1", &act("app.removed")).await.unwrap(),
        AppRemoved::Done
    );
    assert_eq!(store.app(ORG, "a1").await.unwrap(), None);
    assert_eq!(
        store.connection(ORG, "c1").await.unwrap().unwrap().app_id,
        None
    );
}

async fn a_workspace_knows_the_apps_it_is_connected_through(fresh: Fresh) {
    let store = &fresh.store;
    let person = owner(store).await;
    add(store, &app("a1", "client-1")).await;
    add(store, &app("a2", "client-2")).await;
    store
        .connection_adopt(&Adoption {
            app_id: Some("a2".to_owned()),
            ..adoption(&person, "c1", "w")
        })
        .await
        .unwrap();
    store
        .connection_adopt(&adoption(&person, "c2", "v"))
        .await
        .unwrap();
    let ids = |rows: Vec<AppRow>| rows.into_iter().map(|row| row.id).collect::<Vec<_>>();
    assert_eq!(ids(store.apps_by_workspace("w").await.unwrap()), ["a2"]);
    assert_eq!(
        ids(store.apps_by_workspace("v").await.unwrap()),
        Vec::<String>::new()
    );
    let tenants = store.webhook_tenants("w").await.unwrap();
    assert_eq!(tenants[0].app_id.as_deref(), Some("a2"));
    // The next consent may go through another one.
    store
        .connection_adopt(&adoption(&person, "c1", "w"))
        .await
        .unwrap();
    assert_eq!(
        store.connection(ORG, "c1").await.unwrap().unwrap().app_id,
        None
    );
}

async fn secret(store: &Store) {
    let row = WebhookSecretRow {
        id: "s1".to_owned(),
        organisation_id: ORG.to_owned(),
        connection_id: "c1".to_owned(),
        secret_sealed: vec![1],
        last_four: "1234".to_owned(),
        added_by: None,
        added_at: 5,
        retires_at: None,
        replaced: false,
        matched_at: None,
    };
    assert!(
        store
            .webhook_secret_add(&row, 6, &act("secret.added"))
            .await
            .unwrap()
    );
}

/// Connected, with a secret, and then disconnected with its tokens void.
async fn disconnected(store: &Store, person: &Person) {
    store
        .connection_adopt(&adoption(person, "c1", "w"))
        .await
        .unwrap();
    secret(store).await;
    store
        .connection_disconnect("c1", &act("connection.disconnected"))
        .await
        .unwrap();
}

async fn a_disconnected_workspace_is_forgotten_with_all_that_belongs_to_it(fresh: Fresh) {
    let store = &fresh.store;
    let person = owner(store).await;
    disconnected(store, &person).await;
    assert_eq!(
        store.connections_ended(20, 10).await.unwrap(),
        [],
        "its tokens are not void yet"
    );
    let grant = store.grant(ORG, "c1").await.unwrap().unwrap();
    store.grant_revoked("c1", grant.generation).await.unwrap();
    assert_eq!(
        store.connections_ended(19, 10).await.unwrap(),
        [],
        "not so long ago"
    );
    assert_eq!(store.connections_ended(20, 10).await.unwrap().len(), 1);
    assert_eq!(store.webhook_secrets(ORG).await.unwrap().len(), 1);
    let before = lines(store).await;
    let forgotten = Act {
        actor: AuditActor::relink(),
        ..act("connection.forgotten")
    };
    assert!(
        store
            .connection_forget("c1", "w", 20, &forgotten)
            .await
            .unwrap()
    );
    assert_eq!(store.connections(ORG).await.unwrap(), []);
    assert_eq!(store.webhook_secrets(ORG).await.unwrap(), []);
    assert_eq!(lines(store).await, before + 1);
    assert!(
        !store
            .connection_forget("c1", "w", 20, &forgotten)
            .await
            .unwrap(),
        "once"
    );
    assert_eq!(lines(store).await, before + 1);
}

async fn a_workspace_that_is_connected_again_is_not_forgotten(fresh: Fresh) {
    let store = &fresh.store;
    let person = owner(store).await;
    disconnected(store, &person).await;
    store
        .connection_adopt(&adoption(&person, "c1", "w"))
        .await
        .unwrap();
    assert!(
        !store
            .connection_forget("c1", "w", 1_000, &act("connection.forgotten"))
            .await
            .unwrap()
    );
    assert_eq!(store.webhook_secrets(ORG).await.unwrap().len(), 1);
}

async fn what_was_given_up_and_is_accepted_again_is_connected_as_before(fresh: Fresh) {
    let (store, evidence) = (&fresh.store, Evidence::new(401, "AUTHENTICATION_ERROR"));
    let person = owner(store).await;
    for (id, workspace) in [("c1", "w"), ("c2", "v"), ("c3", "u")] {
        store
            .connection_adopt(&adoption(&person, id, workspace))
            .await
            .unwrap();
    }
    assert!(
        store
            .connection_break("c1", 1, Reason::Revoked, Some(&evidence), 30)
            .await
            .unwrap()
    );
    assert!(
        store
            .connection_break("c2", 1, Reason::InvalidGrant, Some(&evidence), 30)
            .await
            .unwrap()
    );
    assert!(store.connection_revoked("c3", 20, 30).await.unwrap());
    let given_up = store.connections_given_up(40, 10).await.unwrap();
    assert_eq!(
        given_up
            .iter()
            .map(|one| (&*one.connection_id, one.since))
            .collect::<Vec<_>>(),
        [("c1", 30)],
        "the others are Linear's word"
    );
    let expires_at = store
        .grant(ORG, "c1")
        .await
        .unwrap()
        .unwrap()
        .expires_at
        .unwrap();
    assert_eq!(
        store.connections_given_up(expires_at, 10).await.unwrap(),
        []
    );
    for (id, generation, again) in [
        ("c1", 2, false),
        ("c2", 1, false),
        ("c3", 2, false),
        ("c1", 1, true),
        ("c1", 1, false),
    ] {
        assert_eq!(
            store
                .connection_accepted_again(id, generation, 50)
                .await
                .unwrap(),
            again,
            "{id} {generation}"
        );
    }
    let connection = store.connection(ORG, "c1").await.unwrap().unwrap();
    assert_eq!(
        (
            connection.state.name(),
            connection.state.reason(),
            connection.last_verified_at
        ),
        ("connected", None, Some(50))
    );
    assert_eq!(store.connections_given_up(60, 10).await.unwrap(), []);
}

async fn each_break_is_told_once_whoever_asks(fresh: Fresh) {
    let store = &fresh.store;
    let person = owner(store).await;
    for (id, workspace) in [("c1", "w"), ("c2", "v")] {
        store
            .connection_adopt(&adoption(&person, id, workspace))
            .await
            .unwrap();
    }
    assert_eq!(store.alarms_take(60, 10).await.unwrap(), []);
    assert!(
        store
            .connection_break("c1", 1, Reason::InvalidGrant, None, 30)
            .await
            .unwrap()
    );
    let mut asking = JoinSet::new();
    for _ in 0..8 {
        let store = support::open(&fresh.url).await;
        asking.spawn(async move { store.alarms_take(60, 10).await.unwrap() });
    }
    let taken: Vec<_> = asking.join_all().await.into_iter().flatten().collect();
    assert_eq!(taken.len(), 1, "{taken:?}");
    assert_eq!(
        (taken[0].connection_id.as_str(), taken[0].state_since),
        ("c1", 30)
    );
    store.alarms_put_back(&taken).await.unwrap();
    assert_eq!(store.alarms_take(60, 10).await.unwrap(), taken);
    // Another break is another alarm.
    store
        .connection_adopt(&Adoption {
            now: 40,
            ..adoption(&person, "c1", "w")
        })
        .await
        .unwrap();
    assert_eq!(store.alarms_take(60, 10).await.unwrap(), []);
    assert!(
        store
            .connection_break("c1", 2, Reason::InvalidGrant, None, 50)
            .await
            .unwrap()
    );
    assert_eq!(store.alarms_take(60, 10).await.unwrap().len(), 1);
    // What may pass has a while for it, unless the clock went back.
    let evidence = Evidence::new(401, "AUTHENTICATION_ERROR");
    assert!(
        store
            .connection_break("c2", 1, Reason::Revoked, Some(&evidence), 70)
            .await
            .unwrap()
    );
    assert_eq!(store.alarms_take(25_070, 10).await.unwrap(), []);
    assert_eq!(store.alarms_take(25_071, 10).await.unwrap().len(), 1);
    assert!(
        store
            .connection_accepted_again("c2", 1, 30_000)
            .await
            .unwrap()
    );
    assert!(
        store
            .connection_break("c2", 1, Reason::Revoked, Some(&evidence), 40_000)
            .await
            .unwrap()
    );
    assert_eq!(store.alarms_take(39_999, 10).await.unwrap().len(), 1);
}
