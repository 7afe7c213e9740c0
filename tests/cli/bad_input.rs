//! Bad input: what the program says, how it exits, and what it leaves behind.
//!
//! Exit codes: 0 done, 1 some input failed, 2 wrong usage or nothing could run. Never a panic, never a file half
//! written.

use std::io::{Read, Write};
use std::path::Path;
use std::process::Stdio;

use crate::program::*;

#[test]
fn an_empty_file() {
    let folder = Folder::new();
    for name in ["a.txt", "a.html", "a.csv", "a.jsonl"] {
        folder.save(name, "");
        folder.predict(name).says(1, &[name]).prints_nothing();
    }
    folder.train("a.csv").says(2, &["a.csv", "empty"]);
    folder.train("a.jsonl").says(2, &["a.jsonl", "no labelled row"]);
    folder.save("blank.txt", " \n\n\t").predict("blank.txt").says(1, &["blank.txt"]);
}

#[test]
fn a_binary_file() {
    let folder = Folder::new();
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0";
    for name in ["a.txt", "a.html", "a.csv", "a.jsonl", "a.png"] {
        folder.save(name, png).predict(name).says(1, &[name, "a PNG image", "expected text"]).prints_nothing();
    }
    folder.save("b.txt", b"Norway\0praised\0Chile").predict("b.txt").says(1, &["b.txt", "binary data"]);
    folder.train("a.csv").says(2, &["a.csv", "a PNG image"]);
    folder.evaluate("a.csv").says(2, &["a.csv", "a PNG image"]);
}

#[test]
fn bytes_that_are_not_utf8() {
    let folder = Folder::new();
    // Windows-1252 is read, with a warning.
    folder.save("old.txt", b"Norway praised Chile in a caf\xE9.");
    let ended = folder.predict("old.txt");
    ended.says(0, &["warning", "old.txt:1", "0xE9", "Windows-1252"]);
    assert!(ended.stdout.contains("in a café."), "{}", ended.stdout);
    let quiet = folder.run(&["predict", "old.txt", "--all-actors", "--quiet", "--model", MODEL]);
    assert_eq!((quiet.code, quiet.stderr.as_str()), (Some(0), ""));
    // One stray byte among UTF-8 is damage, not another encoding.
    folder.save("mixed.txt", b"Norway praised Chile.\nA na\xC3\xAFve caf\xE9.");
    folder.predict("mixed.txt").says(1, &["mixed.txt:2:", "0xE9", "UTF-8"]).prints_nothing();
    folder.save("mixed.csv", [HEADER.as_bytes(), b"Na\xC3\xAFve \xE9,Norway,Chile,aligned\n"].concat());
    folder.train("mixed.csv").says(2, &["mixed.csv:2", "0xE9"]);
}

#[test]
fn a_table_without_a_column() {
    let folder = Folder::new();
    folder.save("a.csv", "text,state,actor\nNorway praised Chile.,Norway,Chile\n");
    folder.train("a.csv").says(2, &["a.csv:1", "`text`, `state`, `actor`", "`label`"]);
    folder.evaluate("a.csv").says(2, &["a.csv:1", "`label`"]).prints_nothing();
    folder.save("b.csv", "words,state\nNorway praised Chile.,Norway\n");
    folder.predict("b.csv").says(1, &["b.csv:1", "`words`", "`text`", "--text-field"]).prints_nothing();
    folder.save("c.csv", "text;state;actor\nNorway praised Chile.;Norway;Chile\n");
    folder.train("c.csv").says(2, &["c.csv:1", "`text`, `state`, `actor`", "`label`"]);
    folder.save("d.jsonl", "{\"text\": \"Norway praised Chile.\", \"state\": \"Norway\", \"actor\": \"Chile\"}\n");
    folder.train("d.jsonl").says(2, &["d.jsonl:1", "`label`"]);
}

#[test]
fn an_unknown_label() {
    let folder = Folder::new();
    folder.save("a.csv", format!("{HEADER}{GOOD}Norway praised Chile.,Norway,Chile,friendly\n"));
    folder.train("a.csv").says(2, &["a.csv:4:4", "friendly", "aligned", "neutral", "opposed"]);
    // In an evaluation the other rows count, and the exit says that one did not.
    let ended = folder.evaluate("a.csv");
    ended.says(1, &["a.csv:4:4", "friendly"]);
    assert!(ended.stdout.contains("2 rows"), "{}", ended.stdout);
    // A map makes it known.
    let ended = folder.run(&["evaluate", "--data", "a.csv", "--model", MODEL, "--label-map", "friendly=aligned"]);
    ended.says(0, &[]);
    let ended = folder.run(&["evaluate", "--data", "a.csv", "--label-map", "friendly=nice"]);
    ended.says(2, &["friendly=nice", "aligned"]).prints_nothing();
}

