//! The comparators filters are made of.

use async_graphql::{ID, InputObject};

#[derive(InputObject, Clone, Debug, Default)]
pub struct BooleanComparator {
    eq: Option<bool>,
    neq: Option<bool>,
}

impl BooleanComparator {
    pub fn fits(&self, value: bool) -> bool {
        self.eq.is_none_or(|wanted| wanted == value) && self.neq.is_none_or(|other| other != value)
    }
}

#[derive(InputObject, Clone, Debug, Default)]
#[graphql(name = "IDComparator")]
pub struct IdComparator {
    eq: Option<ID>,
    r#in: Option<Vec<ID>>,
    neq: Option<ID>,
    nin: Option<Vec<ID>>,
}

impl IdComparator {
    pub fn fits(&self, value: &str) -> bool {
        let is = |id: &ID| id.as_str() == value;
        self.eq.as_ref().is_none_or(is)
            && self.neq.as_ref().is_none_or(|id| !is(id))
            && self.r#in.as_ref().is_none_or(|ids| ids.iter().any(is))
            && self.nin.as_ref().is_none_or(|ids| !ids.iter().any(is))
    }
}

#[derive(InputObject, Clone, Debug, Default)]
pub struct NumberComparator {
    eq: Option<f64>,
    gt: Option<f64>,
    gte: Option<f64>,
    r#in: Option<Vec<f64>>,
    lt: Option<f64>,
    lte: Option<f64>,
    neq: Option<f64>,
    nin: Option<Vec<f64>>,
}

impl NumberComparator {
    pub fn fits(&self, value: f64) -> bool {
        let is = |other: &f64| (other - value).abs() < f64::EPSILON;
        self.eq.as_ref().is_none_or(is)
            && self.neq.as_ref().is_none_or(|other| !is(other))
            && self.gt.is_none_or(|low| value > low)
            && self.gte.is_none_or(|low| value >= low)
            && self.lt.is_none_or(|high| value < high)
            && self.lte.is_none_or(|high| value <= high)
            && self.r#in.as_ref().is_none_or(|all| all.iter().any(is))
            && self.nin.as_ref().is_none_or(|all| !all.iter().any(is))
    }
}

#[derive(InputObject, Clone, Debug, Default)]
pub struct StringComparator {
    contains: Option<String>,
    contains_ignore_case: Option<String>,
    ends_with: Option<String>,
    eq: Option<String>,
    eq_ignore_case: Option<String>,
    r#in: Option<Vec<String>>,
    neq: Option<String>,
    neq_ignore_case: Option<String>,
    nin: Option<Vec<String>>,
    not_contains: Option<String>,
    not_contains_ignore_case: Option<String>,
    not_ends_with: Option<String>,
    not_starts_with: Option<String>,
    starts_with: Option<String>,
    starts_with_ignore_case: Option<String>,
}

impl StringComparator {
    pub fn fits(&self, value: &str) -> bool {
        let low = value.to_lowercase();
        let all = |wanted: &Option<String>, fits: &dyn Fn(&str) -> bool| {
            wanted.as_deref().is_none_or(fits)
        };
        let list = |wanted: &Option<Vec<String>>, among: bool| {
            wanted
                .as_ref()
                .is_none_or(|all| all.iter().any(|one| one == value) == among)
        };
        all(&self.eq, &|one| one == value)
            && all(&self.neq, &|one| one != value)
            && all(&self.eq_ignore_case, &|one| one.to_lowercase() == low)
            && all(&self.neq_ignore_case, &|one| one.to_lowercase() != low)
            && all(&self.contains, &|one| value.contains(one))
            && all(&self.not_contains, &|one| !value.contains(one))
            && all(&self.contains_ignore_case, &|one| {
                low.contains(&one.to_lowercase())
            })
            && all(&self.not_contains_ignore_case, &|one| {
                !low.contains(&one.to_lowercase())
            })
            && all(&self.starts_with, &|one| value.starts_with(one))
            && all(&self.starts_with_ignore_case, &|one| {
                low.starts_with(&one.to_lowercase())
            })
            && all(&self.not_starts_with, &|one| !value.starts_with(one))
            && all(&self.ends_with, &|one| value.ends_with(one))
            && all(&self.not_ends_with, &|one| !value.ends_with(one))
            && list(&self.r#in, true)
            && list(&self.nin, false)
    }
}
