//! A submission that is an archive: it is read into memory, entry by entry, and never unpacked to a disk.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    io::{self, BufReader, Read, Seek, SeekFrom},
    rc::Rc,
};

use flate2::read::MultiGzDecoder;
use tar::EntryType;
use zip::{CompressionMethod, SUPPORTED_COMPRESSION_METHODS, ZipArchive, result::ZipError};

use super::{
    ALLOWED,
    package::{Contents, Listed, Package, contents, count},
    refusal::{Odd, Refusal},
};

/// What an archive is read from.
pub(super) trait Source: Read + Seek {}

impl<T: Read + Seek> Source for T {}

/// The most memory that an entry may ask for, in bytes. The library would give it whatever it asks for.
const MEMORY: u64 = 64 << 20;

/// The beginnings of archives that we do not read.
const OTHERS: [(&[u8], &str); 5] = [
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!", "rar"),
    (b"\xfd7zXZ\0", "xz"),
    (b"BZh", "bz2"),
    (b"\x28\xb5\x2f\xfd", "zst"),
];

/// Opens an archive of the form that its beginning tells, whatever its name is: some browsers unpack what they load.
pub(super) fn open(mut from: Box<dyn Source>) -> Result<Box<dyn Package>, Refusal> {
    let unreadable = |error: io::Error| Refusal::Unreadable(error.to_string());
    let mut start = Vec::new();
    let read = from.by_ref().take(512).read_to_end(&mut start);
    read.and_then(|_| from.rewind()).map_err(unreadable)?;
    let is_tar = start.get(257..262).is_some_and(|magic| magic == b"ustar");
    if start.starts_with(b"PK") {
        Ok(Box::new(Zip::new(from)?))
    } else if start.starts_with(b"\x1f\x8b") {
        Ok(Box::new(Tar { from, gzip: true }))
    } else if is_tar {
        Ok(Box::new(Tar { from, gzip: false }))
    } else {
        let form = OTHERS.iter().find(|(magic, _)| start.starts_with(magic));
        Err(Refusal::OtherForm(form.map(|(_, form)| *form)))
    }
}

/// A reader that fails when more is read than is left to it; how much that is can be changed meanwhile.
struct Metered<R> {
    from: R,
    left: Rc<Cell<u64>>,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.left.get();
        if left == 0 && !buffer.is_empty() {
            return Err(io::Error::other("it grows beyond all reason"));
        }
        let most = usize::try_from(left).unwrap_or(usize::MAX);
        let most = most.min(buffer.len());
        let read = self.from.read(&mut buffer[..most])?;
        self.left.set(left - read as u64);
        Ok(read)
    }
}

impl<R: Seek> Seek for Metered<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.from.seek(to)
    }
}

/// A `.zip`.
struct Zip {
    archive: ZipArchive<BufReader<Metered<Box<dyn Source>>>>,
    /// The names that several entries have: of each the library keeps one.
    twice: BTreeSet<Vec<u8>>,
}

impl Zip {
    fn new(from: Box<dyn Source>) -> Result<Self, Refusal> {
        // The directory of all entries comes to memory, and nothing else does.
        let left = Rc::new(Cell::new(ALLOWED.directory));
        let metered = Metered {
            from,
            left: Rc::clone(&left),
        };
        let mut archive = ZipArchive::new(BufReader::new(metered)).map_err(|it| broken_zip(&it))?;
        let mut twice = BTreeSet::new();
        if archive.has_duplicate_names() {
            let start = archive.central_directory_start();
            let mut from = archive.into_inner();
            left.set(2 * ALLOWED.directory);
            twice = names_twice(&mut from, start).map_err(|error| broken_zip(&error.into()))?;
            archive = ZipArchive::new(from).map_err(|it| broken_zip(&it))?;
        }
        left.set(u64::MAX);
        Ok(Self { archive, twice })
    }
}

/// The names that are in a zip's directory more than once, and not with the same contents.
fn names_twice(from: &mut (impl Read + Seek), start: u64) -> io::Result<BTreeSet<Vec<u8>>> {
    let (mut known, mut twice) = (BTreeMap::new(), BTreeSet::new());
    from.seek(SeekFrom::Start(start))?;
    // APPNOTE 4.3.12: a checksum of the contents is at 16, their length at 24; the lengths of the name, the extra field
    // and the comment are at 28, 30 and 32.
    let mut header = [0; 46];
    while from.read_exact(&mut header).is_ok() && header.starts_with(b"PK\x01\x02") {
        let length = |at: usize| u16::from_le_bytes([header[at], header[at + 1]]);
        let contents = [&header[16..20], &header[24..28]].concat();
        let mut name = vec![0; length(28).into()];
        from.read_exact(&mut name)?;
        from.seek_relative(i64::from(length(30)) + i64::from(length(32)))?;
        let other = known.insert(name.clone(), contents.clone());
        if other.is_some_and(|other| other != contents) {
            twice.insert(name);
        }
    }
    Ok(twice)
}

fn broken_zip(error: &ZipError) -> Refusal {
    Refusal::Broken("zip", error.to_string())
}

impl Package for Zip {
    fn list(&mut self) -> Result<Vec<Listed>, Refusal> {
        let mut entries = 0;
        let mut listed = Vec::new();
        for number in 0..self.archive.len() {
            count(&mut entries)?;
            let entry = self
                .archive
                .by_index_data(number)
                .map_err(|it| broken_zip(&it))?;
            let name = entry.name_raw().to_vec();
            // The upper half of the attributes is Unix's mode, where there is one.
            let odd = match entry.unix_mode().unwrap_or_default() & 0o170_000 {
                0o120_000 => Some(Odd::SymbolicLink),
                0 | 0o040_000 | 0o100_000 if self.twice.contains(&name) => Some(Odd::Twice),
                0 | 0o040_000 | 0o100_000 => None,
                _ => Some(Odd::NotPlain),
            };
            listed.push(Listed {
                otherwise: entry.name().ok().map(Into::into),
                name,
                odd,
            });
        }
        Ok(listed)
    }

