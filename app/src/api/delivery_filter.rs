//! The deliveries that the address bar asks for.

use crate::view::delivery_views::BODY_HEAD;
use crate::view::{Choice, FilterView};
use relink_engine::connection::Connection;
use relink_engine::dispatch::EVENTS;
use relink_engine::store::{OutcomeFilter, StoreError};
use relink_engine::text;
use relink_engine::webhook::{Deliveries, Delivery, DeliveryFilter};

/// Deliveries on a page.
const SIZE: usize = 20;

fn label(outcome: OutcomeFilter) -> &'static str {
    match outcome {
        OutcomeFilter::Accepted => "Accepted",
        OutcomeFilter::Late => "Accepted late",
        OutcomeFilter::Duplicate => "Duplicate: came again",
        OutcomeFilter::Ignored => "Ignored",
    }
}

/// The address bar's query. What it names and nobody knows here narrows nothing.
#[derive(Clone, Debug, Default)]
pub struct DeliveriesQuery {
    /// A connection's id.
    pub workspace: Option<String>,
    pub event: Option<String>,
    pub outcome: Option<String>,
    /// A delivery's number: the page begins with the one before it.
    pub before: Option<String>,
    /// The secret that the page was opened for.
    pub shown: Option<String>,
}

/// The deliveries that are asked for.
pub struct Page {
    pub filter: DeliveryFilter,
    pub before: Option<i64>,
    connection: Option<String>,
}

impl Page {
    /// Reads a query. A value that is not one of ours is left out, and so never echoed.
    pub fn of(query: &DeliveriesQuery, connections: &[Connection]) -> Page {
        let connection = connections
            .iter()
            .find(|connection| query.workspace.as_ref() == Some(&connection.id));
        let event = EVENTS
            .into_iter()
            .find(|event| query.event.as_deref() == Some(event));
        let outcome = query.outcome.as_deref().and_then(OutcomeFilter::from_name);
        Page {
            filter: DeliveryFilter {
                workspace: connection.map(|connection| connection.workspace.id.clone()),
                event: event.map(str::to_owned),
                outcome,
            },
            before: query
                .before
                .as_deref()
                .and_then(|before| before.parse().ok())
                .filter(|before| *before > 0),
            connection: connection.map(|connection| connection.id.clone()),
        }
    }

    /// The address of the page with the same filter that begins before this delivery.
    pub fn address(&self, before: Option<i64>) -> String {
        let before = before.map(|before| before.to_string());
        let parts = [
            ("workspace", self.connection.as_deref()),
            ("event", self.filter.event.as_deref()),
            ("outcome", self.filter.outcome.map(OutcomeFilter::name)),
            ("before", before.as_deref()),
        ];
        let query: Vec<String> = parts
            .into_iter()
            .filter_map(|(name, value)| Some(format!("{name}={}", value?)))
            .collect();
        if query.is_empty() {
            "/deliveries".to_owned()
        } else {
            format!("/deliveries?{}", query.join("&"))
        }
    }

    pub fn view(&self, connections: &[Connection]) -> FilterView {
        let choice = |value: &str, label: &str, chosen: Option<&str>| Choice {
            value: value.to_owned(),
            label: label.to_owned(),
            chosen: chosen == Some(value),
        };
        let outcome = self.filter.outcome.map(OutcomeFilter::name);
        let mut workspaces: Vec<Choice> = connections
            .iter()
            .map(|one| {
                choice(
                    &one.id,
                    &text::name(&one.workspace.name),
                    self.connection.as_deref(),
                )
            })
            .collect();
        workspaces.sort_by_key(|choice| choice.label.to_lowercase());
        // All that Linear sends: to collect those that came would mean to read every delivery.
        FilterView {
            workspaces,
            events: EVENTS
                .iter()
                .map(|event| choice(event, event, self.filter.event.as_deref()))
                .collect(),
            outcomes: OutcomeFilter::ALL
                .into_iter()
                .map(|one| choice(one.name(), label(one), outcome))
                .collect(),
        }
    }
}

/// A page of deliveries, and the addresses of those beside it.
pub struct Found {
    pub rows: Vec<Delivery>,
    pub newer: Option<String>,
    pub older: Option<String>,
}

impl Page {
    /// Reads one delivery more than fits, to know whether there are older ones.
    pub async fn find(&self, deliveries: &Deliveries<'_>) -> Result<Found, StoreError> {
        let size = i64::try_from(SIZE).unwrap_or(i64::MAX);
        let before = self.before.unwrap_or(i64::MAX);
        let mut rows = deliveries
            .before(&self.filter, before, BODY_HEAD, size + 1)
            .await?;
        let more = rows.len() > SIZE;
        rows.truncate(SIZE);
        let newer = match self.before {
            Some(before) => Some(self.address(deliveries.newer(&self.filter, before, size).await?)),
            None => None,
        };
        let older = rows
            .last()
            .filter(|_| more)
            .map(|last| self.address(Some(last.number)));
        Ok(Found { rows, newer, older })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::samples::connection;

    fn page(workspace: &str, event: &str, outcome: &str, before: &str) -> Page {
        let part = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let (workspace, event, outcome, before) =
            (part(workspace), part(event), part(outcome), part(before));
        let query = DeliveriesQuery {
            workspace,
            event,
            outcome,
            before,
            shown: None,
        };
        Page::of(
            &query,
            &[
                connection("acme", "Acme Robotics"),
                connection("globex", "Globex"),
            ],
        )
    }

    #[test]
    fn the_address_bar_narrows_the_page() {
        let narrow = page("globex", "Issue", "late", "41");
        let DeliveryFilter {
            workspace,
            event,
            outcome,
        } = &narrow.filter;
        assert_eq!(
            (workspace.as_deref(), event.as_deref(), *outcome),
            (Some("w-globex"), Some("Issue"), Some(OutcomeFilter::Late))
        );
        assert_eq!(
            narrow.address(Some(21)),
            "/deliveries?workspace=globex&event=Issue&outcome=late&before=21"
        );
        let view = narrow.view(&[
            connection("globex", "Globex"),
            connection("acme", "Acme Robotics"),
        ]);
        let chosen: Vec<_> = view
            .workspaces
            .iter()
            .chain(&view.events)
            .chain(&view.outcomes)
            .filter(|choice| choice.chosen)
            .collect();
        assert_eq!(
            chosen
                .iter()
                .map(|choice| choice.label.as_str())
                .collect::<Vec<_>>(),
            ["Globex", "Issue", "Accepted late"]
        );
        assert_eq!(view.workspaces[0].label, "Acme Robotics");
    }

    #[test]
    fn what_is_not_one_of_ours_narrows_nothing_and_is_not_echoed() {
        for before in ["x", "-1", "0", "99999999999999999999"] {
            let wild = page("w-globex", "<script>", "evil&x=", before);
            assert_eq!(
                (wild.before, wild.address(None)),
                (None, "/deliveries".to_owned())
            );
            assert!(!wild.view(&[]).narrows());
        }
    }
}
