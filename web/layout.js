// layout.js - where the pictures of the grid are: rows, from the top down, all known before anything is loaded.
//
//     rows    [{ top, height, from, to, x: [..], widths: [..] } | { top, height, heading, far, year }]
//
// A ranking is justified: rows of nearly equal height that fill the width, in the order of rank. The library has square
// tiles, so that the place of a picture depends on its number only.

export const GAP = 6;
const HEADING_HEIGHT = 48, NEARLY_A_ROW = 0.75, EVEN_ROWS = 3, TILE = 168, PHONE_TILE = 112, FEWEST_TILES = 3;

const wantedHeight = width => (width < 520 ? PHONE_TILE : 196);
const aspect = hit => Math.min(3, Math.max(0.45, hit.width / hit.height || 1));

export const bottom = rows => (rows.length ? rows.at(-1).top + rows.at(-1).height + (rows.at(-1).heading === undefined ? GAP : 0) : 0);

export const addHeading = (rows, heading, far = false) => rows.push({ top: bottom(rows), height: HEADING_HEIGHT, heading, far });

// The first row whose bottom is below `y`.
export function rowAt(rows, y) {
  let low = 0, high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle].top + rows[middle].height > y) high = middle;
    else low = middle + 1;
  }
  return low;
}

// ---- the library ----

// `sections`: [{ heading (null: none), year, from, count }] in order.
export function layTiles(sections, width) {
  const wanted = width < 520 ? PHONE_TILE : TILE, columns = Math.max(FEWEST_TILES, Math.round((width + GAP) / (wanted + GAP)));
  const edges = Array.from({ length: columns + 1 }, (_, k) => Math.round(k * (width + GAP) / columns));
  const x = edges.slice(0, -1), widths = x.map((left, k) => edges[k + 1] - GAP - left), height = Math.min(...widths), rows = [];
  for (const section of sections) {
    const { heading, year, from, count } = section, end = from + count;
    if (heading !== null) addHeading(rows, heading);
    if (year) rows.at(-1).year = year;
    for (let at = from, top = bottom(rows); at < end; at += columns, top += height + GAP)
      rows.push({ top, height, from: at, to: Math.min(at + columns, end), x, widths });
  }
  return rows;
}

// ---- a ranking ----

const sumOf = (hits, from, to) => hits.slice(from, to).reduce((sum, hit) => sum + aspect(hit), 0);
const heightOf = (hits, from, to, width) => (width - GAP * (to - from - 1)) / sumOf(hits, from, to);

// Fill rows in order, each with the number of pictures that brings its height nearest to the wanted one. Where the run
// `ends`, the remaining pictures are divided evenly between the last rows, so that none is alone in a row.
export function layRun(rows, hits, from, to, width, ends) {
  const wanted = wantedHeight(width), rowsLeft = start => sumOf(hits, start, to) * wanted / width;
  const height = (a, b) => heightOf(hits, a, b, width), push = (a, b, h, open) => pushRow(rows, hits, a, b, width, h, open);
  let start = from;
  for (let i = from, sum = 0; i < to && !(ends && i === start && to - i < 40 && rowsLeft(i) < EVEN_ROWS); i++) {
    sum += aspect(hits[i]);
    if ((width - GAP * (i - start)) / sum > wanted) continue;
    const cut = i > start && height(start, i) - wanted < wanted - height(start, i + 1);
    push(start, cut ? i : i + 1, height(start, cut ? i : i + 1));
    start = cut ? i : i + 1;
    sum = cut ? aspect(hits[i]) : 0;
  }
  if (start === to) return;
  if (!ends || rowsLeft(start) < NEARLY_A_ROW) push(start, to, Math.min(wanted, height(start, to)), true);
  else layEvenly(hits, start, to, Math.max(1, Math.round(rowsLeft(start))), (a, b) => push(a, b, height(a, b), true));
}

function layEvenly(hits, from, to, count, push) {
  const share = sumOf(hits, from, to) / count;
  for (let k = 1, start = from; k <= count && start < to; k++) {
    let end = start + 1;
    while (end < to && (k === count || sumOf(hits, from, end) + aspect(hits[end]) / 2 <= k * share)) end++;
    push(start, end);
    start = end;
  }
}

// `open`: the row may be laid out again when more hits are there.
function pushRow(rows, hits, from, to, width, height, open = false) {
  const row = { top: bottom(rows), height: Math.round(height), from, to, open, x: [], widths: [] };
  let left = 0;
  for (let i = from; i < to; i++) {
    const right = Math.min(width, left + aspect(hits[i]) * height);
    row.x.push(Math.round(left));
    row.widths.push(Math.round(right) - Math.round(left));
    left = right + GAP;
  }
  rows.push(row);
}
