// start.js - above the timeline: recent searches, and tiles that lead to everyday searches that have good answers here,
// favourites and saved searches, folders as albums, cameras and labels.
//
// Recent searches are kept by the browser only. The place of the tiles is there before they are loaded, so that nothing moves.

import { request, thumbnail } from './api.js';
import { ask } from './confirm.js';
import { addressOf, favouritesCover, removeSaved, savedSearches } from './marks.js';
import { parseQuery } from './query.js';
import { $, element, icon } from './dom.js';
import { shortFolder } from './filters.js';
import { number, text } from './strings.js';

const RECENT = 8, SOON_MS = 4000, FRESH_MS = 30000, AGAIN_MS = 1500, NONE = { state: 'done', searches: [] }, FEW = 24, KEY = 'recent';
const strip = $('start-tiles');
let actions = {}, kinds = [], kind = localStorage.getItem('start') ?? '', all = false, loadedAt = -Infinity, waiting = 0, again = 0, drawn = '', known = '';

// actions: { go(params): shows what these parameters of the address mean }
export function setStart(given) {
  actions = given;
  $('start-all').onclick = () => { all = !all; drawTiles(); };
}

// ---- recent searches ----

function readRecent() {
  try {
    const found = JSON.parse(localStorage.getItem(KEY));
    return Array.isArray(found) ? found.filter(q => typeof q === 'string').slice(0, RECENT) : [];
  } catch {
    return [];
  }
}

// Pictures that were uploaded are forgotten by the server, and so are searches by them.
const lasts = query => query && !parseQuery(query).some(part => part.kind === 'p');

// The query was searched for: it is a recent search when it stays for a while, or at once if it was `used`.
export function noteSearch(query, used = false) {
  clearTimeout(waiting);
  if (!lasts(query)) return;
  const note = () => localStorage.setItem(KEY, JSON.stringify([query, ...readRecent().filter(q => q !== query)].slice(0, RECENT)));
  if (used) note();
  else waiting = setTimeout(note, SOON_MS);
}

const nameOf = query => parseQuery(query).map((p, i) => (p.sign < 0 ? '− ' : i ? '+ ' : '') + (p.kind === 'text' ? p.value : text('picture').toLowerCase())).join(' ');

// A link to what these parameters of the address mean, which is shown without loading the page anew.
export const link = (params, properties, ...content) => element('a', { href: '?' + params, ...properties,
  onclick: e => { if (!e.ctrlKey && !e.metaKey && !e.shiftKey) { e.preventDefault(); actions.go(params); } } }, ...content);

function drawRecent() {
  const recent = readRecent();
  $('recent').hidden = !recent.length;
  const forget = () => { localStorage.removeItem(KEY); drawRecent(); $('text').focus(); };
  $('recent').replaceChildren(...recent.map(q => element('li', {}, link(new URLSearchParams({ q }), {}, nameOf(q)))),
    element('li', {}, element('button', { type: 'button', className: 'plain', title: text('forget_recent'), 'aria-label': text('forget_recent'), onclick: forget }, icon('close'))));
}

// ---- tiles ----

// { kind: [{ name, title, count, id, params }] }; a kind without tiles is not shown.
async function loadTiles() {
  const [facets, saved, favourites, ready, folders] = await Promise.all([request('api/v1/facets?unique=1'), savedSearches(), favouritesCover(),
    request('api/v1/ready-searches').catch(() => NONE), request('api/v1/albums')]);   // none while the collection waits for a rebuild
  const tile = name => f => ({ name: f.name, title: f.name, count: number(f.count), id: f.id, params: new URLSearchParams({ [name]: f.name }) });
  const word = s => ({ name: nameOfReady(s.name), title: s.q, count: s.more ? text('n_or_more', { n: s.count }) : number(s.count), id: s.cover?.id, params: new URLSearchParams({ q: s.q }) });
  const called = folderNames(folders.albums.map(a => a.folder));
  const album = a => ({ name: called.get(a.folder), title: shortFolder(a.folder), count: number(a.count), id: a.cover?.id, params: new URLSearchParams({ in: a.folder }) });
  const kept = saved.map(({ name, search }) => ({ name, title: name, search, params: addressOf(search), remove: () => forgetSaved(name) })).filter(t => t.params);
  if (favourites) kept.unshift({ name: text('favourites'), title: text('favourites'), count: number(favourites.total), id: favourites.id, params: new URLSearchParams({ favourites: 1 }) });
  kinds = [['ready', ready.searches.map(word)], ['saved_searches', kept], ['albums', folders.albums.map(album)], ['cameras', facets.cameras.map(tile('camera'))], ['labels', facets.labels.map(tile('label'))]]
    .filter(([, tiles]) => tiles.length);
  clearTimeout(again);
  if ([ready, folders].some(list => list.state === 'making')) again = setTimeout(() => { staleStart(); loadStart(); }, AGAIN_MS);
}

