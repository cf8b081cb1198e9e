use super::*;
use crate::rendered;
use crate::view::{FirstPassword, LinkEnd, LinkedPerson};

fn page(view: LinkView) -> String {
    rendered::html(|| link(view).main).replace("<!>", "")
}

fn asker(name: Option<&str>) -> AskerView {
    AskerView {
        name: name.map(str::to_owned),
        organisation: "Northwind Labs".to_owned(),
    }
}

fn preview(account: LinkAccount) -> String {
    page(LinkView::Preview(PreviewView {
        name: "Elif <b>Demir".to_owned(),
        initials: "ED".to_owned(),
        email: "elif@acme.example".to_owned(),
        workspace: "Acme Robotics".to_owned(),
        workspace_initials: "AR".to_owned(),
        asker: asker(Some("Priya Raman")),
        account,
        told: None,
        preview: "0123".to_owned(),
        runs_out: "23 h 58 min".to_owned(),
    }))
}

fn person(asked_by: Option<&str>) -> LinkedPerson {
    LinkedPerson {
        name: "Elif Demir".to_owned(),
        initials: "ED".to_owned(),
        workspace: "Acme Robotics".to_owned(),
        workspace_initials: "AR".to_owned(),
        asker: asker(asked_by),
    }
}

#[test]
fn every_failure_of_a_code_is_the_same_sentence() {
    let page = page(LinkView::Enter {
        typed: "<b>x".to_owned(),
        problem: Some(LinkProblem::Invalid),
        workspaces: Vec::new(),
    });
    assert!(page.contains(
        "This code is not valid. It was used, ran out, or has a typo. Ask whoever sent it for a \
            new one."
    ));
    assert!(
        page.contains("value=\"&lt;b&gt;x\"")
            && page.contains("aria-invalid=\"true\"")
            && !page.contains("<b>x"),
        "{page}"
    );
    assert_eq!(
        sentence(LinkProblem::Unavailable),
        "Relink cannot reach its database right now. Try again in a minute."
    );
    assert_eq!(
        sentence(LinkProblem::Paused { minutes: 10 }),
        "Too many tries. Wait 10 minutes, then try again."
    );
}

#[test]
fn the_preview_says_what_a_yes_does() {
    let new = preview(LinkAccount::New);
    assert!(
        new.contains("Elif &lt;b&gt;Demir")
            && new.contains("value=\"yes\"")
            && new.contains("value=\"no\"")
    );
    assert!(
        new.contains(
            "Priya Raman at Northwind Labs asks, so that Northwind Labs’ tools know who you are."
        ),
        "{new}"
    );
    let yours = preview(LinkAccount::Yours {
        email: "mara@northwind.dev".to_owned(),
    });
    assert!(
        yours.contains("A yes adds this to your account, mara@northwind.dev.")
            && yours.contains("value=\"yes\"")
    );
    let first = preview(LinkAccount::SignInFirst);
    assert!(first.contains(
        "You never set a password? Ask whoever invited you to remove you from the team and invite \
            you again; where the account is another team’s, ask whoever runs this Relink."
    ));
    assert!(
        first.contains("href=\"/signin?next=/link\"")
            && !first.contains("value=\"yes\"")
            && first.contains("value=\"no\"")
    );
}

#[test]
fn a_code_without_a_person_behind_it_is_asked_for_by_the_organisation() {
    assert_eq!(
        asking(&asker(None)),
        "Northwind Labs asks, so that Northwind Labs’ tools know who you are."
    );
    let declined = page(LinkView::Ended(LinkEnd::Declined {
        person: person(None),
    }));
    assert!(
        declined.contains(
            "The code no longer works. Northwind Labs now sees that it pointed at someone else"
        ),
        "{declined}"
    );
    let taken = page(LinkView::Ended(LinkEnd::Taken {
        person: person(None),
    }));
    assert!(
        taken.contains("Another member is Elif Demir in Acme Robotics already.")
            && taken.contains("Ask whoever sent it to look")
    );
}

#[test]
fn only_a_new_account_is_offered_a_password() {
    let linked = |password| {
        page(LinkView::Ended(LinkEnd::Linked {
            person: person(Some("Priya Raman")),
            again: false,
            password,
        }))
    };
    assert!(!linked(FirstPassword::NotOffered).contains("password"));
    assert!(linked(FirstPassword::SignIn).contains("You are not signed in here."));
    let email = || "elif@acme.example".to_owned();
    let offered = linked(FirstPassword::Offered { email: email() });
    assert!(
        offered.contains("action=\"/link/password\"")
            && offered.contains("Elif Demir in Acme Robotics is you."),
        "{offered}"
    );
    let refused = linked(FirstPassword::Refused {
        email: email(),
        complaint: Complaint::PasswordTooShort,
    });
    assert!(
        refused.contains("<details open") && refused.contains("This password is too short."),
        "{refused}"
    );
    assert!(
        linked(FirstPassword::Saved { email: email() })
            .contains("Saved. Sign in later with elif@acme.example")
    );
}

#[test]
fn linear_may_answer_in_ones_place() {
    let new = preview(LinkAccount::New);
    assert!(
        new.contains("action=\"/link/prove\"") && new.contains("Continue with Linear"),
        "{new}"
    );
    assert!(
        !preview(LinkAccount::SignInFirst).contains("/link/prove"),
        "there is an account to sign in to"
    );
    let here = vec![Choice {
        value: "c1".to_owned(),
        label: "Acme <b>".to_owned(),
        chosen: false,
    }];
    let signed_in = page(LinkView::Enter {
        typed: String::new(),
        problem: None,
        workspaces: here,
    });
    assert!(
        signed_in.contains("action=\"/oauth/linear/prove\"")
            && signed_in.contains("Acme &lt;b&gt;"),
        "{signed_in}"
    );
    let nobody = page(LinkView::Enter {
        typed: String::new(),
        problem: None,
        workspaces: Vec::new(),
    });
    assert!(!nobody.contains("Continue with Linear"), "{nobody}");
}
