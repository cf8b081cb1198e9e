//! Link codes, members, and the audit trail in the store.

use relink_engine::identity::{NewMember, Person, Role, Standing};
use relink_engine::store::{
    Account, Act, AuditActor, InviteAdded, LinearPersonRow, Linking, Member, MemberChange,
    NewInvite, Proved, Store, StoredSession,
};
use tokio::task::JoinSet;

use crate::on_both;
use crate::support::{self, Fresh, adoption, member};

on_both!(
    of_many_redemptions_one_succeeds,
    a_new_code_ends_the_one_before,
    what_cannot_be_used_is_like_what_is_not_there,
    somebody_elses_account_is_never_taken,
    nobody_becomes_whom_another_member_is,
    who_is_known_already_stays_who_they_are,
    an_organisation_keeps_an_owner,
    who_is_removed_or_changed_is_signed_out,
    codes_end_with_the_right_to_make_them,
    an_answer_is_dismissed_and_an_open_code_is_not,
    an_account_that_is_nobodys_frees_its_email,
    an_account_that_somebody_needs_keeps_its_email,
    nobody_rises_of_whom_nobody_knows_who_they_are,
    who_had_a_role_before_anybody_asked_keeps_it,
);

const ORG: &str = "org-north";
const HOUR: i64 = 3_600_000;

fn act(act: &'static str, at: i64) -> Act {
    support::act(ORG, act, at)
}

fn jun() -> LinearPersonRow {
    LinearPersonRow {
        organisation_id: ORG.to_owned(),
        workspace_id: "w".to_owned(),
        linear_id: "l-jun".to_owned(),
        name: "Jun Sato".to_owned(),
        email: "jun@example.com".to_owned(),
        avatar_url: None,
    }
}

async fn owner(fresh: &Fresh) -> Person {
    let person = member(&fresh.store, "north", "a@example.com", Role::Owner).await;
    fresh
        .store
        .connection_adopt(&adoption(&person, "c1", "w"))
        .await
        .unwrap();
    person
}

async fn invite(store: &Store, id: &str, person: LinearPersonRow) -> InviteAdded {
    invite_by(store, id, person, None, HOUR).await
}

async fn invite_by(
    store: &Store,
    id: &str,
    person: LinearPersonRow,
    by: Option<&Person>,
    expires_at: i64,
) -> InviteAdded {
    let made_by = by.map(|by| by.user_id.clone());
    let new = NewInvite {
        id: id.to_owned(),
        person,
        code_hash: format!("hash of {id}"),
        made_by,
        now: 5,
        expires_at,
    };
    store
        .invite_add(&new, &act("invite.made", 5))
        .await
        .unwrap()
}

fn new_account(user: &str, email: &str) -> Account {
    Account::New {
        user_id: user.to_owned(),
        email: email.to_owned(),
        name: "Jun".to_owned(),
    }
}

async fn redeem(store: &Store, id: &str, account: Account) -> Linking {
    let hash = format!("hash of {id}");
    match store.invite_open(&hash, 6).await.unwrap() {
        Some(invite) => store
            .invite_redeem(&invite, &hash, &account, false, &act("person.linked", 6))
            .await
            .unwrap(),
        None => Linking::Gone,
    }
}

async fn of_many_redemptions_one_succeeds(fresh: Fresh) {
    owner(&fresh).await;
    invite(&fresh.store, "i1", jun()).await;
    let hash = "hash of i1";
    let row = fresh.store.invite_open(hash, 6).await.unwrap().unwrap();
    let mut redeemers = JoinSet::new();
    for number in 0..64 {
        // As from several replicas.
        let store = if number % 16 == 0 {
            support::open(&fresh.url).await
        } else {
            fresh.store.clone()
        };
        let row = row.clone();
        redeemers.spawn(async move {
            let account = new_account(&format!("u{number}"), &format!("u{number}@example.com"));
            store
                .invite_redeem(&row, hash, &account, false, &act("person.linked", 6))
                .await
                .unwrap()
        });
    }
    let outcomes = redeemers.join_all().await;
    let linked = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, Linking::Linked { again: false, .. }))
        .count();
    assert_eq!(
        (
            linked,
            outcomes
                .iter()
                .filter(|outcome| **outcome == Linking::Gone)
                .count()
        ),
        (1, 63)
    );
    assert_eq!(fresh.store.people(ORG).await.unwrap().len(), 1);
    assert_eq!(
        fresh.store.members(ORG).await.unwrap().len(),
        2,
        "who came too late became nobody"
    );
}