// Folders by their own names, with those of the folders above where these do not tell them apart, or are a month or a day: "2023/06".
export function folderNames(folders) {
  const last = (folder, n) => folder.split('/').filter(Boolean).slice(-n).join('/'), named = new Map();
  for (let n = 1, left = folders; left.length; n++) {
    const count = new Map();
    for (const folder of folders) count.set(last(folder, n), (count.get(last(folder, n)) ?? 0) + 1);
    const tells = folder => last(folder, n) === last(folder, n + 1) || (count.get(last(folder, n)) === 1 && !/^\d{1,2}$/.test(last(folder, n)));
    for (const folder of left.filter(tells)) named.set(folder, last(folder, n) || folder);
    left = left.filter(folder => !tells(folder));
  }
  return named;
}

function nameOfReady(name) {
  const key = 'ready_' + name.replaceAll(' ', '_'), translated = text(key);
  return translated === key ? name : translated;
}

function drawTiles() {
  const named = name => kinds.find(([other]) => other === name), chosen = named(kind) ?? named(drawn) ?? kinds[0], tiles = chosen?.[1] ?? [];
  drawn = chosen?.[0];   // stays when another kind comes later
  const choose = name => { [kind, all] = [name, false]; localStorage.setItem('start', name); drawTiles(); $('start-kinds').querySelector('[aria-pressed=true]').focus(); };
  $('start-kinds').replaceChildren(...kinds.map(([name]) => element('button', { type: 'button', 'aria-pressed': name === chosen[0], onclick: () => choose(name) }, text(name))));
  $('start-all').hidden = tiles.length < 2;
  $('start-all').textContent = text(all ? 'show_less' : 'show_all');
  $('start-all').setAttribute('aria-expanded', all);
  strip.classList.toggle('all', all);
  strip.replaceChildren(...tiles.slice(0, all ? undefined : FEW).map(t => element('li', {}, link(t.params, { className: 'tile', title: t.title },
    cover(t), element('span', {}, t.name), t.count && element('small', {}, t.count)),
    t.remove && element('button', { type: 'button', className: 'forget', title: text('remove'), 'aria-label': `${text('remove')}: ${t.name}`, onclick: t.remove }, icon('close')))));
}

// The cover of a saved search is the first picture that it finds.
function cover(tile) {
  const img = element('img', { alt: '', loading: 'lazy', draggable: false, onerror: e => e.target.remove() });
  const show = id => { tile.id = id ?? null; if (id) img.src = thumbnail(id, 320); };
  if (tile.id) show(tile.id);
  else if (tile.search && tile.id === undefined) firstOf(tile).then(show, () => {});
  return img;
}

async function firstOf({ search, params }) {
  const answer = search.q || search.parts ? await request('api/v1/search', { method: 'POST', body: JSON.stringify({ ...search, limit: 1 }), headers: { 'Content-Type': 'application/json' } })
    : await request(`api/v1/images?${params}&limit=1`);
  return answer.results[0]?.id ?? null;
}

function forgetSaved(name) {
  ask({ title: text('forget_search', { name }), yes: text('remove') }, async () => {
    await removeSaved(name);
    staleStart();
    await loadStart();
  });
}

// The tiles are to be loaded again when they are shown.
export function staleStart() {
  loadedAt = -Infinity;
}

// `on`: the start page is shown.
export function showStart(on) {
  $('start').hidden = !on;
  if (on) drawRecent();
}

// Load the tiles, if they are shown and no longer fresh.
export async function loadStart() {
  if ($('start').hidden) return;
  if (performance.now() - loadedAt < FRESH_MS) return;
  loadedAt = performance.now();
  try {
    await loadTiles();
    const now = JSON.stringify(kinds.map(([name, tiles]) => [name, tiles.map(t => [t.name, t.count, t.id, String(t.params)])])) + document.documentElement.lang;
    if (now !== known) drawTiles();
    known = now;
  } catch {
    loadedAt = -Infinity;   // the list below says what is wrong
  }
}

// In another language.
export function redrawStart() {
  if ($('start').hidden) return;
  drawRecent();
  staleStart();
  loadStart();
}
