//! Connections and their three states.

use sqlx_macros::FromRow;

use super::audit::note;
use super::postgres::transact;
use super::{Act, Db, NewGrant, Store, StoreError, Stored, on, sound};
use crate::clock::Millis;
use crate::connection::minted::ADOPTED_WITHIN;
use crate::connection::state::{
    ActAs, Connection, Evidence, FailedCall, Phase, Reason, RefreshTrouble, State, TokenTimes,
    Viewer, Workspace,
};

/// The select list of [`Row`], shared by every query that reads a connection.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT c.id, c.organisation_id, c.app_id, c.workspace_id, c.workspace_name, \
                c.workspace_url_key, c.workspace_logo_url, \
                c.actor, c.viewer_id, c.viewer_name, c.scopes, c.state, c.reason, c.state_since, \
                c.evidence, c.generation, \
                c.fingerprint, c.issued_at, c.expires_at, c.connected_at, c.tokens_revoked, \
                c.last_verified_at, \
                c.last_error_code, c.last_error_status, c.last_error_at, \
                c.refresh_error_code, c.refresh_error_status, c.refresh_error_at, c.failures, \
                c.next_attempt_at, \
                cu.name AS connected_by_name, du.name AS disconnected_by_name, \
                c.access_sealed IS NOT NULL AND EXISTS (",
            same_installation!(),
            " AND o.state <> 'disconnected') AS kept \
                FROM connections c JOIN users cu ON cu.id = c.connected_by LEFT JOIN users du ON \
                du.id = c.disconnected_by ",
            $rest
        )
    };
}

/// Another connection `o` to the workspace of `c`, through the same Linear app as far as anybody
/// knows.
macro_rules! same_installation {
    () => {
        "SELECT 1 FROM connections o WHERE o.workspace_id = c.workspace_id AND o.id <> c.id \
            AND (o.client_id IS NULL OR c.client_id IS NULL OR o.client_id = c.client_id)"
    };
}
pub(super) use same_installation;

/// Clears the lease and all passing trouble, of which nothing is left to a connection that does not
/// work any more.
macro_rules! untroubled {
    () => {
        "lease_owner = NULL, failures = 0, next_attempt_at = NULL, refresh_error_code = NULL, \
            refresh_error_status = NULL, \
            refresh_error_at = NULL, last_error_code = NULL, last_error_status = NULL, \
            last_error_at = NULL"
    };
}

/// See [`Store::connections_given_up`].
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct GivenUp {
    pub organisation_id: String,
    pub connection_id: String,
    pub since: Millis,
}

#[derive(FromRow)]
struct Row {
    id: String,
    organisation_id: String,
    app_id: Option<String>,
    workspace_id: String,
    workspace_name: String,
    workspace_url_key: String,
    workspace_logo_url: Option<String>,
    actor: String,
    viewer_id: String,
    viewer_name: String,
    scopes: String,
    state: String,
    reason: Option<String>,
    state_since: Millis,
    evidence: Option<String>,
    generation: i64,
    fingerprint: Option<String>,
    issued_at: Option<Millis>,
    expires_at: Option<Millis>,
    connected_at: Millis,
    tokens_revoked: bool,
    last_verified_at: Option<Millis>,
    last_error_code: Option<String>,
    last_error_status: Option<i64>,
    last_error_at: Option<Millis>,
    refresh_error_code: Option<String>,
    refresh_error_status: Option<i64>,
    refresh_error_at: Option<Millis>,
    failures: i64,
    next_attempt_at: Option<Millis>,
    connected_by_name: String,
    disconnected_by_name: Option<String>,
    kept: bool,
}

impl Row {
    fn token(&self) -> Option<TokenTimes> {
        Some(TokenTimes {
            issued_at: self.issued_at?,
            expires_at: self.expires_at?,
            fingerprint: self.fingerprint.clone()?,
        })
    }

    fn state(&self) -> Option<State> {
        let reason = self.reason.as_deref().and_then(Reason::from_name);
        Some(match Phase::from_name(&self.state)? {
            Phase::Connected => State::Connected {
                token: self.token()?,
            },
            Phase::ReconnectRequired => State::ReconnectRequired {
                since: self.state_since,
                reason: reason?,
                evidence: self
                    .evidence
                    .as_deref()
                    .and_then(|text| serde_json::from_str(text).ok()),
                token: self.token(),
            },
            Phase::Disconnected => State::Disconnected {
                at: self.state_since,
                reason: reason?,
                by: self.disconnected_by_name.clone(),
                revoked: self.tokens_revoked,
            },
        })
    }

