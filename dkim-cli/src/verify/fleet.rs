//! Has many messages judged at once, on all cores, and what is said of them in their order.
//!
//! One thread reads: it starts a task for each message and queues it. The caller's thread takes the
//! tasks in turn and writes. Meanwhile tasks that wait for the DNS leave their core to others.

use std::any::Any;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{mem, panic, thread};

use dkim_stack::message::split;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::{JoinHandle, block_in_place};

use super::judge::{Judge, Judged, Waiting};
use super::writer::Writer;
use crate::diagnostics::Failure;
use crate::input::{Origin, Source, for_each_message};
use crate::runtime;

/// How long a message is, in octets, that one thread reads and another hashes. A longer one is
/// hashed as it is read: by a task if it is a file of its own, else by who reads the mailbox.
const SMALL: usize = 64 * 1024;

/// How long most messages are at most, in octets.
const USUAL: usize = 16 * 1024;

/// How much may be held of the messages that are not written about yet, in octets. What is said of
/// a message of nothing but signatures may take twice what was reckoned for it.
const MAX_HELD: usize = 64 * 1024 * 1024;

/// What is held for each octet of a header until the message is judged. Mostly that is two or three
/// octets; but each of ten signatures has a header hash input, and every line may be a signature.
const PER_OCTET: usize = 16;

/// What is held of any message besides: a task, and a place in the queue.
const BESIDES: usize = 2 * 1024;

/// Judges all messages of these files, so many at once.
pub(super) fn judge_all(
    files: Vec<PathBuf>,
    judge: Judge,
    jobs: u16,
    writer: &mut Writer,
) -> Result<(), Failure> {
    let jobs = usize::from(jobs);
    let runtime = runtime::of_threads(jobs)?;
    let (turns, queue) = mpsc::unbounded_channel();
    let reader = Reader {
        judge: Arc::new(judge),
        runtime: runtime.handle().clone(),
        jobs: Arc::new(Semaphore::new(jobs)),
        room: Arc::new(Semaphore::new(MAX_HELD)),
        turns,
    };
    let read = move || files.iter().try_for_each(|file| reader.file(file));
    let reading = thread::Builder::new().name("reader".to_owned());
    let reading = reading.spawn(read).map_err(runtime::no_thread)?;
    if let Err(stop) = runtime.block_on(write_all(queue, writer)) {
        // The reader and the tasks are at work still, and the end of the process is theirs: what
        // they wait for may never come.
        mem::forget(runtime);
        match stop {
            Stop::Failure(failure) => return Err(failure),
            Stop::Panic(panic) => panic::resume_unwind(panic),
        }
    }
    runtime.shutdown_background();
    reading.join().unwrap_or_else(|panic| panic::resume_unwind(panic))
}

/// What ends it all before the last message.
enum Stop {
    Failure(Failure),
    /// A task's.
    Panic(Box<dyn Any + Send>),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

/// Writes about the messages in their order, each as soon as it is its turn and it is judged.
async fn write_all(
    mut queue: mpsc::UnboundedReceiver<Turn>,
    writer: &mut Writer,
) -> Result<(), Stop> {
    loop {
        let turn = match queue.try_recv() {
            Ok(turn) => turn,
            Err(_) => {
                writer.flush()?;
                let Some(turn) = queue.recv().await else { return Ok(()) };
                turn
            }
        };
        if !turn.is_finished() {
            writer.flush()?;
        }
        match turn.await {
            Ok((judged, _room)) => writer.take(&judged)?,
            Err(error) => return Err(Stop::Panic(error.into_panic())),
        }
    }
}

/// A message in the queue: what is to be said of it, and the room that it takes.
type Turn = JoinHandle<(Judged, OwnedSemaphorePermit)>;

/// Reads the messages and gives them out.
struct Reader {
    judge: Arc<Judge>,
    runtime: Handle,
    /// How many messages may be judged at once.
    jobs: Arc<Semaphore>,
    /// How much may be held.
    room: Arc<Semaphore>,
    turns: mpsc::UnboundedSender<Turn>,
}

impl Reader {
    fn file(&self, path: &Path) -> Result<(), Failure> {
        for_each_message(path, &mut |origin, source| self.message(origin, source))
    }

    fn message(&self, origin: &Origin, source: Result<Source<'_>, Failure>) -> Result<(), Failure> {
        let mut source = match source {
            Ok(source) => source,
            Err(failure) => return self.hand_on(origin, 0, Err::<io::Empty, _>(failure)),
        };
        let mut start = Vec::with_capacity(USUAL);
        let most = u64::try_from(SMALL).unwrap_or(u64::MAX);
        let read = source.by_ref().take(most).read_to_end(&mut start);
        start.shrink_to_fit();
        // Of what is read later on, only the header is held.
        let held = header_length(&start).unwrap_or(self.judge.policy.limits.header_octets);
        let (length, start) = (start.len(), Cursor::new(start));
        match (read, source) {
            (Ok(read), _) if read < SMALL => self.hand_on(origin, length, Ok(start)),
            (Ok(_), Source::File(rest)) => self.hand_on_long(origin, held, start.chain(rest)),
            (Ok(_), Source::Part(rest)) => self.read_here(origin, held, start.chain(rest)),
            (Err(error), _) => self.hand_on(origin, length, Ok(start.chain(Broken(Some(error))))),
        }
    }

