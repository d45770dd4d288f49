// viewer.js - shows one picture: keys, zoom, details, and a rectangle to search by.
//
// Every picture has an address, #picture=ID behind that of the results, so that Back, reloading, another tab and a shared link
// show it. The history entry has `viewer`, its index in the results, and `opened` if Back leads to the results.

import { request } from './api.js';
import { copyText } from './clipboard.js';
import { $, element } from './dom.js';
import { explain } from './explain.js';
import { shortFolder } from './filters.js';
import { bytes, clock, moment, whyFound } from './format.js';
import { countLoaded, focusHit, hitAt, reachable } from './grid.js';
import { drawSmallMap } from './map.js';
import { number, text } from './strings.js';
import { hideWords, setWords, showWords } from './words.js';
import { fit, scaled, setZoom, zoom } from './zoom.js';

const dialog = $('viewer'), stage = dialog.querySelector('.stage'), frame = $('frame'), full = $('full'), box = $('region');
const SMALLEST_PX = 8, AHEAD = 10, NEAR_KM = 10;
const SLIDE_MS = 4000;
let ahead = null;          // the picture that comes next, loading
let forward = 1;           // the direction of the last step
let slides = false, slide = null;   // the slideshow is on; its timer
let index = -1, shown = null, actions = {}, from = [0, 0], leaving = false;   // index -1: not one of the results
const zoomActions = { swipe: step, away: () => dialog.close(), draw: null };

// actions: { similar(hit), region(hit, [x,y,w,h]), add(hit), filter(name, value), needMore(),
// load(index): a promise of the picture, total(), query(): the query line, help(), map(hit), favourite(hits, on), around(hit) }
export function setViewer(given) {
  actions = given;
  setZoom(stage, frame, zoomActions);
  setWords(dialog);
  $('close').onclick = close;
  $('prev').onclick = () => step(-1);
  $('next').onclick = () => step(1);
  $('zoom-in').onclick = () => zoom(1.5);
  $('zoom-out').onclick = () => zoom(1 / 1.5);
  $('similar').onclick = () => actions.similar(current());
  $('add').onclick = () => actions.add(current());
  $('by-region').onclick = e => setDrawing(!zoomActions.draw, e.detail === 0);
  $('copy').onclick = copyPath;
  $('around').onclick = () => actions.around(current());
  $('favourite').onclick = () => actions.favourite([current()], !current().favourite);
  $('small-map').onclick = () => actions.map(current());
  $('show-info').onclick = () => $('show-info').setAttribute('aria-expanded', dialog.classList.toggle('informed'));
  dialog.addEventListener('cancel', e => {   // Escape ends what goes on first
    if (!zoomActions.draw && !slides) return;
    e.preventDefault();
    if (zoomActions.draw) setDrawing(false);
    else play(false);
  });
  dialog.addEventListener('close', onClose);
  dialog.addEventListener('keydown', onKey);
  full.onload = () => { $('preview').removeAttribute('src'); preload(); };
  $('slides').onclick = () => play(!slides);
  full.onerror = () => { if (full.hasAttribute('src')) whyNot(); if (slides) wait(); };
}

const current = () => shown;

export const pictureInAddress = () => /^#picture=([0-9a-f]{32})$/.exec(location.hash)?.[1];

export async function openViewer(at) {
  const hit = hitAt(at) ?? await actions.load(at);
  if (hit) openPicture(hit, at);
}

export function openPicture(hit, at = -1) {
  const named = pictureInAddress() !== undefined, first = !dialog.open;
  [shown, index] = [hit, at];
  history[named ? 'replaceState' : 'pushState']({ ...history.state, viewer: at, ...(named ? {} : { opened: true }) }, '', '#picture=' + hit.id);
  if (first) dialog.showModal();
  show();
  if (first) $('close').focus();
}

const close = () => dialog.close();

// Close without going back: the next history entry replaces the viewer's. Returns whether it was open.
export function hideViewer() {
  if (!dialog.open) return false;
  leaving = true;
  dialog.close();
  return true;
}

function onClose() {
  play(false);
  ahead = null;
  hideWords();
  full.removeAttribute('src');
  $('preview').removeAttribute('src');
  if (!leaving) {
    if (history.state?.opened) history.back();
    else history.replaceState({ ...history.state, viewer: undefined }, '', location.pathname + location.search);
    if (index >= 0) focusHit(index);
  }
  leaving = false;
}

async function step(by) {
  const was = index, to = index + by;
  forward = by;
  if (index < 0 || to < 0 || to >= reachable()) return;
  if (to > countLoaded() - AHEAD) actions.needMore();
  const hit = hitAt(to) ?? await actions.load(to);
  if (hit && dialog.open && index === was) openPicture(hit, to);
}