#[test]
fn a_ragged_row() {
    let folder = Folder::new();
    folder.save("a.csv", format!("{HEADER}{GOOD}Norway praised Chile, its friend.,Norway,Chile,aligned\n"));
    folder.train("a.csv").says(2, &["a.csv:4", "5", "4"]);
    folder.evaluate("a.csv").says(1, &["a.csv:4"]);
    folder.save("b.csv", "id,text\n1,Norway praised Chile.\n2\n3,Peru praised Oman.\n");
    let ended = folder.predict("b.csv");
    ended.says(1, &["b.csv:3"]);
    assert!(ended.stdout.contains("Norway praised") && ended.stdout.contains("Peru praised"), "{}", ended.stdout);
}

#[test]
fn a_quote_that_is_never_closed() {
    let folder = Folder::new();
    folder.save("a.csv", format!("{HEADER}{GOOD}\"Norway praised Chile.,Norway,Chile,aligned\n{GOOD}"));
    folder.train("a.csv").says(2, &["a.csv:4", "never closed"]);
    folder.evaluate("a.csv").says(1, &["a.csv:4", "never closed"]);
    folder.save("b.csv", "id,text\n1,Norway praised Chile.\n2,\"Peru praised Oman.\n");
    let ended = folder.predict("b.csv");
    ended.says(1, &["b.csv:3", "never closed"]);
    assert!(ended.stdout.contains("Norway praised"), "{}", ended.stdout);
}

#[test]
fn no_rows() {
    let folder = Folder::new();
    folder.save("a.csv", HEADER);
    folder.train("a.csv").says(2, &["a.csv", "no labelled row"]);
    let ended = folder.evaluate("a.csv");
    ended.says(2, &["a.csv", "no labelled row"]).prints_nothing();
    folder.predict("a.csv").says(1, &["a.csv", "no article"]).prints_nothing();
    // Rows whose text names no such pair are no rows either.
    folder.save("b.csv", format!("{HEADER}It rained.,Norway,Chile,aligned\nIt snowed.,Norway,Chile,opposed\n"));
    folder.train("b.csv").says(2, &["b.csv", "labelled row whose text names both"]);
}

#[test]
fn one_class_only() {
    let folder = Folder::new();
    let rows = ["praised", "thanked", "backed"].map(|verb| format!("Norway {verb} Chile.,Norway,Chile,aligned\n"));
    folder.save("a.csv", format!("{HEADER}{}", rows.concat()));
    folder.train("a.csv").says(2, &["all 3 rows", "aligned", "at least two"]);
}

#[test]
fn offsets_that_point_nowhere() {
    let folder = Folder::new();
    let header = "text,state,actor,label,state_start,state_end,actor_start,actor_end\n";
    let row = |offsets: &str| format!("{header}Norway praised Chile.,Norway,Chile,aligned,{offsets}\n");
    for (offsets, parts) in [
        ("0,6,15,99", ["a.csv:2", "99"]),
        ("6,0,15,20", ["a.csv:2", "6"]),
        ("0,0,15,20", ["a.csv:2", "0"]),
        ("0,six,15,20", ["a.csv:2:6", "six"]),
        ("-1,6,15,20", ["a.csv:2:5", "-1"]),
        ("0,6,,", ["a.csv:2", "actor_start"]),
        ("0,6,15,18446744073709551616", ["a.csv:2", "18446744073709551616"]),
    ] {
        folder.save("a.csv", row(offsets));
        folder.train("a.csv").says(2, &parts);
        folder.evaluate("a.csv").says(2, &parts);
    }
}