    fn last_error(&self) -> Option<FailedCall> {
        passing_error(
            self.last_error_code.as_ref(),
            self.last_error_status,
            self.last_error_at,
        )
    }

    fn refresh_trouble(&self) -> Option<RefreshTrouble> {
        let error = passing_error(
            self.refresh_error_code.as_ref(),
            self.refresh_error_status,
            self.refresh_error_at,
        )?;
        Some(RefreshTrouble {
            error,
            failures: self.failures,
            next_attempt_at: self.next_attempt_at,
        })
    }
}

fn passing_error(
    code: Option<&String>,
    status: Option<i64>,
    at: Option<Millis>,
) -> Option<FailedCall> {
    Some(FailedCall {
        code: code?.clone(),
        status: status.and_then(|status| u16::try_from(status).ok()),
        at: at?,
    })
}

impl TryFrom<Row> for Connection {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Connection, StoreError> {
        let inconsistent = || StoreError::Inconsistent {
            table: "connections",
            id: row.id.clone(),
        };
        let state = row.state().ok_or_else(inconsistent)?;
        let actor = ActAs::from_name(&row.actor).ok_or_else(inconsistent)?;
        let (last_error, refresh_trouble) = (row.last_error(), row.refresh_trouble());
        Ok(Connection {
            id: row.id,
            organisation_id: row.organisation_id,
            app_id: row.app_id,
            workspace: Workspace {
                id: row.workspace_id,
                name: row.workspace_name,
                url_key: row.workspace_url_key,
                logo_url: row.workspace_logo_url,
            },
            actor,
            viewer: Viewer {
                id: row.viewer_id,
                name: row.viewer_name,
            },
            scopes: row
                .scopes
                .split(' ')
                .filter(|scope| !scope.is_empty())
                .map(str::to_owned)
                .collect(),
            state,
            generation: row.generation,
            connected_by: row.connected_by_name,
            connected_at: row.connected_at,
            last_verified_at: row.last_verified_at,
            last_error,
            refresh_trouble,
            kept: row.kept,
        })
    }
}

/// The result of a finished consent: everything about the connection but its state, which becomes
/// connected.
#[derive(Clone, Debug)]
pub struct Adoption {
    /// The id that the grant is sealed for: of the row that is there, or a new one.
    pub id: String,
    pub organisation_id: String,
    pub app_id: Option<String>,
    /// The client id of that app, or the operator's.
    pub client_id: String,
    pub workspace: Workspace,
    pub actor: ActAs,
    pub viewer: Viewer,
    pub scopes: Vec<String>,
    pub connected_by: String,
    pub grant: NewGrant,
    /// Refuse a workspace that another organisation holds.
    pub exclusive: bool,
    /// The id under which the pair was written down before anybody knew whose it is: it is taken
    /// out there.
    pub minted: Option<String>,
    pub now: Millis,
    pub act: Act,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Adopted {
    Done,
    /// Another organisation holds the workspace.
    Held,
    /// The pair took too long and is being given back.
    Released,
    /// The workspace's row got another id meanwhile; seal for that one and try again.
    Moved,
}

impl Store {
    /// All connections of an organisation, in no particular order. One query, however many there
    /// are.
    ///
    /// # Errors
    /// When the database fails or a row makes no sense.
    pub async fn connections(&self, organisation: &str) -> Stored<Vec<Connection>> {
        const SQL: &str = select!("WHERE c.organisation_id = $1");
        let rows: Vec<Row> = on!(&self.db, |pool| sqlx::query_as(SQL)
            .bind(organisation)
            .fetch_all(pool)
            .await?);
        Ok(sound(rows.into_iter().map(Connection::try_from)))
    }

    /// One connection of an organisation.
    ///
    /// # Errors
    /// As [`Store::connections`].
    pub async fn connection(&self, organisation: &str, id: &str) -> Stored<Option<Connection>> {
        const SQL: &str = select!("WHERE c.organisation_id = $1 AND c.id = $2");
        let row: Option<Row> = on!(&self.db, |pool| sqlx::query_as(SQL)
            .bind(organisation)
            .bind(id)
            .fetch_optional(pool)
            .await?);
        row.map(Connection::try_from).transpose()
    }

