// @ts-check
/**
 * The browsers of the machine, and how every test starts them: one place for paths, flags and prefs, used by
 * web-test-runner.config.mjs, by the calls between browsers (test/e2e), by the benchmarks and the screenshots.
 */
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import puppeteer from 'puppeteer-core';

/** @typedef {import('puppeteer-core').Browser} Browser */
/** @typedef {import('puppeteer-core').LaunchOptions} LaunchOptions */

/** Flags for Chromium. No `--mute-audio`: tests measure the sound that comes out of elements. */
export const chromiumArgs = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // Media: a fake camera and microphone, no prompts, sound without a click.
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
  '--autoplay-policy=no-user-gesture-required',
  // Connections on a machine which has nothing but a loopback interface.
  '--allow-loopback-in-peer-connection',
  // Several pages at once: none of them may be slowed down for being in the background.
  '--disable-background-timer-throttling',
  '--disable-backgrounding-occluded-windows',
  '--disable-renderer-backgrounding',
];

/** Preferences for Firefox, for the same reasons. */
export const firefoxPrefs = {
  'media.navigator.streams.fake': true,
  'media.navigator.permission.disabled': true,
  'media.autoplay.default': 0,
  'media.autoplay.blocking_policy': 0,
  'media.peerconnection.ice.obfuscate_host_addresses': false,
  'media.peerconnection.ice.loopback': true,
  'media.gmp-manager.updateEnabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'dom.min_background_timeout_value': 4,
  // A page may collect its garbage: `TestUtils.gc()`.
  'dom.testing.testutils.enabled': true,
};

/** @param {string} file */
function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/**
 * @param {string} variable
 * @param {string[]} names
 * @param {string[]} places
 */
function find(variable, names, places) {
  const given = process.env[variable];
  if (given) {
    if (!isExecutable(given)) throw new Error(`${variable}=${given} is no executable file`);
    return given;
  }
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter(Boolean);
  return [...names.flatMap((name) => folders.map((folder) => join(folder, name))), ...places].find(
    isExecutable,
  );
}

/** Path of Chromium or Chrome: `PM_CHROMIUM`, else the first one installed; `undefined` without one. */
export function findChromium() {
  return find(
    'PM_CHROMIUM',
    ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'],
    [
      '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
      '/Applications/Chromium.app/Contents/MacOS/Chromium',
    ],
  );
}

/** Path of Firefox: `PM_FIREFOX`, else the first one installed; `undefined` without one. */
export function findFirefox() {
  return find('PM_FIREFOX', ['firefox-esr', 'firefox'], ['/Applications/Firefox.app/Contents/MacOS/firefox']);
}

/**
 * @param {string | undefined} path
 * @param {string} name
 * @param {string} variable
 */
function required(path, name, variable) {
  if (!path) throw new Error(`${name} was not found: install it, or point ${variable} to its executable`);
  return path;
}

/** Launch options of Chromium, without the fresh profile (puppeteer makes one per launch and removes it on close). */
export function chromiumOptions() {
  return /** @type {const} */ ({
    browser: 'chrome',
    executablePath: required(findChromium(), 'Chromium', 'PM_CHROMIUM'),
    headless: true, // puppeteer passes --headless=new
    args: chromiumArgs,
  });
}

/** Launch options of Firefox (driven by WebDriver BiDi). */
export function firefoxOptions() {
  return /** @type {const} */ ({
    browser: 'firefox',
    executablePath: required(findFirefox(), 'Firefox', 'PM_FIREFOX'),
    headless: true,
    extraPrefsFirefox: firefoxPrefs,
  });
}

/**
 * Starts a separate Chromium process with a profile of its own. `args` are added to the shared ones; everything else
 * overrides. The caller closes it (`await browser.close()`).
 *
 * @param {LaunchOptions} [options]
 * @returns {Promise<Browser>}
 */
export async function launchChromium(options = {}) {
  return puppeteer.launch({
    ...chromiumOptions(),
    ...options,
    args: [...chromiumArgs, ...(options.args ?? [])],
  });
}

/**
 * Starts a separate Firefox process with a profile of its own. `extraPrefsFirefox` are added to the shared ones.
 *
 * @param {LaunchOptions} [options]
 * @returns {Promise<Browser>}
 */
export async function launchFirefox(options = {}) {
  return puppeteer.launch({
    ...firefoxOptions(),
    ...options,
    extraPrefsFirefox: { ...firefoxPrefs, ...options.extraPrefsFirefox },
  });
}
