//! One correct submission, packed in all the ways in which people pack: by systems, tools and platforms.

use std::{collections::BTreeSet, fs, path::Path};

use encoding_rs::{BIG5, Encoding, GBK, IBM866, SHIFT_JIS};

use super::packers::{
    File, How, Tar, file, folder, gzip, gzip_in_members, raw_zip, special, tar, zip,
};

/// The two programs, whose contents are told by name.
pub(crate) struct Good<'a> {
    pub(crate) send: &'a str,
    pub(crate) receive: &'a str,
}

pub(crate) const BIN: &str = "hello-world/src/bin/";

impl Good<'_> {
    /// The programs in the folder of this name.
    pub(crate) fn at(&self, bin: &str) -> Vec<File> {
        vec![
            file(format!("{bin}send.rs"), self.send),
            file(format!("{bin}receive.rs"), self.receive),
        ]
    }

    /// The programs in their exercise, with this before its name.
    pub(crate) fn within(&self, folder: &str) -> Vec<File> {
        self.at(&format!("{folder}{BIN}"))
    }

    fn with(&self, others: impl IntoIterator<Item = File>) -> Vec<File> {
        let mut files = self.within("");
        files.extend(others);
        files
    }

    /// The programs with a folder around, and others beside it.
    fn around(&self, folder: &str, others: impl IntoIterator<Item = File>) -> Vec<File> {
        let mut files: Vec<File> = others.into_iter().collect();
        files.extend(self.within(folder));
        files
    }
}

/// A file beside: what is in it is no text.
fn beside(name: impl AsRef<[u8]>) -> File {
    file(name, b"\0\x05\x16\x07\xff")
}

/// All names in the encoding of a Windows of this language, and backslashes where `windows`.
fn encoded(files: Vec<File>, encoding: &'static Encoding, windows: bool) -> Vec<File> {
    let encode = |file: File| {
        let name = String::from_utf8(file.name.clone()).unwrap();
        let name = if windows {
            name.replace('/', "\\")
        } else {
            name
        };
        let (name, _, unknown) = encoding.encode(&name);
        assert!(!unknown, "{name:?}");
        File {
            name: name.into_owned(),
            ..file
        }
    };
    files.into_iter().map(encode).collect()
}

/// What stands beside the programs in the folder that people pack, most of which is large or no plain file.
pub(crate) fn leftovers(exercise: &str) -> Vec<File> {
    let at = |name: &str| format!("{exercise}{name}");
    vec![
        beside(at("target/debug/deps/send-0123456789abcdef")),
        special(
            b'1',
            &at("target/debug/send"),
            "hello-world/target/debug/deps/send-0123456789abcdef",
        ),
        beside(at("target/debug/build/x/out/send.rs")),
        special(b'2', &at(".venv/bin/python"), "/usr/bin/python3"),
        special(b'2', &at("venv/lib64"), "lib"),
        special(b'2', &at("node_modules/.bin/tsc"), "../typescript/bin/tsc"),
        file(at(".git/config"), "[core]\n"),
        file(at(".idea/workspace.xml"), "<project/>"),
        file(at(".vscode/settings.json"), "{}"),
        beside(at("__pycache__/send.cpython-313.pyc")),
        special(b'2', &at("latest"), "target/debug"),
        special(b'6', &at("pipe"), ""),
        // Editors at work: vim, Emacs, JetBrains, Word.
        beside(at("src/bin/.send.rs.swp")),
        file(at("src/bin/send.rs~"), "fn main() {"),
        special(
            b'2',
            &at("src/bin/.#send.rs"),
            "wang@laptop.4242:1767225600",
        ),
        file(at("src/bin/#send.rs#"), "fn main() {"),
        file(at("src/bin/send.rs.bak"), "fn main() {"),
        beside(at("~$report.docx")),
        // And systems: macOS, Windows, KDE, a network file system.
        beside(at("src/bin/._send.rs")),
        beside(at("src/.DS_Store")),
        beside(at("src/bin/Thumbs.db")),
        beside(at("src/bin/desktop.ini")),
        beside(at("src/.directory")),
        beside(at(".nfs000000000001")),
        // Large, and with no word about it.
        file(at("demo.mp4"), vec![7; 3 << 20]),
        file(at("Cargo.toml"), "[package]\nname = \"hello-world\"\n"),
        file(at("tests/grade.rs"), "#[test] fn x() {}"),
    ]
}

