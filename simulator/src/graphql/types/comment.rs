//! Comments.

use async_graphql::{ComplexObject, Context, Result};

use super::absent::{
    AgentSession, DocumentContent, ExternalEntityInfo, ExternalUser, Initiative, InitiativeUpdate,
    ProjectUpdate, Reaction, SyncedExternalThread,
};
pub use super::fields::comment::Comment;
use super::fields::parts::ActorBot;
use super::issue::Issue;
use super::project::Project;
use super::user::User;
use crate::graphql::caller::look;
use crate::graphql::paging::connection;
use crate::graphql::scalars::DateTime;
use crate::world::issues::issue_url;
use crate::world::workspace::{self, Workspace};

connection!(CommentConnection, CommentEdge, Comment);

impl Comment {
    pub fn of(home: &Workspace, comment: &workspace::Comment) -> Comment {
        let issue_url = home
            .issue(&comment.issue_id)
            .map(|issue| issue_url(home, issue))
            .unwrap_or_default();
        Comment {
            body: comment.body.clone(),
            body_data: serde_json::json!({"type": "doc", "content": []}).to_string(),
            created_at: DateTime(comment.created_ms),
            id: comment.id.clone().into(),
            issue_id: Some(comment.issue_id.clone()),
            updated_at: DateTime(comment.created_ms),
            url: format!(
                "{issue_url}#comment-{}",
                comment.id.split('-').next().unwrap_or_default()
            ),
            ..Comment::default()
        }
    }
}

#[ComplexObject]
impl Comment {
    async fn issue(&self, ctx: &Context<'_>) -> Result<Option<Issue>> {
        look(ctx, |world, caller| {
            let home = caller.home(world)?;
            let issue = self.issue_id.as_deref().and_then(|id| home.issue(id));
            Ok(issue.map(|issue| Issue::of(home, issue)))
        })
    }

    async fn user(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        look(ctx, |world, caller| {
            let home = caller.home(world)?;
            let stored = home
                .comments
                .iter()
                .find(|comment| comment.id == self.id.as_str());
            let user = stored.and_then(|comment| home.user(&comment.user_id));
            Ok(user.map(|user| User::of(home, user, caller)))
        })
    }

    /// The name an application acted under.
    async fn bot_actor(&self, ctx: &Context<'_>) -> Result<Option<ActorBot>> {
        look(ctx, |world, caller| {
            let stored = caller
                .home(world)?
                .comments
                .iter()
                .find(|comment| comment.id == self.id.as_str());
            Ok(stored
                .and_then(|comment| comment.created_as.as_ref())
                .map(ActorBot::of))
        })
    }

    async fn parent(&self) -> Option<Comment> {
        None
    }

    async fn reactions(&self) -> Vec<Reaction> {
        Vec::new()
    }

    async fn agent_session(&self) -> Option<AgentSession> {
        None
    }

    async fn resolving_comment(&self) -> Option<Comment> {
        None
    }

    async fn resolving_user(&self) -> Option<User> {
        None
    }

    async fn document_content(&self) -> Option<DocumentContent> {
        None
    }

    async fn synced_with(&self) -> Option<Vec<ExternalEntityInfo>> {
        None
    }

    async fn external_thread(&self) -> Option<SyncedExternalThread> {
        None
    }

    async fn external_user(&self) -> Option<ExternalUser> {
        None
    }

    async fn initiative(&self) -> Option<Initiative> {
        None
    }

    async fn initiative_update(&self) -> Option<InitiativeUpdate> {
        None
    }

    async fn project(&self) -> Option<Project> {
        None
    }

    async fn project_update(&self) -> Option<ProjectUpdate> {
        None
    }
}
