//! Verifies messages with the implementation named on the command line: a line a job, which is
//! JSON, a tab and the message in base64; JSON out. With `--version` it prints the version that is
//! built in.
#![forbid(unsafe_code)]

mod cfdkim;
mod mail_auth;

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{BufRead as _, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// TXT records by name.
type Records = BTreeMap<String, String>;

/// Whether a signature of the message passes; the error is the implementation's, in its words.
type Verify = fn(&[u8], &Records) -> Result<bool, String>;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let name = arguments.first().map_or("", String::as_str);
    let verify: Verify = match name {
        "mail-auth" => mail_auth::verify,
        "cfdkim" => cfdkim::verify,
        _ => return Err("mail-auth or cfdkim".into()),
    };
    if arguments.get(1).is_some_and(|option| option == "--version") {
        println!("{}", locked(name).ok_or("not in Cargo.lock")?);
        return Ok(());
    }
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let (job, message) = line.split_once('\t').ok_or("no tab")?;
        let job: serde_json::Value = serde_json::from_str(job)?;
        let records: Records = serde_json::from_value(job["records"].clone())?;
        let answer = match verify(&STANDARD.decode(message)?, &records) {
            Ok(passes) => serde_json::json!({"pass": passes}),
            Err(error) => serde_json::json!({"error": error}),
        };
        println!("{answer}");
        std::io::stdout().flush()?;
    }
    Ok(())
}

/// The version of a package in the lock file that this program was built with.
fn locked(name: &str) -> Option<&'static str> {
    let lock = include_str!("../Cargo.lock");
    let (_, package) = lock.split_once(&format!("\nname = \"{name}\"\nversion = \""))?;
    package.split('"').next()
}