    /// The organisation's connection to a workspace, by Linear's organization id.
    ///
    /// # Errors
    /// As [`Store::connections`].
    pub async fn connection_by_workspace(
        &self,
        organisation: &str,
        workspace: &str,
    ) -> Stored<Option<Connection>> {
        const SQL: &str = select!("WHERE c.organisation_id = $1 AND c.workspace_id = $2");
        let row: Option<Row> = on!(&self.db, |pool| sqlx::query_as(SQL)
            .bind(organisation)
            .bind(workspace)
            .fetch_optional(pool)
            .await?);
        row.map(Connection::try_from).transpose()
    }

    /// A connection that has not ended, of whatever organisation, through the Linear app with this
    /// client id and to this workspace; as far as both are known. `first` comes first, and then the
    /// oldest: organisation and id.
    pub async fn connection_living(
        &self,
        client_id: Option<&str>,
        workspace: Option<&str>,
        first: Option<&str>,
    ) -> Stored<Option<(String, String)>> {
        const SQL: &str = "SELECT organisation_id, id FROM connections WHERE state <> \
            'disconnected' \
            AND ($1 IS NULL OR client_id IS NULL OR client_id = $1) AND ($2 IS NULL OR \
            workspace_id = $2) \
            ORDER BY CASE WHEN id = $3 THEN 0 ELSE 1 END, connected_at, id LIMIT 1";
        on!(&self.db, |pool| Ok(sqlx::query_as(SQL)
            .bind(client_id)
            .bind(workspace)
            .bind(first)
            .fetch_optional(pool)
            .await?))
    }

    /// A living connection that this app got from this person of a workspace, as `(organisation,
    /// id)`. What is not known may be that.
    pub async fn connection_living_as(
        &self,
        client_id: &str,
        workspace: Option<&str>,
        linear_id: Option<&str>,
    ) -> Stored<Option<(String, String)>> {
        const SQL: &str = "SELECT organisation_id, id FROM connections WHERE state <> \
            'disconnected' AND actor = 'user' \
            AND (client_id IS NULL OR client_id = $1) AND ($2 IS NULL OR workspace_id = $2) AND \
            ($3 IS NULL OR viewer_id = $3) \
            ORDER BY connected_at, id LIMIT 1";
        on!(&self.db, |pool| Ok(sqlx::query_as(SQL)
            .bind(client_id)
            .bind(workspace)
            .bind(linear_id)
            .fetch_optional(pool)
            .await?))
    }

    /// Connections of whatever organisation, through the Linear app with this client id and to this
    /// workspace, as far as both are known, that work or ended at Linear since. As `(organisation,
    /// id)`.
    pub async fn connections_at_stake(
        &self,
        client_id: &str,
        workspace: Option<&str>,
        since: Millis,
        limit: i64,
    ) -> Stored<Vec<(String, String)>> {
        const SQL: &str = "SELECT organisation_id, id FROM connections WHERE (state = 'connected' \
            OR state = 'reconnect_required' AND reason IN ('invalid_grant', 'revoked') AND \
            state_since >= $4) \
            AND (client_id IS NULL OR client_id = $1) AND ($2 IS NULL OR workspace_id = $2) \
            ORDER BY connected_at, id LIMIT $3";
        on!(&self.db, |pool| Ok(sqlx::query_as(SQL)
            .bind(client_id)
            .bind(workspace)
            .bind(limit)
            .bind(since)
            .fetch_all(pool)
            .await?))
    }

    /// Notes that a connection which broke just now ended with a permission that somebody lent.
    pub async fn connection_ended_by_loan(&self, id: &str) -> Stored<()> {
        const READ: &str = "SELECT generation, evidence FROM connections WHERE id = $1 AND state = \
            'reconnect_required' AND evidence IS NOT NULL";
        const WRITE: &str = "UPDATE connections SET evidence = $3 WHERE id = $1 AND generation = \
            $2 AND state = 'reconnect_required'";
        let found: Option<(i64, String)> = on!(&self.db, |pool| sqlx::query_as(READ)
            .bind(id)
            .fetch_optional(pool)
            .await?);
        let Some((generation, evidence)) = found else {
            return Ok(());
        };
        let Ok(evidence) = serde_json::from_str::<Evidence>(&evidence) else {
            return Ok(());
        };
        let evidence = Evidence {
            with_loan: true,
            ..evidence
        };
        let evidence = serde_json::to_string(&evidence).unwrap_or_default();
        on!(&self.db, |pool| {
            sqlx::query(WRITE)
                .bind(id)
                .bind(generation)
                .bind(evidence)
                .execute(pool)
                .await?;
        });
        Ok(())
    }