async fn a_new_code_ends_the_one_before(fresh: Fresh) {
    owner(&fresh).await;
    for id in ["i1", "i2"] {
        assert_eq!(invite(&fresh.store, id, jun()).await, InviteAdded::Added);
    }
    let open = fresh.store.invites(ORG, 6, 0).await.unwrap();
    assert_eq!(
        open.iter()
            .map(|invite| invite.id.as_str())
            .collect::<Vec<_>>(),
        ["i2"]
    );
    assert_eq!(
        redeem(&fresh.store, "i1", new_account("u", "jun@example.com")).await,
        Linking::Gone
    );
    let linked = redeem(&fresh.store, "i2", new_account("u", "jun@example.com")).await;
    assert_eq!(
        linked,
        Linking::Linked {
            user_id: "u".to_owned(),
            again: false
        }
    );
    assert_eq!(
        invite(&fresh.store, "i3", jun()).await,
        InviteAdded::Linked {
            email: "jun@example.com".to_owned()
        }
    );
}

async fn what_cannot_be_used_is_like_what_is_not_there(fresh: Fresh) {
    owner(&fresh).await;
    let store = &fresh.store;
    invite(store, "i1", jun()).await;
    assert!(
        store
            .invite_open("hash of i1", HOUR)
            .await
            .unwrap()
            .is_none(),
        "ran out"
    );
    assert!(
        !store
            .invite_end("i1", "revoked", &act("invite.revoked", HOUR))
            .await
            .unwrap()
    );
    let opened = store
        .invite_open("hash of i1", HOUR - 1)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(opened.opened_at, None);
    assert_eq!(
        store
            .invite_open("hash of i1", HOUR - 1)
            .await
            .unwrap()
            .unwrap()
            .opened_at,
        Some(HOUR - 1)
    );
    let elsewhere = Act {
        organisation_id: "org-south".to_owned(),
        ..act("invite.revoked", 6)
    };
    member(store, "south", "s@example.com", Role::Owner).await;
    assert!(
        !store.invite_end("i1", "revoked", &elsewhere).await.unwrap(),
        "another organisation's"
    );
    assert!(store.invite("org-south", "i1").await.unwrap().is_none());
    assert!(
        store
            .invite_end("i1", "declined", &act("invite.declined", 7))
            .await
            .unwrap()
    );
    assert!(store.invite_open("hash of i1", 8).await.unwrap().is_none());
    assert_eq!(
        store.invites(ORG, 8, 6).await.unwrap()[0].ended.as_deref(),
        Some("declined")
    );
    assert!(
        store.invites(ORG, 8, 7).await.unwrap().is_empty(),
        "told for a while"
    );
}

async fn somebody_elses_account_is_never_taken(fresh: Fresh) {
    owner(&fresh).await;
    let jun_there = member(&fresh.store, "south", "jun@example.com", Role::Member).await;
    invite(&fresh.store, "i1", jun()).await;
    assert_eq!(
        redeem(&fresh.store, "i1", new_account("u", "jun@example.com")).await,
        Linking::EmailTaken
    );
    assert!(fresh.store.people(ORG).await.unwrap().is_empty());
    let known = Account::Known {
        user_id: jun_there.user_id.clone(),
    };
    let linked = redeem(&fresh.store, "i1", known).await;
    assert_eq!(
        linked,
        Linking::Linked {
            user_id: jun_there.user_id.clone(),
            again: false
        },
        "the code was not used up"
    );
    assert_eq!(
        fresh
            .store
            .member(ORG, &jun_there.user_id)
            .await
            .unwrap()
            .unwrap()
            .role,
        Role::Member
    );
}

async fn nobody_becomes_whom_another_member_is(fresh: Fresh) {
    let owner = owner(&fresh).await;
    invite(&fresh.store, "i1", jun()).await;
    let linked = fresh
        .store
        .person_link(&jun(), &owner.user_id, false, &act("person.linked", 6))
        .await
        .unwrap();
    assert!(matches!(linked, Linking::Linked { again: false, .. }));
    let taken = redeem(&fresh.store, "i1", new_account("u", "jun@example.com")).await;
    assert_eq!(
        taken,
        Linking::PersonTaken {
            email: "a@example.com".to_owned()
        }
    );
    assert_eq!(
        fresh.store.members(ORG).await.unwrap().len(),
        1,
        "nothing was left half done"
    );
}

