// grid.js - a justified grid: rows of nearly equal height that fill the width, in the order of rank.
//
// The response has the sizes, so rows are laid out before their pictures are loaded and nothing moves
// later. Only rows near the window have elements: 10,000 hits cost as much as 100.
//
//     rows    [{ top, height, from, to, x: [..], widths: [..] } | { top, height, divide: group }]
//
// A ranking has three groups, which the response names: best, maybe and far. A heading is above each.
//
// One picture of the grid is in the tab order (`active`); arrow keys, j and k move it.

import { originalFile, thumbnail } from './api.js';
import { $, element, icon } from './dom.js';
import { text } from './strings.js';

const GAP = 6, DIVIDER_HEIGHT = 48, NEARLY_A_ROW = 0.75, EVEN_ROWS = 3, SETTLED_MS = 70;
const BEST = 0, MAYBE = 1, FAR = 2, GROUPS = [BEST, MAYBE, FAR];
const HEADINGS = { [BEST]: 'best_heading', [MAYBE]: 'maybe_heading', [FAR]: 'far_heading' };
const NAMED = { best: BEST, maybe: MAYBE, far: FAR };
const grid = $('grid');
const shown = new Map();   // index -> li
let hits = [], rows = [], complete = false, borders = null, farHidden = true, dividers = [];
let active = 0, scrolledAt = 0, settle = null, width = 0;
let actions = {};          // { open(index), similar(hit), unfold(hit), toggleFar() }

const wantedHeight = () => (width < 520 ? 112 : 196);
const aspect = hit => Math.min(3, Math.max(0.45, hit.width / hit.height || 1));

export function setGrid(given) {
  actions = given;
  width = grid.clientWidth;
  new ResizeObserver(() => {
    if (grid.clientWidth !== width) { width = grid.clientWidth; layAll(); }
  }).observe(grid);
  addEventListener('scroll', onScroll, { passive: true });
  addEventListener('resize', render);
  grid.addEventListener('keydown', onKey);
  grid.addEventListener('dragstart', e => {
    const hit = hits[e.target.closest('.hit')?.dataset.index];
    if (hit) carry(e.dataTransfer, hit);
  });
}

// A picture dragged out of the window is the original file: a link to it, in Chromium the file itself.
function carry(data, hit) {
  const original = new URL(originalFile(hit.id), location.href).href;
  data.setData('application/x-scry-picture', hit.id);
  data.setData('text/uri-list', original);
  data.setData('text/plain', hit.path);
  data.setData('DownloadURL', `application/octet-stream:${hit.name}:${original}`);
  data.effectAllowed = 'copyLink';
}

export const allHits = () => hits;

// null: the hits have no groups. A near-duplicate is in the group of the hit that it was folded into. What has the words is among
// the best, whatever its score.
const groupOf = hit => {
  const { group, score, found_by: by } = hit.of ?? hit;
  if (!borders) return NAMED[group] ?? null;
  if (by === 'words' || by === 'both') return BEST;
  return score < borders.line ? FAR : borders.best !== null && score < borders.best ? MAYBE : BEST;
};
export const isFar = hit => groupOf(hit) === FAR;

const startOf = group => { const at = hits.findIndex(h => (groupOf(h) ?? BEST) >= group); return at < 0 ? hits.length : at; };
// How many hits can be reached: not those that are folded away.
export const reachable = () => (farHidden ? startOf(FAR) : hits.length);
const endOf = group => (group === FAR ? hits.length : startOf(group + 1));

// How many loaded hits are best ones, and how many are not far; null where the hits have no groups.
export const countHits = () => (hits.length && groupOf(hits[0]) !== null ? { best: endOf(BEST), near: endOf(MAYBE) } : null);

export function clearGrid() {
  hits = [];
  active = 0;
  layAll();
}

// { best, line }: the scores from which on a hit is a best one (null: none is), and not far, if the line was moved;
// null: the groups of the response.
export function setBorders(given, hideFar) {
  borders = given;
  farHidden = hideFar;
  layAll();
}

// `last`: these are the last hits.
export function addHits(more, last) {
  const from = hits.length;
  hits.push(...more);
  complete = last;
  lay(from);
}

export const redraw = () => layAll();

// ---- layout ----

function layAll() {
  rows = [];
  lay(0);
}

// Lay out the hits from `from` on, and the row before them again, which may not be full.
function lay(from) {
  while (rows.length && (rows.at(-1).divide !== undefined || rows.at(-1).to > from || rows.at(-1).open)) {
    const row = rows.pop();
    if (row.divide === undefined) from = Math.min(from, row.from);
  }
  const focused = document.activeElement?.closest?.('.hit'), part = '.' + document.activeElement?.className;
  for (const [index, li] of shown) if (index >= from) { drop(li); shown.delete(index); }
  for (const group of GROUPS) layGroup(group, from);
  grid.style.height = Math.max(0, bottom() - GAP) + 'px';
  render();
  if (focused && !focused.isConnected) shown.get(+focused.dataset.index)?.querySelector(part)?.focus({ preventScroll: true });
}

