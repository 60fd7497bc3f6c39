//! Why something that was handed in cannot be taken, in words that say what to do.

use workbook_course::Language;

use super::{ALLOWED, shown};

/// How many names a sentence holds.
const NAMED: usize = 5;

/// Why one entry of a submission is no plain file with a plain name. It matters only where the entry would be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Odd {
    /// It points to another file.
    SymbolicLink,
    /// It is another name of a file.
    HardLink,
    /// Some of it is not there.
    Sparse,
    /// A device, a pipe, a socket.
    NotPlain,
    /// Its name is bytes of no encoding that we know.
    NotText,
    /// Its name has `..` within.
    LeadsOut,
    /// Its name holds characters that do something to a terminal, or to the order of a line.
    Control,
    /// It lies in too many folders.
    Deep,
    /// Its name is too long for a file system.
    LongName,
    /// It is larger than any program.
    Large,
    /// Two entries have its name, and not the same contents.
    Twice,
    /// A password is needed.
    Encrypted,
    /// It is compressed in a way that is not read.
    Compressed(String),
    /// It cannot be read, with the reason.
    Unreadable(String),
}

impl Odd {
    /// What is odd, and what to do about it.
    fn text(&self, language: Language) -> String {
        let (bytes, depth, name) = (ALLOWED.file, ALLOWED.depth, ALLOWED.name);
        let (what, cure) = match language {
            Language::English => match self {
                Self::SymbolicLink => (
                    "is a symbolic link".into(),
                    "put the file itself in its place",
                ),
                Self::HardLink => (
                    "is a hard link".into(),
                    "put a copy of the file in its place",
                ),
                Self::Sparse => ("is a sparse file".into(), "pack it without --sparse"),
                Self::NotPlain => ("is no plain file".into(), "leave it out"),
                Self::NotText => ("has a name that is not UTF-8".into(), "rename it"),
                Self::LeadsOut => (
                    "has a name that leads out of its folder (..)".into(),
                    "pack the folder itself",
                ),
                Self::Control => ("has control characters in its name".into(), "rename it"),
                Self::Deep => (format!("lies more than {depth} folders deep"), "move it up"),
                Self::LongName => (
                    format!("has a name of more than {name} bytes"),
                    "give it a shorter one",
                ),
                Self::Large => (format!("is larger than {bytes} bytes"), "leave it out"),
                Self::Twice => (
                    "is there twice, with different contents".into(),
                    "keep one of them",
                ),
                Self::Encrypted => ("is encrypted".into(), "pack it without a password"),
                Self::Compressed(method) => (
                    format!("is compressed in a way that is not read here ({method})"),
                    "choose the usual one, Deflate",
                ),
                Self::Unreadable(why) => (
                    format!("cannot be read ({why})"),
                    "see whether you can open it",
                ),
            },
            Language::Chinese => match self {
                Self::SymbolicLink => ("是符号链接".into(), "请换成文件本身"),
                Self::HardLink => ("是硬链接".into(), "请换成文件的副本"),
                Self::Sparse => ("是稀疏文件".into(), "打包时请不要用 --sparse"),
                Self::NotPlain => ("不是普通文件".into(), "请去掉它"),
                Self::NotText => ("的名字不是 UTF-8".into(), "请改名"),
                Self::LeadsOut => ("的名字会跳出所在的目录（..）".into(), "请打包目录本身"),
                Self::Control => ("的名字里有控制字符".into(), "请改名"),
                Self::Deep => (format!("的目录超过 {depth} 层"), "请移到上层"),
                Self::LongName => (format!("的名字超过 {name} 字节"), "请改短"),
                Self::Large => (format!("大于 {bytes} 字节"), "请去掉它"),
                Self::Twice => ("出现了两次，内容不同".into(), "请只保留一个"),
                Self::Encrypted => ("加了密".into(), "打包时请不要设密码"),
                Self::Compressed(method) => (
                    format!("用了这里不支持的压缩方法（{method}）"),
                    "请用常用的 Deflate",
                ),
                Self::Unreadable(why) => (format!("读不出来（{why}）"), "请看看能否打开"),
            },
        };
        match language {
            Language::English => format!("{what} ({cure})"),
            Language::Chinese => format!("{what}（{cure}）"),
        }
    }
}

