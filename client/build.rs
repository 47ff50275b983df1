//! Compiles the C side of the picture codec against the machine's libvpx, whatever its version.

fn main() {
    println!("cargo::rerun-if-changed=src/picture/codec.c");
    #[cfg(feature = "vp8")]
    codec();
}

#[cfg(feature = "vp8")]
fn codec() {
    let mut build = cc::Build::new();
    build.file("src/picture/codec.c").std("c11").warnings(true);
    if let Err(error) = build.try_compile("homeline_picture_codec") {
        eprintln!("libvpx can't be used; on Debian it is in libvpx-dev: {error}");
        std::process::exit(1);
    }
    println!("cargo::rustc-link-lib=vpx");
}
