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
  const english = await load('en');
  const wanted = [localStorage.getItem('language'), ...navigator.languages.map(l => l.slice(0, 2)), 'en'].filter(Boolean);
  for (const language of wanted) {
    const found = language === 'en' ? english : await load(language);
    if (!found) continue;
    strings = { ...english, ...found };
    document.documentElement.lang = language;
    document.documentElement.dir = found.direction ?? 'ltr';
    break;
  }
  apply();
}

export const languageName = async language => (await load(language))?.language_name ?? language;

export const number = n => new Intl.NumberFormat(here()).format(n);

export function text(key, values = {}) {
  const entry = strings[key] ?? key;
  const found = typeof entry === 'string' ? entry : entry[new Intl.PluralRules(here()).select(values.n)] ?? entry.other;
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