async fn who_is_known_already_stays_who_they_are(fresh: Fresh) {
    let owner = owner(&fresh).await;
    let known = || Account::Known {
        user_id: owner.user_id.clone(),
    };
    invite(&fresh.store, "i1", jun()).await;
    let mara = LinearPersonRow {
        linear_id: "l-mara".to_owned(),
        name: "Mara".to_owned(),
        ..jun()
    };
    fresh
        .store
        .person_link(&mara, &owner.user_id, false, &act("person.linked", 6))
        .await
        .unwrap();
    assert_eq!(
        redeem(&fresh.store, "i1", known()).await,
        Linking::OtherPerson {
            name: "Mara".to_owned()
        }
    );
    assert!(
        fresh
            .store
            .person_unlink("w", "l-mara", &act("person.unlinked", 6))
            .await
            .unwrap()
    );
    assert!(
        !fresh
            .store
            .person_unlink("w", "l-mara", &act("person.unlinked", 6))
            .await
            .unwrap()
    );
    assert!(matches!(
        redeem(&fresh.store, "i1", known()).await,
        Linking::Linked { again: false, .. }
    ));
    let again = fresh
        .store
        .person_link(&jun(), &owner.user_id, false, &act("person.linked", 7))
        .await
        .unwrap();
    assert!(matches!(again, Linking::Linked { again: true, .. }));
}

async fn an_organisation_keeps_an_owner(fresh: Fresh) {
    let (one, store) = (owner(&fresh).await, &fresh.store);
    let set = async |user: &str, role: Role| {
        store
            .member_set_role(user, role, &act("member.role", 6))
            .await
            .unwrap()
    };
    assert_eq!(
        set(&one.user_id, Role::Admin).await,
        MemberChange::LastOwner
    );
    assert_eq!(
        store
            .member_remove(&one.user_id, false, &act("member.removed", 6))
            .await
            .unwrap(),
        MemberChange::LastOwner
    );
    assert_eq!(
        (
            set("nobody", Role::Admin).await,
            set(&one.user_id, Role::Owner).await
        ),
        (MemberChange::NotFound, MemberChange::Done)
    );
    let other = member(store, "north", "b@example.com", Role::Admin).await;
    assert_eq!(set(&other.user_id, Role::Owner).await, MemberChange::Done);
    // Each would be the last one if the other were quicker.
    let mut leaving = JoinSet::new();
    for person in [one, other] {
        let store = support::open(&fresh.url).await;
        leaving.spawn(async move {
            store
                .member_remove(&person.user_id, false, &act("member.removed", 6))
                .await
                .unwrap()
        });
    }
    let mut left = leaving.join_all().await;
    left.sort_by_key(|change| format!("{change:?}"));
    assert_eq!(left, [MemberChange::Done, MemberChange::LastOwner]);
}

async fn who_is_removed_or_changed_is_signed_out(fresh: Fresh) {
    let store = &fresh.store;
    owner(&fresh).await;
    let other = member(store, "north", "b@example.com", Role::Admin).await;
    store
        .person_link(&jun(), &other.user_id, false, &act("person.linked", 6))
        .await
        .unwrap();
    let sit = async |id: &str| {
        let session = StoredSession {
            id_hash: id.to_owned(),
            user_id: Some(other.user_id.clone()),
            data: Vec::new(),
            expires_at: HOUR,
        };
        assert!(store.session_create(&session, 1).await.unwrap());
    };
    sit("s1").await;
    store
        .member_set_role(&other.user_id, Role::Member, &act("member.role", 6))
        .await
        .unwrap();
    assert!(store.session("s1", 6).await.unwrap().is_none());
    sit("s2").await;
    assert_eq!(
        store
            .member_remove(&other.user_id, false, &act("member.removed", 6))
            .await
            .unwrap(),
        MemberChange::Done
    );
    assert!(store.session("s2", 6).await.unwrap().is_none());
    assert!(
        store.people(ORG).await.unwrap().is_empty()
            && store.member(ORG, &other.user_id).await.unwrap().is_none()
    );
}

