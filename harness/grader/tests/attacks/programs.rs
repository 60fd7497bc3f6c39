//! Hostile programs. Each stands for `send`, and its verdict is known.

use workbook_report::Verdict::{self, Fail, Pass};

use super::compilers;

/// One hostile program.
pub(crate) struct Attack {
    /// The submission's name.
    pub(crate) name: &'static str,
    /// What it comes to.
    pub(crate) verdict: Verdict,
    /// Words that the verdict tells, one of them for each `|`.
    pub(crate) told: &'static str,
    /// The source of `send`.
    pub(crate) source: String,
}

/// What the attacks have in common: calls of the C library, and a correct `send` for those that also do the work.
const PRELUDE: &str = r#"
#![allow(warnings)]
use std::{fs, io::{Read, Write}, net::TcpStream, process::Command, time::Duration};
unsafe extern "C" {
    fn fork() -> i32; fn setsid() -> i32; fn kill(pid: i32, signal: i32) -> i32; fn raise(signal: i32) -> i32;
    fn unshare(flags: i32) -> i32; fn setuid(uid: u32) -> i32; fn signal(signal: i32, handler: usize) -> usize;
    fn getppid() -> i32; fn pause() -> i32;
}
fn raw() -> TcpStream { TcpStream::connect("127.0.0.1:5672").unwrap() }
fn rest(mut stream: TcpStream) { let mut all = Vec::new(); let _ = stream.read_to_end(&mut all); }
fn try_all(paths: &[&str]) { for path in paths { if let Ok(text) = fs::read_to_string(path) { println!("READ {path} {text}"); } } }
fn try_write(paths: &[&str]) { for path in paths { if fs::write(path, "WROTE-IT").is_ok() { println!("WROTE-IT {path}"); } } }
async fn connect(address: &str) -> lapin::Connection {
    lapin::Connection::connect(address, lapin::ConnectionProperties::default()).await.unwrap()
}
async fn declare(channel: &lapin::Channel, queue: &str) -> lapin::Result<lapin::Queue> {
    channel.queue_declare(queue.into(), lapin::options::QueueDeclareOptions::durable(), Default::default()).await
}
async fn work(address: &str) {
    let connection = connect(address).await;
    let channel = connection.create_channel().await.unwrap();
    declare(&channel, "hello").await.unwrap();
    channel.basic_publish("".into(), "hello".into(), Default::default(), b"Hello World!", Default::default()).await.unwrap();
    println!("Sent 'Hello World!'");
    connection.close(200, "sent".into()).await.unwrap();
}
fn address() -> String { std::env::var("AMQP_ADDR").unwrap() }
"#;

/// A correct `send`.
pub(crate) const CORRECT: &str = "#[tokio::main] async fn main() { work(&address()).await }";

pub(crate) fn plain(
    name: &'static str,
    verdict: Verdict,
    told: &'static str,
    body: &str,
) -> Attack {
    Attack {
        name,
        verdict,
        told,
        source: format!("{PRELUDE}{body}"),
    }
}

/// A program whose `main` is `body`.
fn runs(name: &'static str, verdict: Verdict, told: &'static str, body: &str) -> Attack {
    plain(name, verdict, told, &format!("fn main() {{ {body} }}"))
}

/// A program whose `main` is `body`, and may await.
fn awaits(name: &'static str, verdict: Verdict, told: &'static str, body: &str) -> Attack {
    let main = format!("#[tokio::main] async fn main() {{ let address = address(); {body} }}");
    plain(name, verdict, told, &main)
}

/// A correct `send`, for the submissions around it.
pub(crate) fn correct() -> String {
    format!("{PRELUDE}{CORRECT}")
}

/// All of them. `secret` is a file of this machine that nobody may read.
pub(crate) fn attacks(secret: &str, broker_port: u16) -> Vec<Attack> {
    let mut attacks = forged_verdicts();
    attacks.extend(compilers::attacks(secret));
    attacks.extend(hogs());
    attacks.extend(spies(secret));
    attacks.extend(networks(broker_port));
    attacks.extend(brokers());
    attacks
}

