//! The team's page and link codes, as people use them.

use crate::world::{Browser, Reply, World};

pub const CONFIRM: &str = "/link/confirm";
pub const INVITE: &str = "/team/invites";
pub const SEVERAL: &str = "/team/invites/several";
pub const SHOWN: &str = "/team?shown=code";
const LINK: &str = "value=\"http://localhost:3000/link#";

/// Acme with its owner, Priya.
pub async fn acme(world: &World) -> (Browser<'_>, String) {
    let mut browser = world.owner().await;
    let id = browser.connect("acme-robotics").await;
    (browser, id)
}

/// Makes a code and reads it off the page, as an admin would.
pub async fn invite(browser: &mut Browser<'_>, workspace: &str, person: &str) -> String {
    let fields = [("workspace", workspace), ("person", person)];
    assert_eq!(browser.post(INVITE, &fields).await.location(), SHOWN);
    shown(browser).await
}

/// Reads the one code that was just made off the page.
pub async fn shown(browser: &mut Browser<'_>) -> String {
    code(&browser.get(SHOWN).await).expect("a code")
}

pub fn code(page: &Reply) -> Option<String> {
    codes(page).pop()
}

/// The codes that the page shows, in its order.
pub fn codes(page: &Reply) -> Vec<String> {
    page.body
        .split(LINK)
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap().to_owned())
        .collect()
}

/// Reads what a form on the page sends beside what is typed.
pub fn hidden(page: &Reply, action: &str, name: &str) -> Vec<String> {
    let forms = page
        .body
        .split("<form")
        .filter(|form| form.contains(&format!("action=\"{action}\"")));
    forms
        .filter_map(|form| {
            Some(
                form.split(&format!("name=\"{name}\" value=\""))
                    .nth(1)?
                    .split('"')
                    .next()?
                    .to_owned(),
            )
        })
        .collect()
}

/// The page of one member, by the link in their row.
pub async fn manage(browser: &mut Browser<'_>, name: &str) -> Reply {
    let page = browser.get("/team").await;
    let body = page.body.replace("<!---->", "");
    let row = body
        .split("<tr")
        .find(|row| row.contains(name) && row.contains("/team?member="))
        .expect("a row with Manage");
    let id = row
        .split("/team?member=")
        .nth(1)
        .unwrap()
        .split(['#', '"'])
        .next()
        .unwrap()
        .to_owned();
    browser.get(&format!("/team?member={id}")).await
}

/// Types a code. Answers the page after that.
pub async fn enter(browser: &mut Browser<'_>, code: &str) -> Reply {
    let reply = browser.post("/link", &[("code", code)]).await;
    assert_eq!(reply.location(), "/link", "no address may hold the code");
    browser.get("/link").await
}

/// Types a code and says yes. Answers the page after that.
pub async fn redeem(browser: &mut Browser<'_>, code: &str) -> Reply {
    let preview = enter(browser, code).await;
    let location = answer(browser, &preview, "yes").await;
    browser.get(&location).await
}

/// Answers what the page asks. Where the browser is sent.
pub async fn answer(browser: &mut Browser<'_>, preview: &Reply, answer: &str) -> String {
    let field = preview
        .body
        .split("name=\"preview\" value=\"")
        .nth(1)
        .unwrap_or_else(|| panic!("no question: {}", preview.text()));
    let fields = [
        ("preview", field.split('"').next().unwrap()),
        ("answer", answer),
    ];
    browser.post(CONFIRM, &fields).await.location().to_owned()
}
