//! The simulator itself: one world behind a lock, and the doors that lead to it.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use serde::Serialize;
use tokio::net::TcpListener;
use tokio::sync::Notify;

use crate::world::World;
use crate::world::app::{App, demo_redirect_uris};
use crate::world::demo;
use crate::world::dice::Dice;
use crate::{graphql, outside, router, serve, store, webhooks};

/// The set-up of a simulator.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The address that the world knows it by, such as `http://127.0.0.1:4010`.
    pub url: String,
    /// The file in which the world is kept between runs; only in memory if absent.
    pub state_file: Option<PathBuf>,
    /// Registered for the first application besides those of the demo.
    pub redirect_uris: Vec<String>,
}

/// The reason why a simulator could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the simulator's state file {} cannot be read: {source}", path.display())]
    Unreadable {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error(
        "the simulator's state file {} is damaged ({source}); remove it to start over",
        path.display()
    )]
    Corrupt {
        path: PathBuf,
        source: serde_json::Error,
    },
    #[error("the simulator's state file {} cannot be written: {source}", path.display())]
    Unwritable {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("the system gives no randomness: {0}")]
    NoRandomness(getrandom::Error),
}

/// The values an operator would copy from Linear's application page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DemoApp {
    /// Linear's own id of the application, a UUID.
    pub id: String,
    pub client_id: String,
    pub client_secret: String,
    pub webhook_secret: String,
    pub redirect_uris: Vec<String>,
}

impl DemoApp {
    pub(crate) fn of(app: &App) -> DemoApp {
        DemoApp {
            id: app.id.clone(),
            client_id: app.client_id.clone(),
            client_secret: app.client_secret.clone(),
            webhook_secret: app.webhook_secret.clone(),
            redirect_uris: app.redirect_uris.clone(),
        }
    }
}

/// A simulated Linear. Clones share one world.
#[derive(Clone)]
pub struct Simulator {
    inner: Arc<Inner>,
}

struct Inner {
    url: String,
    schema: OnceLock<graphql::Schema>,
    state_file: Option<PathBuf>,
    world: Mutex<World>,
    /// Wakes the webhook sender: there may be something due.
    changed: Notify,
}

impl Simulator {
    /// A world without workspaces, or the one in the state file.
    ///
    /// # Errors
    /// The state file cannot be read or written, is damaged, or the system gives no randomness.
    pub fn new(options: Options) -> Result<Simulator, Error> {
        Simulator::build(options, false)
    }

    /// Makes one as [`Simulator::new`] does, but a new world begins with the demo's three
    /// workspaces.
    ///
    /// # Errors
    /// As [`Simulator::new`].
    pub fn seeded(options: Options) -> Result<Simulator, Error> {
        Simulator::build(options, true)
    }

    fn build(options: Options, with_demo: bool) -> Result<Simulator, Error> {
        let saved = options
            .state_file
            .as_deref()
            .map(store::load)
            .transpose()?
            .flatten();
        let mut world = match saved {
            Some(world) => world,
            None => new_world(with_demo)?,
        };
        for uri in options.redirect_uris {
            let registered = &mut world.first_app_mut().redirect_uris;
            if !registered.contains(&uri) {
                registered.push(uri);
            }
        }
        if let Some(path) = &options.state_file {
            store::save(path, &world).map_err(|source| Error::Unwritable {
                path: path.clone(),
                source,
            })?;
        }
        let url = options.url.trim_end_matches('/').to_owned();
        let inner = Inner {
            url,
            schema: OnceLock::new(),
            state_file: options.state_file,
            world: Mutex::new(world),
            changed: Notify::new(),
        };
        Ok(Simulator {
            inner: Arc::new(inner),
        })
    }

    /// Everything the simulator answers to. Served by [`Simulator::serve`], connections can also be
    /// cut.
    pub fn router(&self) -> axum::Router {
        router::router(self)
    }

    /// Serves until `shutdown` and sends webhooks meanwhile.
    ///
    /// # Errors
    /// The listener fails.
    pub async fn serve(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> std::io::Result<()> {
        let sender = tokio::spawn(webhooks::sender::run(self.clone()));
        let outcome = serve::serve(listener, self.router(), shutdown).await;
        sender.abort();
        outcome
    }

    /// The values of the first application, the operator's.
    pub fn app(&self) -> DemoApp {
        self.look(|world| DemoApp::of(world.first_app()))
    }

    pub fn url(&self) -> &str {
        &self.inner.url
    }

    fn world(&self) -> MutexGuard<'_, World> {
        // A panic in a handler leaves the world readable; a test that goes on sees what happened.
        self.inner
            .world
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn look<T>(&self, read: impl FnOnce(&World) -> T) -> T {
        read(&self.world())
    }

    /// Changes what must survive a restart.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        let mut world = self.world();
        let outcome = change(&mut world);
        if let Some(path) = &self.inner.state_file
            && let Err(error) = store::save(path, &world)
        {
            tracing::error!(%error, path = %path.display(), "the simulated Linear could not be \
                written down");
        }
        drop(world);
        self.inner.changed.notify_one();
        outcome
    }

    /// Changes what need not survive one: counts, budgets, faults.
    pub(crate) fn note<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        change(&mut self.world())
    }

    /// Gives the schema, built when first asked; its resolvers find the world by the request's own
    /// copy of the simulator.
    pub(crate) fn schema(&self) -> &graphql::Schema {
        self.inner.schema.get_or_init(graphql::schema)
    }

    pub(crate) async fn wait_for_change(&self) {
        self.inner.changed.notified().await;
    }
}

fn new_world(with_demo: bool) -> Result<World, Error> {
    let seed = outside::system_seed().map_err(Error::NoRandomness)?;
    let mut world = World::new(App::demo(demo_redirect_uris()), Dice::new(&seed));
    if with_demo {
        world.workspaces = demo::workspaces();
    }
    Ok(world)
}
