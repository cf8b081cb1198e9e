//! A way to the database that can be cut, or goes dead without a word.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

const PLUGGED: u8 = 0;
const CUT: u8 = 1;
const DEAD: u8 = 2;

/// Passes everything on to another address.
#[derive(Clone)]
pub struct Cable {
    pub port: u16,
    state: Arc<AtomicU8>,
}

impl Cable {
    pub async fn to(target: String) -> Cable {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let cable = Cable {
            port: listener.local_addr().unwrap().port(),
            state: Arc::default(),
        };
        let passing = cable.clone();
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(passing.clone().pass(near, target.clone()));
            }
        });
        cable
    }

    /// All connections end, and new ones do.
    pub fn cut(&self) {
        self.state.store(CUT, Ordering::SeqCst);
    }

    /// Lets nothing through any more, without telling anybody.
    pub fn go_dead(&self) {
        self.state.store(DEAD, Ordering::SeqCst);
    }

    pub fn plug_in(&self) {
        self.state.store(PLUGGED, Ordering::SeqCst);
    }

    fn is(&self, state: u8) -> bool {
        self.state.load(Ordering::SeqCst) == state
    }

    async fn pass(self, near: TcpStream, target: String) {
        let Ok(far) = TcpStream::connect(target).await else {
            return;
        };
        let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
        let cut = async {
            while !self.is(CUT) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::select! {
            () = cut => {}
            () = self.copy(near_in, far_out) => {}
            () = self.copy(far_in, near_out) => {}
        }
    }

    async fn copy(&self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
        let mut bytes = vec![0; 16 * 1024];
        while let Ok(count @ 1..) = from.read(&mut bytes).await {
            while self.is(DEAD) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            if to.write_all(&bytes[..count]).await.is_err() {
                return;
            }
        }
    }
}
