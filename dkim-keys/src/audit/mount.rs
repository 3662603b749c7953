//! What only the operating system can tell of a file.

use std::path::Path;

/// The kind of the file system, if other machines see it, too.
#[cfg(target_os = "linux")]
pub(super) fn shared(path: &Path) -> Option<&'static str> {
    // The numbers of statfs(2).
    const SHARED: [(u32, &str); 6] = [
        (0x0000_6969, "NFS"),
        (0xff53_4d42, "CIFS"),
        (0xfe53_4d42, "SMB"),
        (0x0102_1997, "9p"),
        (0x00c3_6400, "Ceph"),
        (0x5346_414f, "AFS"),
    ];
    let magic = rustix::fs::statfs(path).ok()?.f_type;
    // Signed in some places, and some have their upper bit set.
    let magic = u32::try_from(magic & 0xffff_ffff).ok()?;
    SHARED.iter().find(|(number, _)| *number == magic).map(|(_, kind)| *kind)
}

/// Elsewhere there are no such numbers.
#[cfg(not(target_os = "linux"))]
pub(super) fn shared(_: &Path) -> Option<&'static str> {
    None
}

/// Whether the file has an access control list beside its mode.
#[cfg(target_os = "linux")]
pub(super) fn has_access_list(path: &Path) -> bool {
    // Its length is all that is asked for.
    let mut nothing: [u8; 0] = [];
    rustix::fs::getxattr(path, "system.posix_acl_access", &mut nothing).is_ok_and(|len| len > 0)
}

/// Elsewhere they are kept in other ways.
#[cfg(not(target_os = "linux"))]
pub(super) fn has_access_list(_: &Path) -> bool {
    false
}
