//! Measures the board in a real Chromium with 10,000 phones, still and in a storm of 5,000 boots: reading the list, from
//! a key to the filtered list, tasks that hold the browser up, and how late news are. Then the appliance with pages that
//! sleep. Fails where a figure is over its bound. Bounded: about a minute, loopback only.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark that can't go on panics")]

#[path = "../it/browser.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod browser;
#[path = "board_kit.rs"]
mod kit;

use std::{
    io::Write,
    net::TcpStream,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use browser::Browser;
use kit::Appliance;

/// Phones on the board.
const PHONES: u32 = 10_000;

/// Boots of the storm, and how long it lasts: each is four events.
const BOOTS: u32 = 5000;
const STORM: Duration = Duration::from_secs(20);

/// Milliseconds from a key to the filtered list on the screen.
const FILTER: f64 = 150.0;

/// The longest task, in milliseconds: what the browser itself calls long.
const TASK: f64 = 50.0;

/// Milliseconds from a commit to the screen.
const LAG: f64 = 1000.0;

/// Milliseconds from the request to the first paint, on loopback.
const PAINT: f64 = 100.0;

/// Pages that are open and take nothing.
const SLEEPERS: usize = 50;

/// Notes tasks over 50 ms, and when which phone was renamed on the screen.
const WATCH: &str = "
    window.long = []; window.told = {};
    new PerformanceObserver((list) => { for (const one of list.getEntries()) long.push([one.duration, one.startTime]); })
      .observe({ type: 'longtask', buffered: true });
    new MutationObserver(() => {
      const found = document.querySelector('#rows')?.textContent.match(/!sentinel (\\d+)/);
      if (found) told[found[1]] ??= Date.now();
    }).observe(document.querySelector('#rows'), { childList: true, subtree: true, characterData: true });";

/// Types a text and tells how long it takes until the list that fits it is on the screen.
const TYPE: &str = "
    const [text, done] = arguments;
    const field = document.getElementById('filter');
    const before = performance.now();
    field.value = text;
    field.dispatchEvent(new Event('input'));
    const look = () => {
      const row = document.querySelector('#rows tr');
      const there = new URLSearchParams(location.search).get('q') === (text || null);
      const fits = !text || row && row.textContent.includes(text);
      if (there && fits) requestAnimationFrame(() => setTimeout(() => done(performance.now() - before)));
      else requestAnimationFrame(look);
    };
    look();";

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let appliance = Appliance::start(&runtime);
    appliance.list(PHONES);
    let mut bad = 0;
    let mut tell = |what: &str, figure: f64, bound: f64, unit: &str| {
        let verdict = if figure <= bound { "" } else { "  TOO MUCH" };
        bad += usize::from(figure > bound);
        println!("{what:<52} {figure:>9.1} {unit} (bound {bound:.0}){verdict}");
    };
    runtime.block_on(async {
        let browser = Browser::start().await;
        let began = Instant::now();
        browser.client.goto(&format!("http://{}/", appliance.address)).await.unwrap();
        browser.value(WATCH).await;
        browser
            .until(&format!(
                "return document.getElementById('shown').textContent === '{PHONES} phones'"
            ))
            .await;
        println!("{PHONES} phones read in {:.1} s", began.elapsed().as_secs_f64());
        tell("longest task while reading", longest(&browser).await, TASK, "ms");
        // A measure that never strikes measures nothing.
        let busy = "const end = performance.now() + 80; while (performance.now() < end);";
        browser.value(&format!("setTimeout(() => {{ {busy} }})")).await;
        browser.until("return long.some(([took]) => took >= 80)").await;
        longest(&browser).await;
        let still = filters(&browser, 12).await;
        tell("key to filtered list, still", still, FILTER, "ms");
        tell("longest task while filtering", longest(&browser).await, TASK, "ms");
        let storm = tokio::task::spawn_blocking({
            let appliance = appliance.clone();
            move || appliance.storm(BOOTS, STORM)
        });
        let stormy = filters(&browser, 24).await;
        let lag = lag(&browser, &appliance).await;
        storm.await.unwrap();
        tell("key to filtered list, 5,000 boots in 20 s", stormy, FILTER, "ms");
        tell("commit to screen, the same", lag, LAG, "ms");
        tell("longest task in the storm", longest(&browser).await, TASK, "ms");
        let rows = browser.value("return document.querySelectorAll('#rows tr').length").await;
        println!("{:<52} {rows:>9}", "rows in the document");
        let paint = first_paint(&browser, &appliance).await;
        tell("first paint, half of the loads", paint, PAINT, "ms");
        browser.end().await;
    });
    let sleepers = sleepers(&appliance);
    // What is under way to them fills up first.
    storm_alone(&appliance);
    let slept = best(&appliance);
    drop(sleepers);
    let alone = best(&appliance);
    println!("{SLEEPERS} pages asleep: 2,000 boots in {slept:.2} s, {alone:.2} s without them");
    tell("slower with pages asleep, times", slept / alone, 3.0, "×");
    assert_eq!(bad, 0, "{bad} figures are over their bounds");
}

