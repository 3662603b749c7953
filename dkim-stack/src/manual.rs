//! The manual: why the defaults are what they are, and how to do what people ask for.
//!
//! # Why each default
//!
//! **Signing** ([`Request`](crate::Request)).
//!
//! - `c=relaxed/relaxed`: relays fold lines again and change white space; `simple` does not outlive
//!   that, and a reader sees no difference (RFC 6376 §3.4).
//! - From, To, Subject and what else shows who wrote what are *over-signed*: named once more in `h=`
//!   than they are there, so that a second one breaks the signature instead of being shown (RFC 6376
//!   §8.15).
//! - No `l=`: with it, whoever likes may append to the body (RFC 6376 §8.2).
//! - `t=` and no `x=`: when a message was signed helps whoever looks into it later; when it expires
//!   is for those who think about replay.
//! - No `z=`: it shows every reader of the message what its fields were.
//! - RSA keys under 2048 bits do not sign (RFC 8301 §3.2), SHA-1 never does (RFC 8301 §3.1).
//!
//! **Verifying** ([`Policy`](crate::Policy)).
//!
//! - A header that readers may read in different ways, or with two From fields, has no valid
//!   signature: which From would it be about?
//! - A key of 1024 to 2047 bits verifies and is noted; under 1024 bits it is nobody's (RFC 8301 §3.2).
//! - Signatures with `l=` that leave octets unsigned pass and are noted; the strict preset refuses
//!   them, and that of a border ([`Policy::border`](crate::Policy::border)) keys in test as well.
//! - A failed signature is as none: [`Assessment`](crate::Assessment) does not show it (RFC 6376
//!   §6.1).
//! - ADSP, ATPS and DomainKeys do nothing unless asked for: the first and the last are Historic, the
//!   other is Experimental.
//!
//! **Limits** ([`Limits`](crate::Limits)) come before the work: a message can make a verifier do so
//! much and no more, whoever wrote it. The table of attacks with a test for each is `ATTACKS.md`.
//!
//! # How to
//!
//! | do this | so |
//! | --- | --- |
//! | verify a message in one call | [`verify`](crate::verify()), [`verify_blocking`](crate::verify_blocking); `examples/verify_file.rs` |
//! | verify a message that comes in pieces | [`Verifier`](crate::Verifier); `examples/verify_stream.rs`, `examples/verify_async.rs` |
//! | verify in a mail filter, field by field | [`HeaderBuf`](crate::message::HeaderBuf), then [`Verifier`](crate::Verifier); many at once through one [`HickoryResolver`](crate::HickoryResolver), whose questions have their limit |
//! | add a field in a mail filter | [`Signature::to_field_body`](crate::Signature::to_field_body) begins with the space behind the colon, [`AuthenticationResults::field_body`](crate::authres::AuthenticationResults::field_body) does not; both fold with CRLF, for which filters say LF |
//! | verify as of another day | give the time of receipt as `now`, and accept what has expired since in the policy |
//! | verify a million messages | one [`KeyCache`](crate::KeyCache) for all threads, a [`Coalescing`](crate::dns::Coalescing) resolver |
//! | sign as a configuration says | `dkim_keys::Config::select_all`, then `dkim_keys::Config::request`; rules name clients, or mail from anywhere is signed |
//! | sign a message in one call | [`sign`](crate::sign()) |
//! | sign with several keys | several [`Request`](crate::Request)s to one [`Signer`](crate::Signer): the body is hashed once |
//! | sign with a key in a token or a vault | [`Unsigned::input`](crate::Unsigned::input), then [`Unsigned::complete`](crate::Unsigned::complete); `examples/sign_remote_key.rs` |
//! | ask another DNS | [`BlockingResolver`](crate::BlockingResolver) or [`Resolver`](crate::Resolver); `examples/own_resolver.rs` |
//! | compute with another library | [`Provider`](crate::Provider); `examples/own_provider.rs` |
//! | decide about mail | [`Assessment`](crate::Assessment); `examples/for_a_filter.rs` |
//! | hand results on | verify the message as it came in, by [`Policy::border`](crate::Policy::border); [`without_forged`](crate::authres::without_forged) clears its header of what claims to be of one's [`OwnIds`](crate::authres::OwnIds); [`res_infos`](crate::res_infos) into their [`results`](crate::authres::OwnIds::results) on top |
//! | ask for ADSP and ATPS | [`PracticesCheck`](crate::PracticesCheck) |
//! | run a mailing list | [`Mediation`](crate::Mediation), then sign with [`Fields::of_mediator`](crate::Fields::of_mediator) |
//! | believe what a mailing list found | [`TrustedResults`](crate::TrustedResults), whose signatures count for ADSP |
//! | tell why a signature fails | [`explain`](crate::explain) |
//! | tell a signer that its mail fails | [`report`](crate::report) |
//!
//! # What passes between a verifier and whoever decides
//!
//! The SDID, always: it is what a reputation is kept for (RFC 6376 §3.11). The AUID is a token that
//! only its signer understands. The selector is no identity: it names a key, and keys change. What
//! is handed on in a header must not be forgeable: a border deletes what claims to be its own
//! before it writes (RFC 8601 §5, RFC 5863 §5.6).
