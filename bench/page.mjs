// page.mjs - measures the page in Chromium with many pictures; bench/page.sh runs it.
//
// First pictures: from the start of the navigation until all thumbnails of the window are there, in a new context each time (no
// cache of the browser). Frames: the wheel is turned for SCROLL_S seconds; the trace says how many frames were drawn and dropped, and
// how much processor time the main thread took for each.

import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { existsSync, mkdirSync, utimesSync } from 'node:fs';
import { scry, serve, top } from '../tests/browser/harness.mjs';
import { manyPictures } from '../tests/browser/pictures.mjs';

const { BENCH_HOME, CHROMIUM, SCRY_NODE_MODULES } = process.env, COUNT = +process.env.COUNT, ROUNDS = 7, SCROLL_S = 5, WHEEL_PX = 120, WHEEL_MS = 16, SEEN_MS = 1000;
const { chromium } = createRequire(SCRY_NODE_MODULES + '/')('playwright-core');
const folder = `${BENCH_HOME}/page-${COUNT}`, store = folder + '/store', env = { SCRY_MODEL: folder + '/model' };

function prepare() {
  if (existsSync(store + '/complete')) return;
  mkdirSync(folder, { recursive: true });
  console.error(`${COUNT} pictures and their store in ${folder}`);
  spawnSync('python3', [top + '/tests/e2e/tiny_model.py', env.SCRY_MODEL], { stdio: 'inherit' });
  manyPictures(folder + '/pictures', COUNT);
  scry(['index', '--quiet', folder + '/pictures', '--store', store], env);
  mkdirSync(store + '/complete');
}

function say(what, values, unit) {
  const sorted = values.toSorted((a, b) => a - b);
  console.log([what, sorted[sorted.length >> 1], sorted[0], sorted.at(-1)].map(v => (typeof v === 'number' ? +v.toPrecision(3) : v)).concat(unit).join('\t'));
}

// In the page: when every picture of the window has its thumbnail.
const watch = () => {
  const complete = () => {
    const inside = [...document.querySelectorAll('.hit')].filter(li => li.getBoundingClientRect().top < innerHeight);
    if (inside.length && inside.every(li => li.querySelector('img')?.naturalWidth > 0)) window.shownAt = performance.now();
    else requestAnimationFrame(complete);
  };
  requestAnimationFrame(complete);
};

async function openPage(browser, url) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, serviceWorkers: 'block' }), page = await context.newPage();
  await page.addInitScript(watch);
  await page.goto(url);
  await page.waitForFunction(() => window.shownAt);
  return page;
}

async function timeOf(browser, url) {
  const page = await openPage(browser, url), time = await page.evaluate(() => window.shownAt);
  await page.context().close();
  return time;
}

async function firstPictures(browser, url) {
  const times = [], changed = [], lists = [];
  for (let i = 0; i <= ROUNDS; i++) times.push(await timeOf(browser, url));
  for (let i = 0; i < 2 * ROUNDS; i++) {   // a file is indexed again; the server looks several times a second
    utimesSync(`${folder}/pictures/p${String(i).padStart(5, '0')}.png`, 1e9, Date.now() / 1000 - 1e8);
    scry(['index', '--quiet', `${folder}/pictures/p${String(i).padStart(5, '0')}.png`, '--store', store], env);
    await new Promise(resolve => setTimeout(resolve, SEEN_MS));
    if (i % 2) changed.push(await timeOf(browser, url));
    else {
      const start = performance.now();
      await (await fetch(url + '/api/v1/images?sort=date&unique=1&limit=100')).arrayBuffer();
      lists.push(performance.now() - start);
    }
  }
  say('first pictures, the server just started', times.slice(0, 1), 'ms');
  say('first pictures', times.slice(1), 'ms');
  say('first pictures after a change', changed, 'ms');
  say('the first list after a change', lists, 'ms');
}

// The events of a trace while `run` runs.
async function trace(browser, page, run) {
  await browser.startTracing(page, { categories: ['devtools.timeline', 'disabled-by-default-devtools.timeline.frame', 'toplevel'] });
  await run();
  return JSON.parse((await browser.stopTracing()).toString()).traceEvents;
}

async function turnWheel(page, seconds) {
  const start = performance.now();
  for (let n = 1; performance.now() - start < seconds * 1000; n++) {
    await page.mouse.wheel(0, WHEEL_PX);
    await new Promise(resolve => setTimeout(resolve, Math.max(0, start + n * WHEEL_MS - performance.now())));
  }
}

async function frames(browser, url) {
  const rates = [], dropped = [], busy = [], slow = [];
  for (let i = 0; i < ROUNDS; i++) {
    const page = await openPage(browser, url);
    await page.mouse.move(500, 500);
    const gaps = page.evaluate(ms => new Promise(resolve => {
      const found = [], start = performance.now();
      let last = start;
      const frame = now => { found.push(now - last); last = now; if (now - start < ms) requestAnimationFrame(frame); else resolve(found.slice(1)); };
      requestAnimationFrame(frame);
    }), SCROLL_S * 1000);
    const events = await trace(browser, page, () => turnWheel(page, SCROLL_S)), all = (await gaps).toSorted((a, b) => a - b);
    const main = events.find(e => e.name === 'thread_name' && e.args.name === 'CrRendererMain' && events.some(o => o.name === 'FunctionCall' && o.pid === e.pid && o.tid === e.tid));
    const tasks = events.filter(e => e.name === 'ThreadControllerImpl::RunTask' && e.pid === main?.pid && e.tid === main?.tid && e.dur);
    rates.push(all.length / (all.reduce((a, b) => a + b, 0) / 1000));
    slow.push(all[Math.floor(all.length * 0.99)]);
    dropped.push(events.filter(e => e.name === 'DroppedFrame').length);
    if (tasks.length) busy.push(tasks.reduce((sum, e) => sum + (e.tdur ?? e.dur), 0) / 1000 / all.length);
    await page.context().close();
  }
  say('frames a second while scrolling', rates, '1/s');
  say('99 of 100 frames come within', slow, 'ms');
  say('frames dropped in ' + SCROLL_S + ' s', dropped, '');
  if (busy.length) say('processor time of the main thread, for each frame', busy, 'ms');
}

// Many places of the list, then the start: what is kept must not grow with what was seen.
async function memory(browser, url) {
  const page = await openPage(browser, url), cdp = await page.context().newCDPSession(page);
  const measure = async () => {
    await cdp.send('HeapProfiler.collectGarbage');
    const { metrics } = await cdp.send('Performance.getMetrics');
    return name => metrics.find(m => m.name === name).value;
  };
  await cdp.send('Performance.enable');
  const before = await measure(), height = await page.evaluate(() => document.documentElement.scrollHeight);
  for (let i = 0; i < 200; i++) {
    await page.evaluate(y => scrollTo(0, y), height * ((i * 37) % 200) / 200);
    await page.waitForTimeout(100);
  }
  const after = await measure();
  say('objects of JavaScript at the start', [before('JSHeapUsedSize') / 1e6], 'MB');
  say('after 200 places of the list', [after('JSHeapUsedSize') / 1e6], 'MB');
  say('elements and texts at the start', [before('Nodes')], '');
  say('after 200 places of the list', [after('Nodes')], '');
}

prepare();
const server = await serve(['--store', store], { env }), browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--disable-dev-shm-usage'] });
await firstPictures(browser, server.url);
await frames(browser, server.url);
await memory(browser, server.url);
await browser.close();
await server.stop();
