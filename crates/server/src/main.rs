//! The program `cordboard`.

fn main() -> std::process::ExitCode {
    cordboard_server::cli::main()
}