    /// Says whether this member approved the connection, at Linear and as this person.
    pub async fn connection_approved_as(
        &self,
        id: &str,
        user: &str,
        linear_id: &str,
    ) -> Stored<bool> {
        const SQL: &str = "SELECT id FROM connections WHERE id = $1 AND connected_by = $2 AND \
            viewer_id = $3 AND actor = 'user'";
        let found: Option<String> = on!(&self.db, |pool| sqlx::query_scalar(SQL)
            .bind(id)
            .bind(user)
            .bind(linear_id)
            .fetch_optional(pool)
            .await?);
        Ok(found.is_some())
    }

    /// Workspaces that several organisations are connected to: id, url key and the organisation's
    /// slug, the holder first and the others as they came.
    pub async fn workspaces_shared(&self, limit: i64) -> Stored<Vec<(String, String, String)>> {
        const SQL: &str = "SELECT c.workspace_id, c.workspace_url_key, o.slug FROM connections c \
            JOIN organisations o ON o.id = c.organisation_id \
            LEFT JOIN workspace_claims w ON w.workspace_id = c.workspace_id AND w.organisation_id \
            = c.organisation_id \
            WHERE c.state <> 'disconnected' AND EXISTS (SELECT 1 FROM connections other WHERE \
            other.workspace_id = c.workspace_id \
            AND other.id <> c.id AND other.state <> 'disconnected') \
            ORDER BY c.workspace_id, CASE WHEN w.workspace_id IS NULL THEN 1 ELSE 0 END, \
            c.connected_at, c.id LIMIT $1";
        on!(&self.db, |pool| Ok(sqlx::query_as(SQL)
            .bind(limit)
            .fetch_all(pool)
            .await?))
    }

    /// The e-mail address of whoever connected a workspace that another organisation holds.
    pub async fn connection_holder_email(
        &self,
        workspace: &str,
        not_of: &str,
    ) -> Stored<Option<String>> {
        const SQL: &str = "SELECT u.email FROM workspace_claims w \
            JOIN connections c ON c.workspace_id = w.workspace_id AND c.organisation_id = \
            w.organisation_id \
            JOIN users u ON u.id = c.connected_by WHERE w.workspace_id = $1 AND w.organisation_id \
            <> $2";
        on!(&self.db, |pool| Ok(sqlx::query_scalar(SQL)
            .bind(workspace)
            .bind(not_of)
            .fetch_optional(pool)
            .await?))
    }

    /// Connects, or connects again: claim, connection and grant in one transaction, as a new
    /// generation, so that no refresh which is still under way can write over it.
    ///
    /// # Errors
    /// When the database fails; nothing is written then.
    pub async fn connection_adopt(&self, new: &Adoption) -> Stored<Adopted> {
        self.at_all_costs(|| self.adopt(new)).await
    }

