// indexing.js - start an index run on the server and watch it.
//
// The run that goes on is also shown beside the pictures, where it leads here, and tells the page when there are first pictures.

import { ApiError, request } from './api.js';
import { $, element } from './dom.js';
import { explain, explainSkip } from './explain.js';
import { timeLeft } from './format.js';
import { number, text } from './strings.js';

const SUGGEST_MS = 150, RATE_MS = 1000, NEW_RATE = 0.3, TELL_MS = 2000;

let job = null, events = null, skips = 0, rate = null, asked = 0, told = -Infinity, actions = {};

// actions: { done(), grown(): a run began, or added pictures, roots(): the folders that are indexed, isEmpty(): there are no pictures yet,
// view(): show the pictures }
export function setIndexing(given) {
  actions = given;
  $('open-index').onclick = openIndexing;
  $('run').onclick = openIndexing;
  $('index-form').addEventListener('submit', start);
  const path = $('index-form').elements.path;   // what was typed is there again after a reload
  path.value = sessionStorage.getItem('index-path') ?? '';
  let timer;
  path.addEventListener('input', () => {
    sessionStorage.setItem('index-path', path.value);
    clearTimeout(timer);
    timer = setTimeout(suggest, SUGGEST_MS);
  });
  $('cancel-index').onclick = () => request(`api/v1/index/${job}`, { method: 'DELETE' }).catch(said);
  $('view-indexed').onclick = () => { $('indexing').close(); actions.view(); };
}

const said = e => { $('index-state').textContent = e instanceof ApiError && e.status ? explain(e) : text('server_gone'); };

// ---- the folder ----

