//! Nothing is made here. A build dependency must be built for a reason, and the reason for ours stands in `Cargo.toml`.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
}