    async fn adopt(&self, new: &Adoption) -> Stored<Adopted> {
        let _stale = self.recent.stale_after(&new.id);
        transact!(self, &new.act.organisation_id, |tx| {
            note!(self, tx, &new.act);
            if let Some(minted) = &new.minted {
                let taken = sqlx::query(
                    "DELETE FROM minted_grants WHERE id = $1 AND released = FALSE AND minted_at > \
                        $2",
                )
                .bind(minted)
                .bind(new.now - ADOPTED_WITHIN)
                .execute(&mut *tx)
                .await?;
                if taken.rows_affected() == 0 {
                    return Ok(Adopted::Released);
                }
            }
            // Written whatever the operator allows today: tomorrow it may be otherwise. Of two that
            // end at once, one may have handed its claim on to the other.
            sqlx::query(
                "DELETE FROM workspace_claims WHERE workspace_id = $1 AND organisation_id <> $2 \
                    AND NOT EXISTS (SELECT 1 FROM connections c WHERE c.workspace_id = $1 \
                    AND c.organisation_id = workspace_claims.organisation_id AND c.state <> \
                    'disconnected')",
            )
            .bind(&new.workspace.id)
            .bind(&new.organisation_id)
            .execute(&mut *tx)
            .await?;
            let claimed = sqlx::query(
                "INSERT INTO workspace_claims (workspace_id, organisation_id) VALUES ($1, $2) \
                    ON CONFLICT (workspace_id) DO UPDATE SET organisation_id = \
                    excluded.organisation_id \
                    WHERE workspace_claims.organisation_id = excluded.organisation_id",
            )
            .bind(&new.workspace.id)
            .bind(&new.organisation_id)
            .execute(&mut *tx)
            .await?
            .rows_affected();
            if claimed == 0 && new.exclusive {
                return Ok(Adopted::Held);
            }
            // Locks the row, if there is one, so that the pair set aside is the one that is written
            // over.
            sqlx::query(
                "UPDATE connections SET generation = generation WHERE organisation_id = $1 AND \
                    workspace_id = $2",
            )
            .bind(&new.organisation_id)
            .bind(&new.workspace.id)
            .execute(&mut *tx)
            .await?;
            sqlx::query(
                "INSERT INTO superseded_grants (connection_id, generation, access_sealed, \
                    refresh_sealed, client_id) \
                    SELECT id, generation, access_sealed, refresh_sealed, client_id FROM \
                    connections \
                    WHERE organisation_id = $1 AND workspace_id = $2 AND access_sealed IS NOT \
                    NULL",
            )
            .bind(&new.organisation_id)
            .bind(&new.workspace.id)
            .execute(&mut *tx)
            .await?;
            const SQL: &str = "INSERT INTO connections \
                (id, organisation_id, workspace_id, workspace_name, workspace_url_key, \
                workspace_logo_url, actor, viewer_id, viewer_name, scopes, \
                state, state_since, generation, adopted_generation, access_sealed, refresh_sealed, \
                fingerprint, issued_at, expires_at, connected_by, connected_at, last_verified_at, \
                app_id, client_id) \
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'connected', $11, 1, 1, $12, $13, \
                $14, $15, $16, $17, $11, $11, $18, $19) \
                ON CONFLICT (organisation_id, workspace_id) DO UPDATE SET \
                app_id = excluded.app_id, client_id = excluded.client_id, workspace_name = \
                excluded.workspace_name, workspace_url_key = excluded.workspace_url_key, \
                workspace_logo_url = excluded.workspace_logo_url, \
                actor = excluded.actor, viewer_id = excluded.viewer_id, viewer_name = \
                excluded.viewer_name, scopes = excluded.scopes, \
                state = 'connected', reason = NULL, state_since = excluded.state_since, evidence = \
                NULL, generation = connections.generation + 1, \
                adopted_generation = connections.generation + 1, lease_owner = NULL, \
                attempt_began_at = NULL, failures = 0, untokened = 0, next_attempt_at = NULL, \
                refresh_error_code = NULL, refresh_error_status = NULL, refresh_error_at = NULL, \
                access_sealed = excluded.access_sealed, refresh_sealed = excluded.refresh_sealed, \
                fingerprint = excluded.fingerprint, \
                issued_at = excluded.issued_at, expires_at = excluded.expires_at, connected_by = \
                excluded.connected_by, connected_at = excluded.connected_at, \
                disconnected_by = NULL, tokens_revoked = FALSE, last_verified_at = \
                excluded.last_verified_at, \
                last_error_code = NULL, last_error_status = NULL, last_error_at = NULL \
                WHERE connections.id = excluded.id";
            let written = sqlx::query(SQL)
                .bind(&new.id)
                .bind(&new.organisation_id)
                .bind(&new.workspace.id)
                .bind(&new.workspace.name)
                .bind(&new.workspace.url_key)
                .bind(&new.workspace.logo_url)
                .bind(new.actor.name())
                .bind(&new.viewer.id)
                .bind(&new.viewer.name)
                .bind(new.scopes.join(" "))
                .bind(new.now)
                .bind(&new.grant.access_sealed)
                .bind(&new.grant.refresh_sealed)
                .bind(&new.grant.fingerprint)
                .bind(new.grant.issued_at)
                .bind(new.grant.expires_at)
                .bind(&new.connected_by)
                .bind(&new.app_id)
                .bind(&new.client_id)
                .execute(&mut *tx)
                .await?
                .rows_affected();
            if written == 0 {
                return Ok(Adopted::Moved);
            }
            tx.commit().await?;
            Ok(Adopted::Done)
        })
    }

    /// Marks a connection as needing a reconnect, but only if the tokens that Linear refused are
    /// still the current ones: `false` means that somebody renewed them meanwhile, and nothing was
    /// written.
    pub async fn connection_break(
        &self,
        id: &str,
        generation: i64,
        reason: Reason,
        evidence: Option<&Evidence>,
        now: Millis,
    ) -> Stored<bool> {
        const SQL: &str = concat!(
            "UPDATE connections SET state = 'reconnect_required', reason = $3, evidence = $4, \
                state_since = $5, ",
            untroubled!(),
            " WHERE id = $1 AND generation = $2 AND state = 'connected'"
        );
        let evidence = evidence.map(|evidence| serde_json::to_string(evidence).unwrap_or_default());
        let _stale = self.recent.stale_after(id);
        on!(&self.db, |pool| Ok(sqlx::query(SQL)
            .bind(id)
            .bind(generation)
            .bind(reason.name())
            .bind(&evidence)
            .bind(now)
            .execute(pool)
            .await?
            .rows_affected()
            == 1))
    }

