//! The demo world: three workspaces with invented people, the same ids in every run.

use super::dice::named_uuid;
use super::workspace::{Project, Role, Team, User, Workspace};

/// Everything in the demo world was created at this moment (1 September 2026).
const DEMO_MS: i64 = 1_788_220_800_000;

type Person = (&'static str, &'static str, Role, bool);

pub fn workspaces() -> Vec<Workspace> {
    vec![acme(), globex(), initech()]
}

fn acme() -> Workspace {
    let people: [Person; 8] = [
        ("Ada Okafor", "ada", Role::Owner, true),
        ("Ben Castillo", "ben", Role::Admin, true),
        ("Chiara Rossi", "chiara", Role::Member, true),
        ("Devon Park", "devon", Role::Member, true),
        ("Elif Demir", "elif", Role::Member, true),
        ("Farid Nasser", "farid", Role::Guest, true),
        ("Gwen Mbeki", "gwen", Role::Member, false),
        ("Sentry", "sentry", Role::App, true),
    ];
    let teams = [
        ("Firmware", "FW", false),
        ("Vision", "VIS", false),
        ("Operations", "OPS", false),
        ("Board", "BRD", true),
    ];
    let projects = [
        ("Gripper v2", "FW"),
        ("Warehouse pilot", "OPS"),
        ("Depth camera calibration", "VIS"),
    ];
    build(
        "Acme Robotics",
        "acme-robotics",
        "acme.example",
        &people,
        &teams,
        &projects,
    )
}

fn globex() -> Workspace {
    let people: [Person; 6] = [
        ("Hana Sato", "hana", Role::Owner, true),
        ("Ivan Petrov", "ivan", Role::Member, true),
        ("Jun Li", "jun", Role::Member, true),
        ("Katya Novak", "katya", Role::Guest, true),
        ("Leo Brandt", "leo", Role::Member, false),
        ("GitHub", "github", Role::App, true),
    ];
    let teams = [("Platform", "PLT", false), ("Growth", "GRO", false)];
    build("Globex", "globex", "globex.example", &people, &teams, &[])
}

fn initech() -> Workspace {
    let people: [Person; 7] = [
        ("Mona Haddad", "mona", Role::Owner, true),
        ("Nils Berg", "nils", Role::Admin, true),
        ("Oona Virtanen", "oona", Role::Member, true),
        ("Pablo Ruiz", "pablo", Role::Member, true),
        ("Quinn Taylor", "quinn", Role::Guest, true),
        ("Rosa Marques", "rosa", Role::Member, false),
        ("Slack", "slack", Role::App, true),
    ];
    let teams = [
        ("Design", "DES", false),
        ("Engineering", "ENG", false),
        ("Client work", "CLI", false),
    ];
    let projects = [("Brand refresh", "DES"), ("Website relaunch", "ENG")];
    build(
        "Initech Studio",
        "initech",
        "initech.example",
        &people,
        &teams,
        &projects,
    )
}

fn build(
    name: &str,
    key: &str,
    domain: &str,
    people: &[Person],
    teams: &[(&str, &str, bool)],
    projects: &[(&str, &str)],
) -> Workspace {
    Workspace {
        id: named_uuid(key),
        name: name.into(),
        url_key: key.into(),
        previous_url_keys: Vec::new(),
        created_ms: DEMO_MS,
        users: people
            .iter()
            .map(|person| user(key, domain, person))
            .collect(),
        teams: teams
            .iter()
            .map(|(name, short, private)| team(key, name, short, *private))
            .collect(),
        projects: projects
            .iter()
            .map(|(name, short)| project(key, name, short))
            .collect(),
        issues: Vec::new(),
        comments: Vec::new(),
    }
}

fn user(key: &str, domain: &str, (name, handle, role, active): &Person) -> User {
    let id = named_uuid(&format!("{key}/user/{handle}"));
    // Integrations have an address of their own kind, so that they can be told from people.
    let email = if *role == Role::App {
        format!("{id}@integration.linear.app")
    } else {
        format!("{handle}@{domain}")
    };
    User {
        id,
        name: (*name).into(),
        display_name: (*handle).into(),
        email,
        role: *role,
        active: *active,
        created_ms: DEMO_MS,
        updated_ms: DEMO_MS,
    }
}

fn team(key: &str, name: &str, short: &str, private: bool) -> Team {
    Team {
        id: named_uuid(&format!("{key}/team/{short}")),
        key: short.into(),
        name: name.into(),
        private,
        created_ms: DEMO_MS,
        next_number: 1,
    }
}

fn project(key: &str, name: &str, team: &str) -> Project {
    let id = named_uuid(&format!("{key}/project/{name}"));
    Project {
        slug_id: id.replace('-', "")[..12].to_owned(),
        id,
        name: name.into(),
        description: String::new(),
        team_ids: vec![named_uuid(&format!("{key}/team/{team}"))],
        lead_id: None,
        created_ms: DEMO_MS,
        updated_ms: DEMO_MS,
    }
}
