//! THE table: every reason that an outcome can have, its result in RFC 8601's words, what causes
//! it, and what a person does about it.

use std::fmt;

use dkim_authres::DkimResult;

/// A row for each reason. The variants, their order and their texts exist here only.
macro_rules! reasons {
    ($($variant:ident $result:ident $code:literal $cause:literal $remedy:literal)*) => {
        /// Why a signature has its result.
        ///
        /// Its [`code`](Self::code) is stable: machines may go by it.
        ///
        /// ```
        /// use dkim_verify::Reason;
        ///
        /// let reason = Reason::BodyHashMismatch;
        /// assert_eq!(reason.code(), "body-hash-mismatch");
        /// assert_eq!(reason.result().name(), "fail");
        /// println!("{}: {}. {}.", reason, reason.cause(), reason.remedy());
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Reason {
            $(#[doc = concat!("`", $code, "`: ", $cause, ".")] $variant,)*
        }

        impl Reason {
            /// All of them, those that say most about the message first.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            const fn row(self) -> (DkimResult, &'static str, &'static str, &'static str) {
                match self {
                    $(Self::$variant => (DkimResult::$result, $code, $cause, $remedy),)*
                }
            }
        }
    };
}

// RFC 6376 §3.9 knows SUCCESS, PERMFAIL and TEMPFAIL; RFC 8601 §2.7.1 tells the PERMFAILs apart:
// `fail` for a signature that did not verify, `policy` for one that we do not accept, `permerror`
// for one that cannot be judged. A key that cannot be had now is the one TEMPFAIL: only that may
// make an MTA say 4xx (RFC 6376 §6.3).
//
// A signature with "syntax errors" is `neutral` there, and one in "some error that is
// unrecoverable" is `permerror`: we say `permerror` for all that RFC 6376 calls PERMFAIL, and keep
// `neutral` for what our library lacks. That is our choice.
reasons! {
    Ok Pass "ok"
        "the signature is valid and the policy accepts it"
        "nothing; look at the deviations, if there are any"
    BodyHashMismatch Fail "body-hash-mismatch"
        "the body is not the one that was signed"
        "let `dkim explain` find what was changed on the way, such as a footer or line ends"
    SignatureMismatch Fail "signature-mismatch"
        "a signed header field was changed, or another key signed"
        "let `dkim explain` tell which; if it is the key, publish the one that signs"
    Expired Fail "expired"
        "x= has passed"
        "sign with a longer life, or find what held the message up; for archives give the time of \
         receipt"
    Syntax PermError "syntax"
        "the DKIM-Signature field breaks the grammar"
        "mend the signer, or whatever rewrote the field"
    DuplicateTag PermError "duplicate-tag"
        "a tag stands twice in the DKIM-Signature field"
        "mend the signer"
    MissingTag PermError "missing-tag"
        "a required tag is missing"
        "mend the signer; v=, a=, b=, bh=, d=, h= and s= are required"
    Version PermError "version"
        "v= is not 1"
        "mend the signer"
    BadAlgorithm PermError "bad-algorithm"
        "a= names no algorithm that is known"
        "sign with rsa-sha256 or ed25519-sha256"
    BadCanonicalization PermError "bad-canonicalization"
        "c= names no canonicalization that is known"
        "sign with simple or relaxed"
    BadQueryMethod PermError "bad-query-method"
        "q= names no method that is known"
        "leave q= out, or add dns/txt"
    DomainMismatch PermError "domain-mismatch"
        "the domain of i= is not d= nor below it"
        "sign with an i= in the domain of d=, or without i="
    FromNotSigned PermError "from-not-signed"
        "h= does not name From"
        "sign the From field"
    FromMissing PermError "from-missing"
        "the message has no From field"
        "add a From field before the message is signed"
    MalformedHeader PermError "malformed-header"
        "the header has a bare CR or LF, a NUL or a line that is no field"
        "mend what writes the header: readers disagree about what it says"
    LTooLong PermError "l-too-long"
        "l= is larger than the body: some of it was cut off"
        "find what shortens messages, and sign without l="
    KeyMissing PermError "key-missing"
        "there is no key record at the selector's name"
        "publish the key record, and keep it for as long as signed mail is on its way"
    KeySyntax PermError "key-syntax"
        "the key record or the key in it is malformed"
        "publish the record anew, whole and unchanged"
    KeyVersion PermError "key-version"
        "the record at the selector's name is not of version DKIM1"
        "publish the key record with v=DKIM1 as its first tag"
    KeyUnusable PermError "key-unusable"
        "the key is too long, or one under which anyone can sign"
        "make a new key: RSA of 2048 bits, or Ed25519"
    KeyType PermError "key-type"
        "the key is of another type than the signature"
        "publish the key under a selector of its own, with the k= that it needs"
    KeyHash PermError "key-hash"
        "the h= of the key record does not allow the signature's hash algorithm"
        "leave h= out of the key record, or add sha256"
    KeyService PermError "key-service"
        "the s= of the key record does not allow electronic mail"
        "leave s= out of the key record, or add email"
    KeyRevoked PermError "key-revoked"
        "the key was revoked: its p= is empty"
        "sign with a key that is in use; keep old keys until the mail they signed has arrived"
    StrictDomain PermError "strict-domain"
        "the key says t=s, and the domain of i= is below d="
        "sign with the domain of d= in i=, or take t=s out of the key record"
    KeyUnavailable TempError "key-unavailable"
        "the DNS gave no answer for now"
        "try again later; if it stays so, look at the name servers of the domain"
    UnsupportedAlgorithm Neutral "unsupported-algorithm"
        "the cryptographic library lacks the algorithm"
        "verify with a library that has it"
    WeakAlgorithm Policy "weak-algorithm"
        "signed with rsa-sha1, which protects nothing any more"
        "sign with rsa-sha256; for archives allow SHA-1"
    KeyWeak Policy "key-weak"
        "the RSA key is shorter than 1024 bits"
        "make a new key of 2048 bits"
    ShortKey Policy "short-key"
        "the RSA key is shorter than 2048 bits, or than the policy asks for"
        "make a new key of 2048 bits, or of as many as the policy asks for"
    MultipleFrom Policy "multiple-from"
        "the message has more than one From field"
        "refuse it: a reader may show the one that was not signed"
    UnsignedDuplicate Policy "unsigned-duplicate"
        "a field that may stand once stands there again, unsigned"
        "refuse it, or find what adds the field; a signer prevents it by over-signing"
    BodyNotFullySigned Policy "body-not-fully-signed"
        "l= leaves octets at the end of the body unsigned"
        "sign without l="
    SingleLabelDomain Policy "single-label-domain"
        "d= is a top-level domain"
        "sign with the domain that sends"
    UnacceptableDomain Policy "unacceptable-domain"
        "d= is on the policy's list of domains that sign for nobody"
        "sign with a domain of one's own, or take it from the list"
    Future Policy "future"
        "t= is in the future"
        "set the clock of the signer, or of the verifier"
    SeveralKeyRecords Policy "several-key-records"
        "several records stand at the selector's name"
        "publish one key record at a name, and nothing else there"
    KeyWithoutVersion Policy "key-without-version"
        "the key record has no v=DKIM1"
        "publish the key record with v=DKIM1 as its first tag"
    Testing Policy "testing"
        "the key says t=y: the domain is testing DKIM"
        "treat the message as if it were not signed; take t=y out when the test is over"
    LimitSignatures Policy "limit-signatures"
        "the message has more signatures than are judged"
        "find what signs so often, or raise the limit"
    LimitQueries Policy "limit-queries"
        "the message would cause more questions to the DNS than are asked"
        "find what signs so often, or raise the limit"
    LimitHeader Policy "limit-header"
        "the header is longer than is judged"
        "find what writes so much, or raise the limit"
    LimitTags Policy "limit-tags"
        "the DKIM-Signature field has more tags than are read"
        "mend the signer"
    LimitSignedFields Policy "limit-signed-fields"
        "h= names more fields than are looked for"
        "mend the signer, or raise the limit"
    LimitItems Policy "limit-items"
        "q= or z= lists more items than are read"
        "mend the signer"
    LimitBodyHashes Policy "limit-body-hashes"
        "the signatures need more different body hashes than are computed"
        "find what signs so differently, or raise the limit"
    LimitKeyRecord Policy "limit-key-record"
        "the key record is longer than is read"
        "publish the key record alone at its name"
    LimitKeyRecords Policy "limit-key-records"
        "more key records stand at the selector's name than are tried"
        "publish one key record at a name"
    LimitCnameHops Policy "limit-cname-hops"
        "more CNAME records in a row lead to the key record than are followed"
        "publish the key record nearer to its name"
}

impl Reason {
    /// A stable code in kebab-case for machines.
    #[must_use]
    pub const fn code(self) -> &'static str {
        self.row().1
    }

    /// The result in RFC 8601's words (§2.7.1).
    #[must_use]
    pub const fn result(self) -> DkimResult {
        self.row().0
    }

    /// What causes it.
    #[must_use]
    pub const fn cause(self) -> &'static str {
        self.row().2
    }

    /// What a person does about it.
    #[must_use]
    pub const fn remedy(self) -> &'static str {
        self.row().3
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
