use relink_engine::identity::{Role, Standing};
use relink_engine::people::Link;

use super::*;
use crate::view::samples::person;

fn member(user: &str, linked: bool) -> TeamMember {
    let link = Link {
        workspace_id: "w1".to_owned(),
        workspace: "Acme Robotics".to_owned(),
        linear_id: "l1".to_owned(),
        name: "Elif Demir".to_owned(),
        email: "elif@acme.example".to_owned(),
        linked_at: 0,
    };
    TeamMember {
        standing: Standing::Proved,
        user_id: user.to_owned(),
        name: "Elif Demir".to_owned(),
        email: "elif@acme.example".to_owned(),
        role: Role::Member,
        since: 0,
        linked: if linked { vec![link] } else { Vec::new() },
    }
}

#[test]
fn what_can_be_done_about_whom_depends_on_the_role() {
    let manageable = |role, user, linked| {
        member_views(vec![member(user, linked)], &[], &person("u1", role))[0].manageable()
    };
    assert!(manageable(Role::Owner, "u2", false) && manageable(Role::Owner, "u2", true));
    assert!(manageable(Role::Admin, "u2", true) && !manageable(Role::Admin, "u2", false));
    assert!(
        !manageable(Role::Member, "u2", true),
        "members leave others alone"
    );
    assert!(manageable(Role::Member, "u1", true) && !manageable(Role::Member, "u1", false));
}
