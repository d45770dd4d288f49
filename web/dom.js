// dom.js - creates elements.

export const $ = id => document.getElementById(id);

// element('button', { type: 'button', onclick }, 'text', child...); "aria-x" and "data-x" become attributes.
export function element(name, properties = {}, ...children) {
  const el = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key.includes('-')) el.setAttribute(key, value);
    else el[key] = value;
  }
  el.append(...children.filter(c => c !== null && c !== undefined && c !== false));
  return el;
}

const SVG = 'http://www.w3.org/2000/svg';

// One of the symbols at the end of index.html.
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg'), use = document.createElementNS(SVG, 'use');
  svg.setAttribute('aria-hidden', 'true');
  use.setAttribute('href', '#i-' + name);
  svg.append(use);
  return svg;
}
