// @ts-check
/** What the benchmarks between browsers share: pages with a stopwatch, sign-in, and the middle of many runs. */
import { readFileSync } from 'node:fs';

/** @typedef {import('puppeteer-core').Page} Page */

export const pause = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** A page or script below this folder, as text. */
export const file = (/** @type {string} */ name) => readFileSync(new URL(name, import.meta.url), 'utf8');
const stopwatch = file('join/first-frame.js');

/**
 * @template T
 * @param {Page} page
 * @param {string} expression
 * @param {string} what
 * @returns {Promise<T>}
 */
export async function until(page, expression, what, timeout = 60_000) {
  for (const end = Date.now() + timeout; Date.now() < end; await pause(20)) {
    const value = await page.evaluate(expression);
    if (value) return /** @type {T} */ (value);
  }
  throw new Error(`waited in vain: ${what}`);
}

/** @param {string} url */
export async function signIn(url, /** @type {string} */ username) {
  const answer = await fetch(new URL('/auth/sign-in', url), {
    method: 'POST',
    body: JSON.stringify({ username }),
  });
  if (!answer.ok) throw new Error(`sign-in: ${answer.status} ${await answer.text()}`);
  return /** @type {{accessToken: string}} */ (await answer.json()).accessToken;
}

/** @param {import('puppeteer-core').Browser} browser */
export async function openPage(browser, /** @type {string} */ url) {
  const context = await browser.createBrowserContext();
  const page = await context.newPage({ type: 'window' });
  /** @type {string[]} */
  const errors = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  await page.setViewport({ width: 960, height: 600 });
  await page.evaluateOnNewDocument(stopwatch);
  await page.goto(url, { waitUntil: 'load' });
  return { page, errors, close: () => context.close() };
}

export const median = (/** @type {number[]} */ list) => {
  const sorted = [...list].sort((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  return sorted.length % 2 ? Number(sorted[half]) : (Number(sorted[half - 1]) + Number(sorted[half])) / 2;
};
export const quartiles = (/** @type {number[]} */ list) => {
  const sorted = [...list].sort((a, b) => a - b);
  const at = (/** @type {number} */ part) => Number(sorted[Math.round(part * (sorted.length - 1))]);
  return { median: median(list), q1: at(0.25), q3: at(0.75), min: at(0), max: at(1) };
};
