// indexing.js - start an index run on the server and watch it.

import { ApiError, request } from './api.js';
import { number, text } from './strings.js';

const $ = id => document.getElementById(id);
let job = null, events = null, onDone = () => {};

export function setIndexing(done) {
  onDone = done;
  $('open-index').onclick = openIndexing;
  $('index-form').addEventListener('submit', start);
  $('cancel-index').onclick = () => request(`/api/v1/index/${job}`, { method: 'DELETE' });
}

// Opening shows the run that is under way, if there is one.
export async function openIndexing() {
  $('indexing').showModal();
  const { jobs } = await request('/api/v1/index');
  const running = jobs.find(j => j.state === 'running');
  if (running) watch(running.job);
}

async function start(event) {
  event.preventDefault();
  const form = new FormData(event.target);
  try {
    const started = await request('/api/v1/index', { method: 'POST', headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ paths: [form.get('path')], prune: form.has('prune') }) });
    $('index-skipped').replaceChildren();
    watch(started.job);
  } catch (e) {
    $('index-state').textContent = e instanceof ApiError ? e.message : text('error');
  }
}

function watch(id) {
  job = id;
  events?.close();
  events = new EventSource(`/api/v1/index/${id}/events`);
  events.addEventListener('progress', e => show(JSON.parse(e.data)));
  events.addEventListener('skipped', e => skipped(JSON.parse(e.data)));
  events.addEventListener('done', e => { events.close(); finish(JSON.parse(e.data)); });
  $('index-progress').hidden = $('cancel-index').hidden = false;
}

function show(p) {
  const done = p.added + p.updated + p.unchanged + p.skipped, bar = $('index-progress');
  bar.max = Math.max(1, p.found);
  bar.value = done;
  $('index-state').textContent = text('indexing_progress', { done: number(done), found: number(p.found) + (p.walking ? '+' : ''), added: number(p.added), skipped: number(p.skipped) });
}

function skipped({ path, reason }) {
  const li = document.createElement('li');
  li.textContent = `${path}: ${reason}`;
  $('index-skipped').append(li);
}

function finish(p) {
  $('index-progress').hidden = $('cancel-index').hidden = true;
  $('index-state').textContent = p.state === 'failed' ? p.error : p.state === 'cancelled' ? text('indexing_cancelled')
    : text('indexing_done', { added: number(p.added), updated: number(p.updated), unchanged: number(p.unchanged), skipped: number(p.skipped) });
  onDone();
}
