//! Lists taken in on the page: pasted or as a file, mended by ticks, imported, and taken back.

use std::fs;

use fantoccini::Locator;

use super::super::{
    browser::Browser,
    http::{Bench, mac},
};

async fn open(bench: &Bench) -> Browser {
    let browser = Browser::start().await;
    browser.client.goto(&format!("http://{}/import", bench.operators)).await.unwrap();
    browser.until("return document.getElementById('live').textContent === 'live'").await;
    browser
}

async fn click(browser: &Browser, css: &str) {
    browser.client.find(Locator::Css(css)).await.unwrap().click().await.unwrap();
}

fn verdict(line: usize, verdict: &str) -> String {
    format!(
        "return document.querySelector('#verdicts tr[data-line=\"{line}\"]')?.dataset.verdict === '{verdict}'"
    )
}

#[test]
fn a_refused_row_is_mended_by_a_tick_and_the_import_taken_back() {
    let bench = Bench::new(&[]);
    let listed = |text: &str| {
        let state = bench.service.view.read();
        state.phones.get(&mac(text)).is_some_and(|phone| phone.entry.is_some())
    };
    bench.runtime.block_on(async {
        let browser = open(&bench).await;
        let text = browser.client.find(Locator::Id("text")).await.unwrap();
        let list = "mac,model,number,name\n0004f2aabb01,VVX 410,4012,<i>Anna</i>\n\
            OOO4f2aabb02,VVX 410,4013,Bert\n1.57E+11,VVX 410,4014,Cara\n";
        text.send_keys(list).await.unwrap();
        browser.until(&verdict(3, "refused")).await;
        browser.until(&verdict(4, "refused")).await;
        let shown = browser.text().await;
        for said in ["is not a hexadecimal digit", "a spreadsheet turned it into", "<i>Anna</i>"] {
            assert!(shown.contains(said), "{said} is not in:\n{shown}");
        }
        let disabled = "return document.getElementById('apply').disabled";
        assert_eq!(browser.value(disabled).await, true, "a row is refused");

        click(&browser, "#verdicts tr[data-line='3'] input[type=checkbox]").await;
        browser.until(&verdict(3, "added")).await;
        click(&browser, "#verdicts tr[data-line='3'] input[type=checkbox]").await;
        browser.until(&verdict(3, "refused")).await;
        click(&browser, "#take").await;
        browser.until(&verdict(3, "added")).await;
        assert_eq!(browser.value(disabled).await, true, "another row is refused");
        click(&browser, "#partial").await;
        browser.until("return !document.getElementById('apply').disabled").await;
        assert!(!listed("00:04:f2:aa:bb:01"), "nothing is taken before it is asked for");

        click(&browser, "#apply").await;
        let said = "return document.getElementById('said').textContent.includes";
        browser.until(&format!("{said}('Imported: 2 added, 0 changed, 1 left out')")).await;
        assert!(listed("00:04:f2:aa:bb:01") && listed("00:04:f2:aa:bb:02"));
        click(&browser, "#said button").await;
        browser.until(&format!("{said}('Taken back')")).await;
        assert!(!listed("00:04:f2:aa:bb:01") && !listed("00:04:f2:aa:bb:02"));
        assert_eq!(browser.console().await, [""; 0]);
        browser.end().await;
    });
}

#[test]
fn a_file_with_columns_of_its_own_is_read_by_what_they_are_said_to_be() {
    let bench = Bench::new(&[]);
    let list = "MAC-Adresse;Nebenstelle;Etage\r\n0004F2AABB03;4015;zwölf\r\n";
    let units = [0xfeff].into_iter().chain(list.encode_utf16());
    let octets: Vec<u8> = units.flat_map(u16::to_le_bytes).collect();
    let path = bench.directory.path().join("liste.csv");
    fs::write(&path, octets).unwrap();
    bench.runtime.block_on(async {
        let browser = open(&bench).await;
        let file = browser.client.find(Locator::Id("file")).await.unwrap();
        file.send_keys(&path.display().to_string()).await.unwrap();
        browser.until("return document.querySelectorAll('#headings .unknown').length === 3").await;
        for (column, field, left) in
            [("MAC-Adresse", "mac", 2), ("Nebenstelle", "number", 1), ("Etage", "", 0)]
        {
            let choose = format!(
                "const label = Array.from(document.querySelectorAll('#headings label'))
                   .find((label) => label.firstChild.textContent === '{column}');
                 const select = label.querySelector('select');
                 select.value = '{field}';
                 select.dispatchEvent(new Event('change'));"
            );
            browser.value(&choose).await;
            let unknown = "document.querySelectorAll('#headings .unknown').length";
            browser.until(&format!("return {unknown} === {left}")).await;
        }
        browser.until(&verdict(2, "added")).await;
        click(&browser, "#apply").await;
        browser
            .until("return document.getElementById('said').textContent.includes('1 added')")
            .await;
        let listed = || {
            let state = bench.service.view.read();
            state.phones[&mac("00:04:f2:aa:bb:03")].entry.clone().unwrap()
        };
        assert_eq!(listed().lines[0].number, "4015");
        assert_eq!(browser.console().await, [""; 0]);
        browser.end().await;
    });
}
