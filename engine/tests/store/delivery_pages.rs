//! Pages of deliveries, narrowed by what people choose.

use std::str::FromStr as _;

use relink_engine::identity::Role;
use relink_engine::store::{
    Delivery, DeliveryFilter, DeliveryOutcome, NewDelivery, OutcomeFilter, Store,
};
use sqlx::ConnectOptions as _;
use sqlx::postgres::PgConnectOptions;

use crate::on_both;
use crate::support::{Fresh, ORG, adoption, delivery, member, put, recipient};

on_both!(
    a_page_holds_what_fits_and_nothing_else,
    each_filter_has_its_index
);

const WORKSPACES: [&str; 3] = ["w", "v", "u"];
const EVENTS: [&str; 3] = ["Issue", "Comment", "Project"];
const BATCH: usize = 64;

/// One of many, so that every combination comes, some rarely.
fn new(number: usize) -> NewDelivery {
    let event = EVENTS[number % 7 % 3].to_owned();
    let outcome = DeliveryOutcome::ALL[if number.is_multiple_of(11) {
        1 + number % 2
    } else {
        0
    }];
    NewDelivery {
        event,
        outcome,
        ..delivery(WORKSPACES[number % 5 % 3], &number.to_be_bytes(), 1)
    }
}

async fn connect(fresh: &Fresh) {
    for (slug, email) in [("north", "a@example.com"), ("south", "b@example.com")] {
        let person = member(&fresh.store, slug, email, Role::Owner).await;
        for workspace in WORKSPACES {
            let shared = relink_engine::store::Adoption {
                exclusive: false,
                ..adoption(&person, &format!("{slug}-{workspace}"), workspace)
            };
            fresh.store.connection_adopt(&shared).await.unwrap();
        }
    }
}

/// Every combination of what can be chosen.
fn filters() -> Vec<DeliveryFilter> {
    let each = |names: &[&str]| {
        std::iter::once(None)
            .chain(names.iter().map(|name| Some((*name).to_owned())))
            .collect::<Vec<_>>()
    };
    let mut filters = Vec::new();
    for workspace in each(&WORKSPACES[..1]) {
        for event in each(&EVENTS[1..]) {
            for outcome in std::iter::once(None).chain(OutcomeFilter::ALL.map(Some)) {
                filters.push(DeliveryFilter {
                    workspace: workspace.clone(),
                    event: event.clone(),
                    outcome,
                });
            }
        }
    }
    filters
}

fn fits(filter: &DeliveryFilter, row: &Delivery) -> bool {
    let same =
        |chosen: &Option<String>, is: &str| chosen.as_deref().is_none_or(|chosen| chosen == is);
    let outcome = match filter.outcome {
        Some(OutcomeFilter::Duplicate) => row.repeats > 0,
        Some(outcome) => outcome.name() == row.outcome.name(),
        None => true,
    };
    same(&filter.workspace, &row.workspace_id) && same(&filter.event, &row.event) && outcome
}

async fn page(
    store: &Store,
    organisation: &str,
    filter: &DeliveryFilter,
    before: i64,
    limit: i64,
) -> Vec<i64> {
    store
        .deliveries_before(organisation, filter, before, 5, limit)
        .await
        .unwrap()
        .iter()
        .map(|row| row.number)
        .collect()
}

async fn a_page_holds_what_fits_and_nothing_else(fresh: Fresh) {
    connect(&fresh).await;
    let store = &fresh.store;
    let south = |number| NewDelivery {
        recipients: vec![recipient("org-south")],
        ..new(number)
    };
    for number in 0..90 {
        // The other organisation has some of them alone, and hears of some later than the first.
        put(
            store,
            &[if number % 4 == 0 {
                south(number)
            } else {
                new(number)
            }],
        )
        .await;
        if number % 6 == 5 {
            put(store, &[south(number - 2)]).await;
        }
        if number % 9 == 8 {
            put(store, &[new(number)]).await;
        }
    }
    for organisation in [ORG, "org-south"] {
        let all = store
            .deliveries_before(organisation, &DeliveryFilter::default(), i64::MAX, 5, 1_000)
            .await
            .unwrap();
        assert!(
            all.len() > 30 && all.iter().any(|row| row.number != row.seq),
            "some come late"
        );
        for filter in filters() {
            let fit: Vec<i64> = all
                .iter()
                .filter(|row| fits(&filter, row))
                .map(|row| row.number)
                .collect();
            for before in [i64::MAX, all[10].number, all[20].number] {
                let older: Vec<i64> = fit
                    .iter()
                    .copied()
                    .filter(|number| *number < before)
                    .take(7)
                    .collect();
                assert_eq!(
                    page(store, organisation, &filter, before, 7).await,
                    older,
                    "{organisation} {filter:?} {before}"
                );
                let newer = fit
                    .iter()
                    .rev()
                    .copied()
                    .filter(|number| *number >= before)
                    .nth(7);
                assert_eq!(
                    store
                        .deliveries_newer(organisation, &filter, before, 7)
                        .await
                        .unwrap(),
                    newer,
                    "{organisation} {filter:?} {before}"
                );
            }
        }
    }
}

async fn each_filter_has_its_index(fresh: Fresh) {
    connect(&fresh).await;
    let store = &fresh.store;
    for first in (0..15_000).step_by(BATCH) {
        let batch: Vec<NewDelivery> = (first..first + BATCH).map(new).collect();
        store.deliveries_put(&batch).await.unwrap();
    }
    if fresh.url.starts_with("postgres") {
        // As poolers want it.
        let options = PgConnectOptions::from_str(&fresh.url)
            .unwrap()
            .extra_float_digits(None);
        sqlx::raw_sql("ANALYZE")
            .execute(&mut options.connect().await.unwrap())
            .await
            .unwrap();
    }
    for filter in filters() {
        let plan = store
            .deliveries_before_explained(ORG, &filter, 5_000)
            .await
            .unwrap()
            .join("\n");
        // Behind each alias is a table of many rows; the page itself, the few connections and
        // outcomes may be read whole.
        let plan = plan
            .replace("Seq Scan on delivery_log", "")
            .replacen("SCAN r\n", "", 1);
        for whole in ["Seq Scan on deliver", "SCAN d\n", "SCAN e\n", "SCAN r\n"] {
            assert!(!plan.contains(whole), "{filter:?}: {plan}");
        }
        if filter.workspace.is_some() || filter.event.is_some() || filter.outcome.is_some() {
            assert!(
                plan.contains("delivery_recipients_late_down "),
                "{filter:?}: {plan}"
            );
        }
        let index = match (&filter.event, filter.outcome) {
            (None, Some(OutcomeFilter::Duplicate)) => "deliveries_repeated ",
            (Some(_), Some(OutcomeFilter::Duplicate)) => "deliveries_repeated_by_event ",
            (Some(_), _) => "deliveries_by_event ",
            (None, Some(_)) => "deliveries_by_outcome ",
            (None, None) if filter.workspace.is_some() => "deliveries_by_outcome ",
            (None, None) => continue,
        };
        assert!(plan.contains(index), "{filter:?}: {plan}");
    }
}
