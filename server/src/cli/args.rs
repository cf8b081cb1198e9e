//! The commands and options that can be typed.

use std::net::SocketAddr;
use std::str::FromStr;

use clap::{Parser, Subcommand, ValueEnum};
use relink_engine::clock::Millis;
use relink_engine::identity::Role;

use crate::config::parse_span;

/// The connection manager for Linear: one binary that keeps connections alive.
#[derive(Debug, Parser)]
#[command(name = "relink", version)]
pub struct Args {
    /// Print results as JSON on stdout; messages stay on stderr
    #[arg(long, global = true)]
    pub json: bool,
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Bring the database up to date and serve (the default)
    Serve {
        /// Without a LINEAR_CLIENT_ID, start the simulated Linear too
        #[arg(long)]
        demo: bool,
    },
    /// Run the simulated Linear alone
    Simulate {
        /// Where it listens
        #[arg(long, default_value = crate::serve::SIMULATOR)]
        addr: SocketAddr,
        /// Keep its state in this file, so that tokens outlive a restart
        #[arg(long)]
        state: Option<std::path::PathBuf>,
        /// Accept this redirect URI too (may be given several times)
        #[arg(long = "redirect-uri")]
        redirect_uris: Vec<String>,
    },
    /// People who sign in
    #[command(subcommand)]
    User(User),
    /// Keys for machines
    #[command(subcommand)]
    Key(Key),
    /// Connected workspaces
    #[command(subcommand)]
    Connection(Connection),
    /// Linear's webhooks
    #[command(subcommand)]
    Webhook(Webhook),
    /// Where deliveries are handed on to
    #[command(subcommand)]
    Destination(Destination),
    /// Linear apps of an organisation's own, beside the one in the environment
    #[command(subcommand)]
    App(App),
    /// Connected workspaces, and how many people are linked in each
    #[command(subcommand)]
    Workspace(Workspace),
    /// Make a link code for somebody in a workspace; it is printed once
    Invite {
        /// The organisation's slug
        #[arg(long)]
        org: String,
        /// The workspace's url key or Linear's organization id
        #[arg(long, value_name = "KEY")]
        workspace: String,
        /// The person's Linear user id or e-mail
        #[arg(long, value_name = "ID|EMAIL")]
        person: String,
        /// How long it can be used, one hour to seven days: a number with s, m, h or d
        #[arg(long, default_value = "24h", value_parser = span)]
        valid: Millis,
    },
    /// Redeem a link code, read from stdin, for somebody who has an account: shows whom it is for,
    /// then asks for a yes on the terminal, unless the second line says it
    Link {
        /// The organisation's slug
        #[arg(long)]
        org: String,
        /// E-mail of the account
        #[arg(long, value_name = "EMAIL")]
        user: String,
        /// Answer yes without being asked
        #[arg(long)]
        yes: bool,
    },
    /// Members of an organisation
    #[command(subcommand)]
    Member(Member),
    /// Who did what
    #[command(subcommand)]
    Audit(Audit),
    /// Look whether everything that Relink stands on is well: a line for each thing, with what to
    /// do
    Doctor,
    /// Ask the server that runs here whether it is ready: exit 0 if it is
    Healthcheck,
    /// Refresh what is due, once, for those who prefer cron to a server that does it by itself
    Refresh {
        /// Tokens that expire within this time: a number with s, m, h or d
        #[arg(long, default_value = "90m", value_parser = span)]
        due_within: Millis,
    },
}

fn span(text: &str) -> Result<Millis, &'static str> {
    parse_span(text).ok_or("a number with s, m, h or d, for example 90m")
}

#[derive(Debug, Subcommand)]
pub enum User {
    /// Add a member, and the organisation too if it is new; the password is read from stdin
    Add {
        /// E-mail address to sign in with
        #[arg(long)]
        email: String,
        /// Name as others see it
        #[arg(long, required_unless_present = "existing")]
        name: Option<String>,
        /// The organisation's slug: a-z, 0-9 and dashes
        #[arg(long)]
        org: String,
        /// What they may do
        #[arg(long, value_enum, default_value_t = RoleArg::Member)]
        role: RoleArg,
        /// They have an account: make that one a member. Its name and password stay, and nothing is
        /// read from stdin
        #[arg(long, conflicts_with = "name")]
        existing: bool,
    },
}

