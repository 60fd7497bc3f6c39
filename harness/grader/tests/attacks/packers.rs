//! Packers that can do what others do: names of any bytes, entries of any kind, whatever a format allows.

use std::{
    fs,
    io::{Cursor, Write},
    os::unix::{ffi::OsStrExt, fs::symlink},
    path::Path,
};

use flate2::{Compression, Crc, GzBuilder, write::GzEncoder};
use tar::EntryType;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

/// A file by its name, or a folder where the name ends in `/`.
pub(crate) struct File {
    pub(crate) name: Vec<u8>,
    pub(crate) contents: Vec<u8>,
    /// In a tar archive: of another kind, with what it points to.
    pub(crate) kind: Option<(u8, &'static str)>,
    /// In a zip: the flag that says that its name is UTF-8, and others.
    pub(crate) flags: u16,
    /// In a zip: the method, and the contents as they are compressed.
    pub(crate) method: Option<(u16, Vec<u8>)>,
    /// In a zip: an extra field.
    pub(crate) extra: Vec<u8>,
    /// In a zip: Unix's mode.
    pub(crate) mode: u32,
}

pub(crate) fn file(name: impl AsRef<[u8]>, contents: impl AsRef<[u8]>) -> File {
    File {
        name: name.as_ref().to_vec(),
        contents: contents.as_ref().to_vec(),
        kind: None,
        flags: 0,
        method: None,
        extra: Vec::new(),
        mode: 0,
    }
}

/// An entry of a tar archive that is no file.
pub(crate) fn special(kind: u8, name: &str, target: &'static str) -> File {
    File {
        kind: Some((kind, target)),
        ..file(name, "")
    }
}

/// How the library for zip writes.
#[derive(Clone, Copy)]
pub(crate) enum How {
    Deflated,
    Stored,
    Bzip2,
    /// With sizes of 64 bits.
    Large,
    /// To a stream: what a size is stands behind the contents.
    Streamed,
}

pub(crate) fn zip(files: &[File], how: How) -> Vec<u8> {
    let options = SimpleFileOptions::default();
    let options = match how {
        How::Stored => options.compression_method(CompressionMethod::Stored),
        How::Bzip2 => options.compression_method(CompressionMethod::Bzip2),
        How::Large => options.large_file(true),
        How::Deflated | How::Streamed => options,
    };
    let mut bytes = Vec::new();
    match how {
        How::Streamed => written(ZipWriter::new_stream(&mut bytes), files, options),
        _ => written(ZipWriter::new(Cursor::new(&mut bytes)), files, options),
    }
    bytes
}

fn written<W: Write + std::io::Seek>(
    mut archive: ZipWriter<W>,
    files: &[File],
    options: SimpleFileOptions,
) {
    for file in files {
        let name = str::from_utf8(&file.name).unwrap();
        match name.strip_suffix('/') {
            Some(name) => archive.add_directory(name, options).unwrap(),
            None => archive.start_file(name, options).unwrap(),
        }
        archive.write_all(&file.contents).unwrap();
    }
    archive.finish().unwrap();
}

/// A zip as its specification has it (APPNOTE 4.3), with names and flags as they are given.
pub(crate) fn raw_zip(files: &[File], comment: &str) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for file in files {
        let mut crc = Crc::new();
        crc.update(&file.contents);
        let (method, packed) = file.method.clone().unwrap_or((0, file.contents.clone()));
        let mut common = Vec::new();
        for half in [20, file.flags, method, 0, 0x5a21] {
            common.extend(half.to_le_bytes());
        }
        for whole in [crc.sum(), length(&packed), length(&file.contents)] {
            common.extend(whole.to_le_bytes());
        }
        common.extend(u16::try_from(file.name.len()).unwrap().to_le_bytes());
        common.extend(u16::try_from(file.extra.len()).unwrap().to_le_bytes());
        let start = length(&bytes);
        bytes.extend(
            [
                &b"PK\x03\x04"[..],
                &common,
                &file.name,
                &file.extra,
                &packed,
            ]
            .concat(),
        );
        let system: u8 = if file.mode == 0 { 0 } else { 3 };
        directory.extend([&b"PK\x01\x02"[..], &[20, system], &common, &[0; 6]].concat());
        directory.extend((file.mode << 16).to_le_bytes());
        directory.extend(start.to_le_bytes());
        directory.extend([&file.name[..], &file.extra].concat());
    }
    let start = length(&bytes);
    let count = u16::try_from(files.len()).unwrap().to_le_bytes();
    let end = [&b"PK\x05\x06\0\0\0\0"[..], &count, &count].concat();
    let sizes = [length(&directory).to_le_bytes(), start.to_le_bytes()].concat();
    let comment_length = u16::try_from(comment.len()).unwrap().to_le_bytes();
    [
        &bytes[..],
        &directory,
        &end,
        &sizes,
        &comment_length,
        comment.as_bytes(),
    ]
    .concat()
}

fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap()
}

/// The forms of tar.
#[derive(Clone, Copy)]
pub(crate) enum Tar {
    Gnu,
    Ustar,
    V7,
    /// With a name, and attributes of macOS, in a header of its own.
    Pax,
}

pub(crate) fn tar(files: &[File], form: Tar) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for file in files {
        let mut header = match form {
            Tar::Gnu => tar::Header::new_gnu(),
            Tar::Ustar | Tar::Pax => tar::Header::new_ustar(),
            Tar::V7 => tar::Header::new_old(),
        };
        header.set_mode(0o644);
        header.set_size(file.contents.len() as u64);
        let (kind, target) = file
            .kind
            .unwrap_or_else(|| match file.name.ends_with(b"/") {
                true => (b'5', ""),
                false => (if matches!(form, Tar::V7) { 0 } else { b'0' }, ""),
            });
        header.set_entry_type(EntryType::new(kind));
        header.as_old_mut().linkflag = [kind];
        header.as_old_mut().linkname[..target.len()].copy_from_slice(target.as_bytes());
        if matches!(form, Tar::Pax) {
            let name = str::from_utf8(&file.name).unwrap();
            let extensions = [
                ("path", name.as_bytes()),
                ("LIBARCHIVE.xattr.com.apple.provenance", b"AQAAk2Jc"),
                ("SCHILY.xattr.com.apple.provenance", b"\x01\0\n\n\x93b"),
                ("mtime", b"1767225600.123456789"),
            ];
            archive.append_pax_extensions(extensions).unwrap();
            header.as_old_mut().name[..4].copy_from_slice(b"file");
        } else if file.name.len() > 100 {
            let mut long = tar::Header::new_gnu();
            long.set_entry_type(EntryType::GNULongName);
            long.set_size(file.name.len() as u64 + 1);
            long.set_cksum();
            let name = [&file.name[..], b"\0"].concat();
            archive.append(&long, name.as_slice()).unwrap();
        } else {
            header.as_old_mut().name[..file.name.len()].copy_from_slice(&file.name);
        }
        if let (b'S', Some(gnu)) = (kind, header.as_gnu_mut()) {
            gnu.realsize = *b"00000000000\0";
        }
        header.set_cksum();
        archive.append(&header, file.contents.as_slice()).unwrap();
    }
    archive.into_inner().unwrap()
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gz = GzEncoder::new(Vec::new(), Compression::default());
    gz.write_all(bytes).unwrap();
    gz.finish().unwrap()
}

/// As `gzip -N` and `pigz` do: with a name, and in several members.
pub(crate) fn gzip_in_members(bytes: &[u8]) -> Vec<u8> {
    let members = bytes.chunks(700).map(|part| {
        let builder = GzBuilder::new().filename("work.tar").comment("homework");
        let mut gz = builder.write(Vec::new(), Compression::fast());
        gz.write_all(part).unwrap();
        gz.finish().unwrap()
    });
    members.collect::<Vec<_>>().concat()
}

/// A folder with these files; links and pipes where they are asked for.
pub(crate) fn folder(at: &Path, files: &[File]) {
    for file in files {
        let path = at.join(std::ffi::OsStr::from_bytes(&file.name));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        match file.kind {
            Some((b'1', target)) => fs::hard_link(at.join(target), path).unwrap(),
            Some((b'2', target)) => symlink(target, path).unwrap(),
            Some(_) => drop(std::os::unix::net::UnixListener::bind(path).unwrap()),
            None if file.name.ends_with(b"/") => fs::create_dir_all(path).unwrap(),
            None => fs::write(path, &file.contents).unwrap(),
        }
    }
}
