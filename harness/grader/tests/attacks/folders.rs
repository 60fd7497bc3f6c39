//! Hostile folders, and files in them that would bend a build or a report.

use std::{
    fs,
    os::unix::{ffi::OsStringExt, fs::symlink},
    path::Path,
};

use workbook_report::Verdict::{self, Fail, Pass, Ungradable};

use super::{
    packages::{Package, SEND, package},
    packers::{How, file, zip},
};

/// Writes a submission that is a folder.
pub(crate) fn folder(class: &Path, name: &str, files: &[(&str, &str)]) {
    for (path, contents) in files {
        let path = class.join(name).join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, contents).unwrap();
    }
}

pub(crate) fn folders(class: &Path, send: &str, secret: &Path) -> Vec<Package> {
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
    symlink(secret.parent().unwrap(), class.join("link-itself")).unwrap();
    all.push(package("link-itself", Ungradable, "symbolic link"));
    fs::write(class.join("homework.rar"), b"Rar!\x1a\x07\x01\0").unwrap();
    all.push(package("homework", Ungradable, "of the form rar"));
    all
}

/// What lies in the folder of a class and is nobody's; answers its names.
pub(crate) fn beside(class: &Path, send: &str) -> Vec<&'static str> {
    folder(class, ".hidden", &[(SEND, send)]);
    folder(class, "__MACOSX", &[("._hello-world", "\0\x05")]);
    let files = [
        ".DS_Store",
        "._homework.zip",
        "Thumbs.db",
        "grades.csv",
        "notes.txt",
        "submission_metadata.yml",
    ];
    for name in files {
        fs::write(class.join(name), "remember the milk").unwrap();
    }
    let mut names = vec![".hidden", "__MACOSX"];
    names.extend(files);
    names.sort_unstable();
    names
}

/// Files that would bend a build, if anybody used them: the programs are correct, and nothing of it happens.
pub(crate) fn settings(class: &Path, send: &str) -> Vec<Package> {
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
    let anyhow = "[package]\nname = \"hello-world\"\n[dependencies]\nanyhow = \"1\"\n";
    folder(
        class,
        "own-crate",
        &[
            ("hello-world/Cargo.toml", anyhow),
            (SEND, "fn main() -> anyhow::Result<()> { Ok(()) }"),
        ],
    );
    let told = "a Cargo.toml of your own is not used; a program may use these crates: futures_lite, lapin, tokio";
    all.push(package("own-crate", Verdict::Error, told));
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
pub(crate) fn names(class: &Path, send: &str) -> Vec<Package> {
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
    let twin = zip(&[file(SEND, send)], How::Deflated);
    fs::write(class.join("twin.zip"), twin).unwrap();
    all.push(package("twin", Pass, ""));
    all
}
