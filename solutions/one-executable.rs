// Many small programs in one executable, because linking each by itself takes minutes in all.
//
// `EXECUTABLE NAME ARGUMENTS…` becomes the program NAME: it starts itself again under that name, so that the program
// sees its own arguments only. Without arguments it lists the names. A program is a file with a `main` of its own.

macro_rules! programs {
    ($($module:ident = $file:literal),+ $(,)?) => {
        $(#[path = $file] mod $module;)+

        fn main() -> std::process::ExitCode {
            use std::{env, os::unix::process::CommandExt as _, process::{Command, ExitCode, Termination as _}};

            let mut arguments = env::args_os();
            let own = arguments.next().unwrap_or_default();
            $(if own == $file.trim_end_matches(".rs") {
                return $module::main().report();
            })+
            let names = [$($file.trim_end_matches(".rs")),+];
            let Some(name) = arguments.next() else {
                println!("{}", names.join("\n"));
                return ExitCode::SUCCESS;
            };
            if !names.iter().any(|known| name == *known) {
                eprintln!("there is no program {}; there are {}", name.display(), names.join(", "));
                return ExitCode::from(2);
            }
            let error = match env::current_exe() {
                Ok(executable) => Command::new(executable).arg0(name).args(arguments).exec(),
                Err(error) => error,
            };
            eprintln!("it cannot start itself again: {error}");
            ExitCode::FAILURE
        }
    };
}
