//! The keys of an agent, for those who sign with them, and what to tell when it gives none.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use dkim_keys::agent::wire::{KeyName, Refusal};
use dkim_keys::agent::{Agent, AgentError};
use dkim_stack::{DomainName, Selector, SigningKey};

use crate::diagnostics::Failure;
use crate::exit::Exit;

/// The key that the agent at a socket has for this domain and selector.
pub(crate) fn remote_key(
    socket: &Path,
    domain: &DomainName,
    selector: &Selector,
) -> Result<Arc<dyn SigningKey>, Failure> {
    let name = KeyName { domain: domain.clone(), selector: selector.clone() };
    let key = Agent::at(socket).key(name).map_err(|error| failure(&error, socket))?;
    Ok(Arc::new(key))
}

/// As [`remote_key`], for a key that a configuration lets sign: if the agent does not know it, it is
/// behind, and mail can wait for that.
pub(crate) fn configured_key(
    socket: &Path,
    domain: &DomainName,
    selector: &Selector,
) -> Result<Arc<dyn SigningKey>, Failure> {
    let name = KeyName { domain: domain.clone(), selector: selector.clone() };
    let key = Agent::at(socket).key(name).map_err(|error| match error {
        AgentError::Refused(Refusal::UnknownKey) => Failure::of(Exit::Temporary, &error)
            .on(socket.display())
            .remedy("let it read the configuration again (SIGHUP), and see what it says of that"),
        error => failure(&error, socket),
    })?;
    Ok(Arc::new(key))
}

pub(super) fn failure(error: &AgentError, socket: &Path) -> Failure {
    let at = socket.display();
    let (exit, remedy) = match error {
        AgentError::Unreachable(io) if io.kind() == ErrorKind::PermissionDenied => (
            Exit::NoInput,
            "let this user open the socket: start the agent with --group".to_owned(),
        ),
        AgentError::Unreachable(_) => {
            (Exit::Temporary, format!("see that it runs: dkim agent --config FILE --socket {at}"))
        }
        AgentError::Refused(Refusal::User) => {
            (Exit::NoInput, "start the agent with --allow-user and this user".to_owned())
        }
        AgentError::Refused(Refusal::UnknownKey) => {
            (Exit::Data, format!("see which it has: dkim agent --list --socket {at}"))
        }
        error if error.is_temporary() => (Exit::Temporary, "try again later".to_owned()),
        _ => (Exit::Data, "see that it is an agent of this version that listens there".to_owned()),
    };
    Failure::of(exit, error).on(at).remedy(remedy)
}
