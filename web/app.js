// app.js - the page: from what is typed to what is shown. The address holds the whole query.

import { ApiError, request, thumbnail, uploadPicture, uploadThumbnail } from './api.js';
import { addHits, allHits, clearGrid, setGrid, setLine } from './grid.js';
import { openIndexing, setIndexing } from './indexing.js';
import { parseQuery, writeQuery } from './query.js';
import { chooseLanguage, loadStrings, number, text } from './strings.js';
import { openViewer, setViewer } from './viewer.js';

const $ = id => document.getElementById(id);
const PAGE = 100, TYPING_MS = 180, RETRY_MS = 2000;
const FILTERS = ['in', 'after', 'before', 'camera', 'format', 'label'];

let status = null;      // what GET /api/v1/status said
let chips = [];         // parts of the query besides the text in the box
let cursor = null;      // where the next page begins; null: no more
let turn = 0;           // counts searches: answers to older ones are dropped
let loading = null;     // AbortController of the request under way

// ---- the query: box + chips <-> address ----

function currentQuery() {
  const typed = parseQuery($('text').value);
  return writeQuery([...typed, ...chips]);
}

function readFilters() {
  const form = new FormData($('filters')), params = new URLSearchParams();
  for (const name of FILTERS) if (form.get(name)) params.set(name, form.get(name));
  const near = ['lat', 'lon', 'km'].map(n => form.get(n));
  if (near.every(v => v !== '')) params.set('near', near.join(','));
  return params;
}

function currentParams() {
  const params = readFilters(), query = currentQuery();
  if (query) params.set('q', query);
  if (lineMoved()) params.set('line', $('line').value);
  return params;
}

const lineMoved = () => $('line').dataset.moved === 'yes';

function restore() {
  const params = new URLSearchParams(location.search), parts = parseQuery(params.get('q') ?? '');
  const first = parts[0];
  const inBox = first && first.kind === 'text' && first.sign > 0 && first.weight === 1;
  $('text').value = inBox ? writeQuery([first]) : '';
  chips = inBox ? parts.slice(1) : parts;
  const form = $('filters');
  for (const name of FILTERS) {
    const value = params.get(name) ?? '', field = form.elements[name];
    if (field.tagName === 'SELECT' && value && ![...field.options].some(o => o.value === value)) field.add(new Option(value, value));
    field.value = value;
  }
  const near = (params.get('near') ?? ',,').split(',');
  ['lat', 'lon', 'km'].forEach((n, i) => { form.elements[n].value = near[i] ?? ''; });
  if (readFilters().size) toggle('show-filters', 'filters', true);
  if (params.has('line')) {
    $('line').value = params.get('line');
    $('line').dataset.moved = 'yes';
  } else resetLine();
  showLine();
  drawChips();
}

function changed({ replace = false } = {}) {
  const params = currentParams(), address = params.size ? '?' + params : location.pathname;
  history[replace ? 'replaceState' : 'pushState'](null, '', address);
  drawChips();
  search();
}

// ---- chips ----

function chipButton(label, content, action) {
  const b = document.createElement('button');
  b.type = 'button';
  b.textContent = content;
  b.setAttribute('aria-label', label);
  b.onclick = action;
  return b;
}

function chipContent(part) {
  if (part.kind === 'text') {
    const span = document.createElement('span');
    span.className = 'word';
    span.textContent = part.value;
    return span;
  }
  const img = document.createElement('img');
  img.src = part.kind === 'id' ? thumbnail(part.value, 160) : uploadThumbnail(part.value);
  img.alt = text('picture') + (part.region ? ' ' + part.region.join(',') : '');
  return img;
}

function drawChips() {
  $('chips').replaceChildren(...chips.map(part => {
    const li = document.createElement('li'), weight = document.createElement('input');
    li.className = 'chip' + (part.sign < 0 ? ' minus' : '');
    Object.assign(weight, { type: 'number', min: 0.1, max: 10, step: 0.1, value: part.weight });
    weight.setAttribute('aria-label', text('weight'));
    weight.onchange = () => { part.weight = Math.min(100, Math.max(0.01, +weight.value || 1)); changed(); };
    li.append(chipButton(text('switch_sign'), part.sign < 0 ? '−' : '+', () => { part.sign = -part.sign; changed(); }),
      chipContent(part), weight,
      chipButton(text('remove_part'), '×', () => { chips = chips.filter(p => p !== part); changed(); $('text').focus(); }));
    return li;
  }));
}

