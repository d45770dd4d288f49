// scrubber.js - the years of the timeline beside the window: a click goes to a year, dragging goes anywhere, a line shows where one is.
//
// Each year has a part of the rail: the room of its name, as long as that is there for all, and a share of the rest by its pictures. So a
// year of three pictures can be reached, too. Names that have no room are left out, but never the first and the last.

import { $, element } from './dom.js';
import { gridHeight, marks, placeInWindow, scrollToTop } from './grid.js';

const rail = $('scrubber'), bubble = $('scrubber-bubble'), here = element('i', { id: 'scrubber-here', ariaHidden: 'true' }), APART_PX = 24, ABOVE_PX = 24, BELOW_PX = 16;   // of the rail: app.css
let dragging = false, all = [], years = [], height = 0, shownYear = null, head = 60;   // head: the height of the search, whose filters may be open; years: { year, top, size (in the grid), at, length (on the rail) }; height: of the rail

export function setScrubber() {
  rail.addEventListener('pointerdown', e => {
    if (e.button) return;
    dragging = true;
    rail.setPointerCapture(e.pointerId);
    const year = e.target.dataset.year;
    if (year) scrollToTop(all.find(m => m.year === year).top);
    else drag(e);
  });
  rail.addEventListener('pointermove', e => { if (dragging) drag(e); else if (e.pointerType === 'mouse') tell(e); });
  for (const end of ['pointerup', 'pointercancel', 'pointerleave']) rail.addEventListener(end, () => { dragging = false; bubble.hidden = true; });
  addEventListener('scroll', showYear, { passive: true });
  addEventListener('resize', drawScrubber);
  new ResizeObserver(([entry]) => {
    head = entry.borderBoxSize[0].blockSize;
    rail.style.top = head + ABOVE_PX + 'px';
    drawScrubber();
  }).observe(document.querySelector('.top'));
}

// Say which month is at the pointer; the place there.
function tell(e) {
  const { top, height } = rail.getBoundingClientRect(), to = placeAt(Math.min(height, Math.max(0, e.clientY - top)));
  bubble.textContent = all.findLast(m => m.top <= to)?.heading ?? '';
  bubble.style.top = Math.min(innerHeight - 40, Math.max(0, e.clientY - 16)) + 'px';
  bubble.hidden = false;
  return to;
}

const drag = e => scrollToTop(tell(e));

// Divide the rail.
function divide(firsts) {
  const total = gridHeight(), least = Math.min(APART_PX, height / firsts.length), rest = height - least * firsts.length;
  let at = 0;
  years = firsts.map(({ year, top }, i) => {
    const size = (firsts[i + 1]?.top ?? total) - top, length = least + rest * size / total, made = { year, top, size, at, length };
    at += length;
    return made;
  });
}

// A place of the grid on the rail, and back.
function onRail(to) {
  const { top, size, at, length } = years.findLast(y => y.top <= to) ?? years[0];
  return Math.max(0, at + Math.min(1, (to - top) / size) * length);
}

function placeAt(y) {
  const { top, size, at, length } = years.findLast(one => one.at <= y) ?? years[0];
  return top + Math.min(1, (y - at) / length) * size;
}

// The years whose names have room: the first and the last, then those with most pictures.
function withRoom() {
  const chosen = [];
  for (const year of new Set([years[0], years.at(-1), ...years.toSorted((a, b) => b.size - a.size)]))
    if (chosen.every(other => Math.abs(other.at - year.at) >= APART_PX - 0.5)) chosen.push(year);
  return years.filter(year => chosen.includes(year));
}

// Room for the years beside the grid, or not.
export function makeRoom(on) {
  rail.hidden = !on;
  document.body.classList.toggle('scrubbed', on);
}

// Draw the years anew, after the grid was laid out.
export function drawScrubber() {
  all = marks();
  const firsts = all.filter((m, i) => m.year !== all[i - 1]?.year);
  makeRoom(firsts.length > 1);
  if (rail.hidden) return;
  [height, shownYear] = [Math.max(1, placeInWindow().height - head - ABOVE_PX - BELOW_PX), null];
  divide(firsts);
  rail.replaceChildren(...withRoom().map(({ year, top, at }) => {
    const button = element('button', { type: 'button', 'data-year': year, onclick: e => { if (e.detail === 0) scrollToTop(top); } }, year);
    button.style.top = at + 'px';
    return button;
  }), here);
  showYear();
}

// Where in the grid one looks: below the search, and over the last window of pictures down to its end, which cannot be scrolled up there.
function looksAt() {
  const { top, head, height: window } = placeInWindow(), seen = window - head, below = top + gridHeight() - window;
  return head + 8 - top + Math.min(1, Math.max(0, 1 - below / seen)) * (seen - 8);
}

// The grid has looked where it is when this is called: asking again would lay out the page a second time.
function showYear() {
  if (rail.hidden) return;
  const at = looksAt(), year = (all.findLast(m => m.top <= at) ?? all[0])?.year;
  here.style.transform = `translateY(${Math.round(onRail(at))}px)`;
  if (year === shownYear) return;
  shownYear = year;
  for (const button of rail.querySelectorAll('button')) {
    if (button.dataset.year === year) button.setAttribute('aria-current', 'true');
    else button.removeAttribute('aria-current');
  }
}
