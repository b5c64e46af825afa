//! What benchmarks of pure parts share: criterion measures, and a Markdown table tells the medians and their ratios.

use std::{fs, hint::black_box, time::Duration};

use criterion::Criterion;
use tempfile::TempDir;

/// Measurements under one heading; prints them when it is dropped.
pub struct Table {
    criterion: Criterion,
    results: TempDir,
    title: &'static str,
    rows: Vec<Row>,
}

/// One measurement.
struct Row {
    name: String,
    median: f64,
    /// What it is compared with, and how many times faster it is.
    ratio: Option<(String, f64)>,
}

impl Table {
    /// Each measurement takes about two seconds, a slow one as long as ten runs.
    pub fn new(title: &'static str) -> Self {
        let results = tempfile::tempdir().expect("a directory");
        let criterion = Criterion::default()
            .output_directory(results.path())
            .sample_size(10)
            .nresamples(1000)
            .warm_up_time(Duration::from_millis(300))
            .measurement_time(Duration::from_secs(2))
            .without_plots();
        Self { criterion, results, title, rows: Vec::new() }
    }

    /// Measures; the median in nanoseconds.
    pub fn measure<T>(&mut self, name: &str, mut run: impl FnMut() -> T) -> f64 {
        self.criterion.bench_function(name, |bench| bench.iter(|| black_box(run())));
        let median = self.median(name);
        self.rows.push(Row { name: name.to_owned(), median, ratio: None });
        median
    }

    /// Measures, and sets it against an earlier measurement of something else: a ratio means something on any machine.
    pub fn against<T>(&mut self, name: &str, peer: (&str, f64), run: impl FnMut() -> T) -> f64 {
        let median = self.measure(name, run);
        if let Some(row) = self.rows.last_mut() {
            row.ratio = Some((peer.0.to_owned(), peer.1 / median));
        }
        median
    }

    /// The median that criterion left behind.
    fn median(&self, name: &str) -> f64 {
        let folder = name.replace(['/', '"', '?', '*', ':', '\\', '<', '>', '|'], "_");
        let path = self.results.path().join(folder).join("new/estimates.json");
        let text = fs::read_to_string(path).expect("criterion's estimates");
        let found: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        found["median"]["point_estimate"].as_f64().expect("a median")
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        println!("\n| {} | median | compared with | ratio |\n|---|---|---|---|", self.title);
        for Row { name, median, ratio } in &self.rows {
            let (peer, ratio) = match ratio {
                Some((peer, ratio)) => (peer.as_str(), format!("{ratio:.1} × faster")),
                None => ("", String::new()),
            };
            println!("| {name} | {} | {peer} | {ratio} |", spoken(*median));
        }
    }
}

/// A time in a unit in which it is read easily.
fn spoken(nanoseconds: f64) -> String {
    match nanoseconds {
        ..1e3 => format!("{nanoseconds:.0} ns"),
        ..1e6 => format!("{:.1} µs", nanoseconds / 1e3),
        ..1e9 => format!("{:.1} ms", nanoseconds / 1e6),
        _ => format!("{:.2} s", nanoseconds / 1e9),
    }
}
