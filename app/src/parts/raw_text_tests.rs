use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::rendered;

const HOSTILE: &str = "</textarea></title><b>&amp;\"'";

#[test]
fn no_text_closes_its_element() {
    let escaped = "&lt;/textarea>&lt;/title>&lt;b>&amp;amp;\"'";
    let field = rendered::html(|| textarea(HOSTILE).class("input"));
    assert_eq!(
        field,
        format!("<textarea class=\"input\">{escaped}</textarea>")
    );
    assert_eq!(
        rendered::html(|| textarea("\na")),
        "<textarea>\n\na</textarea>"
    );
    for title in [
        rendered::html(|| title(HOSTILE.to_owned())),
        rendered::html(|| picture_title(HOSTILE.to_owned())),
    ] {
        let text = title
            .strip_prefix("<title>")
            .unwrap()
            .strip_suffix("</title>")
            .unwrap();
        assert!(
            !text.contains('<') && text.starts_with("&lt;/textarea"),
            "{title}"
        );
    }
}

fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|end| end == "rs")
            && !path.to_string_lossy().ends_with("tests.rs")
        {
            into.push(path);
        }
    }
}

/// Lines that make such an element, tests and comments aside.
fn makers(source: &str) -> Vec<&str> {
    const MAKE: [&str; 14] = [
        "<title",
        "<Title",
        "<textarea",
        "<style",
        "<Style",
        "<script",
        "<Script",
        "<noscript",
        "html::title",
        "html::textarea",
        "html::style",
        "html::script",
        "inner_html",
        "set_outer_html",
    ];
    let code = source
        .split("\n#[cfg(test)]")
        .next()
        .unwrap_or(source)
        .split("\n#[cfg(all(test")
        .next()
        .unwrap_or_default();
    let lines = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines
        .filter(|line| MAKE.iter().any(|maker| line.contains(maker)))
        .collect()
}

#[test]
fn such_elements_are_made_here_and_nowhere_else() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut files = Vec::new();
    for room in ["app/src", "server/src", "engine/src", "frontend/src"] {
        sources(&root.join(room), &mut files);
    }
    assert!(files.len() > 200, "the sources are looked through");
    for file in files {
        let name = file
            .strip_prefix(root)
            .unwrap()
            .to_string_lossy()
            .into_owned();
        // The second one reads pages and makes none.
        if ["app/src/parts/raw_text.rs", "server/src/html_fixup.rs"].contains(&&*name) {
            continue;
        }
        let found = fs::read_to_string(&file).unwrap();
        assert_eq!(
            makers(&found),
            Vec::<&str>::new(),
            "{name}: parts/raw_text.rs makes such elements"
        );
    }
    for line in [
        "view! { <Title text=name /> }",
        "    <textarea>{name}</textarea>",
        "html::script().child(name)",
        "div().inner_html(name)",
    ] {
        assert_eq!(makers(line), [line], "the search finds it");
    }
}