#[test]
fn a_name_that_the_gazetteer_lacks() {
    let folder = Folder::new();
    folder.save("a.txt", "Norway praised Chile.");
    let ended = folder.run(&["predict", "a.txt", "--actor", "Norwy", "--model", MODEL]);
    ended.says(2, &["`Norwy`", "did you mean", "`Norway`"]).prints_nothing();
    let ended = folder.run(&["explain", "a.txt", "--state", "Chlie", "--actor", "Norway", "--model", MODEL]);
    ended.says(2, &["`Chlie`", "`Chile`"]).prints_nothing();
    folder.run(&["gazetteer", "find", "Rusia"]).says(2, &["`Rusia`", "`Russia`"]).prints_nothing();
    folder.save("a.csv", format!("{HEADER}{GOOD}Norway praised Chile.,Norwy,Chile,aligned\n"));
    folder.train("a.csv").says(2, &["a.csv:4", "`Norwy`", "`Norway`"]);
    folder.evaluate("a.csv").says(2, &["a.csv:4", "`Norwy`", "`Norway`"]);
}

#[test]
fn one_huge_line() {
    let folder = Folder::new();
    // Above the limit of a line, 64 MiB; then a good article.
    let huge = "Norway praised Chile. ".repeat(70_000_000 / 22);
    let good = "{\"id\": \"good\", \"text\": \"Norway praised Chile.\"}";
    folder.save("a.jsonl", format!("{{\"text\": \"{huge}\"}}\n{good}\n"));
    let ended = folder.predict("a.jsonl");
    ended.says(1, &["a.jsonl:1", "MiB"]);
    assert!(ended.stdout.contains("\"id\":\"good\""), "{}", ended.stdout);
    folder.save("a.csv", format!("text\n{huge}\n"));
    folder.predict("a.csv").says(1, &["a.csv:2", "MiB"]).prints_nothing();
    folder.save("a.txt", huge);
    folder.predict("a.txt").says(1, &["a.txt", "MiB"]).prints_nothing();
}

#[test]
fn a_folder_without_articles() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("empty")).expect("a folder");
    folder.predict("empty").says(2, &["empty", "no article"]).prints_nothing();
    std::fs::create_dir(folder.path("photos")).expect("a folder");
    folder.save("photos/a.png", "x").predict("photos").says(2, &["photos", "no article"]);
    folder.train("empty").says(2, &["empty"]);
}

#[test]
fn a_file_that_is_not_there_or_not_readable() {
    let folder = Folder::new();
    folder.predict("nowhere.txt").says(2, &["nowhere.txt", "No such file"]).prints_nothing();
    folder.train("nowhere.csv").says(2, &["nowhere.csv"]);
    folder.evaluate("nowhere.csv").says(2, &["nowhere.csv"]);
    let ended = folder.run(&["train", "--config", "nowhere.toml", "--output", "out.detente"]);
    ended.says(2, &["nowhere.toml"]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        folder.save("secret.txt", "Norway praised Chile.");
        let locked = std::fs::Permissions::from_mode(0o000);
        std::fs::set_permissions(folder.path("secret.txt"), locked).expect("our own file");
        if std::fs::File::open(folder.path("secret.txt")).is_ok() {
            println!("skipped: this user may read everything");
        } else {
            folder.predict("secret.txt").says(1, &["secret.txt", "ermission"]).prints_nothing();
        }
    }
}

#[test]
fn one_bad_article_among_many() {
    let folder = Folder::new();
    folder.save("a.txt", "Norway praised Chile.");
    folder.save("b.txt", b"\x89PNG\r\n\x1a\n\0\0");
    folder.save("c.txt", "Peru praised Oman.");
    let args = ["predict", "a.txt", "nowhere.txt", "b.txt", "c.txt", "--all-actors", "--format", "jsonl"];
    let ended = folder.run(&[&args[..], &["--model", MODEL]].concat());
    ended.says(1, &["nowhere.txt", "b.txt"]);
    assert!(ended.stdout.contains("\"id\":\"a.txt\"") && ended.stdout.contains("\"id\":\"c.txt\""), "{}", ended.stdout);

    let lines = "{\"id\":\"one\",\"text\":\"Norway praised Chile.\"}\n{\"id\": broken\n{\"text\": 5}\n[1]\n\
                 {\"id\":\"two\",\"text\":\"Peru praised Oman.\"}\n";
    let ended = folder.save("d.jsonl", lines).predict("d.jsonl");
    ended.says(1, &["d.jsonl:2:", "d.jsonl:3:", "d.jsonl:4:"]);
    assert!(ended.stdout.contains("\"id\":\"one\"") && ended.stdout.contains("\"id\":\"two\""), "{}", ended.stdout);
    assert_eq!(ended.stderr.lines().count(), 3, "{}", ended.stderr);

    // The results of the good ones are kept in a file, too.
    let to_file = ["predict", "d.jsonl", "--all-actors", "--format", "csv", "--output", "out.csv", "--model", MODEL];
    folder.run(&to_file).says(1, &["d.jsonl:2:"]).prints_nothing();
    let written = std::fs::read_to_string(folder.path("out.csv")).expect("it is there");
    assert!(
        written.starts_with("id,path,title,date,url,source,language,state,") && written.contains("\ntwo,"),
        "{written}"
    );
}

