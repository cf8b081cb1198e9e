//! Everything that can change in the simulated Linear, in one value that can be written down.

pub mod app;
pub mod authorising;
pub mod budget;
pub mod clock;
pub mod counts;
pub mod demo;
pub mod dice;
pub mod ending;
pub mod events;
pub mod grants;
pub mod hooks;
pub mod issue_events;
pub mod issues;
pub mod redeeming;
pub mod rotating;
pub mod settings;
pub mod workspace;

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use crate::faults::Fault;
use app::App;
use budget::Budget;
use clock::Clock;
use counts::{Counts, MintLog};
use dice::Dice;
use grants::{AccessToken, Code, Grant, Pending, RefreshToken};
use hooks::{Delivery, Webhook};
use settings::Settings;
use workspace::Workspace;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct World {
    pub clock: Clock,
    pub dice: Dice,
    /// The first one is the operator's.
    #[serde(deserialize_with = "app::at_least_one")]
    pub apps: Vec<App>,
    /// Changed by [`World::apply`].
    pub settings: Settings,
    pub workspaces: Vec<Workspace>,
    /// The person at the browser: the last one who answered a consent page.
    pub signed_in: Option<Person>,
    pub pending: BTreeMap<String, Pending>,
    pub codes: BTreeMap<String, Code>,
    pub grants: BTreeMap<String, Grant>,
    pub access: BTreeMap<String, AccessToken>,
    pub refresh: BTreeMap<String, RefreshToken>,
    pub api_keys: BTreeMap<String, Person>,
    pub webhooks: Vec<Webhook>,
    pub deliveries: VecDeque<Delivery>,
    pub uploads: BTreeMap<String, Upload>,
    pub budgets: BTreeMap<String, Budget>,
    pub faults: Vec<Fault>,
    pub counts: Counts,
    pub minted: MintLog,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    pub workspace: String,
    pub user: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Upload {
    pub workspace: String,
    pub content_type: String,
    pub size: u64,
    pub public: bool,
    /// Hexadecimal; absent until the bytes were put.
    pub content: Option<String>,
}

/// The greatest number of open consent pages: those that nobody answers must not fill the memory.
const PENDING_MAX: usize = 1_000;

impl World {
    pub fn new(first: App, dice: Dice) -> World {
        let mut world = World {
            clock: Clock::default(),
            dice,
            apps: Vec::new(),
            settings: Settings::default(),
            workspaces: Vec::new(),
            signed_in: None,
            pending: BTreeMap::new(),
            codes: BTreeMap::new(),
            grants: BTreeMap::new(),
            access: BTreeMap::new(),
            refresh: BTreeMap::new(),
            api_keys: BTreeMap::new(),
            webhooks: Vec::new(),
            deliveries: VecDeque::new(),
            uploads: BTreeMap::new(),
            budgets: BTreeMap::new(),
            faults: Vec::new(),
            counts: Counts::default(),
            minted: MintLog::default(),
        };
        world.register(first);
        world
    }

    pub fn register(&mut self, app: App) {
        self.minted.add("client_secret", &app.client_secret);
        self.minted.add("webhook_secret", &app.webhook_secret);
        self.apps.push(app);
    }

    pub fn app(&self, client_id: &str) -> Option<&App> {
        self.apps.iter().find(|app| app.client_id == client_id)
    }

    pub fn app_mut(&mut self, client_id: &str) -> Option<&mut App> {
        self.apps.iter_mut().find(|app| app.client_id == client_id)
    }

    pub fn first_app(&self) -> &App {
        &self.apps[0]
    }

    pub fn first_app_mut(&mut self) -> &mut App {
        &mut self.apps[0]
    }

    /// Two of the switches are the first application's own.
    pub fn apply(&mut self, settings: Settings) {
        let first = self.first_app_mut();
        first.webhook_url.clone_from(&settings.webhook_url);
        first
            .private_to_workspace
            .clone_from(&settings.private_to_workspace);
        self.settings = settings;
    }

    pub fn now(&self) -> i64 {
        self.clock.now()
    }

    /// A workspace by its id or url key.
    pub fn workspace(&self, key: &str) -> Option<&Workspace> {
        self.workspaces
            .iter()
            .find(|workspace| workspace.id == key || workspace.url_key == key)
    }

    pub fn workspace_mut(&mut self, key: &str) -> Option<&mut Workspace> {
        self.workspaces
            .iter_mut()
            .find(|workspace| workspace.id == key || workspace.url_key == key)
    }

    /// A new secret of some kind, noted so that a test can look for leaks.
    pub fn mint(&mut self, kind: &str, prefix: &str) -> String {
        let value = self.dice.token(prefix);
        self.minted.add(kind, &value);
        value
    }

    pub fn remember_pending(&mut self, pending: Pending) -> String {
        while self.pending.len() >= PENDING_MAX {
            let oldest = self
                .pending
                .iter()
                .min_by_key(|(_, entry)| entry.created_ms)
                .map(|(id, _)| id.clone());
            let Some(oldest) = oldest else { break };
            self.pending.remove(&oldest);
        }
        let id = self.dice.token("");
        self.pending.insert(id.clone(), pending);
        id
    }
}
