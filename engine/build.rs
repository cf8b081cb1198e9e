//! New migrations are compiled in: look again when one appears.

fn main() {
    println!("cargo::rerun-if-changed=../migrations");
}
