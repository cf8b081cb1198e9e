//! A server in a process of its own that Relink is measured against.

use std::error::Error;
use std::process::{Child, Command};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::sleep;

/// The number of looks whether it answers, a hundred a second.
const LOOKS: u32 = 1_000;

pub struct Beside {
    process: Child,
    pub addr: String,
}

impl Drop for Beside {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Beside {
    /// Starts it, and waits until it answers at `addr`.
    pub async fn start(command: &mut Command, addr: String) -> Result<Beside, Box<dyn Error>> {
        let beside = Beside {
            process: command.spawn()?,
            addr,
        };
        for _ in 0..LOOKS {
            if TcpStream::connect(&beside.addr).await.is_ok() {
                return Ok(beside);
            }
            sleep(Duration::from_millis(10)).await;
        }
        Err(format!("{command:?} does not answer; `.ci/setup test` installs what it needs").into())
    }
}
