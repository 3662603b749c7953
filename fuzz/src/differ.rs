//! Two implementations, one message: where one passes and the other does not, the reason is known.

mod case;
#[cfg(feature = "peers")]
mod class;
#[cfg(feature = "peers")]
mod edit;
mod made;
#[cfg(feature = "peers")]
mod peer;

use arbitrary::Unstructured;

pub use case::Case;
#[cfg(feature = "peers")]
pub use class::{CLASSES, Class};

/// Key records and a message as text ([`Case`]), signed here with a key of our own.
///
/// Without the feature `peers` our verdict alone is looked at.
pub fn differ(data: &[u8]) {
    let Some(case) = Case::read(data) else { return };
    #[cfg(feature = "peers")]
    class::assert_explained(&case);
    #[cfg(not(feature = "peers"))]
    case.assert_judged();
}

/// Any requests over any message, signed by `dkim-sign`, then changed a little, as are the records.
pub fn differ_made(data: &[u8]) {
    let Ok(Some((case, changed))) = made::case(&mut Unstructured::new(data)) else { return };
    #[cfg(feature = "peers")]
    {
        class::assert_explained(&case);
        if let Some(changed) = &changed {
            class::assert_explained_as_it_stands(&case, changed);
        }
    }
    #[cfg(not(feature = "peers"))]
    {
        case.assert_judged();
        if let Some(changed) = changed {
            let messages = [changed.template(), Some(changed.message)];
            for message in messages.into_iter().flatten() {
                Case { message, ..case.clone() }.assert_judged();
            }
        }
    }
}
