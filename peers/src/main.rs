//! Verifies messages with the implementation named on the command line: a line a job, which is
//! JSON, a tab and the message in base64; JSON out. With `--version` it prints the version.
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
    let (verify, version): (Verify, &str) = match arguments.first().map(String::as_str) {
        Some("mail-auth") => (mail_auth::verify, mail_auth::VERSION),
        Some("cfdkim") => (cfdkim::verify, cfdkim::VERSION),
        _ => return Err("mail-auth or cfdkim".into()),
    };
    if arguments.get(1).is_some_and(|option| option == "--version") {
        println!("{version}");
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