    /// Has a message judged by a task, which has all of its octets.
    fn hand_on(
        &self,
        origin: &Origin,
        length: usize,
        octets: Result<impl Read + Send + 'static, Failure>,
    ) -> Result<(), Failure> {
        let origin = origin.clone();
        self.queue(self.admit(length), |judge| judge.read(origin, octets))
    }

    /// Has a message read and judged by a task.
    fn hand_on_long(
        &self,
        origin: &Origin,
        held: usize,
        octets: impl Read + Send + 'static,
    ) -> Result<(), Failure> {
        let origin = origin.clone();
        // That may take long, and answers that arrive meanwhile want somebody to take them.
        let read = |judge: &Judge| block_in_place(|| judge.read(origin, Ok(octets)));
        self.queue(self.admit(held), read)
    }

    /// Reads a message of which the rest can be read here only, and has it judged by a task.
    fn read_here(&self, origin: &Origin, held: usize, octets: impl Read) -> Result<(), Failure> {
        let admitted = self.admit(held);
        let waiting = self.judge.read(origin.clone(), Ok(octets));
        self.queue(admitted, |_| waiting)
    }

    /// Waits until one more message may be judged, and so many octets of it held.
    fn admit(&self, length: usize) -> (OwnedSemaphorePermit, OwnedSemaphorePermit) {
        const OPEN: &str = "nobody closes it";
        let octets = reckoned(length);
        let (jobs, room) = (Arc::clone(&self.jobs), Arc::clone(&self.room));
        self.runtime.block_on(async {
            let room = room.acquire_many_owned(octets).await.expect(OPEN);
            (jobs.acquire_owned().await.expect(OPEN), room)
        })
    }

    fn queue(
        &self,
        (job, room): (OwnedSemaphorePermit, OwnedSemaphorePermit),
        read: impl FnOnce(&Judge) -> Waiting + Send + 'static,
    ) -> Result<(), Failure> {
        let judge = Arc::clone(&self.judge);
        let turn = self.runtime.spawn(async move {
            let waiting = read(&judge);
            let room = less(room, waiting.header_octets().saturating_mul(PER_OCTET));
            let judged = judge.judge(waiting).await;
            drop(job);
            let room = less(room, judged.output.len());
            (judged, room)
        });
        // Who was to write has failed, and has told why.
        self.turns.send(turn).map_err(|_| Failure::output(&io::ErrorKind::BrokenPipe.into()))
    }
}

/// What is reckoned for so many octets that are held of a message: no more than there is at all,
/// for which it would wait for ever.
fn reckoned(length: usize) -> u32 {
    let octets = length.saturating_mul(PER_OCTET).saturating_add(BESIDES).min(MAX_HELD);
    u32::try_from(octets).unwrap_or(u32::MAX)
}

/// How long the header is, if it ends among these octets.
fn header_length(octets: &[u8]) -> Option<usize> {
    let (header, body) = split(octets);
    (!body.is_empty()).then_some(header.octets().len())
}

/// Gives back the room that a message does not need any more.
fn less(mut room: OwnedSemaphorePermit, needed: usize) -> OwnedSemaphorePermit {
    let needed = needed.saturating_add(BESIDES).min(room.num_permits());
    room.split(needed).unwrap_or(room)
}

/// The end of octets that could not be read any further.
struct Broken(Option<io::Error>);

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn room_that_is_not_needed_is_given_back() {
        let room = Arc::new(Semaphore::new(10_000));
        let take = || Arc::clone(&room).try_acquire_many_owned(8_000).unwrap();
        let short = less(take(), 1_000);
        assert_eq!(room.available_permits(), 10_000 - 1_000 - BESIDES);
        drop(short);
        // More than was taken cannot be kept, and waiting for more could last forever.
        let long = less(take(), 9_000);
        assert_eq!(room.available_permits(), 2_000);
        drop(long);
        assert_eq!(room.available_permits(), 10_000);
    }

    /// Beside the longest that leaves room there is another message, and beside a longer one none.
    #[test]
    fn as_much_is_held_as_there_is_room_for() {
        let longest = (MAX_HELD - 2 * BESIDES) / PER_OCTET;
        for (length, others) in [(longest, 1), (longest + 1, 0), (MAX_HELD, 0)] {
            let room = Semaphore::new(MAX_HELD);
            let _held = room.try_acquire_many(reckoned(length)).unwrap();
            let other = room.try_acquire_many(reckoned(0));
            assert_eq!(other.iter().count(), others, "{length}");
        }
    }

    #[test]
    fn a_header_is_measured_where_it_ends() {
        assert_eq!(header_length(b"From: a\r\n\r\nHi.\r\n"), Some(9));
        assert_eq!(header_length(b"From: a\r\nTo: b\r\n"), None);
    }

    #[test]
    fn an_error_stands_after_the_octets_before_it() {
        let error = io::Error::other("broken");
        let mut octets = Cursor::new(b"From".to_vec()).chain(Broken(Some(error)));
        let mut read = Vec::new();
        assert_eq!(octets.read_to_end(&mut read).unwrap_err().to_string(), "broken");
        assert_eq!(read, b"From");
    }
}
