// A guest for tests: joins a room with a stock livekit-client in headless Chromium and tells its parent what it receives.
//
//   node guest.js --url ws://127.0.0.1:PORT --token TOKEN --voice FILE.wav [--chromium /usr/bin/chromium]
//
// It writes one JSON object a line to stdout, and takes orders a line from stdin; the end of stdin is `leave`.
//
//   {"event":"connected","identity":…}           in the room, with microphone and camera published
//   {"event":"report", …}                        every second from then on; page.js says what is in it
//   {"event":"disconnected","reason":…}          by name, e.g. CLIENT_INITIATED; the exit code is 0
//   {"event":"error","message":…}                anything that failed; the exit code is 1
//
//   mute | unmute | camera-off | camera-on | leave

import { mkdtempSync, rmSync } from 'node:fs';
import { access, mkdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { constants, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import { chromium } from 'playwright-core';

const REPORT_INTERVAL_MS = 1000;
// Generous, because several browsers and a build may share two cores.
const LAUNCH_LIMIT_MS = 60_000;
const ORDER_LIMIT_MS = 20_000;
const CLOSE_LIMIT_MS = 5000;

const PAGE_FILES = {
  '/': { file: new URL('page.html', import.meta.url), type: 'text/html' },
  '/page.js': { file: new URL('page.js', import.meta.url), type: 'text/javascript' },
  '/livekit-client.js': { file: new URL(import.meta.resolve('livekit-client')), type: 'text/javascript' },
};

const ORDERS = {
  mute: () => order('setMicrophone', false),
  unmute: () => order('setMicrophone', true),
  'camera-off': () => order('setCamera', false),
  'camera-on': () => order('setCamera', true),
  leave,
};

// Everything the browser and playwright-core write goes here, profile, caches and sockets, and is deleted in the end.
const folder = mkdtempSync(join(tmpdir(), 'bellbird-guest-'));
process.env.TMPDIR = folder;
let browser;
let page;
let joined;
let connected = false;
let finishing;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => finish(128 + constants.signals[signal]));
}
process.on('uncaughtException', fail);
// A parent that no longer listens is a parent that has gone.
process.stdout.on('error', () => finish(1));

try {
  const options = readOptions();
  await access(options.voice);
  joined = start(options);
  await Promise.all([joined.then(reportUntilTheEnd), obeyParent()]);
} catch (error) {
  fail(error);
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      url: { type: 'string' },
      token: { type: 'string' },
      voice: { type: 'string' },
      chromium: { type: 'string', default: '/usr/bin/chromium' },
    },
  });
  for (const name of ['url', 'token', 'voice']) {
    if (!values[name]) throw new Error(`--${name} is missing`);
  }
  return { ...values, voice: resolve(values.voice) };
}

async function start({ url, token, voice, chromium: executablePath }) {
  const address = await servePage();
  browser = launch(executablePath, voice);
  const context = await browser;
  context.on('close', () => fail(new Error('the browser has gone')));

  [page] = context.pages();
  page.on('crash', () => fail(new Error('the page has crashed')));
  page.on('pageerror', (error) => console.error(`page: ${error.stack ?? error}`));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) console.error(`page: ${message.text()}`);
  });
  await page.exposeFunction('tellDisconnected', (reason) => {
    emit({ event: 'disconnected', reason });
    finish(0);
  });
  await page.goto(address);
  const { identity } = await call('join', url, token);
  connected = true;
  emit({ event: 'connected', identity });
}

async function servePage() {
  const server = createServer(async (request, response) => {
    const found = PAGE_FILES[request.url];
    if (!found) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { 'content-type': `${found.type}; charset=utf-8` }).end(await readFile(found.file));
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${server.address().port}/`;
}

async function launch(executablePath, voice) {
  const profile = join(folder, 'profile');
  await mkdir(profile);
  return chromium.launchPersistentContext(profile, {
    executablePath,
    headless: true,
    timeout: LAUNCH_LIMIT_MS,
    // Signals end in finish(), which also removes the folder.
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
    env: { ...process.env, HOME: folder, XDG_CONFIG_HOME: undefined, XDG_CACHE_HOME: undefined },
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      // Without it a machine that has no network but itself gets no connection.
      '--allow-loopback-in-peer-connection',
      '--use-fake-ui-for-media-stream',
      '--use-fake-device-for-media-stream',
      `--use-file-for-fake-audio-capture=${voice}`,
      '--autoplay-policy=no-user-gesture-required',
    ],
  });
}

async function reportUntilTheEnd() {
  while (!finishing) {
    await delay(REPORT_INTERVAL_MS);
    emit({ event: 'report', ...(await call('report')) });
  }
}

async function obeyParent() {
  for await (const line of createInterface({ input: process.stdin })) {
    const name = line.trim();
    if (!Object.hasOwn(ORDERS, name)) throw new Error(`unknown order: ${name}`);
    await ORDERS[name]();
  }
  await leave();
}

async function order(name, ...values) {
  await joined;
  await withLimit(call(name, ...values), ORDER_LIMIT_MS, name);
}

async function leave() {
  // Who is not in the room yet has nothing to take leave of.
  if (!connected) return finish(0);
  await withLimit(call('leave'), ORDER_LIMIT_MS, 'leave');
  // The page's `disconnected` is on its way and finishes the process.
  await delay(CLOSE_LIMIT_MS);
  throw new Error('left the room without being disconnected');
}

// Calls a function of page.js.
function call(name, ...values) {
  return page.evaluate(([name, values]) => globalThis.guest[name](...values), [name, values]);
}

async function withLimit(work, milliseconds, name) {
  const late = delay(milliseconds, undefined, { ref: false }).then(() => {
    throw new Error(`${name} took more than ${milliseconds} ms`);
  });
  return Promise.race([work, late]);
}

function emit(event) {
  // What happens while the browser is being closed is no news.
  if (!finishing) process.stdout.write(`${JSON.stringify(event)}\n`);
}

function fail(error) {
  // The page's errors carry its stack in their message.
  const [message] = (error instanceof Error ? error.message : String(error)).split(/\n\s+at /);
  emit({ event: 'error', message });
  finish(1);
}

// Ends the process with this code; only the first call counts.
function finish(code) {
  finishing ??= closeBrowser().finally(() => {
    // As the last listener: playwright-core's own kills a browser that did not close in time.
    process.on('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }));
    process.exit(code);
  });
  return finishing;
}

async function closeBrowser() {
  const closed = browser?.then((context) => context.close()).catch(() => {});
  await Promise.race([closed, delay(CLOSE_LIMIT_MS)]);
}
