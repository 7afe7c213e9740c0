//! The program as a server, and a client that can misbehave.
#![allow(dead_code)] // each test uses a part of it

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A running server, which is killed at the end.
pub struct Server {
    pub child: Child,
    pub address: SocketAddr,
    pub url: String,
}

/// What it answered.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: String,
    pub body: Vec<u8>,
}

impl Server {
    /// Starts one at a free port, with the fast model unless `args` say another.
    pub fn start(args: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_detente"));
        command.args(["serve", "--port", "0"]).args(args);
        if !args.contains(&"--model") {
            command.args(["--model", "fast"]);
        }
        let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = spawned.expect("the program starts");
        let mut url = String::new();
        let stdout = child.stdout.take().expect("a pipe");
        BufReader::new(stdout).read_line(&mut url).expect("its address");
        let url = url.trim().to_owned();
        let address = url.strip_prefix("http://").and_then(|url| url.trim_end_matches('/').parse().ok());
        Self { child, address: address.unwrap_or_else(|| panic!("no address: {url:?}")), url }
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("a connection");
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a timeout");
        stream
    }

    /// Sends bytes as they are, and reads until the server closes.
    pub fn send(&self, bytes: &[u8]) -> Reply {
        let mut stream = self.connect();
        // What is refused may not be read to its end.
        let _ = stream.write_all(bytes);
        read(stream)
    }

    /// The head of a request.
    pub fn head(&self, method: &str, target: &str, headers: &str) -> Vec<u8> {
        format!("{method} {target} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{headers}\r\n", self.address)
            .into_bytes()
    }

    pub fn get(&self, target: &str) -> Reply {
        self.send(&self.head("GET", target, ""))
    }

    pub fn post(&self, target: &str, content_type: &str, body: impl AsRef<[u8]>) -> Reply {
        let body = body.as_ref();
        let headers = format!("Content-Type: {content_type}\r\nContent-Length: {}\r\n", body.len());
        self.send(&[&self.head("POST", target, &headers), body].concat())
    }

    /// Posts a form with fields, and files by name.
    pub fn form(&self, target: &str, fields: &[(&str, &str)], files: &[(&str, &[u8])]) -> Reply {
        let mut body = Vec::new();
        for (name, value) in fields {
            body.extend(format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").bytes());
        }
        for (name, content) in files {
            let head = format!("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n");
            body.extend(head.bytes());
            body.extend_from_slice(content);
            body.extend(b"\r\n");
        }
        body.extend(b"--b--\r\n");
        self.post(target, "multipart/form-data; boundary=b", body)
    }

    /// Tells it to end.
    #[cfg(unix)]
    pub fn terminate(&self) {
        let ended = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        assert!(ended.expect("kill").success());
    }

    /// Waits for its end; gives its exit code and what it said.
    pub fn wait(mut self) -> (Option<i32>, String) {
        let mut said = String::new();
        self.child.stderr.take().expect("a pipe").read_to_string(&mut said).expect("text");
        (self.child.wait().expect("an end").code(), said)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads an answer until the connection is closed.
pub fn read(mut stream: TcpStream) -> Reply {
    let mut bytes = Vec::new();
    // A reset after the answer is none of its bytes.
    let _ = stream.read_to_end(&mut bytes);
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(bytes.len());
    let headers = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
    let status = headers.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Reply { status, headers, body: bytes.get(end + 4..).unwrap_or_default().to_vec() }
}

impl Reply {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}