async fn codes_end_with_the_right_to_make_them(fresh: Fresh) {
    let (owner, store) = (owner(&fresh).await, &fresh.store);
    let admin = member(store, "north", "b@example.com", Role::Owner).await;
    let named = |name: &str| LinearPersonRow {
        linear_id: format!("l-{name}"),
        name: name.to_owned(),
        ..jun()
    };
    invite_by(store, "theirs", named("Ann"), Some(&admin), HOUR).await;
    invite_by(store, "declined", named("Bea"), Some(&admin), HOUR).await;
    invite_by(store, "over", named("Cas"), Some(&admin), 6).await;
    invite_by(store, "others", named("Dan"), Some(&owner), HOUR).await;
    store
        .invite_end("declined", "declined", &act("invite.declined", 5))
        .await
        .unwrap();
    let ended = async |id: &str| store.invite(ORG, id).await.unwrap().unwrap().ended;
    let acts = async |after: i64| {
        let rows = store.audit_after(ORG, after, 100).await.unwrap();
        rows.into_iter()
            .map(|row| (row.act, row.subject))
            .collect::<Vec<_>>()
    };
    store
        .member_set_role(&admin.user_id, Role::Admin, &act("member.role", 6))
        .await
        .unwrap();
    assert_eq!(ended("theirs").await, None, "admins make codes too");

    let before = store.audit_head(ORG).await.unwrap().unwrap().number;
    store
        .member_set_role(&admin.user_id, Role::Member, &act("member.role", 6))
        .await
        .unwrap();
    let ends = [
        ended("theirs").await,
        ended("declined").await,
        ended("over").await,
        ended("others").await,
    ];
    assert_eq!(
        ends.each_ref().map(|end| end.as_deref()),
        [Some("revoked"), Some("declined"), None, None]
    );
    assert_eq!(
        redeem(store, "theirs", new_account("u", "ann@example.com")).await,
        Linking::Gone
    );
    let told = |act: &str, subject: &str| (act.to_owned(), subject.to_owned());
    assert_eq!(
        acts(before).await,
        [
            told("member.role", "s"),
            told("invite.revoked", "Ann in Acme")
        ]
    );

    store
        .member_set_role(&admin.user_id, Role::Admin, &act("member.role", 6))
        .await
        .unwrap();
    invite_by(store, "later", named("Ann"), Some(&admin), HOUR).await;
    let before = store.audit_head(ORG).await.unwrap().unwrap().number;
    assert_eq!(
        store
            .member_remove(&admin.user_id, false, &act("member.removed", 6))
            .await
            .unwrap(),
        MemberChange::Done
    );
    assert_eq!(
        (ended("later").await.as_deref(), ended("others").await),
        (Some("revoked"), None)
    );
    assert_eq!(
        acts(before).await,
        [
            told("member.removed", "s"),
            told("invite.revoked", "Ann in Acme")
        ]
    );
    assert_eq!(store.audit_verify(ORG).await.unwrap().broken_at, None);
}

async fn an_answer_is_dismissed_and_an_open_code_is_not(fresh: Fresh) {
    let store = &fresh.store;
    owner(&fresh).await;
    invite(store, "i1", jun()).await;
    let dismiss = async |act: &Act| store.invite_dismiss("i1", act).await.unwrap();
    assert!(
        !dismiss(&act("invite.dismissed", 6)).await,
        "nobody has answered yet"
    );
    assert!(
        store
            .invite_end("i1", "refused", &act("invite.refused", 6))
            .await
            .unwrap()
    );
    member(store, "south", "s@example.com", Role::Owner).await;
    assert!(
        !dismiss(&support::act("org-south", "invite.dismissed", 6)).await,
        "another organisation's"
    );
    assert_eq!(store.invites(ORG, 7, 0).await.unwrap().len(), 1);
    let before = store.audit_head(ORG).await.unwrap().unwrap().number;
    assert_eq!(
        (
            dismiss(&act("invite.dismissed", 7)).await,
            dismiss(&act("invite.dismissed", 7)).await
        ),
        (true, false)
    );
    assert!(store.invites(ORG, 7, 0).await.unwrap().is_empty());
    assert_eq!(
        store.audit_head(ORG).await.unwrap().unwrap().number,
        before + 1,
        "the second time nothing was done"
    );
    assert!(
        store.invite_open("hash of i1", 7).await.unwrap().is_none(),
        "it is not open again"
    );
}