    /// Connections that were given up because Linear's API accepted none of their tokens, with a
    /// token that has not run out; `limit` of them, those since last first.
    pub async fn connections_given_up(&self, now: Millis, limit: i64) -> Stored<Vec<GivenUp>> {
        const SQL: &str = "SELECT organisation_id, id AS connection_id, state_since AS since FROM \
            connections WHERE state = 'reconnect_required' \
            AND reason = 'revoked' AND evidence IS NOT NULL AND expires_at > $1 ORDER BY \
            state_since DESC, id LIMIT $2";
        on!(&self.db, |pool| Ok(sqlx::query_as(SQL)
            .bind(now)
            .bind(limit)
            .fetch_all(pool)
            .await?))
    }

    /// One of them is connected as before: Linear accepts its token after all. `false`: it is
    /// another one by now.
    pub async fn connection_accepted_again(
        &self,
        id: &str,
        generation: i64,
        now: Millis,
    ) -> Stored<bool> {
        const SQL: &str = "UPDATE connections SET state = 'connected', reason = NULL, evidence = \
            NULL, state_since = $3, last_verified_at = $3 \
            WHERE id = $1 AND generation = $2 AND state = 'reconnect_required' AND reason = \
            'revoked' AND evidence IS NOT NULL";
        let _stale = self.recent.stale_after(id);
        on!(&self.db, |pool| Ok(sqlx::query(SQL)
            .bind(id)
            .bind(generation)
            .bind(now)
            .execute(pool)
            .await?
            .rows_affected()
            == 1))
    }

    /// Marks a connection as revoked, if the consent that it stands on is not younger than the
    /// event that says so. As a new generation, so that a refresh whose answer comes late does not
    /// bring it back. `false`: nothing was written.
    pub async fn connection_revoked(
        &self,
        id: &str,
        event_at: Millis,
        now: Millis,
    ) -> Stored<bool> {
        const SQL: &str = concat!(
            "UPDATE connections SET state = 'reconnect_required', reason = 'revoked', evidence = \
                NULL, state_since = $3, \
                generation = generation + 1, adopted_generation = generation + 1, ",
            untroubled!(),
            " WHERE id = $1 AND connected_at <= $2 AND state <> 'disconnected' AND (reason IS NULL \
                OR reason <> 'revoked' OR evidence IS NOT NULL)"
        );
        let _stale = self.recent.stale_after(id);
        on!(&self.db, |pool| Ok(sqlx::query(SQL)
            .bind(id)
            .bind(event_at)
            .bind(now)
            .execute(pool)
            .await?
            .rows_affected()
            == 1))
    }

    /// Writes down what a workspace and its viewer are called now.
    pub async fn connection_rename(
        &self,
        id: &str,
        workspace: &Workspace,
        viewer: &Viewer,
    ) -> Stored<()> {
        const SQL: &str = "UPDATE connections SET workspace_name = $3, workspace_url_key = $4, \
            workspace_logo_url = $5, viewer_name = $7 \
            WHERE id = $1 AND workspace_id = $2 AND viewer_id = $6";
        on!(&self.db, |pool| {
            sqlx::query(SQL)
                .bind(id)
                .bind(&workspace.id)
                .bind(&workspace.name)
                .bind(&workspace.url_key)
                .bind(&workspace.logo_url)
                .bind(&viewer.id)
                .bind(&viewer.name)
                .execute(pool)
                .await?;
        });
        Ok(())
    }

