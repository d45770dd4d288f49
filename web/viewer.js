// viewer.js - one picture, large: keys, zoom, data, and a rectangle to search by.

import { allHits, gridButton } from './grid.js';
import { number, text } from './strings.js';

const $ = id => document.getElementById(id);
const dialog = $('viewer'), stage = dialog.querySelector('.stage'), full = $('full'), regionBox = $('region');
let index = -1, scale = 1, offset = [0, 0], pointers = new Map(), drawing = false, start = null, actions = {};

export function setViewer(given) {
  actions = given;   // { similar(hit), region(hit, [x,y,w,h]), needMore() }
  $('close').onclick = () => dialog.close();
  $('prev').onclick = () => step(-1);
  $('next').onclick = () => step(1);
  $('zoom-in').onclick = () => zoom(1.5);
  $('zoom-out').onclick = () => zoom(1 / 1.5);
  $('similar').onclick = () => { const hit = current(); dialog.close(); actions.similar(hit); };
  $('by-region').onclick = () => setDrawing(!drawing);
  $('copy').onclick = copyPath;
  dialog.addEventListener('close', () => { gridButton(index)?.focus(); full.removeAttribute('src'); });
  dialog.addEventListener('keydown', onKey);
  stage.addEventListener('wheel', e => { e.preventDefault(); zoom(e.deltaY < 0 ? 1.2 : 1 / 1.2, e.clientX, e.clientY); }, { passive: false });
  stage.addEventListener('dblclick', e => zoom(scale > 1 ? 1 / scale : 2.5, e.clientX, e.clientY));
  for (const [type, f] of [['pointerdown', onDown], ['pointermove', onMove], ['pointerup', onUp], ['pointercancel', onUp]])
    stage.addEventListener(type, f);
  full.draggable = false;
}

const current = () => allHits()[index];

export function openViewer(at) {
  index = at;
  show();
  if (!dialog.open) dialog.showModal();
  $('next').focus();
}

function step(by) {
  const to = index + by;
  if (to < 0 || to >= allHits().length) return;
  index = to;
  if (to > allHits().length - 10) actions.needMore();
  show();
}

function onKey(e) {
  if (e.target.tagName === 'INPUT' || e.ctrlKey || e.metaKey || e.altKey) return;
  const does = { ArrowLeft: () => step(-1), k: () => step(-1), ArrowRight: () => step(1), j: () => step(1), '+': () => zoom(1.5), '=': () => zoom(1.5),
                 '-': () => zoom(1 / 1.5), 0: () => zoom(1 / scale), '/': () => { dialog.close(); $('text').focus(); } }[e.key];
  if (does) { e.preventDefault(); does(); }
}

function show() {
  const hit = current();
  setDrawing(false);
  scale = 1;
  offset = [0, 0];
  transform();
  full.src = `/api/v1/images/${hit.id}/view`;
  full.alt = hit.name;
  $('download').href = `/api/v1/images/${hit.id}/file`;
  const when = s => s && new Date(s).toLocaleString(document.documentElement.lang);
  const rows = [
    ['score', hit.score?.toFixed(4)], ['path', hit.path], ['dimensions', `${hit.width} × ${hit.height}, ${hit.format}`],
    ['size', number(Math.round(hit.size / 1024)) + ' KiB'], ['taken', when(hit.taken_at)], ['changed', when(hit.mtime)], ['camera', hit.camera],
    ['position', hit.latitude !== undefined && `${hit.latitude.toFixed(5)}, ${hit.longitude.toFixed(5)}`],
    ['key', hit.key], ['labels', hit.labels?.join(', ')], ['copies_long', hit.copies ? hit.copies : null],
  ];
  $('meta').replaceChildren(...rows.filter(r => r[1]).flatMap(([key, value]) => {
    const dt = document.createElement('dt'), dd = document.createElement('dd');
    dt.textContent = key === 'copies_long' ? text('copies', { n: '' }) : text(key);
    dd.textContent = value;
    return [dt, dd];
  }));
}

