// chips.js - the parts of the query that are not in the text box, each with a sign and a weight.
//
// "and" and "not" make a chip of what was typed, and say what the next text is: one more part, or one to subtract.

import { request, thumbnail, uploadThumbnail } from './api.js';
import { $, element, icon } from './dom.js';
import { parseQuery, writeQuery } from './query.js';
import { text } from './strings.js';

const PART_PX = 34, PART_MAX_PX = 72;
let chips = [], onChange = () => {};
let sign = 1, behind = false;   // of the text in the box; whether it comes behind the chips

export function setChips(changed) {
  onChange = changed;
  $('plus').onclick = () => textToChip(1);
  $('minus').onclick = () => textToChip(-1);
  $('text').addEventListener('keydown', e => {
    if (e.key !== 'Backspace' || $('text').value !== '') return;
    if (sign < 0) setSign(1);
    else if (chips.length) { chips.pop(); onChange(); }
  });
  $('sign').onclick = () => { setSign(1); $('text').focus(); if ($('text').value) onChange(); };
}

// Text box and chips as one query, and back: a first text with weight 1 goes into the text box.
export const currentQuery = () => writeQuery(allParts());

function allParts() {
  const typed = parseQuery($('text').value).map(p => ({ ...p, sign: p.sign * sign }));
  return behind ? [...chips, ...typed] : [...typed, ...chips];
}

function setSign(to, isBehind = behind) {
  [sign, behind] = [to, isBehind];
  $('sign').hidden = sign > 0;
  $('text').placeholder = text(sign < 0 ? 'not_placeholder' : 'search_placeholder');
}

export function showQuery(line) {
  const parts = parseQuery(line), first = parts[0];
  const inBox = first?.kind === 'text' && first.sign > 0 && first.weight === 1;
  $('text').value = inBox ? writeQuery([first]) : '';
  chips = inBox ? parts.slice(1) : parts;
  setSign(1, false);
  drawChips();
}

export function addPicture(kind, value, region = null) {
  chips.push({ sign: 1, weight: 1, kind, value, region });
}

// Replace the query with this picture, or this part of it.
export function onlyPicture(kind, value, region = null) {
  $('text').value = '';
  chips = [];
  setSign(1, false);
  addPicture(kind, value, region);
}

// `next`: the sign of the text that is typed next.
function textToChip(next) {
  const typed = $('text').value.trim() !== '';
  chips = allParts();
  $('text').value = '';
  setSign(next, true);
  $('text').focus();
  if (typed) onChange();
}

const records = new Map();   // id -> promise of the picture's record

// The part of the picture, cut out of its thumbnail, at most PART_MAX_PX wide.
function cutOut({ value, region: [x, y, w, h] }) {
  const img = element('img', { alt: `${text('picture')} ${x},${y},${w},${h}` }), part = element('span', { className: 'part' }, img);
  if (!records.has(value)) records.set(value, request(`api/v1/images/${value}`));
  records.get(value).then(whole => {
    const width = Math.min(PART_MAX_PX, Math.max(PART_PX / 2, PART_PX * w / h)), by = Math.max(PART_PX / h, width / w);
    part.style.width = width + 'px';
    Object.assign(img.style, { width: whole.width * by + 'px', height: whole.height * by + 'px',
      left: (width - w * by) / 2 - x * by + 'px', top: (PART_PX - h * by) / 2 - y * by + 'px' });
    img.src = thumbnail(value, 640);
  }).catch(() => { records.delete(value); });
  return part;
}

function content(part) {
  if (part.kind === 'text') return element('span', { className: 'word', title: part.value }, part.value);
  if (part.region && part.kind === 'id') return cutOut(part);
  const src = part.kind === 'id' ? thumbnail(part.value, 160) : uploadThumbnail(part.value), alt = text('picture') + (part.region ? ' ' + part.region.join(',') : '');
  return element('img', { src, alt, onerror: e => e.target.replaceWith(element('span', { className: 'word' }, alt)) });
}

function chip(part) {
  const label = part.sign < 0 ? 'minus' : 'plus', name = part.kind === 'text' ? part.value : text('picture');
  const weight = element('input', { type: 'number', min: 0.1, max: 10, step: 0.1, value: part.weight, 'aria-label': `${text('weight')}: ${name}`, title: text('weight') });
  weight.onchange = () => { part.weight = Math.min(100, Math.max(0.01, +weight.value || 1)); onChange(); };
  return element('li', { className: 'chip' + (part.sign < 0 ? ' minus' : '') },
    element('button', { type: 'button', title: text('switch_sign'), 'aria-label': `${text('switch_sign')}: ${name}`,
      onclick: () => { part.sign = -part.sign; onChange(); } }, icon(label)),
    content(part),
    element('label', {}, '×', weight),
    element('button', { type: 'button', title: text('remove_part'), 'aria-label': `${text('remove_part')}: ${name}`,
      onclick: () => { chips = chips.filter(p => p !== part); onChange(); $('text').focus(); } }, icon('close')));
}

export function drawChips() {
  $('chips').replaceChildren(...chips.map(chip));
  setSign(sign);
}