async fn remove(store: &Store, user: &str) {
    assert_eq!(
        store
            .member_remove(user, false, &act("member.removed", 6))
            .await
            .unwrap(),
        MemberChange::Done
    );
}

async fn account(store: &Store, email: &str) -> Option<String> {
    store
        .user_by_email(email)
        .await
        .unwrap()
        .map(|user| user.id)
}

async fn an_account_that_is_nobodys_frees_its_email(fresh: Fresh) {
    let store = &fresh.store;
    owner(&fresh).await;
    let join = async |id: &str, user: &str| {
        invite(store, id, jun()).await;
        let linked = redeem(store, id, new_account(user, "jun@example.com")).await;
        assert_eq!(
            linked,
            Linking::Linked {
                user_id: user.to_owned(),
                again: false
            }
        );
    };
    join("i1", "u1").await;
    remove(store, "u1").await;
    assert_eq!(
        (
            account(store, "jun@example.com").await,
            account(store, "removed-u1@invalid").await
        ),
        (None, None),
        "nothing is left"
    );

    join("i2", "u2").await;
    let jun_here = store.member(ORG, "u2").await.unwrap().unwrap();
    store
        .connection_adopt(&adoption(&jun_here, "c2", "w2"))
        .await
        .unwrap();
    remove(store, "u2").await;
    assert_eq!(account(store, "jun@example.com").await, None);
    assert_eq!(
        account(store, "removed-u2@invalid").await.as_deref(),
        Some("u2")
    );
    assert_eq!(
        store
            .connection(ORG, "c2")
            .await
            .unwrap()
            .unwrap()
            .connected_by,
        "Jun",
        "who connected it is known still"
    );
    join("i3", "u3").await;

    // With a password, which proves nothing.
    store
        .user_set_first_password("u3", "hash", &act("password.changed", 6))
        .await
        .unwrap();
    remove(store, "u3").await;
    join("i4", "u4").await;
}

async fn an_account_that_somebody_needs_keeps_its_email(fresh: Fresh) {
    let store = &fresh.store;
    owner(&fresh).await;
    let other = member(store, "north", "b@example.com", Role::Member).await;
    remove(store, &other.user_id).await;
    assert_eq!(
        account(store, "b@example.com").await,
        Some(other.user_id),
        "whoever has a password signs in with it"
    );

    invite(store, "i1", jun()).await;
    redeem(store, "i1", new_account("u1", "jun@example.com")).await;
    assert!(
        store
            .account_answer_for("u1", &act("account.proved", 6))
            .await
            .unwrap()
    );
    let south = member(store, "south", "s@example.com", Role::Owner).await;
    store
        .connection_adopt(&adoption(&south, "c9", "w9"))
        .await
        .unwrap();
    invite(
        store,
        "i2",
        LinearPersonRow {
            organisation_id: south.organisation_id,
            workspace_id: "w9".to_owned(),
            ..jun()
        },
    )
    .await;
    redeem(
        store,
        "i2",
        Account::Known {
            user_id: "u1".to_owned(),
        },
    )
    .await;
    remove(store, "u1").await;
    assert_eq!(
        account(store, "jun@example.com").await.as_deref(),
        Some("u1"),
        "it is a member's elsewhere"
    );
}

