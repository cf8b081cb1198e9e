//! The cost of a query: 0.1 a property, 1 an object, and a connection's nodes as many times as it
//! may hold.

use std::collections::HashMap;

use async_graphql::parser::types::{
    ExecutableDocument, Field, OperationDefinition, Selection, SelectionSet,
};
use async_graphql::{Name, Positioned, Value as Given, Variables};
use async_graphql_value::Value;

/// Largest cost of one query.
pub const QUERY_MAX: u64 = 10_000;

const PROPERTY: u64 = 1;
const OBJECT: u64 = 10;
const PAGE_DEFAULT: u64 = 50;

/// Adds up the cost in tenths; it is rounded up at the end.
pub fn cost(
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    variables: &Variables,
) -> u64 {
    let mut walk = Walk {
        document,
        variables,
        fragments: HashMap::new(),
    };
    walk.set(&operation.selection_set.node, 1).div_ceil(10)
}

struct Walk<'query> {
    document: &'query ExecutableDocument,
    variables: &'query Variables,
    /// Each fragment is added up once per page size; one that holds itself counts nothing (and is
    /// refused later).
    fragments: HashMap<(Name, u64), u64>,
}

impl Walk<'_> {
    /// `page` applies to `nodes` and `edges` among these fields.
    fn set(&mut self, set: &SelectionSet, page: u64) -> u64 {
        set.items.iter().fold(0, |sum: u64, item| {
            sum.saturating_add(self.selection(&item.node, page))
        })
    }

    fn selection(&mut self, selection: &Selection, page: u64) -> u64 {
        match selection {
            Selection::Field(field) => self.field(&field.node, page),
            Selection::InlineFragment(inline) => self.set(&inline.node.selection_set.node, page),
            Selection::FragmentSpread(spread) => {
                self.fragment(&spread.node.fragment_name.node, page)
            }
        }
    }

    fn fragment(&mut self, name: &Name, page: u64) -> u64 {
        let key = (name.clone(), page);
        if let Some(known) = self.fragments.get(&key) {
            return *known;
        }
        let document = self.document;
        let Some(fragment) = document.fragments.get(name) else {
            return 0;
        };
        self.fragments.insert(key.clone(), 0);
        let sum = self.set(&fragment.node.selection_set.node, page);
        self.fragments.insert(key, sum);
        sum
    }

    fn field(&mut self, field: &Field, page: u64) -> u64 {
        let set = &field.selection_set.node;
        if set.items.is_empty() {
            return PROPERTY;
        }
        let is_list = matches!(field.name.node.as_str(), "nodes" | "edges");
        let inside = self.set(set, self.page_of(field)).saturating_add(OBJECT);
        if is_list {
            inside.saturating_mul(page)
        } else {
            inside
        }
    }

    fn page_of(&self, field: &Field) -> u64 {
        let given = field
            .get_argument("first")
            .or_else(|| field.get_argument("last"));
        given
            .and_then(|value| self.number(value))
            .unwrap_or(PAGE_DEFAULT)
    }

    fn number(&self, value: &Positioned<Value>) -> Option<u64> {
        match &value.node {
            Value::Number(number) => number.as_u64(),
            Value::Variable(name) => match self.variables.get(name)? {
                Given::Number(number) => number.as_u64(),
                _ => None,
            },
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::Variables;
    use async_graphql::parser::parse_query;

    use super::cost;

    fn cost_of(query: &str, variables: serde_json::Value) -> u64 {
        let document = parse_query(query).expect("a query");
        let operation = document.operations.iter().next().expect("an operation").1;
        cost(&document, &operation.node, &Variables::from_json(variables))
    }

    #[test]
    fn objects_cost_one_and_properties_a_tenth() {
        assert_eq!(cost_of("{ viewer { id name } }", serde_json::json!({})), 2);
    }

    #[test]
    fn a_connection_counts_its_nodes_as_often_as_its_page_is_long() {
        // 100 nodes of 1.1, and the connection itself.
        assert_eq!(
            cost_of(
                "{ users(first: 100) { nodes { id } } }",
                serde_json::json!({})
            ),
            111
        );
        assert_eq!(
            cost_of("{ users { nodes { id } } }", serde_json::json!({})),
            56
        );
        let query = "query($n: Int) { users(first: $n) { nodes { id } } }";
        assert_eq!(cost_of(query, serde_json::json!({"n": 10})), 12);
    }

    #[test]
    fn a_fragment_counts_wherever_it_is_spread() {
        let query = "{ a: viewer { ...f } b: viewer { ...f } } fragment f on User { id name }";
        assert_eq!(cost_of(query, serde_json::json!({})), 3);
    }
}
