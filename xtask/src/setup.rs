//! What the machine must have before anything can be built or tested; installs what is missing and remembers.

use std::{
    collections::hash_map::DefaultHasher,
    fs,
    hash::{Hash as _, Hasher as _},
    io::{BufRead as _, IsTerminal as _, Write as _},
    path::PathBuf,
    process::Command,
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};

use crate::step::{command, has_program, output, root, run, say, target_dir};

/// What building needs (Debian's names).
const BUILD_PACKAGES: &[&str] = &[
    "build-essential",
    "clang",
    "cmake",
    "libasound2-dev",
    "libayatana-appindicator3-dev",
    "libclang-dev",
    "libdbus-1-dev",
    "libopus-dev",
    "libpulse-dev",
    "librsvg2-dev",
    "libvpx-dev",
    "libwebkit2gtk-4.1-dev",
    "libxdo-dev",
    "pkg-config",
];

/// What the app needs to play and show: GStreamer decodes the pictures inside the page.
const RUN_PACKAGES: &[&str] = &[
    "gstreamer1.0-libav",
    "gstreamer1.0-plugins-bad",
    "gstreamer1.0-plugins-base",
    "gstreamer1.0-plugins-good",
    "libasound2-plugins",
];

/// What a desktop without screen, sound and camera needs, and the browser that calls in.
const STAND_IN_PACKAGES: &[&str] = &[
    "chromium",
    "dbus",
    "fonts-inter",
    "fonts-noto-color-emoji",
    "fonts-noto-core",
    "gnome-keyring",
    "procps",
    "pulseaudio",
    "pulseaudio-utils",
    "x11-utils",
    "xdotool",
    "xfwm4",
    "xvfb",
];

/// What the benches compare with.
const PEER_PACKAGES: &[&str] = &["prosody"];

/// What building the server and the command line alone needs.
const SERVER_PACKAGES: &[&str] =
    &["build-essential", "clang", "cmake", "libasound2-dev", "libclang-dev", "libvpx-dev", "pkg-config"];

/// The oldest Node that builds the page.
const NODE_MAJOR: u32 = 20;
/// The version of cargo-deny whose configuration deny.toml is written for.
pub(crate) const CARGO_DENY: &str = "0.20.2";

/// How much has to be there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Build and run the app on this desktop.
    App,
    /// The same, and everything the tests and the demo stand in for a desktop with.
    StandIns,
    /// Build the server alone, and the servers it is measured beside.
    Peers,
}

/// Every package of a scope that is not installed.
pub(crate) fn missing_packages(scope: Scope) -> Vec<&'static str> {
    let wanted: &[&[&str]] = match scope {
        Scope::App => &[BUILD_PACKAGES, RUN_PACKAGES],
        Scope::StandIns => &[BUILD_PACKAGES, RUN_PACKAGES, STAND_IN_PACKAGES],
        Scope::Peers => &[SERVER_PACKAGES, PEER_PACKAGES],
    };
    let installed = installed_packages();
    wanted.concat().into_iter().filter(|package| !installed.iter().any(|name| name == package)).collect()
}

fn installed_packages() -> Vec<String> {
    let listed = Command::new("dpkg-query").args(["-W", "-f=${db:Status-Status} ${binary:Package}\n"]).output();
    let text = listed.map(|listed| String::from_utf8_lossy(&listed.stdout).into_owned()).unwrap_or_default();
    let names = text.lines().filter_map(|line| line.strip_prefix("installed "));
    names.map(|name| name.split(':').next().unwrap_or(name).to_owned()).collect()
}

/// Makes the machine ready, once: packages, Node's version, the page's packages and the page itself.
pub(crate) fn prepare(scope: Scope) -> Result<()> {
    system_packages(scope)?;
    check_node()?;
    page()
}

/// Makes the machine ready for a bench: the server has no page.
pub(crate) fn prepare_bench() -> Result<()> {
    system_packages(Scope::Peers)
}

fn system_packages(scope: Scope) -> Result<()> {
    if !has_program("dpkg-query") {
        let all: Vec<_> = BUILD_PACKAGES.iter().chain(RUN_PACKAGES).copied().collect();
        say("This is not Debian or Ubuntu, so nothing is installed by itself. Bellbird needs (Debian's names):");
        say(&format!("  {}", all.join(" ")));
        return Ok(());
    }
    let missing = missing_packages(scope);
    if missing.is_empty() {
        return Ok(());
    }
    say(&format!("Missing system packages: {}", missing.join(" ")));
    let prefix = if output("id -u").as_deref() == Some("0") {
        ""
    } else if has_program("sudo") {
        "sudo "
    } else {
        bail!(
            "these packages must be installed by somebody who may: run `apt-get install {}` as root",
            missing.join(" ")
        );
    };
    if std::io::stdin().is_terminal() && !is_yes(&format!("Install them now with `{prefix}apt-get install`? [Y/n] "))? {
        bail!("not installed: run `{prefix}apt-get install {}` and start again", missing.join(" "));
    }
    retry("fetch the list of packages", || apt(&format!("{prefix}apt-get update -qq")))?;
    let install = format!("{prefix}apt-get install -y -qq --no-install-recommends {}", missing.join(" "));
    retry("install system packages", || apt(&install))
}

