//! Several people who are invited at once.

use relink_simulator::{Endpoint, Fault, Kind};

use crate::support::team::{SEVERAL, SHOWN, acme, codes, enter, invite, redeem};
use crate::support::{contains, on_disk, program};
use crate::world::{Browser, Reply, World, fault};

/// Reads what ticking these people sends.
fn picks(page: &Reply, names: &[&str]) -> Vec<String> {
    let values: Vec<&str> = page
        .body
        .split("name=\"people[]\" value=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    let pick = |name: &&str| {
        values
            .iter()
            .find(|value| value.ends_with(&format!(":{name}")))
            .unwrap_or_else(|| panic!("no {name}"))
    };
    names.iter().map(|name| (*pick(name)).to_owned()).collect()
}

/// Posts the form for several people. Where the browser is sent.
async fn invite_several(browser: &mut Browser<'_>, picks: &[String]) -> String {
    let picks = picks.iter().map(|pick| ("people[]", pick.as_str()));
    let fields: Vec<(&str, &str)> = picks.chain([("valid", "24")]).collect();
    browser.post(SEVERAL, &fields).await.location().to_owned()
}

#[tokio::test]
async fn several_people_are_invited_at_once_whatever_workspace_they_are_in() {
    let world = World::new().await;
    let (mut browser, id) = acme(&world).await;
    browser.connect("globex").await;
    let elif = invite(&mut browser, &id, "elif@acme.example").await;
    redeem(&mut world.browser(), &elif).await;
    let page = browser.get("/team").await;
    page.shows(
        "Several people at once Find people Up to 20 people at a time. Each gets a code of their \
            own. Acme Robotics Ada Okafor",
    );
    page.shows("Farid Nasser farid@acme.example Guest Globex Hana Sato");
    for nobody in [":Elif Demir\"", ":Gwen Mbeki\"", ":Sentry\""] {
        page.hides(nobody);
    }

    let picked = picks(&page, &["Jun Li", "Ada Okafor"]);
    assert_eq!(invite_several(&mut browser, &picked).await, SHOWN);
    let waiting = on_disk(&world);
    let page = browser.get(SHOWN).await;
    page.shows(
        "2 link codes, shown once. Send each to its person only. Each works once, until 20 Nov \
            14:02 UTC.",
    );
    page.hides("Not invited");
    let codes = codes(&page);
    page.shows(&format!("Jun Li in Globex {}", codes[0]));
    page.shows(&format!("Ada Okafor in Acme Robotics {}", codes[1]));
    page.shows("Hello Jun, Priya Raman asks which person you are in Linear");
    page.shows("Waiting for an answer");
    assert!(
        !page.body.contains("style=") && page.body.matches("class=\"qr\"").count() == 2,
        "{}",
        page.body
    );
    for (code, name) in codes.iter().zip(["Jun Li", "Ada Okafor"]) {
        assert!(
            !contains(&waiting, code) && !contains(&on_disk(&world), code),
            "sealed on its way, and only its hash is kept"
        );
        redeem(&mut world.browser(), code)
            .await
            .shows(&format!("You are linked {name} in"));
    }
    let again = browser.get(SHOWN).await;
    again.shows("Link codes are shown once.");
    again.hides(&codes[0]);
}

#[tokio::test]
async fn one_of_a_list_is_shown_as_one_code() {
    let world = World::new().await;
    let (mut browser, _) = acme(&world).await;
    let picked = picks(&browser.get("/team").await, &["Ada Okafor"]);
    assert_eq!(invite_several(&mut browser, &picked).await, SHOWN);
    browser
        .get(SHOWN)
        .await
        .shows("Link code for Ada Okafor, shown once.");
}

#[tokio::test]
async fn what_goes_wrong_for_one_keeps_no_code_of_others_back() {
    let world = World::new().await;
    let (mut browser, id) = acme(&world).await;
    let mut picked = picks(
        &browser.get("/team").await,
        &["Ada Okafor", "Ben Castillo", "Elif Demir", "Chiara Rossi"],
    );
    picked.insert(1, format!("{id}:0123:Gone <b>Person"));
    let elif = invite(&mut browser, &id, "elif@acme.example").await;
    redeem(&mut world.browser(), &elif).await;
    // Of the five questions the third.
    world
        .linear
        .add_fault(Fault {
            after: 2,
            ..fault(Endpoint::Graphql, Kind::Status)
        })
        .unwrap();
    assert_eq!(invite_several(&mut browser, &picked).await, SHOWN);
    let page = browser.get(SHOWN).await;
    page.shows("2 link codes, shown once.");
    page.shows("Ada Okafor in Acme Robotics");
    page.shows("Not invited Gone &lt;b&gt;Person in Acme Robotics is not active there any more.");
    page.shows(
        "Ben Castillo in Acme Robotics. Linear does not answer right now. Nothing was changed. Try \
            again in a minute.",
    );
    page.shows("Elif Demir in Acme Robotics is linked to elif@acme.example already.");
    let codes = codes(&page);
    assert_eq!(codes.len(), 2);
    enter(&mut world.browser(), &codes[1])
        .await
        .shows("Chiara Rossi");

    assert_eq!(invite_several(&mut browser, &picked[3..4]).await, SHOWN);
    let page = browser.get(SHOWN).await;
    page.shows(
        "Nobody was invited. Not invited Elif Demir in Acme Robotics is linked to \
            elif@acme.example already.",
    );
    page.hides("shown once");
}

#[tokio::test]
async fn nobody_is_invited_by_a_form_that_names_too_many_or_nobody_or_strangers() {
    let world = World::new().await;
    let (mut browser, id) = acme(&world).await;
    let ada = picks(&browser.get("/team").await, &["Ada Okafor"]);
    let many: Vec<String> = (0..20)
        .map(|number| format!("{id}:{number}:Somebody"))
        .chain(ada.clone())
        .collect();
    for (picked, words) in [
        (many.as_slice(), "20 people at a time. Nobody was invited."),
        (&[], "Pick at least one person. Nobody was invited."),
    ] {
        assert_eq!(invite_several(&mut browser, picked).await, "/team");
        let page = browser.get("/team").await;
        page.shows("Error: Team, Relink");
        page.shows(words);
        let kept = page.body.contains(&format!("value=\"{}\" checked", ada[0]));
        assert_eq!(kept, !picked.is_empty(), "what was picked is kept");
    }
    let cases = [
        ("people[]=nonsense".to_owned(), 400),
        (format!("people[]={id}::Somebody"), 400),
        (format!("people[]={}&valid=2", ada[0]), 400),
        (
            format!("people[]={}&people[]=elsewhere:1:Somebody", ada[0]),
            404,
        ),
    ];
    for (body, status) in cases {
        assert_eq!(
            program(&browser, SEVERAL, &body.replace(' ', "+")).await,
            status,
            "{body}"
        );
    }
    let page = browser.get("/team").await;
    page.hides("Waiting for an answer");
    page.hides("Error: ");
}
