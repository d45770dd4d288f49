// select.js - several pictures chosen: for their paths, as parts of the query, or to search by all of them.
//
// Pictures stay chosen over searches, so that they can be gathered from several. In select mode a click chooses; Shift and a
// click choose all from the last one; x and Shift with an arrow do it by keyboard; drag.js by dragging.

import { copyText } from './clipboard.js';
import { $, element } from './dom.js';
import { hitAt, showChosen } from './grid.js';
import { text } from './strings.js';

export const MOST_PARTS = 64, MOST_CHOSEN = 1000;   // SCRY_MAX_QUERY_PARTS
const COPIED_MS = 1500;
const chosen = new Map();   // id -> the picture, in the order in which they were chosen
let mode = false, last = -1, actions = {};
let drag = null;             // { before: what was chosen, on: whether it chooses, turn }

// actions: { add(pictures), search(pictures), load(index): a promise of the picture, remove(pictures),
// favourite(pictures, on) }
export function setSelection(given) {
  actions = given;
  $('select').onclick = () => { setMode(!mode); };
  $('chosen-copy').onclick = copyPaths;
  $('chosen-add').onclick = () => actions.add([...chosen.values()]);
  $('chosen-search').onclick = () => actions.search([...chosen.values()]);
  $('chosen-zip').onclick = download;
  $('chosen-favourite').onclick = () => actions.favourite([...chosen.values()], !allFavourites());
  $('chosen-remove').onclick = () => actions.remove([...chosen.values()]);
  $('chosen-clear').onclick = clearChosen;
}

export const isChosen = hit => chosen.has(hit?.id);
export const choosing = () => mode;
export const anyChosen = () => mode || chosen.size > 0;

export function clearChosen() {
  chosen.clear();
  setMode(false);
}

function setMode(on) {
  mode = on;
  show();
}

export function show() {
  $('select').setAttribute('aria-pressed', mode);
  document.body.classList.toggle('choosing', mode || chosen.size > 0);
  $('selection').hidden = !chosen.size;
  $('chosen-count').textContent = text('n_chosen', { n: chosen.size });
  for (const id of ['chosen-add', 'chosen-search']) $(id).disabled = chosen.size > MOST_PARTS;
  $('chosen-favourite').setAttribute('aria-pressed', allFavourites());
  showChosen(isChosen);
}

const allFavourites = () => chosen.size > 0 && [...chosen.values()].every(hit => hit.favourite);

// A form, so that the browser saves the archive while it comes.
function download() {
  const form = element('form', { method: 'post', action: 'api/v1/zip', hidden: true }, element('input', { name: 'ids', value: [...chosen.keys()].join() }));
  document.body.append(form);
  form.submit();
  form.remove();
}

function set(hit, on) {
  if (!hit) return;
  if (!on) chosen.delete(hit.id);
  else if (chosen.size < MOST_CHOSEN) chosen.set(hit.id, hit);
}

export function toggle(index) {
  const hit = hitAt(index);
  set(hit, !isChosen(hit));
  last = index;
  show();
}

// Choose all from the last one, or from `from`, to `index`.
export async function extend(index, from = last) {
  const [low, high] = from < 0 ? [index, index] : [Math.min(from, index), Math.max(from, index)];
  for (let i = low; i <= high && i - low < MOST_CHOSEN; i++) set(hitAt(i) ?? await actions.load(i), true);
  last = index;
  show();
}

// ---- dragging ----

// From a picture that is chosen on, dragging takes pictures out of the choice.
export function beginDrag(index) {
  drag = { before: new Map(chosen), on: index < 0 || !isChosen(hitAt(index)), turn: 0 };
  if (index >= 0) mode = true;
  last = index;
}

export const endDrag = () => { drag = null; };

export const dragRange = (from, to) => dragOver(Array.from({ length: Math.min(MOST_CHOSEN, Math.abs(to - from) + 1) }, (_, k) => from + Math.sign(to - from) * k));

export async function dragOver(indexes) {
  const mine = drag, turn = ++mine.turn, pictures = [];
  for (const i of indexes.slice(0, MOST_CHOSEN)) pictures.push(hitAt(i) ?? await actions.load(i));
  if (turn !== mine.turn) return;   // it went on meanwhile
  chosen.clear();
  for (const hit of mine.before.values()) chosen.set(hit.id, hit);
  for (const hit of pictures) set(hit, mine.on);
  show();
}

// Pictures that were removed are no longer chosen.
export function forgetChosen(ids) {
  for (const id of ids) chosen.delete(id);
  show();
}

async function copyPaths() {
  const label = $('chosen-copy').querySelector('span');
  await copyText([...chosen.values()].map(hit => hit.path).join('\n'), $('selection'));
  label.textContent = text('copied');
  setTimeout(() => { label.textContent = text('copy_paths'); }, COPIED_MS);
}
