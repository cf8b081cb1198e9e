//! Puts the browser's files into the binary: every file of the site as it is and as brotli, under a
//! name that changes with its content. Without a built site the binary serves pages that work as
//! they do without JavaScript.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use sha2::{Digest, Sha256};

#[expect(
    clippy::disallowed_methods,
    reason = "a build script is told where to write by its environment"
)]
fn main() {
    let site = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/site");
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo sets it"));
    println!("cargo::rerun-if-changed={}", site.display());
    println!("cargo::rerun-if-changed=build.rs");
    let mut files = Vec::new();
    if site.is_dir() {
        collect(&site, &site, &mut files);
    } else {
        println!("cargo::warning=no browser files in target/site yet: `make build` makes them");
    }
    files.sort();
    let mut hash = Sha256::new();
    let mut table = String::new();
    for (number, name) in files.iter().enumerate() {
        let path = site.join(name);
        println!("cargo::rerun-if-changed={}", path.display());
        let bytes = fs::read(&path).expect("a file of the site");
        hash.update(name.as_bytes());
        hash.update(&bytes);
        let packed = out.join(format!("{number}.br"));
        fs::write(&packed, brotli(&bytes)).expect("room for a compressed file");
        let path = path.canonicalize().expect("a file of the site");
        writeln!(
            table,
            "    ({name:?}, include_bytes!({path:?}), include_bytes!({packed:?})),"
        )
        .expect("a string grows");
    }
    let hash: String = hash
        .finalize()
        .iter()
        .take(6)
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    let source = format!(
        "/// Names the content of all files together.\npub const HASH: &str = {hash:?};\n\n/// \
            Name, bytes, brotli.\npub static FILES: &[(&str, &[u8], &[u8])] = &[\n{table}];\n"
    );
    fs::write(out.join("site.rs"), source).expect("room for the table");
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("a folder of the site") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(root, &path, files);
        } else if let Some(name) = path
            .strip_prefix(root)
            .ok()
            .and_then(Path::to_str)
            .filter(|name| !name.ends_with(".d.ts"))
        {
            files.push(name.replace('\\', "/"));
        }
    }
}

/// Compresses as far as it goes: this runs once a build, not once a request.
fn brotli(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    let parameters = brotli::enc::BrotliEncoderParams {
        quality: 11,
        lgwin: 24,
        ..Default::default()
    };
    brotli::BrotliCompress(&mut &bytes[..], &mut packed, &parameters)
        .expect("memory does not fail");
    packed
}
