// map.js - where the pictures were taken: clusters on a map that zooms and moves, and a circle or what is in view as a filter.
//
// The server counts the pictures in small cells (GET /api/v1/map), all of which are loaded at once; clusters are made here for each
// zoom level. A cluster is a button. The filters on the position do not hide pictures on the map: they are the circle and the box on it.

import { request, thumbnail } from './api.js';
import { $, element } from './dom.js';
import { number, text } from './strings.js';
import { boxOnCanvas, circleOnCanvas, drawWorld, kmBetween, loadWorld, onCanvas, project, unproject } from './world.js';

const CLUSTER_PX = 68, TOUCHING_PX = 46, SMALLEST = 256, LARGEST = 2 ** 22, WORLDS_SHOWN = 1.5, LAST_LATITUDE = 85, FIT_PART = 0.75, STEP_PX = 80, TOGETHER_KM = 0.5, MOVED_PX = 4, MOVING_MS = 250;
const stage = $('map-stage'), canvas = $('map-canvas'), list = $('map-clusters');
const pointers = new Map();
const shown = new Map();     // key of a cluster -> li
let view = { x: 0.5, y: 0.42, scale: 512 }, cells = [], total = 0, clusters = [], level = null;
let world = null, loaded = null, loading = null, frame = 0, timer = 0, start = null, choosing = false, circle = null;
let actions = {};            // { near(latitude, longitude, km), inBox(west, south, east, north), circle() and box(): what those were given, or null, moved(), failed(error, again) }

export function setMap(given) {
  actions = given;
  $('map-in').onclick = () => zoomBy(2);
  $('map-out').onclick = () => zoomBy(1 / 2);
  $('map-all').onclick = fitAll;
  $('map-here').onclick = chooseHere;
  $('map-choose').onclick = () => setChoosing(!choosing);
  stage.addEventListener('keydown', onKey);
  stage.addEventListener('wheel', e => { e.preventDefault(); zoomBy(e.deltaY < 0 ? 1.25 : 0.8, ...inStage(e)); }, { passive: false });
  stage.addEventListener('dblclick', e => { if (!e.target.closest('button')) zoomBy(2, ...inStage(e)); });
  canvas.addEventListener('pointerdown', onDown);
  canvas.addEventListener('pointermove', onMove);
  for (const end of ['pointerup', 'pointercancel']) canvas.addEventListener(end, onUp);
  new ResizeObserver(draw).observe(stage);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
}

export const mapIsOpen = () => !$('map').hidden;

// LATITUDE,LONGITUDE,ZOOM, as the address has it; null: the map is closed.
export function mapPlace() {
  if (!mapIsOpen()) return null;
  const [latitude, longitude] = unproject(view.x, view.y);
  return [latitude.toFixed(4), longitude.toFixed(4), Math.log2(view.scale / 256).toFixed(2)].join(',');
}

// `place` as mapPlace gives it; null closes; '' opens with all pictures in view.
export function showMap(place) {
  const was = mapIsOpen(), at = /^(-?[\d.]+),(-?[\d.]+),([\d.]+)$/.exec(place ?? '');
  $('map').hidden = place === null;
  $('show-map').setAttribute('aria-pressed', place !== null);
  if (place === null) {
    loaded = null;
    setChoosing(false);
    return;
  }
  if (at) {
    const [x, y] = project(+at[1], +at[2]);
    setView(x, y, 256 * 2 ** at[3]);
  }
  loadWorld().then(found => { world = found; draw(); });
  if (!was) draw();
}

// The pictures that pass these filters (URLSearchParams); `fit`: bring them into view.
export async function loadMap(params, fit) {
  const key = params.toString();
  if (loaded === key && !fit) {
    draw();
    return;
  }
  loading?.abort();
  const mine = loading = new AbortController();
  try {
    const answer = await request('api/v1/map?' + params, { signal: mine.signal });
    if (mine !== loading || !mapIsOpen()) return;
    [loaded, total, level] = [key, answer.total, null];
    cells = answer.cells.map(({ latitude, longitude, count, id }) => ({ at: project(latitude, longitude), latitude, longitude, count, id }));
    if (fit) fitAll();
    else draw();
  } catch (e) {
    if (e.name !== 'AbortError' && mine === loading) actions.failed(e, () => loadMap(params, fit));
  }
}

// ---- what is in view ----

const bounded = scale => Math.min(LARGEST, Math.max(SMALLEST, stage.clientWidth / WORLDS_SHOWN, scale));

function setView(x, y, scale) {
  scale = bounded(scale);
  const half = Math.min(0.5, stage.clientHeight / 2 / scale);
  view = { x: x - Math.floor(x), y: Math.min(1 - half, Math.max(half, y)), scale };
  draw();
}

function moved() {
  clearTimeout(timer);
  timer = setTimeout(actions.moved, MOVING_MS);
}

