//! The way from what the engine knows of an organisation's own apps to what a page may show.

use relink_engine::clock::Millis;
use relink_engine::connection::Connection;
use relink_engine::identity::Person;
use relink_engine::store::StoreError;
use relink_engine::{App, Engine, text};

use super::time;
use crate::view::{AppDraft, AppView, Choice, OwnAppsView, ThroughView};

/// The value that stands for the operator's app in the form.
const OPERATORS: &str = "";

/// The apps for owners, with what was typed last if it was refused.
pub async fn own_apps(
    engine: &Engine,
    person: &Person,
    draft: AppDraft,
) -> Result<Option<OwnAppsView>, StoreError> {
    if !person.owns() {
        return Ok(None);
    }
    let now = engine.now();
    let apps = engine
        .apps(person)
        .list()
        .await?
        .into_iter()
        .map(|app| app_view(app, now))
        .collect();
    Ok(Some(OwnAppsView { apps, draft }))
}

fn app_view(app: App, now: Millis) -> AppView {
    AppView {
        id: app.id,
        name: text::name(&app.name),
        client_id: app.client_id,
        has_secret: app.has_secret,
        has_webhook_secret: app.has_webhook_secret,
        overlap_open: app.overlap_open,
        overlap_until: app.overlap_until.map(|until| time::at_clock(until, now)),
        workspaces: app.connections,
    }
}

/// The apps that whoever connects has to choose from.
pub async fn app_choices(engine: &Engine, person: &Person) -> Result<Vec<Choice>, StoreError> {
    if !person.manages() {
        return Ok(Vec::new());
    }
    Ok(choices(
        engine.linear().app().is_some(),
        engine.apps(person).list().await?,
    ))
}

/// Lists the choices; none where there is one app at most. The first is the one that is gone
/// through unless another is chosen.
fn choices(operators: bool, own: Vec<App>) -> Vec<Choice> {
    let operators = operators.then(|| (OPERATORS.to_owned(), "This Relink’s app".to_owned()));
    let all: Vec<_> = operators
        .into_iter()
        .chain(own.into_iter().map(|app| (app.id, text::name(&app.name))))
        .collect();
    if all.len() < 2 {
        return Vec::new();
    }
    all.into_iter()
        .enumerate()
        .map(|(number, (value, label))| Choice {
            value,
            label,
            chosen: number == 0,
        })
        .collect()
}

/// The app of one's own that a connection goes through.
pub async fn through(
    engine: &Engine,
    person: &Person,
    connection: &Connection,
) -> Result<Option<ThroughView>, StoreError> {
    let Some(id) = connection.app_id.as_deref() else {
        return Ok(None);
    };
    let app = engine
        .apps(person)
        .list()
        .await?
        .into_iter()
        .find(|app| app.id == id);
    Ok(app.map(|app| ThroughView {
        name: text::name(&app.name),
        client_id: app.client_id,
        owned: person.owns(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app(id: &str) -> App {
        App {
            id: id.to_owned(),
            name: format!("App {id}"),
            client_id: "0123456789abcdef".to_owned(),
            has_secret: true,
            has_webhook_secret: false,
            overlap_open: false,
            overlap_until: None,
            added_by: None,
            added_at: 0,
            connections: 0,
        }
    }

    #[test]
    fn there_is_a_choice_where_there_is_more_than_one_app() {
        let told = |operators, own: &[&str]| -> Vec<_> {
            let choices = choices(operators, own.iter().map(|id| app(id)).collect());
            choices
                .into_iter()
                .map(|choice| (choice.value, choice.label, choice.chosen))
                .collect()
        };
        assert!(
            told(true, &[]).is_empty()
                && told(false, &["a"]).is_empty()
                && told(false, &[]).is_empty()
        );
        let operators = (String::new(), "This Relink’s app".to_owned(), true);
        let own = |id: &str, chosen| (id.to_owned(), format!("App {id}"), chosen);
        assert_eq!(told(true, &["a"]), [operators, own("a", false)]);
        assert_eq!(told(false, &["a", "b"]), [own("a", true), own("b", false)]);
    }
}
