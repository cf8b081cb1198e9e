//! The mutations, and the scope that each takes.

use async_graphql::{Context, Object, Result, SimpleObject};

use super::caller::{Caller, change};
use super::failure::{input_error, scope_required};
use super::inputs::{CommentCreateInput, IssueCreateInput, IssueUpdateInput, WebhookCreateInput};
use super::scalars::{Json, JsonObject};
use super::types::comment::Comment;
use super::types::issue::Issue;
use super::types::parts::{UploadFile, UploadFileHeader, UploadPayload, Webhook};
use super::upload::UPLOAD_HEADER;
use crate::Simulator;
use crate::world::hooks::{self, WebhookSource};
use crate::world::issues::Refusal;
use crate::world::{Upload, World, workspace};

#[derive(SimpleObject, Debug)]
pub struct IssuePayload {
    pub issue: Option<Issue>,
    pub last_sync_id: f64,
    pub success: bool,
}

#[derive(SimpleObject, Debug)]
pub struct IssueArchivePayload {
    pub entity: Option<Issue>,
    pub last_sync_id: f64,
    pub success: bool,
}

#[derive(SimpleObject, Debug)]
pub struct CommentPayload {
    pub comment: Comment,
    pub last_sync_id: f64,
    pub success: bool,
}

#[derive(SimpleObject, Debug)]
pub struct WebhookPayload {
    pub last_sync_id: f64,
    pub success: bool,
    pub webhook: Webhook,
}

#[derive(SimpleObject, Debug)]
pub struct LogoutResponse {
    pub success: bool,
}

/// Linear's largest upload is bigger; this is what the simulation holds.
const UPLOAD_MAX: i32 = 32 * 1024 * 1024;
const WEBHOOKS_MAX: usize = 100;

/// Writes as the caller, then shows the issue as the caller sees it.
fn write_issue(
    ctx: &Context<'_>,
    scopes: &[&str],
    write: impl FnOnce(&mut World, &Caller) -> Result<Result<workspace::Issue, Refusal>>,
) -> Result<Issue> {
    change(ctx, |world, caller| {
        caller.need(scopes)?;
        let issue = write(world, caller)??;
        Ok(Issue::of(caller.home(world)?, &issue))
    })
}

#[derive(Debug)]
pub struct Mutation;

#[Object]
impl Mutation {
    async fn issue_create(
        &self,
        ctx: &Context<'_>,
        input: IssueCreateInput,
    ) -> Result<IssuePayload> {
        let issue = write_issue(ctx, &["write", "issues:create"], |world, caller| {
            let new = input.read(caller)?;
            if caller
                .home(world)?
                .team(&new.team)
                .is_some_and(|team| !caller.sees(team))
            {
                return Ok(Err(Refusal::NotFound("Team")));
            }
            Ok(world.create_issue(&caller.workspace, &caller.user, new))
        })?;
        Ok(IssuePayload {
            issue: Some(issue),
            last_sync_id: 1.0,
            success: true,
        })
    }

    async fn issue_update(
        &self,
        ctx: &Context<'_>,
        id: String,
        input: IssueUpdateInput,
    ) -> Result<IssuePayload> {
        let issue = write_issue(ctx, &["write", "issues:create"], |world, caller| {
            Ok(world.update_issue(&caller.workspace, &caller.user, &id, input.read()?))
        })?;
        Ok(IssuePayload {
            issue: Some(issue),
            last_sync_id: 1.0,
            success: true,
        })
    }

    async fn issue_delete(
        &self,
        ctx: &Context<'_>,
        id: String,
        permanently_delete: Option<bool>,
    ) -> Result<IssueArchivePayload> {
        let _ = permanently_delete;
        let issue = write_issue(ctx, &["write"], |world, caller| {
            Ok(world.remove_issue(&caller.workspace, &caller.user, &id))
        })?;
        Ok(IssueArchivePayload {
            entity: Some(issue),
            last_sync_id: 1.0,
            success: true,
        })
    }

    async fn comment_create(
        &self,
        ctx: &Context<'_>,
        input: CommentCreateInput,
    ) -> Result<CommentPayload> {
        let comment = change(ctx, |world, caller| {
            caller.need(&["write", "comments:create"])?;
            let comment =
                world.create_comment(&caller.workspace, &caller.user, input.read(caller)?)?;
            Ok(Comment::of(caller.home(world)?, &comment))
        })?;
        Ok(CommentPayload {
            comment,
            last_sync_id: 1.0,
            success: true,
        })
    }