fn forged_verdicts() -> Vec<Attack> {
    vec![
        runs("exit-zero", Fail, "", "std::process::exit(0)"),
        runs(
            "test-result-ok",
            Fail,
            "",
            r#"println!("running 1 test\ntest send_leaves_one_message ... ok\n\ntest result: ok. 1 passed; 0 failed");"#,
        ),
        plain(
            "before-main",
            Fail,
            "",
            r#"
            #[used] #[unsafe(link_section = ".init_array")] static EARLY: extern "C" fn() = { extern "C" fn early() { std::process::exit(0) } early };
            fn main() {}"#,
        ),
        runs(
            "libtest-json",
            Fail,
            "",
            r#"let line = "{\"type\":\"test\",\"event\":\"ok\",\"name\":\"send_leaves_one_message\"}\n";
            for fd in 0..64 { let _ = fs::OpenOptions::new().write(true).open(format!("/proc/self/fd/{fd}")).map(|mut it| it.write_all(line.as_bytes())); }"#,
        ),
        runs(
            "report-file",
            Fail,
            "",
            r#"for (name, value) in std::env::vars() { println!("{name}={value}"); }
            if let Ok(request) = std::env::var("WORKBOOK_REQUEST") { println!("READ {request}"); }"#,
        ),
        runs(
            "first-process",
            Fail,
            "",
            r#"for fd in 0..32 { if let Ok(mut it) = fs::OpenOptions::new().write(true).open(format!("/proc/1/fd/{fd}")) { let _ = it.write_all(b"{\"code\":0}\n"); println!("WROTE-IT {fd}"); } }
            try_all(&["/proc/1/environ", "/proc/1/maps"]);"#,
        ),
        runs(
            "control-again",
            Fail,
            "",
            r#"if let Ok(mut it) = std::os::unix::net::UnixStream::connect("/run/workbook/control") { let _ = it.write_all(b"{\"code\":0}\n"); println!("WROTE-IT control"); }"#,
        ),
        runs(
            "says-it-only",
            Fail,
            "",
            r#"println!("Sent 'Hello World!'");"#,
        ),
        runs(
            "kills-everybody",
            Fail,
            "signal 9|exited",
            "unsafe { kill(-1, 9); kill(1, 9); kill(getppid(), 9); raise(9); }",
        ),
        runs(
            "output-tricks",
            Fail,
            "",
            r#"println!("\x1b[2J\x1b]0;owned\x07::error::owned <script>alert(1)</script> \u{202e}dlrow ![x](http://example.com) | `code` ]]> =cmd|' /C calc'!A1");"#,
        ),
        runs(
            "leaves-a-mess",
            Fail,
            "",
            r#"print!("no end of line"); eprint!("\u{0}\u{1}\u{fffe}"); std::io::stdout().write_all(b"\xff\xfe\x00").unwrap(); std::process::exit(3)"#,
        ),
    ]
}

