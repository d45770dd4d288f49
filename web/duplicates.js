// duplicates.js - groups of pictures that are the same, or nearly, side by side, the best copy first.
//
// The rest can be selected for a list or a script, which the user runs: nothing is deleted here. The server makes the groups in the
// background, so it is asked again until they are there.

import { request, thumbnail } from './api.js';
import { copyText } from './clipboard.js';
import { $, element } from './dom.js';
import { shortFolder } from './filters.js';
import { bytes, clock, moment } from './format.js';
import { marksAllowed } from './marks.js';
import { number, text } from './strings.js';

const AGAIN_MS = 1000, PAGE = 20, COPIED_MS = 1500, KINDS = ['0.95', '0.98', '0.9', 'exact'];
const list = $('dup-groups');
const chosen = new Map();   // id -> picture
let kind = null, filters = null, groups = [], next = null, loading = null, timer = 0, actions = {};

// actions: { open(picture), changed(kind): another kind was chosen, null: to all pictures, failed(error, again), title(text) }
export function setDuplicates(given) {
  actions = given;
  $('dup-kind').onchange = () => actions.changed($('dup-kind').value);
  $('dup-leave').onclick = () => actions.changed(null);
  $('dup-rest').onclick = () => { for (const g of groups) chooseRest(g); show(); };
  $('dup-none').onclick = () => { chosen.clear(); show(); };
  $('dup-copy').onclick = copyPaths;
  $('dup-list').onclick = () => download('duplicates.txt', lines());
  $('dup-script').onclick = () => download('remove-duplicates.sh', script());
  new IntersectionObserver(([entry]) => { if (entry.isIntersecting && next !== null && !loading) load(); }, { rootMargin: '100%' }).observe($('dup-end'));
}

// What the address has: near or exact groups; null for what is no kind.
export const kindOf = value => (KINDS.includes(value) ? value : null);
export const duplicatesKind = () => kind;

// `given`: of KINDS; null: the groups are left. `params`: the filters, as the API has them.
export function showDuplicates(given, params) {
  clearTimeout(timer);
  loading?.abort();
  loading = null;
  [kind, filters, next] = [given, params, null];
  $('duplicates').hidden = kind === null;
  document.body.classList.toggle('comparing', kind !== null);
  groups = [];
  chosen.clear();
  list.replaceChildren();
  show();
  if (kind === null) return;
  $('dup-kind').value = kind;
  load();
}

async function load() {
  const mine = loading = new AbortController(), params = new URLSearchParams(filters);
  params.set(kind === 'exact' ? 'exact' : 'similarity', kind === 'exact' ? '1' : kind);
  params.set('limit', PAGE);
  if (next !== null) params.set('offset', next);
  try {
    const answer = await request('api/v1/duplicates?' + params, { signal: mine.signal });
    if (mine !== loading) return;
    if (answer.state === 'done') accept(answer);
    else wait(answer);
  } catch (e) {
    if (e.name !== 'AbortError' && mine === loading) actions.failed(e, () => { if (mine === loading) load(); });
    return;
  }
  loading = null;
}

function wait({ done, of }) {
  Object.assign($('dup-progress'), { hidden: false, ...(of ? { max: of, value: done } : {}) });
  if (!of) $('dup-progress').removeAttribute('value');
  actions.title(of ? text('comparing', { done, of }) : text('comparing_starts'));
  timer = setTimeout(load, AGAIN_MS);
}

function accept(answer) {
  $('dup-progress').hidden = true;
  next = answer.next_offset;
  actions.title(answer.total ? text('n_groups', { n: answer.total, files: number(answer.others), size: bytes(answer.bytes) }) : text('no_duplicates'));
  for (const group of answer.groups) {
    groups.push(group);
    list.append(makeGroup(group));
  }
  show();
}

// ---- groups ----

const membersOf = group => [group.keep, ...group.others];

function facts(hit) {
  const taken = hit.taken_at_source !== 'file_time' ? clock(hit.taken_at) : moment(hit.mtime);
  return [`${number(hit.width)} × ${number(hit.height)} ${hit.format.toUpperCase()}`, bytes(hit.size), taken, shortFolder(hit.folder), hit.away && text('away')];
}

function makeMember(group, hit) {
  const best = hit === group.keep;
  const press = () => { if (!chosen.delete(hit.id)) chosen.set(hit.id, hit); show(); };
  return element('li', { 'data-id': hit.id },
    element('a', { href: '#picture=' + hit.id, title: hit.path, 'aria-label': hit.name, onclick: e => { if (!e.ctrlKey && !e.metaKey && !e.shiftKey) { e.preventDefault(); actions.open(hit); } } },
      element('img', { src: thumbnail(hit.id, 320), alt: '', loading: 'lazy', onerror: e => e.target.remove() })),
    element('strong', {}, hit.name),
    ...facts(hit).filter(Boolean).map(fact => element('span', {}, fact)),
    element('em', {}, best ? [text('best_copy'), ...(group.why.length ? [group.why.map(why => text('why_' + why)).join(', ')] : [])].join(': ') : hit.same_bytes ? text('same_bytes') : ''),
    element('button', { type: 'button', 'aria-pressed': false, 'aria-label': `${text('choose')}: ${hit.name}`, onclick: press }, text('choose')));
}

