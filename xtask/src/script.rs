//! The script and the WebAssembly module: compiled, joined and made small. All of it takes a minute
//! and more, so what came of a module is kept until the module changes.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::npm::{run, tool};
use crate::{NAME, bindgen, folder, root};

/// The size of the WebAssembly module that a browser may have to fetch at most, compressed.
const LIMIT: usize = 64 * 1024;

/// Builds the script and the module. Returns the folder that they are in.
///
/// # Errors
/// When the code does not compile, a tool fails, or the module is too big.
pub fn build() -> Result<PathBuf> {
    let module = compile()?;
    let kept = module
        .parent()
        .and_then(Path::parent)
        .and_then(Path::parent)
        .context("the target folder")?
        .join("xtask");
    let (ready, next, stamp) = (
        kept.join("script"),
        kept.join("script.next"),
        kept.join("script.made-from"),
    );
    let made_from = made_from(&module)?;
    if ready.is_dir() && fs::read_to_string(&stamp).is_ok_and(|stamp| stamp == made_from) {
        return Ok(ready);
    }
    folder::empty(&next)?;
    shrink(&module, &next)?;
    folder::replace(&ready, &next)?;
    fs::write(stamp, made_from)?;
    Ok(ready)
}

/// Compiles the browser's half. Returns the module's path.
fn compile() -> Result<PathBuf> {
    let mut cargo = Command::new("cargo");
    cargo.args([
        "build",
        "--locked",
        "--package=relink-frontend",
        "--lib",
        "--target=wasm32-unknown-unknown",
    ]);
    cargo.args([
        "--profile=wasm-release",
        "--message-format=json-render-diagnostics",
    ]);
    let mut cargo = cargo
        .current_dir(root())
        .stdout(Stdio::piped())
        .spawn()
        .context("cargo")?;
    let mut module = None;
    for line in BufReader::new(cargo.stdout.take().context("cargo's output")?).lines() {
        module = wasm_file(&line?).or(module);
    }
    ensure!(
        cargo.wait()?.success(),
        "the browser's half does not compile"
    );
    module.context("cargo made no WebAssembly module")
}

/// The WebAssembly file that a line of cargo's report names.
fn wasm_file(line: &str) -> Option<PathBuf> {
    let report: Value = serde_json::from_str(line).ok()?;
    let mut files = report
        .get("filenames")?
        .as_array()?
        .iter()
        .filter_map(Value::as_str);
    files
        .find(|file| file.ends_with("relink_frontend.wasm"))
        .map(PathBuf::from)
}

/// Names everything that the result depends on.
fn made_from(module: &Path) -> Result<String> {
    let mut hash = DefaultHasher::new();
    fs::read(module)?.hash(&mut hash);
    (
        include_str!("script.rs"),
        include_str!("bindgen.rs"),
        include_str!("../package-lock.json"),
    )
        .hash(&mut hash);
    Ok(format!("{:016x}", hash.finish()))
}

fn shrink(module: &Path, folder: &Path) -> Result<()> {
    let (script, joined) = (
        folder.join(NAME).with_extension("js"),
        folder.join(format!("{NAME}_bg.wasm")),
    );
    let optimised = folder.join(NAME).with_extension("wasm");
    bindgen::bindgen(module, folder, NAME)?;
    run(tool("wasm-opt")
        .args([
            "-Oz",
            "--converge",
            "--enable-bulk-memory",
            "--enable-nontrapping-float-to-int",
        ])
        .args([
            "--strip-debug",
            "--strip-producers",
            "--strip-target-features",
        ])
        .args([&joined, Path::new("-o"), &optimised]))?;
    fs::remove_file(joined)?;
    run(tool("terser")
        .args(["--module", "--compress", "--mangle", "--output"])
        .args([&script, &script]))?;
    let transferred = compressed(&fs::read(&optimised)?)?;
    println!("site: {NAME}.wasm is {transferred} bytes to fetch, of {LIMIT} at most");
    ensure!(transferred <= LIMIT, "{NAME}.wasm has grown too big");
    Ok(())
}

fn compressed(bytes: &[u8]) -> Result<usize> {
    let mut packed = Vec::new();
    let parameters = brotli::enc::BrotliEncoderParams {
        quality: 11,
        lgwin: 24,
        ..Default::default()
    };
    Ok(brotli::BrotliCompress(
        &mut &bytes[..],
        &mut packed,
        &parameters,
    )?)
}
