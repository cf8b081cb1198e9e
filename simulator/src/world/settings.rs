//! The switches: what Linear leaves open, or what a test wants to be different.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// HTTP status of the authentication error: 401 is what was seen last, 400 and 200 were seen
    /// before.
    pub auth_error_status: u16,
    /// HTTP status of a missing scope.
    pub forbidden_status: u16,
    pub access_token_life_s: i64,
    /// The life of a refresh token, which Linear does not tell; `null` is for ever.
    pub refresh_token_life_s: Option<i64>,
    pub code_life_s: i64,
    pub replay_window_s: i64,
    /// A replayed refresh mints a fresh access token beside the same refresh token.
    pub replay_fresh_access: bool,
    /// Rotating ends the access token handed out before.
    pub rotation_ends_previous_access: bool,
    /// Revoking one token of a pair ends the other too.
    pub revoke_ends_grant: bool,
    /// Revoking any one token ends the application's installation in that workspace, with every
    /// grant of it. Nobody says.
    pub revoke_ends_installation: bool,
    /// Revoking any one token of a person ends every grant of theirs to the application in that
    /// workspace. Nobody says.
    pub revoke_ends_authorisation: bool,
    /// A spent refresh token is answered with its successors even where those were spent
    /// themselves.
    pub replay_chain: bool,
    /// `scope` as a list, as applications from before December 2023 get it.
    pub scope_as_array: bool,
    pub client_credentials: bool,
    pub migrate_enabled: bool,
    /// A migrated long-lived token stops working.
    pub migrate_ends_old_token: bool,
    /// Url key of the one workspace that may use the first application; `null` means it is public.
    pub private_to_workspace: Option<String>,
    pub requests_per_hour: u64,
    pub complexity_per_hour: u64,
    pub anonymous_requests_per_hour: u64,
    /// The address that the first application's webhooks are delivered to.
    pub webhook_url: Option<String>,
    pub webhook_enabled: bool,
    pub webhook_resource_types: Vec<String>,
    /// Seconds between one attempt and the next; its length is the number of retries.
    pub webhook_retry_after_s: Vec<i64>,
    /// Retries carry a new `webhookTimestamp` (and so a new signature).
    pub webhook_restamp_retries: bool,
    /// Events about an application name it by its own id, a UUID, in place of its client id.
    pub webhook_application_ids: bool,
    /// Retries carry a new `Linear-Delivery`.
    pub webhook_new_delivery_id: bool,
    /// Send the (unsigned) `Linear-Timestamp` header.
    pub webhook_timestamp_header: bool,
    /// Exhausted deliveries in a row after which a webhook is switched off.
    pub webhook_disable_after: u32,
    pub webhook_timeout_ms: u64,
    /// `webhookCreate` takes only public https addresses.
    pub public_webhook_urls_only: bool,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            auth_error_status: 401,
            forbidden_status: 403,
            access_token_life_s: 86_400,
            refresh_token_life_s: None,
            code_life_s: 600,
            replay_window_s: 1_800,
            replay_fresh_access: false,
            rotation_ends_previous_access: false,
            revoke_ends_grant: false,
            revoke_ends_installation: false,
            revoke_ends_authorisation: false,
            replay_chain: false,
            scope_as_array: false,
            client_credentials: false,
            migrate_enabled: true,
            migrate_ends_old_token: true,
            private_to_workspace: None,
            requests_per_hour: 5_000,
            complexity_per_hour: 2_000_000,
            anonymous_requests_per_hour: 600,
            webhook_url: None,
            webhook_enabled: true,
            webhook_resource_types: default_resource_types(),
            webhook_retry_after_s: vec![60, 3_600, 21_600],
            webhook_restamp_retries: false,
            webhook_application_ids: false,
            webhook_new_delivery_id: false,
            webhook_timestamp_header: true,
            webhook_disable_after: 5,
            webhook_timeout_ms: 5_000,
            public_webhook_urls_only: true,
        }
    }
}

fn default_resource_types() -> Vec<String> {
    [
        "Issue",
        "Comment",
        "Project",
        "OAuthAuthorization",
        "PermissionChange",
    ]
    .map(String::from)
    .to_vec()
}
