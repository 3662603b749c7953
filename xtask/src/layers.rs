//! `cargo xtask layers`: the arrows between the crates, and what may be named where.

mod arrows;
mod sources;

use anyhow::{Result, bail};

use crate::house::House;

/// Check the arrows between the crates, and what may be named where.
#[derive(clap::Args)]
pub(crate) struct Options {}

pub(crate) fn run(_: &Options) -> Result<()> {
    let house = House::read()?;
    let mut broken = arrows::broken(&house);
    broken.extend(sources::broken(&house));
    if !broken.is_empty() {
        for line in &broken {
            eprintln!("{line}");
        }
        bail!("{} rules of the house broken (ARCHITECTURE.md)", broken.len());
    }
    let arrows: usize = house.crates.iter().map(|one| one.arrows.len()).sum();
    println!(
        "{} crates, {arrows} dependencies, {} files: every arrow goes down",
        house.crates.len(),
        house.files.len()
    );
    Ok(())
}