/// The same at its best, for the machine may be busy with something else meanwhile.
fn best(appliance: &Appliance) -> f64 {
    (0..4).map(|_| storm_alone(appliance)).fold(f64::INFINITY, f64::min)
}

/// Seconds that 2,000 boots take at full speed.
fn storm_alone(appliance: &Appliance) -> f64 {
    let began = Instant::now();
    appliance.storm(2000, Duration::ZERO);
    began.elapsed().as_secs_f64()
}

/// The longest task since it was last asked, in milliseconds.
async fn longest(browser: &Browser) -> f64 {
    let tasks = browser.value("return long.splice(0)").await;
    let tasks = tasks.as_array().unwrap();
    for task in tasks {
        println!("    a task of {} ms, {} ms after the page began", task[0], task[1]);
    }
    tasks.iter().filter_map(|task| task[0].as_f64()).fold(0.0, f64::max)
}

/// The longest time from a key to the list, over several texts.
async fn filters(browser: &Browser, times: u32) -> f64 {
    let mut worst = 0.0_f64;
    for n in 0..times {
        let text = if n % 3 == 2 { String::new() } else { format!("{}", 1000 + n * 37) };
        let took = browser.client.execute_async(TYPE, vec![text.into()]).await.unwrap();
        worst = worst.max(took.as_f64().unwrap());
    }
    browser.client.execute_async(TYPE, vec!["".into()]).await.unwrap();
    worst
}

/// Milliseconds to the first paint of the board, all phones listed: the middle one of several loads, for the machine may
/// be busy with something else once.
async fn first_paint(browser: &Browser, appliance: &Appliance) -> f64 {
    let painted =
        "return performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null";
    let mut took = Vec::new();
    for _ in 0..9 {
        browser.client.goto(&format!("http://{}/", appliance.address)).await.unwrap();
        browser
            .until("return performance.getEntriesByName('first-contentful-paint').length > 0")
            .await;
        took.push(browser.value(painted).await.as_f64().unwrap());
    }
    took.sort_by(f64::total_cmp);
    println!("    first paints: {took:.0?}");
    took[took.len() / 2]
}

/// The longest time from a commit to the screen, over several renamed phones.
async fn lag(browser: &Browser, appliance: &Appliance) -> f64 {
    let mut worst = 0.0_f64;
    for n in 0..10_u32 {
        let sent = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let (appliance, name) = (appliance.clone(), format!("!sentinel {n}"));
        tokio::task::spawn_blocking(move || appliance.rename(&name)).await.unwrap();
        browser.until(&format!("return told[{n}] !== undefined")).await;
        let seen = browser.value(&format!("return told[{n}]")).await.as_f64().unwrap();
        worst = worst.max(seen - sent.as_secs_f64() * 1000.0);
    }
    worst
}

/// Event streams that are open and read by nobody.
fn sleepers(appliance: &Appliance) -> Vec<TcpStream> {
    let open = |_| {
        let mut stream = TcpStream::connect(appliance.address).unwrap();
        let host = appliance.address;
        write!(stream, "GET /api/v1/events HTTP/1.1\r\nHost: {host}\r\n\r\n").unwrap();
        stream
    };
    (0..SLEEPERS).map(open).collect()
}
