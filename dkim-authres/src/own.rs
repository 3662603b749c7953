//! The authserv-ids of a site: who it writes as, and whom it believes.

use std::slice;

use crate::AuthenticationResults;
use crate::remove::{is_claimed, plain, squeezed, u_labels};

/// The authserv-ids of a site (RFC 8601 §2.5): the one that its border writes, and all others that a
/// reader behind the border believes. What it writes is what it deletes where somebody else wrote it.
///
/// ```
/// use dkim_authres::{DkimResult, OwnIds, ResInfo, without_forged};
/// use dkim_message::Header;
///
/// let own = OwnIds::new(["mx1.example.org", "example.org"])?;
/// let header = b"Authentication-Results: Example.ORG; dkim=pass\r\nSubject: x\r\n";
/// let (kept, _) = without_forged(&Header::parse(header), &own);
/// let results = own.results().with(ResInfo::new("dkim", DkimResult::None.name()));
/// let header = [results.field().as_bytes(), &kept].concat();
/// assert_eq!(
///     String::from_utf8(header)?,
///     "Authentication-Results: mx1.example.org;\r\n    dkim=none\r\nSubject: x\r\n"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct OwnIds {
    written: String,
    pub(crate) ids: Vec<Id>,
}

impl OwnIds {
    /// These, of which the first is written. Case and dots at either end do not matter, nor whether
    /// a domain name is in A-labels or U-labels.
    ///
    /// # Errors
    ///
    /// When there is none, or one that nobody would know again: of nothing but blanks and quotes, or
    /// one that cannot be written as it is, by its controls or its length.
    pub fn new(ids: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Self, OwnIdError> {
        let mut own = Self { written: String::new(), ids: Vec::new() };
        for id in ids {
            let text = id.as_ref();
            let id = Id::new(text);
            // What is written by this name is to be found when somebody else writes it.
            let written = AuthenticationResults::new(text).field_body();
            if id.squeezed.is_empty() || !is_claimed(written.as_bytes(), slice::from_ref(&id)) {
                let quoted = text.chars().take(OwnIdError::MAX_QUOTED).collect();
                return Err(OwnIdError::Nobody(quoted));
            }
            if own.ids.is_empty() {
                text.clone_into(&mut own.written);
            }
            own.ids.push(id);
        }
        if own.ids.is_empty() { Err(OwnIdError::None) } else { Ok(own) }
    }

    /// No results yet, in the name of the first.
    #[must_use]
    pub fn results(&self) -> AuthenticationResults {
        AuthenticationResults::new(&self.written)
    }
}

/// Why there is nobody to write and to delete as.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OwnIdError {
    /// None was given.
    #[error("no authserv-id: the name in the fields of one's own servers is needed")]
    None,
    /// One that names nobody, or cannot be written as it is; its first 64 characters.
    #[error("the authserv-id {0:?} names nobody, or cannot be written")]
    Nobody(String),
}

impl OwnIdError {
    const MAX_QUOTED: usize = 64;
}

/// One of our ids, in the forms it is compared in.
#[derive(Clone, Debug)]
pub(crate) struct Id {
    pub(crate) plain: String,
    pub(crate) squeezed: String,
    pub(crate) u_labels: String,
}

impl Id {
    pub(crate) fn new(id: &str) -> Self {
        let plain = plain(id);
        let (squeezed, u_labels) = (squeezed(&plain), squeezed(&u_labels(&plain)));
        Self { plain, squeezed, u_labels }
    }
}