fn apt(line: &str) -> Command {
    let mut command = command(line);
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}

fn is_yes(question: &str) -> Result<bool> {
    let mut terminal = std::io::stderr();
    write!(terminal, "{question}")?;
    terminal.flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "" | "y" | "Y" | "yes"))
}

/// Networks fail now and then: three attempts.
fn retry(what: &str, attempt: impl Fn() -> Command) -> Result<()> {
    for pause in [5, 15] {
        match run(what, attempt()) {
            Ok(()) => return Ok(()),
            Err(error) => say(&format!("   {error}; trying again in {pause} s")),
        }
        thread::sleep(Duration::from_secs(pause));
    }
    run(what, attempt())
}

fn check_node() -> Result<()> {
    let version = output("node --version").unwrap_or_default();
    let major = version.trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    match major {
        Some(major) if major >= NODE_MAJOR && has_program("npm") => Ok(()),
        Some(_) | None => bail!(
            "Node.js {NODE_MAJOR} or newer with npm is needed to build the page, but `node --version` says {version:?}: install it (on Debian 12 from nodejs.org or by nvm) and start again"
        ),
    }
}

/// Installs the page's packages when their list changed, and builds the page when its sources did.
fn page() -> Result<()> {
    npm_packages("ui")?;
    let stamp = Stamp::of(
        "page",
        &["ui/src", "ui/public", "ui/index.html", "icons", "ui/package-lock.json", "ui/vite.config.ts"],
    )?;
    if stamp.is_current() && root().join("ui/dist/index.html").is_file() {
        return Ok(());
    }
    let mut build = command("npm run --silent build");
    build.current_dir(root().join("ui"));
    run("build the page", build)?;
    stamp.keep()
}

/// `npm ci` in a folder, when its list of packages changed.
pub(crate) fn npm_packages(folder: &str) -> Result<()> {
    let lock = format!("{folder}/package-lock.json");
    let stamp = Stamp::of(&format!("npm-{}", folder.replace('/', "-")), &[&lock])?;
    if stamp.is_current() && root().join(folder).join("node_modules").is_dir() {
        return Ok(());
    }
    retry(&format!("install the packages of {folder}"), || {
        let mut install = command("npm ci --no-audit --no-fund --loglevel=error");
        install.current_dir(root().join(folder));
        install
    })?;
    stamp.keep()
}

/// Installs cargo-deny, if this version of it is not there.
pub(crate) fn cargo_deny() -> Result<()> {
    if output("cargo deny --version").is_some_and(|version| version.ends_with(CARGO_DENY)) {
        return Ok(());
    }
    retry("install cargo-deny (a few minutes, once)", || {
        let mut install = command(&format!("cargo install cargo-deny --locked --version {CARGO_DENY}"));
        install.env("CARGO_TARGET_DIR", target_dir().join("tools"));
        install
    })
}

/// Remembers that something was made from these files, so that a second run does not make it again.
struct Stamp {
    file: PathBuf,
    value: String,
}

impl Stamp {
    fn of(name: &str, sources: &[&str]) -> Result<Self> {
        let mut hasher = DefaultHasher::new();
        for source in sources {
            hash_tree(&root().join(source), &mut hasher)?;
        }
        // Beside the checkout's own output: node_modules and ui/dist belong to this checkout alone.
        let file = root().join("target/xtask").join(name);
        Ok(Self { file, value: format!("{:016x}", hasher.finish()) })
    }

    fn is_current(&self) -> bool {
        fs::read_to_string(&self.file).is_ok_and(|kept| kept == self.value)
    }

    fn keep(&self) -> Result<()> {
        if let Some(folder) = self.file.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&self.file, &self.value).with_context(|| format!("cannot write {}", self.file.display()))
    }
}

fn hash_tree(path: &PathBuf, hasher: &mut DefaultHasher) -> Result<()> {
    if path.is_dir() {
        let mut entries = fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
        entries.sort();
        for entry in &entries {
            hash_tree(entry, hasher)?;
        }
    } else if path.is_file() {
        path.hash(hasher);
        fs::read(path)?.hash(hasher);
    }
    Ok(())
}
