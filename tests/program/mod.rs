//! The program, run as a user runs it, in a folder of its own.
#![allow(dead_code)] // each test uses a part of it

use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A model that loads fast: what is said about bad input does not depend on it.
pub const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/models/v1/small.detente");
pub const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/small.csv");
pub const HEADER: &str = "text,state,actor,label\n";
pub const GOOD: &str = "Norway praised Chile.,Norway,Chile,aligned\nPeru condemned Oman.,Peru,Oman,opposed\n";

/// A folder that is removed at the end.
pub struct Folder(pub tempfile::TempDir);

/// How a command ended.
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Folder {
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn save(&self, name: &str, bytes: impl AsRef<[u8]>) -> &Self {
        std::fs::write(self.path(name), bytes).expect("a file");
        self
    }

    pub fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path()).expect("a folder");
        let mut names: Vec<String> =
            entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_detente"));
        command.args(args).current_dir(self.0.path()).stdin(Stdio::null());
        command
    }

    /// Runs the program in the folder.
    pub fn run(&self, args: &[&str]) -> Ended {
        let output = self.command(args).output().expect("the program starts");
        Ended::new(output.status.code(), output.stdout, &output.stderr)
    }

    pub fn predict(&self, path: &str) -> Ended {
        self.run(&["predict", path, "--all-actors", "--format", "jsonl", "--model", MODEL])
    }

    /// Trains on a file, and proves that a failure leaves nothing.
    pub fn train(&self, path: &str) -> Ended {
        let before = self.names();
        let ended = self.run(&["train", "--data", path, "--output", "out.detente"]);
        if ended.code != Some(0) {
            assert_eq!(self.names(), before, "{}", ended.stderr);
        }
        ended
    }

    pub fn evaluate(&self, path: &str) -> Ended {
        self.run(&["evaluate", "--data", path, "--model", MODEL])
    }
}

impl Ended {
    pub fn new(code: Option<i32>, stdout: Vec<u8>, stderr: &[u8]) -> Self {
        let stderr = String::from_utf8_lossy(stderr).into_owned();
        assert!(!stderr.contains("panicked"), "{stderr}");
        assert!(code.is_some_and(|code| (0..=2).contains(&code)), "exit {code:?}: {stderr}");
        Self { code, stdout: String::from_utf8(stdout).expect("results are UTF-8"), stderr }
    }

    /// Asserts the exit code and what standard error says.
    #[track_caller]
    pub fn says(&self, code: i32, parts: &[&str]) -> &Self {
        for part in parts {
            assert!(self.stderr.contains(part), "`{part}` is not in:\n{}", self.stderr);
        }
        assert_eq!(self.code, Some(code), "{}", self.stderr);
        self
    }

    #[track_caller]
    pub fn prints_nothing(&self) -> &Self {
        assert_eq!(self.stdout, "");
        self
    }
}
