// filters.js - the filters: in the form, in the address and as parameters of the API.
//
// The address and the API have the values of the form. An address may also have 'before', which has no field.
// tests/unit/test_search_request.c compares the names with the API's.

import { request } from './api.js';
import { $, element, icon } from './dom.js';
import { day, number, text } from './strings.js';

const PLAIN = ['in', 'date', 'after', 'until', 'camera', 'label', 'key', 'min_width', 'min_rating', 'keyword', 'words', 'place'], DEFAULT_KM = 10, TYPING_MS = 150;
const form = $('filters');
const isDay = value => /^\d{4}-\d\d-\d\d$/.test(value) && new Date(Date.parse(value) || 0).toISOString().startsWith(value);   // no 2023-02-30
let roots = [], favourites = false, box = '', wrongNear = '';   // a box is chosen on the map

export function setFilters(changed) {
  form.addEventListener('change', changed);
  form.addEventListener('submit', e => e.preventDefault());
  form.addEventListener('reset', () => {
    [favourites, box, wrongNear] = [false, '', ''];
    for (const field of form.querySelectorAll('input[data-type]')) field.type = field.dataset.type;
    setTimeout(changed);
  });
  form.elements.position.addEventListener('input', () => { wrongNear = ''; });
  let due;
  form.elements.place.addEventListener('focus', suggestPlaces);
  form.elements.place.addEventListener('input', () => {
    clearTimeout(due);
    due = setTimeout(suggestPlaces, TYPING_MS);
  });
}

// Where the collection's pictures were taken, of names that go on as what is typed, in the language of the page; found by another name, with that beside it.
async function suggestPlaces() {
  const field = form.elements.place, typed = field.value;
  try {
    const { places } = await request('api/v1/places?' + new URLSearchParams({ q: typed.trim(), limit: 12, language: document.documentElement.lang }));
    if (field.value === typed) $('place-names').replaceChildren(...places.map(p => new Option(`${p.matched ?? p.name} (${number(p.count)})`, p.name)));
  } catch { /* suggestions only */ }
}

export const setRoots = paths => { roots = paths; };

// "/home/me/Pictures/2024" below the root "/home/me/Pictures" is "Pictures/2024".
export function shortFolder(path) {
  const root = roots.filter(r => path === r || path.startsWith(r + '/')).sort((a, b) => b.length - a.length)[0];
  return root ? path.slice(root.lastIndexOf('/') + 1) || path : path;
}

// What is typed and no position is said to be none, and not sent; what an address has is, and the server refuses it.
function readPlace() {
  const field = form.elements.position, written = field.value.trim(), found = /^\s*(-?\d+(?:\.\d+)?)\s*[,;\s]\s*(-?\d+(?:\.\d+)?)\s*$/.exec(field.value);
  const good = found && Math.abs(found[1]) <= 90 && Math.abs(found[2]) <= 180;
  field.setCustomValidity(written && !good ? text('place_help') : '');
  if (written && !good) field.reportValidity();
  return good ? [+found[1], +found[2], +form.elements.km.value || DEFAULT_KM].join(',') : wrongNear;
}

export function readFilters() {
  const data = new FormData(form), params = new URLSearchParams(), near = readPlace();
  for (const name of PLAIN) if (data.get(name)) params.set(name, data.get(name));
  for (const format of data.getAll('format')) params.append('format', format);
  if (near) params.set('near', near);
  if (box) params.set('box', box);
  if (favourites) params.set('favourites', '1');
  return params;
}

// A field of days or numbers is one of text where the address has something else: "last summer", or what the server will refuse.
function choose(name, value) {
  const field = form.elements[name], select = field.tagName === 'SELECT';
  if (select && value && ![...field.options].some(o => o.value === value)) field.add(new Option(value, value));
  field.dataset.type ??= field.type;
  if (!select) field.type = field.dataset.type;
  field.value = value;
  if (field.value === value || select) return;
  field.type = 'text';
  field.value = value;
}

