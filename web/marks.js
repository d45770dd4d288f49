// marks.js - what the store keeps for the user: favourites, and searches with a name.
//
// A saved search has the JSON of POST /api/v1/search: a query line, filters as lists. The page has them as its address does.

import { request } from './api.js';
import { $ } from './dom.js';
import { explain } from './explain.js';
import { writeQuery } from './query.js';
import { text } from './strings.js';

const DAY_MS = 864e5, DAY = /^\d{4}-\d\d-\d\d$/;
const FLAGS = ['favourites'], NUMBERS = ['min_width', 'min_rating'];
let allowed = false, actions = {};

// actions: { current(): { query, filters (URLSearchParams of the API) }, saved() }
export function setMarks(given) {
  actions = given;
  $('save-search').onclick = () => { $('save-problem').textContent = ''; $('save-name').value = actions.current().query; $('save').showModal(); $('save-name').select(); };
  $('save-no').onclick = () => $('save').close();
  $('save-form').addEventListener('submit', save);
}

export const allowMarks = on => { allowed = on; };
export const marksAllowed = () => allowed;

// `on`: there is something to save.
export function showSave(on) {
  $('save-search').hidden = !allowed || !on;
  $('save-search').querySelector('span').textContent = text('save_search');
}

// ---- favourites ----

// Mark the pictures, or take the marks from them. Throws what request throws.
export async function setFavourite(pictures, on) {
  await request('api/v1/favourites', { method: 'POST', body: JSON.stringify({ ids: pictures.map(hit => hit.id), favourite: on }) });
  for (const hit of pictures) {
    if (on) hit.favourite = true;
    else delete hit.favourite;
  }
}

// ---- saved searches ----

const dayBefore = day => new Date(Date.parse(day + 'T00:00Z') - DAY_MS).toISOString().slice(0, 10);

function searchOf({ query, filters }) {
  const filter = {};
  for (const name of new Set(filters.keys())) {
    const values = filters.getAll(name);
    filter[name] = FLAGS.includes(name) ? true : NUMBERS.includes(name) ? +values[0] : values;
  }
  return { ...(query && { q: query }), ...(Object.keys(filter).length && { filter }) };
}

// The parameters of the page's address for a saved search; null: it has parts that the page cannot show.
export function addressOf({ q, parts = [], filter = {}, ...rest }) {
  if (Object.keys(rest).length || (filter.before && filter.date)) return null;
  const params = new URLSearchParams(), line = q ?? writeQuery(parts.map(({ weight = 1, text: words, id, region = null }) => (
    { sign: Math.sign(weight), weight: Math.abs(weight), kind: id ? 'id' : 'text', value: id ?? words, region })));
  if (line) params.set('q', line);
  for (const [name, value] of Object.entries(filter)) {
    for (const one of [value].flat()) {
      if (name === 'before' && DAY.test(one)) params.append('until', dayBefore(one));
      else if (name === 'before') params.append('date', `before ${one}`);
      else params.append(name, one === true ? '1' : one);
    }
  }
  return params;
}

async function save(event) {
  event.preventDefault();
  try {
    await request('api/v1/searches', { method: 'PUT', body: JSON.stringify({ name: $('save-name').value.trim(), search: searchOf(actions.current()) }) });
    $('save').close();
    $('save-search').querySelector('span').textContent = text('saved');
    actions.saved();
  } catch (e) {
    $('save-problem').textContent = explain(e);
  }
}

// [{ name, search }]; none where the store keeps no marks.
export const savedSearches = async () => (allowed ? (await request('api/v1/searches')).searches : []);
export const removeSaved = name => request('api/v1/searches?' + new URLSearchParams({ name }), { method: 'DELETE' });

// { total, id } of the favourites; null: there are none.
export async function favouritesCover() {
  if (!allowed) return null;
  const { total, results } = await request('api/v1/images?favourites=1&sort=date&unique=1&limit=1');
  return total ? { total, id: results[0].id } : null;
}
