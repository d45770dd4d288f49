// words.js - the text in the picture that the viewer shows: listed, copied, and marked in the picture where it has words of the query.

import { request } from './api.js';
import { copyText } from './clipboard.js';
import { $ } from './dom.js';
import { text } from './strings.js';

const SVG = 'http://www.w3.org/2000/svg';
let pending = null;   // AbortController of the request for the picture that is shown

// `near`: as for copyText.
export function setWords(near) {
  $('copy-words').onclick = async () => {
    const label = $('copy-words').querySelector('span');
    await copyText($('words-text').textContent, near);
    label.textContent = text('copied');
    setTimeout(() => { label.textContent = text('copy_text'); }, 1500);
  };
}

function outline(corners) {
  const polygon = document.createElementNS(SVG, 'polygon');
  polygon.setAttribute('points', corners.map(c => c.join(',')).join(' '));
  return polygon;
}

// Show what was read in a picture, nothing where nobody has read it. `query`: the query line, or "".
export async function showWords(hit, query) {
  hideWords();
  const { signal } = pending = new AbortController();
  const read = await request(`api/v1/images/${hit.id}/text?${new URLSearchParams({ q: query })}`, { signal }).catch(() => null);
  if (signal.aborted || !read?.lines.length) return;
  $('words-text').textContent = read.text;
  $('marks').replaceChildren(...read.lines.filter(l => l.matches).map(l => outline(l.corners)));
  $('picture-words').hidden = false;
}

export function hideWords() {
  pending?.abort();
  $('picture-words').hidden = true;
  $('marks').replaceChildren();
}
