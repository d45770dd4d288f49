// grid.js - a justified grid: rows of equal height that fill the width, in the order of rank.
//
// Sizes come with the answer, so every picture has its place before it is loaded and nothing
// jumps. A row that is not full yet is laid out again when more pictures arrive.

import { thumbnail } from './api.js';
import { text } from './strings.js';

const GAP = 6;
const grid = document.getElementById('grid');
let hits = [], line = null, openHit = () => {};
let tail = 0;          // index of the first hit of the last, unfilled row
let dividerAt = -1;    // index of the first hit below the line

const rowHeight = () => (grid.clientWidth < 520 ? 118 : 190);
const aspect = hit => Math.min(3, Math.max(0.45, hit.width / hit.height || 1));

export function setGrid(onOpen) {
  openHit = onOpen;
  let width = 0;
  new ResizeObserver(() => {
    if (grid.clientWidth !== width) { width = grid.clientWidth; layAll(); }
  }).observe(grid);
}

export const allHits = () => hits;

export function clearGrid() {
  hits = [];
  layAll();
}

export function setLine(value) {
  line = value;
  layAll();
}

export function addHits(more) {
  const from = hits.length;
  hits.push(...more);
  if (from === 0) layAll();
  else lay(tail);
}

function layAll() {
  grid.replaceChildren();
  tail = 0;
  dividerAt = -1;
  lay(0);
}

const isRest = hit => line !== null && hit.score !== undefined && hit.score < line;

function makeItem(hit, index) {
  const li = document.createElement('li'), button = document.createElement('button'), img = document.createElement('img');
  li.className = 'hit' + (isRest(hit) ? ' rest' : '');
  li.dataset.index = index;
  button.type = 'button';
  img.loading = 'lazy';
  img.decoding = 'async';
  img.alt = hit.name + (hit.labels ? ', ' + hit.labels.join(', ') : '');
  button.title = hit.path;
  button.append(img);
  button.addEventListener('click', () => openHit(index));
  li.append(button);
  if (hit.score !== undefined) li.append(tag('score', hit.score.toFixed(3)));
  const copies = (hit.copies || 0) + (hit.folded || 0);
  if (copies) {
    li.append(tag('copies', text('copies', { n: copies })));
    img.alt += ', ' + text('copies_long', { n: copies });
  }
  return li;
}

function tag(kind, content) {
  const span = document.createElement('span');
  span.className = 'tag ' + kind;
  span.textContent = content;
  return span;
}

function place(index, width, height) {
  const hit = hits[index], li = makeItem(hit, index), img = li.querySelector('img');
  li.style.width = width + 'px';
  li.style.height = height + 'px';
  li.style.containIntrinsicSize = `${width}px ${height}px`;
  img.src = thumbnail(hit.id, Math.max(width, height) * devicePixelRatio > 420 ? 640 : 320);
  grid.append(li);
}

function placeRow(from, to, height, total) {
  let left = total - GAP * (to - from - 1);
  for (let i = from; i < to; i++) {
    const width = i === to - 1 && Number.isFinite(left) ? Math.floor(left) : Math.floor(aspect(hits[i]) * height);
    place(i, width, Math.floor(height));
    left -= width;
  }
}

function divide(index) {
  const li = document.createElement('li');
  li.className = 'divide';
  li.textContent = text('divider');
  grid.append(li);
  dividerAt = index;
}

// Lay out from hit `from` on, which begins a row; its row and what follows are made anew.
function lay(from) {
  for (let last = grid.lastElementChild; last && (last.dataset.index === undefined || +last.dataset.index >= from); last = grid.lastElementChild) {
    if (last.className === 'divide' && dividerAt < from) break;
    last.remove();
  }
  if (dividerAt >= from) dividerAt = -1;
  const total = grid.clientWidth, wanted = rowHeight();
  let start = from, sum = 0;
  for (let i = from; i < hits.length; i++) {
    if (dividerAt < 0 && isRest(hits[i])) {
      if (i > start) placeRow(start, i, wanted, Infinity);
      divide(i);
      start = i;
      sum = 0;
    }
    sum += aspect(hits[i]);
    const height = (total - GAP * (i - start)) / sum;
    if (height <= wanted) {
      placeRow(start, i + 1, height, total);
      start = i + 1;
      sum = 0;
    }
  }
  tail = start;
  if (start < hits.length) placeRow(start, hits.length, wanted, Infinity);
}

// The element of a hit, to bring the focus back to.
export const gridButton = index => grid.querySelector(`[data-index="${index}"] button`);