    async fn file_upload(
        &self,
        ctx: &Context<'_>,
        content_type: String,
        filename: String,
        make_public: Option<bool>,
        meta_data: Option<Json>,
        size: i32,
    ) -> Result<UploadPayload> {
        let meta_data = meta_data
            .and_then(|Json(value)| value.as_object().cloned())
            .map(JsonObject);
        let wanted = UploadFile {
            content_type,
            filename,
            meta_data,
            size,
            ..UploadFile::default()
        };
        let url = ctx.data::<Simulator>()?.url().to_owned();
        let file = change(ctx, |world, caller| {
            caller.need(&["write"])?;
            prepare_upload(world, caller, &url, wanted, make_public == Some(true))
        })?;
        Ok(UploadPayload {
            last_sync_id: 1.0,
            success: true,
            upload_file: Some(file),
        })
    }

    async fn logout(&self, ctx: &Context<'_>, reason: Option<String>) -> Result<LogoutResponse> {
        let _ = reason;
        change(ctx, |world, caller| {
            world.revoke_token(&caller.token);
            Ok(LogoutResponse { success: true })
        })
    }

    /// Applications that act as themselves can never have the scope this takes.
    async fn webhook_create(
        &self,
        ctx: &Context<'_>,
        input: WebhookCreateInput,
    ) -> Result<WebhookPayload> {
        let webhook = change(ctx, |world, caller| {
            caller.need(&["admin"])?;
            if !caller.me(world)?.is_admin() {
                return Err(scope_required("admin"));
            }
            create_webhook(world, caller, input)
        })?;
        Ok(WebhookPayload {
            last_sync_id: 1.0,
            success: true,
            webhook,
        })
    }
}

fn prepare_upload(
    world: &mut World,
    caller: &Caller,
    url: &str,
    mut file: UploadFile,
    public: bool,
) -> Result<UploadFile> {
    let size = u64::try_from(file.size)
        .ok()
        .filter(|_| (1..=UPLOAD_MAX).contains(&file.size));
    let size = size.ok_or_else(|| input_error("size must be between 1 byte and 32 MiB"))?;
    let id = world.dice.uuid();
    let (workspace, content_type) = (caller.workspace.clone(), file.content_type.clone());
    file.upload_url = format!("{url}/uploads/{id}");
    file.asset_url = format!("{url}/uploads/{workspace}/{id}");
    world.uploads.insert(
        id,
        Upload {
            workspace,
            content_type,
            size,
            public,
            content: None,
        },
    );
    file.headers = vec![UploadFileHeader {
        key: UPLOAD_HEADER.0.into(),
        value: UPLOAD_HEADER.1.into(),
    }];
    Ok(file)
}

fn create_webhook(
    world: &mut World,
    caller: &Caller,
    input: WebhookCreateInput,
) -> Result<Webhook> {
    if world.settings.public_webhook_urls_only && !is_public_https(&input.url) {
        return Err(input_error("url must be a public https address"));
    }
    if world
        .webhooks
        .iter()
        .filter(|webhook| webhook.workspace == caller.workspace)
        .count()
        >= WEBHOOKS_MAX
    {
        return Err(input_error("too many webhooks"));
    }
    let secret = match input.secret {
        Some(secret) => secret,
        None => world.mint("webhook_secret", "lin_wh_"),
    };
    let (label, resource_types) = (input.label, input.resource_types);
    let webhook = hooks::Webhook {
        id: input.id.unwrap_or_else(|| world.dice.uuid()),
        workspace: caller.workspace.clone(),
        source: WebhookSource::Workspace {
            url: input.url,
            secret,
            label,
            resource_types,
        },
        enabled: input.enabled.unwrap_or(true),
        failures_in_row: 0,
        created_ms: world.now(),
    };
    world.webhooks.push(webhook.clone());
    Ok(Webhook::of(&webhook, &[]))
}

fn is_public_https(text: &str) -> bool {
    let Ok(url) = url::Url::parse(text) else {
        return false;
    };
    let public_host = match url.host() {
        Some(url::Host::Domain(name)) => name != "localhost" && !name.ends_with(".localhost"),
        Some(url::Host::Ipv4(ip)) => !(ip.is_loopback() || ip.is_private() || ip.is_link_local()),
        Some(url::Host::Ipv6(ip)) => !ip.is_loopback(),
        None => false,
    };
    url.scheme() == "https" && public_host
}
