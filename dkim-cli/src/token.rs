//! Private keys in tokens, in a build that knows them.

use std::sync::Arc;

use dkim_stack::SigningKey;

use crate::diagnostics::Failure;
use crate::exit::Exit;

/// Opens the key that a `pkcs11:` URI names.
#[cfg(feature = "pkcs11")]
pub(crate) fn open(uri: &str) -> Result<Arc<dyn SigningKey>, Failure> {
    use dkim_keys::pkcs11::{Pkcs11Error, TokenKey};

    let failed = |error: Pkcs11Error| {
        let exit = match error {
            Pkcs11Error::Pin(_) => Exit::NoInput,
            _ if error.is_out_of_reach() => Exit::Temporary,
            _ => Exit::Data,
        };
        let failure = Failure::of(exit, &error).on(subject(uri));
        match error {
            _ if exit == Exit::Temporary => failure.remedy("try again when the token is there"),
            Pkcs11Error::Uri(_) | Pkcs11Error::Attribute(_) | Pkcs11Error::NoModule => {
                failure.remedy(REMEDY)
            }
            _ => failure,
        }
    };
    let key = TokenKey::open(uri, crate::provider::provider()).map_err(failed)?;
    Ok(Arc::new(key))
}

/// Says that this build cannot.
#[cfg(not(feature = "pkcs11"))]
pub(crate) fn open(uri: &str) -> Result<Arc<dyn SigningKey>, Failure> {
    Err(Failure::new(Exit::Data, "this build knows no keys in tokens")
        .on(subject(uri))
        .remedy("build it with `--features pkcs11`"))
}

#[cfg(feature = "pkcs11")]
const REMEDY: &str = "write pkcs11:token=T;object=O?module-path=/LIBRARY.so&pin-source=file:/FILE";

/// What may be told of a URI: what stands behind the `?` may hold a PIN, if somebody erred.
pub(crate) fn subject(uri: &str) -> &str {
    uri.split('?').next().unwrap_or_default()
}
