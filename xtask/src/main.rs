//! Tasks of this workspace that are more than a line in the Makefile.

use std::path::Path;

use anyhow::{Result, bail};

mod bindgen;
mod folder;
mod npm;
mod script;
mod site;

/// The name of the script, the WebAssembly module and the style, which the server asks for.
const NAME: &str = "relink";

/// The workspace's root.
fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn main() -> Result<()> {
    let task: Vec<String> = std::env::args().skip(1).collect();
    match task.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["site"] => site::build(),
        ["bindgen", "--target=web", name, folder, module] => {
            let (Some(name), Some(folder)) = (
                name.strip_prefix("--out-name="),
                folder.strip_prefix("--out-dir="),
            ) else {
                bail!("the options of `wasm-bindgen` are other ones than cargo-leptos gives");
            };
            bindgen::bindgen(Path::new(module), Path::new(folder), name)
        }
        _ => bail!("usage: cargo run -p xtask -- site"),
    }
}