function layGroup(group, from) {
  const start = startOf(group), end = endOf(group);
  if (start === end || end <= from) return;
  if (groupOf(hits[start]) !== null && !rows.some(r => r.divide === group)) rows.push({ top: bottom(), height: DIVIDER_HEIGHT, divide: group });
  if (group !== FAR || !farHidden) layRun(Math.max(from, start), end, complete || end < hits.length);
}

const bottom = () => (rows.length ? rows.at(-1).top + rows.at(-1).height + (rows.at(-1).divide === undefined ? GAP : 0) : 0);

const sumOf = (from, to) => hits.slice(from, to).reduce((sum, hit) => sum + aspect(hit), 0);
const heightOf = (from, to) => (width - GAP * (to - from - 1)) / sumOf(from, to);

// Fill rows in order, each with the number of pictures that brings its height nearest to the wanted one. At the end
// the remaining pictures are divided evenly between the last rows, so that none is alone in a row.
function layRun(from, to, ends) {
  const wanted = wantedHeight(), rowsLeft = start => sumOf(start, to) * wanted / width;
  let start = from;
  for (let i = from, sum = 0; i < to && !(ends && i === start && to - i < 40 && rowsLeft(i) < EVEN_ROWS); i++) {
    sum += aspect(hits[i]);
    if ((width - GAP * (i - start)) / sum > wanted) continue;
    const cut = i > start && heightOf(start, i) - wanted < wanted - heightOf(start, i + 1);
    pushRow(start, cut ? i : i + 1, heightOf(start, cut ? i : i + 1));
    start = cut ? i : i + 1;
    sum = cut ? aspect(hits[i]) : 0;
  }
  if (start === to) return;
  if (!ends || rowsLeft(start) < NEARLY_A_ROW) pushRow(start, to, Math.min(wanted, heightOf(start, to)), true);
  else layEvenly(start, to, Math.max(1, Math.round(rowsLeft(start))));
}

function layEvenly(from, to, count) {
  const share = sumOf(from, to) / count;
  for (let k = 1, start = from; k <= count && start < to; k++) {
    let end = start + 1;
    while (end < to && (k === count || sumOf(from, end) + aspect(hits[end]) / 2 <= k * share)) end++;
    pushRow(start, end, heightOf(start, end), true);
    start = end;
  }
}

function pushRow(from, to, height, open = false) {
  const row = { top: bottom(), height: Math.round(height), from, to, open, x: [], widths: [] };
  let left = 0;
  for (let i = from; i < to; i++) {
    const right = Math.min(width, left + aspect(hits[i]) * height);
    row.x.push(Math.round(left));
    row.widths.push(Math.round(right) - Math.round(left));
    left = right + GAP;
  }
  rows.push(row);
}

// ---- elements ----

const gridTop = () => grid.getBoundingClientRect().top;
const rowOf = index => rows.find(r => r.divide === undefined && r.from <= index && index < r.to);

function onScroll() {
  render();
  clearTimeout(settle);
  settle = setTimeout(loadShown, SETTLED_MS);
}

// Create elements for the rows within one window height of the window, remove the others.
function render() {
  const from = -gridTop() - innerHeight, to = from + 3 * innerHeight, focused = document.activeElement?.closest?.('.hit');
  const jumped = Math.abs(scrollY - scrolledAt) > innerHeight;
  scrolledAt = scrollY;
  const visible = rows.filter(r => r.top < to && r.top + r.height > from);
  const wanted = new Set(visible.flatMap(r => (r.divide !== undefined ? [] : Array.from(r.x, (_, k) => r.from + k))));
  for (const [index, li] of shown)
    if (!wanted.has(index) && li !== focused) { drop(li); shown.delete(index); }
  for (const row of visible) if (row.divide === undefined) showRow(row);
  showDividers(visible.filter(r => r.divide !== undefined));
  if (!jumped) loadShown();
  if (!shown.has(active)) setActive(visible.find(r => r.divide === undefined && r.top + r.height > -gridTop())?.from ?? 0);
}

function drop(li) {
  li.querySelector('img').removeAttribute('src');   // cancels loading
  li.remove();
}

const after = index => [...shown].filter(([i]) => i > index).sort(([a], [b]) => a - b)[0]?.[1] ?? null;

function showRow(row) {
  for (let i = row.from; i < row.to; i++) {
    if (shown.has(i)) continue;
    const li = makeItem(hits[i], i), k = i - row.from;
    Object.assign(li.style, { transform: `translate(${row.x[k]}px, ${row.top}px)`, width: row.widths[k] + 'px', height: row.height + 'px' });
    grid.insertBefore(li, after(i));
    shown.set(i, li);
  }
}

function loadShown() {
  for (const [index, li] of shown) {
    const img = li.querySelector('img');
    if (img.hasAttribute('src')) continue;
    img.src = thumbnail(hits[index].id, Math.max(li.offsetWidth, li.offsetHeight) * devicePixelRatio > 420 ? 640 : 320);
  }
}

