//! Headers that are not passed on.

use dkim_stack::message::Header;

use crate::diagnostics::Failure;
use crate::exit::Exit;

/// Of a header that readers read in different ways, what is left may show one of them what was to be
/// taken away.
pub(crate) fn refuse_malformed(header: &Header<'_>) -> Result<(), Failure> {
    match header.defects().first() {
        None => Ok(()),
        Some(defect) => Err(Failure::new(Exit::Data, defect)
            .remedy("do not let it pass: others may see other fields in it")),
    }
}
