// drag.js - choosing pictures by dragging: a long press and then over them by touch; in select mode over them by mouse; and a
// rectangle from where no picture is. At the edges of the window the page scrolls.

import { $ } from './dom.js';
import { hitsWithin } from './grid.js';

const HOLD_MS = 450, STILL_PX = 10, EDGE_PX = 56, SCROLL_PX = 12;
const grid = $('grid'), band = $('band');
let actions = {};
let start = null;        // { index (-1: no picture), touch, x, y in the window, gridX, gridY in the grid }
let dragging = false, hold = 0, frame = 0, last = [0, 0], eatClick = false;

// actions: { choosing(): select mode is on, begin(index): -1 for a rectangle, range(from, to), these(indexes), end() }
export function setDragging(given) {
  actions = given;
  const main = $('results');
  main.addEventListener('pointerdown', onDown);
  addEventListener('pointermove', onMove);
  for (const end of ['pointerup', 'pointercancel']) addEventListener(end, onUp);
  grid.addEventListener('touchmove', e => { if (dragging) e.preventDefault(); }, { passive: false });
  grid.addEventListener('contextmenu', e => { if (start?.touch) e.preventDefault(); });   // of a long press
  grid.addEventListener('dragstart', e => { if (actions.choosing()) { e.preventDefault(); e.stopImmediatePropagation(); } }, { capture: true });
  grid.addEventListener('click', e => { if (eatClick) { e.preventDefault(); e.stopPropagation(); } eatClick = false; }, { capture: true });
}

const indexAt = el => +(el?.closest?.('.hit')?.dataset.index ?? -1);

// The point in the grid below a point of the window.
function inGrid(x, y) {
  const { left, top } = grid.getBoundingClientRect();
  return [x - left, y - top];
}

function onDown(e) {
  eatClick = false;
  const hit = e.target.closest('.hit'), touch = e.pointerType === 'touch', blank = !hit && e.target.closest('#grid, #results') && !e.target.closest('button, a, input, select, label, section, .status, #notice');
  if (start) cancel();   // a second finger
  else if (e.button === 0 && e.isPrimary && (touch ? hit : (hit && actions.choosing() && !e.shiftKey) || blank)) {
    const [gridX, gridY] = inGrid(e.clientX, e.clientY);
    start = { index: indexAt(hit), touch, x: e.clientX, y: e.clientY, gridX, gridY };
    if (touch) hold = setTimeout(begin, HOLD_MS);
  }
}

function begin() {
  dragging = true;
  last = [start.x, start.y];
  eatClick = true;
  if (start.touch) navigator.vibrate?.(10);
  actions.begin(start.index);
  over();
}

function onMove(e) {
  if (!start || !e.isPrimary) return;
  last = [e.clientX, e.clientY];
  const far = Math.hypot(e.clientX - start.x, e.clientY - start.y) > STILL_PX;
  if (!dragging && far && start.touch) cancel();   // it scrolls
  else if (!dragging && far) begin();
  if (!dragging) return;
  getSelection().removeAllRanges();
  [last, frame] = [[e.clientX, e.clientY], frame || requestAnimationFrame(follow)];
}

// Once in a frame: what the pointer is over, and scrolling.
function follow() {
  frame = 0;
  if (!dragging) return;
  const y = last[1], by = y < EDGE_PX + $('search').offsetHeight ? -SCROLL_PX : y > innerHeight - EDGE_PX ? SCROLL_PX : 0, was = scrollY;
  if (by) scrollBy(0, by);
  over();
  if (by && scrollY !== was) frame = requestAnimationFrame(follow);
}

function over() {
  if (start.index < 0) {
    const [x, y] = inGrid(...last), [left, right] = [Math.min(x, start.gridX), Math.max(x, start.gridX)], [top, bottom] = [Math.min(y, start.gridY), Math.max(y, start.gridY)];
    Object.assign(band.style, { left: left + grid.offsetLeft + 'px', top: top + grid.offsetTop + 'px', width: right - left + 'px', height: bottom - top + 'px' });
    band.hidden = false;
    actions.these(hitsWithin(left, top, right, bottom));
    return;
  }
  const index = indexAt(document.elementFromPoint(...last));
  if (index >= 0) actions.range(start.index, index);
}

function onUp(e) {
  if (!start || !e.isPrimary) return;
  const was = dragging;
  cancel();
  if (was) setTimeout(() => { eatClick = false; });   // there is no click where the pointer left the picture
}

function cancel() {
  clearTimeout(hold);
  if (dragging) actions.end();
  [start, dragging, band.hidden] = [null, false, true];
}
