// world.js - outlines of land and borders of countries, from world.bin (tools/world/make.py says how it is laid out), on a canvas.
//
// The projection is Mercator's. The world is the square from 0, 0 (180 W, 85.05 N) to 1, 1.

const MOST_NORTH = 85.05, UNIT = 100, OVER = 0.1, EARTH_KM = 6371.0088, RADIAN = Math.PI / 180;

export function project(latitude, longitude) {
  const s = Math.sin(Math.min(MOST_NORTH, Math.max(-MOST_NORTH, latitude)) * RADIAN);
  return [(longitude + 180) / 360, 0.5 - Math.log((1 + s) / (1 - s)) / (4 * Math.PI)];
}

export const unproject = (x, y) => [Math.atan(Math.sinh(Math.PI * (1 - 2 * y))) / RADIAN, (x - Math.floor(x)) * 360 - 180];

export function kmBetween([lat1, lon1], [lat2, lon2]) {
  const a = Math.sin((lat2 - lat1) * RADIAN / 2) ** 2 + Math.cos(lat1 * RADIAN) * Math.cos(lat2 * RADIAN) * Math.sin((lon2 - lon1) * RADIAN / 2) ** 2;
  return 2 * EARTH_KM * Math.asin(Math.min(1, Math.sqrt(a)));
}

// ---- the file ----

function decode(bytes) {
  let at = 8;
  const number = () => {
    for (let n = 0, by = 1; ; by *= 128) {
      const byte = bytes[at++];
      n += (byte & 127) * by;
      if (byte < 128) return n;
    }
  };
  const step = () => { const n = number(); return n % 2 ? -(n + 1) / 2 : n / 2; };
  const counts = [number(), number()];
  return counts.map(count => Array.from({ length: count }, () => {
    let x = 0, y = 0;
    return Array.from({ length: number() }, () => [x += step(), y += step()]);
  }));
}

// { land, borders }: paths of outlines and of borders.
function paths(kinds) {
  const [land, borders] = kinds.map(lines => {
    const path = new Path2D();
    for (const line of lines) line.forEach(([x, y], i) => path[i ? 'lineTo' : 'moveTo'](...project(y / UNIT, x / UNIT)));
    return path;
  });
  return { land, borders };
}

let world = null;

// A promise of the paths; null: they could not be loaded, and the map is without them.
export function loadWorld() {
  world ??= fetch('assets/world.bin').then(async r => (r.ok ? paths(decode(new Uint8Array(await r.arrayBuffer()))) : null)).catch(() => null);
  return world;
}

// ---- drawing ----

// `view`: { x, y, scale }: what is in the middle of the canvas, and how many pixels the world is wide. The colours are the CSS
// variables --sea, --land, --coast and --border of the canvas. Returns the context, in pixels, to draw on.
export function drawWorld(canvas, drawn, view) {
  const [width, height, by] = [canvas.clientWidth, canvas.clientHeight, devicePixelRatio], style = getComputedStyle(canvas);
  const colour = name => style.getPropertyValue(name);
  if (canvas.width !== Math.round(width * by)) canvas.width = Math.round(width * by);
  if (canvas.height !== Math.round(height * by)) canvas.height = Math.round(height * by);
  const c = canvas.getContext('2d'), { scale } = view, left = view.x - width / 2 / scale, right = view.x + width / 2 / scale;
  c.setTransform(by, 0, 0, by, 0, 0);
  c.fillStyle = colour('--sea');
  c.fillRect(0, 0, width, height);
  for (let copy = Math.floor(left - OVER); drawn && copy <= right + OVER; copy++) {   // a narrow world is seen several times
    c.setTransform(by * scale, 0, 0, by * scale, by * (width / 2 + (copy - view.x) * scale), by * (height / 2 - view.y * scale));
    c.fillStyle = colour('--land');
    c.fill(drawn.land, 'evenodd');
    for (const [name, path] of [['--border', drawn.borders], ['--coast', drawn.land]]) {
      c.lineWidth = 1 / scale;
      c.strokeStyle = colour(name);
      c.stroke(path);
    }
  }
  c.setTransform(by, 0, 0, by, 0, 0);
  return c;
}

// Where a point of the world is on the canvas: the copy that is nearest to the middle.
export function onCanvas(canvas, view, [x, y]) {
  const across = x - view.x - Math.round(x - view.x);
  return [canvas.clientWidth / 2 + across * view.scale, canvas.clientHeight / 2 + (y - view.y) * view.scale];
}

// The corners of a box, [west, south, east, north], on the canvas; where east is below west it crosses the date line.
export function boxOnCanvas(canvas, view, [west, south, east, north]) {
  const across = (east - west) / 360 + (east < west ? 1 : 0), [x, top] = onCanvas(canvas, view, project(north, west + across * 180));
  const [, low] = onCanvas(canvas, view, project(south, west)), [from, to] = [x - across / 2 * view.scale, x + across / 2 * view.scale];
  return [[from, top], [to, top], [to, low], [from, low]];
}

// The points of a circle on the ground, on the canvas.
export function circleOnCanvas(canvas, view, [latitude, longitude], km) {
  const d = km / EARTH_KM, lat = latitude * RADIAN, middle = onCanvas(canvas, view, project(latitude, longitude));
  return Array.from({ length: 72 }, (_, k) => {
    const turn = k * 5 * RADIAN, to = Math.asin(Math.sin(lat) * Math.cos(d) + Math.cos(lat) * Math.sin(d) * Math.cos(turn));
    const east = Math.atan2(Math.sin(turn) * Math.sin(d) * Math.cos(lat), Math.cos(d) - Math.sin(lat) * Math.sin(to));
    const [, y] = project(to / RADIAN, 0);
    return [middle[0] + east / (2 * Math.PI) * view.scale, canvas.clientHeight / 2 + (y - view.y) * view.scale];
  });
}
