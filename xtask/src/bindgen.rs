//! Joins WebAssembly and JavaScript.

use std::path::Path;

use anyhow::Result;
use wasm_bindgen_cli_support::Bindgen;

/// Writes `NAME.js` and `NAME_bg.wasm` for a module that rustc made.
///
/// # Errors
/// When the module cannot be read, or the files cannot be written.
pub fn bindgen(module: &Path, folder: &Path, name: &str) -> Result<()> {
    Bindgen::new()
        .web(true)?
        .input_path(module)
        .out_name(name)
        .generate(folder)
}
