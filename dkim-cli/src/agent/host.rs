//! Connections: who is heard, how many at once, and how long.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use dkim_keys::agent::Keyring;
use dkim_keys::agent::wire::{Answer, Frames, KeyName, MAX_REQUEST, Refusal, Request, WireError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Mutex, Semaphore, watch};
use tokio::task::{JoinSet, block_in_place};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::diagnostics::{Failure, note};

/// Where the keys come from.
pub(super) trait Source: Send {
    /// Whether there may be a key of this name soon, with nothing said to the agent.
    fn may_come(&self, name: &KeyName) -> bool;

    /// The keys, if others sign by now than when they were last looked at.
    fn follow(&mut self) -> Result<Option<Keyring>, Failure>;

    /// The keys, with everything read again.
    fn reload(&mut self) -> Result<Keyring, Failure>;
}

/// Who looks where keys come from.
struct Watch {
    source: Box<dyn Source>,
    /// When somebody last looked whether others sign by now.
    looked: Option<Instant>,
    /// What was said of a look that failed; it is not said each time.
    failure: String,
}

/// Who may ask, by the number of the user.
pub(super) type MayAsk = Box<dyn Fn(u32) -> bool + Send + Sync>;

/// What one side may ask of the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Connections at once; more wait.
    pub(super) connections: usize,
    /// How long a request may take to come, and an answer to be taken.
    pub(super) patience: Duration,
}

/// An agent at work.
pub(super) struct Host {
    name: String,
    keys: RwLock<Arc<Keyring>>,
    watch: Mutex<Watch>,
    may_ask: MayAsk,
    limits: Limits,
}

impl Host {
    pub(super) fn new(
        name: String,
        keys: Keyring,
        source: Box<dyn Source>,
        may_ask: MayAsk,
        limits: Limits,
    ) -> Self {
        let watch = Mutex::new(Watch { source, looked: None, failure: String::new() });
        Self { name, keys: RwLock::new(Arc::new(keys)), watch, may_ask, limits }
    }

    /// Takes the keys as they are now, and says how many; if they cannot be read, those from before
    /// stay.
    pub(super) async fn reload(&self) -> Result<usize, Failure> {
        let mut watch = self.watch.lock().await;
        let keys = block_in_place(|| watch.source.reload())?;
        let count = keys.len();
        self.replace(keys);
        Ok(count)
    }

    /// Looks whether there is a key by now that somebody asks for: another one may sign since a
    /// moment ago, and whoever asks knows of it before anybody has told us.
    ///
    /// That is done once a second at most. Who asks meanwhile waits, and is told how it is, and not
    /// how it was.
    async fn look_for(&self, name: &KeyName) {
        const PAUSE: Duration = Duration::from_secs(1);

        let asked = Instant::now();
        let mut watch = self.watch.lock().await;
        if !watch.source.may_come(name) {
            return;
        }
        match watch.looked {
            Some(looked) if looked > asked => return,
            Some(looked) => sleep_until(looked + PAUSE).await,
            None => {}
        }
        watch.looked = Some(Instant::now());
        match block_in_place(|| watch.source.follow()) {
            Ok(keys) => {
                watch.failure.clear();
                if let Some(keys) = keys {
                    note(&self.name, format_args!("other keys sign, {} at hand", keys.len()));
                    self.replace(keys);
                }
            }
            Err(failure) => {
                let says = failure.to_string();
                if watch.failure != says {
                    failure.tell();
                    note(&self.name, "not looked for: the keys from before stay");
                    watch.failure = says;
                }
            }
        }
    }

    /// Answers with these keys from now on.
    fn replace(&self, keys: Keyring) {
        // Nothing is left half done by whoever holds the lock.
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
    }

