// format.js - sizes, times and reasons as texts in the language of the page.

import { format, text } from './strings.js';

export function bytes(n) {
  const [by, unit] = n < 1e6 ? [1e3, 'kilobyte'] : n < 1e9 ? [1e6, 'megabyte'] : [1e9, 'gigabyte'];
  return new Intl.NumberFormat(document.documentElement.lang, { style: 'unit', unit, maximumFractionDigits: n < 1e6 ? 0 : 1 }).format(n / by);
}

const FIELDS = { name: 'found_name', folder: 'folder', title: 'title', description: 'description', keyword: 'keyword', label: 'label', key: 'key', place: 'place', picture: 'found_picture' };

// Where the words of the query are, if the picture was found by words: "Folder, Place"; '' if it was not.
export const whyFound = hit => (hit.found_in ?? []).map(field => text(FIELDS[field] ?? field)).join(', ');

export const moment = (s, zone) => s && new Date(s).toLocaleString(document.documentElement.lang, { dateStyle: 'medium', timeStyle: 'short', ...zone });

// The clock at the place: shown as it stood, with its offset from UTC where that is known.
export const clock = s => s && [moment(s.slice(0, 19) + 'Z', { timeZone: 'UTC' }), s.slice(19)].join(' ').trim();

// So many milliseconds: "40 seconds", "12 minutes".
export function timeLeft(ms) {
  const [by, unit, digits] = ms < 90e3 ? [1e3, 'second', 0] : ms < 90 * 60e3 ? [60e3, 'minute', 0] : [3600e3, 'hour', 1];
  return format('NumberFormat', { style: 'unit', unit, unitDisplay: 'long', maximumFractionDigits: digits }).format(ms / by);
}
