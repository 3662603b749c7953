//! Vectors for tests: a message, a zone, a time and what is expected. Knows no other crate of the stack.
//!
//! A directory of vectors holds `cases.jsonl`, one JSON object a line, and the files that the
//! objects name: messages, octet for octet, and zones as master files (RFC 1035 §5.1). Vectors for
//! ADSP are in `adsp.jsonl`.
//!
//! ```
//! let vectors = dkim_testkit::own_vectors()?;
//! let appendix = vectors.iter().find(|vector| vector.id == "rfc8463-a3").expect("it is kept here");
//! assert_eq!(appendix.expect.len(), 2);
//! # Ok::<(), dkim_testkit::LoadError>(())
//! ```
#![forbid(unsafe_code)]

mod adsp;
mod load;
mod score;
mod vector;

pub use adsp::{AdspVector, load_adsp, own_adsp_vectors};
pub use load::{LoadError, load, own_vectors};
pub use score::{Miss, Reported, Scoring, score};
pub use vector::{Expected, Vector};