fn hogs() -> Vec<Attack> {
    vec![
        runs(
            "fork-bomb",
            Fail,
            "processes",
            "loop { unsafe { fork(); } }",
        ),
        runs(
            "quiet-fork-bomb",
            Fail,
            "processes",
            "loop { unsafe { if fork() == 0 { setsid(); pause(); } } }",
        ),
        runs(
            "thread-bomb",
            Fail,
            "processes|signal|exited",
            "loop { std::thread::spawn(|| loop { std::thread::park() }); }",
        ),
        runs(
            "shell-bomb",
            Fail,
            "",
            r#"let _ = Command::new("/bin/sh").args(["-c", "f() { f | f & }; f; wait"]).status();"#,
        ),
        runs(
            "memory",
            Fail,
            "memory|signal|exited",
            "let mut all = Vec::new(); loop { all.push(vec![1u8; 16 << 20]); }",
        ),
        runs(
            "memory-of-many",
            Fail,
            "memory|signal|exited",
            "for _ in 0..16 { unsafe { if fork() == 0 { break; } } } let mut all = Vec::new(); for _ in 0..12 { all.push(vec![1u8; 16 << 20]); } loop { unsafe { pause(); } }",
        ),
        runs(
            "endless-output",
            Fail,
            "printed more than",
            r"let line = [b'x'; 1 << 16]; loop { if std::io::stdout().write_all(&line).is_err() { return; } }",
        ),
        runs(
            "endless-errors",
            Fail,
            "printed more than",
            r"let line = [b'e'; 1 << 16]; loop { if std::io::stderr().write_all(&line).is_err() { return; } }",
        ),
        runs(
            "endless-line-from-child",
            Fail,
            "printed more than",
            r"unsafe { if fork() == 0 { let line = [b'c'; 1 << 16]; loop { if std::io::stdout().write_all(&line).is_err() { return; } } } pause(); }",
        ),
        runs(
            "huge-file",
            Fail,
            "",
            r#"let mut file = fs::File::create("/tmp/huge").unwrap(); let block = vec![1u8; 1 << 20]; for n in 0..4096 { if file.write_all(&block).is_err() { break; } if n > 64 { println!("WROTE-IT {n} MiB"); } }"#,
        ),
        runs(
            "huge-memory-file",
            Fail,
            "",
            r#"let block = vec![1u8; 1 << 20]; for name in 0..8 { let Ok(mut file) = fs::File::create(format!("/dev/shm/{name}")) else { break }; for n in 0..64 { if file.write_all(&block).is_err() { break; } } }"#,
        ),
        runs(
            "many-files",
            Fail,
            "",
            r#"for n in 0..20000 { if fs::write(format!("/tmp/{n}"), "x").is_err() { break; } }"#,
        ),
        runs(
            "sparse-file",
            Fail,
            "",
            r#"let file = fs::File::create("/tmp/sparse").unwrap(); if file.set_len(1 << 40).is_ok() { println!("WROTE-IT"); }"#,
        ),
        runs(
            "many-descriptors",
            Fail,
            "",
            r#"let mut all = Vec::new(); while let Ok(it) = fs::File::open("/dev/null") { all.push(it); } println!("{}", all.len());"#,
        ),
        runs("busy", Fail, "", "loop { std::hint::spin_loop() }"),
        runs("sleeps-for-ever", Fail, "", "loop { unsafe { pause(); } }"),
        runs("stops-itself", Fail, "", "unsafe { raise(19); }"),
        runs(
            "ignores-signals",
            Fail,
            "",
            "unsafe { for it in 1..32 { signal(it, 1); } loop { pause(); } }",
        ),
        runs(
            "daemon",
            Fail,
            "",
            "unsafe { if fork() == 0 { setsid(); if fork() == 0 { loop { pause(); } } std::process::exit(0); } }",
        ),
        runs(
            "daemon-that-prints",
            Fail,
            "",
            r#"unsafe { if fork() == 0 { setsid(); loop { println!("Sent 'Hello World!'"); std::thread::sleep(Duration::from_millis(1)); } } }"#,
        ),
        runs("aborts", Fail, "signal 6", "std::process::abort()"),
        runs(
            "overflows-its-stack",
            Fail,
            "signal",
            "fn deep(n: u64) -> u64 { std::hint::black_box([n; 512]); 1 + deep(n + 1) } println!(\"{}\", deep(0));",
        ),
    ]
}

