// docs.js - /openapi.json as a page to read.

const doc = await (await fetch('openapi.json')).json();

function element(name, content, attributes = {}) {
  const el = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) el.setAttribute(key, value);
  el.append(...[content ?? ''].flat());
  return el;
}

// Back-quoted words as code, the rest as text.
const prose = text => element('p', (text ?? '').split('`').map((part, i) => (i % 2 ? element('code', part) : part)));

const resolve = node => (node?.$ref ? node.$ref.slice(2).split('/').reduce((at, key) => at[key], doc) : node);

function typeOf(schema) {
  if (!schema) return '';
  if (schema.$ref) return schema.$ref.split('/').pop();
  if (schema.enum) return schema.enum.join(' | ');
  if (schema.const) return JSON.stringify(schema.const);
  if (schema.oneOf) return schema.oneOf.map(typeOf).join(' | ');
  if (schema.type === 'array') return `list of ${typeOf(schema.items) || 'anything'}`;
  const range = schema.minimum !== undefined || schema.maximum !== undefined ? ` ${schema.minimum ?? ''}…${schema.maximum ?? ''}` : '';
  return [schema.type].flat().join(' | ') + range;
}

function table(heads, rows) {
  return element('table', [element('thead', element('tr', heads.map(h => element('th', h, { scope: 'col' })))),
    element('tbody', rows.map(row => element('tr', row.map(cell => element('td', cell)))))]);
}

// The members of an object, those of allOf together.
function members(schema) {
  const s = resolve(schema);
  if (s?.allOf) return s.allOf.flatMap(members);
  return Object.entries(s?.properties ?? {}).map(([name, p]) =>
    [element('code', name), typeOf(p), (p.description ?? '') + (s.required?.includes(name) ? ' (always there)' : '')]);
}

function bodyOf(content) {
  return Object.entries(content ?? {}).flatMap(([type, { schema }]) => {
    const rows = members(schema);
    return [element('p', [element('code', type), ' ', rows.length ? '' : typeOf(schema)]),
      rows.length ? table(['member', 'type', 'meaning'], rows) : ''];
  });
}

function operation(path, method, op) {
  const id = `${method}${path.replace(/[^a-z0-9]+/gi, '-')}`, parts = [];
  if (op.description) parts.push(prose(op.description));
  if (op.parameters) parts.push(element('h4', 'Parameters'), table(['name', 'type', 'meaning'], op.parameters.map(p =>
    [element('code', p.name), typeOf(p.schema), p.description ?? ''])));
  if (op.requestBody) parts.push(element('h4', 'Body'), ...bodyOf(op.requestBody.content));
  parts.push(element('h4', 'Answers'));
  for (const [status, response] of Object.entries(op.responses)) {
    const r = resolve(response);
    parts.push(element('p', [element('strong', status), ' ', r.description]));
    if (status.startsWith('2')) parts.push(...bodyOf(r.content));
  }
  const summary = element('summary', [element('span', method.toUpperCase(), { class: 'method' }), element('code', path), ' ', op.summary]);
  return { id, op, details: element('details', [summary, ...parts], { id }) };
}

document.getElementById('about').append(...doc.info.description.split('\n\n').map(prose));
const all = Object.entries(doc.paths).flatMap(([path, methods]) => Object.entries(methods).map(([m, op]) => operation(path, m, op)));
for (const { name, description } of doc.tags) {
  const mine = all.filter(o => o.op.tags.includes(name));
  document.getElementById('operations').append(element('h2', name, { id: name }), description ? prose(description) : '', ...mine.map(o => o.details));
}
document.getElementById('contents').append(element('ul', doc.tags.map(t => element('li', element('a', t.name, { href: '#' + t.name })))));
const open = () => { const at = document.getElementById(location.hash.slice(1)); if (at?.tagName === 'DETAILS') at.open = true; };
addEventListener('hashchange', open);
open();