// A folder as it is written elsewhere: in quotes, or as the address that a file manager copies.
function plainPath(written) {
  const path = written.trim().replace(/^(["'])(.*)\1$/, '$2'), [, encoded] = /^file:\/\/(?:localhost)?(\/.*)$/.exec(path) ?? [];
  try {
    return encoded ? decodeURIComponent(encoded) : path;
  } catch {
    return path;
  }
}

const parentOf = path => path.slice(0, path.replace(/\/$/, '').lastIndexOf('/') + 1);

function choose(path) {
  const field = $('index-form').elements.path;
  field.value = path;
  sessionStorage.setItem('index-path', path);
  suggest().then(() => ($('folders').querySelector('button') ?? field).focus());
}

// The folders to choose from are those of the server's machine that begin as what is typed; before that those that are indexed, and
// those of the home folder.
async function suggest() {
  const field = $('index-form').elements.path, typed = plainPath(field.value), mine = ++asked;
  try {
    const { folders, pictures } = await request('api/v1/folders?' + new URLSearchParams({ path: typed }));
    if (mine !== asked) return;
    const item = (path, name) => element('li', {}, element('button', { type: 'button', className: 'plain', title: path, onclick: () => choose(path) }, name));
    const first = typed ? [] : [pictures, ...actions.roots()].filter(Boolean);
    $('folders').replaceChildren(...(parentOf(typed) ? [item(parentOf(typed), '↑ ' + parentOf(typed))] : []),
      ...first.map(path => item(path + '/', path)), ...folders.filter(path => !first.includes(path)).map(path => item(path + '/', typed ? path.split('/').pop() : path)));
  } catch { if (mine === asked) $('folders').replaceChildren(); }   // those of what was typed before are none of this
}

// The first time the Pictures folder is proposed.
async function propose() {
  const field = $('index-form').elements.path;
  if (!field.value && actions.isEmpty()) {
    const { pictures } = await request('api/v1/folders').catch(() => ({}));
    if (!field.value && pictures) field.value = pictures + '/';
  }
  suggest();
}

// ---- a run ----

const running = async () => (await request('api/v1/index')).jobs.find(j => j.state === 'running');

// When opened, show the current run, else the files skipped before.
export async function openIndexing() {
  $('more-panel').close();
  $('index-more').hidden = actions.isEmpty();
  $('indexing').showModal();
  propose();
  startable(false);
  try {
    const run = await running();
    startable(!run);
    if (run) watch(run.job);
    else if (!skips) (await request('api/v1/skipped')).results.forEach(skipped);
  } catch (e) {
    startable(true);
    said(e);
  }
}

// A run that goes on is watched from when the page is opened, whoever started it.
export async function watchRun() {
  const run = isRunning() ? null : await running().catch(() => null);
  if (run && !isRunning()) watch(run.job);
}

export const isRunning = () => events !== null && events.readyState !== EventSource.CLOSED;

async function begin(run) {
  startable(false);
  try {
    watch((await request('api/v1/index', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(run) })).job);
  } catch (e) {
    startable(true);
    said(e);
  }
}

function start(event) {
  event.preventDefault();
  const form = new FormData(event.target);
  clearSkips();
  begin({ paths: [plainPath(form.get('path')).replace(/(?<=.)\/+$/, '')], prune: form.has('prune'), retry: form.has('retry') });
}

// Embed the collection again.
export async function rebuild() {
  await openIndexing();
  if (!isRunning()) begin({ rebuild: true });
}

function clearSkips() {
  skips = 0;
  $('index-skipped').replaceChildren();
  $('index-skips').hidden = true;
}

function showRunning(on) {
  $('index-progress').hidden = $('cancel-index').hidden = $('run').hidden = !on;
  $('view-indexed').hidden = true;
  startable(!on);
}

const startable = on => { $('index-form').querySelector('.main').disabled = !on; };

function say(line) {
  $('index-state').textContent = line;
  $('run').textContent = line;
}

// The stream has all events since the run began. The browser reopens a broken stream; a restarted
// server does not know the run, which ends the stream.
function watch(id) {
  if (job === id && isRunning()) return;
  job = id;
  rate = null;
  events?.close();
  showRunning(true);
  $('index-progress').removeAttribute('value');
  say(text('indexing_starts'));
  events = new EventSource(`api/v1/index/${id}/events`);
  tell();
  events.onopen = clearSkips;
  events.addEventListener('progress', e => show(JSON.parse(e.data)));
  events.addEventListener('skipped', e => skipped(JSON.parse(e.data)));
  events.addEventListener('done', e => { events.close(); finish(JSON.parse(e.data)); });
  events.onerror = () => {
    if (events.readyState !== EventSource.CLOSED) return;
    showRunning(false);
    say(text('indexing_lost'));
    actions.done();
  };
}

// Pictures a second, smoothed: they come in batches. Those that need not be embedded take no time.
function measure(p) {
  if (!rate) rate = { ms: p.elapsed_ms, count: p.embedded, value: p.embedded ? p.embedded / p.elapsed_ms : 0 };
  const ms = p.elapsed_ms - rate.ms, value = (p.embedded - rate.count) / ms;
  if (ms < RATE_MS || !(value > 0)) return;
  rate = { ms: p.elapsed_ms, count: p.embedded, value: rate.value ? rate.value + NEW_RATE * (value - rate.value) : value };
}

function show(p) {
  const done = p.added + p.updated + p.unchanged + p.skipped, bar = $('index-progress'), total = Math.max(p.expected, p.found), counting = p.walking && !p.expected;
  measure(p);
  if (counting) bar.removeAttribute('value');
  else bar.value = total ? done / total : 0;
  const left = !counting && rate.value > 0 && done < total ? ' ' + text('time_left', { time: timeLeft((total - done) / rate.value) }) : '';
  $('index-state').textContent = text('indexing_progress', { done, found: number(total) + (counting ? '+' : ''), added: p.added, skipped: p.skipped }) + left;
  $('run').textContent = text('indexing_now', { done, found: number(total) + (counting ? '+' : '') }) + left;
  $('view-indexed').hidden = !p.added;
  if (p.added && performance.now() - told > TELL_MS) tell();
}

function tell() {
  told = performance.now();
  actions.grown();
}

function skipped(file) {
  skips++;
  $('index-skips').hidden = false;
  $('index-skip-count').textContent = text('skipped_why', { n: skips });
  $('index-skipped').append(element('li', {}, `${file.path}: ${explainSkip(file)}`));
}

function finish(p) {
  showRunning(false);
  const some = p.added + p.updated + p.unchanged > 0;
  $('view-indexed').hidden = !some;
  if (p.state === 'done' && !some) $('index-skips').open = true;   // why there are none
  $('index-state').textContent = p.state === 'failed' ? `${text('error')} ${p.error}` : p.state === 'cancelled' ? text('indexing_cancelled') : text('indexing_done', p);
  actions.done();
}
