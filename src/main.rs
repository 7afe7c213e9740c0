//! The program `detente`: parse, dispatch, exit code.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    let said = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !detente::source::is_guarded() {
            said(panic);
        }
    }));
    match cli::parse() {
        Ok(args) => cli::run(args),
        Err(code) => code,
    }
}