    fn keys(&self) -> Arc<Keyring> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Serves until the end, and then those who have begun to ask. `close` is called in between,
    /// when nobody is let in any more.
    pub(super) async fn serve(
        self: &Arc<Self>,
        listener: UnixListener,
        mut end: Pin<&mut impl Future<Output = ()>>,
        close: impl FnOnce(),
    ) {
        /// When there is no room for another file, one may be closed soon.
        const PAUSE: Duration = Duration::from_millis(100);

        let slots = Arc::new(Semaphore::new(self.limits.connections));
        let (ending, ended) = watch::channel(false);
        let mut visits = JoinSet::new();
        loop {
            let next = async {
                let slot = Arc::clone(&slots).acquire_owned().await;
                (slot, listener.accept().await)
            };
            tokio::select! {
                () = &mut end => break,
                Some(_) = visits.join_next() => {}
                (slot, accepted) = next => match accepted {
                    Ok((stream, _)) => {
                        let (host, ended) = (Arc::clone(self), ended.clone());
                        visits.spawn(async move {
                            host.receive(stream, ended).await;
                            drop(slot);
                        });
                    }
                    Err(error) => {
                        note(&self.name, format_args!("cannot let anybody in: {error}"));
                        sleep(PAUSE).await;
                    }
                },
            }
        }
        drop(listener);
        close();
        // Nobody may be left to hear it.
        let _ = ending.send(true);
        let all = async { while visits.join_next().await.is_some() {} };
        if timeout(self.limits.patience, all).await.is_err() {
            visits.shutdown().await;
        }
    }

    /// Hears whoever may ask.
    async fn receive(&self, stream: UnixStream, ended: watch::Receiver<bool>) {
        let user = match stream.peer_cred() {
            Ok(credentials) => credentials.uid(),
            Err(error) => return note(&self.name, format_args!("who asks is unknown: {error}")),
        };
        let mut visit = Visit { stream, frames: Frames::new(MAX_REQUEST), read: Vec::new(), ended };
        let heard = if (self.may_ask)(user) {
            self.hear(&mut visit).await
        } else {
            // Before anything is read.
            let refused = self.say(&mut visit, &[Answer::Refused(Refusal::User)]).await;
            refused.and(Err(Trouble::Stranger))
        };
        if let Err(trouble) = heard {
            note(&self.name, format_args!("user {user}: {trouble}"));
        }
    }

    async fn hear(&self, visit: &mut Visit) -> Result<(), Trouble> {
        let patience = self.limits.patience;
        loop {
            let request = match timeout(patience, visit.request()).await {
                Ok(Ok(Some(request))) => request,
                Ok(Ok(None)) => return Ok(()),
                Ok(Err(trouble)) => {
                    if let Trouble::Wire(_) = trouble {
                        self.say(visit, &[Answer::Refused(Refusal::Malformed)]).await?;
                    }
                    return Err(trouble);
                }
                Err(_) if visit.frames.is_within() => return Err(Trouble::Late),
                // Whoever has nothing to ask makes room for others.
                Err(_) => return Ok(()),
            };
            let mut keys = self.keys();
            if let Request::Key(name) | Request::Sign { key: name, .. } = &request
                && !keys.has(name)
            {
                self.look_for(name).await;
                keys = self.keys();
            }
            let mut reply = block_in_place(|| keys.answer(&request));
            if let (Some(failure), Request::Sign { key, .. }) = (&reply.failure, &request) {
                note(&self.name, format_args!("{key}: {failure}"));
            }
            loop {
                // As many as are worth a write of their own.
                let some: Vec<Answer> = reply.answers.by_ref().take(64).collect();
                if some.is_empty() {
                    break;
                }
                self.say(visit, &some).await?;
            }
        }
    }

    async fn say(&self, visit: &mut Visit, answers: &[Answer]) -> Result<(), Trouble> {
        let mut octets = Vec::new();
        for answer in answers {
            octets.extend(answer.to_frame().map_err(Trouble::Wire)?);
        }
        match timeout(self.limits.patience, visit.stream.write_all(&octets)).await {
            Ok(written) => written.map_err(Trouble::Connection),
            Err(_) => Err(Trouble::Late),
        }
    }
}

/// A connection of somebody who may ask.
struct Visit {
    stream: UnixStream,
    frames: Frames,
    /// What was read and not yet looked at.
    read: Vec<u8>,
    ended: watch::Receiver<bool>,
}

