//! Private keys in files. Nothing of what stands in them is ever told.

mod delete;
mod name;
mod reveal;

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dkim_crypto::{PrivateKey, PrivateKeyError};
use zeroize::Zeroizing;

use crate::directory::{directory_of, sync_directory_of};

pub use self::delete::{delete_key, delete_unfinished};
pub use self::name::key_file_name;
pub use self::reveal::reveal_key;

/// How long a key file may be, in octets.
pub(crate) const LIMIT: usize = 64 * 1024;

/// Reads a private key from a file, whatever form it has: PEM with PKCS#8 or PKCS#1, text around it
/// or not, the same in DER, or the 32 octets of an Ed25519 key in base64 on one line, as dkimpy
/// writes them.
///
/// # Errors
///
/// When the file cannot be read, is too long, or holds no key that can be used. Errors tell lines by
/// number and never their text.
pub fn read_key(path: &Path) -> Result<PrivateKey, KeyFileError> {
    let octets = read_octets(path).map_err(KeyFileError::Unreadable)?;
    if octets.len() > LIMIT {
        return Err(KeyFileError::TooLong { limit: LIMIT });
    }
    read(&octets).map_err(KeyFileError::Key)
}

/// What stands in a file that may hold a secret; of one that is too long, one octet more than it may
/// have.
pub(crate) fn read_octets(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    // Room for all at once: a vector that grows leaves copies of itself behind.
    let mut octets = Zeroizing::new(Vec::with_capacity(LIMIT + 2));
    let beyond = u64::try_from(LIMIT + 1).unwrap_or(u64::MAX);
    File::open(path)?.take(beyond).read_to_end(&mut octets)?;
    Ok(octets)
}

/// Recognizes a key by what it is, not by what its file is called.
pub(crate) fn read(octets: &[u8]) -> Result<PrivateKey, PrivateKeyError> {
    /// An ASN.1 SEQUENCE whose length takes more than one octet, or a short one.
    const SEQUENCE: u8 = 0x30;

    match PrivateKey::from_pem(octets) {
        Err(PrivateKeyError::NoPem) => match octets.first() {
            Some(&SEQUENCE) => {
                PrivateKey::from_der(octets).or_else(|error| seed(octets).ok_or(error))
            }
            _ => seed(octets).ok_or(PrivateKeyError::NoPem),
        },
        read => read,
    }
}

/// The octets of an Ed25519 key (RFC 8032 §5.1.5) in base64.
fn seed(octets: &[u8]) -> Option<PrivateKey> {
    const BASE64_OF_32_OCTETS: usize = 44;
    let text = octets.trim_ascii();
    if text.len() != BASE64_OF_32_OCTETS {
        return None;
    }
    let mut seed = Zeroizing::new([0; 33]);
    let len = STANDARD.decode_slice(text, &mut *seed).ok()?;
    let seed: &[u8; 32] = seed.get(..len)?.try_into().ok()?;
    Some(PrivateKey::from_ed25519_seed(seed))
}

/// Writes a key to a file that only its owner can read, and never over another: into a temporary
/// file beside it, onto the disk, and only then under its name. Whoever is interrupted leaves a key
/// or none.
///
/// `owner` is to have the file, as user and group; only the superuser can give files away.
///
/// # Errors
///
/// When there is something of that name already, or the file cannot be made or given away.
pub fn save_new(
    path: &Path,
    key: &PrivateKey,
    owner: Option<(u32, u32)>,
) -> Result<(), KeyFileError> {
    let directory = directory_of(path);
    directory.metadata().map_err(KeyFileError::NotMade)?;
    // It has mode 0600, and a name that tells what it was to become: whoever is killed leaves it.
    let mut file = tempfile::Builder::new()
        .prefix(&unfinished(path))
        .rand_bytes(RANDOM)
        .tempfile_in(directory)
        .map_err(KeyFileError::NotMade)?;
    file.write_all(key.to_pkcs8_pem().as_bytes()).map_err(KeyFileError::NotMade)?;
    if let Some((user, group)) = owner {
        std::os::unix::fs::fchown(file.as_file(), Some(user), Some(group))
            .map_err(KeyFileError::NotGiven)?;
    }
    file.as_file().sync_all().map_err(KeyFileError::NotMade)?;
    file.persist_noclobber(path).map_err(|error| match error.error.kind() {
        io::ErrorKind::AlreadyExists => KeyFileError::Exists,
        _ => KeyFileError::NotMade(error.error),
    })?;
    // The name, too, is to outlast a power cut. Not every file system can say so.
    let _ = sync_directory_of(path);
    Ok(())
}