/// Writes each packing into a class; answers the names of its files and folders.
pub(crate) fn pack(class: &Path, good: &Good<'_>) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut add = |name: &str, bytes: Vec<u8>| {
        fs::write(class.join(name), bytes).unwrap();
        assert!(names.insert(name.to_owned()), "{name} twice");
    };
    zips(good, &mut add);
    windows(good, &mut add);
    macs(good, &mut add);
    tars(good, &mut add);
    platforms(good, &mut add);
    folders(class, good, &mut names);
    names
}

fn zips(good: &Good<'_>, add: &mut impl FnMut(&str, Vec<u8>)) {
    let plain = good.within("");
    add("deflated.zip", zip(&plain, How::Deflated));
    add("stored.zip", zip(&plain, How::Stored));
    add("bzip2.zip", zip(&plain, How::Bzip2));
    add("large-sizes.zip", zip(&plain, How::Large));
    add("streamed.zip", zip(&plain, How::Streamed));
    add("ENDING.ZIP", zip(&plain, How::Deflated));
    let folders = ["hello-world/", "hello-world/src/", BIN].map(|name| file(name, ""));
    let with_folders: Vec<File> = folders.into_iter().chain(good.within("")).collect();
    add("with-folders.zip", zip(&with_folders, How::Deflated));
    add(
        "with-a-comment.zip",
        raw_zip(&plain, "my homework PK\x05\x06 of today"),
    );
    add("dot-slash.zip", raw_zip(&good.within("./"), ""));
    add("folder-above.zip", raw_zip(&good.within("../"), ""));
    add("absolute.zip", raw_zip(&good.within("/home/wang/"), ""));
    let modes = |mode| move |file: File| File { mode, ..file };
    let executable = good.within("").into_iter().map(modes(0o100_755));
    let link = special(b'2', "hello-world/latest", "");
    let mut linked: Vec<File> = executable.collect();
    linked.push(File {
        mode: 0o120_777,
        ..link
    });
    add("with-modes-and-a-link.zip", raw_zip(&linked, ""));
    // The same entry once more, and another that nobody uses.
    let mut twice = good.with([file("notes.md", "one"), file("notes.md", "two")]);
    twice.extend(good.within(""));
    add("entries-twice.zip", raw_zip(&twice, ""));
    let locked = File {
        flags: 1,
        ..beside("hello-world/marks.xlsx")
    };
    let strange = File {
        method: Some((97, vec![1, 2, 3])),
        ..beside("hello-world/sound.wav")
    };
    add(
        "locked-and-strange-beside.zip",
        raw_zip(&good.with([locked, strange]), ""),
    );
    let long = "消息队列".repeat(21);
    let names = [format!("{long}.docx"), "👩\u{200d}💻 notes.md".to_owned()];
    let names = names.map(beside);
    add(
        "long-and-emoji-beside.zip",
        zip(&good.with(names), How::Deflated),
    );
    add(
        "emoji-around.zip",
        zip(&good.within("👩\u{200d}💻/"), How::Deflated),
    );
    let deep = "node/".repeat(30) + "index.js";
    add(
        "deep-beside.zip",
        zip(&good.with([beside(deep)]), How::Deflated),
    );
    add("tar-in-truth.zip", gzip(&tar(&plain, Tar::Gnu)));
}

