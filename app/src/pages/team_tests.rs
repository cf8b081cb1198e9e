use super::*;
use crate::rendered;
use crate::sample_views::{as_of, at, moment};
use crate::view::{
    AnsweredCodeView, BulkCodes, Choice, CodeAnswer, DoubtView, GuessesView, InviteDraft,
    InviteProblem, InvitingView, LinkedView, MailView, MayView, NotInvited, PersonLineView, Pick,
    PickGroup, QrView, SelfView, ShownCode, YouView,
};

fn member(id: &str, may: MayView, linked: bool) -> MemberView {
    let link = LinkedView {
        workspace_id: "w1".to_owned(),
        workspace: "Acme Robotics".to_owned(),
        linear_id: "l1".to_owned(),
        name: "Elif Demir".to_owned(),
        email: "elif@acme.example".to_owned(),
    };
    MemberView {
        id: id.to_owned(),
        who: PersonLineView {
            initials: "ED".to_owned(),
            name: "Elif <b>Demir".to_owned(),
            email: "elif@acme.example".to_owned(),
        },
        role: "member".to_owned(),
        you: false,
        linked: if linked { vec![link] } else { Vec::new() },
        doubt: None,
        keys: Vec::new(),
        may,
    }
}

fn inviting() -> InvitingView {
    InvitingView {
        workspaces: vec![Choice {
            value: "c1".to_owned(),
            label: "Acme Robotics".to_owned(),
            chosen: false,
        }],
        people: vec!["Elif Demir, elif@acme.example".to_owned()],
        pickable: vec![group("Acme Robotics", &["Elif Demir", "Farid Nasser"])],
        more_people: false,
        silent: Vec::new(),
        broken: Vec::new(),
        draft: InviteDraft {
            valid: "24".to_owned(),
            ..InviteDraft::default()
        },
        waiting: Vec::new(),
        answered: Vec::new(),
        selves: Vec::new(),
        guesses: None,
    }
}

fn group(workspace: &str, names: &[&str]) -> PickGroup {
    let pick = |name: &&str| Pick {
        value: format!("c1:l1:{name}"),
        name: (*name).to_owned(),
        email: "x@acme.example".to_owned(),
        guest: name.starts_with('F'),
        picked: false,
    };
    PickGroup {
        workspace: workspace.to_owned(),
        people: names.iter().map(pick).collect(),
    }
}

fn code(name: &str, mail: MailView) -> ShownCode {
    ShownCode {
        id: "i1".to_owned(),
        name: name.to_owned(),
        email: "elif@acme.example".to_owned(),
        mail,
        workspace: "Acme Robotics".to_owned(),
        code: "7K3D-M9QX-2VBT-H4ZC".to_owned(),
        link: "https://r.example/link#7K3D-M9QX-2VBT-H4ZC".to_owned(),
        message: format!("Hello {name}"),
        qr: QrView {
            size: 33,
            path: "M0 0h7v1h-7z".to_owned(),
        },
        until: moment("20 Nov 14:02 UTC"),
        left: "23 h 59 min left".to_owned(),
    }
}

fn after(new_code: NewCodeView) -> String {
    let shown = TeamPageView {
        new_code: Some(new_code),
        ..view(Vec::new(), Some(inviting()))
    };
    page(shown, &Asked::default())
}

fn view(members: Vec<MemberView>, inviting: Option<InvitingView>) -> TeamPageView {
    TeamPageView {
        members,
        manages: inviting.is_some(),
        inviting,
        new_code: None,
        you: YouView::default(),
        notice: None,
        as_of: as_of(),
    }
}

fn page(view: TeamPageView, asked: &Asked) -> String {
    rendered::html(|| {
        let content = team(view, asked);
        (content.main, content.dialog)
    })
    .replace("<!>", "")
}

fn text(html: &str) -> String {
    html.split('<')
        .filter_map(|part| part.split_once('>').map(|(_, text)| text))
        .collect::<String>()
}

const GOVERN: MayView = MayView {
    unlink: true,
    govern: true,
};

#[test]
fn a_member_sees_who_is_who_and_no_form() {
    let page = page(
        view(vec![member("u1", MayView::default(), true)], None),
        &Asked::default(),
    );
    assert!(
        page.contains("data-say=\"Elif &lt;b&gt;Demir is linked in \">Acme Robotics<"),
        "{page}"
    );
    assert!(
        !page.contains("<form")
            && !page.contains("Manage")
            && !page.contains("#invite")
            && !page.contains("Actions"),
        "{page}"
    );
}