#[test]
fn gzip_that_is_damaged() {
    let folder = Folder::new();
    let line =
        |n: u64| format!("{{\"text\":\"Norway praised Chile {} times.\"}}\n", n.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let lines: String = (0..5_000).map(line).collect();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let bytes = encoder.write_all(lines.as_bytes()).and_then(|()| encoder.finish()).expect("memory takes all");
    folder.save("a.jsonl.gz", &bytes[..bytes.len() / 2]);
    let ended = folder.predict("a.jsonl.gz");
    ended.says(1, &["a.jsonl.gz:", "cut short"]);
    assert!(ended.stdout.lines().count() > 1_000, "what was whole is done");
}

#[test]
fn models_that_cannot_be_used() {
    let folder = Folder::new();
    folder.save("a.txt", "Norway praised Chile.");
    folder.save("a.csv", format!("{HEADER}{GOOD}"));
    let model = std::fs::read(MODEL).expect("it is there");
    let mut damaged = model.clone();
    *damaged.last_mut().expect("bytes") ^= 1;
    let newer = {
        let key = br#"\"format_version\":1"#;
        let at = model.windows(key.len()).position(|window| window == key).expect("a version");
        let mut newer = model.clone();
        newer[at + key.len() - 1] = b'7';
        newer
    };
    for (name, bytes, parts) in [
        ("damaged.detente", damaged.as_slice(), &["damaged.detente", "damaged", "checksum"][..]),
        ("cut.detente", &model[..model.len() / 2], &["cut.detente", "truncated"]),
        ("newer.detente", &newer, &["newer.detente", "version 7"]),
        ("empty.detente", b"", &["empty.detente", "not a detente model"]),
        ("photo.detente", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", &["photo.detente", "not a detente model"]),
    ] {
        folder.save(name, bytes);
        folder.run(&["predict", "a.txt", "--all-actors", "--model", name]).says(2, parts).prints_nothing();
        folder.run(&["evaluate", "--data", "a.csv", "--model", name]).says(2, parts).prints_nothing();
        folder.run(&["inspect", name]).says(2, parts).prints_nothing();
    }
    // A table is no model, but may be what a program predicted.
    folder.save("rows.csv", HEADER);
    folder
        .run(&["predict", "a.txt", "--all-actors", "--model", "rows.csv"])
        .says(2, &["rows.csv", "not a detente model"]);
    let ended = folder.run(&["evaluate", "--data", "a.csv", "--model", "rows.csv"]);
    ended.says(2, &["rows.csv:1", "expected a column `id`"]).prints_nothing();
    let ended = folder.run(&["predict", "a.txt", "--all-actors", "--model", "nowhere.detente"]);
    ended.says(2, &["nowhere.detente", "No such file"]).prints_nothing();
}

#[test]
fn what_cannot_be_written_is_known_before_the_work() {
    let folder = Folder::new();
    folder.save("a.txt", "Norway praised Chile.").save("a.csv", format!("{HEADER}{GOOD}"));
    std::fs::create_dir(folder.path("sub")).expect("a folder");
    let before = folder.names();
    for (command, flags) in [
        (&["predict", "a.txt", "--all-actors", "--model", MODEL][..], &["--output", "--html"][..]),
        (&["trend", "a.txt", "--all-actors", "--model", MODEL], &["--output", "--html"]),
        (&["evaluate", "--data", "a.csv", "--model", MODEL], &["--json", "--predictions", "--html"]),
        (&["train", "--data", "a.csv"], &["--output"]),
        (&["data", "check", "a.csv"], &["--json"]),
    ] {
        for flag in flags {
            let run = |path: &str| folder.run(&[command, &[*flag, path]].concat());
            run("nowhere/a.csv").says(2, &[flag, "nowhere/a.csv: there is no folder nowhere"]).prints_nothing();
            run("nowhere/").says(2, &[flag, "nowhere/ is the name of a folder"]).prints_nothing();
            run("a.txt/a.csv").says(2, &[flag, "a.txt/a.csv: cannot write there"]).prints_nothing();
            run(&"long".repeat(99)).says(2, &[flag, "cannot write there"]).prints_nothing();
            run("sub").says(2, &[flag, "sub is a folder"]).prints_nothing();
        }
    }
    assert_eq!(folder.names(), before);
}

/// What stands in a file to which standard output was led stays there.
#[cfg(unix)]
#[test]
fn standard_output_by_its_name_is_standard_output() {
    let folder = Folder::new();
    folder.save("a.txt", "Norway praised Chile.").save("log.jsonl", "before\n");
    let log = std::fs::File::options().append(true).open(folder.path("log.jsonl")).expect("it is there");
    let args = ["predict", "a.txt", "--all-actors", "--model", MODEL, "--format", "jsonl", "--output", "/dev/stdout"];
    let ended = folder.command(&args).stdout(log).status().expect("the program starts");
    assert_eq!(ended.code(), Some(0));
    let log = std::fs::read_to_string(folder.path("log.jsonl")).expect("it is there");
    assert_eq!(log, format!("before\n{}", folder.predict("a.txt").stdout));
    assert!(log.contains("Norway"));
}

#[test]
fn bad_recipes_and_gazetteers() {
    let folder = Folder::new();
    folder.save("typo.toml", "[params]\nsede = 3\n");
    let recipe = |name: &str| folder.run(&["train", "--config", name, "--output", "out.detente"]);
    recipe("typo.toml").says(2, &["typo.toml:2", "sede"]);
    folder.save("lost.toml", "[[data]]\npath = \"lost.csv\"\norigin = \"the attic\"\n");
    recipe("lost.toml").says(2, &["lost.csv", "the attic"]);
    folder.save("a.csv", format!("{HEADER}{GOOD}"));
    folder.save("other.toml", format!("[[data]]\npath = \"a.csv\"\nsha256 = \"{}\"\n", "0".repeat(64)));
    recipe("other.toml").says(2, &["a.csv", "SHA-256", "000000"]);
    let ended = folder.run(&["train", "--data", DATA, "--cv", "1", "--output", "out.detente"]);
    ended.says(2, &["--cv", "at least 2"]);
    let ended = folder.run(&["train", "--data", DATA, "--c", "-1", "--output", "out.detente"]);
    ended.says(2, &["-1"]);
    let ended = folder.run(&["train", "--data", DATA, "--group", "story", "--output", "out.detente"]);
    ended.says(2, &["small.csv:2", "`story`"]);
    folder.save("names.csv", "code,name,kind,region,alias,how\nSYLD,Sylvania,planet,Europe,Sylvanian,adjective\n");
    let ended = folder.run(&["gazetteer", "list", "--gazetteer", "names.csv"]);
    ended.says(2, &["names.csv:2", "planet"]).prints_nothing();
    assert!(!folder.path("out.detente").exists());
}

#[test]
fn a_folder_that_is_not_there_for_the_output() {
    let folder = Folder::new();
    folder.save("a.txt", "Norway praised Chile.");
    let ended = folder.run(&["predict", "a.txt", "--all-actors", "--output", "no/such/out.csv", "--model", MODEL]);
    ended.says(2, &["no/such/out.csv"]);
    let ended = folder.run(&["train", "--data", DATA, "--output", "no/such/out.detente"]);
    ended.says(2, &["no/such/out.detente"]);
    assert_eq!(folder.names(), ["a.txt"]);
}

/// A file that was there stays as it was when the run that should replace it fails.
#[test]
fn a_failed_run_leaves_the_older_file() {
    let folder = Folder::new();
    folder.save("a.csv", HEADER).save("out.detente", "older").save("out.csv", "older");
    folder.train("a.csv").says(2, &["a.csv"]);
    let to_file = ["predict", "a.csv", "--actor", "Nowhereland", "--output", "out.csv", "--model", MODEL];
    folder.run(&to_file).says(2, &["Nowhereland"]);
    for name in ["out.detente", "out.csv"] {
        assert_eq!(std::fs::read_to_string(folder.path(name)).expect("it is there"), "older");
    }
    assert_eq!(folder.names(), ["a.csv", "out.csv", "out.detente"]);
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{FileTypeExt, PermissionsExt};

    use super::*;

    const FULL: &str = "/dev/full";

    /// Enough articles that the results fill every buffer.
    fn many(folder: &Folder) {
        let line = "{\"text\": \"Norway praised Chile. Peru condemned Oman.\"}\n";
        folder.save("many.jsonl", line.repeat(20_000));
    }

    fn is_device(path: &str) -> bool {
        std::fs::metadata(path).is_ok_and(|found| found.file_type().is_char_device())
    }

    #[test]
    fn a_full_disk() {
        if !is_device(FULL) {
            println!("skipped: no {FULL}");
            return;
        }
        let folder = Folder::new();
        many(&folder);
        folder.save("few.txt", "Norway praised Chile.");
        for path in ["few.txt", "many.jsonl"] {
            for format in ["table", "csv", "jsonl"] {
                let full = std::fs::OpenOptions::new().write(true).open(FULL).expect("it can be opened");
                let args = ["predict", path, "--all-actors", "--format", format, "--model", MODEL];
                let output = folder.command(&args).stdout(full).output().expect("the program starts");
                let ended = Ended::new(output.status.code(), output.stdout, &output.stderr);
                ended.says(2, &["No space left"]);
            }
        }
        for args in [
            &["evaluate", "--data", DATA, "--model", MODEL][..],
            &["inspect", MODEL],
            &["gazetteer", "list"],
            &["gazetteer", "list", "--format", "csv"],
            &["explain", "few.txt", "--state", "Norway", "--actor", "Chile", "--model", MODEL],
            &["completions", "bash"],
            &["man"],
        ] {
            let full = std::fs::OpenOptions::new().write(true).open(FULL).expect("it can be opened");
            let output = folder.command(args).stdout(full).output().expect("the program starts");
            Ended::new(output.status.code(), output.stdout, &output.stderr).says(2, &["No space left"]);
        }
    }

    /// A device is written to, not replaced by a file of its name.
    #[test]
    fn a_device_as_output_stays_a_device() {
        if !is_device("/dev/null") || !is_device(FULL) {
            println!("skipped: no /dev/null or {FULL}");
            return;
        }
        let folder = Folder::new();
        folder.save("a.txt", "Norway praised Chile.");
        // Links of our own: a program that renames over them replaces the link and not the device.
        std::os::unix::fs::symlink("/dev/null", folder.path("null")).expect("a link");
        std::os::unix::fs::symlink(FULL, folder.path("full")).expect("a link");
        let predict = |output| {
            folder.run(&["predict", "a.txt", "--all-actors", "--format", "csv", "--output", output, "--model", MODEL])
        };
        let train = |output| folder.run(&["train", "--quiet", "--data", DATA, "--output", output]);
        predict("null").says(0, &[]).prints_nothing();
        predict("full").says(2, &["full", "No space left"]).prints_nothing();
        train("null").says(0, &[]);
        train("full").says(2, &["full", "No space left"]);
        for link in ["null", "full"] {
            let kind = std::fs::symlink_metadata(folder.path(link)).expect("it is there").file_type();
            assert!(kind.is_symlink(), "{link} was replaced");
        }
        assert_eq!(folder.names(), ["a.txt", "full", "null"]);
    }

    /// A link stays a link; the file that it leads to is replaced.
    #[test]
    fn output_through_a_link_goes_to_the_file() {
        let folder = Folder::new();
        std::fs::create_dir(folder.path("store")).expect("a folder");
        folder.save("a.txt", "Norway praised Chile.").save("store/out.csv", "older");
        std::os::unix::fs::symlink("store/out.csv", folder.path("out.csv")).expect("a link");
        let args = ["predict", "a.txt", "--all-actors", "--format", "csv", "--output", "out.csv", "--model", MODEL];
        folder.run(&args).says(0, &[]);
        assert!(folder.path("out.csv").is_symlink());
        let written = std::fs::read_to_string(folder.path("store/out.csv")).expect("it is there");
        assert!(written.starts_with("id,path,title,date,url,source,language,state,"), "{written}");
    }

    /// Output files may be read by whom the user's umask lets read them.
    #[test]
    fn output_files_have_the_usual_permissions() {
        let folder = Folder::new();
        folder.save("a.txt", "Norway praised Chile.");
        let mode = |name: &str| std::fs::metadata(folder.path(name)).expect("it is there").permissions().mode() & 0o777;
        let usual = mode("a.txt");
        folder.run(&["predict", "a.txt", "--all-actors", "--output", "out.txt", "--model", MODEL]).says(0, &[]);
        folder.run(&["train", "--data", DATA, "--output", "out.detente"]).says(0, &[]);
        assert_eq!(
            [mode("out.txt"), mode("out.detente")].map(|m| format!("{m:o}")),
            [(); 2].map(|()| format!("{usual:o}"))
        );
    }

    #[test]
    fn a_closed_pipe_is_no_failure() {
        let folder = Folder::new();
        many(&folder);
        for (args, read) in [
            (&["predict", "many.jsonl", "--all-actors", "--format", "jsonl", "--model", MODEL][..], 10),
            (&["predict", "many.jsonl", "--all-actors", "--format", "csv", "--model", MODEL], 10),
            (&["predict", "many.jsonl", "--all-actors", "--format", "table", "--model", MODEL], 10),
            (&["gazetteer", "list"], 0),
            (&["gazetteer", "list", "--format", "csv"], 0),
            (&["gazetteer", "list", "--format", "jsonl"], 0),
            (&["inspect", MODEL, "--top", "1000"], 0),
            (&["evaluate", "--data", DATA, "--model", MODEL], 0),
            (&["completions", "bash"], 0),
            (&["man"], 0),
        ] {
            let mut child =
                folder.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
            let mut stdout = child.stdout.take().expect("a pipe");
            let mut first = vec![0; read];
            stdout.read_exact(&mut first).expect("some output");
            drop(stdout);
            let output = child.wait_with_output().expect("it ends");
            let ended = Ended::new(output.status.code(), Vec::new(), &output.stderr);
            ended.says(0, &[]);
            assert_eq!(ended.stderr, "", "{args:?}");
        }
    }

    #[test]
    fn standard_input_is_read_like_a_file() {
        let folder = Folder::new();
        let feed = |args: &[&str], input: &[u8]| {
            let mut child = folder
                .command(args)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .expect("the program starts");
            child.stdin.take().expect("a pipe").write_all(input).expect("it reads");
            let output = child.wait_with_output().expect("it ends");
            Ended::new(output.status.code(), output.stdout, &output.stderr)
        };
        let args = ["predict", "-", "--all-actors", "--input-format", "jsonl", "--format", "jsonl", "--model", MODEL];
        let ended = feed(&args, b"{\"text\": \"Norway praised Chile.\"}\n{\"txt\": \"Peru praised Oman.\"}\n");
        ended.says(1, &["-:2", "`txt`", "`text`"]);
        assert!(ended.stdout.contains("\"id\":\"-:1\""), "{}", ended.stdout);
        feed(&args, b"").says(1, &["-: no article"]).prints_nothing();
        feed(&args, b"\xFF\xD8\xFF").says(1, &["-: found a JPEG image"]).prints_nothing();
    }
}

#[test]
fn the_files_that_these_tests_stand_on_are_good() {
    let folder = Folder::new();
    folder.save("good.csv", format!("{HEADER}{}", GOOD.repeat(10)));
    let ended = folder.train(Path::new(DATA).to_str().expect("UTF-8"));
    ended.says(0, &["40 rows", "wrote out.detente"]);
    folder.evaluate("good.csv").says(0, &[]);
    folder.save("a.txt", "Norway praised Chile.").predict("a.txt").says(0, &[]);
}

#[test]
fn a_model_file_that_is_not_there() {
    let folder = Folder::new();
    folder.save("a.txt", "Norway praised Chile.");
    for (model, file) in [("accurate", "accurate"), ("small", "small"), ("cascade", "small")] {
        let args = ["predict", "a.txt", "--all-actors", "--model", model];
        let output = folder.command(&args).env("DETENTE_MODELS", folder.path("nowhere")).output().expect("it starts");
        let ended = Ended::new(output.status.code(), output.stdout, &output.stderr);
        let missing = format!("{file}.detente is not found");
        ended.says(2, &[&missing, "DETENTE_MODELS", "--model fast"]).prints_nothing();
    }
    folder.run(&["predict", "a.txt", "--all-actors", "--model", "none.detente"]).says(2, &["none.detente"]);
    folder.run(&["predict", "a.txt", "--all-actors", "--model", "fast"]).says(0, &[]);
}
