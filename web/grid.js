// grid.js - the pictures: a ranking, or the library, of which only a part is loaded.
//
// Rows are laid out before their pictures are loaded (layout.js), and nothing moves later. Only rows near the window have
// elements: 100,000 pictures cost as much as 100. In the library a picture whose record is not there yet is a blank tile,
// and `actions.want` asks for those near the window.
//
// A ranking has three groups, which the response names: best, maybe and far. A heading is above each.
//
// One picture of the grid is in the tab order (`active`); arrow keys, j and k move it.

import { originalFile, thumbnail } from './api.js';
import { $, element, icon } from './dom.js';
import { whyFound } from './format.js';
import { addHeading, bottom, GAP, layRun, layTiles, rowAt } from './layout.js';
import { text } from './strings.js';
import { dropThumb, loadThumbs, moveView, thumbsShown, wantThumb, watchThumb } from './thumbs.js';

const SETTLED_MS = 70, FRAME_MS = 16, FAST = 5;   // windows in a second, from which on pictures pass unseen
const AHEAD = 100;            // pictures whose records are loaded before their tiles come
const BEST = 0, MAYBE = 1, FAR = 2, GROUPS = [BEST, MAYBE, FAR];
const HEADINGS = { [BEST]: 'best_heading', [MAYBE]: 'maybe_heading', [FAR]: 'far_heading' };
const NAMED = { best: BEST, maybe: MAYBE, far: FAR };
const grid = $('grid');
const shown = new Map();      // index -> li
const headings = new Map();   // row -> li
const blanks = new Set();     // indexes of those shown whose record is not there yet
let hits = [], rows = [], complete = false, borders = null, farHidden = true;
let sections = null;          // of the library, see layTiles; null: a ranking
let active = 0, settle = null, width = 0, filling = 0;
let scrolled = { y: 0, ms: 0, down: 0 };   // by the last scroll event
let around = 1;                            // how many heights of the window above and below it have elements
let near = { first: 0, end: 0 };           // the pictures that have elements
let place = { top: 0, head: 0, height: 0 };   // the top of the grid in the window, what the search covers of it, its height; when they were read
let actions = {};             // { open(index), click(index, event), similar(hit), unfold(hit), toggleFar(), want(from, to), laid(), chosen(hit),
                              //   choose(index), extend(index, from), lost() }

