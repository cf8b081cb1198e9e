//! `POST /graphql`: a part of Linear's published schema, with its errors, paging and limits.
//!
//! Every type, field, argument and nullability here is the published one; what is missing is
//! refused as an unknown field, as the real schema refuses what it does not know.

pub mod caller;
pub mod comparators;
pub mod cost;
pub mod endpoint;
pub mod failure;
pub mod filter;
pub mod headers;
pub mod inputs;
pub mod mutation;
pub mod paging;
pub mod query;
pub mod scalars;
pub mod sort;
pub mod types;
pub mod upload;

use async_graphql::EmptySubscription;

pub type Schema = async_graphql::Schema<query::Query, mutation::Mutation, EmptySubscription>;

pub fn schema() -> Schema {
    Schema::build(query::Query, mutation::Mutation, EmptySubscription).finish()
}