/// How many letters and digits stand at the end of the names of files that are to become another.
const RANDOM: usize = 6;

/// How the names of files begin that are to become this one.
fn unfinished(path: &Path) -> OsString {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".");
    name
}

/// Why there is no key, or no file with it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// The file cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(#[source] io::Error),
    /// It is too long for a key.
    #[error("longer than {limit} octets: not a key file")]
    TooLong {
        /// The limit, in octets.
        limit: usize,
    },
    /// It holds no usable key.
    #[error(transparent)]
    Key(PrivateKeyError),
    /// There is something of this name already.
    #[error("is there already, and keys are never written over")]
    Exists,
    /// The file cannot be made.
    #[error("cannot be made: {0}")]
    NotMade(#[source] io::Error),
    /// It would be where private keys are kept.
    #[error("is where private keys are kept, and what is revealed needs another directory")]
    NotApart,
    /// The file cannot be given to its owner.
    #[error("cannot be given to its owner: {0}")]
    NotGiven(#[source] io::Error),
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;

    use super::*;

    const SEED: [u8; 32] = [7; 32];

    #[test]
    fn keys_are_recognized_by_what_they_are() {
        let pem = PrivateKey::from_ed25519_seed(&SEED).to_pkcs8_pem();
        let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let der = STANDARD.decode(base64).unwrap();
        let raw = STANDARD.encode(SEED);
        let crlf = pem.replace('\n', "\r\n");
        let noted = format!("for example.com, made in spring\n\n{}", pem.as_str());
        // Base64 that begins like DER does.
        let zero = STANDARD.encode([0xdf; 32]);
        for file in [
            pem.as_bytes(),
            &der,
            raw.as_bytes(),
            format!("{raw}\r\n").as_bytes(),
            crlf.as_bytes(),
            noted.as_bytes(),
        ] {
            assert_eq!(read(file).unwrap().expose_secret(), SEED);
        }
        assert_eq!(read(zero.as_bytes()).unwrap().expose_secret(), [0xdf; 32]);
    }

    #[test]
    fn what_is_no_key_is_told_without_its_text() {
        for file in ["", "secret", &STANDARD.encode([1; 31]), &STANDARD.encode([1; 33]), "0secret"]
        {
            let error = read(file.as_bytes()).unwrap_err();
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_file_is_never_written_over() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key.pem");
        save_new(&path, &PrivateKey::from_ed25519_seed(&SEED), None).unwrap();
        let again = save_new(&path, &PrivateKey::from_ed25519_seed(&[8; 32]), None);
        assert!(matches!(again, Err(KeyFileError::Exists)));
        assert_eq!(read_key(&path).unwrap().expose_secret(), SEED);
        // Nothing is left lying about.
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_key_file_has_64_kib() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let pem = PrivateKey::from_ed25519_seed(&SEED).to_pkcs8_pem();
        let notes = "x".repeat(LIMIT - pem.len() - 1);
        fs::write(&file, format!("{notes}\n{}", pem.as_str())).unwrap();
        assert_eq!(read_key(file.path()).unwrap().expose_secret(), SEED);
        fs::write(&file, format!("x{notes}\n{}", pem.as_str())).unwrap();
        let refused = read_key(file.path());
        assert!(matches!(refused, Err(KeyFileError::TooLong { limit: LIMIT })));
    }
}
