//! How keys that change are published, and who is told.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How keys that change are published, and who is told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Rotation {
    /// The name server that takes updates (RFC 2136); without one a person publishes, and is told
    /// what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerAddress>,
    /// The file with the TSIG key for it (RFC 8945), seen from the directory of the configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tsig: Option<PathBuf>,
    /// The zone that is updated; the server is asked if it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// The name servers that must show a record before it counts; the authoritative ones, as the
    /// system's servers name them, if none is said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub servers: Vec<ServerAddress>,
    /// The user who is to have the files of new keys, as `USER` or `USER:GROUP`; whoever runs the
    /// rotation, if it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The command, and its arguments, that tells whoever signs that the signing key has changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hook: Vec<String>,
}

/// The address of a name server: `192.0.2.1`, `192.0.2.1:5353`, `2001:db8::1`, `[2001:db8::1]` or
/// `[2001:db8::1]:5353`. Port 53 unless said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ServerAddress(pub SocketAddr);

impl FromStr for ServerAddress {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const PORT: u16 = 53;

        let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
        let with_port = |address: IpAddr| SocketAddr::new(address, PORT);
        text.parse()
            .or_else(|_| bare.parse().map(with_port))
            .map(Self)
            .map_err(|_| "an IP address is needed, and perhaps a port: 192.0.2.1, [2001:db8::1]:53")
    }
}

impl TryFrom<String> for ServerAddress {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ServerAddress> for String {
    fn from(address: ServerAddress) -> Self {
        address.to_string()
    }
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
