//! The browser's files. Inside the binary they live under a folder named by their content, so that
//! browsers may keep them for good; `cargo leptos watch` has them on disk.

use std::path::PathBuf;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use axum::response::IntoResponse;
use tower::ServiceExt;
use tower_http::services::ServeDir;

mod site {
    include!(concat!(env!("OUT_DIR"), "/site.rs"));
}

/// A year, the longest that caches honour.
const FOR_GOOD: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const FOR_AN_HOUR: HeaderValue = HeaderValue::from_static("public, max-age=3600");

#[derive(Clone, Debug)]
pub enum Assets {
    Embedded,
    Disk(PathBuf),
}

impl Assets {
    /// The folder in which the page finds its script and style, without slashes around it.
    pub fn package_dir(&self) -> String {
        match self {
            Assets::Embedded => format!("pkg/{}", site::HASH),
            Assets::Disk(_) => "pkg".to_owned(),
        }
    }

    /// The file at `path`, if there is one.
    pub async fn get(&self, path: &str, headers: &HeaderMap) -> Option<Response<Body>> {
        match self {
            Assets::Embedded => embedded(path, headers),
            Assets::Disk(root) => from_disk(root, path).await,
        }
    }
}

fn embedded(path: &str, headers: &HeaderMap) -> Option<Response<Body>> {
    let path = path.strip_prefix('/')?;
    let (name, cache) = match path.strip_prefix("pkg/") {
        Some(rest) => (
            format!("pkg/{}", rest.strip_prefix(site::HASH)?.strip_prefix('/')?),
            FOR_GOOD,
        ),
        None => (path.to_owned(), FOR_AN_HOUR),
    };
    // Leptos asks for this name when it was not compiled by cargo-leptos itself.
    let name = name.replace("_bg.wasm", ".wasm");
    let (name, raw, packed) = site::FILES.iter().find(|(known, ..)| *known == name)?;
    let mut response = if accepts_brotli(headers) && packed.len() < raw.len() {
        (
            [(header::CONTENT_ENCODING, HeaderValue::from_static("br"))],
            *packed,
        )
            .into_response()
    } else {
        (*raw).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(content_type(name)),
    );
    headers.insert(header::CACHE_CONTROL, cache);
    if name.starts_with("social.") {
        // Made to be shown by others.
        headers.insert(
            "cross-origin-resource-policy",
            HeaderValue::from_static("cross-origin"),
        );
    }
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    Some(response)
}

fn accepts_brotli(headers: &HeaderMap) -> bool {
    let accepted = headers
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok());
    accepted.flat_map(|line| line.split(',')).any(|part| {
        let mut pieces = part.split(';').map(str::trim);
        pieces.next() == Some("br")
            && !pieces.any(|weight| matches!(weight, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("txt") => "text/plain; charset=utf-8",
        Some("webmanifest" | "json") => "application/json",
        _ => "application/octet-stream",
    }
}

async fn from_disk(root: &PathBuf, path: &str) -> Option<Response<Body>> {
    let request = Request::builder().uri(path).body(Body::empty()).ok()?;
    let response = ServeDir::new(root)
        .append_index_html_on_directories(false)
        .oneshot(request)
        .await
        .ok()?;
    (response.status() == StatusCode::OK).then(|| response.map(Body::new))
}
