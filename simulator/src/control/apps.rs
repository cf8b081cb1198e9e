//! Registering further OAuth applications.

use std::collections::{BTreeMap, BTreeSet};

use url::Url;

use super::asked::NewApp;
use super::error::ControlError;
use crate::simulator::DemoApp;
use crate::world::World;
use crate::world::app::App;
use crate::{Simulator, control};

const APPS_MAX: usize = 1_000;
const REDIRECT_URIS_MAX: usize = 32;

impl Simulator {
    /// Registers a further application. Ids and secrets that are not given are minted; redirect
    /// URIs that are not given are the first application's.
    ///
    /// # Errors
    /// The name or a redirect URI is one that Linear refuses, the client id is taken, an id or
    /// secret is empty, there is no such workspace, or there are too many applications.
    pub fn add_app(&self, new: NewApp) -> Result<DemoApp, ControlError> {
        self.change(|world| {
            check(world, &new)?;
            let owner = new
                .private_to_workspace
                .as_deref()
                .map(|key| control::workspace_id(world, key))
                .transpose()?;
            let app = build(world, new, owner);
            let values = DemoApp::of(&app);
            world.register(app);
            Ok(values)
        })
    }
}

fn check(world: &World, new: &NewApp) -> Result<(), ControlError> {
    let invalid = |text: &str| Err(ControlError::Invalid(text.into()));
    if !(2..=80).contains(&new.name.chars().count()) || new.name.contains("Linear") {
        return invalid("an application's name has 2 to 80 characters and does not contain Linear");
    }
    if [&new.client_id, &new.client_secret, &new.webhook_secret]
        .into_iter()
        .flatten()
        .any(String::is_empty)
    {
        return invalid("an id or secret cannot be empty");
    }
    if new
        .client_id
        .as_ref()
        .is_some_and(|id| world.app(id).is_some())
        || world.apps.len() >= APPS_MAX
    {
        return invalid("this client id is taken, or there are too many applications");
    }
    if new
        .redirect_uris
        .as_ref()
        .is_some_and(|uris| !are_redirect_uris(uris))
    {
        return invalid("redirect_uris are 1 to 32 absolute http or https addresses, each once");
    }
    Ok(())
}

fn are_redirect_uris(uris: &[String]) -> bool {
    let is_absolute =
        |uri: &String| Url::parse(uri).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    let each_once = uris.iter().collect::<BTreeSet<_>>().len() == uris.len();
    (1..=REDIRECT_URIS_MAX).contains(&uris.len()) && uris.iter().all(is_absolute) && each_once
}

fn build(world: &mut World, new: NewApp, private_to_workspace: Option<String>) -> App {
    let first = world.first_app();
    let redirect_uris = new
        .redirect_uris
        .unwrap_or_else(|| first.redirect_uris.clone());
    let (developer, developer_url) = (first.developer.clone(), first.developer_url.clone());
    let dice = &mut world.dice;
    App {
        id: dice.uuid(),
        client_id: new
            .client_id
            .unwrap_or_else(|| dice.uuid().replace('-', "")),
        client_secret: new.client_secret.unwrap_or_else(|| dice.token("")),
        webhook_secret: new.webhook_secret.unwrap_or_else(|| dice.token("lin_wh_")),
        name: new.name,
        developer,
        developer_url,
        description: String::new(),
        redirect_uris,
        webhook_url: new.webhook_url,
        private_to_workspace,
        installations: BTreeMap::new(),
        approvals: Vec::new(),
    }
}
