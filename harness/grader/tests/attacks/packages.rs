//! Hostile packages: archives and folders that are made to harm whoever unpacks them.

use std::{
    fs,
    io::{Cursor, Write},
    os::unix::{ffi::OsStringExt, fs::symlink},
    path::Path,
};

use flate2::{Compression, write::GzEncoder};
use workbook_grader::model::Verdict::{self, Fail, Pass, Ungradable};

/// A package that was written to the class: its name in the results, what it comes to, words that are told.
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) verdict: Verdict,
    pub(crate) told: &'static str,
}

const SEND: &str = "hello-world/src/bin/send.rs";

fn package(name: &str, verdict: Verdict, told: &'static str) -> Package {
    Package {
        name: name.to_owned(),
        verdict,
        told,
    }
}

/// Writes all of them into a class. `send` is a correct program.
pub(crate) fn write(class: &Path, send: &str, secret: &Path) -> Vec<Package> {
    let mut all = archives(class, send);
    all.extend(folders(class, send, secret));
    all.extend(settings(class, send));
    all.extend(names(class, send));
    all
}

/// An entry of a tar archive, whose name is written as it is.
fn entry(
    kind: tar::EntryType,
    name: &[u8],
    target: &str,
    contents: &[u8],
) -> (tar::Header, Vec<u8>) {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(contents.len() as u64);
    header.set_mode(0o644);
    // The library would refuse such names, and an attacker would not use it.
    header.as_old_mut().name[..name.len()].copy_from_slice(name);
    header.as_old_mut().linkname[..target.len()].copy_from_slice(target.as_bytes());
    header.set_cksum();
    (header, contents.to_vec())
}

