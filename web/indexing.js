// indexing.js - start an index run on the server and watch it.

import { ApiError, request } from './api.js';
import { $, element } from './dom.js';
import { explain, explainSkip } from './explain.js';
import { number, text } from './strings.js';

const SUGGEST_MS = 150;

let job = null, events = null, skips = 0, onDone = () => {}, indexed = () => [];

// roots(): the folders that are indexed.
export function setIndexing(done, roots) {
  [onDone, indexed] = [done, roots];
  $('open-index').onclick = openIndexing;
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
}

const said = e => { $('index-state').textContent = e instanceof ApiError && e.status ? explain(e) : text('server_gone'); };

// Folders of the server's machine that begin as what is typed; before that those that are indexed, and those of the home folder.
async function suggest() {
  const typed = $('index-form').elements.path.value;
  try {
    const { folders } = await request('api/v1/folders?' + new URLSearchParams({ path: typed }));
    if (typed !== $('index-form').elements.path.value) return;
    $('roots').replaceChildren(...[...new Set([...(typed ? [] : indexed()), ...folders])].map(path => new Option('', path)));
  } catch { /* without suggestions */ }
}

// When opened, show the current run, else the files skipped before.
export async function openIndexing() {
  $('indexing').showModal();
  suggest();
  startable(false);
  try {
    const { jobs } = await request('api/v1/index'), run = jobs.find(j => j.state === 'running');
    startable(!run);
    if (run) watch(run.job);
    else if (!skips) (await request('api/v1/skipped')).results.forEach(skipped);
  } catch (e) {
    startable(true);
    said(e);
  }
}

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
  begin({ paths: [form.get('path')], prune: form.has('prune'), retry: form.has('retry') });
}

// Embed the collection again.
export async function rebuild() {
  await openIndexing();
  if (!events || events.readyState === EventSource.CLOSED) begin({ rebuild: true });
}

function clearSkips() {
  skips = 0;
  $('index-skipped').replaceChildren();
  $('index-skips').hidden = true;
}

function running(on) {
  $('index-progress').hidden = $('cancel-index').hidden = !on;
  startable(!on);
}

const startable = on => { $('index-form').querySelector('.main').disabled = !on; };

// The stream has all events since the run began. The browser reopens a broken stream; a restarted
// server does not know the run, which ends the stream.
function watch(id) {
  job = id;
  events?.close();
  running(true);
  $('index-progress').removeAttribute('value');
  $('index-state').textContent = text('indexing_starts');
  events = new EventSource(`api/v1/index/${id}/events`);
  events.onopen = clearSkips;
  events.addEventListener('progress', e => show(JSON.parse(e.data)));
  events.addEventListener('skipped', e => skipped(JSON.parse(e.data)));
  events.addEventListener('done', e => { events.close(); finish(JSON.parse(e.data)); });
  events.onerror = () => {
    if (events.readyState !== EventSource.CLOSED) return;
    running(false);
    $('index-state').textContent = text('indexing_lost');
    onDone();
  };
}

function show(p) {
  const done = p.added + p.updated + p.unchanged + p.skipped, bar = $('index-progress');
  if (p.walking) bar.removeAttribute('value');
  else bar.value = p.found ? done / p.found : 0;
  $('index-state').textContent = text('indexing_progress', { done, found: number(p.found) + (p.walking ? '+' : ''), added: p.added, skipped: p.skipped,
    rate: number(Math.round(done / Math.max(1, p.elapsed_ms) * 10000) / 10) });
}

function skipped(file) {
  skips++;
  $('index-skips').hidden = false;
  $('index-skip-count').textContent = text('skipped_why', { n: skips });
  $('index-skipped').append(element('li', {}, `${file.path}: ${explainSkip(file)}`));
}

function finish(p) {
  running(false);
  $('index-state').textContent = p.state === 'failed' ? `${text('error')} ${p.error}` : p.state === 'cancelled' ? text('indexing_cancelled') : text('indexing_done', p);
  onDone();
}