    fn read(&mut self, wanted: &BTreeSet<usize>, most: u64) -> Result<Contents, Refusal> {
        let mut room = ALLOWED.unpacked;
        let mut all = Contents::new();
        for number in wanted {
            let read = self.entry(*number, most);
            let length = read.as_ref().map_or(0, Vec::len) as u64;
            room = room.checked_sub(length).ok_or(Refusal::Bomb)?;
            all.insert(*number, read);
        }
        Ok(all)
    }
}

impl Zip {
    fn entry(&mut self, number: usize, most: u64) -> Result<Vec<u8>, Odd> {
        let entry = self.archive.by_index_data(number);
        let method = entry.map_or(CompressionMethod::Stored, |it| it.compression());
        // The library's list is of those that it writes, too.
        let lzma = method == CompressionMethod::LZMA;
        let known = lzma || SUPPORTED_COMPRESSION_METHODS.contains(&method);
        let hungry = lzma && self.dictionary(number) > MEMORY;
        match self.archive.by_index(number) {
            Err(ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED)) => Err(Odd::Encrypted),
            _ if hungry || !known => Err(Odd::Compressed(method.to_string())),
            Ok(entry) => contents(entry, most),
            Err(error) => Err(Odd::Unreadable(error.to_string())),
        }
    }
}

impl Zip {
    /// How many bytes of memory LZMA asks for: APPNOTE 5.8.8.
    fn dictionary(&mut self, number: usize) -> u64 {
        let mut start = [0; 9];
        let read = self
            .archive
            .by_index_raw(number)
            .map(|mut entry| entry.read_exact(&mut start));
        match read {
            Ok(Ok(())) => u32::from_le_bytes([start[5], start[6], start[7], start[8]]).into(),
            _ => 0,
        }
    }
}

/// A `.tar`, mostly in gzip. All of it has to be read to be passed over.
struct Tar {
    from: Box<dyn Source>,
    gzip: bool,
}

impl Tar {
    /// Goes through all entries, until `look` has seen enough.
    fn each(
        &mut self,
        mut look: impl FnMut(usize, &mut dyn Read, Listed) -> Result<bool, Refusal>,
    ) -> Result<(), Refusal> {
        let form = if self.gzip { "tar.gz" } else { "tar" };
        let broken = |error: io::Error| Refusal::Broken(form, error.to_string());
        self.from.rewind().map_err(broken)?;
        let from = BufReader::new(&mut self.from);
        let unpacked: Box<dyn Read> = match self.gzip {
            true => Box::new(MultiGzDecoder::new(from)),
            false => Box::new(from),
        };
        let all = Rc::new(Cell::new(ALLOWED.unpacked));
        let next = Rc::new(Cell::new(0));
        let mut archive = tar::Archive::new(Metered {
            from: Metered {
                from: unpacked,
                left: Rc::clone(&all),
            },
            left: Rc::clone(&next),
        });
        let mut entries = archive.entries().map_err(broken)?;
        let (mut number, mut size) = (0, 0_u64);
        loop {
            // A name can be as long as an attacker likes, and it comes to memory with the next entry: beyond the
            // contents of this one, only so much is read until then.
            next.set(size.saturating_add(ALLOWED.header));
            let mut entry = match entries.next() {
                None => return Ok(()),
                Some(Err(_)) if all.get() == 0 => return Err(Refusal::Bomb),
                Some(entry) => entry.map_err(broken)?,
            };
            size = (entry.header().entry_size().unwrap_or_default()).max(entry.size());
            if let Some(listed) = listed(&entry) {
                count(&mut number)?;
                next.set(u64::MAX);
                if look(number - 1, &mut entry, listed)? {
                    return Ok(());
                }
            }
        }
    }
}

/// An entry as it is listed; `None`: it is none that anybody packed.
fn listed<R: Read>(entry: &tar::Entry<'_, R>) -> Option<Listed> {
    let odd = match entry.header().entry_type() {
        EntryType::Regular | EntryType::Continuous => None,
        // `D` is a folder, too, where GNU tar packs what has changed.
        EntryType::Directory | EntryType::XGlobalHeader | EntryType::__Nonexhaustive(b'D') => {
            return None;
        }
        EntryType::Symlink => Some(Odd::SymbolicLink),
        EntryType::Link => Some(Odd::HardLink),
        EntryType::GNUSparse => Some(Odd::Sparse),
        _ => Some(Odd::NotPlain),
    };
    Some(Listed {
        name: entry.path_bytes().into_owned(),
        otherwise: None,
        odd,
    })
}

impl Package for Tar {
    fn list(&mut self) -> Result<Vec<Listed>, Refusal> {
        let mut all = Vec::new();
        self.each(|_, _, listed| {
            all.push(listed);
            Ok(false)
        })?;
        Ok(all)
    }

    fn read(&mut self, wanted: &BTreeSet<usize>, most: u64) -> Result<Contents, Refusal> {
        let mut room = ALLOWED.unpacked;
        let mut all = BTreeMap::new();
        self.each(|number, entry, _| {
            if wanted.contains(&number) {
                let read = contents(entry, most);
                let length = read.as_ref().map_or(0, Vec::len) as u64;
                room = room.checked_sub(length).ok_or(Refusal::Bomb)?;
                all.insert(number, read);
            }
            Ok(all.len() == wanted.len())
        })?;
        Ok(all)
    }
}