    /// Ends a connection as a new generation, keeps the row as history, and sets the workspace
    /// free, or hands it on to the organisation that has shared it for longest. The sealed tokens
    /// stay until [`Store::grant_revoked`]: they have to be shown to Linear once more. `false`: it
    /// had ended before.
    pub async fn connection_disconnect(&self, id: &str, act: &Act) -> Stored<bool> {
        let _stale = self.recent.stale_after(id);
        transact!(self, &act.organisation_id, |tx| {
            note!(self, tx, act);
            // The claim first, as in `connection_adopt`: in the other order the two could wait for
            // each other for ever.
            sqlx::query(
                "DELETE FROM workspace_claims WHERE organisation_id = $1 \
                    AND workspace_id = (SELECT workspace_id FROM connections WHERE organisation_id \
                    = $1 AND id = $2)",
            )
            .bind(&act.organisation_id)
            .bind(id)
            .execute(&mut *tx)
            .await?;
            sqlx::query(
                "INSERT INTO workspace_claims (workspace_id, organisation_id) SELECT workspace_id, \
                    organisation_id FROM connections \
                    WHERE workspace_id = (SELECT workspace_id FROM connections WHERE \
                    organisation_id = $1 AND id = $2) \
                    AND organisation_id <> $1 AND state <> 'disconnected' ORDER BY connected_at, \
                    id LIMIT 1 ON CONFLICT (workspace_id) DO NOTHING",
            )
            .bind(&act.organisation_id)
            .bind(id)
            .execute(&mut *tx)
            .await?;
            let ended = sqlx::query(concat!(
                "UPDATE connections SET state = 'disconnected', reason = 'by_person', state_since \
                    = $3, \
                    disconnected_by = $4, evidence = NULL, generation = generation + 1, \
                    tokens_revoked = FALSE, ",
                untroubled!(),
                " WHERE organisation_id = $1 AND id = $2 AND state <> 'disconnected'"
            ))
            .bind(&act.organisation_id)
            .bind(id)
            .bind(act.at)
            .bind(&act.actor.user_id)
            .execute(&mut *tx)
            .await?;
            if ended.rows_affected() == 0 {
                return Ok(false);
            }
            tx.commit().await?;
            Ok(true)
        })
    }

    /// Linear answered a call made with these tokens.
    pub async fn connection_verified(&self, id: &str, generation: i64, now: Millis) -> Stored<()> {
        const SQL: &str = "UPDATE connections SET last_verified_at = $3, last_error_code = NULL, \
            last_error_status = NULL, last_error_at = NULL \
            WHERE id = $1 AND generation = $2";
        let _stale = self.recent.stale_after(id);
        on!(&self.db, |pool| {
            sqlx::query(SQL)
                .bind(id)
                .bind(generation)
                .bind(now)
                .execute(pool)
                .await?;
        });
        Ok(())
    }

    /// [`Store::connection_verified`] for many in one statement: ids with the generation that was
    /// used.
    pub async fn connections_verified(&self, proved: &[(String, i64)], now: Millis) -> Stored<()> {
        let names: Vec<String> = proved
            .iter()
            .map(|(id, generation)| format!("{id}:{generation}"))
            .collect();
        const SET: &str = "UPDATE connections SET last_verified_at = $1, last_error_code = NULL, \
            last_error_status = NULL, last_error_at = NULL";
        match &self.db {
            Db::Sqlite(pool) => {
                let sql = format!(
                    "{SET} WHERE id || ':' || generation IN (SELECT value FROM json_each($2))"
                );
                let names = serde_json::to_string(&names).unwrap_or_default();
                sqlx::query(sqlx::AssertSqlSafe(sql))
                    .bind(now)
                    .bind(names)
                    .execute(pool)
                    .await?;
            }
            Db::Postgres(pool) => {
                let sql = format!("{SET} WHERE id || ':' || generation = ANY($2)");
                sqlx::query(sqlx::AssertSqlSafe(sql))
                    .bind(now)
                    .bind(names)
                    .execute(pool)
                    .await?;
            }
        }
        Ok(())
    }

    /// A call made with these tokens failed for a reason that passes.
    pub async fn connection_failed(
        &self,
        id: &str,
        generation: i64,
        error: &FailedCall,
    ) -> Stored<()> {
        const SQL: &str = "UPDATE connections SET last_error_code = $3, last_error_status = $4, \
            last_error_at = $5 WHERE id = $1 AND generation = $2";
        let _stale = self.recent.stale_after(id);
        on!(&self.db, |pool| {
            sqlx::query(SQL)
                .bind(id)
                .bind(generation)
                .bind(&error.code)
                .bind(error.status.map(i64::from))
                .bind(error.at)
                .execute(pool)
                .await?;
        });
        Ok(())
    }

    /// Counts the connections in each state.
    pub async fn connection_states(&self) -> Stored<Vec<(String, i64)>> {
        const SQL: &str = "SELECT state, COUNT(*) FROM connections GROUP BY state ORDER BY state";
        on!(&self.db, |pool| Ok(sqlx::query_as(SQL)
            .fetch_all(pool)
            .await?))
    }

