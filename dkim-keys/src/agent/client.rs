//! An agent, asked over its socket.

use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use dkim_crypto::{PublicKey, SignError, SigningAlgorithm, SigningKey};
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};

use super::wire::{Answer, Frames, KeyName, MAX_ANSWER, PublicHalf, Refusal, Request, WireError};

/// An agent at a socket. Each question has a connection of its own, so that an agent that is started
/// anew in between is no trouble.
#[derive(Clone, Debug)]
pub struct Agent {
    path: PathBuf,
    patience: Duration,
}

impl Agent {
    /// How long an answer may take.
    pub const PATIENCE: Duration = Duration::from_secs(10);

    /// The agent that answers there.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        Self { path: path.to_owned(), patience: Self::PATIENCE }
    }

    /// The same, and how long an answer may take.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// A key that the agent has. Whether it still has it shows when it is to sign.
    ///
    /// # Errors
    ///
    /// When the agent does not answer, or has no such key.
    pub fn key(&self, name: KeyName) -> Result<RemoteKey, AgentError> {
        match self.ask(&Request::Key(name))?.next_answer()? {
            Answer::Key(half) => Ok(RemoteKey { agent: self.clone(), half }),
            Answer::Refused(refusal) => Err(AgentError::Refused(refusal)),
            _ => Err(AgentError::Unasked),
        }
    }

    /// All keys that the agent has.
    ///
    /// # Errors
    ///
    /// When the agent does not answer, or to somebody else only.
    pub fn list(&self) -> Result<Vec<PublicHalf>, AgentError> {
        let mut answers = self.ask(&Request::List)?;
        let mut list = Vec::new();
        loop {
            match answers.next_answer()? {
                Answer::Key(half) => list.push(half),
                Answer::End => return Ok(list),
                Answer::Refused(refusal) => return Err(AgentError::Refused(refusal)),
                Answer::Signature(_) => return Err(AgentError::Unasked),
            }
        }
    }

    /// Whether anybody listens at the socket, even if they do not answer.
    #[must_use]
    pub fn is_there(&self) -> bool {
        match Stream::open(&self.path, self.patience) {
            Err(AgentError::Unreachable(error)) => {
                !matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::NotFound)
            }
            _ => true,
        }
    }

    fn ask(&self, request: &Request) -> Result<Answers, AgentError> {
        let frame = request.to_frame()?;
        let mut stream = Stream::open(&self.path, self.patience)?;
        match stream.write(&frame) {
            // Whoever refuses us does not wait for what we have to say.
            Err(AgentError::Broken) | Ok(()) => {}
            Err(error) => return Err(error),
        }
        Ok(Answers { stream, frames: Frames::new(MAX_ANSWER), octets: Vec::new() })
    }
}

/// The answers to a request.
struct Answers {
    stream: Stream,
    frames: Frames,
    /// What was read and not yet looked at.
    octets: Vec<u8>,
}

impl Answers {
    fn next_answer(&mut self) -> Result<Answer, AgentError> {
        loop {
            let mut rest = &*self.octets;
            let frame = self.frames.take(&mut rest)?;
            let taken = self.octets.len() - rest.len();
            self.octets.drain(..taken);
            match frame {
                Some(frame) => return Ok(Answer::parse(&frame)?),
                None => self.stream.read(&mut self.octets)?,
            }
        }
    }
}

/// A connection that does not last longer than we wait.
struct Stream {
    stream: UnixStream,
    start: Instant,
    patience: Duration,
}

impl Stream {
    fn open(path: &Path, patience: Duration) -> Result<Self, AgentError> {
        let start = Instant::now();
        let open = || -> rustix::io::Result<UnixStream> {
            let address = SocketAddrUnix::new(path)?;
            let socket =
                socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
            // An agent that is stopped takes no more connections when its queue is full, and a
            // socket without time-out would wait for it for ever.
            set_socket_timeout(&socket, Timeout::Send, Some(patience))?;
            connect(&socket, &address)?;
            Ok(socket.into())
        };
        let stream = open().map_err(|error| AgentError::of_io(error.into(), patience))?;
        Ok(Self { stream, start, patience })
    }

