// scrubber.js - the years of the timeline beside the window: a click goes to a year, dragging goes anywhere.

import { $, element } from './dom.js';
import { gridHeight, marks, scrollToTop } from './grid.js';

const rail = $('scrubber'), bubble = $('scrubber-bubble'), APART_PX = 24;
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
  rail.addEventListener('pointermove', e => { if (dragging) drag(e); });
  for (const end of ['pointerup', 'pointercancel']) rail.addEventListener(end, () => { dragging = false; bubble.hidden = true; });
  addEventListener('scroll', showYear, { passive: true });
  addEventListener('resize', drawScrubber);
}

function drag(e) {
  const { top, height } = rail.getBoundingClientRect(), part = Math.min(1, Math.max(0, (e.clientY - top) / height));
  const to = part * gridHeight();
  bubble.textContent = all.findLast(m => m.top <= to)?.heading ?? '';
  bubble.style.top = Math.min(innerHeight - 40, Math.max(0, e.clientY - 16)) + 'px';
  bubble.hidden = false;
  scrollToTop(to);
}

// Draw the years anew, after the grid was laid out.
export function drawScrubber() {
  all = marks();
  const years = all.filter((m, i) => m.year !== all[i - 1]?.year);
  rail.hidden = years.length < 2;
  document.body.classList.toggle('scrubbed', !rail.hidden);
  let last = -APART_PX;
  rail.replaceChildren(...years.flatMap(({ year, top }) => {
    const y = top / gridHeight() * rail.clientHeight;
    if (y - last < APART_PX) return [];
    last = y;
    return [element('button', { type: 'button', 'data-year': year, onclick: e => { if (e.detail === 0) scrollToTop(top); } }, year)];
  }));
  for (const button of rail.children) button.style.top = years.find(m => m.year === button.dataset.year).top / gridHeight() * 100 + '%';
  showYear();
}

function showYear() {
  if (rail.hidden) return;
  const head = document.querySelector('.top').offsetHeight + 8, at = -$('grid').getBoundingClientRect().top + head;
  const year = (all.findLast(m => m.top <= at) ?? all[0])?.year;
  for (const button of rail.children) {
    if (button.dataset.year === year) button.setAttribute('aria-current', 'true');
    else button.removeAttribute('aria-current');
  }
}
