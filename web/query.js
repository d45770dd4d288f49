// query.js - converts a query between its parts and the query line of API and address.
//
// part = { sign: 1|-1, weight, kind: "text"|"id"|"p", value, region: [x,y,w,h]|null }
// The grammar is that of the command line (include/scry/query.h).

// A digit behind the colon makes it a time or a ratio, a space or the end a text.
const WEIGHT = /^(\d+\.?\d*|\.\d+):(?=[^\s\d])/;
const isOperator = word => word === '+' || word === '-';

function parsePart(words, sign) {
  let first = words[0], weight = 1;
  const number = WEIGHT.exec(first);
  if (number) {
    weight = parseFloat(number[1]);
    first = first.slice(number[0].length);
  }
  const picture = /^@(id|p):([0-9a-f]{32})(?:#(\d+),(\d+),(\d+),(\d+))?$/i.exec(first);
  if (picture && words.length === 1)
    return { sign, weight, kind: picture[1], value: picture[2], region: picture[3] ? picture.slice(3, 7).map(Number) : null };
  if (first.startsWith('\\') && first.length > 1) first = first.slice(1);
  const rest = words.slice(1).map(w => w === '\\+' || w === '\\-' ? w.slice(1) : w);
  return { sign, weight, kind: 'text', value: [first, ...rest].join(' ').trim(), region: null };
}

export function parseQuery(line) {
  const parts = [];
  let sign = 1, words = [];
  const end = () => { if (words.length) parts.push(parsePart(words, sign)); words = []; };
  for (const word of line.split(/\s+/).filter(Boolean)) {
    if (isOperator(word)) {
      end();
      sign = word === '-' ? -1 : 1;
    } else words.push(word);
  }
  end();
  return parts;
}

function writeText(text, weighed) {
  const words = text.split(/\s+/).filter(Boolean).map(w => isOperator(w) ? '\\' + w : w);
  const line = words.join(' ');
  return /^(@|\\(?![+-]( |$)))/.test(line) || WEIGHT.test(line) || (weighed && /^\d/.test(line)) ? '\\' + line : line;
}

function writePart(part) {
  const weight = part.weight === 1 ? '' : part.weight + ':';
  const body = part.kind === 'text' ? writeText(part.value, weight !== '')
    : '@' + part.kind + ':' + part.value + (part.region ? '#' + part.region.join(',') : '');
  return weight + body;
}

export function writeQuery(parts) {
  return parts.filter(p => p.value).map((p, i) => (p.sign < 0 ? '- ' : i ? '+ ' : '') + writePart(p)).join(' ');
}

// The first word of a text that has a minus in front, as other programs subtract it: "-people"; null: there is none.
export const signedWord = line => parseQuery(line).filter(p => p.kind === 'text').map(p => /(?:^|\s)[-−–]\p{L}\S*/u.exec(p.value)?.[0].trim()).find(Boolean) ?? null;
