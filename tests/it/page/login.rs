//! Logging in on the page, with the right password and with wrong ones.

use assert_cmd::Command;
use fantoccini::Locator;
use tokio::runtime::Runtime;

use crate::{
    browser::Browser,
    run::{BINARY, Home},
};

const PORT: u16 = 18_971;

/// Whoever navigates is asked on a page, sees what there is once the password is right, and nothing after logging out.
/// What changes something needs the token beside the cookie.
#[test]
fn the_password_is_asked_once() {
    let word =
        Command::new(BINARY).arg("password").write_stdin("correct horse\n").output().unwrap();
    let hash = String::from_utf8(word.stdout).unwrap();
    let home = Home::new(&format!(
        "[tftp]\nlisten = [\"127.0.0.1:16971\"]\n[http]\nphones = [\"127.0.0.1:18970\"]\n\
         operators = [\"127.0.0.1:{PORT}\"]\npassword-hash = '{}'\n",
        hash.trim()
    ));
    let serving = home.serve(&[]);
    Runtime::new().unwrap().block_on(async {
        let browser = Browser::start().await;
        let page = format!("http://127.0.0.1:{PORT}");
        browser.client.goto(&format!("{page}/phones/001e7ac41022?x=1")).await.unwrap();
        let type_in = async |word: &str| {
            let field = browser.client.find(Locator::Id("password")).await.unwrap();
            field.send_keys(word).await.unwrap();
            let button = browser.client.find(Locator::Css("button[type=submit]")).await.unwrap();
            button.click().await.unwrap();
        };
        browser.until("return location.pathname === '/login'").await;
        assert!(!browser.text().await.contains("MAC"), "nothing is shown before the password");
        type_in("wrong horse").await;
        browser.until("return document.body.innerText.includes('That is not the password.')").await;
        type_in("correct horse").await;
        browser.until("return location.pathname === '/phones/001e7ac41022'").await;

        browser.client.goto(&page).await.unwrap();
        browser.until("return document.getElementById('live').textContent === 'live'").await;
        let put = |token: &str| {
            format!(
                "const done = arguments[0];
                 const token = document.cookie.split('ringup-token=')[1];
                 fetch('/api/v1/auto-registration', {{ method: 'PUT', body: '{{\"enabled\":false}}',
                   headers: {{ 'content-type': 'application/json', 'x-ringup-token': {token} }} }})
                   .then((answer) => done(answer.status))"
            )
        };
        let status =
            async |token: &str| browser.client.execute_async(&put(token), vec![]).await.unwrap();
        assert_eq!(status("token").await, 200, "with the session's own token");
        assert_eq!(status("'guessed'").await, 403, "without it");

        browser.client.find(Locator::Id("logout")).await.unwrap().click().await.unwrap();
        browser.until("return location.pathname === '/login'").await;
        browser.client.goto(&page).await.unwrap();
        browser.until("return location.pathname === '/login'").await;
        browser.end().await;
    });
    assert_eq!(serving.stop(), Some(0));
}