// `px`, `py`: the point of the stage that stays where it is; default: the middle.
function zoomBy(by, px = stage.clientWidth / 2, py = stage.clientHeight / 2) {
  const [dx, dy] = [px - stage.clientWidth / 2, py - stage.clientHeight / 2], was = view.scale, to = bounded(was * by);
  setView(view.x + dx / was - dx / to, view.y + dy / was - dy / to, to);
  moved();
}

function panBy(dx, dy) {
  setView(view.x - dx / view.scale, view.y - dy / view.scale, view.scale);
  moved();
}

// Bring these cells into view. Longitudes are a circle: what is left out is the widest gap between them.
function fit(some) {
  const across = some.map(c => c.at[0]).sort((a, b) => a - b), down = some.map(c => c.at[1]);
  const gaps = across.map((x, i) => (i + 1 < across.length ? across[i + 1] : across[0] + 1) - x), widest = gaps.indexOf(Math.max(...gaps));
  const left = across[(widest + 1) % across.length], width = 1 - gaps[widest];
  const [top, bottom] = [Math.min(...down), Math.max(...down)];
  const scale = FIT_PART * Math.min(stage.clientWidth / Math.max(width, 1e-9), stage.clientHeight / Math.max(bottom - top, 1e-9), 2 ** 18 / FIT_PART);
  setView(left + width / 2, (top + bottom) / 2, scale);
  moved();
}

const fitAll = () => (cells.length ? fit(cells) : setView(0.5, 0.42, 512));

const inStage = e => { const r = stage.getBoundingClientRect(); return [e.clientX - r.left, e.clientY - r.top]; };
const onGround = (px, py) => unproject(view.x + (px - stage.clientWidth / 2) / view.scale, view.y + (py - stage.clientHeight / 2) / view.scale);

// ---- clusters ----

// The cells in squares of CLUSTER_PX, the same while the map moves: [{ key, at, count, cells }], at: the middle of its pictures.
// Neighbours that would cover each other are one.
function makeClusters() {
  const side = CLUSTER_PX / 2 ** level, found = new Map();
  for (const cell of cells) {
    const square = cell.at.map(v => Math.floor(v / side)), key = square.join();
    if (!found.has(key)) found.set(key, { key: `${level}:${key}`, square, at: [0, 0], count: 0, cells: [] });
    join(found.get(key), { at: cell.at, count: cell.count, cells: [cell] });
  }
  for (const c of [...found.values()].sort((a, b) => b.count - a.count)) {
    for (let k = 0; k < 9; k++) {
      const key = [c.square[0] + k % 3 - 1, c.square[1] + Math.floor(k / 3) - 1].join(), other = found.get(key);
      if (!other || other === c || found.get(c.square.join()) !== c || Math.max(...c.at.map((v, axis) => Math.abs(v - other.at[axis]))) > TOUCHING_PX / 2 ** level) continue;
      join(c, other);
      found.delete(key);
    }
  }
  clusters = [...found.values()];
  for (const c of clusters) c.cover = c.cells.reduce((most, cell) => (cell.count > most.count ? cell : most));
}

function join(into, more) {
  const count = into.count + more.count;
  into.at = into.at.map((v, axis) => (v * into.count + more.at[axis] * more.count) / count);
  into.count = count;
  into.cells.push(...more.cells);
}

function enter(cluster) {
  const [a] = cluster.cells, far = Math.max(...cluster.cells.map(c => kmBetween([a.latitude, a.longitude], [c.latitude, c.longitude])));
  if (cluster.cells.length > 1 && far > TOGETHER_KM && view.scale < LARGEST) {
    fit(cluster.cells);
    stage.focus({ preventScroll: true });
    return;
  }
  const [latitude, longitude] = unproject(...cluster.at);
  actions.near(latitude, longitude, Math.max(TOGETHER_KM, 2 * far));
}

function makeButton(cluster) {
  const [latitude, longitude] = unproject(...cluster.at), label = text('pictures_at', { n: cluster.count, place: `${latitude.toFixed(2)}, ${longitude.toFixed(2)}` });
  return element('li', {}, element('button', { type: 'button', title: label, 'aria-label': label, onclick: () => enter(cluster) },
    element('img', { src: thumbnail(cluster.cover.id, 160), alt: '', draggable: false, onerror: e => e.target.remove() }),
    cluster.count > 1 && element('span', {}, number(cluster.count))));
}

function showClusters() {
  const now = Math.round(Math.log2(view.scale));
  if (now !== level) {
    level = now;
    makeClusters();
    for (const li of shown.values()) li.remove();
    shown.clear();
  }
  const visible = new Set();
  for (const cluster of clusters) {
    const [x, y] = onCanvas(canvas, view, cluster.at);
    if (x < -CLUSTER_PX || y < -CLUSTER_PX || x > canvas.clientWidth + CLUSTER_PX || y > canvas.clientHeight + CLUSTER_PX) continue;
    visible.add(cluster.key);
    if (!shown.has(cluster.key)) {
      shown.set(cluster.key, makeButton(cluster));
      list.append(shown.get(cluster.key));
    }
    shown.get(cluster.key).style.transform = `translate(${Math.round(x)}px, ${Math.round(y)}px)`;
  }
  for (const [key, li] of shown) if (!visible.has(key)) { li.remove(); shown.delete(key); }
}

