//! The clock, the dice, the settings, the faults, the counts.

use serde_json::Value;

use super::asked::ClockMove;
use super::error::ControlError;
use crate::Simulator;
use crate::faults::{FAULTS_MAX, Fault};
use crate::world::counts::{Counts, Minted};
use crate::world::dice::Dice;
use crate::world::grants::{Grant, GrantCounts};
use crate::world::settings::Settings;

impl Simulator {
    /// The simulation's time in milliseconds since the epoch.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        self.look(crate::world::World::now)
    }

    /// Moves the clock: first manual or not, then the absolute time, then the steps. Answers the
    /// new time.
    pub fn move_clock(&self, by: ClockMove) -> i64 {
        self.change(|world| {
            by.manual
                .into_iter()
                .for_each(|manual| world.clock.set_manual(manual));
            by.set_ms.into_iter().for_each(|to| world.clock.set(to));
            by.advance_s
                .into_iter()
                .for_each(|by| world.clock.advance(by.saturating_mul(1_000)));
            by.advance_ms
                .into_iter()
                .for_each(|by| world.clock.advance(by));
            world.now()
        })
    }

    /// Lets the clock jump ahead.
    pub fn advance_s(&self, seconds: i64) -> i64 {
        self.move_clock(ClockMove {
            advance_s: Some(seconds),
            ..ClockMove::default()
        })
    }

    #[must_use]
    pub fn clock_is_manual(&self) -> bool {
        self.look(|world| world.clock.is_manual())
    }

    /// Every id and token from here on follows from this seed.
    pub fn set_seed(&self, seed: &str) {
        self.change(|world| world.dice = Dice::new(seed.as_bytes()));
    }

    #[must_use]
    pub fn settings(&self) -> Settings {
        self.look(|world| world.settings.clone())
    }

    pub fn set_settings(&self, settings: Settings) {
        self.change(|world| world.apply(settings));
    }

    /// Changes the named switches and leaves the others.
    ///
    /// # Errors
    /// There is no such switch, or the value does not fit it.
    pub fn merge_settings(&self, changes: &Value) -> Result<Settings, ControlError> {
        let invalid = |error: serde_json::Error| ControlError::Invalid(error.to_string());
        let changes = changes
            .as_object()
            .ok_or_else(|| ControlError::Invalid("an object is needed".into()))?;
        self.change(|world| {
            let mut all = serde_json::to_value(&world.settings).map_err(invalid)?;
            for (name, value) in changes {
                all[name.as_str()] = value.clone();
            }
            world.apply(serde_json::from_value(all).map_err(invalid)?);
            Ok(world.settings.clone())
        })
    }

    /// Sets where the first application's own webhook is delivered; `None` sends nothing.
    pub fn set_webhook_url(&self, url: Option<String>) {
        self.change(|world| {
            world.apply(Settings {
                webhook_url: url,
                ..world.settings.clone()
            })
        });
    }

    /// Sets the addresses of the first application.
    pub fn set_redirect_uris(&self, uris: Vec<String>) {
        self.change(|world| world.first_app_mut().redirect_uris = uris);
    }

    /// # Errors
    /// Too many are waiting.
    pub fn add_fault(&self, fault: Fault) -> Result<(), ControlError> {
        self.note(|world| {
            if world.faults.len() >= FAULTS_MAX {
                return Err(ControlError::Invalid("too many faults are waiting".into()));
            }
            world.faults.push(fault);
            Ok(())
        })
    }

    pub fn clear_faults(&self) {
        self.note(|world| world.faults.clear());
    }

    /// Counts how often an endpoint had an outcome; `received` counts every request.
    #[must_use]
    pub fn count(&self, endpoint: &str, outcome: &str) -> u64 {
        self.look(|world| world.counts.of(endpoint, outcome))
    }

    /// All counts of a workspace's grants together.
    #[must_use]
    pub fn grant_counts(&self, workspace: &str) -> GrantCounts {
        self.look(|world| {
            let id = world
                .workspace(workspace)
                .map(|found| found.id.clone())
                .unwrap_or_default();
            let of_workspace = world.grants.values().filter(|grant| grant.workspace == id);
            of_workspace.fold(GrantCounts::default(), |sum, grant| sum.plus(&grant.counts))
        })
    }

    /// Counts from nothing again; the grants' counts too.
    pub fn clear_counts(&self) {
        self.note(|world| {
            world.counts = Counts::default();
            world
                .grants
                .values_mut()
                .for_each(|grant: &mut Grant| grant.counts = GrantCounts::default());
        });
    }

    /// Every secret that was ever handed out.
    #[must_use]
    pub fn minted(&self) -> Vec<Minted> {
        self.look(|world| world.minted.all())
    }
}