/// Why a submission, or one exercise of it, cannot be graded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Entries that would be used, by their names.
    NotTaken(Vec<(String, Odd)>),
    /// Several places that may be meant.
    WhichOf(Vec<String>),
    /// Nothing of any exercise, with the exercises that there are.
    NoExercise(Vec<String>),
    /// Two names that some system takes for the same.
    SameName(String, String),
    /// A name of a file and of a folder.
    FileAndFolder(String),
    /// More files than a program has.
    Files,
    /// More bytes than a program has.
    Bytes,
    /// A `workbook.toml` where only Rust is graded.
    OtherLanguage,
    /// A `workbook.toml` that says nothing, with the reason.
    Settings(String),
    /// A `workbook.toml` with no command for this program.
    NoCommand(String),
    /// A `workbook.toml` with a quote in this program's command that is not closed.
    OpenQuote(String),
    /// A `workbook.toml` that names a program that the exercise has not, with those that it has.
    Stranger(String, Vec<String>),
    /// The entry of the class is a link.
    Link,
    /// The entry is neither a folder nor an archive.
    Neither,
    /// The file is an archive of a form that is not read, or none at all.
    OtherForm(Option<&'static str>),
    /// An archive that cannot be read, with the form and the reason.
    Broken(&'static str, String),
    /// A folder or file that cannot be read, with the reason.
    Unreadable(String),
    /// More entries than anybody packs.
    Entries,
    /// A larger archive than anybody packs.
    Archive,
    /// An archive that grows beyond all reason.
    Bomb,
}

impl Refusal {
    /// The sentence that says why, and what to do.
    pub fn text(&self, language: Language) -> String {
        match language {
            Language::English => self.english(),
            Language::Chinese => self.chinese(),
        }
    }

    fn english(&self) -> String {
        match self {
            Self::NotTaken(entries) => {
                let (some, more) = some(entries, Language::English);
                let more = match more {
                    0 => String::new(),
                    more => format!("; and {more} more"),
                };
                format!("not taken: {}{more}. Then pack it again", some.join("; "))
            }
            Self::WhichOf(names) => format!(
                "which of these is meant? {}: keep one, and pack it again without the others",
                quoted(names).join(", ")
            ),
            Self::NoExercise(slugs) => format!(
                "there is no exercise in it: pack it again with exercises/NAME/src/**/*.rs, or NAME/src/**/*.rs, where NAME is one of {}",
                slugs.join(", ")
            ),
            Self::SameName(one, other) => format!(
                "`{one}` and `{other}` are the same name on some systems: rename one, and pack it again"
            ),
            Self::FileAndFolder(name) => format!(
                "`{name}` is a file and a folder: rename one, and pack it again"
            ),
            Self::Files => format!(
                "it has more than {} files: pack it again without those that are no sources",
                ALLOWED.files
            ),
            Self::Bytes => format!(
                "its files hold more than {} bytes: pack it again without those that are no sources",
                ALLOWED.bytes
            ),
            Self::OtherLanguage => "its workbook.toml names programs in another language; whoever grades allows that with --any-language".to_owned(),
            Self::Settings(why) => format!("its workbook.toml cannot be used: {why}"),
            Self::NoCommand(program) => {
                format!("its workbook.toml has an empty command for `{program}`")
            }
            Self::OpenQuote(program) => format!(
                "its workbook.toml has a quote in the command of `{program}` that is not closed"
            ),
            Self::Stranger(name, programs) => format!(
                "its workbook.toml names a program `{name}`; the programs are {}",
                programs.join(", ")
            ),
            Self::Link => {
                "it is a symbolic link: hand in the folder itself".to_owned()
            }
            Self::Neither => {
                "it is neither a folder nor a .zip or .tar.gz: pack it again as one of these".to_owned()
            }
            Self::OtherForm(Some(form)) => {
                format!("it is an archive of the form {form}, which is not read here: pack it again as .zip or .tar.gz")
            }
            Self::OtherForm(None) => {
                "it is no zip archive and no tar.gz, whatever its name says: pack it again".to_owned()
            }
            Self::Broken(form, why) => format!(
                "it is no {form} archive, or a broken one ({why}): pack it again"
            ),
            Self::Unreadable(why) => format!("it cannot be read: {why}"),
            Self::Entries => format!(
                "it holds more than {} entries: pack it again without target, node_modules and the like",
                ALLOWED.entries
            ),
            Self::Archive => format!(
                "it is larger than {} MiB: pack it again without target and the like",
                ALLOWED.archive >> 20
            ),
            Self::Bomb => "it unpacks to too much: pack it again without target and the like".to_owned(),
        }
    }

    fn chinese(&self) -> String {
        match self {
            Self::NotTaken(entries) => {
                let (some, more) = some(entries, Language::Chinese);
                let more = match more {
                    0 => String::new(),
                    more => format!("；另有 {more} 个"),
                };
                format!("不能采用：{}{more}。改好后请重新打包", some.join("；"))
            }
            Self::WhichOf(names) => format!(
                "要评的是哪一个？{}：请只保留一个，去掉其余的，重新打包",
                quoted(names).join("、")
            ),
            Self::NoExercise(slugs) => format!(
                "里面没有练习：请按 exercises/名称/src/**/*.rs 或 名称/src/**/*.rs 重新打包，名称是下列之一：{}",
                slugs.join("、")
            ),
            Self::SameName(one, other) => {
                format!("`{one}` 和 `{other}` 在有些系统上是同一个名字：请改掉一个，重新打包")
            }
            Self::FileAndFolder(name) => {
                format!("`{name}` 既是文件又是目录：请改掉一个，重新打包")
            }
            Self::Files => format!(
                "文件超过 {} 个：请去掉不是源代码的文件，重新打包",
                ALLOWED.files
            ),
            Self::Bytes => format!(
                "文件合计超过 {} 字节：请去掉不是源代码的文件，重新打包",
                ALLOWED.bytes
            ),
            Self::OtherLanguage => {
                "workbook.toml 指定了其他语言的程序；评分的人加上 --any-language 才会接受"
                    .to_owned()
            }
            Self::Settings(why) => format!("workbook.toml 不能用：{why}"),
            Self::NoCommand(program) => format!("workbook.toml 中 `{program}` 的命令是空的"),
            Self::OpenQuote(program) => {
                format!("workbook.toml 中 `{program}` 的命令里有没闭合的引号")
            }
            Self::Stranger(name, programs) => format!(
                "workbook.toml 里有个程序 `{name}`；这个练习的程序是 {}",
                programs.join("、")
            ),
            Self::Link => "这是符号链接：请提交目录本身".to_owned(),
            Self::Neither => "既不是目录，也不是 .zip 或 .tar.gz：请重新打包".to_owned(),
            Self::OtherForm(Some(form)) => {
                format!("这是 {form} 压缩包，这里不支持：请重新打包成 .zip 或 .tar.gz")
            }
            Self::OtherForm(None) => {
                "名字像压缩包，内容却不是 zip，也不是 tar.gz：请重新打包".to_owned()
            }
            Self::Broken(form, why) => {
                format!("不是 {form} 压缩包，或者已损坏（{why}）：请重新打包")
            }
            Self::Unreadable(why) => format!("读不出来：{why}"),
            Self::Entries => format!(
                "条目超过 {} 个：请去掉 target、node_modules 之类，重新打包",
                ALLOWED.entries
            ),
            Self::Archive => format!(
                "大于 {} MiB：请去掉 target 之类，重新打包",
                ALLOWED.archive >> 20
            ),
            Self::Bomb => "解压后太大：请去掉 target 之类，重新打包".to_owned(),
        }
    }
}

/// The first of the entries with what is odd about each, and how many more there are.
fn some(entries: &[(String, Odd)], language: Language) -> (Vec<String>, usize) {
    let some = entries.iter().take(NAMED);
    let some =
        some.map(|(name, odd)| format!("`{}` {}", shown(name.as_bytes()), odd.text(language)));
    (some.collect(), entries.len().saturating_sub(NAMED))
}

fn quoted(names: &[String]) -> Vec<String> {
    let quoted = |name: &String| format!("`{}`", shown(name.as_bytes()));
    names.iter().map(quoted).collect()
}