#[derive(Debug, Subcommand)]
pub enum Key {
    /// Make an API key; it is printed once
    New {
        /// The organisation's slug
        #[arg(long)]
        org: String,
        /// What the key is for
        #[arg(long)]
        name: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum Connection {
    /// List the connections of an organisation with their state
    List {
        /// The organisation's slug
        #[arg(long)]
        org: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum Webhook {
    /// What to paste into Linear
    Info,
    /// Signing secrets of workspaces
    #[command(subcommand)]
    Secret(Secret),
}

#[derive(Debug, Subcommand)]
pub enum Secret {
    /// Store a workspace's signing secret, read from stdin; the one before stays good for a while
    Add {
        /// The organisation's slug
        #[arg(long)]
        org: String,
        /// The workspace's url key or Linear's organization id
        #[arg(long, value_name = "KEY")]
        workspace: String,
    },
    /// List the signing secrets of an organisation, each by its last four characters
    List {
        /// The organisation's slug
        #[arg(long)]
        org: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum Destination {
    /// Add a destination; its signing secret (Standard Webhooks) is printed once
    Add {
        /// The organisation's slug
        #[arg(long)]
        org: String,
        /// An https address
        #[arg(long)]
        url: String,
        /// Only events of this type (may be given several times)
        #[arg(long = "event", value_name = "TYPE")]
        events: Vec<String>,
        /// Keep events about the same issue in order
        #[arg(long)]
        ordered: bool,
    },
    /// List the destinations of an organisation and how they are doing
    List {
        /// The organisation's slug
        #[arg(long)]
        org: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum App {
    /// List the apps of an organisation
    List {
        /// The organisation's slug
        #[arg(long)]
        org: String,
    },
    /// Add an app; its client secret is the first line of stdin, its webhook signing secret the
    /// second, and both may be empty
    Add {
        /// The organisation's slug
        #[arg(long)]
        org: String,
        /// What people call it here
        #[arg(long)]
        name: String,
        /// From the app's page in Linear
        #[arg(long, value_name = "ID")]
        client_id: String,
    },
    /// Replace an app's client secret with the one on stdin
    Secret {
        /// The organisation's slug
        #[arg(long)]
        org: String,
        /// The app's id or its client ID in Linear
        #[arg(long, value_name = "ID|CLIENT_ID")]
        app: String,
        /// Replace its webhook signing secret instead; the one before stays good for a while
        #[arg(long)]
        webhook: bool,
    },
    /// Remove an app that no workspace is connected through
    Remove {
        /// The organisation's slug
        #[arg(long)]
        org: String,
        /// The app's id or its client ID in Linear
        #[arg(long, value_name = "ID|CLIENT_ID")]
        app: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum Workspace {
    /// List the workspaces of an organisation
    List {
        /// The organisation's slug
        #[arg(long)]
        org: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum Member {
    /// List the members of an organisation, and who they are in Linear
    List {
        /// The organisation's slug
        #[arg(long)]
        org: String,
    },
    /// Give a member another role; their sessions end
    Role {
        /// The organisation's slug
        #[arg(long)]
        org: String,
        /// E-mail of the member
        #[arg(long)]
        email: String,
        /// What they may do from now on
        #[arg(long, value_enum)]
        role: RoleArg,
    },
    /// Answer for it that a member's account is whose its e-mail says, where a link code made it:
    /// after a yes on the terminal
    Vouch {
        /// The organisation's slug
        #[arg(long)]
        org: String,
        /// E-mail of the member
        #[arg(long)]
        email: String,
        /// Answer yes without being asked
        #[arg(long)]
        yes: bool,
    },
    /// Remove a member, with who they are in Linear; their sessions end
    Remove {
        /// The organisation's slug
        #[arg(long)]
        org: String,
        /// E-mail of the member
        #[arg(long)]
        email: String,
        /// Also revoke the API keys that they made
        #[arg(long)]
        revoke_keys: bool,
    },
    /// Forget who a member is in a workspace
    Unlink {
        /// The organisation's slug
        #[arg(long)]
        org: String,
        /// E-mail of the member
        #[arg(long)]
        email: String,
        /// The workspace's url key or Linear's organization id
        #[arg(long, value_name = "KEY")]
        workspace: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum Audit {
    /// Prove that no line was changed, taken out or put in, and print number and hash of the last
    /// one
    Verify {
        /// The organisation's slug
        #[arg(long)]
        org: String,
        /// What an earlier run printed: also prove that the trail still has that line
        #[arg(long, value_name = "N:HASH")]
        expect: Option<NotedLine>,
    },
    /// Print the whole trail, a JSON object for each line
    Export {
        /// The organisation's slug
        #[arg(long)]
        org: String,
    },
}

/// Number and hash of a line of the audit trail, as somebody noted them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotedLine {
    pub number: i64,
    pub hash: String,
}

impl FromStr for NotedLine {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<NotedLine, &'static str> {
        const SHAPE: &str = "the number of a line and its hash as `relink audit verify` prints \
            them, for example 12:9f86d0…";
        let (number, hash) = text.trim().split_once(':').ok_or(SHAPE)?;
        let number = number
            .parse()
            .ok()
            .filter(|number| *number > 0)
            .ok_or(SHAPE)?;
        let is_hash = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_hash {
            Ok(NotedLine {
                number,
                hash: hash.to_ascii_lowercase(),
            })
        } else {
            Err(SHAPE)
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum RoleArg {
    Owner,
    Admin,
    Member,
}

impl From<RoleArg> for Role {
    fn from(role: RoleArg) -> Role {
        match role {
            RoleArg::Owner => Role::Owner,
            RoleArg::Admin => Role::Admin,
            RoleArg::Member => Role::Member,
        }
    }
}
