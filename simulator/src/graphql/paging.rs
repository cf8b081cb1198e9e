//! Cursor paging as every Linear connection has it.

use async_graphql::{ID, Result, SimpleObject};

use super::failure::input_error;
use super::types::enums::PaginationOrderBy;

const PAGE_DEFAULT: i32 = 50;
const PAGE_MAX: i32 = 250;

#[derive(SimpleObject, Clone, Debug, Default)]
pub struct PageInfo {
    pub end_cursor: Option<String>,
    pub has_next_page: bool,
    pub has_previous_page: bool,
    pub start_cursor: Option<String>,
}

/// A thing that can be paged through. The cursor is the id.
pub trait Node {
    fn id(&self) -> &ID;
    fn created_ms(&self) -> i64;
    fn updated_ms(&self) -> i64;
}

/// The paging arguments of one connection.
#[derive(Clone, Debug, Default)]
pub struct Window {
    pub after: Option<String>,
    pub before: Option<String>,
    pub first: Option<i32>,
    pub last: Option<i32>,
    pub order_by: Option<PaginationOrderBy>,
    /// The entries are in the order they were asked for already.
    pub sorted: bool,
}

impl Window {
    fn size(&self) -> Result<usize> {
        if self.first.is_some() && self.last.is_some() {
            return Err(input_error(
                "Argument Validation Error: first and last cannot be combined",
            ));
        }
        let size = self.first.or(self.last).unwrap_or(PAGE_DEFAULT);
        match usize::try_from(size) {
            Ok(count) if size > 0 && size <= PAGE_MAX => Ok(count),
            _ => Err(input_error(format!(
                "Argument Validation Error: page size must be between 1 and {PAGE_MAX}"
            ))),
        }
    }

    /// Sorts the newest first, as Linear does, and cuts out the part that was asked for.
    pub fn cut<T: Node>(&self, mut all: Vec<T>) -> Result<(Vec<T>, PageInfo)> {
        let size = self.size()?;
        match self.order_by {
            _ if self.sorted => {}
            Some(PaginationOrderBy::UpdatedAt) => {
                all.sort_by_key(|node| std::cmp::Reverse(node.updated_ms()))
            }
            Some(PaginationOrderBy::CreatedAt) | None => {
                all.sort_by_key(|node| std::cmp::Reverse(node.created_ms()));
            }
        }
        let start = match &self.after {
            Some(cursor) => position(&all, cursor)? + 1,
            None => 0,
        };
        let end = match &self.before {
            Some(cursor) => position(&all, cursor)?.max(start),
            None => all.len(),
        };
        let (from, to) = match self.last {
            Some(_) => (end.saturating_sub(size).max(start), end),
            None => (start, (start + size).min(end)),
        };
        let (has_previous_page, has_next_page) = (from > 0, to < all.len());
        let nodes: Vec<T> = all.drain(from..to).collect();
        let cursor = |node: Option<&T>| node.map(|node| node.id().to_string());
        let info = PageInfo {
            start_cursor: cursor(nodes.first()),
            end_cursor: cursor(nodes.last()),
            has_next_page,
            has_previous_page,
        };
        Ok((nodes, info))
    }
}

fn position<T: Node>(all: &[T], cursor: &str) -> Result<usize> {
    let at = all.iter().position(|node| node.id().as_str() == cursor);
    at.ok_or_else(|| input_error("Argument Validation Error: the cursor is not valid"))
}

/// A connection and its edge, as they are written out for every type.
macro_rules! connection {
    ($connection:ident, $edge:ident, $node:ident) => {
        #[derive(async_graphql::SimpleObject, Clone, Debug)]
        pub struct $edge {
            pub cursor: String,
            pub node: $node,
        }

        #[derive(async_graphql::SimpleObject, Clone, Debug)]
        pub struct $connection {
            pub edges: Vec<$edge>,
            pub nodes: Vec<$node>,
            pub page_info: $crate::graphql::paging::PageInfo,
        }

        impl $connection {
            pub fn of(
                all: Vec<$node>,
                window: &$crate::graphql::paging::Window,
            ) -> async_graphql::Result<$connection> {
                let (nodes, page_info) = window.cut(all)?;
                let edge = |node: &$node| $edge {
                    cursor: node.id.to_string(),
                    node: node.clone(),
                };
                Ok($connection {
                    edges: nodes.iter().map(edge).collect(),
                    nodes,
                    page_info,
                })
            }
        }

        impl $crate::graphql::paging::Node for $node {
            fn id(&self) -> &async_graphql::ID {
                &self.id
            }

            fn created_ms(&self) -> i64 {
                self.created_at.0
            }

            fn updated_ms(&self) -> i64 {
                self.updated_at.0
            }
        }
    };
}
pub(crate) use connection;
