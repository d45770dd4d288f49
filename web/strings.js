// strings.js - the texts of the page: one file in strings/ for each language.
//
// A value is a text with {placeholders}, or one text for each plural form of {n}
// (Intl.PluralRules: one, few, many, other).

let strings = {};

const here = () => document.documentElement.lang;

// null: there is none, or the page is being left.
async function load(language) {
  try {
    const response = await fetch(`assets/strings/${language}.json`);
    return response.ok ? await response.json() : null;
  } catch {
    return null;
  }
}

// Uses the language chosen before, else the first of the browser's languages that has a file, else English.
export async function loadStrings() {
  const wanted = [localStorage.getItem('language'), ...navigator.languages.map(l => l.slice(0, 2)), 'en'].filter(Boolean);
  const loads = new Map([...new Set(['en', wanted[0]])].map(language => [language, load(language)]));   // at the same time
  for (const language of wanted) {
    const found = await (loads.get(language) ?? load(language));
    if (!found) continue;
    strings = { ...await loads.get('en'), ...found };
    document.documentElement.lang = language;
    document.documentElement.dir = found.direction ?? 'ltr';
    break;
  }
  apply();
}

// As at the beginning of a line.
export const capital = (words, language = here()) => words.slice(0, 1).toLocaleUpperCase(language) + words.slice(1);

// By its own name: "Deutsch".
export const languageName = language => capital(new Intl.DisplayNames([language], { type: 'language' }).of(language), language);

// Formats are slow to make: one for each language and kind.
const formats = new Map();
export function format(kind, options = {}) {
  const key = [here(), kind, JSON.stringify(options)].join();
  if (!formats.has(key)) formats.set(key, new Intl[kind](here(), options));
  return formats.get(key);
}

// "2024-05-17" as people there write it.
export const day = s => format('DateTimeFormat', { dateStyle: 'medium' }).format(new Date(s + 'T12:00'));

export const number = n => format('NumberFormat').format(n);

export function text(key, values = {}) {
  const entry = strings[key] ?? key;
  const found = typeof entry === 'string' ? entry : entry[format('PluralRules').select(values.n)] ?? entry.other;
  return found.replace(/\{(\w+)\}/g, (_, name) => typeof values[name] === 'number' ? number(values[name]) : values[name] ?? '');
}

export function chooseLanguage(language) {
  localStorage.setItem('language', language);
  return loadStrings();
}

function apply() {
  for (const el of document.querySelectorAll('[data-text]')) el.textContent = text(el.dataset.text);
  for (const el of document.querySelectorAll('[data-label]')) el.setAttribute('aria-label', text(el.dataset.label));
  for (const el of document.querySelectorAll('[data-title]')) el.title = text(el.dataset.title);
  for (const el of document.querySelectorAll('[data-placeholder]')) el.placeholder = text(el.dataset.placeholder);
}
