// library.js - the pictures without a query: a sorted list, of which the pages near the window are loaded.
//
// The order by date is a timeline with a heading for each month. Its days, and the total of the other orders, come first, so that
// the place of every picture is known and any part of the list can be shown at once.

import { request } from './api.js';
import { fillHits, findHit, hitAt, showLibrary } from './grid.js';
import { capital, format } from './strings.js';

const CHUNK = 100, KEPT = 60, MOST_OF_A_DAY = 2000, AGAIN_MS = 2000;

let list = null;   // { params, total, days, chunks: number -> { loading, done, used }, failed, changed }; null: a ranking is shown
let uses = 0;

const address = (of, number) => `api/v1/images?${of.params}&offset=${number * CHUNK}&limit=${CHUNK}`;

// The paths of the requests that readLibrary makes: the first page, and for the order by date the days.
export const firstRequests = params => [address({ params }, 0), ...(params.get('sort') === 'date' ? ['api/v1/timeline?' + params] : [])];

const monthName = key => capital(format('DateTimeFormat', { month: 'long', year: 'numeric' }).format(new Date(+key.slice(0, 4), key.slice(5, 7) - 1, 15)));

function monthsOf(days) {
  const months = [];
  for (const { day, count, offset } of days) {
    const key = day.slice(0, 7);
    if (months.at(-1)?.key === key) months.at(-1).count += count;
    else months.push({ key, year: day.slice(0, 4), from: offset, count, get heading() { return monthName(key); } });   // in the language of then
  }
  return months;
}

// The first page and what it needs; nothing is shown yet. `failed(error, again)` and `changed()`, when the list is not what it was,
// are called later. Throws what request throws.
export async function readLibrary(params, signal, failed, changed) {
  const made = { params, days: null, chunks: new Map(), failed, changed };
  const [answer, days] = await Promise.all(firstRequests(params).map(path => request(path, { signal })));
  if (days && days.total !== answer.total) return readLibrary(params, signal, failed, changed);
  return Object.assign(made, { total: answer.total, answer, days: days?.days ?? null });
}

export function openLibrary(made) {
  list = made;
  made.chunks.set(0, { loading: null, done: null, used: ++uses });
  showLibrary(made.total, made.days ? monthsOf(made.days) : [{ heading: null, from: 0, count: made.total }], made.answer.results);
  accept(made, 0, made.answer);
}

export function closeLibrary() {
  for (const { loading } of list?.chunks.values() ?? []) loading?.abort();
  list = null;
}

export const libraryTotal = () => list?.total ?? null;

function accept(of, number, answer) {
  const expected = Math.min(CHUNK, of.total - number * CHUNK);
  of.chunks.set(number, { loading: null, done: null, used: ++uses });
  fillHits(number * CHUNK, answer.results.slice(0, expected));
  if (answer.results.length !== expected) setTimeout(() => { if (of === list) of.changed(); }, AGAIN_MS);
  const old = [...of.chunks].filter(([, c]) => !c.loading).sort(([, a], [, b]) => b.used - a.used).slice(KEPT);
  for (const [n] of old) {
    fillHits(n * CHUNK, null, CHUNK);
    of.chunks.delete(n);
  }
}

async function load(of, number, loading) {
  try {
    const answer = await request(address(of, number), { signal: loading.signal });
    if (of !== list) return;
    if (answer.total === of.total) accept(of, number, answer);
    else of.changed();
  } catch (e) {
    if (of.chunks.get(number)?.loading === loading) of.chunks.delete(number);
    if (e.name !== 'AbortError' && of === list) of.failed(e, () => { if (of === list) fillHits(0, []); });   // asks again for what is shown
  }
}

function begin(number) {
  const loading = new AbortController(), chunk = { loading, used: ++uses };
  list.chunks.set(number, chunk);
  chunk.done = load(list, number, loading);
  return chunk.done;
}

// Pictures [from, to) are near the window: load them, and nothing that is far from it.
export function wantPictures(from, to) {
  if (!list) return;
  const first = Math.floor(from / CHUNK), last = Math.floor((to - 1) / CHUNK);
  for (const [number, { loading }] of list.chunks)
    if (loading && (number < first - 1 || number > last + 1)) { loading.abort(); list.chunks.delete(number); }
  for (let number = first; number <= last; number++) {
    const chunk = list.chunks.get(number);
    if (chunk) chunk.used = ++uses;
    else begin(number);
  }
}

// The record of a picture; undefined if it could not be loaded.
export async function pictureAt(index) {
  if (list && !hitAt(index)) await (list.chunks.get(Math.floor(index / CHUNK))?.done ?? begin(Math.floor(index / CHUNK)));
  return hitAt(index);
}

// The place of a picture in the timeline, by its day; -1: not found.
export async function placeOf(hit) {
  const day = list?.days?.find(d => d.day === hit.taken_at?.slice(0, 10));
  if (!day || day.count > MOST_OF_A_DAY) return -1;
  for (let at = day.offset; at < day.offset + day.count; at += CHUNK) await pictureAt(at);
  await pictureAt(day.offset + day.count - 1);
  return findHit(hit.id);
}
