//! Headers that are not passed on.

use dkim_stack::message::Header;

use crate::diagnostics::Failure;
use crate::exit::Exit;

/// Of a header that readers read in different ways, what is left may show one of them what was to be
/// taken away.
pub(crate) fn refuse_malformed(header: &Header<'_>) -> Result<(), Failure> {
    match header.defects().first() {
        None => Ok(()),
        Some(defect) => {
            let what = format_args!("malformed header: {} at octet {}", defect.kind, defect.offset);
            Err(Failure::new(Exit::Data, what)
                .remedy("do not let it pass: others may see other fields in it"))
        }
    }
}
