//! A runtime of several threads, all of which have started.

use std::num::NonZero;
use std::{io, panic, process, thread};

use tokio::runtime::{Builder, Runtime};

use crate::diagnostics::Failure;
use crate::exit::Exit;

/// A runtime of at most so many threads, and of no more than there are cores.
///
/// Where one of them does not start, as for want of memory, the process ends with that failure: the
/// library panics then, and on the way out waits for those that did start, which nothing ends.
pub(crate) fn of_threads(most: usize) -> Result<Runtime, Failure> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let usual = panic::take_hook();
    panic::set_hook(Box::new(|_| {
        no_thread("not all that are needed").tell();
        process::exit(Exit::Temporary.code().into());
    }));
    let runtime = Builder::new_multi_thread().worker_threads(cores.min(most)).enable_all().build();
    panic::set_hook(usual);
    runtime.map_err(|error: io::Error| no_thread(error))
}

/// What is said when a thread does not start.
pub(crate) fn no_thread(why: impl std::fmt::Display) -> Failure {
    Failure::new(Exit::Temporary, format_args!("a thread did not start: {why}"))
}
