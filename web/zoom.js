// zoom.js - zooms, moves and swipes a frame within a stage, by wheel, mouse and touch.
//
// The frame is as large as its picture fits; `scale` and `offset` are a CSS transform on top.

const MAX_SCALE = 20, MAX_ENLARGED = 3, SWIPE_PX = 60, CLOSE_PX = 110;

let stage, frame, size = [1, 1], base = [0, 0, 1, 1], scale = 1, offset = [0, 0];
let pointers = new Map(), start = null, actions = {};

// actions: { swipe(by), away(), draw: null | { begin(x, y), move(x, y), end(x, y) }, scaled(scale) }
export function setZoom(stageElement, frameElement, given) {
  stage = stageElement;
  frame = frameElement;
  actions = given;
  stage.addEventListener('wheel', e => { e.preventDefault(); zoom(e.deltaY < 0 ? 1.2 : 1 / 1.2, e.clientX, e.clientY); }, { passive: false });
  stage.addEventListener('dblclick', e => zoom(scale > 1 ? 1 / scale : 2.5, e.clientX, e.clientY));
  stage.addEventListener('pointerdown', onDown);
  stage.addEventListener('pointermove', onMove);
  stage.addEventListener('pointerup', onUp);
  stage.addEventListener('pointercancel', onUp);
  new ResizeObserver(() => fit()).observe(stage);
}

// Set the size of the picture in pixels: it fills the stage, but a small one is enlarged only a little.
export function fit(width = size[0], height = size[1]) {
  const by = Math.min(stage.clientWidth / width, stage.clientHeight / height, MAX_ENLARGED);
  size = [width, height];
  const w = Math.max(1, Math.round(width * by)), h = Math.max(1, Math.round(height * by));
  base = [Math.round((stage.clientWidth - w) / 2), Math.round((stage.clientHeight - h) / 2), w, h];
  Object.assign(frame.style, { left: base[0] + 'px', top: base[1] + 'px', width: w + 'px', height: h + 'px' });
  scale = 1;
  offset = [0, 0];
  apply();
}

export const scaled = () => scale;

function apply() {
  frame.style.transform = `translate(${offset[0]}px, ${offset[1]}px) scale(${scale})`;
  stage.classList.toggle('zoomed', scale > 1);
}

// An enlarged picture covers the stage; a smaller one is centred.
function bound() {
  const room = [stage.clientWidth, stage.clientHeight];
  for (const axis of [0, 1]) {
    const length = base[2 + axis] * scale;
    const at = base[axis] + offset[axis];
    const to = length <= room[axis] ? (room[axis] - length) / 2 : Math.min(0, Math.max(room[axis] - length, at));
    offset[axis] = to - base[axis];
  }
}

// `x`, `y`: the point of the screen that keeps its place; default: the centre.
export function zoom(by, x, y) {
  const box = frame.getBoundingClientRect(), to = Math.min(MAX_SCALE, Math.max(1, scale * by)), k = to / scale;
  const at = [(x ?? box.left + box.width / 2) - box.left, (y ?? box.top + box.height / 2) - box.top];
  offset = to === 1 ? [0, 0] : [offset[0] - at[0] * (k - 1), offset[1] - at[1] * (k - 1)];
  scale = to;
  if (scale > 1) bound();
  apply();
}

function onDown(e) {
  if (e.button > 0) return;
  stage.setPointerCapture(e.pointerId);
  pointers.set(e.pointerId, [e.clientX, e.clientY]);
  start = { at: middle(), offset: [...offset], distance: distance(), fingers: Math.max(pointers.size, start?.fingers ?? 0) };
  if (actions.draw && pointers.size === 1) actions.draw.begin(e.clientX, e.clientY);
}

function middle() {
  const all = [...pointers.values()];
  return [0, 1].map(axis => all.reduce((sum, p) => sum + p[axis], 0) / all.length);
}

function distance() {
  const [a, b] = [...pointers.values()];
  return b ? Math.hypot(a[0] - b[0], a[1] - b[1]) : 0;
}

function onMove(e) {
  if (!pointers.has(e.pointerId) || !start) return;
  pointers.set(e.pointerId, [e.clientX, e.clientY]);
  if (actions.draw) {
    actions.draw.move(e.clientX, e.clientY);
    return;
  }
  const at = middle(), moved = [at[0] - start.at[0], at[1] - start.at[1]];
  if (pointers.size === 2 && start.distance) {
    offset = [offset[0] + moved[0], offset[1] + moved[1]];
    zoom(distance() / start.distance, ...at);
    start = { ...start, at, distance: distance(), offset: [...offset] };
  } else if (scale > 1) {
    offset = [start.offset[0] + moved[0], start.offset[1] + moved[1]];
    bound();
    apply();
  } else if (e.pointerType === 'touch') {   // the picture follows the finger
    offset = Math.abs(moved[0]) > Math.abs(moved[1]) ? [moved[0], 0] : [0, Math.max(0, moved[1])];
    apply();
  }
}

function onUp(e) {
  if (!pointers.delete(e.pointerId) || !start) return;
  const moved = offset, was = start;
  if (pointers.size) {
    start = { ...start, at: middle(), offset: [...offset], distance: 0 };
    return;
  }
  start = null;
  if (actions.draw) {
    if (e.type === 'pointerup') actions.draw.end(e.clientX, e.clientY);
  } else if (scale === 1 && e.pointerType === 'touch') {
    offset = [0, 0];
    apply();
    if (was.fingers > 1 || e.type !== 'pointerup') return;
    if (Math.abs(moved[0]) > SWIPE_PX) actions.swipe(moved[0] < 0 ? 1 : -1);
    else if (moved[1] > CLOSE_PX) actions.away();
  }
}
