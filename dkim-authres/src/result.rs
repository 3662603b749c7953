//! The result words of the methods that belong to DKIM, as IANA's registry has them.

use std::fmt;

/// An enum of result words: the enum, its one table of names, and what reads and writes it.
macro_rules! result_words {
    (
        $(#[$about:meta])*
        $name:ident { $($(#[$meaning:meta])* $variant:ident = $word:literal,)+ }
    ) => {
        $(#[$about])*
        #[allow(clippy::exhaustive_enums, reason = "a registry closed by its RFC")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$meaning])* $variant,)+
        }

        impl $name {
            /// All of them, in the order of the RFC.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word, as it stands in the field.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            /// What the word means, in upper or lower case; `None` for a word not of this method.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|word| word.name().eq_ignore_ascii_case(name))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

result_words! {
    /// Results of `dkim` (RFC 8601 §2.7.1).
    DkimResult {
        /// The message was not signed.
        None = "none",
        /// The signature was acceptable and passed verification.
        Pass = "pass",
        /// The signature was acceptable and failed verification.
        Fail = "fail",
        /// Some aspect of the signature was not acceptable here.
        Policy = "policy",
        /// The signature could not be processed, or a failure not covered elsewhere.
        Neutral = "neutral",
        /// No verdict, by an error that is likely transient.
        TempError = "temperror",
        /// No verdict, by an error that a later attempt is unlikely to mend.
        PermError = "permerror",
    }
}

result_words! {
    /// Results of `dkim-adsp` (RFC 5617 §5.4).
    AdspResult {
        /// No record was published.
        None = "none",
        /// The message has a valid Author Domain Signature.
        Pass = "pass",
        /// No valid Author Domain Signature; the record says `unknown`.
        Unknown = "unknown",
        /// No valid Author Domain Signature; the record says `all`.
        Fail = "fail",
        /// No valid Author Domain Signature; the record says `discardable`.
        Discard = "discard",
        /// The Author Domain does not exist in the DNS.
        NxDomain = "nxdomain",
        /// The record could not be retrieved, by an error that is likely transient.
        TempError = "temperror",
        /// The record could not be retrieved, by an error that a later attempt is unlikely to mend.
        PermError = "permerror",
    }
}

result_words! {
    /// Results of `dkim-atps` (RFC 6541 §8.3).
    AtpsResult {
        /// No valid signature had an `atps` tag.
        None = "none",
        /// A valid signature came from an authorized third party.
        Pass = "pass",
        /// No valid signature with an `atps` tag was found to be authorized.
        Fail = "fail",
        /// The evaluation could not be completed, by an error that is likely transient.
        TempError = "temperror",
        /// The evaluation could not be completed, by an error that a later attempt is unlikely to mend.
        PermError = "permerror",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_the_registry() {
        let words = |all: Vec<String>| all.join(" ");
        assert_eq!(
            words(DkimResult::ALL.iter().map(ToString::to_string).collect()),
            "none pass fail policy neutral temperror permerror"
        );
        assert_eq!(
            words(AdspResult::ALL.iter().map(ToString::to_string).collect()),
            "none pass unknown fail discard nxdomain temperror permerror"
        );
        assert_eq!(
            words(AtpsResult::ALL.iter().map(ToString::to_string).collect()),
            "none pass fail temperror permerror"
        );
    }

    #[test]
    fn names_read_back() {
        for &result in DkimResult::ALL {
            assert_eq!(DkimResult::from_name(result.name()), Some(result));
        }
        assert_eq!(AdspResult::from_name("NXDomain"), Some(AdspResult::NxDomain));
        assert_eq!(DkimResult::from_name("nxdomain"), None);
        assert_eq!(DkimResult::from_name(""), None);
    }
}
