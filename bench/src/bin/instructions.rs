//! Does one cell once, for a tool that counts what the processor does: `cargo xtask bench
//! --instructions`.

use std::process::ExitCode;

use dkim_bench::{Work, cells};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, side] = arguments.as_slice() else {
        eprintln!("usage: instructions CELL ours|limit");
        return ExitCode::from(2);
    };
    let cells = cells();
    let Some(cell) = cells.iter().find(|cell| cell.name() == name) else {
        eprintln!("no cell is called {name}");
        return ExitCode::from(2);
    };
    let pair = cell.make();
    let work = if side == "limit" { &pair.limit } else { &pair.ours };
    // What is done once in the life of a process is done now.
    work.run();
    counted(work);
    ExitCode::SUCCESS
}

/// Between its beginning and its end the tool counts.
#[inline(never)]
fn counted(work: &Work) {
    work.run();
}
