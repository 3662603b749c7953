//! What a vector is made of.

/// A message, the DNS it is judged against, the time, and what a verifier has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Vector {
    /// A name in kebab-case, its own in the directory.
    pub id: String,
    /// What it shows, in a few words.
    pub title: String,
    /// The message, octet for octet.
    pub message: Vec<u8>,
    /// The whole DNS, as a master file.
    pub zone: Vec<u8>,
    /// When the message is judged, in seconds since the epoch.
    pub time: u64,
    /// What is expected of each DKIM-Signature field, top to bottom.
    pub expect: Vec<Expected>,
    /// Words to choose vectors by, such as `may`.
    pub tags: Vec<String>,
    /// The section that decides, such as `6376 3.5 l=`.
    pub section: String,
    /// Who made the message.
    pub source: String,
}

impl Vector {
    /// Whether the vector has this tag.
    #[must_use]
    pub fn has_tag(&self, tag: &str) -> bool {
        self.tags.iter().any(|own| own == tag)
    }
}

/// What is expected of one signature.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Expected {
    /// The result wanted first, in RFC 8601's words (§2.7.1).
    pub result: String,
    /// Every result that the RFCs allow.
    pub accept: Vec<String>,
    /// Why: a class such as `body-hash-mismatch`.
    pub reason: String,
    /// `d=`; `None` where it cannot be read.
    pub domain: Option<String>,
    /// `s=`; `None` where it cannot be read.
    pub selector: Option<String>,
    /// `dkim`, or `domainkeys` for a DomainKey-Signature field (RFC 4870).
    #[serde(rename = "type", default = "dkim")]
    pub kind: String,
}

fn dkim() -> String {
    "dkim".to_owned()
}
