//! Opening the page, and reading what it reports.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::Duration;

use handover_end_to_end::{Browser, Site, run_within};
use tokio::time::sleep;

use crate::results::{Engine, Measured};

/// How long one engine may take.
const MOST_TIME: Duration = Duration::from_secs(600);

/// How often the page is asked what it has measured. That takes time of its own, so not often.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// What the page is told.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) pages: u32,
    pub(crate) warm_up: u32,
    pub(crate) rounds: u32,
    pub(crate) milliseconds: u32,
    pub(crate) row: Option<String>,
}

/// Measures in the browser that xtask has found.
pub(crate) fn measure(settings: &Settings, out: &Path) -> Result<(), Box<dyn Error>> {
    let mut measured = Err("the page was not opened".into());
    run_within(MOST_TIME, async |browser| measured = measure_in(browser, settings).await);
    fs::write(out, serde_json::to_string_pretty(&measured?)?)?;
    Ok(())
}

/// Everything on each of so many pages. Which processor a thread is on is a matter of chance, and stays so as long as its page.
async fn measure_in(browser: &Browser, settings: &Settings) -> Result<Engine, Box<dyn Error>> {
    let mut engine = Engine { version: version(browser), measured: Vec::new() };
    for _ in 0..settings.pages {
        engine.add(measure_on_a_page(browser, settings).await?);
    }
    Ok(engine)
}

async fn measure_on_a_page(browser: &Browser, settings: &Settings) -> Result<Vec<Measured>, Box<dyn Error>> {
    let Settings { warm_up, rounds, milliseconds, row, .. } = settings;
    let row = row.as_ref().map(|row| format!("&row={}", row.replace(' ', "%20"))).unwrap_or_default();
    let page = browser.file(Site::A, "bench.html");
    browser.open(&format!("{page}?warm-up={warm_up}&rounds={rounds}&milliseconds={milliseconds}{row}")).await;
    let mut measured = Vec::new();
    loop {
        sleep(LOOK_EVERY).await;
        let lines = browser.lines().await;
        for line in lines.iter().skip(measured.len()) {
            if line == "done" {
                return Ok(measured);
            }
            measured.push(read(line)?);
        }
    }
}

fn read(line: &str) -> Result<Measured, Box<dyn Error>> {
    serde_json::from_str(line).map_err(|_| format!("the page has reported: {line}").into())
}

/// What the browser calls itself.
fn version(browser: &Browser) -> String {
    let said = |name| browser.capabilities()?.get(name)?.as_str();
    format!("{} {}", said("browserName").unwrap_or_default(), said("browserVersion").unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_page_reports_besides_results_is_the_error() {
        let error = read("error: an answer is wrong").unwrap_err();

        assert_eq!(error.to_string(), "the page has reported: error: an answer is wrong");
    }
}
