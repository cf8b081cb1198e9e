//! Pages of deliveries. However few of a million fit what somebody chose, they are found through an
//! index: in each of the organisation's workspaces for itself, and the newest of each are merged.
//! Numbers are compared and ordered by their negative, since that is what only those indexes offer.

use sqlx::Row as _;

use super::delivery::{OutcomeFilter, outcomes};
use super::{Db, Delivery, DeliveryFilter, Store, Stored, delivery, on, sound_rows};

/// The way in which a page goes on from a number.
#[derive(Clone, Copy)]
enum Way {
    Older,
    Newer,
}

impl Way {
    /// Makes the condition and the order for a column that is indexed downwards.
    fn down(self, column: &str) -> (String, String) {
        match self {
            Way::Older => (
                format!("-{column} > -$2"),
                format!("ORDER BY -{column} LIMIT $3"),
            ),
            Way::Newer => (
                format!("-{column} <= -$2"),
                format!("ORDER BY -{column} DESC LIMIT $3"),
            ),
        }
    }
}

const KEPT: &str = "-d.seq < -(SELECT pruned_to FROM delivery_log)";

impl Store {
    /// The deliveries of an organisation before this one, the newest first, with at most `head`
    /// bytes of each body.
    pub async fn deliveries_before(
        &self,
        organisation: &str,
        filter: &DeliveryFilter,
        before: i64,
        head: i64,
        limit: i64,
    ) -> Stored<Vec<Delivery>> {
        let sql = self.page_sql(filter);
        let head = i32::try_from(head).unwrap_or(i32::MAX);
        on!(&self.db, |pool| Ok(sound_rows(
            &sqlx::query(sqlx::AssertSqlSafe(sql))
                .bind(organisation)
                .bind(before)
                .bind(limit)
                .bind(&filter.workspace)
                .bind(&filter.event)
                .bind(filter.outcome.map(OutcomeFilter::name))
                .bind(head)
                .fetch_all(pool)
                .await?
        )))
    }

    fn page_sql(&self, filter: &DeliveryFilter) -> String {
        format!(
            "SELECT {}, substr(d.body, 1, $7) AS body FROM ({}) AS r JOIN deliveries d ON d.seq = \
                r.seq ORDER BY r.number DESC",
            delivery::COLUMNS,
            found(&self.db, filter, Way::Older)
        )
    }

    /// Explains, in the database's own words, how it goes about [`Store::deliveries_before`].
    #[doc(hidden)]
    pub async fn deliveries_before_explained(
        &self,
        organisation: &str,
        filter: &DeliveryFilter,
        before: i64,
    ) -> Stored<Vec<String>> {
        let (explain, column) = match self.db {
            Db::Sqlite(_) => ("EXPLAIN QUERY PLAN", 3),
            Db::Postgres(_) => ("EXPLAIN", 0),
        };
        let sql = format!("{explain} {}", self.page_sql(filter));
        on!(&self.db, |pool| {
            let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
                .bind(organisation)
                .bind(before)
                .bind(21_i64)
                .bind(&filter.workspace)
                .bind(&filter.event)
                .bind(filter.outcome.map(OutcomeFilter::name))
                .bind(0_i32)
                .fetch_all(pool)
                .await?;
            Ok(rows
                .iter()
                .map(|row| row.try_get(column))
                .collect::<Result<_, _>>()?)
        })
    }

    /// Finds where the page of `limit` deliveries ends that comes before the one that starts below
    /// `before`, as the `before` of that page. `None`: it is the newest page.
    pub async fn deliveries_newer(
        &self,
        organisation: &str,
        filter: &DeliveryFilter,
        before: i64,
        limit: i64,
    ) -> Stored<Option<i64>> {
        let sql = format!(
            "SELECT r.number FROM ({}) AS r ORDER BY r.number DESC",
            found(&self.db, filter, Way::Newer)
        );
        let numbers: Vec<i64> = on!(&self.db, |pool| sqlx::query_scalar(sqlx::AssertSqlSafe(
            sql
        ))
        .bind(organisation)
        .bind(before)
        .bind(limit + 1)
        .bind(&filter.workspace)
        .bind(&filter.event)
        .bind(filter.outcome.map(OutcomeFilter::name))
        .fetch_all(pool)
        .await?);
        let full = i64::try_from(numbers.len()).is_ok_and(|found| found > limit);
        Ok(numbers.first().copied().filter(|_| full))
    }
}