#[test]
fn managing_and_removing_are_for_those_who_may() {
    let asked = Asked {
        member: Some("u1".to_owned()),
        remove: true,
        vouch: false,
    };
    let owner = page(
        view(vec![member("u1", GOVERN, true)], Some(inviting())),
        &asked,
    );
    assert!(
        owner.contains("action=\"/team/role\"")
            && owner.contains("action=\"/team/unlink\"")
            && owner.contains("<dialog open")
            && owner.contains("Actions")
    );
    assert!(text(&owner).contains("Their link to Elif Demir in Acme Robotics ends"));
    let admin = MayView {
        unlink: true,
        govern: false,
    };
    let admin = page(
        view(vec![member("u1", admin, true)], Some(inviting())),
        &asked,
    );
    assert!(
        admin.contains("action=\"/team/unlink\"")
            && !admin.contains("action=\"/team/role\"")
            && !admin.contains("<dialog")
    );
    let nobody = page(
        view(vec![member("u1", MayView::default(), true)], None),
        &asked,
    );
    assert!(!nobody.contains("id=\"manage\""));
}

#[test]
fn what_became_of_codes_is_told() {
    let answered = |answer| AnsweredCodeView {
        id: "i7".to_owned(),
        name: "Elif Demir".to_owned(),
        workspace: "Acme Robotics".to_owned(),
        at: at("14:10 UTC today"),
        answer,
    };
    let told = |answer| {
        text(&page(
            view(
                Vec::new(),
                Some(InvitingView {
                    answered: vec![answered(answer)],
                    ..inviting()
                }),
            ),
            &Asked::default(),
        ))
    };
    let not_me = told(CodeAnswer::NotMe);
    assert!(
        not_me.contains(
            "Elif Demir’s code for Acme Robotics was answered with “That’s not me” at 14:10 UTC \
                today."
        ),
        "{not_me}"
    );
    assert!(not_me.contains("Pick the right person."));
    assert!(
        told(CodeAnswer::Taken {
            email: Some("jun@x.example".into())
        })
        .contains("Elif Demir is linked to jun@x.example already.")
    );
    assert!(told(CodeAnswer::Taken { email: None }).contains("was refused at 14:10 UTC today."));
    let one = InvitingView {
        answered: vec![answered(CodeAnswer::NotMe)],
        ..inviting()
    };
    let dismissed = page(view(Vec::new(), Some(one)), &Asked::default());
    assert!(
        dismissed.contains(
            "action=\"/team/invites/dismiss\" class=\"contents\"><input type=\"hidden\" \
                name=\"invite\" value=\"i7\""
        ),
        "{dismissed}"
    );
    assert!(text(&dismissed).contains("Dismiss the answer to Elif Demir’s code"));
    let guesses = Some(GuessesView {
        tries: 40,
        until: at("14:12 UTC today"),
    });
    let guessed = text(&page(
        view(
            Vec::new(),
            Some(InvitingView {
                guesses,
                ..inviting()
            }),
        ),
        &Asked::default(),
    ));
    assert!(
        guessed.contains("40 wrong link codes were tried lately.")
            && guessed.contains("the count starts anew at 14:12 UTC today.")
    );
}

#[test]
fn a_list_that_is_not_there_is_no_obstacle() {
    let silent = InvitingView {
        people: Vec::new(),
        silent: vec!["Acme Robotics".to_owned()],
        ..inviting()
    };
    let page = page(view(Vec::new(), Some(silent)), &Asked::default());
    assert!(page.contains(
        "Linear does not list the people of Acme Robotics right now. Type an e-mail address."
    ));
    assert!(page.contains("action=\"/team/invites\"") && page.contains("name=\"person\""));
}

#[test]
fn without_a_workspace_nobody_can_be_invited() {
    let none = InvitingView {
        workspaces: Vec::new(),
        broken: vec!["Globex".to_owned()],
        ..inviting()
    };
    let page = page(view(Vec::new(), Some(none)), &Asked::default());
    assert!(
        page.contains("Nobody can be invited yet")
            && page.contains("Globex needs a reconnect")
            && !page.contains("/team/invites")
    );
}

#[test]
fn a_refused_invitation_keeps_what_was_typed() {
    let problem = Some(InviteProblem::Linked {
        email: "jun@x.example".to_owned(),
    });
    let draft = InviteDraft {
        workspace: "c1".to_owned(),
        person: "Elif".to_owned(),
        valid: "168".to_owned(),
        problem,
        ..InviteDraft::default()
    };
    let page = page(
        view(
            Vec::new(),
            Some(InvitingView {
                draft,
                ..inviting()
            }),
        ),
        &Asked::default(),
    );
    assert!(
        page.contains("<details class=\"check split\"><summary"),
        "what nothing is wrong with stays folded: {page}"
    );
    assert!(
        page.contains("They are linked to jun@x.example already.")
            && page.contains("value=\"Elif\"")
    );
    assert!(
        page.contains("value=\"168\" selected") && page.contains("aria-invalid=\"true\""),
        "{page}"
    );
}

