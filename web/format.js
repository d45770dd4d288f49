// format.js - sizes and times as texts in the language of the page.

export function bytes(n) {
  const [by, unit] = n < 1e6 ? [1e3, 'kilobyte'] : n < 1e9 ? [1e6, 'megabyte'] : [1e9, 'gigabyte'];
  return new Intl.NumberFormat(document.documentElement.lang, { style: 'unit', unit, maximumFractionDigits: n < 1e6 ? 0 : 1 }).format(n / by);
}

export const moment = (s, zone) => s && new Date(s).toLocaleString(document.documentElement.lang, { dateStyle: 'medium', timeStyle: 'short', ...zone });

// The clock at the place: shown as it stood, with its offset from UTC where that is known.
export const clock = s => s && [moment(s.slice(0, 19) + 'Z', { timeZone: 'UTC' }), s.slice(19)].join(' ').trim();