async fn nobody_rises_of_whom_nobody_knows_who_they_are(fresh: Fresh) {
    let (owner, store) = (owner(&fresh).await, &fresh.store);
    invite(store, "i1", jun()).await;
    redeem(store, "i1", new_account("u1", "jun@example.com")).await;
    let standing = async || store.member(ORG, "u1").await.unwrap().unwrap().standing;
    let set = async |role: Role| {
        store
            .member_set_role("u1", role, &act("member.role", 6))
            .await
            .unwrap()
    };
    assert_eq!(
        (standing().await, owner.standing),
        (Standing::Unproved, Standing::Proved)
    );
    assert_eq!(
        [set(Role::Admin).await, set(Role::Owner).await],
        [MemberChange::Unproved; 2]
    );
    assert_eq!(
        set(Role::Member).await,
        MemberChange::Done,
        "that is no rise"
    );
    // A place in another organisation, by either door.
    let south = member(store, "south", "s@example.com", Role::Owner).await;
    store
        .connection_adopt(&adoption(&south, "c9", "w9"))
        .await
        .unwrap();
    invite(
        store,
        "i2",
        LinearPersonRow {
            organisation_id: south.organisation_id,
            workspace_id: "w9".to_owned(),
            ..jun()
        },
    )
    .await;
    let known = || Account::Known {
        user_id: "u1".to_owned(),
    };
    assert_eq!(redeem(store, "i2", known()).await, Linking::Unproved);
    let there = NewMember {
        organisation_id: "org-west".to_owned(),
        organisation_slug: "west".to_owned(),
        organisation_name: "West".to_owned(),
        user_id: "u1".to_owned(),
        email: "jun@example.com".to_owned(),
        name: String::new(),
        password_hash: None,
        role: Role::Owner,
        actor: AuditActor::command(),
        now: 7,
    };
    assert_eq!(
        store.member_add(&there, false).await.unwrap(),
        Member::Unproved
    );
    assert!(
        store.organisation_by_slug("west").await.unwrap().is_none(),
        "nothing was left half done"
    );

    // An owner's word counts in their organisation alone.
    assert!(
        store
            .member_vouch("u1", &act("member.vouched", 7))
            .await
            .unwrap()
    );
    assert!(
        !store
            .member_vouch("u1", &act("member.vouched", 7))
            .await
            .unwrap(),
        "once"
    );
    assert_eq!(
        (standing().await, set(Role::Admin).await),
        (Standing::Vouched, MemberChange::Done)
    );
    assert_eq!(redeem(store, "i2", known()).await, Linking::Unproved);
    assert_eq!(
        store.member_add(&there, false).await.unwrap(),
        Member::Unproved
    );

    // A code that was mailed counts everywhere, once.
    store
        .email_code_put("u1", "hash of the first", HOUR)
        .await
        .unwrap();
    store
        .email_code_put("u1", "hash of a code", HOUR)
        .await
        .unwrap();
    let enter = async |hash: &str, at: i64| {
        store
            .email_code_redeem("u1", hash, &act("account.proved", at))
            .await
            .unwrap()
    };
    assert_eq!(
        [
            enter("hash of the first", 8).await,
            enter("hash of a code", HOUR).await
        ],
        [Proved::Invalid; 2]
    );
    assert_eq!(
        (
            enter("hash of a code", 8).await,
            enter("hash of a code", 8).await
        ),
        (Proved::Done, Proved::Invalid)
    );
    assert_eq!(standing().await, Standing::Proved);
    assert!(matches!(
        redeem(store, "i2", known()).await,
        Linking::Linked { .. }
    ));
    assert_eq!(
        store.member_add(&there, false).await.unwrap(),
        Member::Added
    );
}

/// An older database: accounts that codes made, and all others.
async fn who_had_a_role_before_anybody_asked_keeps_it(fresh: Fresh) {
    let (owner, store) = (owner(&fresh).await, &fresh.store);
    invite(store, "i1", jun()).await;
    let row = store.invite_open("hash of i1", 6).await.unwrap().unwrap();
    let by_holder = Act {
        actor: AuditActor {
            who: "holder of the code".to_owned(),
            ..AuditActor::default()
        },
        ..act("person.linked", 6)
    };
    store
        .invite_redeem(
            &row,
            "hash of i1",
            &new_account("u1", "jun@example.com"),
            false,
            &by_holder,
        )
        .await
        .unwrap();
    let older = "UPDATE users SET email_proof = NULL; UPDATE members SET role = 'owner' WHERE \
        user_id = 'u1';";
    let migration = include_str!("../../../migrations/sqlite/0011_email_proofs.sql");
    let learnt = migration
        .split(';')
        .find(|sql| sql.contains("UPDATE users"))
        .unwrap();
    support::sql(&fresh, &format!("{older} {learnt};")).await;
    let (jun, owner) = (
        store.member(ORG, "u1").await.unwrap().unwrap(),
        store.member(ORG, &owner.user_id).await.unwrap().unwrap(),
    );
    assert_eq!(
        (owner.standing, jun.standing, jun.role),
        (Standing::Proved, Standing::Unproved, Role::Owner)
    );
    let set = async |role: Role| {
        store
            .member_set_role("u1", role, &act("member.role", 7))
            .await
            .unwrap()
    };
    assert_eq!(
        (
            set(Role::Owner).await,
            set(Role::Admin).await,
            set(Role::Owner).await
        ),
        (
            MemberChange::Done,
            MemberChange::Done,
            MemberChange::Unproved
        )
    );
}