function showDividers(wanted) {
  for (const li of dividers) li.remove();
  dividers = wanted.map(row => {
    const far = row.divide === FAR;
    const li = element('li', { className: far ? 'divide quiet' : 'divide' }, element('h2', {}, text(HEADINGS[row.divide])),
      far && element('button', { type: 'button', 'aria-expanded': !farHidden, onclick: actions.toggleFar }, text(farHidden ? 'show_far' : 'hide_far')));
    Object.assign(li.style, { transform: `translateY(${row.top}px)`, height: row.height + 'px' });
    grid.insertBefore(li, after(startOf(row.divide) - 1));
    return li;
  });
}

function describe(hit) {
  const parts = [hit.name, ...(hit.labels ?? [])];
  if (hit.score !== undefined && document.body.classList.contains('scored')) parts.push(hit.score.toFixed(3));
  if (alike(hit)) parts.push(text('alike', { n: alike(hit) }));
  return parts.join(', ');
}

const alike = hit => (hit.copies || 0) + (hit.folded || 0);

function makeItem(hit, index) {
  const tabIndex = index === active ? 0 : -1;
  const img = element('img', { alt: '', decoding: 'async', draggable: false });
  const open = e => {
    if (e.ctrlKey || e.metaKey || e.shiftKey || e.altKey) return;   // the browser's: another tab, another window
    e.preventDefault();
    actions.open(index);
  };
  const li = element('li', { className: 'hit' + (hit.of ? ' member' : ''), 'data-index': index,
    'aria-posinset': index + 1, 'aria-setsize': -1 },
    element('a', { href: '#picture=' + hit.id, className: 'open', tabIndex, title: hit.path, 'aria-label': describe(hit),
      onclick: open, onfocus: () => setActive(index) }, img),
    hit.score !== undefined && element('span', { className: 'tag score', 'aria-hidden': true }, hit.score.toFixed(3)),
    element('button', { type: 'button', className: 'like', tabIndex, title: text('more_like_this'),
      'aria-label': `${text('more_like_this')}: ${hit.name}`, onclick: () => actions.similar(hit) }, icon('similar')));
  if (alike(hit))
    li.append(element('button', { type: 'button', className: 'stack', tabIndex, title: text('alike', { n: alike(hit) }),
      'aria-label': `+${alike(hit)}: ${text('alike', { n: alike(hit) })}, ${hit.name}`, 'aria-expanded': !!hit.unfolded,
      onclick: () => toggleGroup(hit) }, '+' + alike(hit)));
  img.onerror = () => li.classList.add('gone');
  return li;
}

// ---- a group of near duplicates, shown and hidden ----

async function toggleGroup(hit) {
  const members = hit.unfolded ? [] : (await actions.unfold(hit)).map(m => ({ ...m, of: hit, score: undefined }));
  hits = hits.filter(h => h.of !== hit);
  const at = hits.indexOf(hit);
  if (at < 0) return;   // a later search replaced it
  hit.unfolded = members.length > 0;
  hits.splice(at + 1, 0, ...members);
  layAll();
  focusHit(at, '.stack');
}

// ---- keyboard navigation ----

function setActive(index) {
  for (const [i, tabIndex] of [[active, -1], [index, 0]])
    for (const button of shown.get(i)?.querySelectorAll('a, button') ?? []) button.tabIndex = tabIndex;
  active = index;
}

// Bring a hit into view and give it the focus.
export function focusHit(index, part = '.open') {
  const row = rowOf(index);
  if (!row) return;
  const top = gridTop() + row.top, head = document.querySelector('.top').offsetHeight + GAP;
  if (top < head) scrollBy(0, top - head);
  else if (top + row.height > innerHeight) scrollBy(0, top + row.height + GAP - innerHeight);
  render();
  shown.get(index)?.querySelector(part)?.focus({ preventScroll: true });
}

function inRow(by) {
  const flat = rows.filter(r => r.divide === undefined), at = flat.findIndex(r => r.from <= active && active < r.to), from = flat[at], to = flat[at + by];
  if (!to) return active;
  const middle = from.x[active - from.from] + from.widths[active - from.from] / 2;
  const nearest = to.x.map((x, k) => Math.abs(x + to.widths[k] / 2 - middle));
  return to.from + nearest.indexOf(Math.min(...nearest));
}

export function moveActive(by) {
  focusHit(document.activeElement?.closest('.hit') ? Math.min(reachable() - 1, Math.max(0, active + by)) : active);
}

function onKey(e) {
  if (e.ctrlKey || e.metaKey || e.altKey || !e.target.closest('.hit')) return;
  if (e.key === ' ' && e.target.matches('.open')) {   // as on a button
    e.preventDefault();
    actions.open(active);
    return;
  }
  const to = { ArrowRight: () => active + 1, ArrowLeft: () => active - 1, ArrowDown: () => inRow(1), ArrowUp: () => inRow(-1),
               Home: () => 0, End: () => reachable() - 1 }[e.key]?.();
  if (to === undefined) return;
  e.preventDefault();
  focusHit(Math.min(reachable() - 1, Math.max(0, to)));
}
