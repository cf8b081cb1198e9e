//! Page loads of the release binary against a bare handler that returns the same bytes, in one run
//! on one machine.
//!
//! Everything is bounded: connections, seconds, and the two servers, which end with the run.

#[expect(dead_code, reason = "tokens are loaded too")]
#[path = "../load.rs"]
mod load;
mod process;

use std::error::Error;
use std::time::Duration;

use load::{Target, load, resident_kib};
use process::{Linear, Relink, bare, bare_server};

const CONNECTIONS: usize = 16;
const SECONDS: u64 = 5;
const ROUNDS: usize = 2;
const WORKSPACES: [&str; 3] = ["acme-robotics", "globex", "initech"];

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().collect();
    let runtime = tokio::runtime::Runtime::new()?;
    if let [_, mode, addr, file] = args.as_slice()
        && mode == "bare"
    {
        return runtime.block_on(bare_server(addr, file));
    }
    runtime.block_on(run())
}

async fn run() -> Result<(), Box<dyn Error>> {
    let linear = Linear::start().await?;
    let relink = Relink::start(&linear).await?;
    println!(
        "start to /readyz             {:>9} ms",
        relink.ready_after.as_millis()
    );
    let idle = resident_kib(relink.id())?;
    println!(
        "resident memory, idle        {:>9.1} MB",
        idle as f64 / 1024.0
    );

    let cookie = relink.sign_up().await?;
    for workspace in WORKSPACES {
        relink.connect(&linear, &cookie, workspace).await?;
    }
    let page = Target::page(&relink.addr, "/integrations", Some(&cookie));
    let body = page.once().await?;
    assert!(
        WORKSPACES.iter().all(|key| body.contains(key)),
        "the page shows every workspace"
    );
    let bare = bare(&body).await?;
    let plain = Target::page(&bare.addr, "/", None);

    let (mut ours, mut theirs) = (0.0, 0.0);
    for _ in 0..ROUNDS {
        ours += load(&page, CONNECTIONS, Duration::from_secs(SECONDS))
            .await?
            .per_second
            / ROUNDS as f64;
        theirs += load(&plain, CONNECTIONS, Duration::from_secs(SECONDS))
            .await?
            .per_second
            / ROUNDS as f64;
    }
    println!(
        "resident memory, after load  {:>9.1} MB",
        resident_kib(relink.id())? as f64 / 1024.0
    );
    println!(
        "/integrations, {CONNECTIONS} connections {ours:>8.0} pages/s ({} bytes each)",
        body.len()
    );
    println!("the same bytes, bare axum    {theirs:>9.0} pages/s");
    println!("ratio                        {:>9.3}", ours / theirs);

    println!("\n{:<24} {:>9} {:>9}", "file", "bytes", "brotli");
    for path in files(&body) {
        let target = Target::page(&relink.addr, &path, None);
        let (raw, packed) = (target.bytes(false).await?, target.bytes(true).await?);
        println!(
            "{:<24} {raw:>9} {packed:>9}",
            path.rsplit('/').next().unwrap_or(&path)
        );
    }
    Ok(())
}

/// Style, script and WebAssembly that the page asks for.
fn files(page: &str) -> Vec<String> {
    let links = page
        .split("href=\"")
        .skip(1)
        .filter_map(|part| part.split('"').next());
    let mut files: Vec<String> = links
        .filter(|link| link.starts_with("/pkg/"))
        .map(str::to_owned)
        .collect();
    files.sort();
    files.dedup();
    files
}
