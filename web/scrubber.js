// scrubber.js - the years of the timeline beside the window: a click goes to a year, dragging goes anywhere, a line shows where one is.

import { $, element } from './dom.js';
import { gridHeight, marks, scrollToTop } from './grid.js';

const rail = $('scrubber'), bubble = $('scrubber-bubble'), here = element('i', { id: 'scrubber-here', ariaHidden: 'true' }), APART_PX = 24;
let dragging = false, all = [];

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

// Draw the years anew, after the grid was laid out.
export function drawScrubber() {
  all = marks();
  const years = all.filter((m, i) => m.year !== all[i - 1]?.year);
  rail.hidden = years.length < 2;
  document.body.classList.toggle('scrubbed', !rail.hidden);
  const shown = withRoom(years, m => m.top / gridHeight() * rail.clientHeight);
  rail.replaceChildren(...shown.map(({ year, top }) =>
    element('button', { type: 'button', 'data-year': year, onclick: e => { if (e.detail === 0) scrollToTop(top); } }, year)), here);
  shown.forEach((m, i) => { rail.children[i].style.top = m.top / gridHeight() * 100 + '%'; });
  showYear();
}

function showYear() {
  if (rail.hidden) return;
  const head = document.querySelector('.top').offsetHeight + 8, at = -$('grid').getBoundingClientRect().top + head;
  const year = (all.findLast(m => m.top <= at) ?? all[0])?.year;
  here.style.top = Math.min(1, Math.max(0, at / gridHeight())) * 100 + '%';
  for (const button of rail.querySelectorAll('button')) {
    if (button.dataset.year === year) button.setAttribute('aria-current', 'true');
    else button.removeAttribute('aria-current');
  }
}
