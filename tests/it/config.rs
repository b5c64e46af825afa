//! Settings, as a whole file gives them.

use std::path::Path;

use ringup::config;

/// A good file gives no word of complaint, and these settings.
#[test]
fn a_whole_file() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/example.toml");
    let loaded = config::load(Some(&path)).unwrap();
    assert_eq!(loaded.warnings, []);
    assert_eq!(loaded.path.as_deref(), Some(path.as_path()));
    insta::assert_debug_snapshot!(loaded.settings);
}
