//! Hostile sources: what harms whoever compiles them, or takes what only the compiler can read.

use std::fmt::Write as _;

use workbook_report::Verdict::Error;

use super::programs::{Attack, plain};

/// All of them. `secret` is a file of this machine that nobody may read.
pub(crate) fn attacks(secret: &str) -> Vec<Attack> {
    let include =
        |what: &str| format!("const TEXT: &str = {what}; fn main() {{ println!(\"{{TEXT}}\"); }}");
    vec![
        plain(
            "include-checks",
            Error,
            "grade.rs",
            &include(r#"include_str!("../../tests/grade.rs")"#),
        ),
        plain(
            "include-secret",
            Error,
            "couldn't read",
            &include(&format!("include_str!({secret:?})")),
        ),
        plain(
            "include-neighbour",
            Error,
            "couldn't read",
            &include(r#"include_str!("../../../../correct-1/hello-world/src/bin/send.rs")"#),
        ),
        // What is compiled once for all submissions has the solution in it.
        plain(
            "calls-the-solution",
            Error,
            "module `program_0` is private",
            "fn main() { lapin::program_0::program() }",
        ),
        plain(
            "module-elsewhere",
            Error,
            "couldn't read|cannot",
            &format!("#[path = {secret:?}] mod secret; fn main() {{}}"),
        ),
        plain(
            "environment-of-compiler",
            Error,
            "not defined",
            &include(r#"env!("WORKBOOK_ATTACK_SECRET")"#),
        ),
        plain(
            "incbin",
            Error,
            "incbin|Could not find|error",
            &format!("std::arch::global_asm!(\".incbin \\\"{secret}\\\"\"); fn main() {{}}"),
        ),
        plain(
            "endless-constant",
            Error,
            "",
            "const fn spin() -> u64 { let mut n = 0u64; loop { n = n.wrapping_add(1); if n == u64::MAX { return n; } } } const N: u64 = spin(); fn main() { println!(\"{N}\"); }",
        ),
        plain(
            "allowed-endless-constant",
            Error,
            "processor time|longer than",
            "#[allow(long_running_const_eval)] const N: u64 = { let mut n = 0u64; while n < u64::MAX { n += 1; } n }; fn main() { println!(\"{N}\"); }",
        ),
        plain(
            "endless-types",
            Error,
            "",
            "struct S<T>(T); trait Deep { fn deep(self); } impl<T> Deep for T { fn deep(self) { S(self).deep() } } fn main() { 1u8.deep() }",
        ),
        plain(
            "macro-bomb",
            Error,
            "memory|processor time|recursion|longer than|signal",
            "macro_rules! m { ($($t:tt)*) => { m!($($t)* $($t)* x) } } fn main() { m!(x x x x); }",
        ),
        plain(
            "giant-array",
            Error,
            "",
            "static A: [u8; 1 << 46] = [1; 1 << 46]; fn main() { println!(\"{}\", A[3]); }",
        ),
        plain("talkative", Error, "bytes|error", &{
            let mut body = String::from("fn main() {\n");
            for n in 0..6000 {
                let _ = writeln!(body, "let a{n}: u8 = \"{}\";", "x".repeat(100));
            }
            body + "}"
        }),
        plain("does-not-parse", Error, "src/bin/send.rs", "fn main( {"),
        plain(
            "nightly-feature",
            Error,
            "E0554|feature",
            "#![feature(rustc_private)] extern crate rustc_driver; fn main() {}",
        ),
        plain(
            "harness-as-library",
            Error,
            "workbook_lab",
            "use workbook_lab::Lab; fn main() {}",
        ),
        plain(
            "links-elsewhere",
            Error,
            "linking|unable to find",
            r#"#[link(name = "no_such_library")] unsafe extern "C" { fn nothing(); } fn main() { unsafe { nothing() } }"#,
        ),
        Attack {
            name: "not-utf8",
            verdict: Error,
            told: "utf-8|UTF-8",
            source: String::from("NOT-UTF8"),
        },
        plain("no-main", Error, "main", "fn other() {}"),
    ]
}
