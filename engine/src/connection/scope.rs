//! The scopes that Linear may be asked for, in words.

use crate::connection::state::ActAs;

/// A scope that Linear knows and Relink offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The scope as Linear spells it.
    pub name: &'static str,
    pub explained: &'static str,
    /// The consequence of not having it.
    pub without: &'static str,
    /// Covers this one too.
    pub part_of: Option<&'static str>,
    /// Linear offers it to this actor only.
    pub only: Option<ActAs>,
}

/// Always granted, whatever is asked for.
pub const READ: &str = "read";

/// The short list, from the least to the most. Linear refuses the whole request for a scope it does
/// not know, so nothing else can be asked for.
pub const OFFERED: [Scope; 7] = [
    Scope {
        name: READ,
        explained: "See issues, projects, teams and people the app may see",
        without: "Linear grants it always",
        part_of: None,
        only: None,
    },
    Scope {
        name: "issues:create",
        explained: "Create issues and their attachments",
        without: "Programs that use this token cannot create issues",
        part_of: Some("write"),
        only: None,
    },
    Scope {
        name: "comments:create",
        explained: "Comment on issues",
        without: "Programs that use this token cannot comment",
        part_of: Some("write"),
        only: None,
    },
    Scope {
        name: "app:assignable",
        explained: "Be assigned issues and added to projects as an agent",
        without: "Nobody can assign issues to the app",
        part_of: None,
        only: Some(ActAs::App),
    },
    Scope {
        name: "app:mentionable",
        explained: "Be mentioned in issues and documents as an agent",
        without: "Nobody can mention the app",
        part_of: None,
        only: Some(ActAs::App),
    },
    Scope {
        name: "write",
        explained: "Change anything it can see",
        without: "Programs that use this token cannot change what is there",
        part_of: None,
        only: None,
    },
    Scope {
        name: "admin",
        explained: "Administer the workspace, for example create webhooks",
        without: "Webhooks are made by hand in Linear, and their signing secret is pasted here",
        part_of: None,
        only: Some(ActAs::User),
    },
];

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no such scope on the list")]
pub struct NotOffered;

/// The scopes to ask for: `read` and whatever was chosen, in the order of the list, each once. What
/// the actor cannot have is left out: whoever ticks it and then changes the actor means the actor.
///
/// # Errors
/// [`NotOffered`] for a scope that is not on the list.
pub fn choose(actor: ActAs, chosen: &[String]) -> Result<Vec<String>, NotOffered> {
    if chosen
        .iter()
        .any(|name| !OFFERED.iter().any(|scope| scope.name == name))
    {
        return Err(NotOffered);
    }
    let wanted =
        |scope: &&Scope| scope.name == READ || chosen.iter().any(|name| name == scope.name);
    let possible = |scope: &&Scope| scope.only.is_none_or(|only| only == actor);
    Ok(OFFERED
        .iter()
        .filter(wanted)
        .filter(possible)
        .map(|scope| scope.name.to_owned())
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn read_is_always_there_and_nothing_comes_twice() {
        assert_eq!(choose(ActAs::App, &[]), Ok(names(&["read"])));
        assert_eq!(
            choose(ActAs::App, &names(&["write", "read", "write"])),
            Ok(names(&["read", "write"]))
        );
    }

    #[test]
    fn admin_is_for_people_and_agents_are_apps() {
        assert_eq!(
            choose(ActAs::App, &names(&["admin", "write"])),
            Ok(names(&["read", "write"]))
        );
        assert_eq!(
            choose(ActAs::User, &names(&["admin"])),
            Ok(names(&["read", "admin"]))
        );
        assert_eq!(
            choose(ActAs::User, &names(&["app:assignable"])),
            Ok(names(&["read"]))
        );
    }

    #[test]
    fn nothing_off_the_list_is_asked_for() {
        assert_eq!(
            choose(ActAs::User, &names(&["offline_access"])),
            Err(NotOffered)
        );
    }
}