fn spies(secret: &str) -> Vec<Attack> {
    vec![
        runs(
            "reads-secret",
            Fail,
            "",
            &format!(
                "try_all(&[{secret:?}, \"/etc/shadow\", \"/etc/gshadow\", \"/proc/1/environ\"]);"
            ),
        ),
        runs(
            "walks-everywhere",
            Fail,
            "",
            r#"fn walk(path: &std::path::Path, depth: u32) { if depth > 6 { return; } for entry in fs::read_dir(path).into_iter().flatten().flatten() { let path = entry.path();
            let skip = ["/usr", "/proc", "/dev", "/lib", "/bin", "/sbin", "/lib64"]; if skip.iter().any(|it| path.starts_with(it)) { continue; }
            if let Ok(text) = fs::read_to_string(&path) { if text.contains("SECRET") { println!("READ {path:?} {text}"); } } walk(&path, depth + 1); } } walk("/".as_ref(), 0);"#,
        ),
        runs(
            "writes-everywhere",
            Fail,
            "",
            r#"try_write(&["/x", "/usr/x", "/etc/x", "/etc/passwd", "/submission/x", "/submission/send", "/run/x", "/run/workbook/x", "/dev/x", "/proc/sys/kernel/hostname", "/proc/self/oom_score_adj_", "/bin/x", "/var/x"]);
            let _ = fs::remove_file("/submission/send"); let _ = fs::rename("/submission", "/tmp/s");"#,
        ),
        runs(
            "becomes-root",
            Fail,
            "",
            r#"unsafe { if setuid(0) == 0 { println!("WROTE-IT root"); } if unshare(0x10000000) == 0 { println!("WROTE-IT userns"); } if unshare(0x20000) == 0 { println!("WROTE-IT mountns"); } }"#,
        ),
        runs(
            "mounts",
            Fail,
            "",
            r#"for arguments in [["-t", "tmpfs", "none", "/tmp"], ["-o", "remount,rw", "/usr", "/usr"]] { if Command::new("/usr/bin/mount").args(arguments).status().is_ok_and(|it| it.success()) { println!("WROTE-IT mount"); } }"#,
        ),
        runs(
            "looks-at-the-first-process",
            Fail,
            "",
            r#"let told = fs::read("/proc/1/cmdline").unwrap(); if told != b"/run/workbook-entry\0" { println!("READ {}", String::from_utf8_lossy(&told)); } try_all(&["/proc/1/environ", "/proc/1/maps"]);"#,
        ),
        runs(
            "takes-all-terminals",
            Fail,
            "",
            r#"let all: Vec<_> = (0..64).filter_map(|_| fs::File::options().read(true).write(true).open("/dev/ptmx").ok()).collect(); if !all.is_empty() { println!("WROTE-IT {} terminals", all.len()); }"#,
        ),
        awaits(
            "bends-its-terminal",
            Pass,
            "",
            // With carriage returns and an echo it is its own output that changes, and nothing else.
            r#"assert!(Command::new("/usr/bin/stty").args(["-F", "/dev/stdout", "sane"]).status().unwrap().success()); work(&address).await"#,
        ),
        runs(
            "looks-at-processes",
            Fail,
            "",
            r#"for entry in fs::read_dir("/proc").unwrap().flatten() { if let Ok(text) = fs::read_to_string(entry.path().join("cmdline")) { if text.contains("grader") || text.contains("rabbitmq-server") { println!("READ {text}"); } } }"#,
        ),
        awaits(
            "rewrites-itself",
            Pass,
            "",
            r#"let _ = fs::write(std::env::current_exe().unwrap(), "x"); let _ = fs::remove_file(std::env::current_exe().unwrap()); work(&address).await"#,
        ),
    ]
}

