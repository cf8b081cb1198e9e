//! Accounts, sessions, connect attempts and connections in the store.

use std::collections::HashSet;

use relink_engine::connection::{ActAs, Evidence, FailedCall, Reason, State};
use relink_engine::identity::{NewMember, Role};
use relink_engine::store::{
    Act, Adopted, Adoption, ApiKeyRow, Attempts, AuditActor, ConnectAttempt, DeliveryFilter,
    Member, MintedGrant, ProofAttempt, Store, StoredSession, Whose,
};
use tokio::task::JoinSet;

use crate::on_both;
use crate::support::{self, Fresh, adoption, delivery, member, put};
on_both!(
    an_up_to_date_database_is_left_alone,
    of_many_first_owners_one_wins,
    a_member_is_added_once,
    somebody_may_be_in_several_organisations,
    of_many_claims_one_wins,
    sessions_end_when_they_should,
    an_ended_session_is_not_brought_back,
    tries_at_the_same_moment_all_count,
    counting_starts_anew_after_the_window,
    of_many_callbacks_one_takes_the_attempt,
    another_browser_takes_nothing_and_uses_nothing_up,
    an_attempt_runs_out,
    how_an_attempt_ended_is_told_to_its_browser_until_it_runs_out,
    a_workspace_is_adopted_and_adopted_again,
    a_workspace_belongs_to_one_organisation_at_a_time,
    of_many_organisations_one_gets_the_workspace,
    workspaces_may_be_shared_where_that_is_allowed,
    whoever_shared_a_workspace_first_keeps_it_when_that_is_over,
    a_shared_workspace_is_handed_on_by_whoever_leaves_it,
    an_older_database_learns_who_holds_what,
    an_older_database_learns_who_made_which_key,
    tokens_wait_for_the_last_connection_of_their_app_and_workspace,
    a_pair_is_adopted_or_given_back_and_never_both,
    only_the_current_generation_breaks_a_connection,
    a_disconnected_connection_is_history,
    tokens_are_forgotten_only_when_void_or_old,
    success_clears_an_error_and_only_of_its_own_generation,
    organisations_do_not_see_each_other,
    a_row_that_cannot_be_spoils_no_list,
);

