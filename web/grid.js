// grid.js - a justified grid: rows of nearly equal height that fill the width, in the order of rank.
//
// Sizes come with the answer, so every row has its place before a picture is loaded and nothing
// jumps. Only rows near the window have elements: 10,000 hits cost what 100 do.
//
//     rows    [{ top, height, from, to, x: [..], widths: [..] } | { top, height, divide: true }]
//
// One picture of the grid is in the tab order (`active`); arrow keys, j and k move it.

import { thumbnail } from './api.js';
import { $, element, icon } from './dom.js';
import { text } from './strings.js';

const GAP = 6, DIVIDER_HEIGHT = 48, NEARLY_A_ROW = 0.75, EVEN_ROWS = 3, SETTLED_MS = 70;
const grid = $('grid');
const shown = new Map();   // index -> li
let hits = [], rows = [], complete = false, line = null, restHidden = false, divider = null;
let active = 0, scrolledAt = 0, settle = null, width = 0;
let actions = {};          // { open(index), similar(hit), unfold(hit), toggleRest() }

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
    if (hit) e.dataTransfer.setData('application/x-scry-picture', hit.id);
  });
}

export const allHits = () => hits;
export const isRest = hit => line !== null && hit.score !== undefined && hit.score < line;
export const hitsAbove = () => { const at = hits.findIndex(isRest); return at < 0 ? hits.length : at; };

export function clearGrid() {
  hits = [];
  active = 0;
  layAll();
}

export function setLine(value, hideRest) {
  line = value;
  restHidden = hideRest;
  layAll();
}

// `last`: nothing follows these.
export function addHits(more, last) {
  const from = hits.length;
  hits.push(...more);
  complete = last;
  lay(from);
}

export const redraw = () => layAll();

// ---- where everything goes ----

function layAll() {
  rows = [];
  lay(0);
}

// Lay out the hits from `from` on; the last row before them is made anew, since it may not be full.
function lay(from) {
  while (rows.length && (rows.at(-1).divide || rows.at(-1).to > from || rows.at(-1).open)) {
    const row = rows.pop();
    if (!row.divide) from = Math.min(from, row.from);
  }
  const focused = document.activeElement?.closest?.('.hit'), part = '.' + document.activeElement?.className;
  for (const [index, li] of shown) if (index >= from) { drop(li); shown.delete(index); }
  const above = hitsAbove();
  if (from < above) layRun(from, above, complete || above < hits.length);
  if (above < hits.length) {
    if (!rows.some(r => r.divide)) rows.push({ top: bottom(), height: DIVIDER_HEIGHT, divide: true });
    if (!restHidden) layRun(Math.max(from, above), hits.length, complete);
  }
  grid.style.height = Math.max(0, bottom() - GAP) + 'px';
  render();
  if (focused && !focused.isConnected) shown.get(+focused.dataset.index)?.querySelector(part)?.focus({ preventScroll: true });
}

const bottom = () => (rows.length ? rows.at(-1).top + rows.at(-1).height + (rows.at(-1).divide ? 0 : GAP) : 0);

const sumOf = (from, to) => hits.slice(from, to).reduce((sum, hit) => sum + aspect(hit), 0);
const heightOf = (from, to) => (width - GAP * (to - from - 1)) / sumOf(from, to);

// Rows one after the other, each cut where its height is nearest to the wanted one; the last few
// of a run that ends share evenly what is left, so that no picture is alone in a row.
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

// ---- what has elements ----

const gridTop = () => grid.getBoundingClientRect().top;
const rowOf = index => rows.find(r => !r.divide && r.from <= index && index < r.to);

function onScroll() {
  render();
  clearTimeout(settle);
  settle = setTimeout(loadShown, SETTLED_MS);
}

// Make the elements of the rows within a window's height of the window, drop the others.
function render() {
  const from = -gridTop() - innerHeight, to = from + 3 * innerHeight, focused = document.activeElement?.closest?.('.hit');
  const jumped = Math.abs(scrollY - scrolledAt) > innerHeight;
  scrolledAt = scrollY;
  const visible = rows.filter(r => r.top < to && r.top + r.height > from);
  const wanted = new Set(visible.flatMap(r => (r.divide ? [] : Array.from(r.x, (_, k) => r.from + k))));
  for (const [index, li] of shown)
    if (!wanted.has(index) && li !== focused) { drop(li); shown.delete(index); }
  for (const row of visible) if (!row.divide) showRow(row);
  showDivider(visible.find(r => r.divide));
  if (!jumped) loadShown();
  if (!shown.has(active)) setActive(visible.find(r => !r.divide && r.top + r.height > -gridTop())?.from ?? 0);
}

function drop(li) {
  li.querySelector('img').removeAttribute('src');   // ends what is still loading
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

function showDivider(row) {
  divider?.remove();
  divider = null;
  if (!row) return;
  divider = element('li', { className: 'divide' }, text('divider'),
    element('button', { type: 'button', onclick: actions.toggleRest }, text(restHidden ? 'show_rest' : 'hide_rest')));
  Object.assign(divider.style, { transform: `translateY(${row.top}px)`, height: row.height + 'px' });
  grid.insertBefore(divider, after(hitsAbove() - 1));
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
  const img = element('img', { alt: '', decoding: 'async' });
  const li = element('li', { className: 'hit' + (isRest(hit) ? ' rest' : '') + (hit.leader ? ' member' : ''), 'data-index': index,
    'aria-posinset': index + 1, 'aria-setsize': -1 },
    element('button', { type: 'button', className: 'open', tabIndex, title: hit.path, 'aria-label': describe(hit),
      onclick: () => actions.open(index), onfocus: () => setActive(index) }, img),
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
  const members = hit.unfolded ? [] : (await actions.unfold(hit)).map(m => ({ ...m, leader: hit.id }));
  hits = hits.filter(h => h.leader !== hit.id);
  const at = hits.indexOf(hit);
  if (at < 0) return;   // another search came in between
  hit.unfolded = members.length > 0;
  hits.splice(at + 1, 0, ...members);
  layAll();
  focusHit(at, '.stack');
}

// ---- moving about ----

function setActive(index) {
  for (const [i, tabIndex] of [[active, -1], [index, 0]])
    for (const button of shown.get(i)?.querySelectorAll('button') ?? []) button.tabIndex = tabIndex;
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
  const flat = rows.filter(r => !r.divide), at = flat.findIndex(r => r.from <= active && active < r.to), from = flat[at], to = flat[at + by];
  if (!to) return active;
  const middle = from.x[active - from.from] + from.widths[active - from.from] / 2;
  const nearest = to.x.map((x, k) => Math.abs(x + to.widths[k] / 2 - middle));
  return to.from + nearest.indexOf(Math.min(...nearest));
}

export function moveActive(by) {
  focusHit(document.activeElement?.closest('.hit') ? Math.min(hits.length - 1, Math.max(0, active + by)) : active);
}

function onKey(e) {
  if (e.ctrlKey || e.metaKey || e.altKey || !e.target.closest('.hit')) return;
  const to = { ArrowRight: () => active + 1, ArrowLeft: () => active - 1, ArrowDown: () => inRow(1), ArrowUp: () => inRow(-1),
               Home: () => 0, End: () => hits.length - 1 }[e.key]?.();
  if (to === undefined) return;
  e.preventDefault();
  focusHit(Math.min(hits.length - 1, Math.max(0, to)));
}