export function setGrid(given) {
  actions = given;
  width = grid.clientWidth;
  new ResizeObserver(() => {
    if (grid.clientWidth !== width) { width = grid.clientWidth; layAll(); }
  }).observe(grid);
  addEventListener('scroll', onScroll, { passive: true });
  addEventListener('resize', () => render());
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

export const hitAt = index => hits[index];
export const countLoaded = () => hits.length;   // in the library: all
export const findHit = id => hits.findIndex(h => h?.id === id);

// null: the hits have no groups. A near-duplicate is in the group of the hit that it was folded into. What has the words is among
// the best, whatever its score.
const groupOf = hit => {
  const { group, score, found_by: by } = hit.of ?? hit;
  if (!borders) return NAMED[group] ?? null;
  if (by === 'words' || by === 'both') return BEST;
  return score < borders.line ? FAR : borders.best !== null && score < borders.best ? MAYBE : BEST;
};
const isFar = hit => groupOf(hit) === FAR;
export const farIsHidden = () => farHidden && !sections && hits.length > 0 && isFar(hits.at(-1));

const startOf = group => { const at = hits.findIndex(h => (groupOf(h) ?? BEST) >= group); return at < 0 ? hits.length : at; };
// How many hits can be reached: not those that are folded away.
export const reachable = () => (farHidden && !sections ? startOf(FAR) : hits.length);
const endOf = group => (group === FAR ? hits.length : startOf(group + 1));

// How many loaded hits are best ones, and how many are not far; null where the hits have no groups.
export const countHits = () => (hits.length && !sections && groupOf(hits[0]) !== null ? { best: endOf(BEST), near: endOf(MAYBE) } : null);

export function clearGrid() {
  hits = [];
  sections = null;
  active = scrolled.down = 0;
  if (rows.length || shown.size) layAll();
}

// `total` pictures in sections (layTiles), of which these are the first records; fillHits brings the others.
export function showLibrary(total, given, records) {
  hits = new Array(total);
  records.slice(0, total).forEach((hit, index) => { hits[index] = hit; });
  sections = given;
  active = scrolled.down = 0;
  actions.years?.(new Set(given.map(s => s.year)).size > 1);   // which take room, and must not come later
  width = grid.clientWidth;
  layAll();
}

// The records of the library from `from` on; null: they may be forgotten.
export function fillHits(from, records, count = records.length) {
  for (let k = 0; k < count; k++) {
    if (records) hits[from + k] = records[k];
    else if (!shown.has(from + k)) delete hits[from + k];
  }
  if (!filling) filling = requestAnimationFrame(fillBlanks);
}

// Within a frame: what changes between frames would have to be laid out when the next scroll event asks where the grid is.
function fillBlanks() {
  filling = 0;
  for (const index of [...blanks]) if (hits[index]) showAgain(index, shown.get(index));
  loadShown();
}

// { best, line }: the scores from which on a hit is a best one (null: none is), and not far, if the line was moved;
// null: the groups of the response.
export function setBorders(given, hideFar) {
  borders = given;
  farHidden = hideFar;
  if (hits.length) layAll();
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

// First what the window shows, the tiles around it when that is there.
function layAll() {
  rows = [];
  around = 0;
  lay(0);
  const mine = rows;
  thumbsShown().then(() => { if (mine === rows && !around) { around = 1; render(); } });
}

// Lay out the hits from `from` on, and the row before them again, which may not be full.
function lay(from) {
  while (rows.length && (rows.at(-1).heading !== undefined || rows.at(-1).to > from || rows.at(-1).open)) {
    const row = rows.pop();
    if (row.heading === undefined) from = Math.min(from, row.from);
  }
  const focused = document.activeElement?.closest?.('.hit'), part = '.' + document.activeElement?.className.split(' ')[0];
  for (const [index, li] of shown) if (index >= from) drop(index, li);
  if (sections) rows = layTiles(sections, width);
  else for (const group of GROUPS) layGroup(group, from);
  grid.style.height = Math.max(0, bottom(rows) - GAP) + 'px';
  render();
  if (focused && !focused.isConnected) shown.get(+focused.dataset.index)?.querySelector(part)?.focus({ preventScroll: true });
  actions.laid?.();
}

function layGroup(group, from) {
  const start = startOf(group), end = endOf(group), heading = text(HEADINGS[group]);
  if (start === end || end <= from) return;
  if (groupOf(hits[start]) !== null && !rows.some(r => r.heading === heading)) addHeading(rows, heading, group === FAR);
  if (group !== FAR || !farHidden) layRun(rows, hits, Math.max(from, start), end, width, complete || end < hits.length);
}

// The row that shows a picture; null where it is folded away.
function rowOf(index) {
  let low = 0, high = rows.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const row = rows[middle].heading === undefined ? rows[middle] : rows[middle + 1];   // behind a heading there are pictures, but not below the last
    if (!row || row.from === undefined || row.from > index) high = middle - 1;
    else if (row.to <= index) low = middle + 1;
    else return row;
  }
  return null;
}

// The pictures in a rectangle of the grid, in pixels.
export function hitsWithin(left, top, right, bottom) {
  const found = [];
  for (let at = rowAt(rows, top); at < rows.length && rows[at].top < bottom; at++) {
    const row = rows[at];
    for (let i = row.from; row.heading === undefined && i < row.to; i++)
      if (row.x[i - row.from] < right && row.x[i - row.from] + row.widths[i - row.from] > left) found.push(i);
  }
  return found;
}

// Where each month of the timeline is: [{ heading, year, top }], and the height of all.
export const marks = () => (sections ? rows.filter(r => r.year) : []);
export const gridHeight = () => bottom(rows);
export const scrollToTop = top => scrollTo(0, scrollY + gridTop() + top - document.querySelector('.top').offsetHeight);

// ---- elements ----

const gridTop = () => grid.getBoundingClientRect().top;

// Reads what a change of the elements makes costly to read: once, before it.
function readPlace() {
  place = { top: gridTop(), head: document.querySelector('.top').offsetHeight, height: innerHeight };
}

// As it was when the grid was last drawn or scrolled.
export const placeInWindow = () => place;

function onScroll() {
  const now = performance.now(), by = scrollY - scrolled.y, seconds = Math.max(now - scrolled.ms, FRAME_MS) / 1000;
  scrolled = { y: scrolled.y + by, ms: now, down: Math.sign(by) };
  around = 1;
  const windows = Math.abs(by) / innerHeight, fast = windows > 1 || windows / seconds > FAST;
  render(!fast);
  clearTimeout(settle);
  settle = setTimeout(loadShown, SETTLED_MS);
}

// Create elements for the rows in the window and around it, remove the others; `load` what is new.
function render(load = true) {
  readPlace();
  const from = -place.top - around * place.height, to = from + (1 + 2 * around) * place.height, focused = document.activeElement?.closest?.('.hit'), visible = [];
  moveView(place.head - place.top, place.height - place.top);
  for (let at = rowAt(rows, from); at < rows.length && rows[at].top < to; at++) visible.push(rows[at]);
  const pictures = visible.filter(r => r.heading === undefined), first = pictures[0]?.from ?? 0, end = pictures.at(-1)?.to ?? 0;
  near = { first, end };
  for (const [index, li] of shown)
    if ((index < first || index >= end) && li !== focused) drop(index, li);
  for (const row of pictures)
    for (let i = row.from; i < row.to; i++) if (!shown.has(i)) showItem(row, i);
  showHeadings(visible.filter(r => r.heading !== undefined));
  if (load) loadShown();
  if (!shown.has(active)) setActive(pictures.find(r => r.top + r.height > -place.top)?.from ?? first);
}

function drop(index, li) {
  const img = li.querySelector('img');
  if (img) dropThumb(img);
  li.remove();
  shown.delete(index);
  blanks.delete(index);
}

// The tile behind a place; null: it is the last.
function after(index) {
  let next = Infinity;
  for (const i of shown.keys()) if (i > index && i < next) next = i;
  return shown.get(next) ?? null;
}

// Tiles never move: left and top cost less than a transform of each.
function showItem(row, index) {
  const hit = hits[index], li = hit ? makeItem(hit, index) : makeBlank(index), k = index - row.from, side = Math.max(row.widths[k], row.height);
  Object.assign(li.style, { left: row.x[k] + 'px', top: row.top + 'px', width: row.widths[k] + 'px', height: row.height + 'px' });
  grid.insertBefore(li, after(index));
  shown.set(index, li);
  if (hit) wantThumb(li.querySelector('img'), thumbnail(hit.id, side * devicePixelRatio > 420 ? 640 : 320), row.top, row.top + row.height);
  else blanks.add(index);
}

// Make a tile anew from what is known of its picture now.
function showAgain(index, li) {
  const focused = li.contains(document.activeElement);
  drop(index, li);
  showItem(rowOf(index), index);
  if (focused) shown.get(index).querySelector('.open').focus({ preventScroll: true });
}

// Load what is near the window: thumbnails, and in the library the records of the blank tiles, and of those that come next.
function loadShown() {
  loadThumbs();
  if (!sections || near.end === near.first) return;
  const before = scrolled.down < 0 ? AHEAD : 0, behind = scrolled.down > 0 ? AHEAD : 0;
  actions.want(Math.max(0, near.first - before), Math.min(hits.length, near.end + behind));
}

function showHeadings(wanted) {
  for (const [row, li] of headings)
    if (!wanted.includes(row)) { li.remove(); headings.delete(row); }
  for (const row of wanted) {
    if (headings.has(row)) continue;
    const li = element('li', { className: row.far ? 'divide quiet' : 'divide' }, element('h2', {}, row.heading),
      row.far && element('button', { type: 'button', 'aria-expanded': !farHidden, onclick: actions.toggleFar }, text(farHidden ? 'show_far' : 'hide_far')));
    Object.assign(li.style, { top: row.top + 'px', height: row.height + 'px' });
    const next = rows[rowAt(rows, row.top) + 1];
    grid.insertBefore(li, next ? after(next.from - 1) : null);
    headings.set(row, li);
  }
}

// A picture of the library whose record is not there yet.
const makeBlank = index => element('li', { className: 'hit blank', 'data-index': index, 'aria-posinset': index + 1, 'aria-setsize': hits.length },
  element('button', { type: 'button', className: 'open', tabIndex: index === active ? 0 : -1, 'aria-label': text('picture') + ' ' + (index + 1),
    onclick: e => actions.click(index, e), onfocus: () => setActive(index) }));

function describe(hit) {
  const parts = [hit.name, ...(hit.labels ?? [])];
  if (hit.score !== undefined && document.body.classList.contains('scored')) parts.push(hit.score.toFixed(3));
  if (whyFound(hit)) parts.push(text('found_in', { where: whyFound(hit) }));
  if (hit.favourite) parts.push(text('favourite'));
  if (hit.away) parts.push(text('away'));
  if (alike(hit)) parts.push(text('alike', { n: alike(hit) }));
  return parts.join(', ');
}

const alike = hit => (hit.copies || 0) + (hit.folded || 0);

function makeItem(hit, index) {
  const tabIndex = index === active ? 0 : -1;
  const img = element('img', { alt: '', decoding: 'async', draggable: false });
  const li = element('li', { className: 'hit' + (hit.of ? ' member' : '') + (actions.chosen(hit) ? ' chosen' : '') + (whyFound(hit) ? ' worded' : ''), 'data-index': index,
    'aria-posinset': index + 1, 'aria-setsize': sections ? hits.length : -1 },
    element('a', { href: '#picture=' + hit.id, className: 'open', tabIndex, title: hit.path, 'aria-label': describe(hit),
      onclick: e => actions.click(index, e), onfocus: () => setActive(index) }, img),
    element('button', { type: 'button', className: 'pick', tabIndex, title: text('choose'), 'aria-label': `${text('choose')}: ${hit.name}`,
      'aria-pressed': actions.chosen(hit), onclick: e => (e.shiftKey ? actions.extend(index) : actions.choose(index)) }),
    hit.score !== undefined && element('span', { className: 'tag score', 'aria-hidden': true }, hit.score.toFixed(3)),
    whyFound(hit) && element('span', { className: 'tag found', 'aria-hidden': true }, whyFound(hit)),
    hit.favourite && element('span', { className: 'heart', 'aria-hidden': true }, icon('heart')),
    hit.away && element('span', { className: 'away', 'aria-hidden': true, title: text('away') }, icon('away')),
    element('button', { type: 'button', className: 'like', tabIndex, title: text('more_like_this'),
      'aria-label': `${text('more_like_this')}: ${hit.name}`, onclick: () => actions.similar(hit) }));
  if (alike(hit))
    li.append(element('button', { type: 'button', className: 'stack', tabIndex, title: text('alike', { n: alike(hit) }),
      'aria-label': `+${alike(hit)}: ${text('alike', { n: alike(hit) })}, ${hit.name}`, 'aria-expanded': !!hit.unfolded,
      onclick: () => toggleGroup(hit) }, '+' + alike(hit)));
  img.onerror = () => { li.classList.add('gone'); actions.lost?.(); };
  watchThumb(img);
  return li;
}

// Draw these pictures again: their marks are others now.
export function redrawHits(changed) {
  for (const [index, li] of [...shown]) {
    if (!changed.some(hit => hit.id === hits[index]?.id)) continue;
    showAgain(index, li);
  }
  loadShown();
}

// Ask again for the thumbnails that did not come.
export function showGoneAgain() {
  for (const [index, li] of [...shown]) if (li.matches('.gone')) showAgain(index, li);
  loadShown();
}

// Show which pictures are chosen.
export function showChosen(isChosen) {
  for (const [index, li] of shown) {
    li.classList.toggle('chosen', isChosen(hits[index]));
    li.querySelector('.pick')?.setAttribute('aria-pressed', isChosen(hits[index]));
  }
}

// ---- a group of near duplicates, shown and hidden ----

async function toggleGroup(hit) {
  const members = hit.unfolded ? [] : (await actions.unfold(hit)).map(m => ({ ...m, of: hit, score: undefined }));
  if (!sections) hits = hits.filter(h => h.of !== hit);
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
  around = 1;
  render();
  shown.get(index)?.querySelector(part)?.focus({ preventScroll: true });
}

function inRow(by) {
  const from = rowOf(active), flat = rows.filter(r => r.heading === undefined), to = flat[flat.indexOf(from) + by];
  if (!from || !to) return active;
  const middle = from.x[active - from.from] + from.widths[active - from.from] / 2;
  const nearest = to.x.slice(0, to.to - to.from).map((x, k) => Math.abs(x + to.widths[k] / 2 - middle));
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
  if (e.key === 'x') {
    actions.choose(active);
    return;
  }
  const to = { ArrowRight: () => active + 1, ArrowLeft: () => active - 1, ArrowDown: () => inRow(1), ArrowUp: () => inRow(-1),
               Home: () => 0, End: () => reachable() - 1 }[e.key]?.();
  if (to === undefined) return;
  e.preventDefault();
  const from = active, reached = Math.min(reachable() - 1, Math.max(0, to));
  focusHit(reached);
  if (e.shiftKey) actions.extend(reached, from);
}