function onKey(e) {
  if (e.ctrlKey || e.metaKey || e.altKey) return;
  const does = (zoomActions.draw && boxKeys(e)) || { ArrowLeft: () => step(-1), k: () => step(-1), ArrowRight: () => step(1), j: () => step(1),
    '+': () => zoom(1.5), '=': () => zoom(1.5), '-': () => zoom(1 / 1.5), 0: () => zoom(1 / scaled()),
    f: () => { if (!$('favourite').hidden) $('favourite').click(); }, s: () => play(!slides), '?': () => actions.help(),
    '/': () => { close(); setTimeout(() => $('text').focus()); } }[e.key];
  if (does) { e.preventDefault(); does(); }
}

// The picture in the direction of the last step is loaded before it is wanted.
function preload() {
  const next = hitAt(index + forward);
  ahead = next && index >= 0 ? element('img', { src: `api/v1/images/${next.id}/view` }) : null;
  if (slides) wait();
}

// ---- the slideshow ----

// Each picture stays for SLIDE_MS once it is there; the last one ends the show.
function play(on) {
  slides = on;
  $('slides').setAttribute('aria-pressed', on);
  dialog.classList.toggle('playing', on);
  clearTimeout(slide);
  if (on && full.complete) wait();
}

function wait() {
  clearTimeout(slide);
  slide = setTimeout(() => (index >= 0 && index < reachable() - 1 ? step(1) : play(false)), SLIDE_MS);
}

// ---- the picture and its details ----

function show() {
  const hit = current();
  setDrawing(false);
  $('view-problem').hidden = true;
  fit(hit.width || 1, hit.height || 1);
  $('preview').src = `api/v1/images/${hit.id}/thumbnail?size=640`;
  for (const img of [full, $('preview')]) img.classList.remove('failed');
  full.src = `api/v1/images/${hit.id}/view`;
  full.alt = hit.name;
  $('download').href = `api/v1/images/${hit.id}/file`;
  $('position').hidden = index < 0;
  $('position').textContent = actions.total() === null ? number(index + 1) : text('picture_of', { n: index + 1, total: actions.total() });
  $('prev').disabled = index <= 0;
  $('next').disabled = index < 0 || index >= reachable() - 1;
  showWords(hit, actions.query());
  $('name').textContent = hit.name;
  showFavourite();
  $('meta').replaceChildren(...rows(hit).filter(([, value]) => value).flatMap(([key, value]) => [element('dt', {}, text(key)), element('dd', {}, ...[value].flat())]));
  $('small-map').hidden = hit.latitude === undefined;
  if (hit.latitude !== undefined) drawSmallMap($('small-map').firstElementChild, hit.latitude, hit.longitude);
}

export const showFavourite = () => $('favourite').setAttribute('aria-pressed', shown?.favourite === true);

// The picture failed to load: ask the server why.
async function whyNot() {
  const src = full.getAttribute('src');
  const answer = await fetch(src).then(r => (r.ok ? null : r.json())).catch(() => ({ noServer: true }));
  if (full.getAttribute('src') !== src) return;
  const preview = $('preview').naturalWidth > 0;   // of a picture whose disk is not there, in place of a broken one
  for (const img of [full, $('preview')]) img.classList.toggle('failed', img === full || !preview);   // no frame of a broken picture
  $('view-problem').classList.toggle('below', preview);
  $('view-problem').textContent = answer?.noServer ? text('server_gone') : preview && answer?.detail && current()?.away ? text('away_now') : text('cannot_show', { why: answer ? explain({ ...answer, message: answer.detail }) : '' });
  $('view-problem').hidden = false;
  if (answer?.noServer) actions.lost();
}

// Ask again for the picture that did not come.
export function showFailedAgain() {
  if (dialog.open && full.matches('.failed')) show();
}

const filterButton = (label, name, value) => element('button', { type: 'button', onclick: () => actions.filter(name, value) }, label);

// The button with its name in the language of the page, which the server knows; until it has said it, and where it cannot, in English.
function placeButton(hit) {
  const button = filterButton(hit.place, 'place', hit.place), language = document.documentElement.lang;
  if (language !== 'en') {
    request(`api/v1/images/${hit.id}?${new URLSearchParams({ language })}`).then(({ place = hit.place }) => {
      button.replaceChildren(place);
      button.onclick = () => actions.filter('place', place);
    }).catch(() => {});
  }
  return button;
}