function textToChip(sign) {
  const typed = parseQuery($('text').value);
  chips.push(...typed.map(p => ({ ...p, sign: p.sign * sign })));
  $('text').value = '';
  $('text').focus();
  if (typed.length) changed();
}

async function addUpload(file) {
  busy(true);
  try {
    const { picture } = await uploadPicture(file);
    chips.push({ sign: 1, weight: 1, kind: 'p', value: picture, region: null });
    changed();
  } catch (e) {
    notice(text('bad_picture'), e.message);
  }
  busy(false);
}

// ---- searching ----

const busy = on => { $('busy').hidden = !on; };

function notice(title, detail, button, action) {
  const box = $('notice');
  box.hidden = !title;
  box.replaceChildren();
  if (!title) return;
  const strong = document.createElement('strong'), p = document.createElement('p');
  strong.textContent = title;
  p.append(detail ?? '');
  box.append(strong, p);
  if (button) {
    const b = document.createElement('button');
    b.type = 'button';
    b.textContent = button;
    b.onclick = action;
    box.append(b);
  }
}

function pageAddress() {
  const params = readFilters(), query = currentQuery();
  if (query) params.set('q', query);
  params.set('limit', PAGE);
  if (cursor !== null) params.set('cursor', cursor);
  return (query ? '/api/v1/search?' : '/api/v1/images?') + params;
}

async function search() {
  const mine = ++turn;
  cursor = null;
  loading?.abort();
  loading = null;
  busy(true);
  document.title = (currentQuery() ? currentQuery() + ' – ' : '') + 'scry';
  await loadPage(mine, true);
}

async function loadPage(mine, first) {
  loading = new AbortController();
  try {
    const answer = await request(pageAddress(), { signal: loading.signal });
    if (mine !== turn) return;
    if (first) { clearGrid(); window.scrollTo(0, 0); showAnswer(answer); }
    addHits(answer.results);
    cursor = answer.cursor;
    $('end').textContent = cursor === null && allHits().length ? text('end') : '';
  } catch (e) {
    if (e.name === 'AbortError' || mine !== turn) return;
    failed(e, () => loadPage(mine, first));
    return;
  } finally {
    if (mine === turn) { loading = null; busy(false); }
  }
  fillScreen();
}

function showAnswer(answer) {
  const line = currentLine();
  setLine(line);
  notice('');
  const query = currentQuery();
  if (query) $('summary').textContent = text('found_in', { n: number(answer.scanned), ms: number(Math.round(answer.took_ms * 10) / 10) });
  else $('summary').textContent = status && !readFilters().size ? text('showing_all', { n: number(status.files) }) : '';
  if (!answer.results.length) empty();
  else if (query && line !== null && answer.results[0].score < line) notice(text('nothing_close'));
}

function empty() {
  if (status?.files) {
    notice(text('no_match'), text('no_match_help'), text('clear_filters'), () => $('filters').reset());
    return;
  }
  const help = document.createElement('span'), [before, after] = text('empty_help', { command: '\0' }).split('\0'), code = document.createElement('code');
  code.textContent = 'scry index ~/Pictures';
  help.append(before, code, after);
  if (status?.indexing_allowed) notice(text('empty'), help, text('empty_button'), openIndexing);
  else notice(text('empty'), help);
}

function failed(error, again) {
  if (error instanceof ApiError && error.status === 401) {
    $('login').showModal();
    return;
  }
  if (error instanceof ApiError && (error.status === 0 || error.status === 503)) {
    notice(text('server_gone'));
    setTimeout(again, RETRY_MS);
    return;
  }
  notice(text('error'), error.message, text('retry'), again);
}

function fillScreen() {
  if (cursor !== null && !loading && $('end').getBoundingClientRect().top < innerHeight * 2) loadPage(turn, false);
}

// ---- the line between hits and the rest ----

function currentLine() {
  if (lineMoved()) return +$('line').value;
  return status?.model.min_score ?? null;
}

function resetLine() {
  delete $('line').dataset.moved;
  if (status?.model.min_score !== null && status) $('line').value = status.model.min_score;
}

function showLine() {
  const line = currentLine();
  $('line-value').textContent = line === null ? '' : line.toFixed(3);
}

// ---- around ----

function toggle(button, panel, on = $(panel).hidden) {
  $(panel).hidden = !on;
  $(button).setAttribute('aria-expanded', on);
}

async function loadFacets() {
  const facets = await request('/api/v1/facets');
  const fill = (name, list) => {
    const select = $('filters').elements[name], value = select.value;
    select.replaceChildren(new Option(text('any'), ''), ...list.map(f => new Option(`${f.name} (${f.count})`, f.name)));
    if (value && ![...select.options].some(o => o.value === value)) select.add(new Option(value, value));
    select.value = value;
  };
  fill('in', facets.folders);
  fill('camera', facets.cameras);
  fill('format', facets.formats);
  fill('label', facets.labels);
}