#[test]
fn a_new_code_is_the_first_thing_and_can_be_handed_over_in_every_way() {
    let code = code("Elif Demir", MailView::NotSetUp);
    assert!(!format!("{code:?}").contains("7K3D"));
    let page = after(NewCodeView::Shown(Box::new(code)));
    assert!(text(&page).contains(
        "Send it to Elif only. It works once, until 20 Nov 14:02 UTC. Relink keeps a hash, not the \
            code."
    ));
    for part in [
        "Copy link",
        "viewBox=\"-4 -4 41 41\"",
        "Hello Elif",
        "action=\"/team/invites/revoke\"",
        "Done",
    ] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    assert_eq!(
        page.matches("btn primary").count(),
        1,
        "one first thing to do"
    );
    assert!(!page.contains("style="), "the policy forbids it");
    assert!(
        !page.contains("e-mail to elif") && !text(&page).contains("Sent to"),
        "where nothing is mailed, nothing is said of it"
    );
}

#[test]
fn whoever_hands_a_code_over_knows_whether_it_was_mailed() {
    let shown = |mail| {
        text(&after(NewCodeView::Shown(Box::new(code(
            "Elif Demir",
            mail,
        )))))
    };
    assert!(shown(MailView::Sent).contains("Sent to elif@acme.example too."));
    let failed = shown(MailView::Failed);
    assert!(
        failed.contains(
            "The e-mail to elif@acme.example could not be sent. Hand the link over yourself."
        ),
        "{failed}"
    );
}

#[test]
fn several_codes_are_listed_with_those_who_got_none() {
    let not_invited = |name: &str, problem| NotInvited {
        name: name.to_owned(),
        workspace: "Globex".to_owned(),
        problem,
    };
    let not_invited = vec![
        not_invited(
            "Ada <b>Okafor",
            InviteProblem::Linked {
                email: "ada@x.example".to_owned(),
            },
        ),
        not_invited("Ben Castillo", InviteProblem::Nobody),
        not_invited("Chiara Rossi", InviteProblem::Unreachable),
    ];
    let codes = vec![
        code("Elif Demir", MailView::Failed),
        code("Farid Nasser", MailView::Sent),
    ];
    let page = after(NewCodeView::Several(BulkCodes {
        codes,
        not_invited: not_invited.clone(),
    }));
    let words = text(&page);
    for told in [
        "2 link codes, shown once.",
        "Elif Demir in Acme Robotics 7K3D-M9QX-2VBT-H4ZC",
        "Copy link for Farid Nasser",
        "Sent to elif@acme.example too.",
        "The e-mail to elif@acme.example could not be sent.",
        "Ada &lt;b&gt;Okafor in Globex is linked to ada@x.example already.",
        "Ben Castillo in Globex is not active there any more.",
        "Chiara Rossi in Globex. Linear does not answer right now. Nothing was changed.",
    ] {
        assert!(words.contains(told), "{told} is not in {words}");
    }
    assert!(
        page.contains("id=\"link-0\"")
            && page.contains("id=\"message-1\"")
            && page.contains("Hello Farid Nasser")
    );
    assert!(
        !page.contains("btn primary"),
        "handing the codes over comes first"
    );
    let nobody = after(NewCodeView::Several(BulkCodes {
        codes: Vec::new(),
        not_invited,
    }));
    assert!(
        text(&nobody).contains("Nobody was invited.")
            && !text(&nobody).contains("shown once")
            && nobody.contains("btn primary")
    );
}

#[test]
fn several_people_are_picked_from_a_list() {
    let list = |pickable, draft| {
        page(
            view(
                Vec::new(),
                Some(InvitingView {
                    pickable,
                    draft,
                    ..inviting()
                }),
            ),
            &Asked::default(),
        )
    };
    let one = list(
        vec![group("Acme Robotics", &["Elif <b>Demir", "Farid Nasser"])],
        InviteDraft::default(),
    );
    assert!(
        text(&one).contains("Several people at once")
            && text(&one).contains("Up to 20 people at a time.")
    );
    assert!(
        one.contains("name=\"people[]\" value=\"c1:l1:Elif &lt;b&gt;Demir\""),
        "{one}"
    );
    assert!(
        text(&one).contains("Farid Nasser x@acme.example Guest")
            && one.contains("<legend class=\"sr\">Acme Robotics")
    );
    let two = list(
        vec![
            group("Acme Robotics", &["Elif"]),
            group("Globex", &["Elif"]),
        ],
        InviteDraft::default(),
    );
    assert!(
        two.matches("<legend").count() == 2 && !two.contains("<legend class=\"sr\""),
        "{two}"
    );
    assert!(!list(Vec::new(), InviteDraft::default()).contains("Several people at once"));
}

