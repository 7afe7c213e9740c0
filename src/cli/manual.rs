//! `detente completions` and `detente man`: what the shell and `man` need.

use std::io::Write;

use anyhow::Result;
use clap::CommandFactory;
use clap_complete::Shell;

use super::Outcome;
use super::output::stdout;

/// Print a completion script for a shell
///
/// Example: detente completions bash > ~/.local/share/bash-completion/completions/detente
#[derive(Debug, clap::Args)]
pub struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

/// Print the manual page
///
/// Example: detente man > detente.1 && man ./detente.1
#[derive(Debug, clap::Args)]
pub struct ManArgs {}

/// Writes the completion script to stdout.
pub fn completions(args: &CompletionsArgs) -> Result<Outcome> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::Args::command(), "detente", &mut script);
    stdout()?.write_all(&script)?;
    Ok(Outcome::Done)
}

/// Writes the manual page to stdout: the program, then each subcommand.
pub fn man(_: &ManArgs) -> Result<Outcome> {
    let mut stdout = stdout()?;
    let mut command = super::Args::command();
    command.build();
    clap_mangen::Man::new(command.clone()).render(&mut stdout)?;
    for subcommand in command.get_subcommands().filter(|c| c.get_name() != "help") {
        let man = clap_mangen::Man::new(subcommand.clone());
        man.render_name_section(&mut stdout)?;
        man.render_options_section(&mut stdout)?;
    }
    Ok(Outcome::Done)
}