/// Selects `seq` and `number` of a page. $1 is the organisation, $2 the number to go on from, $3
/// how many, $4 to $6 the filter.
fn found(db: &Db, filter: &DeliveryFilter, way: Way) -> String {
    if filter.workspace.is_none() && filter.event.is_none() && filter.outcome.is_none() {
        let (from, order) = match way {
            Way::Older => ("r.number < $2", "r.number DESC"),
            Way::Newer => ("r.number >= $2", "r.number"),
        };
        return format!(
            "SELECT r.seq, r.number FROM delivery_recipients r JOIN deliveries d ON d.seq = r.seq \
                WHERE r.organisation_id = $1 AND {from} AND {KEPT} ORDER BY {order} LIMIT $3"
        );
    }
    // Nearly all of them: an organisation hears of a delivery under the delivery's own number.
    let fits = Fits::of(filter);
    let (from, order) = way.down("d.seq");
    let conditions = format!(
        "d.workspace_id = c.workspace_id{}{} AND {from} AND {KEPT} AND r.organisation_id = $1 AND \
            r.number = d.seq {order}",
        fits.event, fits.outcome
    );
    let each = match db {
        Db::Postgres(_) => format!(
            "CROSS JOIN LATERAL (SELECT d.seq FROM deliveries d CROSS JOIN delivery_recipients r \
                WHERE {conditions}) AS e \
                WHERE c.organisation_id = $1{}",
            fits.workspace
        ),
        Db::Sqlite(_) => format!(
            "CROSS JOIN deliveries e WHERE c.organisation_id = $1{} AND e.seq IN \
                (SELECT d.seq FROM deliveries d INDEXED BY {} CROSS JOIN delivery_recipients r \
                WHERE {conditions})",
            fits.workspace, fits.index
        ),
    };
    // Those that it heard of later. Each is looked up: how few they are, the database does not
    // know.
    let (from, order) = way.down("r.number");
    let late = format!(
        "SELECT r.seq, r.number FROM delivery_recipients r WHERE r.organisation_id = $1 AND \
            r.number <> r.seq AND {from} AND \
            (SELECT TRUE FROM deliveries d WHERE d.seq = r.seq AND {KEPT}{}{}{}) {order}",
        fits.of_workspace, fits.event, fits.of_outcome
    );
    let outcomes = fits.outcomes;
    let (_, order) = way.down("number");
    format!(
        "SELECT seq, number FROM (SELECT e.seq, e.seq AS number FROM connections c{outcomes} \
            {each} \
            UNION ALL SELECT late.seq, late.number FROM ({late}) AS late) AS found {order}"
    )
}

/// The filter as conditions.
struct Fits {
    workspace: &'static str,
    of_workspace: &'static str,
    event: &'static str,
    outcome: &'static str,
    of_outcome: &'static str,
    /// Joined, where any outcome fits.
    outcomes: String,
    /// The index by which a workspace's deliveries are found. PostgreSQL sees that by itself.
    index: &'static str,
}

impl Fits {
    fn of(filter: &DeliveryFilter) -> Fits {
        let (outcome, of_outcome) = match filter.outcome {
            Some(OutcomeFilter::Duplicate) => (" AND d.repeats > 0", " AND d.repeats > 0"),
            Some(_) => (" AND d.outcome = $6", " AND d.outcome = $6"),
            None => (" AND d.outcome = o.column1", ""),
        };
        let index = match (&filter.event, filter.outcome) {
            (None, Some(OutcomeFilter::Duplicate)) => "deliveries_repeated",
            (Some(_), Some(OutcomeFilter::Duplicate)) => "deliveries_repeated_by_event",
            (Some(_), _) => "deliveries_by_event",
            (None, _) => "deliveries_by_outcome",
        };
        let given = |part: &Option<String>, condition| if part.is_some() { condition } else { "" };
        Fits {
            workspace: given(&filter.workspace, " AND c.workspace_id = $4"),
            of_workspace: given(&filter.workspace, " AND d.workspace_id = $4"),
            event: given(&filter.event, " AND d.event = $5"),
            outcome,
            of_outcome,
            index,
            outcomes: if filter.outcome.is_none() {
                format!(" CROSS JOIN {}", outcomes())
            } else {
                String::new()
            },
        }
    }
}
