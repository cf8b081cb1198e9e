//! A simulated Linear for demos and tests: OAuth, GraphQL and webhooks, as strict as the real one.
//!
//! One listener plays both linear.app and api.linear.app: `/oauth/authorize`, `/oauth/token`,
//! `/oauth/revoke`, `/oauth/migrate_old_token`, `/.well-known/oauth-authorization-server`,
//! `/graphql`, `/uploads/…`. `/` is a page for people. Where Linear leaves something open there is
//! a switch ([`Settings`]).
//!
//! There are any number of OAuth applications. The first is the operator's ([`Simulator::app`]),
//! and every call that names no other means it. Codes, grants, tokens, bot users and webhooks
//! belong to one application each.
//!
//! # The control API
//!
//! For tests; JSON in, JSON out. `workspace` is a url key or an id, `user` an id or an e-mail
//! address. A mistake is `400 {"error":"…"}`, something unknown `404 {"error":"…"}`.
//!
//! - `GET /control/state`: clock, applications (`app` is the first), workspaces, grants, webhooks,
//!   deliveries, faults, settings
//! - `POST /control/apps`
//!   `{"name","client_id"?,"client_secret"?,"webhook_secret"?,"webhook_url"?,
//!   "private_to_workspace"?,"redirect_uris"?}`:
//!   adds an application (with the first one's redirect URIs unless others are given); answers
//!   `{"client_id","client_secret","webhook_secret","redirect_uris"}`
//! - `POST /control/workspaces`
//!   `{"name","url_key","id"?,"users"?:[…],"teams"?:[{"key","name","private"?}],
//!   "projects"?:[{"name","team"?}]}`:
//!   adds a workspace (with one owner and one team unless others are named)
//! - `POST /control/users`
//!   `{"workspace","name","email"?,"role"?:"owner|admin|member|guest|app","active"?,"id"?}`: adds a
//!   person, or changes the one with that id or e-mail
//! - `POST /control/rename` `{"workspace","name"?,"url_key"?}`: renames; the old url key is
//!   remembered
//! - `POST /control/redirect_uris` `{"redirect_uris":[…]}`: replaces the first application's
//! - `POST /control/clock` `{"advance_s"?,"advance_ms"?,"set_ms"?,"manual"?}`: moves the clock;
//!   answers `{"now_ms","manual"}`
//! - `POST /control/seed` `{"seed":"…"}`: every id and token from here on follows from it
//! - `POST /control/settings` any of [`Settings`]' fields: changes switches; answers them all
//! - `POST /control/approve`
//!   `{"authorize_url","workspace","user"?,"decision"?:"approve"|"cancel"}`: plays the person;
//!   answers `{"location":"…"}`, or `{"location":null,"outcome":"needs_admin"}`
//! - `POST /control/expire` `{"workspace"?}`: access tokens are past their time now; answers
//!   `{"expired":n}`
//! - `POST /control/revoke_token` `{"token"}` or `{"workspace","which":"access"|"refresh"}`: as if
//!   revoked in Linear
//! - `POST /control/revoke_grant` `{"workspace","user"?}`: ends the grants of every application;
//!   webhooks are told
//! - `POST /control/uninstall` `{"workspace","client_id"?}`: ends everything an application has
//!   there; webhooks are told
//! - `POST /control/legacy_token` `{"workspace","actor"?:"app"|"user","scope"?}`: mints a ten-year
//!   token of the first application without a refresh token: `{"access_token"}`
//! - `POST /control/grants` `{"workspace","scope"?}`: mints an app grant of the first application:
//!   `{"access_token","refresh_token","expires_in"}`
//! - `POST /control/api_key` `{"workspace","user"?}`: mints a personal API key: `{"api_key"}`
//! - `POST /control/faults` a [`Fault`] or a list of them: queues faults; `DELETE` forgets them
//! - `GET /control/counts`: `{"endpoints":{endpoint:{outcome:n}},"grants":[…]}`; `DELETE` begins
//!   anew
//! - `GET /control/tokens`: every secret ever handed out: `{"minted":[{"kind","value"}]}`
//! - `POST /control/webhooks` `{"workspace","url","secret"?,"label"?,"resource_types"?}`: a webhook
//!   of the workspace's own: `{"id","secret"}`
//! - `POST /control/webhooks/enable` `{"id"}`: switches one on again
//! - `POST /control/events` see [`HandMade`]: sends an event once, also a wrong one:
//!   `{"deliveries":[id]}`
//! - `POST /control/issues` `{"workspace","title"?,"team"?,"user"?}`: creates an issue (and its
//!   event): the issue's `{"id","identifier"}`
//! - `POST /control/issues/update`, `/remove` `{"workspace","id","title"?}`: changes or removes one
//! - `POST /control/permissions`
//!   `{"workspace","client_id"?,"added_team_ids"?,"removed_team_ids"?}`: changes which teams an app
//!   user sees
//! - `GET /control/deliveries`: what was sent, with every attempt
//! - `POST /control/deliveries/redeliver` `{"id"}`: sends one again, byte for byte
//!
//! A fault strikes once unless `count` says otherwise, at the first request that fits its
//! `endpoint` (`authorize`, `token`, `revoke`, `migrate`, `graphql`, `upload`), `operation` (text
//! in the body) and `grant_type`, after letting `after` of them pass. Kinds that strike *instead*
//! of the work: `status`, `html_500`, `invalid_client`, `invalid_grant`, `rate_limited`,
//! `auth_error`, `redirect`, `hang`, `connection_reset`. Kinds that let the work be done with all
//! its effects: `delay` (before it), `delay_reply`, `drop_reply`, `garbage_json`, `no_expires_in`,
//! `no_refresh_token`, `huge_body`.
//!
//! The same calls are methods of [`Simulator`] for tests in the same process.

mod control;
mod faults;
mod graphql;
mod html;
mod oauth;
mod outside;
mod router;
mod serve;
mod simulator;
mod stamp;
mod store;
mod webhooks;
mod world;

pub use control::asked::{
    Approve, ClockMove, HandMade, NewApp, NewPerson, NewProject, NewTeam, NewWorkspace,
    Permissions, Rename, RevokeToken, Uninstall,
};
pub use control::authorisations::MintedGrant;
pub use control::error::ControlError;
pub use faults::{Endpoint, Fault, Kind};
pub use simulator::{DemoApp, Error, Options, Simulator};
pub use world::counts::Minted;
pub use world::grants::{Actor, GrantCounts};
pub use world::settings::Settings;
pub use world::workspace::Role;

/// The published types as this simulation knows them, for comparing with Linear's own schema.
#[must_use]
pub fn sdl() -> String {
    graphql::schema().sdl()
}
