// explain.js - what the server says, in the language of the page.
//
// Problems that a person meets have a code, and why filters let nothing pass comes in parts. What has no words here is shown as it came.

import { describeFilter, readFilters } from './filters.js';
import { day, number, text } from './strings.js';

// What the server says adds to these.
const DETAILED = ['problem_undecodable', 'problem_bad_parameter', 'skip_truncated', 'skip_damaged', 'skip_too_large', 'skip_unsupported', 'skip_unreadable', 'skip_no_library', 'skip_format_off'];

function inWords(key, detail) {
  const said = text(key);
  if (said === key) return detail;
  return DETAILED.includes(key) && detail ? `${said} (${detail})` : said;
}

// Why a file was skipped. `code` is null where the reason has none.
export const explainSkip = ({ code, reason }) => inWords('skip_' + code, reason);

// Why a request failed. `code`, `cause` and `detail` are of the answer.
export function explain({ code, cause, status, message: detail }) {
  if (status === 404 && !code) return text('problem_no_such_picture');   // which the detail names by its id
  if (cause) return inWords('skip_' + cause, detail.slice(detail.indexOf(': ') + 2));
  return inWords('problem_' + code, detail);
}

const labels = { in: 'folder', date: 'when', after: 'from_date', until: 'to_date', near: 'position', box: 'map', favourites: 'favourites' };
const speaksItself = ['after', 'until', 'favourites', 'min_rating', 'min_width', 'near', 'box'];   // their values have the label in them

function nameFilter({ name, value }) {
  const own = readFilters().getAll(name).map(v => describeFilter(name, v)), shown = own.length ? own.join(', ') : value ?? '';
  return speaksItself.includes(name) && own.length ? shown : `${text(labels[name] ?? name)}: ${shown}`;
}

function whatThereIs(name, { meant, values, more_values: more, first, last, most, placed }) {
  if (values) {
    const listed = values.map(v => `${name === 'in' ? describeFilter('in', v.name) : v.name} (${number(v.count)})`).join(', ');
    return [meant.length && text('nothing_meant', { words: meant.join(', ') }),
      !values.length ? text('nothing_none') : more ? text('nothing_values_more', { values: listed, n: more }) : text('nothing_values', { values: listed })];
  }
  return [first && text('nothing_dates', { first: day(first), last: day(last) }), most !== undefined && text(name === 'min_rating' ? 'nothing_rating' : 'nothing_width', { n: most }),
    placed !== undefined && text(placed ? 'nothing_there' : 'nothing_placed'), name === 'favourites' && text('nothing_favourites'),
    name === 'min_rating' && most === undefined && text('nothing_none')];
}

// `by`: nothing_found_by of an answer.
export function whyNothing(by) {
  const { filters, missing, meant } = by;
  if (missing) return [missing.length ? text('nothing_missing', { words: missing.join(', ') }) : text('nothing_words'), meant.length && text('nothing_meant', { words: meant.join(', ') })].filter(Boolean).join(' ');
  if (filters.length > 1) return text('nothing_together', { filters: filters.map(nameFilter).join('; ') });
  return [text('nothing_passes', { filter: nameFilter(filters[0]) }), ...whatThereIs(filters[0].name, by)].filter(Boolean).join(' ');
}
