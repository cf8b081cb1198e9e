//! A queue of lines, and the thread that writes them.

use std::borrow::Cow;
use std::io::{self, ErrorKind, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use relink_engine::text;
use tracing_subscriber::fmt::MakeWriter;

/// Lines that wait. More than a slow disk is behind with, and little enough to be held.
const QUEUE_BYTES: usize = 8 * 1024 * 1024;

/// Lines that were not written, by why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lost {
    /// The lines lost because too many were waiting.
    pub queue_full: u64,
    /// Writing failed.
    pub write_failed: u64,
}

/// The place where lines are put. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Lines {
    send: Sender<Message>,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    queued_bytes: AtomicUsize,
    queue_full: AtomicU64,
    write_failed: AtomicU64,
}

#[derive(Debug)]
enum Message {
    Line(Vec<u8>),
    /// Answered when everything before it is written or lost.
    Finish(Sender<()>),
}

impl Lines {
    /// Writes to `out`, and calls `tell` with the number of lines that were lost when lines can be
    /// written again.
    ///
    /// # Errors
    /// When there can be no further thread.
    pub fn to(
        out: impl Write + Send + 'static,
        tell: impl Fn(u64) + Send + 'static,
    ) -> io::Result<Lines> {
        let (send, messages) = channel();
        let counts = Arc::new(Counts::default());
        let pen = Pen {
            out,
            torn: false,
            told: 0,
            counts: counts.clone(),
        };
        std::thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || pen.write_all(&messages, tell))?;
        Ok(Lines { send, counts })
    }

    fn put(&self, line: &[u8]) {
        let before = self
            .counts
            .queued_bytes
            .fetch_add(line.len(), Ordering::SeqCst);
        if before + line.len() > QUEUE_BYTES
            || self.send.send(Message::Line(line.to_vec())).is_err()
        {
            self.counts
                .queued_bytes
                .fetch_sub(line.len(), Ordering::SeqCst);
            self.counts.queue_full.fetch_add(1, Ordering::SeqCst);
        }
    }

    pub fn lost(&self) -> Lost {
        self.counts.lost()
    }

    /// Waits until everything that was put is written or lost, but no longer than this.
    pub fn finish(&self, patience: Duration) {
        let (done, finished) = channel();
        if self.send.send(Message::Finish(done)).is_ok() {
            let _ = finished.recv_timeout(patience);
        }
    }
}

impl Counts {
    fn lost(&self) -> Lost {
        Lost {
            queue_full: self.queue_full.load(Ordering::SeqCst),
            write_failed: self.write_failed.load(Ordering::SeqCst),
        }
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line(self)
    }
}

/// Takes one event, which comes in one piece.
pub struct Line<'a>(&'a Lines);

impl Write for Line<'_> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        self.0.put(&one_line(event));
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Whatever names an event tells of, it is one line, and nothing in it moves or colours a terminal.
fn one_line(event: &[u8]) -> Cow<'_, [u8]> {
    let Ok(text) = str::from_utf8(event) else {
        return Cow::Borrowed(event);
    };
    let (line, end) = text
        .strip_suffix('\n')
        .map_or((text, ""), |line| (line, "\n"));
    match text::escaped(line, &[]) {
        Cow::Borrowed(_) => Cow::Borrowed(event),
        Cow::Owned(line) => Cow::Owned((line + end).into_bytes()),
    }
}

struct Pen<W> {
    out: W,
    /// A line was begun and not ended.
    torn: bool,
    /// Lost lines that were told about.
    told: u64,
    counts: Arc<Counts>,
}

impl<W: Write> Pen<W> {
    fn write_all(mut self, messages: &Receiver<Message>, tell: impl Fn(u64)) {
        for message in messages {
            match message {
                Message::Line(line) => self.write_or_count(&line, &tell),
                // Whoever asked may have stopped waiting.
                Message::Finish(done) => drop(done.send(())),
            }
        }
    }

