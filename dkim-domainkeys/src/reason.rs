//! THE table: every reason that an outcome can have, its result in RFC 8601's words, the word of RFC
//! 4870, what causes it, and what a person does about it.

use std::fmt;

use dkim_authres::DkimResult;

/// A row for each reason. The variants, their order and their texts exist here only.
macro_rules! reasons {
    ($($variant:ident $result:ident $status:literal $code:literal $cause:literal $remedy:literal)*) => {
        /// Why a signature has its result. Codes that DKIM's table has too mean the same there.
        ///
        /// ```
        /// use dkim_domainkeys::Reason;
        ///
        /// let reason = Reason::KeyGranularity;
        /// assert_eq!(reason.code(), "key-granularity");
        /// assert_eq!((reason.result().name(), reason.status()), ("permerror", "bad"));
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Reason {
            $(#[doc = concat!("`", $code, "`: ", $cause, ".")] $variant,)*
        }

        impl Reason {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            const fn row(self) -> (DkimResult, &'static str, &'static str, &'static str, &'static str) {
                match self {
                    $(Self::$variant => (DkimResult::$result, $status, $code, $cause, $remedy),)*
                }
            }
        }
    };
}

// RFC 8601 §2.7.1 has one set of results for DKIM and DomainKeys. What each means is told where
// DKIM's table is (dkim-verify); the same reason has the same result here.
reasons! {
    Ok Pass "good" "ok"
        "the signature is valid and the policy accepts it"
        "nothing; look at the deviations, of which there is always one"
    SignatureMismatch Fail "bad" "signature-mismatch"
        "header or body was changed, or another key signed"
        "none for old mail; today sign with DKIM"
    Syntax PermError "bad format" "syntax"
        "the DomainKey-Signature field breaks the grammar"
        "mend the signer, or whatever rewrote the field"
    DuplicateTag PermError "bad format" "duplicate-tag"
        "a tag stands twice in the DomainKey-Signature field"
        "mend the signer"
    MissingTag PermError "bad format" "missing-tag"
        "a required tag is missing"
        "mend the signer; b=, c=, d=, q= and s= are required"
    BadAlgorithm PermError "bad format" "bad-algorithm"
        "a= is not rsa-sha1, the one algorithm of DomainKeys"
        "sign with DKIM"
    BadCanonicalization PermError "bad format" "bad-canonicalization"
        "c= is neither simple nor nofws"
        "mend the signer"
    BadQueryMethod PermError "bad format" "bad-query-method"
        "q= is not dns"
        "mend the signer"
    FromMissing PermError "bad" "from-missing"
        "the message has no From field"
        "add a From field before the message is signed"
    SenderSyntax PermError "bad" "sender-syntax"
        "the Sender field, or without one the From field, names no address with a domain"
        "mend what writes the field"
    DomainMismatch PermError "bad" "domain-mismatch"
        "d= is neither the domain of the sending address nor a parent of it"
        "sign with the domain of the Sender field, or without one of the first address in From"
    SenderNotSigned PermError "bad" "sender-not-signed"
        "the field that names the sender is not signed: h= leaves it out, or it stands above the signature"
        "find what adds the field; a signer signs it"
    MalformedHeader PermError "bad" "malformed-header"
        "the header has a bare CR or LF, a NUL or a line that is no field"
        "mend what writes the header: readers disagree about what it says"
    KeyMissing PermError "no key" "key-missing"
        "there is no key record at the selector's name"
        "none for old mail, unless the domain publishes its old keys again"
    KeySyntax PermError "bad format" "key-syntax"
        "the key record or the key in it is malformed"
        "publish the record anew, whole and unchanged"
    KeyVersion PermError "bad format" "key-version"
        "the record at the selector's name is of another version than DKIM1"
        "publish the key record with v=DKIM1 as its first tag, or without v="
    KeyUnusable PermError "bad format" "key-unusable"
        "the key is too long, or one under which anyone can sign"
        "make a new key: RSA of 2048 bits"
    KeyType PermError "bad" "key-type"
        "the key is not an RSA key"
        "publish the key under a selector of its own, with the k= that it needs"
    KeyGranularity PermError "bad" "key-granularity"
        "the g= of the key record is not the local-part of the sending address"
        "sign with a key for everybody in the domain"
    KeyRevoked PermError "revoked" "key-revoked"
        "the key was revoked: its p= is empty"
        "sign with a key that is in use"
    KeyUnavailable TempError "no key" "key-unavailable"
        "the DNS gave no answer for now"
        "try again later; if it stays so, look at the name servers of the domain"
    UnsupportedAlgorithm Neutral "bad" "unsupported-algorithm"
        "the cryptographic library has no SHA-1"
        "verify with a library that has it"
    WeakAlgorithm Policy "bad" "weak-algorithm"
        "signed with rsa-sha1, which protects nothing any more"
        "sign with DKIM and rsa-sha256; for archives allow SHA-1"
    KeyWeak Policy "bad" "key-weak"
        "the RSA key is shorter than 1024 bits"
        "make a new key of 2048 bits"
    ShortKey Policy "bad" "short-key"
        "the RSA key is shorter than 2048 bits, or than the policy asks for"
        "make a new key of 2048 bits, or of as many as the policy asks for"
    MultipleFrom Policy "bad" "multiple-from"
        "the message has more than one From field"
        "refuse it: a reader may show the one that was not signed"
    MultipleSender Policy "bad" "multiple-sender"
        "the message has more than one Sender field"
        "refuse it: which of them names the sender is anybody's guess"
    SingleLabelDomain Policy "bad" "single-label-domain"
        "d= is a top-level domain"
        "sign with the domain that sends"
    UnacceptableDomain Policy "bad" "unacceptable-domain"
        "d= is on the policy's list of domains that sign for nobody"
        "sign with a domain of one's own, or take it from the list"
    Testing Policy "bad" "testing"
        "the key says t=y: the domain is testing DomainKeys"
        "treat the message as if it were not signed"
    LimitSignatures Policy "bad" "limit-signatures"
        "the message has more signatures than are judged"
        "find what signs so often, or raise the limit"
    LimitHeader Policy "bad" "limit-header"
        "the header is longer than is judged"
        "find what writes so much, or raise the limit"
    LimitTags Policy "bad format" "limit-tags"
        "the DomainKey-Signature field has more tags than are read"
        "mend the signer"
    LimitSignedFields Policy "bad format" "limit-signed-fields"
        "h= names more fields than are looked for"
        "mend the signer"
    LimitKeyRecord Policy "bad format" "limit-key-record"
        "the key record is longer than is read"
        "publish the key record alone at its name"
    LimitKeyRecords Policy "bad" "limit-key-records"
        "more key records stand at the selector's name than are tried"
        "publish one key record at a name"
    LimitCnameHops Policy "no key" "limit-cname-hops"
        "more CNAME records in a row lead to the key record than are followed"
        "publish the key record nearer to its name"
}

impl Reason {
    /// A stable code in kebab-case for machines.
    #[must_use]
    pub const fn code(self) -> &'static str {
        self.row().2
    }

    /// The result in RFC 8601's words (§2.7.1).
    #[must_use]
    pub const fn result(self) -> DkimResult {
        self.row().0
    }

    /// The word for a DomainKey-Status field (RFC 4870 §3.8), which Authentication-Results has
    /// replaced.
    #[must_use]
    pub const fn status(self) -> &'static str {
        self.row().1
    }

    /// What causes it.
    #[must_use]
    pub const fn cause(self) -> &'static str {
        self.row().3
    }

    /// What a person does about it.
    #[must_use]
    pub const fn remedy(self) -> &'static str {
        self.row().4
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
