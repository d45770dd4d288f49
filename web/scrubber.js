// scrubber.js - the years of the timeline beside the window: a click goes to a year, dragging goes anywhere, a line shows where one is.

import { $, element } from './dom.js';
import { gridHeight, marks, placeInWindow, scrollToTop } from './grid.js';

const rail = $('scrubber'), bubble = $('scrubber-bubble'), here = element('i', { id: 'scrubber-here', ariaHidden: 'true' }), APART_PX = 24, AROUND_PX = 100;   // above and below the rail: app.css
let dragging = false, all = [], height = 0, shownYear = null;   // height: of the rail

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
}

// Say which month is at the pointer; the place there.
function tell(e) {
  const { top, height } = rail.getBoundingClientRect(), to = Math.min(1, Math.max(0, (e.clientY - top) / height)) * gridHeight();
  bubble.textContent = all.findLast(m => m.top <= to)?.heading ?? '';
  bubble.style.top = Math.min(innerHeight - 40, Math.max(0, e.clientY - 16)) + 'px';
  bubble.hidden = false;
  return to;
}

const drag = e => scrollToTop(tell(e));

// The years that have room, those with most pictures first.
function withRoom(years, y) {
  const size = new Map(years.map((m, i) => [m, (years[i + 1]?.top ?? gridHeight()) - m.top])), chosen = [];
  for (const m of years.toSorted((a, b) => size.get(b) - size.get(a)))
    if (chosen.every(other => Math.abs(y(other) - y(m)) >= APART_PX)) chosen.push(m);
  return years.filter(m => chosen.includes(m));
}

// Room for the years beside the grid, or not.
export function makeRoom(on) {
  rail.hidden = !on;
  document.body.classList.toggle('scrubbed', on);
}

// Draw the years anew, after the grid was laid out.
export function drawScrubber() {
  all = marks();
  const years = all.filter((m, i) => m.year !== all[i - 1]?.year);
  makeRoom(years.length > 1);
  [height, shownYear] = [placeInWindow().height - AROUND_PX, null];
  const shown = withRoom(years, m => m.top / gridHeight() * height);
  rail.replaceChildren(...shown.map(({ year, top }) =>
    element('button', { type: 'button', 'data-year': year, onclick: e => { if (e.detail === 0) scrollToTop(top); } }, year)), here);
  shown.forEach((m, i) => { rail.children[i].style.top = m.top / gridHeight() * 100 + '%'; });
  showYear();
}

// The grid has looked where it is when this is called: asking again would lay out the page a second time.
function showYear() {
  if (rail.hidden) return;
  const { top, head } = placeInWindow(), at = head + 8 - top, year = (all.findLast(m => m.top <= at) ?? all[0])?.year;
  here.style.transform = `translateY(${Math.round(Math.min(1, Math.max(0, at / gridHeight())) * height)}px)`;
  if (year === shownYear) return;
  shownYear = year;
  for (const button of rail.querySelectorAll('button')) {
    if (button.dataset.year === year) button.setAttribute('aria-current', 'true');
    else button.removeAttribute('aria-current');
  }
}