impl Visit {
    /// The next request; `None` when there is none to come, or the end has come and it has not
    /// begun.
    async fn request(&mut self) -> Result<Option<Request>, Trouble> {
        const PIECE: usize = 16 * 1024;

        loop {
            let mut rest = &*self.read;
            let frame = self.frames.take(&mut rest).map_err(Trouble::Wire)?;
            let taken = self.read.len() - rest.len();
            self.read.drain(..taken);
            if let Some(frame) = frame {
                return Request::parse(&frame).map(Some).map_err(Trouble::Wire);
            }
            self.read.reserve(PIECE);
            let has_begun = self.frames.is_within();
            let read = tokio::select! {
                biased;
                read = self.stream.read_buf(&mut self.read) => read.map_err(Trouble::Connection)?,
                _ = self.ended.wait_for(|ended| *ended), if !has_begun => 0,
            };
            match read {
                0 if has_begun => return Err(Trouble::BrokenOff),
                0 => return Ok(None),
                _ => {}
            }
        }
    }
}

/// Why a connection ends before its time.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error("refused, may not ask")]
    Stranger,
    #[error("refused, {0}")]
    Wire(WireError),
    #[error("broke off within a request")]
    BrokenOff,
    #[error("took too long")]
    Late,
    #[error("{0}")]
    Connection(io::Error),
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::{ErrorKind, Read, Write};
    use std::net::Shutdown;
    use std::os::unix::net::UnixStream as Client;
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use dkim_keys::agent::wire::MAX_ANSWER;
    use dkim_stack::crypto::PrivateKey;
    use dkim_stack::{DomainName, Selector};
    use tempfile::TempDir;
    use tokio::runtime::{Builder, Runtime};
    use tokio::sync::oneshot;
    use tokio::task::JoinHandle;

    use super::*;
    use crate::provider::provider;

    const LIMITS: Limits = Limits { connections: 4, patience: Duration::from_secs(60) };
    const IMPATIENT: Limits = Limits { connections: 4, patience: Duration::from_millis(50) };

    fn keys(selectors: &[&str]) -> Keyring {
        let mut keys = Keyring::default();
        for selector in selectors {
            let domain = DomainName::parse("example.com").unwrap();
            let name = KeyName { domain, selector: Selector::parse(selector).unwrap() };
            let key = PrivateKey::from_ed25519_seed(&[7; 32]);
            assert!(keys.insert(name, provider().signing_key(&key).unwrap()));
        }
        keys
    }

    /// An agent with one key, and all that it takes.
    struct Stage {
        runtime: Runtime,
        host: Arc<Host>,
        served: JoinHandle<()>,
        end: oneshot::Sender<()>,
        directory: TempDir,
        looks: Arc<AtomicUsize>,
    }

    /// With each look there is a key more in example.com: s1, s2, s3.
    struct Growing(Arc<AtomicUsize>);

    impl Source for Growing {
        fn may_come(&self, name: &KeyName) -> bool {
            name.domain.as_str() == "example.com"
        }

        fn follow(&mut self) -> Result<Option<Keyring>, Failure> {
            let looks = self.0.fetch_add(1, Ordering::SeqCst) + 1;
            let selectors: Vec<String> = (1..=looks + 1).map(|key| format!("s{key}")).collect();
            Ok(Some(keys(&selectors.iter().map(String::as_str).collect::<Vec<_>>())))
        }

        fn reload(&mut self) -> Result<Keyring, Failure> {
            Ok(keys(&["s1", "s2"]))
        }
    }

    fn ask(domain: &str, selector: &str) -> Vec<u8> {
        let domain = DomainName::parse(domain).unwrap();
        let name = KeyName { domain, selector: Selector::parse(selector).unwrap() };
        Request::Key(name).to_frame().unwrap()
    }

    impl Stage {
        fn new(may_ask: impl Fn(u32) -> bool + Send + Sync + 'static, limits: Limits) -> Self {
            let directory = tempfile::tempdir().unwrap();
            let runtime = Builder::new_multi_thread().enable_all().build().unwrap();
            let name = "the agent".to_owned();
            let looks = Arc::default();
            let source = Box::new(Growing(Arc::clone(&looks)));
            let keys = keys(&["s1"]);
            let host = Arc::new(Host::new(name, keys, source, Box::new(may_ask), limits));
            let (end, ends) = oneshot::channel();
            let (path, hosting) = (directory.path().join("agent.sock"), Arc::clone(&host));
            let listener = runtime.block_on(async { UnixListener::bind(&path).unwrap() });
            let served = runtime.spawn(async move {
                let end = std::pin::pin!(async { ends.await.unwrap() });
                hosting.serve(listener, end, || std::fs::remove_file(path).unwrap()).await;
            });
            Self { runtime, host, served, end, directory, looks }
        }

        fn path(&self) -> PathBuf {
            self.directory.path().join("agent.sock")
        }

        fn visit(&self) -> Client {
            Client::connect(self.path()).unwrap()
        }
    }

    fn list() -> Vec<u8> {
        Request::List.to_frame().unwrap()
    }

    fn answer(client: &mut Client) -> Answer {
        let mut frames = Frames::new(MAX_ANSWER);
        loop {
            let mut octet = [0];
            client.read_exact(&mut octet).unwrap();
            if let Some(frame) = frames.take(&mut &octet[..]).unwrap() {
                return Answer::parse(&frame).unwrap();
            }
        }
    }

    /// The answers to a request for the list.
    fn listed(client: &mut Client) -> usize {
        for keys in 0.. {
            match answer(client) {
                Answer::Key(_) => {}
                Answer::End => return keys,
                other => panic!("{other:?}"),
            }
        }
        unreachable!()
    }

    fn assert_closed(client: &mut Client) {
        match client.read(&mut [0]) {
            Ok(0) => {}
            // Something was not read that we said.
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn who_may_ask_asks_as_often_as_they_like() {
        let own = rustix::process::geteuid().as_raw();
        let stage = Stage::new(move |user| user == own, LIMITS);
        let mut client = stage.visit();
        for _ in 0..3 {
            client.write_all(&list()).unwrap();
            assert_eq!(listed(&mut client), 1);
        }
        client.write_all(&[list(), list()].concat()).unwrap();
        assert_eq!((listed(&mut client), listed(&mut client)), (1, 1));
        client.shutdown(Shutdown::Write).unwrap();
        assert_closed(&mut client);
    }

    #[test]
    fn a_strange_user_is_refused_unheard() {
        let own = rustix::process::geteuid().as_raw();
        let stage = Stage::new(move |user| user != own, LIMITS);
        let mut client = stage.visit();
        // Nothing was said.
        assert_eq!(answer(&mut client), Answer::Refused(Refusal::User));
        assert_closed(&mut client);
    }

    #[test]
    fn what_is_no_request_is_refused_and_ends_the_visit() {
        let stage = Stage::new(|_| true, LIMITS);
        for garbage in [
            &b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"[..],
            &[0xff; 100_000],
            &[0; 4],
            // Refused for its length, before any of it came.
            &[0, 0xff, 0xff, 0xff],
            b"\0\0\0\x02\x02\x02",
            b"\0\0\0\x02\x01\x82",
            b"\0\0\0\x03\x01\x02\x00",
        ] {
            let mut client = stage.visit();
            // It may be refused before all is written.
            let _ = client.write_all(garbage);
            assert_eq!(answer(&mut client), Answer::Refused(Refusal::Malformed), "{garbage:?}");
            assert_closed(&mut client);
        }
        let mut client = stage.visit();
        client.write_all(&list()).unwrap();
        assert_eq!(listed(&mut client), 1);
    }

    #[test]
    fn half_a_request_is_not_waited_for_for_ever() {
        let stage = Stage::new(|_| true, IMPATIENT);
        let request = list();
        for length in 0..request.len() {
            let mut stopped = stage.visit();
            stopped.write_all(&request[..length]).unwrap();
            assert_closed(&mut stopped);
            let mut broken_off = stage.visit();
            broken_off.write_all(&request[..length]).unwrap();
            broken_off.shutdown(Shutdown::Write).unwrap();
            assert_closed(&mut broken_off);
        }
    }

    #[test]
    fn nobody_waits_for_somebody_who_takes_no_answer() {
        let one = Limits { connections: 1, ..IMPATIENT };
        let stage = Stage::new(|_| true, one);
        let mut deaf = stage.visit();
        deaf.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
        // Until the agent has given up.
        while deaf.write_all(&list().repeat(1000)).is_ok() {}
        let mut client = stage.visit();
        client.write_all(&list()).unwrap();
        assert_eq!(listed(&mut client), 1);
    }

    #[test]
    fn only_so_many_are_heard_at_once() {
        let one = Limits { connections: 1, ..LIMITS };
        let stage = Stage::new(|_| true, one);
        let mut first = stage.visit();
        first.write_all(&list()).unwrap();
        assert_eq!(listed(&mut first), 1);
        let mut second = stage.visit();
        second.write_all(&list()).unwrap();
        first.write_all(&list()).unwrap();
        assert_eq!(listed(&mut first), 1);
        second.set_nonblocking(true).unwrap();
        assert_eq!(second.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
        second.set_nonblocking(false).unwrap();
        drop(first);
        assert_eq!(listed(&mut second), 1);
    }

    #[test]
    fn new_keys_are_for_the_next_request() {
        let stage = Stage::new(|_| true, LIMITS);
        let mut client = stage.visit();
        client.write_all(&list()).unwrap();
        assert_eq!(listed(&mut client), 1);
        let reload = async { stage.host.reload().await.unwrap() };
        assert_eq!(stage.runtime.block_on(reload), 2);
        client.write_all(&list()).unwrap();
        assert_eq!(listed(&mut client), 2);
    }

    #[test]
    fn a_key_that_may_have_come_is_looked_for() {
        let stage = Stage::new(|_| true, LIMITS);
        let (mut client, looks) = (stage.visit(), || stage.looks.load(Ordering::SeqCst));
        let unknown = Answer::Refused(Refusal::UnknownKey);
        // Not for one that is there, nor where none may come.
        client.write_all(&ask("example.com", "s1")).unwrap();
        assert!(matches!(answer(&mut client), Answer::Key(_)));
        client.write_all(&ask("example.org", "s2")).unwrap();
        assert_eq!((answer(&mut client), looks()), (unknown.clone(), 0));
        client.write_all(&ask("example.com", "s2")).unwrap();
        assert!(matches!(answer(&mut client), Answer::Key(_)));
        assert_eq!(looks(), 1);
        client.write_all(&ask("example.com", "s9")).unwrap();
        assert_eq!((answer(&mut client), looks()), (unknown, 2));
    }

    /// However many ask for however many keys, one looks for all of them.
    #[test]
    fn it_is_looked_for_once_for_all_who_ask_at_once() {
        let stage = Stage::new(|_| true, LIMITS);
        let mut first = stage.visit();
        let begun = std::time::Instant::now();
        first.write_all(&ask("example.com", "s9")).unwrap();
        answer(&mut first);
        let mut clients: Vec<Client> = (0..4).map(|_| stage.visit()).collect();
        drop(first);
        for client in &mut clients {
            client.write_all(&ask("example.com", "s9").repeat(2)).unwrap();
        }
        for client in &mut clients {
            for _ in 0..2 {
                assert_eq!(answer(client), Answer::Refused(Refusal::UnknownKey));
            }
        }
        // The first one at once, the others a second after one another.
        let most = begun.elapsed().as_secs() + 1;
        let looks = stage.looks.load(Ordering::SeqCst);
        assert!(u64::try_from(looks).unwrap() <= most, "{looks} looks, {most} at most");
    }

    /// More than fits into one answer.
    #[test]
    fn a_long_list_is_told_to_its_end() {
        let stage = Stage::new(|_| true, LIMITS);
        let selectors: Vec<String> = (0..1000).map(|number| format!("s{number}")).collect();
        let selectors: Vec<&str> = selectors.iter().map(String::as_str).collect();
        stage.host.replace(keys(&selectors));
        let mut client = stage.visit();
        client.write_all(&list()).unwrap();
        assert_eq!(listed(&mut client), 1000);
    }

    #[test]
    fn at_the_end_what_was_begun_is_answered() {
        let stage = Stage::new(|_| true, LIMITS);
        let (mut idle, mut busy) = (stage.visit(), stage.visit());
        idle.write_all(&list()).unwrap();
        assert_eq!(listed(&mut idle), 1);
        let (front, back) = (&list()[..3], &list()[3..]);
        busy.write_all(&[&list(), front].concat()).unwrap();
        assert_eq!(listed(&mut busy), 1);
        let path = stage.path();
        stage.end.send(()).unwrap();
        assert_closed(&mut idle);
        // Nobody else is let in.
        assert!(!path.exists());
        busy.write_all(back).unwrap();
        assert_eq!(listed(&mut busy), 1);
        assert_closed(&mut busy);
        stage.runtime.block_on(stage.served).unwrap();
    }
}