function rows(hit) {
  const place = hit.latitude !== undefined && `${hit.latitude.toFixed(5)}, ${hit.longitude.toFixed(5)}`;
  return [
    ['score', document.body.classList.contains('scored') && hit.score?.toFixed(4)], ['found_by_words', whyFound(hit)], ['path', hit.path], ['folder', filterButton(shortFolder(hit.folder), 'in', hit.folder)],
    ['dimensions', `${number(hit.width)} × ${number(hit.height)}, ${hit.format.toUpperCase()}`], ['size', bytes(hit.size)],
    ['taken', hit.taken_at_source !== 'file_time' && clock(hit.taken_at)], ['title', hit.title], ['description', hit.description],
    ['keywords', hit.keywords?.join(', ')], ['rating', hit.rating === undefined ? null : hit.rating < 0 ? '✕' : '★'.repeat(hit.rating) || '0'], ['changed', moment(hit.mtime)],
    ['camera', hit.camera && filterButton(hit.camera, 'camera', hit.camera)], ['lens', hit.lens],
    ['place', hit.place && placeButton(hit)], ['position', place && [place + ' ', filterButton(text('near_here'), 'near', `${hit.latitude},${hit.longitude},${NEAR_KM}`)]],
    ['key', hit.key], ['labels', hit.labels?.map(l => filterButton(l, 'label', l))], ['copies', hit.copies ? number(hit.copies) : null],
    ['companion', hit.raw ?? hit.companion], ['state', [hit.damaged && text('damaged'), hit.away && text('away')].filter(Boolean).join('; ')],
  ];
}

async function copyPath() {
  const label = $('copy').querySelector('span');
  await copyText(current().path, dialog);
  label.textContent = text('copied');
  setTimeout(() => { label.textContent = text('copy_path'); }, 1500);
}

// ---- a rectangle to search by, in pixels of the frame before it is scaled ----

function setDrawing(on, byKeys = false) {
  zoomActions.draw = on ? { begin: beginBox, move: drawBox, end: finishBox } : null;
  $('by-region').setAttribute('aria-pressed', on);
  stage.classList.toggle('drawing', on);
  $('hint').hidden = !on;
  box.hidden = true;
  if (on && byKeys) placeBox(frame.offsetWidth / 4, frame.offsetHeight / 4, frame.offsetWidth / 2, frame.offsetHeight / 2);
}

function placeBox(x, y, w, h) {
  const W = frame.offsetWidth, H = frame.offsetHeight;
  w = Math.min(W, Math.max(4, w));
  h = Math.min(H, Math.max(4, h));
  Object.assign(box.style, { left: Math.min(W - w, Math.max(0, x)) + 'px', top: Math.min(H - h, Math.max(0, y)) + 'px', width: w + 'px', height: h + 'px' });
  box.hidden = false;
}

const placeOfBox = () => ['left', 'top', 'width', 'height'].map(side => parseFloat(box.style[side]));

// Arrow keys move the rectangle, with Shift they resize it; Enter searches.
function boxKeys(e) {
  if (box.hidden) return null;
  const [x, y, w, h] = placeOfBox(), dx = frame.offsetWidth / 40, dy = frame.offsetHeight / 40;
  const way = { ArrowLeft: [-dx, 0], ArrowRight: [dx, 0], ArrowUp: [0, -dy], ArrowDown: [0, dy] }[e.key];
  if (way) return () => (e.shiftKey ? placeBox(x, y, w + way[0], h + way[1]) : placeBox(x + way[0], y + way[1], w, h));
  return e.key === 'Enter' ? searchBox : null;
}

function onFrame(x, y) {
  const r = frame.getBoundingClientRect();
  return [Math.min(r.width, Math.max(0, x - r.left)) / scaled(), Math.min(r.height, Math.max(0, y - r.top)) / scaled()];
}

function beginBox(x, y) {
  from = onFrame(x, y);
  box.hidden = true;
}

function drawBox(x, y) {
  const to = onFrame(x, y);
  placeBox(Math.min(from[0], to[0]), Math.min(from[1], to[1]), Math.abs(to[0] - from[0]), Math.abs(to[1] - from[1]));
}

function finishBox(x, y) {
  drawBox(x, y);
  searchBox();
}

// Convert from the frame to pixels of the stored picture, upright.
function searchBox() {
  const hit = current(), by = hit.width / frame.offsetWidth, [x, y, w, h] = placeOfBox().map(v => Math.round(v * by));
  const region = [x, y, Math.min(w, hit.width - x), Math.min(h, hit.height - y)];
  if (region[2] < SMALLEST_PX || region[3] < SMALLEST_PX) {
    box.hidden = true;
    return;
  }
  setDrawing(false);
  actions.region(hit, region);
}
