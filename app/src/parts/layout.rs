//! The frame of every page of a signed-in person: the strip of the simulated Linear, navigation,
//! account, and main.

use leptos::prelude::*;
use leptos_meta::{Link, Meta};

use super::bare_layout::BareLayout;
use super::preview::Preview;
use super::{Glyph, Icon, Mark, TabTitle};
use crate::view::{InstanceTrouble, OrganisationView, PersonView, ShellView, Status};
use relink_frontend::{Menus, Once};

const ABOUT: &str = "Relink keeps Linear connections alive, and says so the moment one needs you.";

/// The entry of the navigation that a page belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Integrations,
    Deliveries,
    Team,
    Settings,
}

/// The parts of a page that the layout is filled with.
pub struct Content {
    /// The tab's title, without the count.
    pub title: String,
    pub place: Option<Place>,
    /// A form was refused: the title says so first.
    pub refused: bool,
    pub main: AnyView,
    /// Open over everything else, which is inert meanwhile.
    pub dialog: Option<AnyView>,
    /// The page has no navigation, whoever is signed in.
    pub alone: bool,
    /// The foot of a page without navigation.
    pub foot: Option<AnyView>,
    /// The purpose of the page, for a preview where people send each other its link.
    pub about: Option<&'static str>,
}

impl Content {
    pub fn new(
        title: impl Into<String>,
        place: Option<Place>,
        main: impl IntoView + 'static,
    ) -> Content {
        let (title, main) = (title.into(), main.into_any());
        Content {
            title,
            place,
            refused: false,
            main,
            dialog: None,
            alone: false,
            foot: None,
            about: None,
        }
    }
}

/// Puts first into the tab's title that a form was refused, then how many connections need someone.
#[must_use]
pub fn tab_title(title: &str, refused: bool, needs_you: u32) -> String {
    let error = if refused { "Error: " } else { "" };
    let count = if needs_you > 0 {
        format!("({needs_you}) ")
    } else {
        String::new()
    };
    format!("{error}{count}{title}")
}

#[component]
pub fn Layout(shell: ShellView, content: Content) -> impl IntoView {
    let Content {
        title,
        place,
        refused,
        main,
        dialog,
        alone,
        foot,
        about,
    } = content;
    let way_out = shell.person.as_ref().is_some_and(|person| person.manages);
    let person = shell.person.clone().filter(|_| !alone);
    let preview = about.map(|about| view! { <Preview title=title.clone() about /> });
    let title = tab_title(&title, refused, if alone { 0 } else { shell.needs_you });
    let icon = format!("/favicon-{}.svg", shell.worst.tone());
    let strips = match (shell.simulated, shell.troubles.is_empty()) {
        (false, true) => None,
        (true, true) => Some("has-sim"),
        (false, false) => Some("has-alarm"),
        (true, false) => Some("has-sim has-alarm"),
    };
    let inside = match person {
        Some(person) => view! {
            <div class="app">
                <Side person elsewhere=shell.elsewhere place needs_you=shell.needs_you />
                <main class="main" id="main" tabindex="-1">{main}</main>
            </div>
        }
        .into_any(),
        None => view! { <BareLayout host=shell.host.clone() foot>{main}</BareLayout> }.into_any(),
    };
    view! {
        <TabTitle text=title />
        <Link rel="icon" type_="image/svg+xml" href=icon />
        <Meta name="description" content=about.unwrap_or(ABOUT) />
        {preview}
        <div class=strips inert=dialog.is_some()>
            <a class="skip" href="#main">"Skip to content"</a>
            {shell.simulated.then(|| view! { <Strip way_out /> })}
            {shell.troubles.into_iter().map(|trouble| view! { <Alarm trouble /> }).collect_view()}
            {inside}
        </div>
        {dialog}
    }
    .into_any()
}

#[component]
pub fn Strip(
    /// The way to the real one is for those who can go it.
    way_out: bool,
) -> impl IntoView {
    view! {
        <aside class="sim" aria-label="Simulated Linear">
            <Glyph icon=Icon::Flask />
            <p>
                <b>"Simulated Linear."</b>
                " Everything here is made up, nothing reaches linear.app. "
                {way_out.then(|| view! { <a href="/settings#linear-app">"Use the real one"</a> })}
            </p>
        </aside>
    }
    .into_any()
}

/// Something about this Relink itself that nobody on a page can mend, and everybody should know.
#[component]
fn Alarm(trouble: InstanceTrouble) -> impl IntoView {
    view! {
        <aside class="alarm" aria-label="Trouble with this Relink">
            <Glyph icon=Icon::Warning />
            <p>
                <b>{trouble.fact()}</b>
                " "
                {trouble.rest()}
            </p>
        </aside>
    }
    .into_any()
}

#[component]
fn Side(
    person: PersonView,
    elsewhere: Vec<OrganisationView>,
    place: Option<Place>,
    needs_you: u32,
) -> impl IntoView {
    let current = move |entry: Place| (place == Some(entry)).then_some("page");
    let manages = person.manages;
    view! {
        <header class="side">
            <a class="brand" href="/integrations">
                <Mark status=Status::Connected />
                "Relink"
            </a>
            <nav class="nav" aria-label="Main">
                <ul>
                    <li>
                        <a href="/integrations" aria-current=current(Place::Integrations)>
                            <Mark status=Status::Connected square=true />
                            "Integrations"
                            <span class="contents" data-part="needs">
                                {(needs_you > 0).then(|| count(needs_you, manages))}
                            </span>
                        </a>
                    </li>
                    <li>
                        <a href="/deliveries" aria-current=current(Place::Deliveries)>
                            <Glyph icon=Icon::Inbox />
                            "Deliveries"
                        </a>
                    </li>
                    <li>
                        <a href="/team" aria-current=current(Place::Team)>
                            <Glyph icon=Icon::People />
                            "Team"
                        </a>
                    </li>
                    <li>
                        <a href="/settings" aria-current=current(Place::Settings)>
                            <Glyph icon=Icon::Sliders />
                            "Settings"
                        </a>
                    </li>
                </ul>
            </nav>
            <Menus>{whose(person, elsewhere)}</Menus>
        </header>
    }
    .into_any()
}

