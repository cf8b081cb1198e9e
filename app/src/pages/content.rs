//! Teams and projects as Linear answered just now, or why there are none to show.

use leptos::prelude::*;

use crate::parts::counted;
use crate::view::{ProjectView, TeamView, WorkspaceContent};

#[component]
pub fn TeamsAndProjects(workspace: String, content: WorkspaceContent) -> impl IntoView {
    let (summary, body) = match content {
        WorkspaceContent::Loaded {
            teams,
            projects,
            truncated,
        } => loaded(&workspace, teams, projects, truncated),
        WorkspaceContent::NotAsked => {
            said("Linear was not asked: the connection needs a reconnect first.")
        }
        WorkspaceContent::Unreachable => {
            said("Linear does not answer right now. The connection itself is not in doubt.")
        }
        WorkspaceContent::Refused => said(
            "Linear refused this one question, for its rate limit or a missing permission. The \
                connection itself is not in doubt.",
        ),
    };
    view! {
        <section class="section" aria-labelledby="h-content">
            <header>
                <div>
                    <h2 id="h-content">"Teams and projects"</h2>
                    <p>{summary}</p>
                </div>
            </header>
            {body}
        </section>
    }
    .into_any()
}

fn said(sentence: &'static str) -> (String, Option<AnyView>) {
    (sentence.to_owned(), None)
}

fn loaded(
    workspace: &str,
    teams: Vec<TeamView>,
    projects: Vec<ProjectView>,
    truncated: bool,
) -> (String, Option<AnyView>) {
    let more = if truncated {
        ", and more than fit here"
    } else {
        ""
    };
    let count = format!(
        "Read from Linear just now. {}, {}{more}.",
        counted(teams.len(), "team"),
        counted(projects.len(), "project")
    );
    let names = (!teams.is_empty()).then(|| {
        let team = |team: TeamView| {
            view! {
                <li><span class="pill">{team.key}</span> " " {team.name}</li>
            }
        };
        view! {
            <ul class="teams pad" aria-label="Teams">
                {teams.into_iter().map(team).collect_view()}
            </ul>
        }
    });
    let table = if projects.is_empty() {
        view! {
            <p class="pad soft">"Workspace " {workspace.to_owned()} " has no projects yet."</p>
        }
        .into_any()
    } else {
        table(projects)
    };
    (
        count,
        Some(view! { <div class="panel">{names} {table}</div> }.into_any()),
    )
}

fn table(projects: Vec<ProjectView>) -> AnyView {
    let row = |project: ProjectView| {
        let name = match project.url {
            Some(url) => {
                view! { <a href=url rel="external noreferrer">{project.name}</a> }.into_any()
            }
            None => project.name.into_any(),
        };
        view! {
            <tr>
                <td>{name}</td>
                <td data-l="Team">{project.team.unwrap_or_else(|| "None".to_owned())}</td>
            </tr>
        }
    };
    view! {
        <table class="table">
            <thead>
                <tr>
                    <th scope="col">"Project"</th>
                    <th scope="col">"Team"</th>
                </tr>
            </thead>
            <tbody>{projects.into_iter().map(row).collect_view()}</tbody>
        </table>
    }
    .into_any()
}
