//! The page at any address that leads nowhere.

use leptos::prelude::*;

use super::load::instead;
use crate::api::take_code_in_path;
use crate::view::Failure;

#[component]
pub fn NotFoundPage() -> impl IntoView {
    Suspend::new(async move {
        match take_code_in_path().await {
            Ok(true) => ().into_any(),
            Ok(false) => instead(&Failure::NotFound).await,
            Err(failure) => instead(&failure).await,
        }
    })
}
