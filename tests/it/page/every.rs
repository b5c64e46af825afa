//! Every page, light and dark, wide and narrow: it comes up, fits, and the console has nothing to say.

use std::net::Ipv4Addr;

use ringup::domain::{Change, Granted, Origin, Timestamp, What};
use serde_json::json;

use super::super::{
    browser::Browser,
    http::{Bench, batches::call, entry, happened, mac, showed},
};

/// Each page with something that is to be read on it.
pub const PAGES: &[(&str, &str)] = &[
    ("/", "4012 Front desk"),
    ("/bench", "Open a batch"),
    ("/bench/1", "MAC 1 of 40, 39 to go"),
    ("/import", "Asterisk"),
    ("/auto-registration", "Closed"),
    ("/leases", "DHCP is off"),
    ("/firmware", "There is no firmware"),
    ("/families", "Recognized only"),
    ("/families/poly-vvx", "{mac}.cfg"),
    ("/families/cisco-79xx-enterprise", "keypad steps"),
    ("/families/dinstar", "renders nothing for them"),
    ("/events", "leased 10.20.0.51"),
    ("/about", "Everybody on this machine"),
    ("/help", "Alternate TFTP"),
    ("/phones/00:04:f2:aa:bb:01", "Front desk"),
];

/// What is printed of the first batch and for it.
pub const SHEETS: &[&str] = &[
    "/bench/commands",
    "/api/v1/batches/1/report?format=html",
    "/api/v1/batches/1/labels?format=html",
];

#[test]
fn every_page_in_both_colour_schemes() {
    let bench = Bench::new(&[]);
    let phone = mac("00:04:f2:aa:bb:01");
    let address = Ipv4Addr::new(10, 20, 0, 51);
    bench.commit(vec![
        Change::Listed(phone, Box::new(entry("VVX 410", "4012", "Front desk"))),
        showed(phone, Origin::Option60, "Polycom-VVX410", Some("VVX410")),
        happened(phone, What::discovered(None)),
        happened(
            phone,
            What::Leased { address, until: Timestamp::MAX, granted: Granted::Selected },
        ),
    ]);
    call(&bench, "POST", "", &json!({ "name": "Monday", "planned": 40 }));
    call(&bench, "POST", "/1/phones", &json!({ "mac": phone.to_string() }));
    bench.runtime.block_on(async {
        let browser = Browser::start().await;
        for (scheme, width) in [("light", 1280), ("dark", 1280), ("light", 390), ("dark", 390)] {
            browser.dress(scheme, width, 900).await;
            for (path, text) in PAGES {
                browser.client.goto(&format!("http://{}{path}", bench.operators)).await.unwrap();
                browser.until("return document.getElementById('live').dataset.is === 'live'").await;
                let text = text.replace('\'', "\\'");
                browser.until(&format!("return document.body.innerText.includes('{text}')")).await;
                let wider = "return document.documentElement.scrollWidth > innerWidth";
                assert_eq!(browser.value(wider).await, false, "{path} does not fit {width}");
                let ground = "return getComputedStyle(document.body).backgroundColor";
                let expected =
                    if scheme == "dark" { "rgb(17, 22, 27)" } else { "rgb(246, 247, 248)" };
                assert_eq!(browser.value(ground).await, expected, "{path}");
                assert_eq!(browser.console().await, [""; 0], "{path}, {scheme}, {width}");
            }
        }
        browser.end().await;
    });
}

/// A remedy leads to the keys of its very phone.
#[test]
fn a_remedy_leads_to_what_to_press() {
    let bench = Bench::new(&[]);
    let phone = mac("00:1e:7a:c4:10:22");
    let class = "Cisco Systems, Inc. IP Phone CP-7961G";
    let mut ground = showed(phone, Origin::Option60, class, Some("7961"));
    if let Change::Showed(_, ground) = &mut ground {
        ground.vendor = Some("Cisco".to_owned());
        ground.family = Some(ringup::domain::FamilyName::new("cisco-79xx-enterprise"));
    }
    bench.commit(vec![ground, happened(phone, What::discovered(None))]);
    bench.runtime.block_on(async {
        let browser = Browser::start().await;
        browser.client.goto(&format!("http://{}/phones/{phone}", bench.operators)).await.unwrap();
        browser.until("return document.querySelector('.help a') !== null").await;
        let link = fantoccini::Locator::Css(".help a");
        browser.client.find(link).await.unwrap().click().await.unwrap();
        browser.until("return location.pathname === '/help'").await;
        let target = "return document.querySelector('section:target').innerText";
        let steps = browser.value(target).await.to_string();
        for said in ["123456789*0#", "set Alternate TFTP to No", "DHCP Enabled"] {
            assert!(steps.contains(said), "{said} is not in {steps}");
        }
        browser.end().await;
    });
}