async function loadStatus() {
  status = await request('/api/v1/status');
  $('open-index').hidden = !status.indexing_allowed;
  $('about').textContent = `scry ${status.version} · ${text('n_pictures', { n: number(status.files) })} · ${text('model')}: ${status.model.name}`;
  const names = await Promise.all(status.languages.map(l => fetch(`/assets/strings/${l}.json`).then(r => r.json())));
  $('language').replaceChildren(...status.languages.map((l, i) => new Option(names[i].language_name, l)));
  $('language').value = document.documentElement.lang;
}

function onKey(e) {
  if (e.key === '/' && !/^(INPUT|TEXTAREA|SELECT)$/.test(e.target.tagName) && !document.querySelector('dialog[open]')) {
    e.preventDefault();
    $('text').focus();
    $('text').select();
  }
}

function setDrop() {
  const pictureOf = list => [...(list?.files ?? [])].find(f => f.type.startsWith('image/') || /\.(heic|heif|jxl|avif|cr2|nef|arw|dng)$/i.test(f.name));
  addEventListener('dragover', e => { e.preventDefault(); $('drop').hidden = false; });
  addEventListener('dragleave', e => { if (!e.relatedTarget) $('drop').hidden = true; });
  addEventListener('drop', e => { e.preventDefault(); $('drop').hidden = true; const f = pictureOf(e.dataTransfer); if (f) addUpload(f); });
  addEventListener('paste', e => { const f = pictureOf(e.clipboardData); if (f) { e.preventDefault(); addUpload(f); } });
  $('file').onchange = e => { if (e.target.files[0]) addUpload(e.target.files[0]); e.target.value = ''; };
}

function wire() {
  let timer;
  $('text').addEventListener('input', () => { clearTimeout(timer); timer = setTimeout(() => changed({ replace: true }), TYPING_MS); });
  $('search').addEventListener('submit', e => { e.preventDefault(); clearTimeout(timer); changed(); });
  $('plus').onclick = () => textToChip(1);
  $('minus').onclick = () => textToChip(-1);
  $('filters').addEventListener('change', () => changed());
  $('filters').addEventListener('submit', e => e.preventDefault());
  $('filters').addEventListener('reset', () => setTimeout(changed));
  $('show-filters').onclick = () => { toggle('show-filters', 'filters'); loadFacets().catch(() => {}); };
  $('show-more').onclick = () => toggle('show-more', 'more');
  $('line').addEventListener('input', () => { $('line').dataset.moved = 'yes'; showLine(); setLine(currentLine()); });
  $('line').addEventListener('change', () => history.replaceState(null, '', '?' + currentParams()));
  $('scores').checked = localStorage.getItem('scores') !== 'no';
  $('scores').onchange = () => { localStorage.setItem('scores', $('scores').checked ? 'yes' : 'no'); document.body.classList.toggle('scored', $('scores').checked); };
  document.body.classList.toggle('scored', $('scores').checked);
  $('language').onchange = async () => { await chooseLanguage($('language').value); await loadStatus(); drawChips(); search(); };
  $('login-form').addEventListener('submit', logIn);
  addEventListener('popstate', () => { restore(); search(); });
  addEventListener('keydown', onKey);
  addEventListener('scroll', fillScreen, { passive: true });
  setDrop();
}

async function logIn(event) {
  event.preventDefault();
  try {
    await request('/login', { method: 'POST', body: JSON.stringify({ token: new FormData(event.target).get('token') }) });
    $('login').close();
    start();
  } catch {
    $('login-error').textContent = text('wrong_token');
  }
}

async function start() {
  try {
    await loadStatus();
  } catch (e) {
    failed(e, start);
    return;
  }
  restore();
  if (!$('filters').hidden) loadFacets().catch(() => {});
  search();
}

await loadStrings();
wire();
setGrid(openViewer);
setIndexing(async () => { await loadStatus(); search(); });
setViewer({
  similar: hit => { $('text').value = ''; chips = [{ sign: 1, weight: 1, kind: 'id', value: hit.id, region: null }]; changed(); },
  region: (hit, region) => { $('text').value = ''; chips = [{ sign: 1, weight: 1, kind: 'id', value: hit.id, region }]; changed(); },
  needMore: () => { if (cursor !== null && !loading) loadPage(turn, false); },
});
start();
