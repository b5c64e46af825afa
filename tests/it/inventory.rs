//! The operator's lists against a real store and the shipped families.

use std::path::Path;

use ringup::{
    config::{Settings, Site},
    profile::Catalog,
    provision::inventory::{ImportOptions, Verdict, export_csv, plan},
    store::{Store, restore},
};

const FILE: &str = "\
mac;model;number;name;sip-password;site;line.2.number
MAC:001E7AC41022;CP-7961G;4012;Jörg;s3cret;paris;
00-04-f2-aa-bb-cc;VVX 411;4013;=Anna;x y;;4113
";

fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.sites.insert("default".to_owned(), Site::default());
    settings.sites.insert("paris".to_owned(), Site::default());
    settings
}

/// Imports into a store, and tells the verdicts.
async fn import(store: &Store, file: &str) -> Vec<Verdict> {
    let (catalog, _) = Catalog::load(None);
    let options = ImportOptions::default();
    let state = store.view.read().clone();
    let import =
        plan(file.as_bytes(), "phones.csv", &state, (&catalog, &settings()), &options, &|_, _| {
            Vec::new()
        });
    assert!(import.problems.is_empty(), "{:?}", import.problems);
    if let Some(batch) = import.batch {
        store.journal.commit(batch).await.unwrap();
    }
    import.rows.into_iter().map(|row| row.verdict).collect()
}

fn exported(directory: &Path) -> String {
    let store = Store::open(directory).unwrap();
    let state = store.view.read();
    export_csv(&state, &|_, _| true, true)
}

#[tokio::test]
async fn a_list_survives_import_restart_backup_and_export() {
    let directory = tempfile::tempdir().unwrap();
    let (one, two) = (directory.path().join("one"), directory.path().join("two"));
    let backup = directory.path().join("backup");
    {
        let store = Store::open(&one).unwrap();
        assert_eq!(import(&store, FILE).await, [Verdict::Added, Verdict::Added]);
        store.backup_file(&backup).unwrap();
    }
    let list = exported(&one);
    assert!(
        list.contains("\"'=Anna\"") && list.contains("\"s3cret\"") && list.contains("Jörg"),
        "{list}"
    );
    restore(&backup, &two).unwrap();
    assert_eq!(exported(&two), list);
    let store = Store::open(&two).unwrap();
    assert_eq!(import(&store, &list).await, [Verdict::Same, Verdict::Same]);
    assert_eq!(import(&store, FILE).await, [Verdict::Same, Verdict::Same]);
}

#[tokio::test]
async fn undo_takes_an_import_back() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    import(&store, FILE).await;
    import(&store, "mac,name\n001e7ac41022,Jane\n0004f2aabbdd,New\n").await;
    assert_eq!(store.view.read().listed(), 3);
    store.journal.undo().await.unwrap().unwrap();
    let state = store.view.read();
    assert_eq!(state.listed(), 2);
    let phone = &state.phones[&"001e7ac41022".parse().unwrap()];
    assert_eq!(phone.entry.as_ref().unwrap().name(), "Jörg");
}