function makeGroup(group) {
  const members = membersOf(group);
  return element('li', { className: 'group' },
    element('ul', {}, ...members.map(hit => makeMember(group, hit))),
    group.left_out > 0 && element('p', {}, text('left_out', { n: group.left_out })),
    element('p', { className: 'none-stays', hidden: true }, text('none_stays')),
    element('div', { className: 'foot' },
      element('button', { type: 'button', onclick: () => { chooseRest(group); show(); } }, text('select_rest')),
      kind !== 'exact' && marksAllowed() && !group.left_out && element('button', { type: 'button', onclick: e => keepAll(group, e.target.closest('.group')) }, text('keep_all'))));
}

function chooseRest(group) {
  chosen.delete(group.keep.id);
  for (const hit of group.others) chosen.set(hit.id, hit);
}

// Remembered by the store: the group is not shown again. It can be taken back at once.
async function keepAll(group, li) {
  const set = kept => request('api/v1/kept', { method: 'POST', body: JSON.stringify({ ids: membersOf(group).map(hit => hit.id), kept }) });
  const restore = async () => {
    try {
      await set(false);
      groups.push(group);
      const back = makeGroup(group);
      li.replaceWith(back);
      show();
      back.querySelector('.foot button').focus();
    } catch (e) {
      actions.failed(e, restore);
    }
  };
  try {
    await set(true);
  } catch (e) {
    actions.failed(e, () => keepAll(group, li));
    return;
  }
  groups = groups.filter(g => g !== group);
  for (const { id } of membersOf(group)) chosen.delete(id);
  li.replaceChildren(element('p', { role: 'status' }, text('all_kept', { n: membersOf(group).length }), ' ', element('button', { type: 'button', onclick: restore }, text('undo'))));
  li.querySelector('button').focus();
  show();
}

// Show what is chosen.
function show() {
  const total = [...chosen.values()].reduce((sum, hit) => sum + hit.size, 0);
  $('dup-chosen').textContent = chosen.size ? text('n_chosen', { n: chosen.size }) + ', ' + bytes(total) : '';
  for (const id of ['dup-none', 'dup-copy', 'dup-list', 'dup-script']) $(id).disabled = !chosen.size;
  $('dup-rest').disabled = !groups.length;
  for (const button of list.querySelectorAll('[data-id] > button')) {
    const on = chosen.has(button.parentElement.dataset.id);
    button.setAttribute('aria-pressed', on);
    button.parentElement.classList.toggle('chosen', on);
  }
  for (const li of list.querySelectorAll('.group')) {
    const members = [...li.querySelectorAll('[data-id]')], note = li.querySelector('.none-stays');
    if (note) note.hidden = !members.length || !members.every(m => chosen.has(m.dataset.id));
  }
}

// ---- what is taken away ----

// The bytes of a path: one that is not UTF-8 comes as base64, too.
const pathOf = hit => (hit.path_base64 ? Uint8Array.from(atob(hit.path_base64), c => c.charCodeAt(0)) : new TextEncoder().encode(hit.path));

const QUOTE = 39, ESCAPED = [39, 92, 39, 39];   // ' is '\''
const quoted = hit => [`'`, Uint8Array.from([...pathOf(hit)].flatMap(byte => (byte === QUOTE ? ESCAPED : byte))), `'`];

const lines = () => [...chosen.values()].flatMap(hit => [pathOf(hit), '\n']);

// A script that removes what is chosen, each file only while another one of its group is there.
function script() {
  const parts = ['#!/bin/sh\n', ...text('script_head').split('\n').map(line => `# ${line}\n`), 'set -u\n'];
  for (const group of groups) {
    const stay = membersOf(group).find(hit => !chosen.has(hit.id)), go = membersOf(group).filter(hit => chosen.has(hit.id));
    if (!stay) parts.push(`# ${text('none_stays')}\n`);   // without their paths, which may have line ends
    else for (const hit of go) parts.push('if [ -f ', ...quoted(stay), ' ]; then rm -- ', ...quoted(hit), '; fi\n');
  }
  return parts;
}

function download(name, parts) {
  const href = URL.createObjectURL(new Blob(parts, { type: 'application/octet-stream' }));
  element('a', { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 60000);
}

async function copyPaths() {
  await copyText([...chosen.values()].map(hit => hit.path).join('\n'), $('duplicates'));
  $('dup-copy').textContent = text('copied');
  setTimeout(() => { $('dup-copy').textContent = text('copy_paths'); }, COPIED_MS);
}
