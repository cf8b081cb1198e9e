//! The stylesheet has one place for colours, and no rule for what is on no page.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const STYLE: &str = include_str!("../../style/relink.css");

/// Each run of text between braces and semicolons that opens a block: selectors and at-rules.
fn preludes(css: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut text = String::new();
    for c in without_comments_and_strings(css).chars() {
        match c {
            '{' => found.push(std::mem::take(&mut text)),
            '}' | ';' => text.clear(),
            c => text.push(c),
        }
    }
    found
}

fn without_comments_and_strings(css: &str) -> String {
    let rules: String = css
        .split("/*")
        .map(|part| part.split_once("*/").map_or(part, |(_, rule)| rule))
        .collect();
    rules.split('"').step_by(2).collect()
}

fn classes(css: &str) -> BTreeSet<String> {
    let preludes = preludes(css);
    let selectors = preludes
        .iter()
        .filter(|prelude| !prelude.trim_start().starts_with('@'));
    let named = selectors.flat_map(|selector| selector.split('.').skip(1));
    named
        .map(|rest| {
            rest.chars()
                .take_while(|c| c.is_ascii_alphanumeric() || *c == '-')
                .collect()
        })
        .collect()
}

/// Every word of every text in the sources, tests aside.
fn words(folder: &Path, into: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            words(&path, into);
        } else if !path.to_string_lossy().ends_with("_tests.rs") {
            let source = fs::read_to_string(&path).expect("a source");
            let texts = source.split('"').skip(1).step_by(2);
            into.extend(texts.flat_map(|text| {
                text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
                    .map(str::to_owned)
            }));
        }
    }
}

#[test]
fn classes_are_read_from_selectors_only() {
    let css = "@layer a.b { .one { color: red; & .two:not(.three)::before { content: \".four\" } } \
        /* .five */ @media (width < 1.5rem) { .six { margin: .5rem; } } }";
    assert_eq!(
        classes(css).into_iter().collect::<Vec<_>>(),
        ["one", "six", "three", "two"]
    );
}

#[test]
fn every_rule_is_for_something() {
    let mut said = BTreeSet::new();
    words(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut said,
    );
    let unused: Vec<_> = classes(STYLE)
        .into_iter()
        .filter(|class| !said.contains(class))
        .collect();
    assert!(unused.is_empty(), "no page has {unused:?}");
}

#[test]
fn colours_are_tokens() {
    let (tokens, rules) = STYLE.split_once("@layer base {").unwrap();
    assert!(tokens.contains("light-dark(#"));
    let by_hand: Vec<_> = without_comments_and_strings(rules)
        .lines()
        .filter(|line| line.contains("light-dark(#") || line.contains(": #"))
        .map(str::to_owned)
        .collect();
    assert!(by_hand.is_empty(), "{by_hand:#?}");
}
