//! Signing elsewhere: a process that alone can read the private keys, and what others say to it.
//!
//! Whoever handles mail holds no key: it names one and hands over the header hash input
//! (`dkim_sign::Unsigned::input`), and is given a signature. What is said is in [`wire`], as octets
//! and without a socket; what the agent makes of it in [`Keyring`]; [`Agent`] asks over a socket,
//! and a [`RemoteKey`] signs like any other key.
//!
//! [`Agent`] and [`RemoteKey`] block while they wait, for seconds if the agent is stopped: in
//! asynchronous code they go where that is allowed, such as `tokio::task::spawn_blocking`.

mod client;
mod server;
pub mod wire;

pub use self::client::{Agent, AgentError, RemoteKey};
pub use self::server::{Keyring, Reply};