fn tar_gz(path: &Path, entries: &[(tar::Header, Vec<u8>)]) {
    let gz = GzEncoder::new(fs::File::create(path).unwrap(), Compression::default());
    let mut archive = tar::Builder::new(gz);
    for (header, contents) in entries {
        archive.append(header, contents.as_slice()).unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap();
}

fn zip_of(path: &Path, files: &[(&str, &[u8], Option<u32>)]) {
    let mut archive = zip::ZipWriter::new(fs::File::create(path).unwrap());
    for (name, contents, mode) in files {
        let mut options = zip::write::SimpleFileOptions::default();
        if let Some(mode) = mode {
            options = options.unix_permissions(*mode);
        }
        archive.start_file(*name, options).unwrap();
        archive.write_all(contents).unwrap();
    }
    archive.finish().unwrap();
}

fn archives(class: &Path, send: &str) -> Vec<Package> {
    use tar::EntryType::{Block, Char, Fifo, Link, Regular, Symlink};
    let good = || entry(Regular, SEND.as_bytes(), "", send.as_bytes());
    let tars: [(&str, Verdict, &'static str, Vec<_>); 11] = [
        ("tar-good", Pass, "", vec![good()]),
        (
            "tar-climbs",
            Ungradable,
            "leads out",
            vec![good(), entry(Regular, b"../../../tmp/climbed.rs", "", b"x")],
        ),
        (
            "tar-absolute",
            Ungradable,
            "absolute",
            vec![good(), entry(Regular, b"/tmp/climbed.rs", "", b"x")],
        ),
        (
            "tar-symlink",
            Ungradable,
            "symbolic link",
            vec![
                good(),
                entry(Symlink, b"hello-world/src/x.rs", "/etc/passwd", b""),
            ],
        ),
        (
            "tar-symlinked-folder",
            Ungradable,
            "symbolic link",
            vec![
                entry(Symlink, b"hello-world/src", "/etc", b""),
                entry(Regular, b"hello-world/src/evil.rs", "", b"x"),
            ],
        ),
        (
            "tar-hard-link",
            Ungradable,
            "hard link",
            vec![
                good(),
                entry(Link, b"hello-world/src/x.rs", "/etc/passwd", b""),
            ],
        ),
        (
            "tar-device",
            Ungradable,
            "no plain file",
            vec![good(), entry(Char, b"hello-world/src/x.rs", "", b"")],
        ),
        (
            "tar-disk",
            Ungradable,
            "no plain file",
            vec![good(), entry(Block, b"hello-world/src/y.rs", "", b"")],
        ),
        (
            "tar-pipe",
            Ungradable,
            "no plain file",
            vec![good(), entry(Fifo, b"hello-world/src/x.rs", "", b"")],
        ),
        (
            "tar-twice",
            Ungradable,
            "twice",
            vec![good(), entry(Regular, SEND.as_bytes(), "", b"fn main() {}")],
        ),
        (
            "tar-other-case",
            Ungradable,
            "same name",
            vec![
                good(),
                entry(Regular, b"hello-world/src/bin/SEND.rs", "", b"x"),
            ],
        ),
    ];
    let mut all = Vec::new();
    for (name, verdict, told, entries) in tars {
        tar_gz(&class.join(format!("{name}.tar.gz")), &entries);
        all.push(package(name, verdict, told));
    }
    // 300 MiB of nothing, in some hundred kilobytes.
    let nothing = vec![0; 300 << 20];
    tar_gz(
        &class.join("tar-bomb.tar.gz"),
        &[
            good(),
            entry(Regular, b"hello-world/data.bin", "", &nothing),
        ],
    );
    all.push(package("tar-bomb", Ungradable, "unpacks to too much"));
    zip_of(
        &class.join("zip-bomb.zip"),
        &[
            (SEND, send.as_bytes(), None),
            ("hello-world/src/zero.rs", &nothing, None),
        ],
    );
    all.push(package("zip-bomb", Ungradable, "larger than"));
    drop(nothing);

    zip_of(
        &class.join("zip-good.zip"),
        &[(SEND, send.as_bytes(), None)],
    );
    all.push(package("zip-good", Pass, ""));
    zip_of(
        &class.join("zip-in-folder.zip"),
        &[
            (
                &format!("repository-main/exercises/01-{SEND}"),
                send.as_bytes(),
                None,
            ),
            ("repository-main/README.md", b"hello", None),
        ],
    );
    all.push(package("zip-in-folder", Pass, ""));
    zip_of(
        &class.join("zip-climbs.zip"),
        &[
            (SEND, send.as_bytes(), None),
            ("../../climbed.rs", b"x", None),
        ],
    );
    all.push(package("zip-climbs", Ungradable, "leads out"));
    zip_of(
        &class.join("zip-backslash.zip"),
        &[
            (SEND, send.as_bytes(), None),
            ("..\\..\\climbed.rs", b"x", None),
        ],
    );
    all.push(package("zip-backslash", Ungradable, "backslash"));
    zip_link(&class.join("zip-symlink.zip"), send);
    all.push(package("zip-symlink", Ungradable, "symbolic link"));
    let many: Vec<String> = (0..51_000)
        .map(|n| format!("hello-world/src/{n}"))
        .collect();
    let mut files: Vec<(&str, &[u8], Option<u32>)> = many
        .iter()
        .map(|it| (it.as_str(), &b""[..], None))
        .collect();
    files.push((SEND, send.as_bytes(), None));
    zip_of(&class.join("zip-many.zip"), &files);
    all.push(package("zip-many", Ungradable, "entries"));

    fs::write(class.join("garbage.zip"), b"PK\x03\x04 this is no archive").unwrap();
    all.push(package("garbage", Ungradable, "no zip archive"));
    let mut whole = Cursor::new(Vec::new());
    let mut archive = tar::Builder::new(GzEncoder::new(&mut whole, Compression::default()));
    let (header, contents) = good();
    archive.append(&header, contents.as_slice()).unwrap();
    archive.into_inner().unwrap().finish().unwrap();
    let whole = whole.into_inner();
    fs::write(class.join("cut-off.tar.gz"), &whole[..whole.len() / 2]).unwrap();
    all.push(package("cut-off", Ungradable, ""));
    all
}

fn zip_link(path: &Path, send: &str) {
    let mut archive = zip::ZipWriter::new(fs::File::create(path).unwrap());
    let options = zip::write::SimpleFileOptions::default();
    archive.start_file(SEND, options).unwrap();
    archive.write_all(send.as_bytes()).unwrap();
    archive
        .add_symlink("hello-world/src/x.rs", "/etc/passwd", options)
        .unwrap();
    archive.finish().unwrap();
}

/// Writes a submission that is a folder.
pub(crate) fn folder(class: &Path, name: &str, files: &[(&str, &str)]) {
    for (path, contents) in files {
        let path = class.join(name).join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, contents).unwrap();
    }
}

fn folders(class: &Path, send: &str, secret: &Path) -> Vec<Package> {
    let mut all = Vec::new();
    let mut add = |name: &str, told, more: &dyn Fn(&Path)| {
        folder(class, name, &[(SEND, send)]);
        more(&class.join(name));
        all.push(package(name, Ungradable, told));
    };
    add("link-in-folder", "symbolic link", &|at| {
        symlink(secret, at.join("hello-world/src/x.rs")).unwrap();
    });
    add("link-to-folder", "symbolic link", &|at| {
        symlink("/etc", at.join("hello-world/src/etc")).unwrap();
    });
    add("link-for-send", "symbolic link", &|at| {
        fs::remove_file(at.join(SEND)).unwrap();
        symlink(secret, at.join(SEND)).unwrap();
    });
    add("link-for-src", "symbolic link", &|at| {
        fs::remove_dir_all(at.join("hello-world/src")).unwrap();
        symlink("/etc", at.join("hello-world/src")).unwrap();
    });
    add("hard-link", "hard link", &|at| {
        fs::hard_link(secret, at.join("hello-world/src/x.rs")).unwrap();
    });
    add("pipe", "no plain file", &|at| {
        let path = at.join("hello-world/src/x.rs");
        assert!(
            std::process::Command::new("mkfifo")
                .arg(path)
                .status()
                .unwrap()
                .success()
        );
    });
    add("socket", "no plain file", &|at| {
        drop(std::os::unix::net::UnixListener::bind(at.join("hello-world/src/x.rs")).unwrap());
    });
    add("two-folders", "which of these", &|at| {
        folder(at, "exercises", &[(&format!("01-{SEND}"), send)]);
    });
    add("two-sends", "which of these", &|at| {
        folder(at, "hello-world/src/bin/send", &[("main.rs", send)]);
    });
    add("other-form", "same name", &|at| {
        folder(
            at,
            "hello-world/src",
            &[("caf\u{e9}.rs", ""), ("cafe\u{301}.rs", "")],
        );
    });
    add("invisible-name", "control characters", &|at| {
        folder(at, "hello-world/src", &[("a\u{202e}b.rs", "")]);
    });
    add("large-file", "larger than", &|at| {
        folder(at, "hello-world/src", &[("large.rs", &"/".repeat(2 << 20))]);
    });
    add("name-not-utf8", "not UTF-8", &|at| {
        let name = std::ffi::OsString::from_vec(b"\xff\xfe.rs".to_vec());
        fs::write(at.join("hello-world/src").join(name), "").unwrap();
    });

    fs::create_dir(class.join("empty")).unwrap();
    all.push(package("empty", Ungradable, "no exercise"));
    folder(
        class,
        "send-is-a-folder",
        &[
            ("hello-world/src/bin/send.rs/x.txt", ""),
            ("hello-world/src/other.rs", ""),
        ],
    );
    all.push(package("send-is-a-folder", Verdict::Error, "no program"));
    fs::write(class.join("notes.txt"), "remember the milk").unwrap();
    all.push(package("notes.txt", Ungradable, "neither"));
    symlink(secret.parent().unwrap(), class.join("link-itself")).unwrap();
    all.push(package("link-itself", Ungradable, "symbolic link"));
    folder(class, ".hidden", &[(SEND, send)]);
    all.push(package(".hidden", Ungradable, "hidden"));
    all
}

/// Files that would bend a build, if anybody used them: the programs are correct, and nothing of it happens.
fn settings(class: &Path, send: &str) -> Vec<Package> {
    let touch = |what: &str| {
        format!(
            "fn main() {{ std::fs::write(\"/tmp/climbed-{what}\", \"\").unwrap(); std::process::exit(1) }}"
        )
    };
    let mut all = Vec::new();
    let mut add = |name: &str, files: &[(&str, &str)]| {
        folder(class, name, &[(SEND, send)]);
        folder(class, name, files);
        all.push(package(name, Pass, ""));
    };
    add(
        "own-manifest",
        &[
            (
                "hello-world/Cargo.toml",
                "[package]\nname = \"hello-world\"\nbuild = \"build.rs\"\nautotests = false\n[patch.crates-io]\nlapin = { path = \"../evil\" }\n",
            ),
            ("hello-world/build.rs", &touch("manifest")),
        ],
    );
    add(
        "own-settings",
        &[
            (
                ".cargo/config.toml",
                "[build]\nrustc-wrapper = \"/bin/false\"\nrustflags = [\"-Clinker=/bin/false\"]\n[target.x86_64-unknown-linux-gnu]\nrunner = \"/bin/true\"\n[env]\nINSTA_FORCE_PASS = \"1\"\n",
            ),
            (
                "hello-world/.cargo/config.toml",
                "[build]\nrustc = \"/bin/false\"\n",
            ),
        ],
    );
    add(
        "own-toolchain",
        &[
            (
                "rust-toolchain.toml",
                "[toolchain]\nchannel = \"nightly\"\n",
            ),
            ("hello-world/rust-toolchain", "beta"),
        ],
    );
    add(
        "own-checks",
        &[
            (
                "hello-world/tests/grade.rs",
                "#[test] fn send_leaves_one_message() {}",
            ),
            ("exercises/course.toml", "format_version = 1"),
        ],
    );
    add(
        "own-build-script",
        &[
            ("hello-world/src/build.rs", &touch("script")),
            ("hello-world/src/bin/build.rs", &touch("bin")),
        ],
    );
    add(
        "own-clippy-and-rustfmt",
        &[
            ("hello-world/clippy.toml", "x"),
            ("hello-world/rustfmt.toml", "x"),
            ("Cargo.lock", "x"),
        ],
    );
    folder(
        class,
        "library",
        &[
            ("hello-world/src/lib.rs", "pub mod words;"),
            (
                "hello-world/src/words.rs",
                "pub const HELLO: &[u8] = b\"Hello World!\";",
            ),
            (
                SEND,
                &send.replace("b\"Hello World!\"", "hello_world::words::HELLO"),
            ),
        ],
    );
    all.push(package("library", Pass, ""));
    folder(
        class,
        "send-in-folder",
        &[("hello-world/src/bin/send/main.rs", send)],
    );
    all.push(package("send-in-folder", Pass, ""));
    folder(class, "only-src", &[("src/bin/send.rs", send)]);
    all.push(package("only-src", Pass, ""));
    folder(
        class,
        "python",
        &[
            (
                "hello-world/workbook.toml",
                "programs = { send = \"python3 send.py\" }",
            ),
            ("hello-world/send.py", "print('hi')"),
        ],
    );
    all.push(package("python", Ungradable, "another language"));
    folder(class, "todo", &[(SEND, "fn main() { todo!() }")]);
    all.push(package("todo", Fail, "todo!"));
    all
}

/// Names in any script, and names that try something.
fn names(class: &Path, send: &str) -> Vec<Package> {
    let plain = [
        "学生-王小明",
        "الطالبة",
        "Zoë Ångström",
        "ім'я",
        "=cmd|' 'C'!A1",
        "-rf",
        "--out",
        "$(touch x)",
        "a;b&c",
        "<b>bold",
        "😀",
        "CON",
        "name with  spaces",
    ];
    let mut all: Vec<Package> = plain
        .iter()
        .map(|name| {
            folder(class, name, &[(SEND, send)]);
            package(name, Pass, "")
        })
        .collect();
    for (raw, shown) in [
        (&b"\xff\xfename"[..], "%FF%FEname"),
        (b"tab\tand\nline", "tab%09and%0Aline"),
        ("right\u{202e}tfel".as_bytes(), "right%E2%80%AEtfel"),
    ] {
        let at = class.join(std::ffi::OsString::from_vec(raw.to_vec()));
        fs::create_dir_all(at.join("hello-world/src/bin")).unwrap();
        fs::write(at.join(SEND), send).unwrap();
        all.push(package(shown, Pass, ""));
    }
    // Two entries with one stem are two submissions.
    folder(class, "twin", &[(SEND, send)]);
    zip_of(&class.join("twin.zip"), &[(SEND, send.as_bytes(), None)]);
    all.push(package("twin", Pass, ""));
    all
}
