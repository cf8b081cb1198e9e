//! The orders lists can be asked for in.

use async_graphql::InputObject;

use super::types::enums::{PaginationNulls, PaginationSortOrder};
use super::types::issue::Issue;
use super::types::project::Project;
use super::types::user::User;

/// One order by one property; ascending unless told otherwise.
macro_rules! orders {
    ($($name:ident),+) => {
        $(
            #[derive(InputObject, Clone, Debug)]
            pub struct $name {
                #[graphql(default_with = "Some(PaginationNulls::Last)")]
                nulls: Option<PaginationNulls>,
                order: Option<PaginationSortOrder>,
            }

            impl $name {
                fn sort<T, K: PartialOrd>(&self, all: &mut [T], key: impl Fn(&T) -> K) {
                    let descending = self.order == Some(PaginationSortOrder::Descending);
                    all.sort_by(|one, two| {
                        let (one, two) = (key(one), key(two));
                        let (one, two) = if descending { (two, one) } else { (one, two) };
                        one.partial_cmp(&two).unwrap_or(std::cmp::Ordering::Equal)
                    });
                }
            }
        )+
    };
}

orders!(
    UserDisplayNameSort,
    UserNameSort,
    ProjectCreatedAtSort,
    ProjectNameSort,
    ProjectUpdatedAtSort,
    CreatedAtSort,
    TitleSort,
    UpdatedAtSort
);

#[derive(InputObject, Clone, Debug)]
pub struct UserSortInput {
    display_name: Option<UserDisplayNameSort>,
    name: Option<UserNameSort>,
}

#[derive(InputObject, Clone, Debug)]
pub struct ProjectSortInput {
    created_at: Option<ProjectCreatedAtSort>,
    name: Option<ProjectNameSort>,
    updated_at: Option<ProjectUpdatedAtSort>,
}

#[derive(InputObject, Clone, Debug)]
pub struct IssueSortInput {
    created_at: Option<CreatedAtSort>,
    title: Option<TitleSort>,
    updated_at: Option<UpdatedAtSort>,
}

/// The last order is sorted by first, so that the first one given decides.
pub fn users(all: &mut [User], orders: &[UserSortInput]) {
    for order in orders.iter().rev() {
        order
            .display_name
            .iter()
            .for_each(|by| by.sort(all, |user| user.display_name.clone()));
        order
            .name
            .iter()
            .for_each(|by| by.sort(all, |user| user.name.clone()));
    }
}

pub fn projects(all: &mut [Project], orders: &[ProjectSortInput]) {
    for order in orders.iter().rev() {
        order
            .created_at
            .iter()
            .for_each(|by| by.sort(all, |project| project.created_at.0));
        order
            .updated_at
            .iter()
            .for_each(|by| by.sort(all, |project| project.updated_at.0));
        order
            .name
            .iter()
            .for_each(|by| by.sort(all, |project| project.name.clone()));
    }
}

pub fn issues(all: &mut [Issue], orders: &[IssueSortInput]) {
    for order in orders.iter().rev() {
        order
            .created_at
            .iter()
            .for_each(|by| by.sort(all, |issue| issue.created_at.0));
        order
            .updated_at
            .iter()
            .for_each(|by| by.sort(all, |issue| issue.updated_at.0));
        order
            .title
            .iter()
            .for_each(|by| by.sort(all, |issue| issue.title.clone()));
    }
}