    fn left(&self) -> Result<Duration, AgentError> {
        let left = self.patience.saturating_sub(self.start.elapsed());
        // A time-out of zero is none.
        if left.is_zero() { Err(AgentError::Late(self.patience)) } else { Ok(left) }
    }

    fn write(&mut self, mut octets: &[u8]) -> Result<(), AgentError> {
        while !octets.is_empty() {
            let left = self.left()?;
            let write = self.stream.set_write_timeout(Some(left));
            match write.and_then(|()| self.stream.write(octets)) {
                Ok(0) => return Err(AgentError::Broken),
                Ok(written) => octets = octets.get(written..).unwrap_or_default(),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(AgentError::of_io(error, self.patience)),
            }
        }
        Ok(())
    }

    /// Reads what there is, at least an octet.
    fn read(&mut self, octets: &mut Vec<u8>) -> Result<(), AgentError> {
        let mut piece = [0; MAX_ANSWER];
        loop {
            let left = self.left()?;
            let read = self.stream.set_read_timeout(Some(left));
            match read.and_then(|()| self.stream.read(&mut piece)) {
                Ok(0) => return Err(AgentError::Broken),
                Ok(read) => {
                    octets.extend_from_slice(piece.get(..read).unwrap_or_default());
                    return Ok(());
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(AgentError::of_io(error, self.patience)),
            }
        }
    }
}

/// Why an agent gave no key or signature.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AgentError {
    /// It cannot be reached.
    #[error("the agent cannot be reached: {0}")]
    Unreachable(#[source] io::Error),
    /// It took too long.
    #[error("the agent did not answer within {} s", .0.as_secs_f32())]
    Late(Duration),
    /// It broke off.
    #[error("the agent broke off before it answered")]
    Broken,
    /// What it says cannot be read, or what we would say is too long.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// It answers something else.
    #[error("the agent answers what was not asked")]
    Unasked,
    /// It refuses.
    #[error(transparent)]
    Refused(Refusal),
}

impl AgentError {
    fn of_io(error: io::Error, patience: Duration) -> Self {
        match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => Self::Late(patience),
            ErrorKind::BrokenPipe | ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof => {
                Self::Broken
            }
            _ => Self::Unreachable(error),
        }
    }

    /// Whether it may go well another time, with nothing changed but that the agent runs.
    ///
    /// Whoever asks by a configuration that the agent has, too, may take [`Refusal::UnknownKey`] for
    /// temporary as well: one of them is behind, as around a change of keys, and mail can wait for that.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Unreachable(error) => error.kind() != ErrorKind::PermissionDenied,
            Self::Late(_) | Self::Broken => true,
            Self::Refused(refusal) => *refusal == Refusal::Failed,
            Self::Wire(_) | Self::Unasked => false,
        }
    }
}

/// A key that an agent has.
#[derive(Clone, Debug)]
pub struct RemoteKey {
    agent: Agent,
    half: PublicHalf,
}

impl SigningKey for RemoteKey {
    fn algorithm(&self) -> SigningAlgorithm {
        self.half.algorithm
    }

    fn public_key(&self) -> &PublicKey {
        &self.half.public
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let (key, algorithm) = (self.half.name.clone(), self.half.algorithm);
        let request = Request::Sign { key, algorithm, input: message.to_vec() };
        let answer = self.agent.ask(&request).and_then(|mut answers| answers.next_answer());
        let answer = answer.and_then(|answer| match answer {
            Answer::Signature(signature) if self.half.public.admits_signature(&signature) => {
                Ok(signature)
            }
            Answer::Refused(refusal) => Err(AgentError::Refused(refusal)),
            _ => Err(AgentError::Unasked),
        });
        answer.map_err(|error| match error {
            // It had the key when this one was made of it: another one signs by now.
            AgentError::Refused(Refusal::UnknownKey) => SignError::OutOfReach(error.to_string()),
            error if error.is_temporary() => SignError::OutOfReach(error.to_string()),
            error => SignError::Refused(error.to_string()),
        })
    }
}
