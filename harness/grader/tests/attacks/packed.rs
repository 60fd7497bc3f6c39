//! What is found in a submission does not depend on how it is packed.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use workbook_course::Language;
use workbook_grader::submission::{self, Sources};

use super::{
    packers::{File, Tar, file, folder, raw_zip, special, tar},
    packings::{BIN, Good, leftovers, pack},
    workspace,
};

/// `fn main() { println!("send") }` as Python's zipfile compresses it with LZMA.
const LZMA: &[u8] = b"\x09\x04\x05\x00\x5d\x00\x00\x80\x00\x00\x33\x1b\x80\x05\xd1\x96\x78\xe9\x51\xc0\xd0\x91\xd9\xd9\x18\
\x11\x50\xea\xf7\x3f\xc0\x10\xfe\xb1\xef\x33\x8b\x8f\xd3\xc7\x59\x84\x8f\xca\xf3\xff\xff\xf4\x7a\x14\x00";

/// Writes some of the packings into a class; answers the names of the submissions.
pub(crate) fn some(class: &Path, send: &str) -> Vec<String> {
    let all = tempfile::tempdir().unwrap();
    let good = Good {
        send,
        receive: "fn main() {}",
    };
    pack(all.path(), &good);
    let some = [
        ("backslashes", ".zip"),
        ("gbk-around", ".zip"),
        ("mac-around", ".zip"),
        ("github", ".zip"),
        ("only-files", ".zip"),
        ("pax", ".tgz"),
        ("all-of-it", ".tar.gz"),
        ("all-of-it", ""),
        ("Alice Smith_12345_assignsubmission_file_", ""),
    ];
    let take = |(stem, ending): (&str, &str)| {
        let name = format!("{stem}{ending}");
        fs::rename(all.path().join(&name), class.join(&name)).unwrap();
        stem.to_owned()
    };
    some.map(take).into()
}

#[test]
fn however_it_is_packed_the_same_programs_are_found() {
    let class = tempfile::tempdir().unwrap();
    let good = Good {
        send: "fn main() { println!(\"send\") }\n",
        receive: "fn main() { println!(\"receive\") }\n",
    };
    let names = pack(class.path(), &good);
    assert!(names.len() >= 60, "{} packings", names.len());
    let lzma = File {
        method: Some((14, LZMA.to_vec())),
        ..file(format!("{BIN}send.rs"), good.send)
    };
    let mut files = good.within("");
    files[0] = lzma;
    fs::write(class.path().join("lzma.zip"), raw_zip(&files, "")).unwrap();

    let course = workspace().course;
    let entries = submission::entries(class.path(), &course).unwrap();
    assert_eq!(entries.passed_over, Vec::<String>::new());
    assert_eq!(entries.submissions.len(), names.len() + 1);
    let wanted = good.at("src/bin/").into_iter();
    let wanted: BTreeMap<String, Vec<u8>> = wanted
        .map(|it| (String::from_utf8(it.name).unwrap(), it.contents))
        .collect();
    let mut wrong = Vec::new();
    for entry in &entries.submissions {
        for any_language in [false, true] {
            let handed = entry.read(&course, any_language);
            let right = handed.as_ref().is_ok_and(|handed| {
                handed.exercises.get("hello-world") == Some(&Ok(Sources::Rust(wanted.clone())))
            });
            if !right {
                wrong.push(format!("{}: {handed:?}", entry.path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn below_src_a_module_has_any_name_and_in_another_language_folders_of_tools_are_passed_over() {
    let class = tempfile::tempdir().unwrap();
    let course = workspace().course;
    let read = |name: &str, files: Vec<File>| {
        let mut both = vec![tar(&files, Tar::Gnu)];
        folder(&class.path().join(name), &files);
        fs::write(class.path().join(format!("{name}.tar")), both.remove(0)).unwrap();
        let entries = submission::entries(class.path(), &course).unwrap();
        let mut entries = entries.submissions.into_iter().filter(|it| it.name == name);
        let [one, other] = [entries.next(), entries.next()].map(|entry| {
            let handed = entry.unwrap().read(&course, true).unwrap();
            (handed.exercises["hello-world"].clone(), handed.ignored)
        });
        assert_eq!(one, other, "a folder and an archive are the same");
        one
    };
    let (sources, _) = read(
        "modules",
        vec![
            file("hello-world/src/bin/send.rs", "mod target; mod 消息;"),
            file("hello-world/src/target/mod.rs", ""),
            file("hello-world/src/消息.rs", ""),
        ],
    );
    assert_eq!(sources.unwrap().files().len(), 3);

    let mut python = vec![
        file(
            "hello-world/workbook.toml",
            "programs = { send = \"python3 发送.py\" }",
        ),
        file("hello-world/发送.py", ""),
        file("hello-world\\lib\\", ""),
        file("hello-world/lib/queues.py", ""),
    ];
    let wanted: BTreeSet<&str> = ["workbook.toml", "发送.py", "lib/queues.py"].into();
    python.extend(leftovers("hello-world/").into_iter().filter(|it| {
        let name = str::from_utf8(&it.name).unwrap();
        ["/target/", "venv/", "/node_modules/", "/.", "/__pycache__/"]
            .iter()
            .any(|part| name.contains(part))
    }));
    let (sources, ignored) = read("python", python);
    let sources = sources.unwrap();
    let names: BTreeSet<&str> = sources.files().keys().map(String::as_str).collect();
    assert_eq!(names, wanted);
    assert!(
        ignored.contains(&"hello-world/.venv/".to_owned()),
        "{ignored:?}"
    );

    // A link among the files that are used is told of, with what to do.
    let files = vec![
        file(
            "hello-world/workbook.toml",
            "programs = { send = \"python3 send.py\" }",
        ),
        special(b'2', "hello-world/send.py", "/etc/passwd"),
    ];
    let (sources, _) = read("linked", files);
    let refusal = sources.unwrap_err();
    assert_eq!(
        refusal.text(Language::English),
        "not taken: `hello-world/send.py` is a symbolic link (put the file itself in its place). Then pack it again"
    );
    assert_eq!(
        refusal.text(Language::Chinese),
        "不能采用：`hello-world/send.py` 是符号链接（请换成文件本身）。改好后请重新打包"
    );
}