async function copyPath() {
  const button = $('copy');
  try {
    await navigator.clipboard.writeText(current().path);
  } catch {   // no clipboard without HTTPS: the old way
    const field = document.createElement('textarea');
    field.value = current().path;
    dialog.append(field);
    field.select();
    document.execCommand('copy');
    field.remove();
  }
  button.textContent = text('copied');
  setTimeout(() => { button.textContent = text('copy_path'); }, 1500);
}

// ---- zoom and pan ----

const transform = () => { full.style.transform = `translate(${offset[0]}px, ${offset[1]}px) scale(${scale})`; };

function zoom(by, x, y) {
  const box = full.getBoundingClientRect(), to = Math.min(20, Math.max(1, scale * by)), k = to / scale;
  const at = [(x ?? box.left + box.width / 2) - box.left, (y ?? box.top + box.height / 2) - box.top];
  offset = to === 1 ? [0, 0] : [offset[0] - at[0] * (k - 1), offset[1] - at[1] * (k - 1)];
  scale = to;
  transform();
}

// ---- pointers: pan, pinch, swipe, draw ----

function onDown(e) {
  stage.setPointerCapture(e.pointerId);
  pointers.set(e.pointerId, [e.clientX, e.clientY]);
  start = { at: [e.clientX, e.clientY], offset: [...offset], distance: pinchDistance() };
}

function pinchDistance() {
  const [a, b] = [...pointers.values()];
  return b ? Math.hypot(a[0] - b[0], a[1] - b[1]) : 0;
}

function onMove(e) {
  if (!pointers.has(e.pointerId)) return;
  pointers.set(e.pointerId, [e.clientX, e.clientY]);
  if (drawing) drawBox(e);
  else if (pointers.size === 2) {
    const distance = pinchDistance();
    if (start.distance) zoom(distance / start.distance, e.clientX, e.clientY);
    start.distance = distance;
  } else if (scale > 1) {
    offset = [start.offset[0] + e.clientX - start.at[0], start.offset[1] + e.clientY - start.at[1]];
    transform();
  }
}

function onUp(e) {
  if (!pointers.delete(e.pointerId) || !start) return;
  const dx = e.clientX - start.at[0];
  if (drawing && e.type === 'pointerup') finishBox(e);
  else if (scale === 1 && e.pointerType === 'touch' && Math.abs(dx) > 60 && pointers.size === 0) step(dx < 0 ? 1 : -1);
}

function setDrawing(on) {
  drawing = on;
  $('by-region').setAttribute('aria-pressed', on);
  stage.classList.toggle('drawing', on);
  regionBox.hidden = true;
}

function drawBox(e) {
  const box = stage.getBoundingClientRect();
  Object.assign(regionBox.style, {
    left: Math.min(e.clientX, start.at[0]) - box.left + 'px', top: Math.min(e.clientY, start.at[1]) - box.top + 'px',
    width: Math.abs(e.clientX - start.at[0]) + 'px', height: Math.abs(e.clientY - start.at[1]) + 'px',
  });
  regionBox.hidden = false;
}

// From the screen to pixels of the picture as it is stored, upright.
function finishBox(e) {
  const hit = current(), box = full.getBoundingClientRect();
  const toX = x => Math.round(Math.min(1, Math.max(0, (x - box.left) / box.width)) * hit.width);
  const toY = y => Math.round(Math.min(1, Math.max(0, (y - box.top) / box.height)) * hit.height);
  const [x0, x1] = [toX(start.at[0]), toX(e.clientX)].sort((a, b) => a - b);
  const [y0, y1] = [toY(start.at[1]), toY(e.clientY)].sort((a, b) => a - b);
  if (x1 - x0 < 8 || y1 - y0 < 8) return;
  setDrawing(false);
  dialog.close();
  actions.region(hit, [x0, y0, x1 - x0, y1 - y0]);
}
