//! Turns the variable `TWIN` into the `cfg`s of the twin that is built.
//!
//! A feature would do it too, but would also change the hashes in all symbol names. This way the
//! twins may differ in nothing but their code.

fn main() {
    println!("cargo::rerun-if-env-changed=TWIN");
    println!("cargo::rustc-check-cfg=cfg(annotated)");
    println!("cargo::rustc-check-cfg=cfg(sampled)");
    let twin = std::env::var("TWIN").unwrap_or_default();
    for cfg in twin.split(',').filter(|cfg| !cfg.is_empty()) {
        println!("cargo::rustc-cfg={cfg}");
    }
}