    fn write_or_count(&mut self, line: &[u8], tell: impl Fn(u64)) {
        let written = self.write(line);
        let left = self
            .counts
            .queued_bytes
            .fetch_sub(line.len(), Ordering::SeqCst)
            - line.len();
        if written.is_err() {
            self.counts.write_failed.fetch_add(1, Ordering::SeqCst);
            return;
        }
        let lost = self.counts.lost();
        let untold = lost.queue_full + lost.write_failed - self.told;
        // Not while it is behind: that would be one line more for each.
        if untold > 0 && left == 0 {
            self.told += untold;
            tell(untold);
        }
    }

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        if self.torn {
            self.out.write_all(b"\n")?;
            self.torn = false;
        }
        let mut rest = line;
        while !rest.is_empty() {
            match self.out.write(rest) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(count) => (self.torn, rest) = (count < rest.len(), &rest[count..]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    const LONG: Duration = Duration::from_secs(10);

    /// A file on a disk with this much room.
    #[derive(Clone, Default)]
    struct Disk(Arc<Mutex<(Vec<u8>, usize)>>);

    impl Disk {
        fn has_room_for(&self, bytes: usize) {
            self.0.lock().unwrap().1 = bytes;
        }

        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().0.clone()).unwrap()
        }
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut disk = self.0.lock().unwrap();
            let count = bytes.len().min(disk.1);
            if count == 0 {
                return Err(ErrorKind::StorageFull.into());
            }
            disk.1 -= count;
            disk.0.extend_from_slice(&bytes[..count]);
            Ok(count)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn say(lines: &Lines, text: &str) {
        lines.make_writer().write_all(text.as_bytes()).unwrap();
    }

    #[test]
    fn what_a_full_disk_does_not_take_is_counted_and_told_when_there_is_room_again() {
        let (disk, told) = (Disk::default(), Arc::new(Mutex::new(Vec::new())));
        let heard = told.clone();
        let lines = Lines::to(disk.clone(), move |lost| heard.lock().unwrap().push(lost)).unwrap();
        disk.has_room_for(10);
        for text in ["one\n", "two\n", "three\n", "four\n"] {
            say(&lines, text);
        }
        lines.finish(LONG);
        assert_eq!(
            (disk.text().as_str(), lines.lost()),
            (
                "one\ntwo\nth",
                Lost {
                    queue_full: 0,
                    write_failed: 2
                }
            )
        );
        disk.has_room_for(100);
        say(&lines, "five\n");
        lines.finish(LONG);
        say(&lines, "six\n");
        lines.finish(LONG);
        assert_eq!(
            disk.text(),
            "one\ntwo\nth\nfive\nsix\n",
            "a torn line ends, so that the next one can be read"
        );
        assert_eq!(*told.lock().unwrap(), [2], "once");
    }

    #[test]
    fn an_event_is_one_line_whatever_names_it_tells_of() {
        assert_eq!(one_line(b"one\n").as_ref(), b"one\n");
        let forged =
            one_line("who=Eve\nERROR all is lost\r\u{9b}2J\u{202e}\n".as_bytes()).into_owned();
        assert_eq!(
            String::from_utf8(forged).unwrap(),
            "who=Eve\\u000aERROR all is lost\\u000d\\u009b2J\\u202e\n"
        );
        let coloured = one_line(b"who=\x1b[2K\x1b]52;c;x\x1b\\\n").into_owned();
        assert_eq!(
            String::from_utf8(coloured).unwrap(),
            "who=\\u001b[2K\\u001b]52;c;x\\u001b\\\n"
        );
    }

    #[test]
    fn whoever_logs_does_not_wait_for_a_reader_that_stopped() {
        /// A pipe that nobody reads from until it is closed.
        struct Stuck(std::sync::mpsc::Receiver<()>);
        impl Write for Stuck {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                let _ = self.0.recv();
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let (reads, reader) = channel();
        let lines = Lines::to(Stuck(reader), |_| {}).unwrap();
        let line = "x".repeat(1024 * 1024);
        for _ in 0..20 {
            say(&lines, &line);
        }
        assert_eq!(
            lines.lost(),
            Lost {
                queue_full: 12,
                write_failed: 0
            }
        );
        lines.finish(Duration::from_millis(1));
        drop(reads);
        lines.finish(LONG);
        say(&lines, "room again");
        lines.finish(LONG);
        assert_eq!(lines.lost().queue_full, 12);
    }
}
