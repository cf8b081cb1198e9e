//! Enumerations, with all their values.

use async_graphql::Enum;

#[derive(Enum, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[graphql(rename_items = "camelCase")]
pub enum ExternalSyncService {
    #[default]
    Github,
    Jira,
    Slack,
}

#[derive(Enum, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[graphql(rename_items = "camelCase")]
pub enum DateResolutionType {
    #[default]
    HalfYear,
    Month,
    Quarter,
    Year,
}

#[derive(Enum, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[graphql(rename_items = "PascalCase")]
pub enum Day {
    #[default]
    Friday,
    Monday,
    Saturday,
    Sunday,
    Thursday,
    Tuesday,
    Wednesday,
}

#[derive(Enum, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[graphql(rename_items = "camelCase")]
pub enum FeedSummarySchedule {
    #[default]
    Daily,
    Never,
    Weekly,
}

#[derive(Enum, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[graphql(rename_items = "camelCase")]
pub enum FrequencyResolutionType {
    #[default]
    Daily,
    Weekly,
}

#[derive(Enum, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[graphql(rename_items = "camelCase")]
pub enum IntegrationService {
    #[default]
    Airbyte,
    AsksWeb,
    Discord,
    Email,
    Figma,
    FigmaPlugin,
    Front,
    Github,
    GithubCodeAccessPersonal,
    GithubCommit,
    GithubEnterpriseServer,
    GithubImport,
    GithubPersonal,
    Gitlab,
    Gong,
    GoogleCalendarPersonal,
    GoogleSheets,
    Intercom,
    Jira,
    JiraPersonal,
    LaunchDarkly,
    LaunchDarklyPersonal,
    Loom,
    McpServer,
    McpServerPersonal,
    MicrosoftPersonal,
    MicrosoftTeams,
    MicrosoftTeamsProjectPost,
    Notion,
    Opsgenie,
    PagerDuty,
    Salesforce,
    Sentry,
    Slack,
    SlackAsks,
    SlackCustomViewNotifications,
    SlackInitiativePost,
    SlackOrgInitiativeUpdatesPost,
    SlackOrgProjectUpdatesPost,
    SlackPersonal,
    SlackPost,
    SlackProjectPost,
    SlackProjectUpdatesPost,
    Zendesk,
}

#[derive(Enum, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[graphql(rename_items = "camelCase")]
#[expect(
    clippy::enum_variant_names,
    reason = "the names are the published schema's"
)]
pub enum IssueSharedAccessDisallowedField {
    #[default]
    CycleId,
    ProjectId,
    ProjectMilestoneId,
    TeamId,
}

#[derive(Enum, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[graphql(rename_items = "camelCase")]
pub enum PaginationNulls {
    #[default]
    First,
    Last,
}

#[derive(Enum, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[graphql(rename_items = "camelCase")]
pub enum PaginationOrderBy {
    #[default]
    CreatedAt,
    UpdatedAt,
}

#[derive(Enum, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[graphql(rename_items = "PascalCase")]
pub enum PaginationSortOrder {
    #[default]
    Ascending,
    Descending,
}

#[derive(Enum, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[graphql(rename_items = "camelCase")]
pub enum ProjectStatusType {
    #[default]
    Backlog,
    Canceled,
    Completed,
    Paused,
    Planned,
    Started,
}

#[derive(Enum, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[graphql(rename_items = "camelCase")]
pub enum ProjectUpdateHealthType {
    #[default]
    AtRisk,
    OffTrack,
    OnTrack,
}

#[derive(Enum, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[graphql(rename_items = "camelCase")]
pub enum ProjectUpdateReminderFrequency {
    #[default]
    Month,
    Never,
    TwoWeeks,
    Week,
}

#[derive(Enum, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[graphql(rename_items = "camelCase")]
pub enum ReleaseChannel {
    #[default]
    Beta,
    Development,
    Internal,
    PreRelease,
    PrivateBeta,
    Public,
}

#[derive(Enum, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[graphql(name = "SLADayCountType", rename_items = "camelCase")]
pub enum SLADayCountType {
    #[default]
    All,
    OnlyBusinessDays,
}

#[derive(Enum, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[graphql(rename_items = "camelCase")]
pub enum TeamVisibility {
    #[default]
    Private,
    Public,
    Restricted,
}
