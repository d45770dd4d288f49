// page.mjs - measures the page in Chromium with many pictures; bench/page.sh runs it.
//
// First pictures: from the start of the navigation until all thumbnails of the window are there, in a new context each time (no
// cache of the browser). Frames: the timeline is scrolled as one who looks does, and as one who flies past, both from Chromium itself; the
// trace says how many frames were shown and dropped, by whom, and the processor time of each thread for one, in ms.

import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { existsSync, mkdirSync, utimesSync } from 'node:fs';
import { scry, serve, top } from '../tests/browser/harness.mjs';
import { manyPictures } from '../tests/browser/pictures.mjs';
import { CATEGORIES, forcedByScript, frames, mainThread, scrollEvenly, threads } from '../tests/browser/trace.mjs';

const { BENCH_HOME, CHROMIUM, CHROMIUM_ARGS, ONLY, SCRY_NODE_MODULES } = process.env, COUNT = +process.env.COUNT, ROUNDS = 7, SCROLLS = 5, SCROLL_S = 4, SEEN_MS = 1000, STILL_MS = 1500;
const SPEEDS = [['looking', 2400], ['flying', 7200]];   // pixels in a second
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
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, serviceWorkers: 'block' }), page = await context.newPage();
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

// The scrolls of a speed: what each gave, one after the other.
async function scrollOften(browser, url, speed) {
  const all = [];
  for (let i = 0; i < SCROLLS; i++) {
    const page = await openPage(browser, url);
    await page.waitForTimeout(STILL_MS);   // what comes after the first pictures
    await browser.startTracing(page, { categories: CATEGORIES });
    await scrollEvenly(page, speed * SCROLL_S, speed);
    const events = JSON.parse((await browser.stopTracing()).toString()).traceEvents, { rate, pages, gaps, shown, dropped } = frames(events);
    const each = (sums, count) => Object.fromEntries(Object.entries(sums).map(([name, ms]) => [name, ms / count]));
    all.push({ rate, pages: pages / SCROLL_S, dropped, slow: gaps.toSorted((a, b) => a - b)[Math.floor(gaps.length * 0.99)],
      others: each(threads(events), shown), main: each(mainThread(events), pages), busy: threads(events).main / SCROLL_S / 10, forced: forcedByScript(events).length });
    await page.context().close();
  }
  return all;
}

const OTHERS = { compositor: 'moving layers', raster: 'drawing tiles and decoding thumbnails', display: 'putting the window together', browser: "the browser's own" };

async function scrolling(browser, url) {
  for (const [how, speed] of SPEEDS) {
    const all = await scrollOften(browser, url, speed), say1 = (what, of, unit) => say(`${how}: ${what}`, all.map(of), unit);
    say1('frames a second', s => s.rate, '1/s');
    say1('99 of 100 frames come within', s => s.slow, 'ms');
    say1('dropped for the page', s => s.dropped.main, '');
    say1('dropped for the drawing', s => s.dropped.drawing, '');
    say1('dropped as nobody began them', s => s.dropped.missed, '');
    say1('frames that the page drew', s => s.pages, '1/s');
    for (const kind of ['script', 'style', 'layout', 'paint', 'rest']) say1('one of these, main thread, ' + kind, s => s.main[kind], 'ms');
    say1('main thread, of its time', s => s.busy, '%');
    for (const [name, what] of Object.entries(OTHERS)) say1('a frame shown, ' + what, s => s.others[name], 'ms');
    say1('layouts and styles forced by a script', s => s.forced, '');
  }
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
const server = await serve(['--store', store], { env }), browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--disable-dev-shm-usage', ...(CHROMIUM_ARGS ?? '').split(' ').filter(Boolean)] });
if (!ONLY || ONLY === 'first') await firstPictures(browser, server.url);
if (!ONLY || ONLY === 'scrolling') await scrolling(browser, server.url);
if (!ONLY || ONLY === 'memory') await memory(browser, server.url);
await browser.close();
await server.stop();