#[test]
fn too_many_picks_are_sent_back_with_the_reason_where_they_were_made() {
    let mut elif = group("Acme Robotics", &["Elif"]);
    elif.people[0].picked = true;
    let draft = InviteDraft {
        problem: Some(InviteProblem::TooMany),
        valid: "1".to_owned(),
        ..InviteDraft::default()
    };
    let refused = view(
        Vec::new(),
        Some(InvitingView {
            pickable: vec![elif],
            draft,
            ..inviting()
        }),
    );
    let page = rendered::html(|| {
        let content = team(refused, &Asked::default());
        assert!(content.refused, "the title says so too");
        content.main
    });
    assert!(
        page.contains("<details open class=\"check split\"")
            && page.contains("value=\"c1:l1:Elif\" checked"),
        "{page}"
    );
    assert!(
        text(&page).contains("20 people at a time. Nobody was invited.")
            && !page.contains("aria-invalid")
    );
}

fn doubtful(vouched: bool) -> MemberView {
    let doubt = DoubtView {
        sentence: "Nobody proved that it is theirs.".to_owned(),
        vouched,
    };
    MemberView {
        doubt: Some(doubt),
        ..member("u1", GOVERN, false)
    }
}

#[test]
fn an_account_that_nobody_proved_is_marked_and_is_offered_no_higher_role() {
    let manage = |member: MemberView| {
        page(
            view(vec![member], None),
            &Asked {
                member: Some("u1".to_owned()),
                ..Asked::default()
            },
        )
    };
    let doubted = manage(doubtful(false));
    assert!(
        text(&doubted).contains("Member E-mail never proved"),
        "{doubted}"
    );
    assert!(
        doubted.contains("Nobody proved that it is theirs.")
            && doubted.contains("action=\"/team/vouch\""),
        "{doubted}"
    );
    assert!(
        !doubted.contains("value=\"admin\"") && doubted.contains("value=\"member\" selected"),
        "{doubted}"
    );
    let admin = manage(MemberView {
        role: "admin".to_owned(),
        ..doubtful(false)
    });
    assert!(
        admin.contains("value=\"admin\" selected") && !admin.contains("value=\"owner\""),
        "what they have they keep"
    );
    let vouched = manage(doubtful(true));
    assert!(
        text(&vouched).contains("E-mail never proved, an owner vouched")
            && vouched.contains("value=\"owner\""),
        "{vouched}"
    );
    assert!(!vouched.contains("/team/vouch"), "once is enough");
    let you = manage(MemberView {
        you: true,
        ..doubtful(false)
    });
    assert!(!you.contains("/team/vouch"), "nobody vouches for themself");
}

#[test]
fn whoever_vouches_reads_what_nobody_knows() {
    let asked = Asked {
        member: Some("u1".to_owned()),
        vouch: true,
        ..Asked::default()
    };
    let question = page(view(vec![doubtful(false)], None), &asked);
    assert!(
        question.contains("Vouch for Elif &lt;b&gt;Demir?")
            && question.contains("I vouch for them"),
        "{question}"
    );
    let past = page(view(vec![doubtful(true)], None), &asked);
    assert!(!past.contains("<dialog open"), "{past}");
}

#[test]
fn everybody_can_have_linear_say_who_they_are() {
    let here = |linked, people| SelfView {
        connection: "c1".to_owned(),
        workspace: "Acme <b>".to_owned(),
        linked,
        people,
    };
    let shown = |you: YouView| {
        page(
            TeamPageView {
                you,
                ..view(Vec::new(), None)
            },
            &Asked::default(),
        )
    };
    assert!(!shown(YouView::default()).contains("You in Linear"));
    let plain = shown(YouView {
        workspaces: vec![here(false, Vec::new())],
        ..YouView::default()
    });
    assert!(
        plain.contains("action=\"/oauth/linear/prove\"")
            && plain.contains("Who are you in Acme &lt;b&gt;?"),
        "{plain}"
    );
    assert!(
        plain.contains("Relink looks once and hands the permission back.")
            && !plain.contains("/team/me"),
        "{plain}"
    );
    let doubt = Some(DoubtView {
        sentence: String::new(),
        vouched: false,
    });
    let you = YouView {
        email: "a@b.example".to_owned(),
        doubt,
        code_waits: None,
        workspaces: vec![here(true, Vec::new())],
    };
    let doubted = shown(you.clone());
    assert!(
        doubted.contains("Let Linear prove your e-mail") && !doubted.contains("/team/email-code"),
        "no mail server"
    );
    let mails = |waits| {
        shown(YouView {
            code_waits: Some(waits),
            ..you.clone()
        })
    };
    assert!(
        mails(false).contains("Send me a code")
            && !mails(false).contains("action=\"/team/email-code\"")
    );
    assert!(
        mails(true).contains("Send another code")
            && mails(true).contains("action=\"/team/email-code\"")
    );
}