    /// Connections that ended before a time and have no tokens left.
    ///
    /// # Errors
    /// As [`Store::connections`].
    pub async fn connections_ended(
        &self,
        ended_before: Millis,
        limit: i64,
    ) -> Stored<Vec<Connection>> {
        const SQL: &str = select!(
            "WHERE c.state = 'disconnected' AND c.state_since <= $1 AND c.access_sealed IS NULL \
                AND NOT EXISTS (SELECT 1 FROM superseded_grants s WHERE s.connection_id = c.id) \
                ORDER BY c.state_since, c.id LIMIT $2"
        );
        let rows: Vec<Row> = on!(&self.db, |pool| sqlx::query_as(SQL)
            .bind(ended_before)
            .bind(limit)
            .fetch_all(pool)
            .await?);
        Ok(sound(rows.into_iter().map(Connection::try_from)))
    }

    /// Forgets an ended connection with its secrets and history, and who is who in its workspace.
    /// `false`: somebody has connected it again, and nothing was written.
    ///
    /// # Errors
    /// When the database fails; nothing is written then.
    pub async fn connection_forget(
        &self,
        id: &str,
        workspace: &str,
        ended_before: Millis,
        act: &Act,
    ) -> Stored<bool> {
        const ABOUT_CONNECTION: [&str; 4] = [
            "DELETE FROM webhook_secrets WHERE organisation_id = $1 AND connection_id = $2",
            "DELETE FROM refresh_attempts WHERE connection_id IN (SELECT id FROM connections WHERE \
                organisation_id = $1 AND id = $2)",
            "DELETE FROM superseded_grants WHERE connection_id IN (SELECT id FROM connections \
                WHERE organisation_id = $1 AND id = $2)",
            "DELETE FROM connect_attempts WHERE organisation_id = $1 AND connection_id = $2",
        ];
        const ABOUT_PEOPLE: [&str; 2] = [
            "DELETE FROM people WHERE organisation_id = $1 AND workspace_id = $2",
            "DELETE FROM invites WHERE organisation_id = $1 AND workspace_id = $2",
        ];
        let organisation = &act.organisation_id;
        let _stale = self.recent.stale_after(id);
        transact!(self, &act.organisation_id, |tx| {
            // From here on nobody connects it again before this is done.
            note!(self, tx, act);
            let ended: i64 = sqlx::query_scalar(
                "SELECT COUNT(*) FROM connections WHERE organisation_id = $1 AND id = $2 \
                    AND state = 'disconnected' AND state_since <= $3",
            )
            .bind(organisation)
            .bind(id)
            .bind(ended_before)
            .fetch_one(&mut *tx)
            .await?;
            if ended == 0 {
                return Ok(false);
            }
            for sql in ABOUT_CONNECTION {
                sqlx::query(sql)
                    .bind(organisation)
                    .bind(id)
                    .execute(&mut *tx)
                    .await?;
            }
            for sql in ABOUT_PEOPLE {
                sqlx::query(sql)
                    .bind(organisation)
                    .bind(workspace)
                    .execute(&mut *tx)
                    .await?;
            }
            sqlx::query("DELETE FROM connections WHERE organisation_id = $1 AND id = $2")
                .bind(organisation)
                .bind(id)
                .execute(&mut *tx)
                .await?;
            tx.commit().await?;
            Ok(true)
        })
    }

    /// Ended connections (to this workspace) whose tokens were not yet confirmed void and are not
    /// kept for another's sake: organisation and id.
    pub async fn connections_to_revoke(
        &self,
        ended_before: Millis,
        workspace: Option<&str>,
        limit: i64,
    ) -> Stored<Vec<(String, String)>> {
        const SQL: &str = concat!(
            "SELECT c.organisation_id, c.id FROM connections c WHERE c.state = 'disconnected' AND \
                c.state_since <= $1 \
                AND (c.access_sealed IS NOT NULL OR EXISTS (SELECT 1 FROM superseded_grants s \
                WHERE s.connection_id = c.id)) \
                AND NOT EXISTS (",
            same_installation!(),
            " AND o.state <> 'disconnected') AND ($3 IS NULL OR c.workspace_id = $3) ORDER BY \
                c.state_since LIMIT $2"
        );
        on!(&self.db, |pool| Ok(sqlx::query_as(SQL)
            .bind(ended_before)
            .bind(limit)
            .bind(workspace)
            .fetch_all(pool)
            .await?))
    }
}