async fn an_up_to_date_database_is_left_alone(fresh: Fresh) {
    fresh.store.migrate().await.unwrap();
    fresh.store.ping().await.unwrap();
    assert!(matches!(fresh.store.kind(), "SQLite" | "PostgreSQL"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_processes_may_migrate_an_empty_sqlite_at_once() {
    migrate_at_once(support::empty_sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_processes_may_migrate_an_empty_postgres_at_once() {
    if let Some(fresh) = support::empty_postgres().await {
        migrate_at_once(fresh).await;
    }
}

async fn migrate_at_once(fresh: Fresh) {
    let mut starts = JoinSet::new();
    for _ in 0..6 {
        let url = fresh.url.clone();
        starts.spawn(async move { support::open(&url).await.migrate().await });
    }
    for outcome in starts.join_all().await {
        outcome.unwrap();
    }
    assert!(!fresh.store.owner_exists().await.unwrap());
}

fn founder(number: usize) -> NewMember {
    NewMember {
        organisation_id: format!("o{number}"),
        organisation_slug: format!("org{number}"),
        organisation_name: "Org".to_owned(),
        user_id: format!("u{number}"),
        email: format!("{number}@example.com"),
        name: "Founder".to_owned(),
        password_hash: Some("hash".to_owned()),
        role: Role::Owner,
        actor: AuditActor::default(),
        now: 1,
    }
}

async fn of_many_first_owners_one_wins(fresh: Fresh) {
    let mut tries = JoinSet::new();
    for number in 0..32 {
        let store = fresh.store.clone();
        tries.spawn(async move { store.member_add(&founder(number), true).await.unwrap() });
    }
    let outcomes = tries.join_all().await;
    assert_eq!(
        outcomes
            .iter()
            .filter(|outcome| **outcome == Member::Added)
            .count(),
        1
    );
    assert_eq!(
        outcomes
            .iter()
            .filter(|outcome| **outcome == Member::Owned)
            .count(),
        31
    );
    assert!(fresh.store.owner_exists().await.unwrap());
    assert!(
        fresh.store.organisation_only().await.unwrap().is_some(),
        "the losers left nothing behind"
    );
}

async fn a_member_is_added_once(fresh: Fresh) {
    let person = member(&fresh.store, "north", "a@example.com", Role::Admin).await;
    assert_eq!(
        (person.role, person.organisation.as_str()),
        (Role::Admin, "NORTH")
    );
    let again = NewMember {
        organisation_slug: "north".to_owned(),
        email: "a@example.com".to_owned(),
        ..founder(9)
    };
    assert_eq!(
        fresh.store.member_add(&again, false).await.unwrap(),
        Member::AccountExists,
        "the password would be nobody's"
    );
    let there = NewMember {
        password_hash: None,
        ..again
    };
    assert_eq!(
        fresh.store.member_add(&there, false).await.unwrap(),
        Member::Already
    );
    let nobody = NewMember {
        email: "nobody@example.com".to_owned(),
        ..there
    };
    assert_eq!(
        fresh.store.member_add(&nobody, false).await.unwrap(),
        Member::NoAccount
    );
    assert_eq!(
        fresh
            .store
            .member_first_organisation(&person.user_id)
            .await
            .unwrap(),
        Some(person.organisation_id.clone())
    );
    let unchanged = fresh
        .store
        .member(&person.organisation_id, &person.user_id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(unchanged, person);
}

async fn somebody_may_be_in_several_organisations(fresh: Fresh) {
    let kim = member(&fresh.store, "west", "kim@example.com", Role::Member).await;
    member(&fresh.store, "east", "kim@example.com", Role::Owner).await;
    member(&fresh.store, "north", "lee@example.com", Role::Owner).await;
    let organisations = fresh.store.organisations_of(&kim.user_id).await.unwrap();
    assert_eq!(
        organisations
            .into_iter()
            .map(|one| one.name)
            .collect::<Vec<_>>(),
        ["EAST", "WEST"]
    );
    assert!(
        fresh
            .store
            .organisations_of("nobody")
            .await
            .unwrap()
            .is_empty()
    );
}

async fn of_many_claims_one_wins(fresh: Fresh) {
    let mut claims = JoinSet::new();
    for number in 0..32_u8 {
        let store = fresh.store.clone();
        claims.spawn(async move { store.meta_claim("key", &[number]).await.unwrap() });
    }
    let values: HashSet<Vec<u8>> = claims.join_all().await.into_iter().collect();
    assert_eq!(values.len(), 1, "everybody reads the winner's value");
}

fn session(id: &str, user: &str) -> StoredSession {
    StoredSession {
        id_hash: id.to_owned(),
        user_id: Some(user.to_owned()),
        data: vec![0, 159, 146, 150],
        expires_at: 1_000,
    }
}

async fn sessions_end_when_they_should(fresh: Fresh) {
    let store = &fresh.store;
    for (id, user) in [("a", "u1"), ("b", "u1"), ("c", "u2")] {
        assert!(store.session_create(&session(id, user), 1).await.unwrap());
    }
    assert!(
        !store.session_create(&session("a", "u2"), 1).await.unwrap(),
        "an id is taken once"
    );
    assert_eq!(
        store.session("a", 999).await.unwrap().unwrap().data,
        vec![0, 159, 146, 150]
    );
    assert!(
        store.session("a", 1_000).await.unwrap().is_none(),
        "run out"
    );
    assert_eq!(store.session_delete_others("u1", "a").await.unwrap(), 1);
    assert!(store.session("b", 0).await.unwrap().is_none());
    assert!(store.session("c", 0).await.unwrap().is_some());
    assert_eq!(store.forget_expired(1_000).await.unwrap(), 2);
}

async fn an_ended_session_is_not_brought_back(fresh: Fresh) {
    let store = &fresh.store;
    store.session_create(&session("a", "u1"), 1).await.unwrap();
    store.session_delete("a").await.unwrap();
    assert!(!store.session_save(&session("a", "u1")).await.unwrap());
    assert!(store.session("a", 0).await.unwrap().is_none());
}

async fn tries_at_the_same_moment_all_count(fresh: Fresh) {
    let mut tries = JoinSet::new();
    for _ in 0..64 {
        let store = fresh.store.clone();
        tries.spawn(async move { store.throttle_count("key", 100, 1_000).await.unwrap().tries });
    }
    let mut counts = tries.join_all().await;
    counts.sort_unstable();
    assert_eq!(counts, (1..=64).collect::<Vec<_>>());
}

async fn counting_starts_anew_after_the_window(fresh: Fresh) {
    let store = &fresh.store;
    assert_eq!(
        store
            .throttle_count("key", 100, 1_000)
            .await
            .unwrap()
            .resets_at,
        1_100
    );
    let second = store.throttle_count("key", 1_099, 1_000).await.unwrap();
    assert_eq!(
        (second.tries, second.resets_at),
        (2, 1_100),
        "trying does not prolong the pause"
    );
    store.throttle_forgive("key").await.unwrap();
    assert_eq!(
        store
            .throttle_count("key", 1_099, 1_000)
            .await
            .unwrap()
            .tries,
        2
    );
    assert_eq!(
        store
            .throttle_count("key", 1_100, 1_000)
            .await
            .unwrap()
            .tries,
        1
    );
    store.throttle_clear("key").await.unwrap();
    assert_eq!(
        store
            .throttle_count("key", 1_100, 1_000)
            .await
            .unwrap()
            .tries,
        1
    );
}

async fn attempt(store: &Store) -> ConnectAttempt {
    let person = member(store, "north", "a@example.com", Role::Owner).await;
    let attempt = ConnectAttempt {
        state_hash: "state".to_owned(),
        browser_hash: "browser".to_owned(),
        organisation_id: person.organisation_id,
        user_id: person.user_id,
        connection_id: None,
        app_id: None,
        actor: ActAs::User,
        scopes: vec!["read".to_owned(), "write".to_owned()],
        verifier_sealed: vec![1, 2, 3],
        expires_at: 1_000,
    };
    store.connect_attempt_create(&attempt).await.unwrap();
    attempt
}

async fn of_many_callbacks_one_takes_the_attempt(fresh: Fresh) {
    attempt(&fresh.store).await;
    let mut takes = JoinSet::new();
    for _ in 0..32 {
        let store = fresh.store.clone();
        takes.spawn(async move {
            store
                .connect_attempt_take("state", "browser", 1)
                .await
                .unwrap()
        });
    }
    let taken: Vec<_> = takes.join_all().await.into_iter().flatten().collect();
    assert_eq!(taken.len(), 1);
    assert_eq!(
        (taken[0].actor, taken[0].verifier_sealed.as_slice()),
        (ActAs::User, &[1, 2, 3][..])
    );
}

async fn another_browser_takes_nothing_and_uses_nothing_up(fresh: Fresh) {
    attempt(&fresh.store).await;
    assert!(
        fresh
            .store
            .connect_attempt_take("state", "other", 1)
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        fresh
            .store
            .connect_attempt_take("other", "browser", 1)
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        fresh
            .store
            .connect_attempt_take("state", "browser", 1)
            .await
            .unwrap()
            .is_some()
    );
}

async fn an_attempt_runs_out(fresh: Fresh) {
    attempt(&fresh.store).await;
    assert!(
        fresh
            .store
            .connect_attempt_take("state", "browser", 1_000)
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(fresh.store.forget_expired(1_000).await.unwrap(), 1);
}

async fn how_an_attempt_ended_is_told_to_its_browser_until_it_runs_out(fresh: Fresh) {
    let store = &fresh.store;
    let ConnectAttempt {
        organisation_id,
        user_id,
        ..
    } = attempt(store).await;
    let proof = ProofAttempt {
        state_hash: "state".to_owned(),
        browser_hash: "browser".to_owned(),
        organisation_id: organisation_id.clone(),
        user_id: Some(user_id.clone()),
        connection_id: "c1".to_owned(),
        app_id: None,
        linear_id: None,
        code_hash: Some("code".to_owned()),
        verifier_sealed: vec![1],
        expires_at: 1_000,
    };
    store.proof_attempt_create(&proof).await.unwrap();
    for attempts in [Attempts::Connect, Attempts::Proof] {
        let told = async |browser, now| {
            store
                .attempt_taken(attempts, "state", browser, Some("u-other"), now)
                .await
                .unwrap()
        };
        store
            .attempt_end(attempts, "state", "too early")
            .await
            .unwrap();
        assert!(
            told("browser", 1).await.is_none(),
            "nobody came back with it"
        );
        let taken = match attempts {
            Attempts::Connect => store
                .connect_attempt_take("state", "browser", 2)
                .await
                .unwrap()
                .is_some(),
            Attempts::Proof => store
                .proof_attempt_take("state", "browser", 2)
                .await
                .unwrap()
                .is_some(),
        };
        assert!(taken);
        let under_way = told("browser", 3).await.unwrap();
        assert_eq!(
            (
                under_way.ended,
                under_way.taken_at,
                under_way.user_id.as_ref()
            ),
            (None, 2, Some(&user_id))
        );
        assert_eq!(under_way.of_code, attempts == Attempts::Proof);
        for ended in ["first", "second"] {
            store.attempt_end(attempts, "state", ended).await.unwrap();
        }
        let attempt = told("browser", 999).await.unwrap();
        assert_eq!(
            (attempt.ended.as_deref(), &attempt.organisation_id),
            (Some("first"), &organisation_id)
        );
        // A connect is remembered for as long as revocations have to respect it.
        let runs_out = match attempts {
            Attempts::Connect => 120_002,
            Attempts::Proof => 1_000,
        };
        assert!(
            told("browser", runs_out - 1).await.is_some()
                && told("browser", runs_out).await.is_none()
        );
        assert!(told("other", 3).await.is_none());
    }
}

async fn a_workspace_is_adopted_and_adopted_again(fresh: Fresh) {
    let store = &fresh.store;
    let person = member(store, "north", "a@example.com", Role::Owner).await;
    assert_eq!(
        store
            .connection_adopt(&adoption(&person, "c1", "w"))
            .await
            .unwrap(),
        Adopted::Done
    );
    let first = store
        .connection(&person.organisation_id, "c1")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (first.generation, first.scopes.len(), first.last_verified_at),
        (1, 2, Some(10))
    );
    assert!(matches!(&first.state, State::Connected { token } if token.expires_at == 86_400_010));

    assert!(
        store
            .connection_break("c1", 1, Reason::Revoked, None, 20)
            .await
            .unwrap()
    );
    let mut again = adoption(&person, "c1", "w");
    again.workspace.name = "Acme Renamed".to_owned();
    again.grant.refresh_sealed = None;
    assert_eq!(store.connection_adopt(&again).await.unwrap(), Adopted::Done);
    let second = store
        .connection_by_workspace(&person.organisation_id, "w")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (
            second.id.as_str(),
            second.generation,
            second.workspace.name.as_str()
        ),
        ("c1", 2, "Acme Renamed")
    );
    assert!(matches!(second.state, State::Connected { .. }));
    assert!(
        store
            .grant(&person.organisation_id, "c1")
            .await
            .unwrap()
            .unwrap()
            .refresh_sealed
            .is_none()
    );

    // Sealed for another row: the bytes would not open there, so nothing is written.
    assert_eq!(
        store
            .connection_adopt(&adoption(&person, "c2", "w"))
            .await
            .unwrap(),
        Adopted::Moved
    );
    assert_eq!(
        store
            .connections(&person.organisation_id)
            .await
            .unwrap()
            .len(),
        1
    );
}

async fn a_workspace_belongs_to_one_organisation_at_a_time(fresh: Fresh) {
    let store = &fresh.store;
    let north = member(store, "north", "a@example.com", Role::Owner).await;
    let south = member(store, "south", "b@example.com", Role::Owner).await;
    store
        .connection_adopt(&adoption(&north, "c1", "w"))
        .await
        .unwrap();
    assert_eq!(
        store
            .connection_adopt(&adoption(&south, "c2", "w"))
            .await
            .unwrap(),
        Adopted::Held
    );
    assert!(
        store
            .connections(&south.organisation_id)
            .await
            .unwrap()
            .is_empty()
    );
    let holder = store
        .connection_holder_email("w", &south.organisation_id)
        .await
        .unwrap();
    assert_eq!(holder.as_deref(), Some("a@example.com"));
    assert_eq!(
        store
            .connection_holder_email("w", &north.organisation_id)
            .await
            .unwrap(),
        None
    );

    store
        .connection_break("c1", 1, Reason::Revoked, None, 20)
        .await
        .unwrap();
    assert_eq!(
        store
            .connection_adopt(&adoption(&south, "c2", "w"))
            .await
            .unwrap(),
        Adopted::Held,
        "broken is not free"
    );
    store
        .connection_disconnect(
            "c1",
            &support::act(&north.organisation_id, "connection.disconnected", 30),
        )
        .await
        .unwrap();
    assert_eq!(
        store
            .connection_adopt(&adoption(&south, "c2", "w"))
            .await
            .unwrap(),
        Adopted::Done
    );
}

async fn of_many_organisations_one_gets_the_workspace(fresh: Fresh) {
    let mut tries = JoinSet::new();
    for number in 0..16 {
        let person = member(
            &fresh.store,
            &format!("org{number}"),
            &format!("{number}@example.com"),
            Role::Owner,
        )
        .await;
        let store = fresh.store.clone();
        tries.spawn(async move {
            store
                .connection_adopt(&adoption(&person, &format!("c{number}"), "w"))
                .await
                .unwrap()
        });
    }
    let outcomes = tries.join_all().await;
    assert_eq!(
        outcomes
            .iter()
            .filter(|outcome| **outcome == Adopted::Done)
            .count(),
        1
    );
    assert_eq!(
        outcomes
            .iter()
            .filter(|outcome| **outcome == Adopted::Held)
            .count(),
        15
    );
}

async fn workspaces_may_be_shared_where_that_is_allowed(fresh: Fresh) {
    for (slug, id) in [("north", "c1"), ("south", "c2")] {
        let person = member(
            &fresh.store,
            slug,
            &format!("{slug}@example.com"),
            Role::Owner,
        )
        .await;
        let shared = Adoption {
            exclusive: false,
            ..adoption(&person, id, "w")
        };
        assert_eq!(
            fresh.store.connection_adopt(&shared).await.unwrap(),
            Adopted::Done
        );
    }
}

async fn a_pair_is_adopted_or_given_back_and_never_both(fresh: Fresh) {
    let store = &fresh.store;
    let person = member(store, "north", "a@example.com", Role::Owner).await;
    let pair = |id: &str| MintedGrant {
        id: id.to_owned(),
        organisation_id: person.organisation_id.clone(),
        client_id: "the app".to_owned(),
        workspace_id: None,
        connection_id: None,
        access_sealed: vec![1],
        refresh_sealed: Some(vec![2]),
        minted_at: 100,
        released: false,
        lent: false,
        lent_by: None,
    };
    for id in ["m1", "m2", "m2", "m3"] {
        store.minted_grant_put(&pair(id)).await.unwrap();
    }
    let of = |minted: &str| Adoption {
        minted: Some(minted.to_owned()),
        ..adoption(&person, "c1", "w")
    };
    assert!(
        store
            .minted_grants_take(99, 150, 200, 9)
            .await
            .unwrap()
            .is_empty(),
        "they are under way"
    );
    assert_eq!(
        store.connection_adopt(&of("m1")).await.unwrap(),
        Adopted::Done
    );
    assert!(
        store
            .minted_grant_release("m1", Whose::default(), 200)
            .await
            .unwrap()
            .is_none(),
        "it is the connection's"
    );
    let whose = Whose {
        workspace: Some("w"),
        lent_by: Some("u"),
    };
    let released = store
        .minted_grant_release("m2", whose, 200)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (
            released.workspace_id.as_deref(),
            released.lent_by.as_deref(),
            released.released
        ),
        (Some("w"), Some("u"), true)
    );
    assert_eq!(
        store.connection_adopt(&of("m2")).await.unwrap(),
        Adopted::Released
    );
    let taken = async |abandoned, tried_before| {
        let taken = store
            .minted_grants_take(abandoned, tried_before, 300, 9)
            .await
            .unwrap();
        taken
            .into_iter()
            .map(|minted| minted.id)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        taken(99, 199).await,
        Vec::<String>::new(),
        "one was tried a moment ago, the other is under way"
    );
    assert_eq!(taken(99, 200).await, ["m2"]);
    assert_eq!(taken(100, 200).await, ["m3"], "its process died");
    assert_eq!(
        store.connection_adopt(&of("m3")).await.unwrap(),
        Adopted::Released
    );
    let grant = adoption(&person, "c1", "w").grant;
    assert!(
        store
            .minted_grant_set_aside(&pair("m2"), "c1", -5, &grant)
            .await
            .unwrap()
    );
    assert!(
        !store
            .minted_grant_set_aside(&pair("m2"), "c1", -6, &grant)
            .await
            .unwrap(),
        "once"
    );
    assert_eq!(store.superseded_grants("c1").await.unwrap().len(), 1);
    store.minted_grant_delete("m3").await.unwrap();
    store
        .minted_grant_put(&MintedGrant {
            lent: true,
            ..pair("m4")
        })
        .await
        .unwrap();
    let lent = store
        .minted_grant_release("m4", Whose::default(), 200)
        .await
        .unwrap()
        .unwrap();
    assert!(lent.lent && lent.lent_by.is_none());
    assert_eq!(
        (
            store.minted_grants_forget(99).await.unwrap(),
            store.minted_grants_forget(100).await.unwrap()
        ),
        (0, 1)
    );
}

async fn only_the_current_generation_breaks_a_connection(fresh: Fresh) {
    let store = &fresh.store;
    let person = member(store, "north", "a@example.com", Role::Owner).await;
    store
        .connection_adopt(&adoption(&person, "c1", "w"))
        .await
        .unwrap();
    store
        .connection_adopt(&adoption(&person, "c1", "w"))
        .await
        .unwrap();
    let evidence = Evidence::new(401, "AUTHENTICATION_ERROR");
    assert!(
        !store
            .connection_break("c1", 1, Reason::Revoked, Some(&evidence), 20)
            .await
            .unwrap(),
        "renewed meanwhile"
    );
    assert!(
        store
            .connection_break("c1", 2, Reason::Revoked, Some(&evidence), 21)
            .await
            .unwrap()
    );
    assert!(
        !store
            .connection_break("c1", 2, Reason::InvalidGrant, None, 22)
            .await
            .unwrap(),
        "the first verdict stays"
    );
    let State::ReconnectRequired {
        since,
        reason,
        evidence: kept,
        ..
    } = store
        .connection(&person.organisation_id, "c1")
        .await
        .unwrap()
        .unwrap()
        .state
    else {
        panic!("broken")
    };
    assert_eq!((since, reason, kept), (21, Reason::Revoked, Some(evidence)));
}

async fn a_disconnected_connection_is_history(fresh: Fresh) {
    let store = &fresh.store;
    let person = member(store, "north", "a@example.com", Role::Owner).await;
    store
        .connection_adopt(&adoption(&person, "c1", "w"))
        .await
        .unwrap();
    member(store, "south", "s@example.com", Role::Owner).await;
    let by = AuditActor {
        user_id: Some(person.user_id.clone()),
        ..AuditActor::default()
    };
    let act = |organisation: &str, at: i64| Act {
        actor: by.clone(),
        ..support::act(organisation, "connection.disconnected", at)
    };
    assert!(
        store
            .connection_disconnect("c1", &act(&person.organisation_id, 30))
            .await
            .unwrap()
    );
    assert!(
        !store
            .connection_disconnect("c1", &act(&person.organisation_id, 31))
            .await
            .unwrap(),
        "once"
    );
    assert!(
        !store
            .connection_disconnect("c1", &act("org-south", 31))
            .await
            .unwrap(),
        "not by others"
    );
    let connection = store
        .connection(&person.organisation_id, "c1")
        .await
        .unwrap()
        .unwrap();
    let expected = State::Disconnected {
        at: 30,
        reason: Reason::ByPerson,
        by: Some(person.name.clone()),
        revoked: false,
    };
    assert_eq!((connection.state, connection.generation), (expected, 2));
}

async fn tokens_are_forgotten_only_when_void_or_old(fresh: Fresh) {
    let store = &fresh.store;
    let person = member(store, "north", "a@example.com", Role::Owner).await;
    for (id, workspace) in [("c1", "w1"), ("c2", "w2"), ("c3", "w3")] {
        store
            .connection_adopt(&adoption(&person, id, workspace))
            .await
            .unwrap();
    }
    assert!(
        !store.grant_revoked("c1", 1).await.unwrap(),
        "still connected"
    );
    store
        .connection_disconnect(
            "c1",
            &support::act(&person.organisation_id, "connection.disconnected", 30),
        )
        .await
        .unwrap();
    store
        .connection_disconnect(
            "c2",
            &support::act(&person.organisation_id, "connection.disconnected", 40),
        )
        .await
        .unwrap();
    let open = store.connections_to_revoke(39, None, 10).await.unwrap();
    assert_eq!(
        open,
        vec![(person.organisation_id.clone(), "c1".to_owned())]
    );
    assert!(
        !store.grant_revoked("c1", 1).await.unwrap(),
        "of an older generation"
    );
    assert!(store.grant_revoked("c1", 2).await.unwrap());
    let has_token = async |id| {
        store
            .grant(&person.organisation_id, id)
            .await
            .unwrap()
            .unwrap()
            .access_sealed
            .is_some()
    };
    assert!(!has_token("c1").await && has_token("c2").await);
    assert_eq!(store.grants_forget(40).await.unwrap(), 1);
    assert!(!has_token("c2").await && has_token("c3").await);
}

/// Two organisations that share a workspace, north first.
async fn shared(
    store: &Store,
) -> (
    relink_engine::identity::Person,
    relink_engine::identity::Person,
) {
    let north = member(store, "north", "a@example.com", Role::Owner).await;
    let south = member(store, "south", "b@example.com", Role::Owner).await;
    for (person, id, now) in [(&north, "c1", 10), (&south, "c2", 20)] {
        let adoption = Adoption {
            exclusive: false,
            now,
            ..adoption(person, id, "w")
        };
        assert_eq!(
            store.connection_adopt(&adoption).await.unwrap(),
            Adopted::Done
        );
    }
    (north, south)
}

async fn whoever_shared_a_workspace_first_keeps_it_when_that_is_over(fresh: Fresh) {
    let store = &fresh.store;
    let (north, south) = shared(store).await;
    let west = member(store, "west", "c@example.com", Role::Owner).await;
    let rows = store.workspaces_shared(9).await.unwrap();
    let told: Vec<_> = rows
        .iter()
        .map(|(_, url_key, slug)| (url_key.as_str(), slug.as_str()))
        .collect();
    assert_eq!(told, [("acme", "north"), ("acme", "south")]);
    assert_eq!(
        store
            .connection_adopt(&adoption(&west, "c3", "w"))
            .await
            .unwrap(),
        Adopted::Held
    );
    assert_eq!(
        store
            .connection_adopt(&adoption(&south, "c2", "w"))
            .await
            .unwrap(),
        Adopted::Held
    );
    assert_eq!(
        store
            .connection_adopt(&adoption(&north, "c1", "w"))
            .await
            .unwrap(),
        Adopted::Done,
        "its own Reconnect"
    );
}

async fn a_shared_workspace_is_handed_on_by_whoever_leaves_it(fresh: Fresh) {
    let store = &fresh.store;
    let (north, south) = shared(store).await;
    let leave = |organisation: &str| support::act(organisation, "connection.disconnected", 30);
    assert!(
        store
            .connection_disconnect("c1", &leave(&north.organisation_id))
            .await
            .unwrap()
    );
    assert_eq!(
        store
            .connection_adopt(&adoption(&north, "c1", "w"))
            .await
            .unwrap(),
        Adopted::Held
    );
    assert_eq!(
        store
            .connection_adopt(&adoption(&south, "c2", "w"))
            .await
            .unwrap(),
        Adopted::Done
    );
    assert!(
        store
            .connection_disconnect("c2", &leave(&south.organisation_id))
            .await
            .unwrap()
    );
    // As two that end at once might leave it.
    support::sql(
        &fresh,
        "INSERT INTO workspace_claims (workspace_id, organisation_id) VALUES ('w', 'org-south')",
    )
    .await;
    assert_eq!(
        store
            .connection_adopt(&adoption(&north, "c1", "w"))
            .await
            .unwrap(),
        Adopted::Done,
        "nobody is left to hold it"
    );
}

async fn an_older_database_learns_who_holds_what(fresh: Fresh) {
    let store = &fresh.store;
    let (north, south) = shared(store).await;
    for (id, workspace) in [("c3", "w3"), ("c4", "w4")] {
        store
            .connection_adopt(&Adoption {
                exclusive: false,
                ..adoption(&north, id, workspace)
            })
            .await
            .unwrap();
    }
    store
        .connection_disconnect(
            "c4",
            &support::act(&north.organisation_id, "connection.disconnected", 30),
        )
        .await
        .unwrap();
    support::sql(&fresh, "DELETE FROM workspace_claims").await;
    // The same for both databases.
    let migration = include_str!("../../../migrations/sqlite/0010_client_ids_and_claims.sql");
    support::sql(
        &fresh,
        &migration[migration.find("INSERT INTO workspace_claims").unwrap()..],
    )
    .await;
    for (workspace, id) in [("w", "c2"), ("w3", "c5")] {
        assert_eq!(
            store
                .connection_adopt(&adoption(&south, id, workspace))
                .await
                .unwrap(),
            Adopted::Held,
            "{workspace}"
        );
    }
    assert_eq!(
        store
            .connection_adopt(&adoption(&south, "c6", "w4"))
            .await
            .unwrap(),
        Adopted::Done,
        "what has ended is free"
    );
}

async fn an_older_database_learns_who_made_which_key(fresh: Fresh) {
    let (store, person) = (
        &fresh.store,
        member(&fresh.store, "north", "a@example.com", Role::Owner).await,
    );
    for (id, by) in [("k1", Some(person.user_id.clone())), ("k2", None)] {
        let key = ApiKeyRow {
            id: id.to_owned(),
            organisation_id: person.organisation_id.clone(),
            name: format!("key {id}"),
            key_hash: id.to_owned(),
            last_four: "8fQ2".to_owned(),
            created_at: 7,
            last_used_at: None,
            made_by: None,
            made_by_name: None,
        };
        let actor = AuditActor {
            user_id: by,
            ..AuditActor::default()
        };
        let act = Act {
            actor,
            subject: format!("key {id} ····8fQ2"),
            ..support::act(&person.organisation_id, "key.made", 7)
        };
        store.api_key_create(&key, &act).await.unwrap();
    }
    // The same for both databases.
    let migration = include_str!("../../../migrations/sqlite/0012_trail_and_sessions.sql");
    let learns = &migration[migration.find("UPDATE api_keys").unwrap()..];
    support::sql(&fresh, &learns[..=learns.find(';').unwrap()]).await;
    let keys = store.api_keys(&person.organisation_id).await.unwrap();
    assert_eq!(
        keys.iter()
            .map(|key| key.made_by_name.as_deref())
            .collect::<Vec<_>>(),
        [Some(&*person.name), None]
    );
}

async fn tokens_wait_for_the_last_connection_of_their_app_and_workspace(fresh: Fresh) {
    let store = &fresh.store;
    let (north, south) = shared(store).await;
    store
        .connection_disconnect(
            "c1",
            &support::act(&north.organisation_id, "connection.disconnected", 30),
        )
        .await
        .unwrap();
    let (app, another) = (Some("the app"), Some("another app"));
    let living = async |app, workspace| {
        store
            .connection_living(app, workspace, None)
            .await
            .unwrap()
            .map(|(_, id)| id)
    };
    assert_eq!(living(app, Some("w")).await.as_deref(), Some("c2"));
    assert_eq!(
        (
            living(app, None).await.as_deref(),
            living(None, Some("w")).await.as_deref()
        ),
        (Some("c2"), Some("c2"))
    );
    assert_eq!(
        (
            living(another, Some("w")).await,
            living(app, Some("elsewhere")).await
        ),
        (None, None)
    );
    assert!(
        store
            .connections_to_revoke(30, None, 9)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        store.grants_forget(1_000).await.unwrap(),
        0,
        "however long ago it ended"
    );
    assert!(
        store
            .connection(&north.organisation_id, "c1")
            .await
            .unwrap()
            .unwrap()
            .kept
    );

    store
        .connection_disconnect(
            "c2",
            &support::act(&south.organisation_id, "connection.disconnected", 2_000),
        )
        .await
        .unwrap();
    assert_eq!(
        store
            .connections_to_revoke(2_000, Some("w"), 9)
            .await
            .unwrap()
            .len(),
        2
    );
    assert!(
        store
            .connections_to_revoke(2_000, Some("w3"), 9)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        store.grants_forget(1_999).await.unwrap(),
        0,
        "a day counts from the last one's end"
    );
    assert_eq!(store.grants_forget(2_000).await.unwrap(), 2);
    assert!(
        !store
            .connection(&north.organisation_id, "c1")
            .await
            .unwrap()
            .unwrap()
            .kept
    );
}

async fn success_clears_an_error_and_only_of_its_own_generation(fresh: Fresh) {
    let store = &fresh.store;
    let person = member(store, "north", "a@example.com", Role::Owner).await;
    store
        .connection_adopt(&adoption(&person, "c1", "w"))
        .await
        .unwrap();
    let error = FailedCall {
        code: "server_error".to_owned(),
        status: Some(503),
        at: 50,
    };
    store.connection_failed("c1", 1, &error).await.unwrap();
    let load = async || {
        store
            .connection(&person.organisation_id, "c1")
            .await
            .unwrap()
            .unwrap()
    };
    assert_eq!(load().await.last_error, Some(error.clone()));
    store.connection_verified("c1", 0, 60).await.unwrap();
    assert_eq!(load().await.last_error, Some(error));
    store.connection_verified("c1", 1, 60).await.unwrap();
    assert_eq!(
        (load().await.last_error, load().await.last_verified_at),
        (None, Some(60))
    );
}

async fn organisations_do_not_see_each_other(fresh: Fresh) {
    let store = &fresh.store;
    let north = member(store, "north", "a@example.com", Role::Owner).await;
    let south = member(store, "south", "b@example.com", Role::Owner).await;
    store
        .connection_adopt(&adoption(&north, "c1", "w"))
        .await
        .unwrap();
    assert!(
        store
            .connection(&south.organisation_id, "c1")
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        store
            .connection_by_workspace(&south.organisation_id, "w")
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        store
            .grant(&south.organisation_id, "c1")
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        store
            .member(&south.organisation_id, &north.user_id)
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(
        store
            .organisation_by_slug("south")
            .await
            .unwrap()
            .unwrap()
            .id,
        south.organisation_id
    );
    assert_eq!(store.organisation_only().await.unwrap(), None);
}

async fn a_row_that_cannot_be_spoils_no_list(fresh: Fresh) {
    let store = &fresh.store;
    let person = member(store, "north", "a@example.com", Role::Owner).await;
    let organisation = &person.organisation_id;
    for (id, workspace) in [("c1", "w"), ("c2", "v")] {
        store
            .connection_adopt(&adoption(&person, id, workspace))
            .await
            .unwrap();
    }
    support::sql(
        &fresh,
        "UPDATE connections SET state = 'odd' WHERE id = 'c1'",
    )
    .await;
    let shown: Vec<_> = store.connections(organisation).await.unwrap();
    let shown: Vec<_> = shown.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(shown, ["c2"]);
    assert!(store.connection(organisation, "c1").await.is_err());
    let tenants = store.webhook_tenants("w").await.unwrap();
    assert_eq!(tenants, []);

    let received = [delivery("v", b"one", 1), delivery("v", b"two", 2)];
    put(store, &received).await;
    support::sql(
        &fresh,
        "UPDATE deliveries SET outcome = 'odd' WHERE seq = 1",
    )
    .await;
    let page = store
        .deliveries_before(organisation, &DeliveryFilter::default(), i64::MAX, 5, 10)
        .await
        .unwrap();
    assert_eq!(page.iter().map(|row| row.seq).collect::<Vec<_>>(), [2]);
}
