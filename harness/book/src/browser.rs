//! A real browser without a window: Chromium, driven by way of `WebDriver`.

use std::{path::Path, process::Stdio, time::Duration};

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use thirtyfour::{
    ChromiumLikeCapabilities as _, DesiredCapabilities, WebDriver, error::WebDriverError,
    extensions::cdp::ChromeDevTools,
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};

use crate::error::BookError;

/// How long anything in a browser may take.
const DEADLINE: Duration = Duration::from_mins(1);

/// How often a page is opened once more, of which something was not loaded.
const RETRIES: usize = 3;
/// How [`NOTE_ERRORS`] begins what it notes of a part that was not loaded.
const NOT_LOADED: &str = "cannot load ";

/// Notes what goes wrong on a page, from its first moment on.
const NOTE_ERRORS: &str = "
    window.__wrong = [];
    const note = text => window.__wrong.push(String(text));
    const real = console.error;
    console.error = (...words) => { note(words.join(' ')); real.apply(console, words); };
    window.addEventListener('error', event => {
        note(event.message ?? 'cannot load ' + (event.target.src ?? event.target.href));
    }, true);
    window.addEventListener('unhandledrejection', event => note(event.reason));
";

/// A running browser. It ends with [`Browser::close`].
pub struct Browser {
    driver: WebDriver,
    tools: ChromeDevTools,
    // Ended when it is dropped.
    _service: Child,
}

