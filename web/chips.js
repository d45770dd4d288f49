// chips.js - the parts of the query that are not in the text box, each with a sign and a weight.

import { thumbnail, uploadThumbnail } from './api.js';
import { $, element, icon } from './dom.js';
import { parseQuery, writeQuery } from './query.js';
import { text } from './strings.js';

let chips = [], onChange = () => {};

export function setChips(changed) {
  onChange = changed;
  $('plus').onclick = () => textToChip(1);
  $('minus').onclick = () => textToChip(-1);
  $('text').addEventListener('keydown', e => {
    if (e.key === 'Backspace' && $('text').value === '' && chips.length) { chips.pop(); onChange(); }
  });
}

// Text box and chips as one query, and back: a first text with weight 1 goes into the text box.
export const currentQuery = () => writeQuery([...parseQuery($('text').value), ...chips]);

export function showQuery(line) {
  const parts = parseQuery(line), first = parts[0];
  const inBox = first?.kind === 'text' && first.sign > 0 && first.weight === 1;
  $('text').value = inBox ? writeQuery([first]) : '';
  chips = inBox ? parts.slice(1) : parts;
  drawChips();
}

export function addPicture(kind, value, region = null) {
  chips.push({ sign: 1, weight: 1, kind, value, region });
}

// Replace the query with this picture, or this part of it.
export function onlyPicture(kind, value, region = null) {
  $('text').value = '';
  chips = [];
  addPicture(kind, value, region);
}

function textToChip(sign) {
  const typed = parseQuery($('text').value);
  chips.push(...typed.map(p => ({ ...p, sign: p.sign * sign })));
  $('text').value = '';
  $('text').focus();
  if (typed.length) onChange();
}

function content(part) {
  if (part.kind === 'text') return element('span', { className: 'word', title: part.value }, part.value);
  const src = part.kind === 'id' ? thumbnail(part.value, 160) : uploadThumbnail(part.value);
  return element('img', { src, alt: text('picture') + (part.region ? ' ' + part.region.join(',') : '') });
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

export const drawChips = () => $('chips').replaceChildren(...chips.map(chip));
