//! The pages in a real browser: nothing is fetched, nothing is complained of, and what is clicked does what it says.
//!
//! Needs Chromium, which `CHROMIUM` may name; where there is none, the tests are ignored and their names say why.
#![cfg(feature = "cli")]

mod browser;
#[path = "../program/mod.rs"]
mod program;
#[path = "../program/server.rs"]
mod server;

use browser::{Browser, Page};
use libtest_mimic::{Arguments, Failed, Trial};
use program::Folder;
use server::Server;

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/datasets/examples/two-years");

fn main() {
    type Check = fn(&Browser) -> Result<(), Failed>;
    let checks: [(&str, Check); 7] = [
        ("trend_shows_the_reports_of_a_mark_and_the_map_of_another_time", trend),
        ("evaluation_filters_its_errors", evaluation),
        ("prediction_filters_by_state_and_opens_evidence", prediction),
        ("a_text_is_pasted_and_its_answer_read", pasted),
        ("files_are_dropped_and_what_is_wrong_is_said", dropped),
        ("nothing_of_an_article_runs", hostile),
        ("what_is_complained_of_is_heard", complaints),
    ];
    let chromium = browser::find();
    let trial = |(name, check): (&str, Check)| match chromium.clone() {
        Some(path) => Trial::test(name, move || check(&Browser::start(&path)?)),
        None => {
            let name = format!("{name} (no Chromium was found: CHROMIUM names one)");
            Trial::test(name, || Ok(())).with_ignored_flag(true)
        }
    };
    let mut arguments = Arguments::from_args();
    // A browser is many processes; one at a time.
    arguments.test_threads = Some(1);
    libtest_mimic::run(&arguments, checks.into_iter().map(trial).collect()).exit();
}

/// Runs the program, which writes `page.html`.
fn page_of(folder: &Folder, args: &[&str]) -> Result<String, Failed> {
    let ended = folder.run(&[args, &["--html", "page.html"]].concat());
    if ended.code != Some(0) {
        return Err(ended.stderr.into());
    }
    Ok(format!("file://{}", folder.path("page.html").display()))
}

/// Both widths, light and dark: nothing is wider than the screen.
fn fits(page: &Page) -> Result<(), Failed> {
    for (width, dark) in [(375, true), (375, false), (1440, true), (1440, false)] {
        page.look(width, dark)?;
        let wide = page.number("document.documentElement.scrollWidth")?;
        if wide > f64::from(width) {
            return Err(format!("{wide} wide on a screen of {width}").into());
        }
    }
    Ok(())
}

fn trend(browser: &Browser) -> Result<(), Failed> {
    let folder = Folder::new();
    let page = browser.open(&page_of(&folder, &["trend", EXAMPLE, "--actor", "Russia", "--by", "quarter"])?)?;
    fits(&page)?;
    page.is("document.querySelector('.map [data-code=BLR] title').textContent.startsWith('Belarus, 2019-Q4')")?;
    page.act("const when = document.getElementById('when'); when.value = 0; when.dispatchEvent(new Event('input'))")?;
    page.is("document.getElementById('map-when').textContent == '2018-Q1'")?;
    page.is("document.querySelector('.map [data-code=BLR] title').textContent.startsWith('Belarus, 2018-Q1')")?;
    page.is("document.querySelector('.panel').textContent == ''")?;
    page.click("#s0 .chart a:nth-of-type(6)")?;
    page.is("document.querySelector('#s0-panel').textContent.includes('2019-Q2')")?;
    page.is("document.querySelector('#s0-panel').textContent.includes('Sangob dam')")?;
    page.done()
}

