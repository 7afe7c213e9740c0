//! Chromium, without a window.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use headless_chrome::protocol::cdp::types::Event;
use headless_chrome::protocol::cdp::{Emulation, Network};
use headless_chrome::{LaunchOptions, Tab};
use libtest_mimic::Failed;

/// Where Chromium is.
pub fn find() -> Option<PathBuf> {
    let named = std::env::var_os("CHROMIUM").map(PathBuf::from);
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    let found = std::env::split_paths(&folders).flat_map(|folder| names.map(|name| folder.join(name)));
    named.into_iter().chain(found).find(|path| path.is_file())
}

pub struct Browser(headless_chrome::Browser);

/// A page, and what was complained of or fetched since it was opened.
pub struct Page {
    tab: Arc<Tab>,
    complaints: Arc<Mutex<Vec<String>>>,
}

/// The beginning of a URL that says whose it is.
fn origin(url: &str) -> &str {
    let host = url.find("://").map_or(0, |at| at + 3);
    &url[..url[host..].find('/').map_or(url.len(), |end| host + end + 1)]
}

fn failed(error: impl std::fmt::Display) -> Failed {
    error.to_string().into()
}

impl Browser {
    pub fn start(path: &Path) -> Result<Self, Failed> {
        let options = LaunchOptions::default_builder()
            .path(Some(path.to_path_buf()))
            // It shows pages that these tests made, and may run where there is no sandbox to be had.
            .sandbox(false)
            .idle_browser_timeout(Duration::from_secs(120))
            .build()
            .map_err(failed)?;
        headless_chrome::Browser::new(options).map(Self).map_err(failed)
    }

    pub fn open(&self, url: &str) -> Result<Page, Failed> {
        let tab = self.0.new_tab().map_err(failed)?;
        tab.set_default_timeout(Duration::from_secs(60));
        let complaints = Arc::new(Mutex::new(Vec::new()));
        let (heard, own) = (complaints.clone(), url.to_owned());
        let listener = move |event: &Event| {
            let complaint = match event {
                Event::LogEntryAdded(event) => Some(format!("log: {}", event.params.entry.text)),
                Event::RuntimeExceptionThrown(event) => {
                    Some(format!("exception: {:?}", event.params.exception_details))
                }
                Event::RuntimeConsoleAPICalled(event) => Some(format!("console: {:?}", event.params.args)),
                Event::NetworkRequestWillBeSent(event) => {
                    let asked = &event.params.request.url;
                    let of_page = asked.split('#').next() == Some(own.as_str()) || asked.starts_with("about:");
                    // A server may be asked by its pages.
                    let of_page = of_page || own.starts_with("http:") && asked.starts_with(origin(&own));
                    (!of_page).then(|| format!("fetched: {asked}"))
                }
                _ => None,
            };
            heard.lock().expect("no listener panics").extend(complaint);
        };
        tab.add_event_listener(Arc::new(listener)).map_err(failed)?;
        tab.enable_log().map_err(failed)?;
        tab.enable_runtime().map_err(failed)?;
        tab.call_method(Network::Enable {
            max_total_buffer_size: None,
            max_resource_buffer_size: None,
            max_post_data_size: None,
            report_direct_socket_traffic: None,
            enable_durable_messages: None,
        })
        .map_err(failed)?;
        tab.navigate_to(url).map_err(failed)?.wait_until_navigated().map_err(failed)?;
        Ok(Page { tab, complaints })
    }
}

impl Page {
    /// Shows the page on a screen of this width.
    pub fn look(&self, width: u32, dark: bool) -> Result<(), Failed> {
        self.tab
            .call_method(Emulation::SetDeviceMetricsOverride {
                width,
                height: 900,
                device_scale_factor: 1.0,
                mobile: false,
                scale: None,
                screen_width: None,
                screen_height: None,
                position_x: None,
                position_y: None,
                dont_set_visible_size: None,
                screen_orientation: None,
                viewport: None,
                display_feature: None,
                device_posture: None,
            })
            .map_err(failed)?;
        let scheme = if dark { "dark" } else { "light" };
        let feature = Emulation::MediaFeature { name: "prefers-color-scheme".into(), value: scheme.into() };
        self.tab
            .call_method(Emulation::SetEmulatedMedia { media: None, features: Some(vec![feature]) })
            .map_err(failed)?;
        Ok(())
    }

    fn value(&self, expression: &str) -> Result<serde_json::Value, Failed> {
        let found = self.tab.evaluate(expression, true).map_err(failed)?;
        Ok(found.value.unwrap_or_default())
    }

    /// A number that an expression gives.
    pub fn number(&self, expression: &str) -> Result<f64, Failed> {
        self.value(expression)?.as_f64().ok_or_else(|| format!("no number: {expression}").into())
    }

    /// Whether an expression is true, sooner or later.
    pub fn is(&self, expression: &str) -> Result<(), Failed> {
        let waited = format!(
            "new Promise((tell) => {{ const end = Date.now() + 10000; \
             const so = () => {{ try {{ return Boolean({expression}); }} catch {{ return false; }} }}; \
             const look = () => {{ const is = so(); is || Date.now() > end ? tell(is) : requestAnimationFrame(look); }}; look(); }})"
        );
        if self.value(&waited)? == true { Ok(()) } else { Err(format!("not so: {expression}").into()) }
    }

    /// Runs statements.
    pub fn act(&self, statements: &str) -> Result<(), Failed> {
        self.value(&format!("(() => {{ {statements} }})()")).map(drop)
    }

    /// Clicks what a selector finds first.
    pub fn click(&self, selector: &str) -> Result<(), Failed> {
        self.act(&format!(
            "document.querySelector('{selector}').dispatchEvent(new MouseEvent('click', {{bubbles: true, cancelable: true}}))"
        ))
    }

    /// Drops files, by name and text, on the page.
    pub fn drop_files(&self, files: &[(&str, &str)]) -> Result<(), Failed> {
        self.act(&format!(
            "const data = new DataTransfer(); \
             for (const [name, text] of {}) data.items.add(new File([text], name)); \
             document.body.dispatchEvent(new DragEvent('drop', {{dataTransfer: data, bubbles: true, cancelable: true}}))",
            serde_json::json!(files)
        ))
    }

    /// Nothing was complained of, and nothing fetched of anybody else.
    pub fn done(self) -> Result<(), Failed> {
        self.done_but("\n")
    }

    /// The same, but for what says `expected`.
    pub fn done_but(self, expected: &str) -> Result<(), Failed> {
        let mut complaints = self.complaints.lock().expect("no listener panics").clone();
        complaints.retain(|complaint| !complaint.contains(expected));
        self.tab.close(false).map_err(failed)?;
        if complaints.is_empty() { Ok(()) } else { Err(complaints.join("\n").into()) }
    }
}
