//! Hostile packages: archives that are made to harm whoever unpacks them.

use std::{
    fs,
    io::{Cursor, Write},
    path::Path,
};

use flate2::{Compression, write::GzEncoder};
use workbook_report::Verdict::{self, Pass, Ungradable};

use super::{
    folders,
    packers::{File, file, gzip, raw_zip},
};

/// A package that was written to the class: its name in the results, what it comes to, words that are told.
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) verdict: Verdict,
    pub(crate) told: &'static str,
}

pub(crate) const SEND: &str = "hello-world/src/bin/send.rs";

pub(crate) fn package(name: &str, verdict: Verdict, told: &'static str) -> Package {
    Package {
        name: name.to_owned(),
        verdict,
        told,
    }
}

/// Writes all of them into a class. `send` is a correct program.
pub(crate) fn write(class: &Path, send: &str, secret: &Path) -> Vec<Package> {
    let mut all = archives(class, send);
    all.extend(folders::folders(class, send, secret));
    all.extend(folders::settings(class, send));
    all.extend(folders::names(class, send));
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
    let tars: [(&str, Verdict, &'static str, Vec<_>); 12] = [
        ("tar-good", Pass, "", vec![good()]),
        // Nobody uses these, so nobody is harmed.
        (
            "tar-climbs",
            Pass,
            "tmp/climbed.rs",
            vec![good(), entry(Regular, b"../../../tmp/climbed.rs", "", b"x")],
        ),
        (
            "tar-absolute",
            Pass,
            "tmp/climbed.rs",
            vec![good(), entry(Regular, b"/tmp/climbed.rs", "", b"x")],
        ),
        (
            "tar-climbs-from-src",
            Ungradable,
            "leads out",
            vec![
                good(),
                entry(
                    Regular,
                    b"hello-world/src/../../../tmp/climbed.rs",
                    "",
                    b"x",
                ),
            ],
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
    // 300 MiB of nothing, in some hundred kilobytes. Nobody uses them in the first.
    let nothing = vec![0; 300 << 20];
    tar_gz(
        &class.join("tar-large.tar.gz"),
        &[
            good(),
            entry(Regular, b"hello-world/data.bin", "", &nothing),
        ],
    );
    all.push(package("tar-large", Pass, "hello-world/data.bin"));
    zip_of(
        &class.join("zip-bomb.zip"),
        &[
            (SEND, send.as_bytes(), None),
            ("hello-world/src/zero.rs", &nothing, None),
            ("hello-world/zero.bin", &nothing, None),
        ],
    );
    all.push(package("zip-bomb", Ungradable, "larger than"));
    drop(nothing);
    all.extend(bombs(class, &good()));

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
    all.push(package("zip-climbs", Pass, "climbed.rs"));
    zip_of(
        &class.join("zip-backslash.zip"),
        &[
            (SEND, send.as_bytes(), None),
            ("..\\..\\climbed.rs", b"x", None),
        ],
    );
    all.push(package("zip-backslash", Pass, "climbed.rs"));
    zip_of(
        &class.join("zip-climbs-from-src.zip"),
        &[
            (SEND, send.as_bytes(), None),
            ("hello-world\\src\\..\\..\\climbed.rs", b"x", None),
        ],
    );
    all.push(package("zip-climbs-from-src", Ungradable, "leads out"));
    let other = file(SEND, "fn main() {}");
    let twice = raw_zip(&[file(SEND, send), other], "");
    fs::write(class.join("zip-twice.zip"), twice).unwrap();
    all.push(package("zip-twice", Ungradable, "twice"));
    for (name, told, flags, method) in [
        ("zip-locked", "without a password", 1, None),
        ("zip-strange", "choose the usual one", 0, Some(97)),
        // LZMA that asks for 4 GiB of memory.
        ("zip-hungry", "choose the usual one", 0, Some(14)),
    ] {
        let packed = b"\x09\x04\x05\0\x5d\xff\xff\xff\xff\0\0\0\0\0\0".to_vec();
        let entry = File {
            flags,
            method: method.map(|method| (method, packed)),
            ..file(SEND, send)
        };
        let path = class.join(format!("{name}.zip"));
        fs::write(path, raw_zip(&[entry], "")).unwrap();
        all.push(package(name, Ungradable, told));
    }
    zip_link(&class.join("zip-symlink.zip"), send);
    all.push(package("zip-symlink", Ungradable, "symbolic link"));
    let many: Vec<String> = (0..501)
        .map(|n| format!("hello-world/src/{n}.rs"))
        .collect();
    let mut files: Vec<(&str, &[u8], Option<u32>)> = many
        .iter()
        .map(|it| (it.as_str(), &b""[..], None))
        .collect();
    files.push((SEND, send.as_bytes(), None));
    zip_of(&class.join("zip-many.zip"), &files);
    all.push(package("zip-many", Ungradable, "more than 500 files"));

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

/// Archives that are small and would take all memory, or all time.
fn bombs(class: &Path, good: &(tar::Header, Vec<u8>)) -> Vec<Package> {
    let begin = |entries: &[&(tar::Header, Vec<u8>)]| {
        let mut archive = tar::Builder::new(Vec::new());
        for (header, contents) in entries {
            archive.append(header, contents.as_slice()).unwrap();
        }
        gzip(archive.get_ref())
    };
    let claim = |kind: tar::EntryType, name: &str, size: u64| {
        let mut header = entry(kind, name.as_bytes(), "", b"").0;
        header.set_size(size);
        header.set_cksum();
        gzip(header.as_bytes())
    };
    let mebibytes = |count: usize| gzip(&vec![0; 64 << 20]).repeat(count / 64);
    let mut all = Vec::new();
    let mut add = |name: &str, told: &'static str, parts: &[Vec<u8>]| {
        fs::write(class.join(format!("{name}.tar.gz")), parts.concat()).unwrap();
        all.push(package(name, Ungradable, told));
    };
    let start = begin(&[good]);
    // 4 GiB of a file, of which 2 are looked at.
    let file = claim(tar::EntryType::Regular, "data.bin", 4 << 30);
    let bomb = [start.clone(), file, mebibytes(4096)];
    add("tar-bomb", "unpacks to too much", &bomb);
    // A name of 1 GiB, which would have to be held in memory.
    let name = claim(tar::EntryType::GNULongName, "././@LongLink", 1 << 30);
    add(
        "tar-endless-name",
        "beyond all reason",
        &[start.clone(), name, mebibytes(1024)],
    );
    let empty = entry(tar::EntryType::Regular, b"x", "", b"").0;
    let entries = gzip(&empty.as_bytes().repeat(1000)).repeat(301);
    add("tar-entries", "entries", &[start, entries]);
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
