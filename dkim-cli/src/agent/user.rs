//! The process itself: what it may do, and what others may do to it.

use std::fs;
use std::io;

use rustix::process::{DumpableBehavior, Gid, Uid, set_dumpable_behavior};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};

use crate::diagnostics::Failure;
use crate::exit::Exit;
use crate::key::Owner;

/// No core dump, and no other process of the same user may look into this one: its memory is full
/// of keys.
pub(super) fn hide() -> io::Result<()> {
    Ok(set_dumpable_behavior(DumpableBehavior::NotDumpable)?)
}

/// Becomes a user, with no way back, before there is a second thread: in Linux each thread has a
/// user of its own, and passes it on to those that it starts.
pub(super) fn become_user(owner: Owner) -> Result<(), Failure> {
    let failed = |why: &dyn std::fmt::Display| {
        Failure::new(Exit::Usage, format!("cannot become the user of --user: {why}"))
            .remedy("start as root, or leave --user out and start as that user")
    };
    let threads = fs::read_dir("/proc/self/task").map_err(|error| failed(&error))?.count();
    if threads != 1 {
        return Err(failed(&"there are other threads"));
    }
    let (user, group) = owner.numbers();
    let (user, group) = (Uid::from_raw(user), Gid::from_raw(group));
    let become_all = || -> rustix::io::Result<()> {
        // The user last: nobody else may change groups.
        set_thread_groups(&[])?;
        set_thread_res_gid(group, group, group)?;
        set_thread_res_uid(user, user, user)
    };
    become_all().map_err(|error| failed(&error))?;
    // A change of user may have undone this.
    hide().map_err(|error| failed(&error))
}