fn networks(broker_port: u16) -> Vec<Attack> {
    let reach = |addresses: &str| {
        format!(
            r#"for address in [{addresses}] {{ if TcpStream::connect_timeout(&address.parse().unwrap(), Duration::from_millis(500)).is_ok() {{ println!("REACHED {{address}}"); }} }}"#
        )
    };
    let other = if broker_port == 5672 {
        25672
    } else {
        broker_port
    };
    vec![
        runs(
            "management",
            Fail,
            "",
            &reach(r#""127.0.0.1:15672", "[::1]:15672""#),
        ),
        runs(
            "real-broker",
            Fail,
            "",
            &reach(&format!(
                r#""127.0.0.1:{other}", "172.17.0.1:5672", "172.17.0.2:5672", "127.0.0.1:4369""#
            )),
        ),
        runs(
            "internet",
            Fail,
            "",
            &reach(r#""1.1.1.1:53", "8.8.8.8:443""#),
        ),
        runs(
            "names",
            Fail,
            "",
            r#"use std::net::ToSocketAddrs; if ("example.com", 80).to_socket_addrs().is_ok() { println!("REACHED dns"); }"#,
        ),
        runs(
            "docker-socket",
            Fail,
            "",
            r#"for path in ["/var/run/docker.sock", "/run/docker.sock"] { if std::os::unix::net::UnixStream::connect(path).is_ok() { println!("REACHED docker"); } }"#,
        ),
        runs(
            "takes-the-port",
            Fail,
            "",
            r#"if std::net::TcpListener::bind("127.0.0.1:5672").is_ok() { println!("REACHED the port"); }"#,
        ),
    ]
}

fn brokers() -> Vec<Attack> {
    let many = |what: &str| {
        format!(
            "let connection = connect(&address).await; let channel = connection.create_channel().await.unwrap(); {what}"
        )
    };
    vec![
        awaits(
            "other-vhost",
            Pass,
            "",
            r#"let other = address.rsplit_once('/').unwrap().0.to_owned() + "/%2f"; work(&other).await"#,
        ),
        awaits(
            "other-login",
            Pass,
            "",
            r#"let at = address.rsplit_once('@').unwrap().1.to_owned(); work(&format!("amqp://admin:admin@{at}")).await"#,
        ),
        awaits(
            "own-port-only",
            Pass,
            "",
            r#"work("amqp://guest:guest@localhost:5672/%2f").await"#,
        ),
        awaits(
            "many-queues",
            Fail,
            "limit-passed",
            &many(r#"for n in 0..3000 { declare(&channel, &format!("q{n}")).await.unwrap(); }"#),
        ),
        awaits(
            "many-streams",
            Fail,
            "limit-passed",
            &many(
                r#"for n in 0..100 { let mut arguments = lapin::types::FieldTable::default(); arguments.insert("x-queue-type".into(), lapin::types::AMQPValue::LongString("stream".into()));
            channel.queue_declare(format!("s{n}").into(), lapin::options::QueueDeclareOptions::durable(), arguments).await.unwrap(); }"#,
            ),
        ),
        awaits(
            "many-exchanges",
            Fail,
            "limit-passed",
            &many(
                r#"for n in 0..3000 { channel.exchange_declare(format!("x{n}").into(), lapin::ExchangeKind::Fanout, Default::default(), Default::default()).await.unwrap(); }"#,
            ),
        ),
        awaits(
            "many-bindings",
            Fail,
            "limit-passed",
            // Without an answer to each, for the same reason.
            &many(
                r#"declare(&channel, "hello").await.unwrap(); for n in 0..9000 { channel.queue_bind("hello".into(), "amq.topic".into(), format!("k{n}").into(), lapin::options::QueueBindOptions { nowait: true }, Default::default()).await.unwrap(); } connection.close(200, "".into()).await.unwrap();"#,
            ),
        ),
        awaits(
            "many-channels",
            Fail,
            "limit-passed",
            "let connection = connect(&address).await; let mut all = Vec::new(); for _ in 0..2000 { all.push(connection.create_channel().await.unwrap()); }",
        ),
        runs(
            "many-connections",
            Fail,
            "limit-passed",
            // It waits for no answer before the next one, so that how many there are does not depend on the broker's speed.
            r#"let mut all = Vec::new(); for _ in 0..600 { let Ok(mut it) = TcpStream::connect("127.0.0.1:5672") else { break }; if it.write_all(b"AMQP\x00\x00\x09\x01").is_err() { break; } all.push(it); } for it in &mut all { let _ = it.read(&mut [0; 1]); }"#,
        ),
        awaits(
            "huge-message",
            Fail,
            "limit-passed",
            &many(
                r#"declare(&channel, "hello").await.unwrap(); let body = vec![1u8; 40 << 20]; channel.basic_publish("".into(), "hello".into(), Default::default(), &body, Default::default()).await.unwrap(); connection.close(200, "".into()).await.unwrap();"#,
            ),
        ),
        runs(
            "other-protocol",
            Fail,
            "unreadable",
            r#"let mut stream = raw(); stream.write_all(b"AMQP\x03\x01\x00\x00").unwrap(); rest(stream);"#,
        ),
        runs(
            "http",
            Fail,
            "unreadable",
            r#"let mut stream = raw(); stream.write_all(b"GET /api/vhosts HTTP/1.1\r\nHost: x\r\n\r\n").unwrap(); rest(stream);"#,
        ),
        runs(
            "giant-frame",
            Fail,
            "unreadable",
            r#"let mut stream = raw(); stream.write_all(b"AMQP\x00\x00\x09\x01").unwrap(); let mut start = [0; 7]; stream.read_exact(&mut start).unwrap(); stream.write_all(&[1, 0, 0, 255, 255, 255, 255, 0, 10, 0, 11]).unwrap(); rest(stream);"#,
        ),
        runs(
            "deep-table",
            Fail,
            "unreadable",
            r#"let mut stream = raw(); stream.write_all(b"AMQP\x00\x00\x09\x01").unwrap(); let mut start = [0; 7]; stream.read_exact(&mut start).unwrap();
            let mut value: Vec<u8> = vec![b'A', 0, 0, 0, 0]; for _ in 0..2000 { let mut outer = vec![b'A']; outer.extend((value.len() as u32).to_be_bytes()); outer.extend(&value); value = outer; }
            let mut table = vec![1, b'x']; table.extend(&value); let mut payload = vec![0, 10, 0, 11]; payload.extend((table.len() as u32).to_be_bytes()); payload.extend(&table); payload.extend(b"\x05PLAIN\x00\x00\x00\x0c\x00guest\x00guest\x05en_US");
            let mut frame = vec![1, 0, 0]; frame.extend((payload.len() as u32).to_be_bytes()); frame.extend(&payload); frame.push(206); stream.write_all(&frame).unwrap(); rest(stream);"#,
        ),
        runs(
            "property-not-utf8",
            Fail,
            "unreadable",
            r#"let mut stream = raw(); stream.write_all(b"AMQP\x00\x00\x09\x01").unwrap(); let mut start = [0; 7]; stream.read_exact(&mut start).unwrap();
            let table = b"\x02\xff\xfet\x01"; let mut payload = vec![0, 10, 0, 11]; payload.extend((table.len() as u32).to_be_bytes()); payload.extend(table); payload.extend(b"\x05PLAIN\x00\x00\x00\x0c\x00guest\x00guest\x05en_US");
            let mut frame = vec![1, 0, 0]; frame.extend((payload.len() as u32).to_be_bytes()); frame.extend(&payload); frame.push(206); stream.write_all(&frame).unwrap(); rest(stream);"#,
        ),
        runs(
            "silent-connection",
            Fail,
            "",
            r"let stream = raw(); loop { unsafe { pause(); } }",
        ),
        awaits(
            "exclusive-hello",
            Fail,
            "",
            &many(
                r#"channel.queue_declare("hello".into(), lapin::options::QueueDeclareOptions { exclusive: true, ..Default::default() }, Default::default()).await.unwrap(); println!("Sent 'Hello World!'"); loop { unsafe { pause(); } }"#,
            ),
        ),
        awaits(
            "stream-hello",
            Fail,
            "",
            &many(
                r#"let mut arguments = lapin::types::FieldTable::default(); arguments.insert("x-queue-type".into(), lapin::types::AMQPValue::LongString("stream".into()));
            channel.queue_declare("hello".into(), lapin::options::QueueDeclareOptions::durable(), arguments).await.unwrap(); channel.basic_publish("".into(), "hello".into(), Default::default(), b"Hello World!", Default::default()).await.unwrap(); println!("Sent 'Hello World!'"); connection.close(200, "".into()).await.unwrap();"#,
            ),
        ),
        awaits(
            "two-messages",
            Fail,
            "",
            &many(
                r#"declare(&channel, "hello").await.unwrap(); for _ in 0..2 { channel.basic_publish("".into(), "hello".into(), Default::default(), b"Hello World!", Default::default()).await.unwrap(); } println!("Sent 'Hello World!'"); connection.close(200, "".into()).await.unwrap();"#,
            ),
        ),
    ]
}