export function showFilters(params) {
  for (const name of PLAIN) choose(name, params.get(name) ?? '');
  favourites = params.get('favourites') === '1';
  box = params.get('box') ?? '';
  form.elements.key.closest('label').hidden = !params.get('key');
  const near = params.get('near') ?? '', [lat, lon, km] = near.split(',');
  form.elements.position.value = lon === undefined ? near : `${lat}, ${lon}`;
  wrongNear = near;
  form.elements.km.value = km ?? '';
  const formats = params.getAll('format');
  for (const name of formats) if (!pill(name)) $('formats').append(formatPill(name));
  for (const box of $('formats').querySelectorAll('input')) box.checked = formats.includes(box.value);
}

// Add a filter, as the details in the viewer and the map do. A place on the map takes the place of the one before.
export function addFilter(name, value) {
  const params = readFilters();
  if (name === 'near' || name === 'box') for (const other of ['near', 'box']) params.delete(other);
  params.set(name, value);
  showFilters(params);
}

const pill = name => [...$('formats').querySelectorAll('input')].find(box => box.value === name);
const formatPill = (name, count) => element('label', {}, element('input', { type: 'checkbox', name: 'format', value: name }),
  element('span', {}, name.toUpperCase() + (count ? ` ${number(count)}` : '')));

// ---- the choices ----

// All folders from the roots down, each with the number of pictures below it.
function folderTree(folders) {
  const counts = new Map();
  for (const { name, count } of folders) {
    const root = roots.find(r => name === r || name.startsWith(r + '/')) ?? name;
    for (let path = name; path.length >= root.length && path; path = path.slice(0, path.lastIndexOf('/')))
      counts.set(path, (counts.get(path) ?? 0) + count);
  }
  return [...counts].sort(([a], [b]) => a.localeCompare(b)).map(([path, count]) => {
    const depth = shortFolder(path).split('/').length - 1;
    return new Option('\u2003'.repeat(depth) + (depth ? path.slice(path.lastIndexOf('/') + 1) : shortFolder(path)) + ` (${number(count)})`, path);
  });
}

// `unique`: each picture counts once, as in the results.
export async function loadFacets(unique) {
  const facets = await request('api/v1/facets' + (unique ? '?unique=1' : '')), now = readFilters();
  const option = f => new Option(`${f.name} (${number(f.count)})`, f.name);
  for (const [name, options] of [['in', folderTree(facets.folders)], ['camera', facets.cameras.map(option)], ['label', facets.labels.map(option)]]) {
    form.elements[name].replaceChildren(new Option(text('any'), ''), ...options);
    form.elements[name].closest('label').hidden = options.length === 0 && !now.get(name);
  }
  $('formats').replaceChildren(...facets.formats.map(f => formatPill(f.name, f.count)));
  showFilters(now);
}

// ---- the active filters, each with a button that removes it ----

export function describeFilter(name, value) {
  const shown = () => (isDay(value) ? day(value) : value);
  const parts = { near: 3, box: 4, min_rating: 1, min_width: 1 }[name], numbers = value.split(',').filter(n => n && Number.isFinite(+n));
  if (parts && (numbers.length !== parts || value.split(',').length !== parts)) return value;
  if (name === 'in') return shortFolder(value);
  if (name === 'after') return `${text('from_date')} ${shown()}`;
  if (name === 'until') return `${text('to_date')} ${shown()}`;
  if (name === 'favourites') return text('favourites');
  if (name === 'format') return value.toUpperCase();
  if (name === 'min_rating') return text('rated', { n: number(+value) });
  if (name === 'min_width') return text('wide', { n: number(+value) });
  if (name === 'near') {
    const [lat, lon, km] = value.split(',').map(Number);
    return text('within', { km, place: `${lat.toFixed(3)}, ${lon.toFixed(3)}` });
  }
  if (name === 'box') {
    const [west, south, east, north] = value.split(',').map(degrees => number(+degrees));
    return text('in_box', { from: `${south}, ${west}`, to: `${north}, ${east}` });
  }
  return value;
}

export function drawFilters(changed) {
  const on = [...readFilters()];
  $('filter-count').hidden = on.length === 0;
  $('filter-count').textContent = on.length;
  $('active-filters').replaceChildren(...on.map(([name, value]) => {
    const off = () => {
      const params = readFilters();
      params.delete(name, value);
      showFilters(params);
      changed();
    };
    return element('li', {}, element('button', { type: 'button', onclick: off, title: text('remove_filter') },
      element('span', {}, describeFilter(name, value)), icon('close')));
  }));
}
