//! The forms in which records are handed to whoever publishes them.

mod hosted;
mod lines;

use std::fmt;

use crate::Publication;

/// A form that DNS servers or providers take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Form {
    /// An entry of a zone file (RFC 1035 §5.1).
    Zone,
    /// The text alone, for a web page that asks for it.
    Plain,
    /// Commands for BIND's `nsupdate` (RFC 2136) that replace whatever TXT records the name has,
    /// unless the name is an alias.
    Nsupdate,
    /// A JSON object of our own.
    Json,
    /// A change batch of Amazon Route 53.
    Route53,
    /// The body of a request to Cloudflare's API.
    Cloudflare,
    /// An entry of an octoDNS zone, in YAML.
    Octodns,
    /// A resource `aws_route53_record` for Terraform; the zone is for the reader to fill in.
    Terraform,
    /// A line for djb's `tinydns-data`.
    Tinydns,
}

impl Form {
    /// All forms.
    pub const ALL: [Self; 9] = [
        Self::Zone,
        Self::Plain,
        Self::Nsupdate,
        Self::Json,
        Self::Route53,
        Self::Cloudflare,
        Self::Octodns,
        Self::Terraform,
        Self::Tinydns,
    ];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Zone => "zone",
            Self::Plain => "plain",
            Self::Nsupdate => "nsupdate",
            Self::Json => "json",
            Self::Route53 => "route53",
            Self::Cloudflare => "cloudflare",
            Self::Octodns => "octodns",
            Self::Terraform => "terraform",
            Self::Tinydns => "tinydns",
        }
    }

    /// The form of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|form| form.name() == name)
    }

    /// Writes a record in this form, closed by a line end.
    #[must_use]
    pub fn write(self, publication: &Publication) -> String {
        match self {
            Self::Zone => lines::zone(publication),
            Self::Plain => format!("{}\n", publication.text),
            Self::Nsupdate => lines::nsupdate(publication),
            Self::Tinydns => lines::tinydns(publication),
            Self::Json => hosted::json(publication),
            Self::Route53 => hosted::route53(publication),
            Self::Cloudflare => hosted::cloudflare(publication),
            Self::Octodns => hosted::octodns(publication),
            Self::Terraform => hosted::terraform(publication),
        }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
