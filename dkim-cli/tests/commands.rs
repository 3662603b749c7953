//! The command as it is typed: every case of `tests/cmd`.

use std::path::Path;

#[test]
fn commands_do_as_written() {
    let cases = trycmd::TestCases::new();
    cases.register_bin("dkim", Path::new(env!("CARGO_BIN_EXE_dkim")));
    // As in a terminal of this width, without colours.
    cases.env("COLUMNS", "100").env("NO_COLOR", "1");
    cases.case("tests/cmd/*.trycmd").case("tests/cmd/*.toml");
    if cfg!(feature = "aws-lc-rs") {
        cases.case("tests/cmd/aws-lc-rs/*.trycmd");
    } else {
        cases.case("tests/cmd/ring/*.trycmd");
    }
}