fn evaluation(browser: &Browser) -> Result<(), Failed> {
    let folder = Folder::new();
    folder.save(
        "rows.csv",
        "id,text,state,actor,label\na,Norway praised Chile.,Norway,Chile,aligned\nb,Norway condemned Peru.,Norway,Peru,aligned\n\
         c,Norway thanked Peru.,Norway,Peru,opposed\n",
    );
    let args = ["evaluate", "--data", "rows.csv", "--model", "fast", "--by", "actor"];
    let page = browser.open(&page_of(&folder, &args)?)?;
    fits(&page)?;
    let shown = "document.querySelectorAll('#errors > .card:not([hidden])').length";
    page.is(&format!("{shown} == 2"))?;
    page.act("const f = document.querySelector('[data-filter=label]'); f.value = 'opposed'; f.dispatchEvent(new Event('input'))")?;
    page.is(&format!("{shown} == 1"))?;
    page.is("document.querySelector('#errors > .card:not([hidden])').textContent.includes('thanked')")?;
    page.is("document.querySelector('[data-count]').textContent == '1 of 2'")?;
    page.done()
}

fn prediction(browser: &Browser) -> Result<(), Failed> {
    let folder = Folder::new();
    let page = browser.open(&page_of(&folder, &["predict", EXAMPLE, "--actor", "Russia", "--model", "fast"])?)?;
    fits(&page)?;
    page.act(
        "const f = document.querySelector('[data-filter=state]'); f.value = 'BLR'; f.dispatchEvent(new Event('input'))",
    )?;
    page.is("[...document.querySelectorAll('.pair:not([hidden])')].every((pair) => pair.dataset.state == 'BLR')")?;
    page.is("[...document.querySelectorAll('#articles > .card:not([hidden])')].every((li) => li.textContent.includes('Belarus'))")?;
    page.act("document.querySelector('.pair:not([hidden]) summary').dispatchEvent(new MouseEvent('mouseover', {bubbles: true}))")?;
    page.is("document.querySelector('.pair:not([hidden]) summary').title.length > 20")?;
    page.click("[data-open]")?;
    page.is("document.querySelector('.pair:not([hidden])').open")?;
    page.is("document.querySelector('.pair:not([hidden]) mark.actor') != null")?;
    page.click("[data-copy]")?;
    page.is("document.querySelector('[data-count]').textContent.endsWith('rows copied')")?;
    page.done()
}

fn pasted(browser: &Browser) -> Result<(), Failed> {
    let server = Server::start(&[]);
    let page = browser.open(&server.url)?;
    fits(&page)?;
    let text = include_str!("../../datasets/examples/harbour-pact.txt");
    page.act(&format!("document.getElementById('text').value = {}", serde_json::json!(text)))?;
    page.click("button.first")?;
    page.is("document.querySelector('h1').textContent == 'Who stands where toward Russia'")?;
    let belarus = "document.querySelector('.pair[data-state=BLR]')";
    page.is(&format!("{belarus}.dataset.stance == 'aligned' && {belarus}.open"))?;
    page.is(&format!("[...{belarus}.querySelectorAll('mark.state')].some((mark) => mark.textContent == 'Belarus')"))?;
    page.is("document.activeElement.id == 'main'")?;
    page.click(".pair[data-state=BLR] .place")?;
    page.is("/Belarus|Minsk/.test(document.querySelector('.reading mark:target').textContent)")?;
    page.click(".pair[data-state=BLR] .why button")?;
    page.is(&format!("{belarus}.querySelector('.words .for4') != null"))?;
    page.is("document.querySelector('.map [data-code=BLR] title').textContent.startsWith('Belarus: +0.9')")?;
    fits(&page)?;
    // Everybody, then another actor of the map.
    page.act("document.getElementById('actor').value = ''")?;
    page.click("button.first")?;
    page.is("document.querySelectorAll('#when option').length > 3")?;
    page.act(
        "const when = document.getElementById('when'); \
         when.value = [...when.options].find((option) => option.textContent == 'NATO').value; \
         when.dispatchEvent(new Event('input'))",
    )?;
    page.is("document.getElementById('map-when').textContent == 'NATO'")?;
    page.is("!document.querySelector('.map [data-code=BLR] title').textContent.startsWith('Belarus: +0.9')")?;
    page.done()
}

