//! The `ringup` binary: everything is in the library.

fn main() -> std::process::ExitCode {
    ringup::cli::run()
}