impl Browser {
    /// Starts `chromedriver` at a free port, and with it a browser.
    pub async fn open() -> Result<Self, BookError> {
        let mut service = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| {
                BookError::Browser(format!(
                    "chromedriver cannot be started ({error}): apt-get install chromium chromium-driver"
                ))
            })?;
        let port = timeout(DEADLINE, port_of(&mut service))
            .await
            .ok()
            .flatten()
            .ok_or_else(|| BookError::Browser("chromedriver names no port".to_owned()))?;
        let mut wanted = DesiredCapabilities::chrome();
        for argument in [
            "--headless=new",
            // A container's root may not have one, and the pages are our own.
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
            "--force-prefers-reduced-motion",
            "--window-size=1280,900",
        ] {
            wanted.add_arg(argument).map_err(wrong)?;
        }
        let driver = WebDriver::new(format!("http://127.0.0.1:{port}"), wanted)
            .await
            .map_err(wrong)?;
        let tools = ChromeDevTools::new(driver.handle.clone());
        let browser = Self {
            driver,
            tools,
            _service: service,
        };
        browser
            .tool(
                "Page.addScriptToEvaluateOnNewDocument",
                json!({ "source": NOTE_ERRORS }),
            )
            .await?;
        Ok(browser)
    }

    /// Opens a page and waits until it and its parts are loaded.
    ///
    /// Chromium gives up what it is loading when a network interface comes or goes (`ERR_NETWORK_CHANGED`), as with
    /// every container that starts. Then it is asked again; what is really not there is missing each time.
    pub async fn goto(&self, url: &str) -> Result<(), BookError> {
        for _ in 0..RETRIES {
            match self.driver.goto(url).await {
                Err(error) if error.to_string().contains("ERR_NETWORK_CHANGED") => {}
                opened => {
                    opened.map_err(wrong)?;
                    let errors = self.errors().await?;
                    if !errors.iter().any(|it| it.starts_with(NOT_LOADED)) {
                        return Ok(());
                    }
                }
            }
        }
        self.driver.goto(url).await.map_err(wrong)
    }

    /// The address that the browser is at.
    pub async fn url(&self) -> Result<String, BookError> {
        let url = self.driver.current_url().await.map_err(wrong)?;
        Ok(url.to_string())
    }

    /// Runs a script in the page and returns what it returns.
    pub async fn script<T: DeserializeOwned>(&self, script: &str) -> Result<T, BookError> {
        let answer = self
            .driver
            .execute(script, Vec::new())
            .await
            .map_err(wrong)?;
        answer.convert().map_err(wrong)
    }

    /// Runs a script that answers later, by `done(value)`.
    pub async fn script_later<T: DeserializeOwned>(&self, script: &str) -> Result<T, BookError> {
        let script = format!("const done = arguments[arguments.length - 1]; {script}");
        let answer = self
            .driver
            .execute_async(script, Vec::new())
            .await
            .map_err(wrong)?;
        answer.convert().map_err(wrong)
    }

    /// Waits until an expression of the page is true: the page looks at each of its frames.
    pub async fn until(&self, expression: &str) -> Result<(), BookError> {
        let seconds = DEADLINE.as_secs() / 3;
        let script = format!(
            "const started = performance.now();
             const look = () => {{
                 if ({expression}) {{ done(true); }}
                 else if (performance.now() - started > {seconds} * 1000) {{ done(false); }}
                 else {{ setTimeout(look, 20); }}
             }};
             look();"
        );
        if self.script_later::<bool>(&script).await? {
            return Ok(());
        }
        Err(BookError::Browser(format!(
            "at {}: it does not come true that {expression}",
            self.url().await?
        )))
    }

    /// What went wrong on the page so far.
    pub async fn errors(&self) -> Result<Vec<String>, BookError> {
        self.script("return window.__wrong ?? ['the page is not watched'];")
            .await
    }

    /// Makes the page as wide as a screen or a phone.
    pub async fn size(&self, width: u32, height: u32) -> Result<(), BookError> {
        let phone = width < 600;
        let screen =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone });
        self.tool("Emulation.setDeviceMetricsOverride", screen)
            .await
    }

    /// Lets pages believe that whoever reads them likes it dark, or light.
    pub async fn dark(&self, dark: bool) -> Result<(), BookError> {
        let value = if dark { "dark" } else { "light" };
        let feature = json!({ "name": "prefers-color-scheme", "value": value });
        self.tool(
            "Emulation.setEmulatedMedia",
            json!({ "features": [feature] }),
        )
        .await
    }

    /// Lets the page read the clipboard.
    pub async fn grant_clipboard(&self) -> Result<(), BookError> {
        let wanted = json!({ "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"] });
        self.tool("Browser.grantPermissions", wanted).await
    }

    /// Types into what has the focus.
    pub async fn type_text(&self, text: &str) -> Result<(), BookError> {
        let element = self.driver.active_element().await.map_err(wrong)?;
        element.send_keys(text).await.map_err(wrong)
    }

    /// Clicks on the first element that a selector of CSS finds.
    pub async fn click(&self, selector: &str) -> Result<(), BookError> {
        let by = thirtyfour::By::Css(selector.to_owned());
        let element = self.driver.find(by).await.map_err(wrong)?;
        element.click().await.map_err(wrong)
    }

    /// Keeps what is to be seen as a file of PNG.
    pub async fn screenshot(&self, path: &Path) -> Result<(), BookError> {
        if let Some(folder) = path.parent() {
            fs_err::create_dir_all(folder)?;
        }
        self.driver.screenshot(path).await.map_err(wrong)
    }

    /// Ends the browser.
    pub async fn close(self) -> Result<(), BookError> {
        self.driver.quit().await.map_err(wrong)
    }

    async fn tool(&self, name: &str, arguments: Value) -> Result<(), BookError> {
        self.tools
            .execute_cdp_with_params(name, arguments)
            .await
            .map(|_| ())
            .map_err(wrong)
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it is what `map_err` passes on"
)]
fn wrong(error: WebDriverError) -> BookError {
    BookError::Browser(error.to_string())
}

/// The port that chromedriver names on its standard output, which is then read to its end.
async fn port_of(service: &mut Child) -> Option<u16> {
    let mut lines = BufReader::new(service.stdout.take()?).lines();
    let mut port = None;
    while let Ok(Some(line)) = lines.next_line().await {
        let words = line.trim_end_matches('.').rsplit_once("on port ");
        // It names the port that it was asked for (0: any) before the one that it got.
        port = words
            .and_then(|(_, number)| number.parse().ok())
            .filter(|port| *port != 0);
        if port.is_some() {
            break;
        }
    }
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    port
}
