// thumbs.js - loads the thumbnails of the grid: those in the window first, then a few at a time what comes next in the direction of scrolling.
//
// A browser has six connections to a server: what is asked for first is there first, and what has left the grid is not asked for.

const AHEAD = 4;                  // at once, of those outside of the window
const waiting = new Map();        // img -> { address, top, bottom }, in the order of the grid
const loading = new Set();        // of the images in the window, and of the others
let view = { top: 0, bottom: 0, down: true }, quiet = [];

// The part of the grid that the window shows, in pixels, and whether it moves down.
export function moveView(top, bottom) {
  view = { top, bottom, down: top === view.top ? view.down : top > view.top };
}

// `img` is at `top` to `bottom` of the grid; loadThumbs loads it.
export const wantThumb = (img, address, top, bottom) => waiting.set(img, { address, top, bottom });

// The image is not in the grid any more.
export function dropThumb(img) {
  waiting.delete(img);
  loading.delete(img);
  img.removeAttribute('src');   // cancels loading
}

const seen = ({ top, bottom }) => bottom > view.top && top < view.bottom;
const ahead = ({ top, bottom }) => (view.down ? top - view.bottom : view.top - bottom);

function begin(img) {
  const { address } = waiting.get(img);
  waiting.delete(img);
  loading.add(img);
  img.src = address;
}

function ended({ target }) {
  if (loading.delete(target)) loadThumbs();
}

// The best that waits outside of the window; null: there is none.
function next() {
  let best = null, least = Infinity;
  for (const [img, place] of waiting) {
    const far = ahead(place) < 0 ? 1e6 - ahead(place) : ahead(place);
    if (far < least) [best, least] = [img, far];
  }
  return best;
}

export function loadThumbs() {
  for (const [img, place] of waiting) if (seen(place)) begin(img);
  while (loading.size < AHEAD && waiting.size) begin(next());
  if (loading.size <= AHEAD) for (const resolve of quiet.splice(0)) resolve();
}

// An image of the grid, for wantThumb.
export function watchThumb(img) {
  img.addEventListener('load', ended);
  img.addEventListener('error', ended);
}

// A promise: the thumbnails of the window are there, or nearly.
export const thumbsShown = () => new Promise(resolve => { quiet.push(resolve); loadThumbs(); });