fn count(needs_you: u32, manages: bool) -> AnyView {
    let whom = if manages { "you" } else { "an admin" };
    let words = if needs_you == 1 {
        format!(" needs {whom}")
    } else {
        format!(" need {whom}")
    };
    view! { <span class="count">{needs_you} <span class="sr">{words}</span></span> }.into_any()
}

/// The organisation and the person. Who is a member of one only reads both in one place.
fn whose(person: PersonView, elsewhere: Vec<OrganisationView>) -> AnyView {
    if elsewhere.is_empty() {
        let organisation = person.organisation.clone();
        return view! { <Account person organisation /> }.into_any();
    }
    view! {
        <Switch organisation=person.organisation.clone() elsewhere />
        <Account person />
    }
    .into_any()
}

/// Opens on the person's other organisations.
#[component]
fn Switch(organisation: String, elsewhere: Vec<OrganisationView>) -> impl IntoView {
    let other = |other: OrganisationView| {
        view! {
            <li>
                <button class="btn quiet wide" name="organisation" value=other.id>
                    <Glyph icon=Icon::Turn />
                    <span>"Switch to " <b>{other.name}</b></span>
                </button>
            </li>
        }
    };
    view! {
        <details class="switch" name="menu">
            <summary>
                <span class="sr">"Organisation: "</span>
                <b>{organisation}</b>
                <Glyph icon=Icon::Chevron />
            </summary>
            <Once>
                <form method="post" action="/organisation">
                    <ul class="menu">{elsewhere.into_iter().map(other).collect_view()}</ul>
                </form>
            </Once>
        </details>
    }
    .into_any()
}

#[component]
fn Account(person: PersonView, #[prop(optional)] organisation: Option<String>) -> impl IntoView {
    // Read beside the picture where there is room for it, and in the menu where there is not.
    let (name, email) = (person.name.clone(), person.email);
    view! {
        <details class="who" name="menu">
            <summary>
                <span class="ava" aria-hidden="true">{person.initials}</span>
                <span class="sr">"Account: "</span>
                <span>
                    <b>{person.name}</b>
                    {organisation.map(|organisation| view! {
                        " " <span class="org">{organisation}</span>
                    })}
                </span>
            </summary>
            <div class="menu">
                <p class="whose">{name} <span class="org">{email}</span></p>
                <a class="btn quiet wide" href="/settings#account">
                    <Glyph icon=Icon::Person />
                    "Your account"
                </a>
                <form method="post" action="/signout">
                    <button class="btn quiet wide">
                        <Glyph icon=Icon::Out />
                        "Sign out"
                    </button>
                </form>
            </div>
        </details>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::{tab_title, whose};
    use crate::rendered;
    use crate::sample_views::owner;
    use crate::view::OrganisationView;

    #[test]
    fn the_tab_says_refused_first_then_the_count() {
        assert_eq!(
            tab_title("Integrations, Relink", false, 1),
            "(1) Integrations, Relink"
        );
        assert_eq!(
            tab_title("Sign in, Relink", true, 0),
            "Error: Sign in, Relink"
        );
        assert_eq!(
            tab_title("Settings, Relink", true, 2),
            "Error: (2) Settings, Relink"
        );
    }

    fn html(elsewhere: &[&str]) -> String {
        let person = owner();
        let organisation = |name: &&str| OrganisationView {
            id: format!("id-{}", name.len()),
            name: (*name).to_owned(),
        };
        let elsewhere = elsewhere.iter().map(organisation).collect();
        rendered::html(|| whose(person, elsewhere))
    }

    #[test]
    fn whoever_is_in_one_organisation_reads_it_beside_their_name() {
        let html = html(&[]);
        assert!(
            html.contains("<span class=\"org\">Northwind Labs</span>"),
            "{html}"
        );
        assert!(!html.contains("/organisation"), "{html}");
    }

    #[test]
    fn whoever_is_in_several_is_offered_the_others_by_a_form() {
        let html = html(&["Globex", "<b>Initech</b>"]);
        let summary = html
            .split("<summary>")
            .nth(1)
            .unwrap()
            .split("</summary>")
            .next()
            .unwrap();
        assert!(
            summary.contains("Organisation: ") && summary.contains("<b>Northwind Labs</b>"),
            "{summary}"
        );
        assert!(
            html.contains("<form method=\"post\" action=\"/organisation\">"),
            "{html}"
        );
        let button = html
            .split("<button")
            .nth(1)
            .unwrap()
            .split("</button>")
            .next()
            .unwrap();
        assert!(
            button.contains("name=\"organisation\"") && button.contains("value=\"id-6\""),
            "{button}"
        );
        assert!(
            button.ends_with("<span>Switch to <b>Globex</b></span>"),
            "{button}"
        );
        assert!(html.contains("&lt;b&gt;Initech"), "{html}");
        assert_eq!(html.matches("Northwind Labs").count(), 1, "said once");
    }
}
