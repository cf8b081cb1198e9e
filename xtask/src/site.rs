//! The whole site: script, style and the files of `public/`.

use std::path::Path;

use anyhow::Result;

use crate::npm::{run, tool};
use crate::{NAME, folder, root, script};

/// Builds `target/site`.
///
/// # Errors
/// When the code does not compile, a tool fails, or the disk refuses.
pub fn build() -> Result<()> {
    let root = root();
    let changed = assemble(root, &script::build()?, &root.join("target/site"))?;
    println!(
        "site: {}",
        if changed {
            "target/site is new"
        } else {
            "nothing has changed"
        }
    );
    Ok(())
}

/// Puts the site together beside its place, and there when all of it is ready: a build that fails
/// leaves the last good one. Returns whether anything changed.
fn assemble(root: &Path, script: &Path, site: &Path) -> Result<bool> {
    let next = site.with_extension("next");
    let package = next.join("pkg");
    folder::empty(&next)?;
    folder::copy(&root.join("public"), &next)?;
    folder::copy(script, &package)?;
    let (style, target) = (root.join("style").join(NAME), package.join(NAME));
    run(tool("lightningcss")
        .args(["--minify", "--targets", "defaults", "--output-file"])
        .args([target.with_extension("css"), style.with_extension("css")]))?;
    folder::replace(site, &next)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;

    struct World {
        folder: TempDir,
    }

    impl World {
        fn new() -> Self {
            let world = Self {
                folder: tempfile::tempdir().unwrap(),
            };
            world.write("public/robots.txt", "Disallow:");
            world.write("script/relink.js", "export {}");
            world.write("style/relink.css", "a { color: white }");
            world
        }

        fn write(&self, file: &str, text: &str) {
            let path = self.folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }

        fn assemble(&self) -> Result<bool> {
            let root = self.folder.path();
            assemble(root, &root.join("script"), &root.join("site"))
        }

        fn site(&self) -> Vec<String> {
            ["robots.txt", "pkg/relink.js", "pkg/relink.css"]
                .map(|file| fs::read_to_string(self.folder.path().join("site").join(file)).unwrap())
                .to_vec()
        }
    }

    #[test]
    fn a_site_is_script_style_and_public_files() {
        let world = World::new();
        assert!(world.assemble().unwrap());
        assert_eq!(world.site(), ["Disallow:", "export {}", "a{color:#fff}"]);
        world.write("style/relink.css", "a { color: black }");
        assert!(world.assemble().unwrap());
        assert_eq!(world.site(), ["Disallow:", "export {}", "a{color:#000}"]);
    }

    #[test]
    fn a_build_that_fails_leaves_the_last_good_site() {
        let world = World::new();
        world.assemble().unwrap();
        let good = world.site();
        world.write("style/relink.css", "a { color: red } }");
        world.write("public/robots.txt", "Allow:");
        world.assemble().unwrap_err();
        assert_eq!(world.site(), good);
    }

    #[test]
    fn a_site_that_has_not_changed_is_left_untouched() {
        let world = World::new();
        world.assemble().unwrap();
        let style = world.folder.path().join("site/pkg/relink.css");
        let made = fs::metadata(&style).unwrap().modified().unwrap();
        assert!(!world.assemble().unwrap());
        assert_eq!(fs::metadata(&style).unwrap().modified().unwrap(), made);
    }
}
