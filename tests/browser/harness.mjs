// harness.mjs - runs tests in Chromium: TAP output, servers, pages that fail the test on errors.

import { spawn, spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { strict as assert } from 'node:assert';
import { CATEGORIES } from './trace.mjs';

const { T, SCRY_TOP, SCRY_BUILD, SCRY_NODE_MODULES, CHROMIUM } = process.env;
const modules = createRequire(SCRY_NODE_MODULES + '/');
const { chromium } = modules('playwright-core');
const axeSource = modules('axe-core').source;
export { assert };
export const top = SCRY_TOP, temporary = T;

const WAIT_MS = +process.env.WAIT_MS || 120000;   // generous: the tests do not measure time
const scryProgram = SCRY_BUILD + '/scry';
let browser, count = 0, failures = 0, contexts = [], trouble = [];
const servers = new Set();

// ---- scry ----

export function scry(args, env = {}) {
  const done = spawnSync(scryProgram, args, { env: { ...process.env, ...env }, encoding: 'utf8', input: '' });
  if (done.status !== 0) throw new Error(`scry ${args.join(' ')}: ${done.status}\n${done.stderr}`);
  return done.stdout;
}

// A server on a free port, or on `listen`: { url, port, stop(signal) }.
export async function serve(args, { env = {}, listen = '127.0.0.1:0' } = {}) {
  const child = spawn(scryProgram, ['serve', '--listen', listen, ...args], { env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise(resolve => child.on('exit', resolve));
  let said = '';
  const url = await new Promise((resolve, reject) => {
    child.stderr.on('data', data => {
      said += data;
      const found = / at (https?:\/\/[^ ]*)\//.exec(said);
      if (found) resolve(found[1]);
    });
    ended.then(() => reject(new Error('scry serve ended: ' + said)));
  });
  const server = { url: url.replace('0.0.0.0', '127.0.0.1'), port: new URL(url).port,
    stop: async (signal = 'SIGTERM') => { child.kill(signal); await ended; servers.delete(server); } };
  servers.add(server);
  return server;
}

export const api = async (url, options) => (await fetch(url, options)).json();

// ---- pages ----

// A page in a new context, without a service worker, which tests could not answer for. Script errors, requests to other hosts and violations of the Content-Security-Policy
// fail the test. Failed requests do not: some tests cause them.
export async function open(url, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1200, height: 800 }, locale: 'en-US', serviceWorkers: 'block', ...options });
  contexts.push(context);
  context.setDefaultTimeout(WAIT_MS);
  const page = await context.newPage(), home = new URL(url).origin;
  page.on('pageerror', e => trouble.push('error: ' + e.message));
  page.on('console', m => { if (m.type() === 'error' && !/^Failed to load resource/.test(m.text())) trouble.push('console: ' + m.text()); });
  page.on('request', r => { if (!/^(data|blob):/.test(r.url()) && new URL(r.url()).origin !== home) trouble.push('request to ' + r.url()); });
  await page.addInitScript(() => addEventListener('securitypolicyviolation', e => console.error('CSP refused ' + e.violatedDirective + ' ' + e.blockedURI)));
  await page.goto(url);
  return page;
}

export const phone = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 };

// Retry until `check` succeeds, for at most `ms`.
export async function until(check, ms = WAIT_MS) {
  for (const end = Date.now() + ms; ;) {
    try {
      return await check();
    } catch (e) {
      if (Date.now() > end) throw e;
      await new Promise(resolve => setTimeout(resolve, 50));
    }
  }
}

// The file names of the hits that have elements, in order.
export const names = page => page.$$eval('.hit .open', all => all.map(b => b.title.split('/').pop()));
export const firstName = async page => (await names(page))[0];
export const query = page => new URL(page.url()).searchParams;

// Wait until the page shows the results for its address: no request is running, the summary is set, and the tiles around the window
// are there, which come when its thumbnails have, or some seconds later in tests that hold those back.
export async function settled(page) {
  await page.waitForFunction(() => document.getElementById('busy').hidden
    && (document.querySelector('.hit, .divide') || !document.getElementById('notice').hidden));
  await page.waitForFunction(() => [...document.querySelectorAll('.hit:not(.gone)')].every(tile => {
    const { top, bottom } = tile.getBoundingClientRect(), img = tile.querySelector('img');
    return bottom < 0 || top > innerHeight || !img || (img.complete && img.currentSrc);
  }), null, { timeout: 3000 }).catch(() => {});
  await page.evaluate(() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))).catch(() => {});
}

// Type key by key, then wait for the results.
export async function search(page, words) {
  const answer = page.waitForResponse(r => r.url().includes('/api/v1/') && (new URL(r.url()).searchParams.get('q') ?? '').startsWith(words));
  await page.fill('#text', words);
  await answer;
  await settled(page);
}

export async function openHit(page, n = 0) {
  await page.locator(`.hit[data-index="${n}"] .open`).click();
  await page.waitForFunction(() => document.getElementById('full').complete && document.getElementById('full').naturalWidth > 0);
}

// The events of a trace while `run` runs.
export async function traced(page, run) {
  await browser.startTracing(page, { categories: CATEGORIES });
  await run();
  return JSON.parse((await browser.stopTracing()).toString()).traceEvents;
}

// Nothing is found by axe.
export async function accessible(page) {
  await page.evaluate(axeSource);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
  assert.deepEqual(violations.map(v => `${v.id}: ${v.nodes[0].html}`), []);
}

// ---- tests ----

export async function test(name, run) {
  if (process.env.ONLY && !new RegExp(process.env.ONLY).test(name)) return;
  trouble = [];
  let problem = null;
  try {
    await run();
    assert.deepEqual(trouble, []);
  } catch (e) {
    problem = e;
    failures++;
    const shots = SCRY_TOP + '/build/check';
    mkdirSync(shots, { recursive: true });
    for (const [i, context] of contexts.entries())
      await context.pages()[0]?.screenshot({ path: `${shots}/browser-${count + 1}-${i}.png` }).catch(() => {});
  }
  console.log(`${problem ? 'not ok' : 'ok'} ${++count} - ${name}`);
  if (problem) console.log(`${problem.stack ?? problem}\n${trouble.join('\n')}`.replace(/^/gm, '# '));
  for (const context of contexts) await context.close().catch(() => {});
  contexts = [];
}

export async function suite(run) {
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--disable-gpu', '--disable-dev-shm-usage', '--disable-quic'] });
  try {
    await run();
  } catch (e) {
    failures++;
    console.log(`not ok ${++count} - the suite runs to its end\n${(e.stack ?? e).replace(/^/gm, '# ')}`);
  }
  await browser.close();
  for (const server of servers) await server.stop('SIGKILL');
  console.log(`1..${count}`);
  process.exitCode = failures ? 1 : 0;
}

export const write = (path, content, options) => {
  const folder = path.slice(0, path.lastIndexOf('/'));
  if (!existsSync(folder)) mkdirSync(folder, { recursive: true });
  writeFileSync(path, content, options);
};