/// What packers on Windows write: names of its own language, and backslashes.
fn windows(good: &Good<'_>, add: &mut impl FnMut(&str, Vec<u8>)) {
    let system = ["Thumbs.db", "desktop.ini", "hello-world/Thumbs.db"].map(beside);
    add("windows.zip", raw_zip(&good.with(system), ""));
    let backslashes = encoded(good.within(""), GBK, true);
    add("backslashes.zip", raw_zip(&backslashes, ""));
    let with_folders = ["hello-world\\", "hello-world\\src\\"].map(|name| file(name, ""));
    let with_folders = with_folders.into_iter().chain(backslashes);
    add(
        "backslashes-and-folders.zip",
        raw_zip(&with_folders.collect::<Vec<_>>(), ""),
    );
    let drive = encoded(good.within("C:/Users/wang/Desktop/"), GBK, true);
    add("drive.zip", raw_zip(&drive, ""));
    for (name, encoding, neighbour, around) in [
        ("gbk", GBK, "实验报告.docx", "王小明的作业/"),
        ("gbk-rare", GBK, "喆.txt", "陶喆/"),
        ("big5", BIG5, "報告.docx", "作業/"),
        ("shift-jis", SHIFT_JIS, "レポート.docx", "課題/"),
        ("866", IBM866, "отчёт.docx", "задание/"),
    ] {
        let beside_it = encoded(good.with([beside(neighbour)]), encoding, false);
        add(&format!("{name}-beside.zip"), raw_zip(&beside_it, ""));
        let around_it = encoded(good.around(around, [beside(neighbour)]), encoding, true);
        add(&format!("{name}-around.zip"), raw_zip(&around_it, ""));
    }
    // Übung/ and résumé.pdf in code page 437.
    let western = good.within("").into_iter().map(|it| File {
        name: [b"\x9abung/", &it.name[..]].concat(),
        ..it
    });
    let western: Vec<File> = western.chain([beside(b"r\x82sum\x82.pdf")]).collect();
    add("437-around.zip", raw_zip(&western, ""));
    // Info-ZIP (0x7075): the name in UTF-8 beside the one in GBK.
    let mut report = encoded(vec![beside("报告.docx")], GBK, false).remove(0);
    let mut crc = flate2::Crc::new();
    crc.update(&report.name);
    let field = [&[1][..], &crc.sum().to_le_bytes(), "报告.docx".as_bytes()].concat();
    let length = u16::try_from(field.len()).unwrap().to_le_bytes();
    report.extra = [&b"\x75\x70"[..], &length, &field].concat();
    add("two-names-beside.zip", raw_zip(&good.with([report]), ""));
    let utf8 = |file: File| File {
        flags: 1 << 11,
        ..file
    };
    let flagged = good.around("作业/", [beside("报告.docx")]);
    let flagged: Vec<File> = flagged.into_iter().map(utf8).collect();
    add("7-zip.zip", raw_zip(&flagged, ""));
}

fn macs(good: &Good<'_>, add: &mut impl FnMut(&str, Vec<u8>)) {
    let resources = |folder: &str| {
        [
            "__MACOSX/._work".to_owned(),
            format!("__MACOSX/{folder}{BIN}._send.rs"),
        ]
        .map(beside)
    };
    add("mac.zip", zip(&good.with(resources("")), How::Streamed));
    let mut around: Vec<File> = resources("work/").into();
    around.extend([".DS_Store", "work/.DS_Store"].map(beside));
    add(
        "mac-around.zip",
        zip(&good.around("work/", around), How::Streamed),
    );
    // The Finder writes UTF-8 and does not say so, and takes letters apart.
    let apart = good.around("U\u{308}bung 作业/", [beside("re\u{301}sume\u{301}.pdf")]);
    add("mac-letters.zip", raw_zip(&apart, ""));
    let mut attributes = good.within("./");
    attributes.push(beside("./hello-world/src/bin/._send.rs"));
    attributes.push(beside("./._hello-world"));
    add("mac.tar.gz", gzip(&tar(&attributes, Tar::Pax)));
}

fn tars(good: &Good<'_>, add: &mut impl FnMut(&str, Vec<u8>)) {
    let plain = good.within("");
    add("gnu.tar.gz", gzip(&tar(&plain, Tar::Gnu)));
    add("ustar.tar.gz", gzip(&tar(&plain, Tar::Ustar)));
    add("v7.tar.gz", gzip(&tar(&plain, Tar::V7)));
    add("pax.tgz", gzip(&tar(&plain, Tar::Pax)));
    add("members.tar.gz", gzip_in_members(&tar(&plain, Tar::Gnu)));
    add("unpacked-by-the-browser.tar.gz", tar(&plain, Tar::Gnu));
    add("plain.tar", tar(&plain, Tar::Ustar));
    add("zip-in-truth.tar.gz", zip(&plain, How::Deflated));
    add("dot-slash.tar.gz", gzip(&tar(&good.within("./"), Tar::Gnu)));
    add(
        "absolute.tar.gz",
        gzip(&tar(&good.within("/home/wang/"), Tar::Gnu)),
    );
    let around = "a-folder-whose-name-is-so-long-that-no-header-of-tar-has-room-for-it/";
    add(
        "long-around.tar.gz",
        gzip(&tar(&good.within(around), Tar::Gnu)),
    );
    let mut others = vec![
        special(b'V', "Homework 1", ""),
        special(b'D', "hello-world/", ""),
    ];
    others.extend(leftovers("hello-world/"));
    others.push(special(b'3', "hello-world/null", ""));
    let sparse = special(b'S', "hello-world/disk.img", "");
    others.push(sparse);
    add(
        "all-of-it.tar.gz",
        gzip(&tar(&good.around("", others), Tar::Gnu)),
    );
    let gbk = encoded(
        good.around("王小明/", [beside("实验报告.docx")]),
        GBK,
        false,
    );
    add("gbk-around.tar.gz", gzip(&tar(&gbk, Tar::Gnu)));
    let twice = good.around("", good.within(""));
    add("entries-twice.tar.gz", gzip(&tar(&twice, Tar::Gnu)));
}