fn dropped(browser: &Browser) -> Result<(), Failed> {
    let server = Server::start(&["--max-files", "8"]);
    let page = browser.open(&format!("{}trend", server.url))?;
    fits(&page)?;
    page.click("button.first")?;
    page.is("document.getElementById('trouble').textContent.includes('nothing to read')")?;
    let names = ["2018-q1", "2018-q2", "2018-q3", "2018-q4", "2019-q1", "2019-q2", "2019-q3", "2019-q4"];
    let texts: Vec<(String, String)> = names
        .iter()
        .map(|name| Ok((format!("{name}.jsonl"), std::fs::read_to_string(format!("{EXAMPLE}/{name}.jsonl"))?)))
        .collect::<std::io::Result<_>>()?;
    let files: Vec<(&str, &str)> = texts.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    page.drop_files(&files)?;
    page.is("document.getElementById('files').files.length == 8")?;
    page.click("button.first")?;
    page.is("document.querySelector('h1').textContent == 'Stance toward Russia, 2018 to 2019'")?;
    page.click("#s0 .chart a:nth-of-type(2)")?;
    page.is("document.querySelector('#s0-panel').textContent.includes('2019')")?;
    fits(&page)?;
    page.done()?;

    let page = browser.open(&server.url)?;
    let bad = "Norway condemned Chile over <img src=x onerror=\"document.title = 'ran'\">.";
    page.act("document.getElementById('actor').value = 'Chile'")?;
    page.drop_files(&[("<img src=x onerror=alert(1)>.txt", bad), ("old.xlsx", "PK\u{3}\u{4}")])?;
    page.click("button.first")?;
    page.is("document.getElementById('trouble').textContent.includes('old.xlsx: a workbook')")?;
    page.is("document.querySelector('.pair').textContent.includes('onerror=') && document.images.length == 0")?;
    page.click(".why button")?;
    page.is("document.querySelector('.why .words').textContent.includes('condemned')")?;
    page.act("document.getElementById('actor').value = 'Nowhereland'")?;
    page.click("button.first")?;
    page.is("document.getElementById('trouble').textContent.includes('known as Nowhereland')")?;
    // The browser notes every answer that is a refusal; nothing else.
    page.done_but("422")
}

fn hostile(browser: &Browser) -> Result<(), Failed> {
    let folder = Folder::new();
    let bad = "</script><script>document.title = 'ran'</script><img src=x onerror=\"document.title = 'ran'\">";
    let article = |n: usize| {
        let date = format!("202{}-03-02", n % 3 + 1);
        let text = format!("Norway condemned Chile over {bad}.");
        format!(
            "{}\n",
            serde_json::json!({"id": format!("{bad}{n}"), "date": date, "title": bad, "source": bad, "text": text})
        )
    };
    folder.save("articles.jsonl", (0..30).map(article).collect::<String>());
    for args in [
        vec!["predict", "articles.jsonl", "--actor", "Chile", "--model", "fast"],
        vec!["trend", "articles.jsonl", "--actor", "Chile", "--no-dedup"],
    ] {
        let page = browser.open(&page_of(&folder, &args)?)?;
        page.is("document.title != 'ran' && document.images.length == 0 && document.scripts.length == 2")?;
        page.is("document.body.textContent.includes('onerror=')")?;
        page.done()?;
    }
    Ok(())
}

/// The tests above could fail.
fn complaints(browser: &Browser) -> Result<(), Failed> {
    let folder = Folder::new();
    folder.save("page.html", "<!doctype html><title>page</title>");
    let url = format!("file://{}", folder.path("page.html").display());
    for trouble in ["console.error('x')", "setTimeout(() => { throw new Error('x') })", "new Image().src = 'other.png'"]
    {
        let page = browser.open(&url)?;
        page.act(&format!("{trouble}; setTimeout(() => setTimeout(() => {{ document.title = 'later'; }}))"))?;
        page.is("document.title == 'later'")?;
        if page.done().is_ok() {
            return Err(format!("not heard: {trouble}").into());
        }
    }
    Ok(())
}
