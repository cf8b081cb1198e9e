//! Being asked to stop, by SIGINT or SIGTERM. A stop has an end whatever hangs, this program's own
//! threads included.

use std::io;
use std::process;
use std::thread;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::logs;

/// The time after which whoever is not done is cut off. Supervisors that are patient for fifteen
/// seconds need not kill, the last words in the log included.
const DEADLINE: Duration = Duration::from_secs(13);
/// The exit code, as when anything else fails.
const CUT_OFF: i32 = 1;

/// The two ways to ask.
pub struct Asked {
    terminate: Signal,
    interrupt: Signal,
}

impl Asked {
    /// Listens for signals, which do not end the process by themselves from here on.
    ///
    /// # Errors
    /// When the system does not let signals be listened to.
    pub fn listen() -> io::Result<Asked> {
        Ok(Asked {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    pub async fn wait(mut self) {
        tokio::select! { _ = self.terminate.recv() => {}, _ = self.interrupt.recv() => {} }
    }
}

/// Says so on `stop` when the process is asked to stop, and ends it at the deadline if it is still
/// there. On a thread and a runtime of their own, which nothing else can hold up.
///
/// # Errors
/// When there can be no further thread or runtime.
pub fn on_signal(stop: watch::Sender<bool>) -> io::Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let asked = {
        let _inside = runtime.enter();
        Asked::listen()?
    };
    thread::Builder::new()
        .name("stop".to_owned())
        .spawn(move || {
            runtime.block_on(asked.wait());
            let _ = stop.send(true);
            thread::sleep(DEADLINE);
            tracing::error!("the stop took too long; what is still under way is cut off");
            logs::finish();
            process::exit(CUT_OFF);
        })?;
    Ok(())
}

/// Waits for [`on_signal`].
pub async fn asked(mut stopped: watch::Receiver<bool>) {
    // The sender is gone only when the program is.
    let _ = stopped.wait_for(|stop| *stop).await;
}