/// What platforms hand on, and what people make of an exercise before they pack it.
fn platforms(good: &Good<'_>, add: &mut impl FnMut(&str, Vec<u8>)) {
    let numbered = |folder: &str| good.at(&format!("{folder}exercises/01-{BIN}"));
    let mut checkout = numbered("rabbitmq-workbook-main/");
    let others = [
        "README.md",
        "book/src/SUMMARY.md",
        "exercises/course.toml",
        "exercises/01-hello-world/tests/grade.rs",
        "solutions/01-hello-world/src/bin/send.rs",
    ];
    checkout.extend(others.map(|it| file(format!("rabbitmq-workbook-main/{it}"), "x")));
    add("github.zip", zip(&checkout, How::Deflated));
    let mut archive = vec![special(b'g', "pax_global_header", "")];
    archive[0].contents = b"52 comment=0123456789abcdef0123456789abcdef01234567\n".to_vec();
    archive.extend(numbered("workbook-v1-0123456/"));
    add("git-archive.tar.gz", gzip(&tar(&archive, Tar::Ustar)));
    let classroom = good.at("hello-world-wang-4f2c/src/bin/");
    add("github-classroom.zip", zip(&classroom, How::Deflated));
    add(
        "wang_LATE_12345_67890_hello-world.zip",
        zip(&good.within(""), How::Deflated),
    );
    let gradescope = good.around("", [file("submission_metadata.yml", ":id: 1\n")]);
    add("submission_123.zip", zip(&gradescope, How::Deflated));
    let readme = good.around("work/", [file("README.md", "my homework\n")]);
    add("readme-beside.zip", zip(&readme, How::Deflated));
    add(
        "weeks.zip",
        zip(
            &good.around("week 1/", [beside("week 2/plan.pdf")]),
            How::Deflated,
        ),
    );
    add(
        "deep.zip",
        zip(&good.within("Users/wang/Desktop/rust/"), How::Deflated),
    );
    add("only-src.zip", zip(&good.at("src/bin/"), How::Deflated));
    let renamed = good.at("Hello World (1)/src/bin/");
    add("renamed.zip", zip(&renamed, How::Deflated));
    add("only-bin.zip", zip(&good.at("bin/"), How::Deflated));
    add("only-files.zip", zip(&good.at(""), How::Deflated));
    add(
        "only-files-around.tar.gz",
        gzip(&tar(&good.at("homework/"), Tar::Gnu)),
    );
    let inner = zip(&good.within(""), How::Deflated);
    add(
        "zip-in-zip.zip",
        zip(&[file("homework.zip", inner)], How::Stored),
    );
}

fn folders(class: &Path, good: &Good<'_>, names: &mut BTreeSet<String>) {
    let mut add = |name: &str, files: Vec<File>| {
        folder(&class.join(name), &files);
        assert!(names.insert(name.to_owned()), "{name} twice");
    };
    add("folder", good.within(""));
    add("all-of-it", good.with(leftovers("hello-world/")));
    add(
        "around",
        good.around("work/", [beside(".DS_Store"), file("README.md", "x")]),
    );
    add(
        "link-beside",
        good.around(
            "exercises/01-",
            [special(b'2', "hello-world", "exercises/01-hello-world")],
        ),
    );
    add("unpacked-elsewhere", encoded(good.within(""), GBK, true));
    let gbk = encoded(good.around("", [beside("实验报告.docx")]), GBK, false);
    add("unpacked-in-gbk", gbk);
    let inner = zip(&good.within(""), How::Deflated);
    add(
        "Alice Smith_12345_assignsubmission_file_",
        vec![file("homework.zip", inner)],
    );
    add("Bo_12346_assignsubmission_file_", good.within(""));
}