export function redrawMap() {
  level = null;   // the labels are in another language
  draw();
}

function draw() {
  if (!frame && mapIsOpen()) frame = requestAnimationFrame(() => { frame = 0; if (mapIsOpen()) drawNow(); });
}

function drawNow() {
  const c = drawWorld(canvas, world, view), at = circle ?? actions.circle(), box = actions.box();
  for (const points of [at && circleOnCanvas(canvas, view, at, at[2]), box && boxOnCanvas(canvas, view, box)].filter(Boolean)) {
    c.beginPath();
    for (const [x, y] of points) c.lineTo(x, y);
    c.closePath();
    [c.fillStyle, c.strokeStyle, c.lineWidth] = [getComputedStyle(canvas).getPropertyValue('--chosen'), getComputedStyle(canvas).getPropertyValue('--accent'), 2];
    c.fill();
    c.stroke();
  }
  showClusters();
  const state = loaded === null ? '' : text('n_placed', { n: total });
  if ($('map-state').textContent !== state) $('map-state').textContent = state;   // else it would be read out again
}

// ---- a circle, or what is in view, as the filter ----

function setChoosing(on) {
  choosing = on;
  circle = null;
  $('map-choose').setAttribute('aria-pressed', on);
  stage.classList.toggle('choosing', on);
}

const round = km => +km.toPrecision(3);

function chooseHere() {
  const [north, west] = onGround(0, 0), [south, east] = onGround(stage.clientWidth, stage.clientHeight), whole = stage.clientWidth >= view.scale;
  actions.inBox(whole ? -180 : west, south < -LAST_LATITUDE ? -90 : south, whole ? 180 : east, north > LAST_LATITUDE ? 90 : north);
}

// ---- pointers and keys ----

const middleOf = points => [0, 1].map(axis => points.reduce((sum, p) => sum + p[axis], 0) / points.length);
const apart = ([a, b]) => (b ? Math.hypot(a[0] - b[0], a[1] - b[1]) : 0);

function onDown(e) {
  if (e.button) return;
  canvas.setPointerCapture(e.pointerId);
  pointers.set(e.pointerId, inStage(e));
  begin();
}

function begin() {
  const points = [...pointers.values()];
  start = points.length ? { at: middleOf(points), apart: apart(points), first: start?.first ?? points[0] } : null;
}

function onMove(e) {
  if (!pointers.has(e.pointerId)) return;
  pointers.set(e.pointerId, inStage(e));
  const points = [...pointers.values()], at = middleOf(points);
  if (choosing && points.length === 1) {
    const middle = onGround(...start.first);
    circle = [...middle, round(kmBetween(middle, onGround(...at)))];
    draw();
    return;
  }
  panBy(at[0] - start.at[0], at[1] - start.at[1]);
  if (start.apart && points.length === 2) zoomBy(apart(points) / start.apart, ...at);
  begin();
}

function onUp(e) {
  if (!pointers.delete(e.pointerId)) return;
  const [px, py] = start.first, [x, y] = inStage(e), drawn = circle;
  begin();
  if (!choosing || pointers.size) return;
  setChoosing(false);
  if (e.type === 'pointerup' && drawn && Math.hypot(x - px, y - py) > MOVED_PX) actions.near(...drawn);
  else draw();
}

function onKey(e) {
  if (e.ctrlKey || e.metaKey || e.altKey) return;
  const does = { '+': () => zoomBy(2), '=': () => zoomBy(2), '-': () => zoomBy(1 / 2), 0: fitAll, ArrowLeft: () => panBy(STEP_PX, 0), ArrowRight: () => panBy(-STEP_PX, 0),
    ArrowUp: () => panBy(0, STEP_PX), ArrowDown: () => panBy(0, -STEP_PX), Escape: choosing ? () => { setChoosing(false); draw(); } : null }[e.key];
  if (!does) return;
  e.preventDefault();
  e.stopPropagation();
  does();
}

// ---- a small one, of one picture ----

const SMALL_ZOOM = 3;

export function drawSmallMap(small, latitude, longitude) {
  loadWorld().then(found => {
    if (!small.isConnected) return;
    const [x, y] = project(latitude, longitude), seen = { x, y, scale: 256 * 2 ** SMALL_ZOOM }, c = drawWorld(small, found, seen);
    c.beginPath();
    c.arc(...onCanvas(small, seen, [x, y]), 6, 0, 2 * Math.PI);
    [c.fillStyle, c.strokeStyle, c.lineWidth] = [getComputedStyle(small).getPropertyValue('--pin'), '#fff', 2];
    c.fill();
    c.stroke();
  });
}
